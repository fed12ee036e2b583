//! Arguments of `key`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// Subcommands of `key`.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    /// Create a seal key and, recommended from the start, a checksum key
    #[command(
        after_help = "Anyone with the seal key can verify guesses of sealed values: store it where only the operator can read it."
    )]
    Generate(KeyGenerateArgs),
}

/// Arguments of `key generate`.
#[derive(Clone, Debug, Args)]
pub struct KeyGenerateArgs {
    /// Write the seal key to a new file, readable only by its owner [default: standard output]
    #[arg(long, short = 'o', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Also write a checksum key to a new file (without --output: only this key), so that replacing the seal key
    /// restarts no pods
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub checksum_output: Option<PathBuf>,
    /// Also write a derivation key to a new file (without --output: no seal key), for a provider of kind derive
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub derivation_output: Option<PathBuf>,
}
