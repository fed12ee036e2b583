//! Errors of a rotation.

use std::path::PathBuf;
use std::time::Duration;

use sealwave_core::diagnostic::Explain;
use sealwave_core::text::quoted_list;
use sealwave_providers::aws_account::AwsError;

use super::sink::SinkError;
use crate::backup::BackupError;
use crate::clock;
use crate::state::StateError;

/// An error of a rotation. What was done before is in the journal.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The backup failed.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The file with the decrypted backup is of another key, or malformed.
    #[error("`{}` does not hold the secret of access key `{key}`", .path.display())]
    BadKeyFile {
        /// The file.
        path: PathBuf,
        /// The new key.
        key: String,
    },
    /// The text of `--delete-key` is malformed.
    #[error("the text of `--delete-key` is not the id of an access key")]
    BadKeyId,
    /// The name of the user is malformed.
    #[error("`{0}` is not the name of an IAM user")]
    BadUser(String),
    /// A place holds a key of another user.
    #[error("{place} holds access key `{key}`, which is not a key of user `{user}`")]
    ForeignKey {
        /// The place.
        place: String,
        /// The key.
        key: String,
        /// The user.
        user: String,
    },
    /// Objects appeared since the rotation began.
    #[error("the plan of this rotation did not name {}, for which the key would be sealed", quoted_list(.0))]
    NewObjects(Vec<String>),
    /// A run was interrupted. Only tests do that.
    #[error("interrupted at `{0}`")]
    Interrupted(&'static str),
    /// A key is in use and must not be deleted.
    #[error("access key `{key}` must not be deleted: {reason}")]
    KeyInUse {
        /// The key.
        key: String,
        /// The user of the key.
        reason: String,
    },
    /// A key was used recently.
    #[error("access key `{key}` may be in use: {reason}")]
    KeyUsedRecently {
        /// The key.
        key: String,
        /// The use.
        reason: String,
    },
    /// The response to the creation of a key was lost.
    #[error("it is unknown whether an access key was created: {0}")]
    LostResponse(AwsError),
    /// The new key is not active any more.
    #[error("the new access key `{0}` is not active any more")]
    NewKeyGone(String),
    /// The new key does not work in time.
    #[error("the new access key `{key}` does not work after {}: {last}", clock::period(*.waited))]
    NoAnswer {
        /// The key.
        key: String,
        /// The time.
        waited: Duration,
        /// The last failure.
        last: AwsError,
    },
    /// `--delete-key` names a key that the user does not have.
    #[error("user `{user}` has no access key `{key}`: {}", .keys)]
    NoSuchKey {
        /// The user.
        user: String,
        /// The key.
        key: String,
        /// The keys of the user.
        keys: String,
    },
    /// A place holds something else than the id of a key.
    #[error("{0} does not hold the id of an access key")]
    NotAKey(String),
    /// There is no deactivated key.
    #[error("this rotation has not deactivated an access key")]
    NothingToReactivate,
    /// An earlier run left a key that its journal does not name.
    #[error("user `{user}` has access key `{key}`, created {created}, which no journal names")]
    OrphanKey {
        /// The user.
        user: String,
        /// The key.
        key: String,
        /// The time of its creation.
        created: String,
    },
    /// The journal is of another user, for example of one that was created again.
    #[error("the journal is about `{before}`, not `{now}`")]
    OtherUser {
        /// The user of the journal.
        before: String,
        /// The user now.
        now: String,
    },
    /// The secret of the new key is lost.
    #[error("the secret of the new access key `{key}` is not available")]
    SecretLost {
        /// The key.
        key: String,
        /// The backup, if there is one.
        backup: Option<PathBuf>,
    },
    /// A place cannot be read or written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A place does not hold the new key any more.
    #[error("{place} does not hold the new access key `{key}` any more")]
    SinkChanged {
        /// The place.
        place: String,
        /// The new key.
        key: String,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The user has as many keys as AWS allows.
    #[error("user `{user}` has two access keys, and AWS allows no third: {keys}")]
    TwoKeys {
        /// The user.
        user: String,
        /// The keys.
        keys: String,
        /// A key that can be deleted, if there is one.
        candidate: Option<String>,
    },
    /// `--delete-key` names a key that this step does not delete.
    #[error("`--delete-key {given}` does not name a key that can be deleted now")]
    WrongConsent {
        /// The key that was named.
        given: String,
        /// The key that the next deletion is about, if any.
        expected: Option<String>,
    },
    /// The new key belongs to another identity.
    #[error("the new access key `{key}` belongs to `{arn}`")]
    WrongIdentity {
        /// The key.
        key: String,
        /// Its identity.
        arn: String,
    },
}

impl Explain for RotationError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Aws(error) => return error.hint(),
            Self::Backup(error) => return error.hint(),
            Self::Sink(error) => return error.hint(),
            Self::State(error) => return error.hint(),
            Self::Interrupted(_) => return None,
            Self::NewObjects(_) => {
                "everyone who can read them gets the key: check them, then use `--accept-new-objects`".to_owned()
            }
            Self::BadKeyFile { .. } => "pass the decrypted backup of this key".to_owned(),
            Self::BadKeyId => "write one id as the plan shows it, such as `AKIA…`".to_owned(),
            Self::NoSuchKey { .. } => {
                "nothing was changed: name one of the user's keys, or omit `--delete-key`".to_owned()
            }
            Self::BadUser(_) => "use A-Z, a-z, 0-9 and `+=,.@_-`; omit the path".to_owned(),
            Self::ForeignKey { .. } => {
                "check `--user` and `--write`; if the key does not exist any more, replace its id by an empty text with `sealwave put`".to_owned()
            }
            Self::KeyInUse { .. } => "delete the other key, or rotate what uses this one first".to_owned(),
            Self::KeyUsedRecently { .. } => {
                "find out what uses it; `--delete-used-key` deletes it nevertheless".to_owned()
            }
            Self::LostResponse(_) => {
                "run the command again in a minute: it looks for a key that no journal names".to_owned()
            }
            Self::NewKeyGone(_) => {
                "make it active again in IAM, or make the old one active with `--reactivate` and start over".to_owned()
            }
            Self::NoAnswer { key, last, .. } => {
                let again = format!("run the command again to continue waiting; nothing uses the key yet, and `--delete-key {key}` gives it up");
                last.hint().map_or(again.clone(), |hint| format!("{hint}; {again}"))
            }
            Self::NotAKey(_) => {
                "check the order in `--write`: first the id, then the secret; an empty text counts as no key".to_owned()
            }
            Self::NothingToReactivate => "run the command without `--reactivate` to see the present phase".to_owned(),
            Self::OrphanKey { key, .. } => format!(
                "its secret is lost if an interrupted run created it: `--delete-key {key}` deletes it; if someone else created it, wait until that rotation ends"
            ),
            Self::OtherUser { .. } => "move the journal away after checking what its rotation did".to_owned(),
            Self::SecretLost { key, backup: Some(file) } => format!(
                "decrypt or restore `{}`, and pass it with `--key-file`; or give the key up with `--delete-key {key}`: nothing uses it yet",
                file.display()
            ),
            Self::SecretLost { key, backup: None } => {
                format!("give the key up with `--delete-key {key}`: nothing uses it yet; the next run starts over")
            }
            Self::SinkChanged { .. } => {
                "something else wrote it: check which key it holds before the old one is deactivated".to_owned()
            }
            Self::TwoKeys { candidate: Some(key), .. } => {
                format!("`--delete-key {key}` deletes the key that is not in use; this cannot be undone")
            }
            Self::TwoKeys { candidate: None, .. } => {
                "both may be in use: find out what uses each, then name one with `--delete-key`".to_owned()
            }
            Self::WrongConsent { expected: Some(key), .. } => format!("the next key to delete is `{key}`"),
            Self::WrongConsent { expected: None, .. } => "run the command without it to see what it would do".to_owned(),
            Self::WrongIdentity { .. } => "check the endpoint of STS".to_owned(),
        })
    }
}
