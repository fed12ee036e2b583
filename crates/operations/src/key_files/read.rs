//! Reading of one key file.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use zeroize::Zeroizing;

use super::info::UnsealKeyInfo;
use sealwave_core::bounded_file::{BoundedReadError, read_regular_file};
use sealwave_core::diagnostic::{
    Explain, Failure, NOT_REGULAR_FILE, Note, Problem, ProblemCollector, ProblemPlace, io_reason,
};
use sealwave_core::document::{Node, SourceLocation, Sources, display_path as shown};
use sealwave_core::encoding::GO_BASE64;
use sealwave_core::text::shell_quoted;
use sealwave_core::yaml::{self, Limits};
use sealwave_secrets::crypto::{Certificate, UnsealKey, UnsealKeyError};

/// The largest key file, in bytes: a backup of a thousand keys has about half of it.
const MAX_KEY_FILE: usize = 16 << 20;

/// A reason why a key file cannot be used. It never quotes the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// The file is encrypted with age, and cannot be decrypted.
    #[error("key file `{file}` cannot be decrypted: {reason}")]
    Age {
        /// The file.
        file: String,
        /// The reason.
        reason: &'static str,
        /// The advice for this reason.
        hint: &'static str,
    },
    /// The item `tls.key` is not base64.
    #[error("`{item}` of Secret `{secret}` is not base64")]
    NotBase64 {
        /// The namespace and name of the Secret.
        secret: String,
        /// The key of the item.
        item: &'static str,
    },
    /// A file of identities cannot be used.
    #[error("identity file `{file}` cannot be used: {reason}")]
    Identity {
        /// The file.
        file: String,
        /// The reason.
        reason: String,
    },
    /// The key itself cannot be used.
    #[error("key file `{file}` cannot be used: {error}")]
    Key {
        /// The file.
        file: String,
        /// The reason.
        error: UnsealKeyError,
    },
    /// The Secret has no private key.
    #[error("Secret `{secret}` has no item `tls.key`")]
    NoKeyItem {
        /// The namespace and name of the Secret.
        secret: String,
    },
    /// A document is not a Secret.
    #[error("document is not a Secret of API version `v1`, but key files hold nothing else")]
    NotSecret,
    /// The key of a Secret cannot be used.
    #[error("`tls.key` of Secret `{secret}` cannot be used: {error}")]
    SecretKey {
        /// The namespace and name of the Secret.
        secret: String,
        /// The reason.
        error: UnsealKeyError,
    },
    /// The file is not YAML.
    #[error("key file is neither a private key in PEM nor YAML or JSON")]
    Syntax,
    /// The file cannot be read.
    #[error("key file `{file}` cannot be read: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// The reason.
        reason: String,
    },
    /// Other users of the machine can read the file.
    #[error("key file `{file}` can be read by other users of this machine")]
    VisibleToOthers {
        /// The file.
        file: String,
    },
}

impl Explain for KeyFileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Age { hint, .. } => Some((*hint).to_owned()),
            Self::Identity { .. } => {
                Some("`age-keygen` writes such a file: a line that starts with `AGE-SECRET-KEY-`".to_owned())
            }
            Self::Key { error, .. } | Self::SecretKey { error, .. } => error.hint(),
            Self::NoKeyItem { .. } | Self::NotBase64 { .. } | Self::NotSecret | Self::Syntax => {
                UnsealKeyError::NoPrivateKey.hint()
            }
            Self::Unreadable { .. } => None,
            Self::VisibleToOthers { file } => Some(format!("`chmod 600 {}`", shell_quoted(file))),
        }
    }
}

type KnownKey = (UnsealKey, UnsealKeyInfo);

/// Reads all key files, and reports the problems of all of them.
pub(super) fn read_all(
    files: &[PathBuf],
    identities: &[PathBuf],
    notes: &mut Vec<Note>,
) -> Result<Vec<KnownKey>, Failure> {
    let identities = Identities::read(identities)?;
    let (mut keys, mut problems) = (Vec::new(), ProblemCollector::default());
    for file in files {
        match KeyFile::read(file, &identities, notes).and_then(|file| file.keys()) {
            Ok(read) => keys.extend(read),
            Err(failure) => problems.absorb(failure),
        }
    }
    problems.check().map(|()| keys)
}

/// A key file after decryption.
struct KeyFile<'a> {
    path: &'a Path,
    content: Zeroizing<Vec<u8>>,
}

