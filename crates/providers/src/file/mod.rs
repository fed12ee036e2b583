//! `<file:shop/db.yaml#password>`: files below a directory that the operator configures.
//!
//! Without a key, the value is the exact content of the file. With a key, the file's name selects the format (YAML, JSON,
//! `.env` or `.properties`), and the value is looked up by the key (see [`mod@format`]).
//!
//! The path comes from Git. It is used literally, segment by segment, without any decoding. The target must, after all
//! symbolic links, still be below the root (a mounted Kubernetes Secret consists of such links), be a regular file, and
//! not be one of sealwave's own files.

mod dotenv;
mod format;
mod pairs;
mod properties;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Instant;

use schemars::JsonSchema;
use serde::Deserialize;

use self::format::KeyedFile;
use crate::program::LoginProgram;
use crate::{
    CreateProvider, FetchResult, FetchedValue, LocalContext, OfflineProblem, ProtectedFiles, Provider,
    ProviderContext, ProviderError, ProviderSettings, SettingsError,
};
use sealwave_core::bounded_file::{BoundedReadError, read_regular_file};
use sealwave_core::diagnostic::{Explain, NOT_REGULAR_FILE, io_reason};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::values::SecretValue;

/// The largest file in bytes; Kubernetes allows one MiB per Secret.
const MAX_BYTES: u64 = 2 << 20;

/// Trees with processes, devices and the tokens of sealwave's own pod.
const SYSTEM_TREES: [&str; 5] =
    ["/dev", "/proc", "/run/secrets/eks.amazonaws.com", "/run/secrets/kubernetes.io", "/sys"];

/// Files under one directory.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileSettings {
    /// The directory; nothing outside it can be read.
    pub root: PathBuf,
}

impl ProviderSettings for FileSettings {
    fn credential_files(&self) -> Vec<&Path> {
        Vec::new()
    }

    fn other_spellings(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }

    fn offline_problems(&self, context: &LocalContext<'_>) -> Vec<OfflineProblem> {
        OfflineProblem::of_directory(&context.operator_dir.join(&self.root)).into_iter().collect()
    }

    fn login_programs(&self, _context: &LocalContext<'_>) -> Vec<LoginProgram> {
        Vec::new()
    }
}

impl CreateProvider for FileSettings {
    fn create(&self, _name: &str, context: &ProviderContext<'_>) -> Result<Box<dyn Provider>, SettingsError> {
        let operator_dir = context.operator_dir;
        let file = FileProvider {
            root: operator_dir.join(&self.root),
            operator_dir: operator_dir.to_owned(),
            protected: context.protected.clone(),
        };
        // A root that does not exist yet is checked when it is read.
        if let Ok(canonical) = fs_err::canonicalize(&file.root)
            && let Some(content) = file.forbidden_content(&canonical)
        {
            return Err(RootTooWide { root: self.root.clone(), content }.into());
        }
        Ok(Box::new(file))
    }
}

/// The root contains files that apps must not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("root `{}` contains {content}", root.display())]
struct RootTooWide {
    root: PathBuf,
    content: ForbiddenContent,
}

/// Files that a root must not contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum ForbiddenContent {
    #[error("the directory of the operator file")]
    OperatorDirectory,
    #[error("system files")]
    SystemFiles,
}

/// The advice for a root with forbidden content.
const NARROW_ROOT: &str = "put the secrets of apps into a directory of their own, next to the operator file";

impl Explain for RootTooWide {
    fn hint(&self) -> Option<String> {
        Some(NARROW_ROOT.to_owned())
    }
}

struct FileProvider {
    root: PathBuf,
    operator_dir: PathBuf,
    protected: ProtectedFiles,
}

impl FileProvider {
    fn forbidden_content(&self, root: &Path) -> Option<ForbiddenContent> {
        let contains = |path: &Path| path.starts_with(root);
        if fs_err::canonicalize(&self.operator_dir).is_ok_and(|dir| contains(&dir)) {
            Some(ForbiddenContent::OperatorDirectory)
        } else if SYSTEM_TREES.iter().any(|tree| contains(Path::new(tree)) || root.starts_with(tree)) {
            Some(ForbiddenContent::SystemFiles)
        } else {
            None
        }
    }

    fn open_root(&self) -> Result<PathBuf, ProviderError> {
        let root = fs_err::canonicalize(&self.root).map_err(|error| {
            ProviderError::unreachable(
                format!("the provider's root cannot be opened ({})", io_reason(error.kind())),
                "mount the secrets at `root` of the operator file",
            )
        })?;
        match self.forbidden_content(&root) {
            None => Ok(root),
            Some(content) => {
                Err(ProviderError::denied(format!("the provider's root contains {content}"), NARROW_ROOT))
            }
        }
    }

