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
    let now = DateTime::from_system_time(now(variables)?);
    let day = now.ok().and_then(|now| Date::new(now.year(), now.month(), now.day()).ok());
    // After the year 9999, every suppression is expired.
    Ok(day.unwrap_or_else(|| Date::new(9999, 12, 31).expect("a valid date")))
}

/// Returns the current time.
///
/// # Errors
/// The variable that replaces the clock is not a number.
pub(crate) fn now(variables: VariableReader) -> Result<SystemTime, Failure> {
    let Some(value) = variables(SOURCE_DATE_EPOCH).filter(|value| !value.is_empty()) else {
        return Ok(SystemTime::now());
    };
    let seconds: Option<u64> = value.to_str().and_then(|text| text.parse().ok());
    let seconds = seconds.ok_or_else(|| problem(&ValidationError::Epoch(SOURCE_DATE_EPOCH)))?;
    let farthest = || SystemTime::UNIX_EPOCH + Duration::from_secs(u32::MAX.into());
    Ok(SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or_else(farthest))
}
