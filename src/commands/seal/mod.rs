//! `seal`: seals Secrets for files that are committed, or adds items to such a file.

pub(super) mod certificate;
mod error;
mod values;

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::Duration;

use self::certificate::SealingCertificate;
use self::error::SealError;
use self::values::OperatorValues;
use super::operation::{print_from_now, refuse_in_sidecar};
use super::{CommandOutput, manifest_format};
use crate::cli::{OutputFormat, SealArgs};
use crate::config::{self, VariableReader};
use crate::deadline::RunWatch;
use crate::ops::OperationProgress;
use sealwave_core::diagnostic::{Failure, Note, Problem};
use sealwave_operations::documents::ManifestInput;
use sealwave_operations::file_changes::FileChangeError;
use sealwave_operations::report::{OperationOutcome, OperationReport, result_line};
use sealwave_operations::seal::{
    MergeTarget, PlainSecrets, SealTarget, SecretItems, ValueFlags, check_replaced_file, only_item,
};
use sealwave_pipeline::{CommitPlan, SealedApp};
use sealwave_secrets::SealingScope;
use sealwave_validate::report::write_report;

/// The time for slow commands before a pipe. The operator file has the time for fetching values.
const TIME_LIMIT: Duration = Duration::from_mins(15);

/// The key and the name of the Secret that `--raw` seals; neither is part of the output.
const RAW: &str = "value";

pub(super) fn run(
    args: &SealArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    refuse_in_sidecar("seal", variables)?;
    watch.set_time_limit(TIME_LIMIT);
    check_written_file(args.write.as_deref())?;
    let mut sealing = Sealing { args, variables, watch, notes: Vec::new() };
    let output = match &args.merge_into {
        Some(file) => sealing.merge(file),
        None if args.raw => sealing.raw(),
        None => sealing.seal(),
    }?;
    Ok(CommandOutput { notes: sealing.notes, ..output })
}

/// Checks that the output may be written: before anything is fetched, and again before it is written.
fn check_written_file(path: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    Ok(check_replaced_file(path).map_err(|error| Problem::new(&error))?)
}

/// A run of the command.
struct Sealing<'a> {
    args: &'a SealArgs,
    variables: VariableReader,
    watch: &'a RunWatch,
    notes: Vec<Note>,
}

