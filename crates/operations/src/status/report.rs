//! The report: verdicts from age, policy and dates.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use sealwave_core::time::Date;
use sealwave_pipeline::ItemExpiry;
use sealwave_secrets::crypto::ExpiringValue;
use sealwave_secrets::settings::{IamUserName, RotationEntry, RotationPolicy};

use super::access_keys::{ActiveKey, UserKeysStatus};
use super::inventory::FoundSecret;
use crate::json_document::json_document;

/// Days before a limit at which a secret is due soon.
const SOON: i64 = 30;

/// The active access keys of the users that AWS was asked for.
pub type ActiveKeys = BTreeMap<IamUserName, Vec<ActiveKey>>;

/// The secrets of apps, and the certificates that they are sealed with.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusReport {
    /// Today's date.
    #[serde(serialize_with = "as_text")]
    pub today: Date,
    /// The secrets, by app, environment, namespace and name.
    pub secrets: Vec<SecretStatus>,
    /// The sealing certificates, by cluster.
    pub certificates: Vec<CertificateStatus>,
    /// The apps that could not be read, in the order of their directories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken_apps: Vec<BrokenApp>,
}

/// An app that could not be read, or not with all its environments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BrokenApp {
    /// The directory of the app, as given.
    pub app: String,
    /// The messages of its errors.
    pub errors: Vec<String>,
}

/// A secret of an environment.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretStatus {
    /// The directory of the app, as given.
    pub app: String,
    /// The environment.
    pub environment: String,
    /// The Secret, its sources and its users.
    #[serde(flatten)]
    pub secret: FoundSecret,
    /// The day of the last change, and the origin of the date.
    pub changed: Option<LastChange>,
    /// A change that is dated in the future, which says nothing about the age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub future: Option<LastChange>,
    /// The entry of the rotation policy.
    pub policy: Option<PolicyStatus>,
    /// The access keys of the IAM user that the policy names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_keys: Option<UserKeysStatus>,
    /// Items that expire.
    pub expiries: Vec<ExpiryStatus>,
    /// The verdict.
    pub state: RotationState,
}

/// The day on which a secret changed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastChange {
    /// The day.
    #[serde(serialize_with = "as_text")]
    pub date: Date,
    /// The days since then.
    pub days: i64,
    /// The origin of the date.
    pub source: ChangeSource,
    /// Whether the change may be earlier: the clone lacks the commits before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_minimum: bool,
    /// The oldest item, if others are younger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
}

/// The day on which something other than the policy says that a secret changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownChange {
    /// The day.
    pub date: Date,
    /// The origin of the date.
    pub source: ChangeSource,
    /// Whether the change may be earlier.
    pub is_minimum: bool,
    /// The oldest item, if others are younger.
    pub item: Option<String>,
}

impl KnownChange {
    /// Returns a change of a known day.
    #[must_use]
    pub const fn on(date: Date, source: ChangeSource) -> Self {
        Self { date, source, is_minimum: false, item: None }
    }
}

/// The origin of the date of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeSource {
    /// `rotated` in the rotation policy.
    Policy,
    /// The first commit with the value of the oldest sealed item.
    Git,
    /// The secret source, for the value that changed longest ago.
    Source,
    /// The oldest active access key of the IAM user.
    AccessKey,
}

/// The rotation policy of a secret.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStatus {
    /// `automatic` or `manual`.
    pub rotation: &'static str,
    /// The maximum age in days.
    pub max_age_days: Option<i64>,
    /// The team or person to ask.
    pub owner: Option<String>,
    /// The reason for this way of rotation.
    pub reason: Option<String>,
    /// The page that describes it.
    pub runbook: Option<String>,
}

/// An item that expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpiryStatus {
    /// The item's key.
    pub item: String,
    /// `certificate` or `json web token`.
    pub kind: &'static str,
    /// The last day.
    #[serde(serialize_with = "as_text")]
    pub date: Date,
    /// The days that are left; negative after the last day.
    pub days: i64,
}

/// A sealing certificate of a cluster.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateStatus {
    /// The cluster.
    pub cluster: String,
    /// The fingerprint, as in the annotation `sealwave.dev/certificate`.
    pub fingerprint: String,
    /// The last day.
    #[serde(serialize_with = "as_text")]
    pub date: Date,
    /// The days that are left; negative after the last day.
    pub days: i64,
}

/// The verdict on a secret, from worst to best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RotationState {
    /// An item has expired.
    Expired,
    /// It is older than its policy allows.
    Overdue,
    /// It will soon be too old, or expire.
    Due,
    /// Its policy has a maximum age, and its age is not known.
    Unknown,
    /// It has no policy.
    NoPolicy,
    /// Nothing is due.
    Ok,
}

impl RotationState {
    /// Returns the word for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Overdue => "overdue",
            Self::Due => "due",
            Self::Unknown => "unknown",
            Self::NoPolicy => "no policy",
            Self::Ok => "ok",
        }
    }

    /// Reports whether the owner must act now.
    #[must_use]
    pub const fn is_overdue(self) -> bool {
        matches!(self, Self::Expired | Self::Overdue)
    }
}