    fn read(&self, root: &Path, path: &str) -> Result<SecretValue, ProviderError> {
        check_path(path)?;
        let real = fs_err::canonicalize(root.join(path)).map_err(|error| io_error(&error))?;
        self.check_target(root, &real)?;
        read_regular(&real)
    }

    fn check_target(&self, root: &Path, real: &Path) -> Result<(), ProviderError> {
        let is_target = |file: &Path| fs_err::canonicalize(file).is_ok_and(|file| file == real);
        if !real.starts_with(root) || SYSTEM_TREES.iter().any(|tree| real.starts_with(tree)) {
            Err(ProviderError::denied(
                "a symbolic link leaves the provider's root",
                "put the file itself under the root",
            ))
        } else if self.protected.all().any(is_target) {
            Err(ProviderError::denied(
                "the path is one of sealwave's own files",
                "keep keys and the operator file out of the provider's root",
            ))
        } else {
            Ok(())
        }
    }
}

impl Provider for FileProvider {
    fn fetch(&self, references: &[&SecretReference], _deadline: Instant) -> Vec<FetchResult> {
        let root = match self.open_root() {
            Ok(root) => root,
            Err(error) => return vec![Err(error); references.len()],
        };
        let mut opened: BTreeMap<&str, OpenedFile> = BTreeMap::new();
        let mut answers = Vec::with_capacity(references.len());
        for reference in references {
            let file = opened
                .entry(&reference.path)
                .or_insert_with(|| OpenedFile { content: self.read(&root, &reference.path), document: None });
            answers.push(file.value(reference));
        }
        answers
    }
}

/// A file that was read; it is parsed once a key is requested.
struct OpenedFile {
    content: Result<SecretValue, ProviderError>,
    document: Option<Result<KeyedFile, ProviderError>>,
}

impl OpenedFile {
    fn value(&mut self, reference: &SecretReference) -> FetchResult {
        if reference.version.is_some() {
            return Err(ProviderError::invalid("a file has no versions", "omit the version"));
        }
        let content = self.content.as_ref().map_err(ProviderError::clone)?;
        if reference.key.is_none() && !reference.all_keys {
            return Ok(content.clone().into());
        }
        let document = self.document.get_or_insert_with(|| KeyedFile::parse(&reference.path, content));
        let document = document.as_ref().map_err(ProviderError::clone)?;
        match &reference.key {
            Some(key) => document.value(key).map(FetchedValue::from),
            None => document.entries().map(FetchedValue::from),
        }
    }
}

/// Rejects paths that could refer to anything but a file below the root.
fn check_path(path: &str) -> Result<(), ProviderError> {
    path_problem(path).map_or(Ok(()), |why| {
        Err(ProviderError::invalid(
            why,
            "write the path below the provider's root, for example `shop/db.yaml`",
        ))
    })
}

/// Returns why a path could refer to anything but a file below the root.
pub(crate) fn path_problem(path: &str) -> Option<&'static str> {
    if path.starts_with('/') {
        Some("the path is absolute")
    } else if path.contains(['\\', '\0']) {
        Some("the path contains a backslash or a NUL")
    } else if path.split('/').any(|segment| segment.is_empty() || segment == ".") {
        Some("the path has an empty segment or `.`")
    } else if path.split('/').any(|segment| segment.starts_with("..")) {
        Some("the path has a segment that starts with `..`")
    } else {
        None
    }
}

/// Reads a regular file within the size limit.
pub(crate) fn read_regular(path: &Path) -> Result<SecretValue, ProviderError> {
    let not_regular = || {
        ProviderError::invalid(
            format!("the path {NOT_REGULAR_FILE}"),
            "a reference names a file, not a directory",
        )
    };
    match read_regular_file(path, MAX_BYTES) {
        Ok(mut bytes) => Ok(SecretValue::new(std::mem::take(&mut *bytes))),
        Err(BoundedReadError::Io(error)) if error.kind() == ErrorKind::IsADirectory => Err(not_regular()),
        Err(BoundedReadError::Io(error)) => Err(io_error(&error)),
        Err(BoundedReadError::NotRegular) => Err(not_regular()),
        Err(BoundedReadError::TooLarge) => Err(ProviderError::invalid(
            format!("the file is larger than {} MiB", MAX_BYTES >> 20),
            "a Secret contains at most one MiB",
        )),
    }
}

fn io_error(error: &std::io::Error) -> ProviderError {
    let reason = io_reason(error.kind());
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            ProviderError::not_found(reason, "the path is relative to the provider's root")
        }
        ErrorKind::PermissionDenied => ProviderError::denied(
            format!("the file cannot be read ({reason})"),
            "give the user that runs sealwave access to it",
        ),
        _ => {
            ProviderError::unreachable(format!("the file cannot be read ({reason})"), "check the file system")
        }
    }
}
