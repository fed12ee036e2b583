//! The keys of a user: which is in use, and which may be deleted.

use std::time::{Duration, SystemTime};

use sealwave_providers::aws_account::{AccessKey, KeyStatus, LastUse};

use super::account::KeyAccount;
use super::error::RotationError;
use super::sink::CredentialSink;
use super::sink::PresentKey;
use crate::clock;

/// A use in this time proves that a key is in use.
const RECENT: Duration = Duration::from_hours(30 * 24);

/// The time in which the use of a new key may be unknown.
const LAG: Duration = Duration::from_hours(24);

/// A key with what is known about its use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyFacts {
    pub(super) key: AccessKey,
    pub(super) last_use: Option<LastUse>,
    /// The place or session that certainly uses it.
    pub(super) holder: Option<String>,
}

impl KeyFacts {
    /// Describes the key on one line.
    pub(super) fn line(&self, now: SystemTime) -> String {
        let status = match self.key.status {
            KeyStatus::Active => "active",
            KeyStatus::Inactive => "inactive",
        };
        let age = self.key.created.map_or_else(
            || "of unknown age".to_owned(),
            |created| format!("{} old", clock::age(now, created)),
        );
        let holder = self.holder.as_ref().map_or_else(String::new, |holder| format!(", in use: {holder}"));
        format!("`{}`: {status}, {age}, {}{holder}", self.key.id, use_text(self.last_use.as_ref()))
    }

    /// Returns the reason to believe that the key is in use, if any.
    fn recent_use(&self, now: SystemTime) -> Option<String> {
        let within = |then: SystemTime, time: Duration| {
            now.duration_since(then).is_ok_and(|since| since < time) || then > now
        };
        match &self.last_use {
            Some(used) if within(used.at, RECENT) => Some(use_text(Some(used))),
            None if self.key.created.is_none_or(|created| within(created, LAG)) => {
                Some("it is new, and AWS reports a use only after hours".to_owned())
            }
            _ => None,
        }
    }
}

/// Describes the last use.
pub(super) fn use_text(last_use: Option<&LastUse>) -> String {
    match last_use {
        None => "no known use".to_owned(),
        Some(LastUse { at, service, region }) => {
            format!("last used {} by `{service}` in `{region}`", clock::utc(*at))
        }
    }
}

/// The keys of a user.
pub(super) struct UserKeys {
    user: String,
    pub(super) keys: Vec<KeyFacts>,
    now: SystemTime,
    /// Whether the key in use is known: each place can be read.
    is_holder_known: bool,
}

impl UserKeys {
    /// Asks for the keys of a user and their uses.
    ///
    /// # Errors
    /// A call fails, or a place holds a key of another user.
    pub(super) fn read(
        user: &str,
        account: &dyn KeyAccount,
        sinks: &[Box<dyn CredentialSink>],
        now: SystemTime,
        new: Option<&str>,
    ) -> Result<Self, RotationError> {
        let mut keys = Vec::new();
        for key in account.access_keys(user)? {
            let last_use = account.last_use(&key.id)?;
            keys.push(KeyFacts { key, last_use, holder: None });
        }
        let mut found = Self { user: user.to_owned(), keys, now, is_holder_known: !sinks.is_empty() };
        for sink in sinks {
            match sink.present_key()? {
                PresentKey::Id(id) => match found.set_holder(&id, sink.name()) {
                    Err(_) if Some(id.as_str()) == new => {}
                    other => other?,
                },
                PresentKey::Empty => {}
                PresentKey::NotAKey => return Err(RotationError::NotAKey(sink.name())),
                PresentKey::Unreadable => found.is_holder_known = false,
            }
        }
        if let Some(id) = account.session_key() {
            // A temporary key is none of the user.
            let _ = found.set_holder(&id, "this session is logged in with it".to_owned());
        }
        Ok(found)
    }

    fn set_holder(&mut self, id: &str, holder: String) -> Result<(), RotationError> {
        match self.keys.iter_mut().find(|facts| facts.key.id == id) {
            Some(facts) => {
                facts.holder.get_or_insert(holder);
                Ok(())
            }
            None => {
                Err(RotationError::ForeignKey { place: holder, key: id.to_owned(), user: self.user.clone() })
            }
        }
    }

    /// Describes the keys, one per line.
    pub(super) fn lines(&self) -> Vec<String> {
        self.keys.iter().map(|facts| facts.line(self.now)).collect()
    }

    /// Reports whether the user has a key.
    pub(super) fn has(&self, id: &str) -> bool {
        self.keys.iter().any(|facts| facts.key.id == id)
    }

    /// Returns the ids of all keys but one.
    pub(super) fn ids_except(&self, except: Option<&str>) -> Vec<String> {
        let ids = self.keys.iter().map(|facts| facts.key.id.clone());
        ids.filter(|id| Some(id.as_str()) != except).collect()
    }

    /// Returns the error for a user with two keys.
    pub(super) fn two_keys(&self) -> RotationError {
        let deletable = |facts: &&KeyFacts| self.check_deletion(&facts.key.id, false).is_ok();
        let candidate = self.keys.iter().find(deletable).map(|facts| facts.key.id.clone());
        let keys = self.lines().join("; ");
        RotationError::TwoKeys { user: self.user.clone(), keys, candidate }
    }

    /// Checks that a key may be deleted: it is not the one in use, and was not used recently unless `force` is set.
    ///
    /// # Errors
    /// It must not be deleted.
    pub(super) fn check_deletion(&self, id: &str, force: bool) -> Result<(), RotationError> {
        let Some(facts) = self.keys.iter().find(|facts| facts.key.id == id) else {
            return Err(RotationError::WrongConsent { given: id.to_owned(), expected: None });
        };
        let in_use = |reason: String| RotationError::KeyInUse { key: id.to_owned(), reason };
        if let Some(holder) = &facts.holder {
            return Err(in_use(format!("in use: {holder}")));
        }
        if self.keys.len() < 2 {
            return Err(in_use("it is the only key of the user".to_owned()));
        }
        let used_at = |facts: &KeyFacts| facts.last_use.as_ref().map(|used| used.at);
        let is_latest = self.keys.iter().all(|other| used_at(other) <= used_at(facts));
        if !self.is_holder_known && facts.last_use.is_some() && is_latest {
            return Err(in_use(format!(
                "of the user's keys, it was used last; {}",
                use_text(facts.last_use.as_ref())
            )));
        }
        match facts.recent_use(self.now) {
            Some(reason) if !force && facts.key.status == KeyStatus::Active => {
                Err(RotationError::KeyUsedRecently { key: id.to_owned(), reason })
            }
            _ => Ok(()),
        }
    }
}
