//! Finds the plain Secrets of a directory that Argo CD applies as it is, before sealwave renders it.
//!
//! Nothing is rendered, and no link is followed. Values are neither kept nor shown.

use std::collections::BTreeMap;
use std::path::Path;

use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::diagnostic::{Explain, Failure, Problem, printable};
use sealwave_core::document::Manifest;
use sealwave_core::reach::repository_root;
use sealwave_core::text::counted;
use sealwave_core::yaml::is_utf16;
use sealwave_kube::catalog::ObjectCatalog;

use super::committed::CommittedSecret;
use super::request::{SecretName, SwitchRequest, SwitchScope};
use crate::manifest_files::manifest_files;
use crate::sealed_files::SealedFile;

/// The largest file.
const MAX_FILE: u64 = 4 << 20;

/// A reason why the plain Secrets of a directory cannot be planned.
#[derive(Debug, thiserror::Error)]
enum PlainError {
    #[error("Secret `{0}` has no namespace in its file")]
    NoNamespace(String),
    #[error("directory `{directory}` has neither `sealwave.yaml` nor a Secret{}", unread(.unseen))]
    NoSecrets { directory: String, unseen: Vec<(String, String)> },
    #[error("directory `{directory}` has no Secret `{entry}`{}", unread(.unseen))]
    NoSuchSecret { directory: String, entry: String, unseen: Vec<(String, String)> },
    #[error("Secret `{name}` is in `{first}` and in `{second}`")]
    Twice { name: String, first: String, second: String },
}

/// Names the first of the files that may have the Secret.
fn unread(unseen: &[(String, String)]) -> String {
    let Some((file, reason)) = unseen.first() else { return String::new() };
    let others = match unseen.len() - 1 {
        0 => String::new(),
        more => format!(", and {} more", counted(more, "file")),
    };
    format!("; `{}` was not read: {}{others}", printable(file), printable(reason))
}

impl Explain for PlainError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NoNamespace(_) => "set `--namespace` to that of the Application",
                Self::NoSecrets { .. } => "name the directory of an app, or one whose manifests have the Secrets; Secrets in templates are released by hand, see docs/backends/switching.md",
                Self::NoSuchSecret { .. } => {
                    "correct `--secret`, a name or NAMESPACE/NAME, or omit it to see all Secrets"
                }
                Self::Twice { .. } => "name the directory that one Application deploys",
            }
            .to_owned(),
        )
    }
}

/// The plain Secrets of a directory.
pub struct PlainSecrets {
    /// The Secrets that the request is about, in order.
    pub secrets: Vec<CommittedSecret>,
    /// The files that may hold Secrets, but were not read, with the reasons.
    pub unseen: Vec<(String, String)>,
}

/// Finds the plain Secrets below a directory that a request is about. `namespace` is that of objects without one.
///
/// # Errors
/// The directory does not have any, one of them is in two files, or its namespace is unknown.
pub fn find_plain(
    directory: &Path,
    request: &SwitchRequest,
    namespace: Option<&str>,
) -> Result<PlainSecrets, Failure> {
    let full = fs_err::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    let root = repository_root(&full).unwrap_or(&full).to_owned();
    let (files, unseen) = manifest_files(&root, directory).map_err(|error| Problem::new(&error))?;
    let mut found: BTreeMap<SecretName, CommittedSecret> = BTreeMap::new();
    let mut unseen: Vec<(String, String)> =
        unseen.into_iter().map(|file| (file.path, file.reason.text())).collect();
    for (path, shown) in files {
        let Ok(bytes) = read_regular_file(&root.join(&path), MAX_FILE) else {
            unseen.push((shown, format!("it cannot be read, or is larger than {MAX_FILE} bytes")));
            continue;
        };
        if !mentions_secret(&bytes) {
            continue;
        }
        let Ok(file) = SealedFile::read_secrets(&shown, bytes.to_vec()) else {
            let reason = if is_utf16(&bytes) {
                "it is UTF-16, which sealwave does not edit"
            } else {
                "it is not valid YAML, such as a template"
            };
            unseen.push((shown, reason.to_owned()));
            continue;
        };
        for object in file.objects().iter().filter(|object| !object.name.is_empty()) {
            let Some(node) = file.node(object) else { continue };
            let place = (shown.clone(), object.line);
            let secret = CommittedSecret::plain(node, place, namespace.unwrap_or_default());
            if !request.names(&secret.secret) {
                continue;
            }
            if secret.secret.0.is_empty() {
                return Err(Problem::new(&PlainError::NoNamespace(secret.secret.1)).into());
            }
            if let Some(other) = found.get(&secret.secret) {
                let (first, second) = (other.file.clone(), shown);
                return Err(Problem::new(&PlainError::Twice { name: secret.id(), first, second }).into());
            }
            found.insert(secret.secret.clone(), secret);
        }
    }
    if found.is_empty() {
        let directory = sealwave_core::document::display_path(directory);
        return Err(Problem::new(&match &request.scope {
            SwitchScope::Environment => PlainError::NoSecrets { directory, unseen },
            SwitchScope::Entry(entry) => PlainError::NoSuchSecret { directory, entry: entry.clone(), unseen },
        })
        .into());
    }
    Ok(PlainSecrets { secrets: found.into_values().collect(), unseen })
}

/// Returns the Secrets of an app whose items are in its manifests, as `namespace/name`: sealwave seals them.
#[must_use]
pub fn find_values(objects: &[Manifest], request: &SwitchRequest) -> Vec<String> {
    let found = ObjectCatalog::new(objects);
    let plain = found.supplied().filter(|(_, suppliers)| {
        let mut suppliers = suppliers.iter().filter_map(|index| found.object(*index));
        suppliers.any(|object| object.kind == "Secret")
    });
    let names = plain.map(|((namespace, name), _)| (namespace.to_owned(), name.to_owned()));
    names
        .filter(|secret| request.names(secret))
        .map(|(namespace, name)| format!("{namespace}/{name}"))
        .collect()
}

/// Reports whether a file may have the kind `Secret`, also in an escaped form.
fn mentions_secret(bytes: &[u8]) -> bool {
    let has = |text: &[u8]| memchr::memmem::find(bytes, text).is_some();
    has(b"Secret") || has(b"\\") || is_utf16(bytes)
}