impl<'a> KeyFile<'a> {
    fn read(path: &'a Path, identities: &Identities, notes: &mut Vec<Note>) -> Result<Self, Failure> {
        let content = read_bounded(path).map_err(|error| Problem::new(&error))?;
        if Identities::is_encrypted(&content) {
            let content = identities.decrypt(path, &content).map_err(|error| Problem::new(&error))?;
            return Ok(Self { path, content });
        }
        if is_visible_to_others(path) {
            let warning = KeyFileError::VisibleToOthers { file: shown(path) };
            notes.push(Note::warning(Problem::new(&warning)));
        }
        Ok(Self { path, content })
    }

    fn keys(&self) -> Result<Vec<KnownKey>, Failure> {
        if !yaml::is_utf16(&self.content) && is_manifest(&self.content) {
            return self.keys_of_secrets();
        }
        let keys = UnsealKey::all_from_pem(&self.content)
            .map_err(|error| Problem::new(&KeyFileError::Key { file: shown(self.path), error }))?;
        Ok(keys.into_iter().map(|key| self.known(key, None, None)).collect())
    }

    fn known(&self, key: UnsealKey, secret: Option<String>, not_before: Option<String>) -> KnownKey {
        let public_key_sha256 = key.public_key_sha256_hex();
        (key, UnsealKeyInfo { file: Some(self.path.to_owned()), secret, public_key_sha256, not_before })
    }

    /// Reads the Secrets of a backup.
    fn keys_of_secrets(&self) -> Result<Vec<KnownKey>, Failure> {
        let mut sources = Sources::default();
        let source = sources.add(shown(self.path));
        // The message of the reader could name a piece of a damaged key.
        let documents = yaml::read(&self.content, source, &Limits::default()).map_err(|failure| {
            let at = failure.located(&sources).problems().first().map(|problem| problem.at.clone());
            Problem { at: at.unwrap_or_else(|| self.place()), ..Problem::new(&KeyFileError::Syntax) }
        })?;
        let objects = Zeroizing::new(yaml::flatten_lists(documents));
        let (mut keys, mut problems) = (Vec::new(), ProblemCollector::default());
        for object in objects.iter() {
            match self.keys_of_secret(object) {
                Ok(read) => keys.extend(read),
                Err(error) => problems.absorb(Problem::at(object.display_origin(), &error).into()),
            }
        }
        problems.check().map_err(|failure| failure.located(&sources))?;
        if keys.is_empty() {
            let error = KeyFileError::Key { file: shown(self.path), error: UnsealKeyError::NoPrivateKey };
            return Err(Problem::new(&error).into());
        }
        Ok(keys)
    }

    fn keys_of_secret(&self, object: &Node) -> Result<Vec<KnownKey>, KeyFileError> {
        let text = |path: &[&str]| object.at(path).and_then(Node::as_str);
        if text(&["kind"]) != Some("Secret") || text(&["apiVersion"]) != Some("v1") {
            return Err(KeyFileError::NotSecret);
        }
        let name = text(&["metadata", "name"]).unwrap_or("(no name)");
        let secret = match text(&["metadata", "namespace"]) {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        };
        let pem = item(object, "tls.key", &secret)?;
        let pem = pem.ok_or_else(|| KeyFileError::NoKeyItem { secret: secret.clone() })?;
        let keys = UnsealKey::all_from_pem(&pem)
            .map_err(|error| KeyFileError::SecretKey { secret: secret.clone(), error })?;
        let certificate = item(object, "tls.crt", &secret).ok().flatten();
        let certificate = certificate.and_then(|pem| Certificate::from_pem(&pem).ok());
        let known = keys.into_iter().map(|key| {
            let own = certificate.as_ref().filter(|own| own.public_key_sha256() == key.public_key_sha256());
            let not_before = own.map(|own| own.details().not_before.clone());
            self.known(key, Some(secret.clone()), not_before)
        });
        Ok(known.collect())
    }

    fn place(&self) -> ProblemPlace {
        ProblemPlace::Place(SourceLocation { path: shown(self.path), line: 0, column: 0, rendered: None })
    }
}

/// Returns an item of a Secret; `stringData` takes precedence, as in the API server.
fn item(secret: &Node, key: &'static str, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyFileError> {
    if let Some(text) = secret.at(&["stringData", key]).and_then(Node::as_str) {
        return Ok(Some(Zeroizing::new(text.as_bytes().to_vec())));
    }
    let Some(text) = secret.at(&["data", key]).and_then(Node::as_str) else { return Ok(None) };
    let one_line = Zeroizing::new(text.replace(['\r', '\n'], ""));
    let bytes = GO_BASE64.decode(one_line.as_bytes());
    bytes
        .map(|bytes| Some(Zeroizing::new(bytes)))
        .map_err(|_| KeyFileError::NotBase64 { secret: name.to_owned(), item: key })
}