impl Sealing<'_> {
    /// Seals whole Secrets.
    fn seal(&mut self) -> Result<CommandOutput, Failure> {
        let target = self.target();
        let secrets = if self.value_flags().is_empty() {
            PlainSecrets::read(&self.read_input()?, &target)?
        } else {
            PlainSecrets::from_values(&self.read_values()?, &target)?
        };
        let certificate = self.certificate()?;
        let sealed = self.seal_secrets(secrets, certificate)?;
        let format = manifest_format(OutputFormat::of_file(self.args.output, self.args.write.as_deref()));
        self.write(sealwave_pipeline::emit(&sealed, format)?)
    }

    /// Seals one value.
    fn raw(&mut self) -> Result<CommandOutput, Failure> {
        let items = if self.value_flags().is_empty() {
            self.require_input()?;
            let path = self.args.file.as_deref().unwrap_or_else(|| Path::new("-"));
            let path = path.to_str().ok_or_else(|| Problem::new(&SealError::PathNotText))?;
            let file = [format!("{RAW}={path}")];
            let flags = ValueFlags { files: &file, ..ValueFlags::default() };
            flags.read(io::stdin().lock(), &mut self.notes)?
        } else {
            self.read_values()?
        };
        if items.len() != 1 {
            return Err(Problem::new(&SealError::RawNeedsOneValue(items.len())).into());
        }
        let mut target = self.target();
        // The label of a wider scope does not have the name.
        if target.scope.unwrap_or_default() != SealingScope::Strict {
            target.name.get_or_insert_with(|| RAW.to_owned());
        }
        let secrets = PlainSecrets::from_values(&items, &target)?;
        let certificate = self.certificate()?;
        let sealed = self.seal_secrets(secrets, certificate)?;
        let text = only_item(&sealed).ok_or_else(|| Problem::new(&SealError::RawNeedsOneValue(0)))?;
        self.write(text.as_bytes().to_vec())
    }

    /// Adds items to a SealedSecret in a file.
    fn merge(&mut self, path: &Path) -> Result<CommandOutput, Failure> {
        let into = MergeTarget::read(path)?;
        let flags = self.target();
        let (secrets, selected) = if self.value_flags().is_empty() {
            PlainSecrets::read_for_merge(&self.read_input()?, &flags, &into, &mut self.notes)?
        } else {
            let selected = into.select(&flags)?;
            (PlainSecrets::from_values(&self.read_values()?, &selected.target)?, vec![selected])
        };
        let certificate = self.certificate()?;
        let sealed_for = certificate.certificate.clone();
        let sealed = self.seal_secrets(secrets, certificate)?;
        let merged = into.merge(path, &selected, &sealed, &sealed_for)?;
        self.notes.extend(merged.notes);
        if self.args.dry_run {
            let outcome = OperationOutcome::Planned;
            let report = OperationReport { plan: merged.plan, outcome, results: Vec::new() };
            return Ok(CommandOutput::text(report.human()));
        }
        print_from_now(&OperationProgress::new(self.watch), &merged.plan.human(false))?;
        let applied = merged.changes.apply::<FileChangeError>(|_| Ok(()));
        let failure = applied.err().map(|error| Failure::from(Problem::new(&error)));
        let outcome = failure.as_ref().map(|failure| OperationOutcome::failed(failure, false));
        let summary = outcome.unwrap_or(OperationOutcome::Done).summary();
        Ok(CommandOutput { failure, ..CommandOutput::text(result_line(&summary)) })
    }

    /// Resolves placeholders, if there are any, and seals.
    fn seal_secrets(
        &mut self,
        secrets: PlainSecrets,
        certificate: SealingCertificate,
    ) -> Result<SealedApp, Failure> {
        let allow_empty = self.args.allow_empty_data;
        let today = Some(config::today(self.variables)?);
        let SealingCertificate { certificate, operator } = certificate;
        if !secrets.has_placeholders() {
            let plan = CommitPlan { certificate, source: None, allow_empty, today };
            return secrets.seal(plan, &mut self.notes);
        }
        let Some((operator, cluster)) = operator else {
            let operator = config::operator_path(self.args.certificate.operator.clone(), self.variables);
            if operator.is_some() {
                return Err(Problem::new(&SealError::PlaceholderForOtherCertificate).into());
            }
            let plan = CommitPlan { certificate, source: None, allow_empty, today };
            return secrets.seal(plan, &mut self.notes);
        };
        let values = OperatorValues::new(self.args, &operator, cluster, self.variables, self.watch)?;
        let source = Some(values.source(self.watch.deadline(), &mut self.notes));
        secrets.seal(CommitPlan { certificate, source, allow_empty, today }, &mut self.notes)
    }

    fn certificate(&mut self) -> Result<SealingCertificate, Failure> {
        SealingCertificate::decide(self.args, self.variables, self.watch, &mut self.notes)
    }

    fn target(&self) -> SealTarget {
        SealTarget {
            name: self.args.name.clone(),
            namespace: self.args.namespace.clone(),
            scope: self.args.scope.map(Into::into),
            literal: self.args.literal,
            secret_type: self.args.r#type.clone(),
        }
    }

    fn value_flags(&self) -> ValueFlags<'_> {
        let values = &self.args.values;
        ValueFlags {
            literals: &values.from_literal,
            files: &values.from_file,
            env_files: &values.from_env_file,
        }
    }

    fn read_values(&mut self) -> Result<SecretItems, Failure> {
        let mut notes = Vec::new();
        let items = self.value_flags().read(io::stdin().lock(), &mut notes)?;
        self.notes.extend(notes);
        Ok(items)
    }

    /// Refuses to wait for input that is probably not meant to come.
    fn require_input(&self) -> Result<(), Failure> {
        if self.args.file.is_none() && io::stdin().is_terminal() {
            return Err(Problem::new(&SealError::NoInput).into());
        }
        Ok(())
    }

    /// Reads the file, or standard input.
    fn read_input(&self) -> Result<ManifestInput, Failure> {
        self.require_input()?;
        ManifestInput::read(self.args.file.as_deref().unwrap_or_else(|| Path::new("-")))
    }

    /// Returns the output, or writes it to the file of `--write`.
    fn write(&self, bytes: Vec<u8>) -> Result<CommandOutput, Failure> {
        let Some(path) = &self.args.write else { return Ok(CommandOutput::text(bytes)) };
        check_written_file(Some(path))?;
        write_report(path, &bytes).map_err(|error| Problem::new(&error))?;
        Ok(CommandOutput::default())
    }
}
