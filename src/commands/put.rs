//! `put`: writes a value to a store.

use super::CommandOutput;
use crate::cli::PutArgs;
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::Failure;

#[cfg(not(any(feature = "aws", feature = "vault")))]
pub(super) fn run(_: &PutArgs, _: VariableReader, _: &RunWatch) -> Result<CommandOutput, Failure> {
    Err(super::not_built("put", "aws"))
}

#[cfg(any(feature = "aws", feature = "vault"))]
pub(super) use with_stores::run;

#[cfg(any(feature = "aws", feature = "vault"))]
mod with_stores {
    use std::io::{self, IsTerminal as _};
    use std::path::Path;

    use super::{CommandOutput, Failure, PutArgs, RunWatch, VariableReader};
    use crate::commands::operation::{Decision, Operation};
    use crate::config::{self, OperatorFile};
    use sealwave_core::bounded_file::{BoundedReadError, read_regular_file, read_stream};
    use sealwave_core::diagnostic::{Explain, Note, Problem, io_reason};
    use sealwave_operations::put::{PreparedPut, PutRequest, PutTarget, without_line_break};
    use sealwave_operations::report::OperationOutcome;
    use sealwave_secrets::placeholder::{PlaceholderText, SecretReference};
    use sealwave_secrets::values::SecretValue;

    /// The largest value that is read; stores hold less.
    const MAX_VALUE: u64 = 1 << 20;

    #[derive(Debug, thiserror::Error)]
    enum InputError {
        #[error("`{0}` is not a reference to a secret")]
        BadReference(String),
        #[error("`{0}` has no provider")]
        NoProvider(String),
        #[cfg(feature = "vault")]
        #[error("`{flag}` is for AWS, and provider `{provider}` is of kind `vault`")]
        AwsFlag { flag: &'static str, provider: String },
        #[error("no value is given: standard input is a terminal")]
        Terminal,
        #[error("{input} cannot be read: {reason}")]
        Unreadable { input: String, reason: String },
        #[error("the line break at the end of the value is not written")]
        LineBreak,
    }

    impl Explain for InputError {
        fn hint(&self) -> Option<String> {
            Some(match self {
                Self::BadReference(_) => {
                    "write `PROVIDER:PATH` or `PROVIDER:PATH#KEY`, without version and modifiers".to_owned()
                }
                Self::NoProvider(_) => {
                    "write `PROVIDER:PATH#KEY`, for example `vault:secret/shop/db#password`; the names of providers are under `providers` in the operator file".to_owned()
                }
                #[cfg(feature = "vault")]
                Self::AwsFlag { .. } => {
                    "omit it: the address and the login are those of the operator file".to_owned()
                }
                Self::Terminal => {
                    "pass a file with `--from-file FILE`, or pipe the value: what is typed would be visible"
                        .to_owned()
                }
                Self::Unreadable { .. } => return None,
                Self::LineBreak => "`--keep-newline` writes it too".to_owned(),
            })
        }
    }

    pub(in crate::commands) fn run(
        args: &PutArgs,
        variables: VariableReader,
        watch: &RunWatch,
    ) -> Result<CommandOutput, Failure> {
        let subject = format!("put {}", args.reference);
        let operation = Operation::begin("put", subject, &args.operation, variables, watch)?;
        let reference = reference(&args.reference)?;
        let (value, had_line_break) = value(args)?;
        let target = target(args, &reference, variables)?;
        let request = PutRequest { key: reference.key, value, create: args.create };
        let prepared = PreparedPut::new(&*target, request).map_err(|error| Problem::new(&error))?;
        let plan = prepared.plan();
        let mut output = match operation.decide(&plan)? {
            Decision::Stop(output) => output,
            Decision::Apply => operation.apply(plan, || {
                operation.tell(&prepared.apply().map_err(|error| Problem::new(&error))?);
                Ok(OperationOutcome::Done)
            })?,
        };
        output.notes.extend(target.take_notes());
        if had_line_break {
            output.notes.push(Note::info(Problem::new(&InputError::LineBreak)));
        }
        Ok(output)
    }

    /// Reads the secret to write. Its provider is one of the operator file.
    fn target(
        args: &PutArgs,
        reference: &SecretReference,
        variables: VariableReader,
    ) -> Result<Box<dyn PutTarget>, Failure> {
        let path = config::operator_path(args.login.operator.clone(), variables);
        let file = path.map(|path| OperatorFile::read(&path)).transpose()?;
        match file.and_then(|file| vault_target(args, reference, &file)) {
            Some(target) => target,
            None => aws_target(args, reference, variables),
        }
    }