impl SecretStatus {
    /// Judges a secret. `known` is the day of its last change, if something other than the policy tells it.
    #[must_use]
    pub fn new(
        (app, environment): (&str, &str),
        secret: FoundSecret,
        policy: &RotationPolicy,
        known: Option<KnownChange>,
        (expiries, keys): (&[ItemExpiry], &ActiveKeys),
        today: Date,
    ) -> Self {
        let entry = policy.entry_for(environment, &secret.namespace, &secret.name).map(|(_, entry)| entry);
        let user = entry.and_then(|entry| entry.iam_user.as_ref());
        let access_keys = user.map(|user| {
            let active_keys = keys.get(user).cloned();
            UserKeysStatus { user: user.as_str().to_owned(), active_keys }
        });
        let of_keys = access_keys.as_ref().and_then(UserKeysStatus::oldest);
        let known = of_keys.map(|date| KnownChange::on(date, ChangeSource::AccessKey)).or(known);
        let dated = last_change_of(entry, known, today);
        // In other time zones, it may be tomorrow.
        let (future, changed): (Option<_>, Option<_>) = match dated {
            Some(dated) if dated.days < -1 => (Some(dated), None),
            Some(dated) => (None, Some(LastChange { days: dated.days.max(0), ..dated })),
            None => (None, None),
        };
        let own =
            expiries.iter().filter(|one| (&one.namespace, &one.name) == (&secret.namespace, &secret.name));
        let mut expiries: Vec<ExpiryStatus> = own.map(|one| ExpiryStatus::new(one, today)).collect();
        expiries.sort_by(|a, b| (a.date, &a.item).cmp(&(b.date, &b.item)));
        let state = state(entry, changed.as_ref(), &expiries);
        let policy = entry.map(PolicyStatus::new);
        let (app, environment) = (app.to_owned(), environment.to_owned());
        Self { app, environment, secret, changed, future, policy, access_keys, expiries, state }
    }
}

/// Returns the last change: what a person wrote down, else what Git tells.
fn last_change_of(
    entry: Option<&RotationEntry>,
    known: Option<KnownChange>,
    today: Date,
) -> Option<LastChange> {
    let written = entry.and_then(|entry| entry.rotated);
    let written = written.map(|date| KnownChange::on(date, ChangeSource::Policy));
    let of_source =
        known.clone().filter(|known| !matches!(known.source, ChangeSource::Git | ChangeSource::Policy));
    let KnownChange { date, source, is_minimum, item } = of_source.or(written).or(known)?;
    Some(LastChange { date, days: date.days_until(today), source, is_minimum, item })
}

fn state(
    entry: Option<&RotationEntry>,
    changed: Option<&LastChange>,
    expiries: &[ExpiryStatus],
) -> RotationState {
    let of_values = expiries.iter().map(|expiry| days_left_state(expiry.days)).min();
    let of_policy = match entry {
        None => RotationState::NoPolicy,
        Some(entry) => match (entry.max_age, changed) {
            (None, _) => RotationState::Ok,
            (Some(_), None) => RotationState::Unknown,
            (Some(max), Some(changed)) => {
                let left = max.days() - changed.days;
                if left < 0 {
                    RotationState::Overdue
                } else if changed.is_minimum {
                    RotationState::Unknown
                } else if left <= SOON.min(max.days() / 3) {
                    RotationState::Due
                } else {
                    RotationState::Ok
                }
            }
        },
    };
    of_values
        .map_or(of_policy, |state| if state == RotationState::Ok { of_policy } else { state.min(of_policy) })
}

const fn days_left_state(days: i64) -> RotationState {
    if days < 0 {
        RotationState::Expired
    } else if days <= SOON {
        RotationState::Due
    } else {
        RotationState::Ok
    }
}

impl PolicyStatus {
    fn new(entry: &RotationEntry) -> Self {
        Self {
            rotation: entry.rotation.name(),
            max_age_days: entry.max_age.map(sealwave_secrets::settings::MaxAge::days),
            owner: entry.owner.as_ref().map(|text| text.as_str().to_owned()),
            reason: entry.reason.as_ref().map(|text| text.as_str().to_owned()),
            runbook: entry.runbook.as_ref().map(|address| address.as_str().to_owned()),
        }
    }
}

impl ExpiryStatus {
    fn new(one: &ItemExpiry, today: Date) -> Self {
        let kind = match one.expiry.kind {
            ExpiringValue::Certificate => "certificate",
            ExpiringValue::JsonWebToken => "json web token",
        };
        let date = one.expiry.date;
        Self { item: one.key.clone(), kind, date, days: today.days_until(date) }
    }
}

impl CertificateStatus {
    /// Creates the status of a cluster's certificate.
    #[must_use]
    pub fn new(cluster: &str, fingerprint: String, date: Date, today: Date) -> Self {
        Self { cluster: cluster.to_owned(), fingerprint, date, days: today.days_until(date) }
    }

    /// Returns the verdict on the certificate.
    #[must_use]
    pub fn state(&self) -> RotationState {
        days_left_state(self.days)
    }
}

impl StatusReport {
    /// Creates a report; sorts everything.
    #[must_use]
    pub fn new(
        today: Date,
        mut secrets: Vec<SecretStatus>,
        mut certificates: Vec<CertificateStatus>,
    ) -> Self {
        secrets.sort_by(|a, b| a.key().cmp(&b.key()));
        certificates.sort_by(|a, b| a.cluster.cmp(&b.cluster));
        certificates.dedup_by(|a, b| a.cluster == b.cluster);
        Self { today, secrets, certificates, broken_apps: Vec::new() }
    }

    /// Adds the apps that could not be read.
    #[must_use]
    pub fn with_broken_apps(self, broken_apps: Vec<BrokenApp>) -> Self {
        Self { broken_apps, ..self }
    }

    /// Reports whether it has nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.certificates.is_empty()
    }

    /// Reports whether something is overdue or has expired.
    #[must_use]
    pub fn has_overdue(&self) -> bool {
        self.secrets.iter().any(|secret| secret.state.is_overdue())
            || self.certificates.iter().any(|certificate| certificate.state().is_overdue())
    }

    /// Returns the report as JSON, with a line break at the end.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        json_document(self)
    }
}

impl SecretStatus {
    fn key(&self) -> [&str; 4] {
        [&self.app, &self.environment, &self.secret.namespace, &self.secret.name]
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn as_text<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}
