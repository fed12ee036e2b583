//! `<file:shop/db.yaml#password>`: files under one directory of the operator's.
//!
//! Without a key, the value is the file's bytes, exactly. With one, the file is YAML, JSON, `.env` or `.properties`
//! by its name, and the value is what stands under the key (see [`mod@format`]).
//!
//! The path comes from Git. It is taken literally, segment by segment, and nothing of it is decoded. What it leads to
//! must, after all symbolic links, still lie under the root (a mounted Kubernetes Secret is full of links that do),
//! be a regular file, and be none of the files that sealwave itself lives on.

mod dotenv;
mod format;
mod properties;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use zeroize::Zeroizing;

use self::format::Document;
use super::{FetchResult, Fetched, Provider, ProviderConfigError, ProviderError};
use sealwave_secrets::placeholder::Reference;
use sealwave_secrets::values::SecretValue;

/// Bytes of a file that can be read; Kubernetes takes one MiB per Secret.
const MAX_BYTES: u64 = 2 << 20;

/// Trees that hold processes, devices and the tokens of the pod that sealwave runs in.
const SYSTEM_TREES: [&str; 5] =
    ["/dev", "/proc", "/run/secrets/eks.amazonaws.com", "/run/secrets/kubernetes.io", "/sys"];

pub(super) struct File {
    root: PathBuf,
    operator_dir: PathBuf,
    protected: Vec<PathBuf>,
}

impl File {
    pub(super) fn new(
        provider: &str,
        root: &Path,
        operator_dir: &Path,
        protected: &[PathBuf],
    ) -> Result<Self, ProviderConfigError> {
        let file = Self {
            root: operator_dir.join(root),
            operator_dir: operator_dir.to_owned(),
            protected: protected.iter().map(|path| operator_dir.join(path)).collect(),
        };
        // A root that is not there yet is judged when it is read.
        if let Ok(canonical) = fs_err::canonicalize(&file.root)
            && let Some(why) = file.too_wide(&canonical)
        {
            return Err(ProviderConfigError::RootTooWide {
                provider: provider.to_owned(),
                root: root.to_owned(),
                why,
            });
        }
        Ok(file)
    }

    fn too_wide(&self, root: &Path) -> Option<&'static str> {
        let holds = |path: &Path| path.starts_with(root);
        if fs_err::canonicalize(&self.operator_dir).is_ok_and(|dir| holds(&dir)) {
            Some("holds the directory of the operator file")
        } else if SYSTEM_TREES.iter().any(|tree| holds(Path::new(tree)) || root.starts_with(tree)) {
            Some("holds files of the system")
        } else {
            None
        }
    }

    fn open_root(&self) -> Result<PathBuf, ProviderError> {
        let root = fs_err::canonicalize(&self.root).map_err(|error| {
            ProviderError::unreachable(
                format!("the provider's root cannot be opened ({})", error.kind()),
                "mount the secrets where `root` in the operator file says",
            )
        })?;
        match self.too_wide(&root) {
            None => Ok(root),
            Some(why) => Err(ProviderError::denied(
                format!("the provider's root {why}"),
                "give apps' secrets a directory of their own, beside the operator file",
            )),
        }
    }

    fn read(&self, root: &Path, path: &str) -> Result<SecretValue, ProviderError> {
        check_path(path)?;
        let real = fs_err::canonicalize(root.join(path)).map_err(|error| io_error(&error))?;
        self.check_target(root, &real)?;
        read_regular(&real)
    }

    fn check_target(&self, root: &Path, real: &Path) -> Result<(), ProviderError> {
        let own = |file: &PathBuf| fs_err::canonicalize(file).is_ok_and(|file| file == real);
        if !real.starts_with(root) || SYSTEM_TREES.iter().any(|tree| real.starts_with(tree)) {
            Err(ProviderError::denied(
                "a symbolic link leads out of the provider's root",
                "put the file itself under the root",
            ))
        } else if self.protected.iter().any(own) {
            Err(ProviderError::denied(
                "it is one of sealwave's own files",
                "keep keys and the operator file out of the provider's root",
            ))
        } else {
            Ok(())
        }
    }
}

