//! Arguments of `put`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::OperationArgs;
use super::aws::AwsLoginArgs;

/// Arguments of `put`.
#[derive(Clone, Debug, Args)]
pub struct PutArgs {
    /// Secret or parameter, as in a placeholder: PROVIDER:PATH, or PROVIDER:PATH#KEY for one key of a JSON document (for Vault, one field)
    #[arg(value_name = "REFERENCE")]
    pub reference: String,
    /// File with the value; - for standard input
    #[arg(long, value_name = "FILE", default_value = "-", value_hint = ValueHint::FilePath)]
    pub from_file: PathBuf,
    /// Create the secret, the parameter or the key if it does not exist
    #[arg(long)]
    pub create: bool,
    /// Keep the line break at the end of a value of one line
    #[arg(long)]
    pub keep_newline: bool,
    /// The account.
    #[command(flatten)]
    pub login: AwsLoginArgs,
    /// The operation.
    #[command(flatten)]
    pub operation: OperationArgs,
}
