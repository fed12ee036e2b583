//! The file that sealed output replaces: it holds nothing but sealed output. A key or a Secret may exist nowhere else.

use std::path::Path;

use sealwave_core::bounded_file::{BoundedReadError, read_regular_file};
use sealwave_core::diagnostic::{Explain, NOT_REGULAR_FILE, io_reason};
use sealwave_core::document::{Node, Sources, display_path};
use sealwave_core::kept_content::KeptContent;
use sealwave_core::output_path::{LinkedOutput, check_output_path};
use sealwave_secrets::crypto::sealed_size;

use crate::documents::ManifestInput;

/// The largest file that is replaced, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// A reason why a file must not be replaced by sealed output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplaceError {
    /// It is a directory.
    #[error("`{0}` is a directory")]
    Directory(String),
    /// A link of a repository decides where the file is.
    #[error(transparent)]
    Linked(#[from] LinkedOutput),
    /// It holds a private key or a Secret.
    #[error("`{path}` is not overwritten: it holds {}", .content.label())]
    Kept {
        /// The file.
        path: String,
        /// The kind of content.
        content: KeptContent,
    },
    /// It holds something else.
    #[error("`{0}` is not overwritten: it holds something else than SealedSecrets")]
    Other(String),
    /// It cannot be read.
    #[error("`{path}` is not overwritten, since it cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// The reason.
        reason: String,
    },
}

impl Explain for ReplaceError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Linked(error) => return error.hint(),
            Self::Directory(_) => "choose a file",
            Self::Kept { .. } | Self::Other(_) | Self::Unreadable { .. } => {
                "name another file, or remove this one first"
            }
        };
        Some(hint.to_owned())
    }
}

/// Checks that sealed output may be written to a path: the file does not exist, is empty, or holds sealed output only. A
/// device or a pipe is written to.
///
/// # Errors
/// The file holds something else, cannot be read, or is behind a link of a repository.
pub fn check_replaced_file(path: &Path) -> Result<(), ReplaceError> {
    check_output_path(path)?;
    let shown = display_path(path);
    match fs_err::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(ReplaceError::Directory(shown)),
        Ok(metadata) if metadata.is_file() => {}
        // A path that cannot be used is reported when it is written.
        Ok(_) | Err(_) => return Ok(()),
    }
    let bytes = read_regular_file(path, MAX_FILE).map_err(|error| {
        let reason = match error {
            BoundedReadError::Io(error) => io_reason(error.kind()),
            BoundedReadError::NotRegular => format!("it {NOT_REGULAR_FILE}"),
            BoundedReadError::TooLarge => format!("it is larger than {MAX_FILE} bytes"),
        };
        ReplaceError::Unreadable { path: shown.clone(), reason }
    })?;
    if bytes.trim_ascii().is_empty() {
        return Ok(());
    }
    if let Some(content) = KeptContent::find(&bytes) {
        return Err(ReplaceError::Kept { path: shown, content });
    }
    if holds_sealed_output(&bytes) { Ok(()) } else { Err(ReplaceError::Other(shown)) }
}

/// Reports whether a file holds SealedSecrets only, or one sealed text, as `--raw` prints it.
fn holds_sealed_output(bytes: &[u8]) -> bool {
    if std::str::from_utf8(bytes).is_ok_and(|text| sealed_size(text.trim()).is_some()) {
        return true;
    }
    let Ok(input) = ManifestInput::read_from(bytes, "file") else { return false };
    let objects = input.objects(Sources::default().add("file"));
    let is_sealed = |object: &Node| {
        let text = |field| object.get(field).and_then(Node::as_str);
        text("kind") == Some("SealedSecret")
            && text("apiVersion").is_some_and(|version| version.starts_with("bitnami.com/"))
    };
    objects.is_ok_and(|objects| !objects.is_empty() && objects.iter().all(is_sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sealed_output_is_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        let sealed = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: a}\n";
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";
        for (content, expected) in [
            (String::new(), None),
            (" \n".to_owned(), None),
            (sealed.to_owned(), None),
            (format!("# ours\n{sealed}---\n{sealed}"), None),
            (format!("{sealed}---\n{secret}"), Some("a Secret in plaintext")),
            (secret.to_owned(), Some("a Secret in plaintext")),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n".to_owned(), Some("a private key")),
            ("kind: ConfigMap\napiVersion: v1\n".to_owned(), Some("something else than SealedSecrets")),
            ("a: [".to_owned(), Some("something else than SealedSecrets")),
            ("# notes\n".to_owned(), Some("something else than SealedSecrets")),
        ] {
            fs_err::write(&path, &content).expect("written");
            let found = check_replaced_file(&path).err().map(|error| error.to_string());
            let expected =
                expected.map(|held| format!("`{}` is not overwritten: it holds {held}", path.display()));
            assert_eq!(found, expected, "{content}");
        }
        assert_eq!(check_replaced_file(&directory.path().join("new")), Ok(()));
        assert!(matches!(check_replaced_file(directory.path()), Err(ReplaceError::Directory(_))));
    }
}
