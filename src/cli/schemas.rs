//! Arguments of `schemas`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::cluster::ClusterArgs;

/// Subcommands of `schemas`.
#[derive(Clone, Debug, Subcommand)]
pub enum SchemasCommand {
    /// Write a cluster's custom resource definitions to a lock file, which validate reads offline
    #[command(
        after_help = "Accesses the cluster like kubectl, and reads only the list of definitions. Then run: sealwave validate --crds schemas.lock.yaml"
    )]
    Pull(SchemasPullArgs),
    /// Print the JSON Schema of the app file or of another file of sealwave, for editors
    #[command(
        after_help = "Save the schema, and name it in the first line of the file, for example:\n# yaml-language-server: $schema=app-file.schema.json"
    )]
    Print(SchemasPrintArgs),
}

/// Arguments of `schemas pull`.
#[derive(Clone, Debug, Args)]
pub struct SchemasPullArgs {
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Lock file
    #[arg(long, short = 'o', value_name = "FILE", default_value = "schemas.lock.yaml", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// Only API groups that match this pattern, for example '*cert-manager.io'; repeatable
    #[arg(long, value_name = "GLOB")]
    pub group: Vec<String>,
}

/// Arguments of `schemas print`.
#[derive(Clone, Debug, Args)]
pub struct SchemasPrintArgs {
    /// The file: app (sealwave.yaml), operator, or validation (of validate --config)
    #[arg(hide_possible_values = true)]
    pub file: SettingsFileKind,
}

/// One of sealwave's own files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SettingsFileKind {
    /// sealwave.yaml of an app
    App,
    /// The file of --operator
    Operator,
    /// The file of validate --config
    Validation,
}
