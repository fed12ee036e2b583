//! The backup of a new credential: a file that only its owner can read, or that is encrypted to an age recipient, or none.

use std::path::{Path, PathBuf};

use fs_err as fs;
use sealwave_core::diagnostic::Explain;
use sealwave_secrets::values::{SecretBuffer, SecretValue};

use crate::private_file::{PrivateFile, PrivateFileError};

/// The target of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupTarget {
    /// A new file, in plaintext or encrypted to these age recipients.
    File {
        /// The file, or a directory for it.
        path: PathBuf,
        /// The recipients; none for plaintext.
        recipients: Vec<String>,
    },
    /// No backup.
    None,
}

/// An error of a backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file cannot be created or written.
    #[error("the backup cannot be made: {0}")]
    File(#[from] PrivateFileError),
    /// The directory for the backup does not exist.
    #[error("the backup cannot be made: directory `{}` does not exist", .0.display())]
    NoDirectory(PathBuf),
    /// The text is not an age recipient.
    #[error("`{0}` is not an age recipient")]
    Recipient(String),
    /// This build cannot encrypt.
    #[error("this build of sealwave cannot encrypt to an age recipient")]
    NotBuilt,
    /// The library failed.
    #[error("the backup cannot be encrypted")]
    Encryption,
}

impl Explain for BackupError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::NoDirectory(_) => {
                Some("create it first, for you only: `mkdir -m 700 DIRECTORY`".to_owned())
            }
            Self::Recipient(_) => {
                Some("a recipient starts with `age1`; `age-keygen -y FILE` prints it".to_owned())
            }
            Self::NotBuilt => Some("use a build with the feature `sops`".to_owned()),
            Self::Encryption => None,
        }
    }
}

/// A backup that has its file, but no content yet. Without content, the file is removed.
#[derive(Debug)]
pub struct PreparedBackup {
    path: PathBuf,
    file: PrivateFile,
    recipients: Vec<String>,
}

impl BackupTarget {
    /// Returns the file that a backup with this name gets; `None` without backup.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        match self {
            Self::File { path, recipients } if path.is_dir() => {
                let end = if recipients.is_empty() { "json" } else { "json.age" };
                Some(path.join(format!("{name}.{end}")))
            }
            Self::File { path, .. } => Some(path.clone()),
            Self::None => None,
        }
    }

    /// Checks the recipients and the directory before anything is done.
    ///
    /// # Errors
    /// A recipient is malformed, this build cannot encrypt, or the directory does not exist.
    pub fn check(&self) -> Result<(), BackupError> {
        match self {
            Self::File { path, recipients } => {
                recipients.iter().try_for_each(|text| check_recipient(text))?;
                check_directory(path)
            }
            Self::None => Ok(()),
        }
    }

    /// Creates the file of a backup. An empty file that an interrupted run left there is used again.
    ///
    /// # Errors
    /// The file exists, or cannot be created.
    pub fn prepare(&self, file: &Path) -> Result<PreparedBackup, BackupError> {
        let is_left_over =
            fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0);
        if is_left_over {
            // If this fails, so does the next line.
            let _ = fs::remove_file(file);
        }
        let created = PrivateFile::create(file)?;
        let recipients = match self {
            Self::File { recipients, .. } => recipients.clone(),
            Self::None => Vec::new(),
        };
        Ok(PreparedBackup { path: file.to_owned(), file: created, recipients })
    }
}

/// Requires that the directory of a file exists. A path that ends with a separator is a directory.
fn check_directory(path: &Path) -> Result<(), BackupError> {
    let is_directory = path
        .as_os_str()
        .as_encoded_bytes()
        .last()
        .is_some_and(|last| std::path::is_separator(char::from(*last)));
    let directory = if is_directory {
        path
    } else {
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    };
    if directory.is_dir() { Ok(()) } else { Err(BackupError::NoDirectory(directory.to_owned())) }
}

impl PreparedBackup {
    /// Writes the content, and keeps the file.
    ///
    /// # Errors
    /// It cannot be encrypted or written; the file is removed.
    pub fn write(mut self, content: &SecretValue) -> Result<PathBuf, BackupError> {
        if self.recipients.is_empty() {
            self.file.write(content.expose())?;
        } else {
            self.file.write(&encrypted(content, &self.recipients)?)?;
        }
        self.file.keep()?;
        Ok(self.path)
    }
}

#[cfg(feature = "sops")]
fn check_recipient(text: &str) -> Result<(), BackupError> {
    let is_recipient = sealwave_secrets::crypto::is_age_recipient(text);
    if is_recipient { Ok(()) } else { Err(BackupError::Recipient(shown(text))) }
}

#[cfg(not(feature = "sops"))]
fn check_recipient(_: &str) -> Result<(), BackupError> {
    Err(BackupError::NotBuilt)
}