    /// Reads a secret of a Vault server; `None` if the provider is of another kind.
    #[cfg(feature = "vault")]
    fn vault_target(
        args: &PutArgs,
        reference: &SecretReference,
        file: &OperatorFile,
    ) -> Option<Result<Box<dyn PutTarget>, Failure>> {
        use sealwave_operations::put::VaultTarget;

        let provider = reference.provider.as_str();
        let store = file.operator().providers.get(provider)?.vault_store(provider, file.directory())?;
        let flags = [("--profile", &args.login.profile), ("--region", &args.login.region)];
        if let Some((flag, _)) = flags.into_iter().find(|(_, value)| value.is_some()) {
            return Some(Err(
                Problem::new(&InputError::AwsFlag { flag, provider: provider.to_owned() }).into()
            ));
        }
        Some(store.map_err(|error| Problem::new(&error).into()).and_then(|store| {
            let target = VaultTarget::read(store, reference).map_err(|error| Problem::new(&error))?;
            Ok(Box::new(target) as Box<dyn PutTarget>)
        }))
    }

    #[cfg(not(feature = "vault"))]
    fn vault_target(
        _: &PutArgs,
        reference: &SecretReference,
        file: &OperatorFile,
    ) -> Option<Result<Box<dyn PutTarget>, Failure>> {
        let config = file.operator().providers.get(reference.provider.as_str())?;
        (config.kind() == "vault").then(|| Err(crate::commands::not_built("put", "vault")))
    }

    #[cfg(feature = "aws")]
    fn aws_target(
        args: &PutArgs,
        reference: &SecretReference,
        variables: VariableReader,
    ) -> Result<Box<dyn PutTarget>, Failure> {
        use crate::commands::aws_desk::AwsDesk;
        use sealwave_operations::put::AwsTarget;

        let desk = AwsDesk::new(&args.login, variables)?;
        let kind = desk.kind(&reference.provider)?;
        kind.check_name(&reference.path).map_err(|error| Problem::new(&error))?;
        let store = desk.store(&reference.provider)?;
        let target = AwsTarget::read(store, &reference.path).map_err(|error| Problem::new(&error))?;
        Ok(Box::new(target))
    }

    #[cfg(not(feature = "aws"))]
    fn aws_target(
        _: &PutArgs,
        _: &SecretReference,
        _: VariableReader,
    ) -> Result<Box<dyn PutTarget>, Failure> {
        Err(crate::commands::not_built("put", "aws"))
    }

    /// Parses a reference as a placeholder does.
    fn reference(text: &str) -> Result<SecretReference, Failure> {
        if text.contains('/') && !text.contains(':') {
            return Err(Problem::new(&InputError::NoProvider(text.to_owned())).into());
        }
        let parsed =
            PlaceholderText::parse(&format!("<{text}>")).ok().filter(PlaceholderText::is_bare_placeholder);
        let placeholder = parsed.as_ref().and_then(|parsed| parsed.placeholders().next());
        let reference = placeholder.map(|placeholder| placeholder.reference.clone());
        let writable = reference.filter(|found| found.version.is_none() && !found.all_keys);
        writable.ok_or_else(|| Problem::new(&InputError::BadReference(text.to_owned())).into())
    }

    /// Reads the value, and reports whether the line break at its end was removed.
    fn value(args: &PutArgs) -> Result<(SecretValue, bool), Failure> {
        let path = args.from_file.as_path();
        let is_stdin = path == Path::new("-");
        if is_stdin && io::stdin().is_terminal() {
            return Err(Problem::new(&InputError::Terminal).into());
        }
        let read =
            if is_stdin { read_stream(io::stdin(), MAX_VALUE) } else { read_regular_file(path, MAX_VALUE) };
        let bytes = read.map_err(|error| unreadable(path, is_stdin, &error))?;
        let value = SecretValue::new(bytes.to_vec());
        Ok(if args.keep_newline { (value, false) } else { without_line_break(value) })
    }

    fn unreadable(path: &Path, is_stdin: bool, error: &BoundedReadError) -> Failure {
        let input = if is_stdin { "standard input".to_owned() } else { format!("`{}`", path.display()) };
        Problem::new(&InputError::Unreadable { input, reason: io_reason(error.kind()) }).into()
    }
}
