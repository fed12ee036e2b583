//! A logged-in AWS account, for commands that rotate credentials or write values.
//!
//! Addresses and credentials come from a provider of the operator file, or from flags; never from a repository. The
//! pipeline that Argo CD runs does not use this module. Results and errors hold names, versions and dates; a value is only
//! ever a `SecretValue`.

mod access_keys;
mod error;
mod named_response;
mod names;
mod parameters;
mod probe;
mod secrets;
mod session;
#[cfg(test)]
mod tests;

pub use self::access_keys::{AccessKey, KeyStatus, LastUse, NewAccessKey};
pub use self::error::{AwsError, AwsErrorKind};
pub use self::names::{check_parameter_name, check_secret_name};
pub use self::parameters::{ParameterDescription, StoredParameter};
pub use self::probe::BucketProbe;
pub use self::secrets::{SecretDescription, StoredSecret, VersionStage};
pub use self::session::{AwsAccount, AwsLogin, CallerIdentity};
