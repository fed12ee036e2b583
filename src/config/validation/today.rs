//! Today's date, which reproducible builds replace.

use std::time::{Duration, SystemTime};

use x509_cert::der::DateTime;

use super::error::{ValidationError, problem};
use crate::config::VariableReader;
use sealwave_core::diagnostic::Failure;
use sealwave_core::time::Date;

/// The variable that replaces the clock in reproducible builds: seconds since 1970.
const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Returns today's date in UTC.
///
/// # Errors
/// The variable that replaces the clock is not a number.
pub(crate) fn today(variables: VariableReader) -> Result<Date, Failure> {
    let value = variables(SOURCE_DATE_EPOCH).filter(|value| !value.is_empty());
    let given: Option<u64> = value
        .map(|value| {
            let seconds = value.to_str().and_then(|text| text.parse().ok());
            seconds.ok_or_else(|| problem(&ValidationError::Epoch(SOURCE_DATE_EPOCH)))
        })
        .transpose()?;
    let now = given.map_or_else(
        || DateTime::from_system_time(SystemTime::now()),
        |seconds| DateTime::from_unix_duration(Duration::from_secs(seconds)),
    );
    let day = now.ok().and_then(|now| Date::new(now.year(), now.month(), now.day()).ok());
    // After the year 9999, every suppression is expired.
    Ok(day.unwrap_or_else(|| Date::new(9999, 12, 31).expect("a valid date")))
}