impl Provider for File {
    fn fetch(&self, references: &[&Reference], _deadline: Instant) -> Vec<FetchResult> {
        let root = match self.open_root() {
            Ok(root) => root,
            Err(error) => return vec![Err(error); references.len()],
        };
        let mut opened: BTreeMap<&str, Opened> = BTreeMap::new();
        let mut answers = Vec::with_capacity(references.len());
        for reference in references {
            let file = opened
                .entry(&reference.path)
                .or_insert_with(|| Opened { content: self.read(&root, &reference.path), document: None });
            answers.push(file.value(reference));
        }
        answers
    }
}

/// A file that was read, and what it parsed to where a key was asked for.
struct Opened {
    content: Result<SecretValue, ProviderError>,
    document: Option<Result<Document, ProviderError>>,
}

impl Opened {
    fn value(&mut self, reference: &Reference) -> FetchResult {
        if reference.version.is_some() {
            return Err(ProviderError::invalid("a file has no versions", "leave the version out"));
        }
        let content = self.content.as_ref().map_err(ProviderError::clone)?;
        if reference.key.is_none() && !reference.all_keys {
            return Ok(content.clone().into());
        }
        let document = self.document.get_or_insert_with(|| Document::parse(&reference.path, content));
        let document = document.as_ref().map_err(ProviderError::clone)?;
        match &reference.key {
            Some(key) => document.value(key).map(Fetched::from),
            None => document.entries().map(Fetched::from),
        }
    }
}

/// Refuses what could mean anything but a file further down.
fn check_path(path: &str) -> Result<(), ProviderError> {
    path_fault(path).map_or(Ok(()), |why| {
        Err(ProviderError::invalid(
            why,
            "write the path below the provider's root, for example `shop/db.yaml`",
        ))
    })
}

/// Why a path could mean anything but a file further down.
pub(super) fn path_fault(path: &str) -> Option<&'static str> {
    if path.starts_with('/') {
        Some("the path is absolute")
    } else if path.contains(['\\', '\0']) {
        Some("the path holds a backslash or a NUL")
    } else if path.split('/').any(|segment| segment.is_empty() || segment == ".") {
        Some("the path has an empty segment or `.`")
    } else if path.split('/').any(|segment| segment.starts_with("..")) {
        Some("the path has a segment that starts with `..`")
    } else {
        None
    }
}

/// Reads a regular file within its bound.
pub(super) fn read_regular(path: &Path) -> Result<SecretValue, ProviderError> {
    // Looked at before it is opened: opening a FIFO would wait for a writer.
    let metadata = fs_err::metadata(path).map_err(|error| io_error(&error))?;
    if !metadata.is_file() {
        return Err(ProviderError::invalid(
            "it is no regular file",
            "a reference names one file, no directory",
        ));
    }
    read_bounded(path)
}

fn read_bounded(path: &Path) -> Result<SecretValue, ProviderError> {
    let file = fs_err::File::open(path).map_err(|error| io_error(&error))?;
    let size = file.metadata().map_err(|error| io_error(&error))?.len();
    let capacity = usize::try_from(size.min(MAX_BYTES) + 1).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| io_error(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ProviderError::invalid(
            format!("the file is larger than {} MiB", MAX_BYTES >> 20),
            "a Secret holds one MiB at most",
        ));
    }
    Ok(SecretValue::new(std::mem::take(&mut bytes)))
}

fn io_error(error: &std::io::Error) -> ProviderError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            ProviderError::not_found("there is no such file", "the path is relative to the provider's root")
        }
        ErrorKind::PermissionDenied => {
            ProviderError::denied("the file may not be read", "give the user that runs sealwave access to it")
        }
        kind => {
            ProviderError::unreachable(format!("the file cannot be read ({kind})"), "see to the file system")
        }
    }
}
