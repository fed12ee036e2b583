//! The sealed files of `rotate aws`: their flags, the certificate and the journal.

use std::path::Path;

use crate::cli::RotateAwsArgs;
use crate::commands::cert::controller_names;
use crate::commands::cluster_access;
use crate::commands::operation::Operation;
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::diagnostic::{Explain, Failure, NOT_UTF8, Problem, io_reason};
use sealwave_operations::certificates::CertificateSource;
use sealwave_operations::rotate_aws::{
    CredentialSink as _, SealedFilesSettings, SealedFilesSink, SealedFilesState, SealedTemplate,
};
use sealwave_operations::state::{Journal, OperationId};
use sealwave_operations::work_tree::{AllowedPaths, PushTarget};
use sealwave_secrets::crypto::Certificate;

/// The largest template.
const MAX_TEMPLATE: u64 = 1 << 20;

#[derive(Debug, thiserror::Error)]
enum SealedArgumentError {
    #[error("`{0}` of `--sealed-items` does not name two items")]
    Items(String),
    #[error("`{0}` of `--sealed-template` does not name an item and a file")]
    Template(String),
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("the certificate of {0} was fetched without TLS, so others could have replaced it on its way")]
    Unprotected(String),
}

impl Explain for SealedArgumentError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Items(_) => "write `ID-KEY,SECRET-KEY`",
            Self::Template(_) => "write `KEY=FILE`",
            Self::Unreadable { .. } => return None,
            Self::Unprotected(_) => {
                "use an https address, the controller, or a file whose fingerprint you checked"
            }
        };
        Some(hint.to_owned())
    }
}

/// Opens the journal of the sealed files.
///
/// # Errors
/// Another run has it open, or it cannot be read.
pub(super) fn journal(
    operation: &Operation<'_>,
    args: &RotateAwsArgs,
) -> Result<Journal<SealedFilesState>, Failure> {
    let id = OperationId::new("rotate-aws-files", [&args.user, &args.env]);
    operation.journal(id)
}

/// The flags of sealed files, in the form that they must have.
pub(super) struct SealedFlags {
    items: [String; 2],
    templates: Vec<SealedTemplate>,
    allowed: AllowedPaths,
}

impl SealedFlags {
    /// Reads the flags, and the files of templates.
    ///
    /// # Errors
    /// A flag is malformed, or a template cannot be read.
    pub(super) fn read(args: &RotateAwsArgs) -> Result<Self, Failure> {
        let items = items(&args.sealed_items)?;
        let templates = args.sealed_template.iter().map(|text| template(text)).collect::<Result<_, _>>()?;
        let allowed = AllowedPaths::new(Some(&args.env), &args.files.allow_path);
        Ok(Self { items, templates, allowed: allowed.map_err(|error| Problem::new(&error))? })
    }
}

/// Parses `--sealed-items`.
pub(super) fn items(text: &str) -> Result<[String; 2], Failure> {
    // Other keys are not valid in a Secret.
    let is_key = |key: &str| {
        (1..=253).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let items = text.split_once(',').filter(|(id, secret)| is_key(id) && is_key(secret) && id != secret);
    let items = items.map(|(id, secret)| [id.to_owned(), secret.to_owned()]);
    items.ok_or_else(|| Problem::new(&SealedArgumentError::Items(text.to_owned())).into())
}

/// Creates the sink of the sealed files, and checks that they can be changed.
///
/// # Errors
/// The certificate cannot be fetched, or the files are not in one repository, or cannot be changed.
pub(super) fn sink(
    args: &RotateAwsArgs,
    flags: SealedFlags,
    journal: Option<Journal<SealedFilesState>>,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<SealedFilesSink, Failure> {
    let files = &args.files;
    let push =
        files.push.then(|| PushTarget { remote: files.remote.clone(), branch: files.target_branch.clone() });
    let settings = SealedFilesSettings {
        paths: args.sealed_files.clone(),
        items: flags.items,
        templates: flags.templates,
        namespace: args.identity.namespace.clone(),
        certificate: certificate(args, variables, watch)?,
        allowed: flags.allowed,
        commit: files.commit,
        push,
    };
    let sink = SealedFilesSink::new(settings, journal).map_err(|error| Problem::new(&error))?;
    sink.present_key().map_err(|error| Problem::new(&error))?;
    Ok(sink)
}

fn certificate(
    args: &RotateAwsArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<Certificate, Failure> {
    let source = match &args.cert {
        Some(cert) => CertificateSource::parse(cert),
        None => CertificateSource::Controller(
            cluster_access(&args.cluster, variables),
            controller_names(&args.controller),
        ),
    };
    let fetched = source.fetch(watch.deadline()).map_err(|error| Problem::new(&error))?;
    if fetched.is_unprotected {
        return Err(Problem::new(&SealedArgumentError::Unprotected(fetched.origin)).into());
    }
    Ok(fetched.certificate)
}

fn template(text: &str) -> Result<SealedTemplate, Failure> {
    let parts = text.split_once('=').filter(|(key, file)| !key.is_empty() && !file.is_empty());
    let (key, file) = parts.ok_or_else(|| Problem::new(&SealedArgumentError::Template(text.to_owned())))?;
    let failed =
        |reason: String| Problem::new(&SealedArgumentError::Unreadable { path: file.to_owned(), reason });
    let bytes =
        read_regular_file(Path::new(file), MAX_TEMPLATE).map_err(|error| failed(io_reason(error.kind())))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| failed(format!("it {NOT_UTF8}")))?;
    Ok(SealedTemplate::new(key, text.to_owned()).map_err(|error| Problem::new(&error))?)
}
