//! Asks AWS for the access keys of IAM users: besides the login, one call for each, which returns ids and dates only.
//!
//! The names of users come from Git, and are checked when the app file is read. The account and the login come from the
//! operator file.

use crate::cli::StatusArgs;
use crate::config::VariableReader;
use sealwave_core::time::Date;
use sealwave_operations::status::ActiveKey;
use sealwave_secrets::settings::IamUserName;

/// The active keys of a user, the oldest first, or the reason why they are not known.
pub(super) type KnownKeys = Result<Vec<ActiveKey>, String>;

/// Returns the active keys of users.
#[cfg(feature = "aws")]
pub(super) fn active_keys(
    args: &StatusArgs,
    variables: VariableReader,
    users: Vec<IamUserName>,
    today: Date,
) -> Vec<(IamUserName, KnownKeys)> {
    use crate::cli::AwsLoginArgs;
    use crate::commands::aws_desk::AwsDesk;
    use sealwave_operations::clock::unix;
    use sealwave_providers::aws_account::{AccessKey, KeyStatus};

    let login = AwsLoginArgs { operator: args.operator.clone(), profile: None, region: None };
    let account = AwsDesk::new(&login, variables).and_then(|desk| desk.account(Some(&args.aws_provider)));
    let account = account.map_err(|failure| {
        failure.problems().first().map_or_else(String::new, |problem| problem.message.clone())
    });
    let active = |key: AccessKey| {
        let created = key.created.and_then(|time| Date::from_unix_seconds(unix(time)));
        (key.status == KeyStatus::Active).then(|| ActiveKey::new(key.id, created, today))
    };
    let ask = |user: IamUserName| {
        let keys = account.as_ref().map_err(Clone::clone).and_then(|account| {
            let keys = account.access_keys(user.as_str()).map_err(|error| error.to_string())?;
            Ok(keys.into_iter().filter_map(active).collect())
        });
        (user, keys)
    };
    users.into_iter().map(ask).collect()
}

/// Returns the reason why the keys are not known.
#[cfg(not(feature = "aws"))]
pub(super) fn active_keys(
    _: &StatusArgs,
    _: VariableReader,
    users: Vec<IamUserName>,
    _: Date,
) -> Vec<(IamUserName, KnownKeys)> {
    let unknown = || Err("this build has no support for AWS".to_owned());
    users.into_iter().map(|user| (user, unknown())).collect()
}
