//! The access keys of the IAM users that the rotation policy names: their number and age, never a secret.

use serde::{Serialize, Serializer};

use sealwave_core::text::counted;
use sealwave_core::time::Date;

/// The access keys of an IAM user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserKeysStatus {
    /// The name of the user.
    pub user: String,
    /// The active keys, the oldest first; `None` if AWS was not asked.
    pub active_keys: Option<Vec<ActiveKey>>,
}

/// An active access key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveKey {
    /// The id, which is public.
    pub id: String,
    /// The day of its creation.
    #[serde(serialize_with = "as_text")]
    pub created: Option<Date>,
    /// The days since then.
    pub days: Option<i64>,
}

impl ActiveKey {
    /// Creates the status of a key.
    #[must_use]
    pub fn new(id: String, created: Option<Date>, today: Date) -> Self {
        Self { id, created, days: created.map(|created| created.days_until(today)) }
    }
}

impl UserKeysStatus {
    /// Returns the day of the oldest active key, if the days of all are known.
    #[must_use]
    pub fn oldest(&self) -> Option<Date> {
        let dates = self.active_keys.as_ref()?.iter().map(|key| key.created);
        dates.collect::<Option<Vec<Date>>>()?.into_iter().min()
    }

    /// Describes the keys on one line.
    #[must_use]
    pub fn line(&self) -> String {
        let user = &self.user;
        let Some(keys) = &self.active_keys else { return format!("user `{user}`: not known") };
        let texts = keys.iter().map(|key| match key.days {
            Some(days) => format!("`{}` {} old", key.id, counted(days, "day")),
            None => format!("`{}` of unknown age", key.id),
        });
        let texts = texts.collect::<Vec<_>>().join(", ");
        match keys.len() {
            0 => format!("user `{user}`: none is active"),
            1 => format!("user `{user}`: {texts}"),
            count => format!("user `{user}`: {count} are active: {texts}"),
        }
    }
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn as_text<S: Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    match date {
        Some(date) => serializer.collect_str(date),
        None => serializer.serialize_none(),
    }
}
