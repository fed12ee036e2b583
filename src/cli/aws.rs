//! Flags that commands share which change an AWS account.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::app::OPERATOR_HELP;
use sealwave_core::time::duration;

/// The address and the identity of the account.
#[derive(Clone, Debug, Args)]
pub struct AwsLoginArgs {
    /// Operator file, whose providers have the addresses
    #[arg(long, help = OPERATOR_HELP, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,
    /// Profile of the AWS configuration, instead of the identity of the provider [default: that of the provider, else
    /// the default chain of AWS]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Region [default: that of the provider, else that of the AWS configuration]
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
}

/// The longest time: ten years.
const MAX_DAYS: u32 = 3650;

/// Parses a time such as `90s`, `24h` or `7d`.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let days =
        text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok()).filter(|days| *days <= MAX_DAYS);
    let parsed = match days {
        Some(days) => Some(Duration::from_hours(24) * days),
        None => duration::parse(text),
    };
    parsed.ok_or_else(|| "write a time such as `90s`, `24h` or `7d`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(time("7d"), Ok(Duration::from_hours(168)));
        for text in ["", "7", "d", "-1d", "1w", "99999999999d", "3651d"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