/// Reports whether a file is a manifest: PEM begins a line with its armor, which YAML and JSON cannot.
fn is_manifest(content: &[u8]) -> bool {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let is_armor = |line: &[u8]| line.starts_with(b"-----BEGIN ");
    let has_text = content.iter().any(|byte| !byte.is_ascii_whitespace());
    has_text && !content.starts_with(&[0x30, 0x82]) && !content.split(|byte| *byte == b'\n').any(is_armor)
}

fn read_bounded(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let file = || shown(path);
    read_regular_file(path, MAX_KEY_FILE as u64).map_err(|error| {
        let reason = match error {
            BoundedReadError::Io(error) => io_reason(error.kind()),
            BoundedReadError::NotRegular => format!("it {NOT_REGULAR_FILE}"),
            BoundedReadError::TooLarge => format!("it is larger than {MAX_KEY_FILE} bytes"),
        };
        KeyFileError::Unreadable { file: file(), reason }
    })
}

#[cfg(unix)]
fn is_visible_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_visible_to_others(_: &Path) -> bool {
    false
}

#[cfg(feature = "sops")]
use with_age::Identities;

#[cfg(feature = "sops")]
mod with_age {
    //! Decryption of key files with age.

    use std::path::{Path, PathBuf};

    use zeroize::Zeroizing;

    use super::{KeyFileError, MAX_KEY_FILE, read_bounded, shown};
    use sealwave_core::diagnostic::{Failure, Problem};
    use sealwave_secrets::crypto::{AgeFileError, AgeIdentities, is_age_file};

    /// The identities that decrypt key files.
    pub(super) struct Identities(Option<AgeIdentities>);

    impl Identities {
        pub(super) fn read(files: &[PathBuf]) -> Result<Self, Failure> {
            if files.is_empty() {
                return Ok(Self(None));
            }
            let mut identities = AgeIdentities::default();
            for file in files {
                let content = read_bounded(file).map_err(|error| Problem::new(&error))?;
                identities.add_file(&content).map_err(|line| {
                    let reason = match line {
                        0 => "it holds no age identity".to_owned(),
                        line => format!("line {line} is not an age identity"),
                    };
                    Problem::new(&KeyFileError::Identity { file: shown(file), reason })
                })?;
            }
            Ok(Self(Some(identities)))
        }

        pub(super) fn is_encrypted(content: &[u8]) -> bool {
            is_age_file(content)
        }

        pub(super) fn decrypt(
            &self,
            path: &Path,
            content: &[u8],
        ) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
            let failed = |reason, hint| KeyFileError::Age { file: shown(path), reason, hint };
            let Some(identities) = &self.0 else {
                return Err(failed(
                    "it is encrypted with age, and no identity was given",
                    "`--identity FILE` names the file of your age identity",
                ));
            };
            identities.decrypt_file(content, MAX_KEY_FILE).map_err(|error| match error {
                AgeFileError::Damaged => failed("the age file is damaged", "restore it from another copy"),
                AgeFileError::OtherRecipients => failed(
                    "it is encrypted to other recipients than those of the given identities",
                    "`--identity FILE` may be repeated, with a file for each identity",
                ),
                AgeFileError::Passphrase => failed(
                    "it is encrypted with a passphrase",
                    "`age --decrypt FILE > NEW` decrypts it; encrypt key files to a recipient instead",
                ),
                AgeFileError::TooLarge => {
                    failed("its content is too large", "key files have at most a few megabytes")
                }
            })
        }
    }
}

/// Stands for the identities of a build that cannot read age files.
#[cfg(not(feature = "sops"))]
struct Identities;

#[cfg(not(feature = "sops"))]
impl Identities {
    const NO_AGE: &str = "this build of sealwave cannot read age files";
    const HINT: &str = "use a build with the feature `sops`, or decrypt the file with `age`";

    fn read(files: &[PathBuf]) -> Result<Self, Failure> {
        let Some(file) = files.first() else { return Ok(Self) };
        let error = KeyFileError::Age { file: shown(file), reason: Self::NO_AGE, hint: Self::HINT };
        Err(Problem::new(&error).into())
    }

    fn is_encrypted(content: &[u8]) -> bool {
        content.trim_ascii_start().starts_with(b"-----BEGIN AGE")
            || content.starts_with(b"age-encryption.org")
    }

    #[expect(clippy::unused_self, reason = "the other build needs it")]
    fn decrypt(&self, path: &Path, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        Err(KeyFileError::Age { file: shown(path), reason: Self::NO_AGE, hint: Self::HINT })
    }
}
