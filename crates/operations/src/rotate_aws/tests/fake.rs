//! An account and a place in memory, for tests. Uses of keys, delays and failures are set by the test.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::SystemTime;

use sealwave_providers::aws_account::{
    AccessKey, AwsError, AwsErrorKind, BucketProbe, CallerIdentity, KeyStatus, LastUse, NewAccessKey,
};
use sealwave_secrets::values::SecretValue;

use crate::clock::{Clock as _, ManualClock};
use crate::rotate_aws::account::KeyAccount;
use crate::rotate_aws::sink::{CredentialSink, PresentKey, SinkError};

pub(in crate::rotate_aws) const ARN: &str = "arn:aws:iam::123456789012:user/airflow";

/// A key with its secret.
#[derive(Clone)]
pub(in crate::rotate_aws) struct FakeKey {
    pub(in crate::rotate_aws) key: AccessKey,
    pub(in crate::rotate_aws) secret: String,
    pub(in crate::rotate_aws) last_use: Option<LastUse>,
}

/// An account with one user.
pub(in crate::rotate_aws) struct FakeAccount {
    pub(in crate::rotate_aws) clock: Rc<ManualClock>,
    /// The ARN of the user, and that of the identity of its keys.
    pub(in crate::rotate_aws) arns: RefCell<[&'static str; 2]>,
    pub(in crate::rotate_aws) keys: RefCell<Vec<FakeKey>>,
    created: Cell<u32>,
    /// The number of rejections of a new key before it works.
    pub(in crate::rotate_aws) rejections: Cell<u32>,
    /// Failures of calls, by their names.
    pub(in crate::rotate_aws) failures: RefCell<VecDeque<(&'static str, AwsErrorKind)>>,
    /// Whether the next creation has its effect and no response.
    pub(in crate::rotate_aws) loses_response: Cell<bool>,
    pub(in crate::rotate_aws) session_key: RefCell<Option<String>>,
    pub(in crate::rotate_aws) calls: RefCell<Vec<&'static str>>,
}

impl FakeAccount {
    pub(in crate::rotate_aws) fn new(clock: &Rc<ManualClock>) -> Self {
        Self {
            clock: Rc::clone(clock),
            arns: RefCell::new([ARN; 2]),
            keys: RefCell::default(),
            created: Cell::new(0),
            rejections: Cell::new(0),
            failures: RefCell::default(),
            loses_response: Cell::new(false),
            session_key: RefCell::new(None),
            calls: RefCell::default(),
        }
    }

    /// Adds a key, and returns its id.
    pub(in crate::rotate_aws) fn add(&self, created: SystemTime, used: Option<SystemTime>) -> String {
        let number = self.created.get() + 1;
        self.created.set(number);
        let id = format!("AKIATESTTESTTEST{number:04}");
        let key = AccessKey { id: id.clone(), status: KeyStatus::Active, created: Some(created) };
        let last_use = used.map(use_at);
        self.keys.borrow_mut().push(FakeKey { key, secret: format!("CANARY+/secret{number}"), last_use });
        id
    }

    pub(in crate::rotate_aws) fn find(&self, id: &str) -> Option<FakeKey> {
        self.keys.borrow().iter().find(|key| key.key.id == id).cloned()
    }

    pub(in crate::rotate_aws) fn set_use(&self, id: &str, at: SystemTime) {
        let mut keys = self.keys.borrow_mut();
        if let Some(key) = keys.iter_mut().find(|key| key.key.id == id) {
            key.last_use = Some(use_at(at));
        }
    }

    fn call(&self, name: &'static str) -> Result<(), AwsError> {
        self.calls.borrow_mut().push(name);
        let mut failures = self.failures.borrow_mut();
        let at = failures.iter().position(|(call, _)| *call == name);
        match at.and_then(|at| failures.remove(at)) {
            Some((_, kind)) => Err(AwsError::of_kind(kind, &format!("`{name}` failed"))),
            None => Ok(()),
        }
    }
}

fn use_at(at: SystemTime) -> LastUse {
    LastUse { at, service: "s3".to_owned(), region: "eu-west-1".to_owned() }
}

impl KeyAccount for FakeAccount {
    fn session_key(&self) -> Option<String> {
        self.session_key.borrow().clone()
    }

    fn user_arn(&self, _: &str) -> Result<String, AwsError> {
        self.call("user")?;
        Ok(self.arns.borrow()[0].to_owned())
    }

    fn access_keys(&self, _: &str) -> Result<Vec<AccessKey>, AwsError> {
        self.call("list")?;
        Ok(self.keys.borrow().iter().map(|key| key.key.clone()).collect())
    }

    fn last_use(&self, id: &str) -> Result<Option<LastUse>, AwsError> {
        self.call("last-use")?;
        Ok(self.find(id).and_then(|key| key.last_use))
    }

    fn create_access_key(&self, _: &str) -> Result<NewAccessKey, AwsError> {
        self.call("create")?;
        if self.keys.borrow().len() >= 2 {
            return Err(AwsError::of_kind(AwsErrorKind::Limit, "limit"));
        }
        let id = self.add(self.clock.now(), None);
        if self.loses_response.take() {
            return Err(AwsError::of_kind(AwsErrorKind::NoResponse, "lost"));
        }
        let secret = self.find(&id).map(|key| key.secret).unwrap_or_default();
        Ok(NewAccessKey { id, secret: SecretValue::new(secret.into_bytes()) })
    }

    fn set_key_status(&self, _: &str, id: &str, status: KeyStatus) -> Result<(), AwsError> {
        self.call("set-status")?;
        let mut keys = self.keys.borrow_mut();
        let key = keys.iter_mut().find(|key| key.key.id == id);
        let not_found = || AwsError::of_kind(AwsErrorKind::NotFound, "no such key");
        key.ok_or_else(not_found)?.key.status = status;
        Ok(())
    }

    fn delete_access_key(&self, _: &str, id: &str) -> Result<(), AwsError> {
        self.call("delete")?;
        self.keys.borrow_mut().retain(|key| key.key.id != id);
        Ok(())
    }

    fn identity_of_key(&self, id: &str, secret: &SecretValue) -> Result<CallerIdentity, AwsError> {
        self.call("identity")?;
        let left = self.rejections.get();
        let is_known = self.find(id).is_some_and(|key| key.secret.as_bytes() == secret.expose());
        if left > 0 || !is_known {
            self.rejections.set(left.saturating_sub(1));
            return Err(AwsError::of_kind(AwsErrorKind::BadCredentials, "not known yet"));
        }
        Ok(CallerIdentity { arn: self.arns.borrow()[1].to_owned(), account: "123456789012".to_owned() })
    }

    fn probe_bucket(&self, _: &BucketProbe, _: &str, _: &SecretValue) -> Result<(), AwsError> {
        self.call("probe")
    }
}

/// A place that holds one key.
#[derive(Clone, Default)]
pub(in crate::rotate_aws) struct FakeSink(pub(in crate::rotate_aws) Rc<RefCell<Option<(String, String)>>>);

impl CredentialSink for FakeSink {
    fn name(&self) -> String {
        "`aws-sm:prod/aws`".to_owned()
    }

    fn undo(&self) -> String {
        "write the version before".to_owned()
    }

    fn present_key(&self) -> Result<PresentKey, SinkError> {
        Ok(self.0.borrow().as_ref().map_or(PresentKey::Empty, |(id, _)| PresentKey::Id(id.clone())))
    }

    fn secret_of(&self, id: &str) -> Option<SecretValue> {
        let held = self.0.borrow().clone().filter(|(held, _)| held == id)?;
        Some(SecretValue::new(held.1.into_bytes()))
    }

    fn write(&self, key: &NewAccessKey) -> Result<String, SinkError> {
        let secret = key.secret.expose_str().unwrap_or("").to_owned();
        *self.0.borrow_mut() = Some((key.id.clone(), secret));
        Ok("wrote `aws-sm:prod/aws`".to_owned())
    }
}
