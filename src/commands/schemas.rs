//! `schemas pull` writes a cluster's custom resource definitions to a lock file, for `validate` to read offline.
//! `schemas print` prints the JSON Schema of one of sealwave's own files.

use std::time::Duration;

use super::operation::refuse_in_sidecar;
use super::{CommandOutput, cluster_access};
use crate::cli::{SchemasPrintArgs, SchemasPullArgs, SettingsFileKind};
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use crate::ops::LockFile;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_core::text::counted;
use sealwave_providers::ProviderConfig;
use sealwave_secrets::settings::{App, OperatorConfig, ValidationFile, settings_schema};

/// The deadline: a large cluster over a slow connection takes a while.
const DEADLINE: Duration = Duration::from_mins(5);

/// The note about the written file.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` contains {}", counted(*.definitions, "definition"))]
struct WrittenNote {
    path: String,
    definitions: usize,
}

impl Explain for WrittenNote {}

pub(super) fn pull(
    args: &SchemasPullArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    refuse_in_sidecar("schemas pull", variables)?;
    watch.set_time_limit(DEADLINE);
    let cluster = cluster_access(&args.cluster, variables);
    let lock = LockFile::pull(&cluster, &args.group, watch.deadline());
    let lock = lock.map_err(|error| Problem::new(&error))?;
    lock.write(&args.output).map_err(|error| Problem::new(&error))?;
    let written = WrittenNote { path: args.output.display().to_string(), definitions: lock.definitions };
    Ok(CommandOutput { notes: vec![Note::info(Problem::new(&written))], ..CommandOutput::default() })
}

pub(super) fn print(args: &SchemasPrintArgs) -> CommandOutput {
    let schema = match args.file {
        SettingsFileKind::App => settings_schema::<App>("sealwave.yaml, the app file of sealwave"),
        SettingsFileKind::Operator => {
            settings_schema::<OperatorConfig<ProviderConfig>>("the operator file of sealwave")
        }
        SettingsFileKind::Validation => {
            settings_schema::<ValidationFile>("the file of sealwave validate --config")
        }
    };
    CommandOutput::text(format!("{schema:#}\n"))
}