/// Encrypts to the recipients, as armored text.
#[cfg(feature = "sops")]
fn encrypted(content: &SecretValue, recipients: &[String]) -> Result<Vec<u8>, BackupError> {
    use std::io::Write as _;

    use age::armor::{ArmoredWriter, Format};

    let parse = |text: &String| {
        text.parse::<age::x25519::Recipient>().map_err(|_| BackupError::Recipient(shown(text)))
    };
    let parsed = recipients.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let recipients = parsed.iter().map(|recipient| recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).map_err(|_| BackupError::Encryption)?;
    let armor =
        ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).map_err(|_| BackupError::Encryption)?;
    let mut writer = encryptor.wrap_output(armor).map_err(|_| BackupError::Encryption)?;
    let written = writer.write_all(content.expose());
    let finished = written.and_then(|()| writer.finish()).and_then(ArmoredWriter::finish);
    finished.map_err(|_| BackupError::Encryption)
}

#[cfg(not(feature = "sops"))]
fn encrypted(_: &SecretValue, _: &[String]) -> Result<Vec<u8>, BackupError> {
    Err(BackupError::NotBuilt)
}

/// Returns a recipient for a message. A text that starts like an identity is not shown: someone may have passed that.
#[cfg(feature = "sops")]
fn shown(text: &str) -> String {
    let is_secret = text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY");
    if is_secret { "an identity".to_owned() } else { text.to_owned() }
}

/// Returns the content of a backup: an access key with its user.
#[must_use]
pub fn access_key_document(user: &str, id: &str, secret: &SecretValue) -> SecretValue {
    let mut out = SecretBuffer::with_capacity(256);
    for (part, text) in [("{\"user\":\"", user.as_bytes()), ("\",\"accessKeyId\":\"", id.as_bytes())] {
        out.push(part.as_bytes());
        out.push(text);
    }
    // Names of users and keys of AWS need no escapes in JSON.
    out.push(b"\",\"secretAccessKey\":\"");
    out.push(secret.expose());
    out.push(b"\"}\n");
    out.into_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_directory_is_known_before_anything_is_done() {
        let directory = tempfile::tempdir().expect("a directory");
        let check = |path: PathBuf| BackupTarget::File { path, recipients: Vec::new() }.check();
        check(directory.path().to_owned()).expect("a directory");
        check(directory.path().join("new")).expect("a file in it");
        for missing in ["none/", "none/file"] {
            let error = check(directory.path().join(missing)).expect_err("refused");
            assert!(matches!(error, BackupError::NoDirectory(_)) && error.hint().is_some(), "{error}");
        }
    }

    fn secret() -> SecretValue {
        SecretValue::new(b"CANARY".to_vec())
    }

    fn target(path: &Path, recipients: &[&str]) -> BackupTarget {
        BackupTarget::File {
            path: path.to_owned(),
            recipients: recipients.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    #[test]
    fn a_backup_without_content_leaves_no_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = target(directory.path(), &[]);
        let file = target.file("key").expect("a file");
        assert_eq!(file, directory.path().join("key.json"));
        drop(target.prepare(&file).expect("created"));
        assert!(!file.exists());
        fs::write(&file, "").expect("left by a killed run");
        target.prepare(&file).expect("created").write(&secret()).expect("written");
        assert!(matches!(target.prepare(&file), Err(BackupError::File(PrivateFileError::Exists(_)))));
        assert_eq!(fs::read(&file).expect("kept"), b"CANARY");
    }

    #[cfg(feature = "sops")]
    #[test]
    fn an_encrypted_backup_is_readable_with_the_identity_alone() {
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        let directory = tempfile::tempdir().expect("a directory");
        let target = target(directory.path(), &[&recipient]);
        target.check().expect("a recipient");
        let file = target.file("key").expect("a file");
        target.prepare(&file).expect("created").write(&secret()).expect("written");
        let bytes = fs::read(&file).expect("readable");
        assert!(!bytes.windows(6).any(|part| part == b"CANARY"));
        let mut identities = sealwave_secrets::crypto::AgeIdentities::default();
        let text = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
        identities.add_file(text.as_bytes()).expect("an identity");
        let opened = identities.decrypt(&recipient, std::str::from_utf8(&bytes).expect("armored"));
        assert_eq!(opened.expect("decrypted").as_slice(), b"CANARY");
    }

    #[cfg(feature = "sops")]
    #[test]
    fn an_identity_in_the_place_of_a_recipient_is_not_shown() {
        let error = target(Path::new("x"), &["AGE-SECRET-KEY-1CANARY"]).check().expect_err("not a recipient");
        assert!(!error.to_string().contains("CANARY"), "{error}");
    }
}
