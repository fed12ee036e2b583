//! The app at the merge base with the revision of `--changed-since`, as far as rules need it: what supplied each Secret.
//!
//! Only Git's objects are read, without filters, and the manifests among them, without rendering. What cannot be read counts as
//! new.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::changes::{path_from_git, top_level};
use super::git::{GitError, git, merge_base};
use crate::facts::rule_context::{BackendPair, EarlierBackends, EarlierSupplier};
use sealwave_core::document::{Manifest, Node, Sources};
use sealwave_core::names::{ARGOCD_SYNC_OPTIONS, MANAGED_BY_SEALED_SECRETS, SKIP_OWNER_REFERENCES};
use sealwave_core::yaml::{self, Limits};
use sealwave_kube::catalog::ObjectCatalog;
use sealwave_kube::sync::without_pruning;
use sealwave_secrets::settings::{APP_FILE, App, BackendKind, EnvironmentBackends, read_config};

/// The largest file that is read from Git; the app file itself has the same limit.
const MAX_FILE: usize = 1 << 20;

/// The most manifests that are read from Git for one app.
const MAX_MANIFESTS: usize = 300;

/// The kinds of objects that supply Secrets, as words of a file.
const KINDS: [&str; 4] = ["ExternalSecret", "SealedSecret", "Secret", "SecretProviderClass"];

/// An app at an earlier revision.
pub struct EarlierApp {
    /// `None` if Argo CD applied the directory as it was, without sealwave.
    app: Option<App>,
    /// The files that existed, relative to the app.
    files: BTreeSet<PathBuf>,
    /// The contents of those that may supply Secrets.
    manifests: BTreeMap<PathBuf, Vec<u8>>,
}

impl EarlierApp {
    /// Reads an app at the merge base of the checked-out commit with a revision; `None` if its directory did not exist or its app
    /// file was not valid.
    #[must_use]
    pub fn read(directory: &Path, revision: &str) -> Option<Self> {
        let directory = fs_err::canonicalize(directory).ok()?;
        Self::try_read(&directory, revision).ok().flatten()
    }

    /// Creates an app from its parts; `None` if its app file is not valid.
    #[must_use]
    pub fn from_files(app_file: &[u8], manifests: BTreeMap<PathBuf, Vec<u8>>) -> Option<Self> {
        let app = read_config::<App>(app_file, APP_FILE).ok()?;
        Some(Self { app: Some(app), files: manifests.keys().cloned().collect(), manifests })
    }

    fn try_read(directory: &Path, revision: &str) -> Result<Option<Self>, GitError> {
        let top = top_level(directory)?;
        let base = merge_base(&top, revision)?;
        let sizes = file_sizes(directory, &base)?;
        let had_app_file = sizes.contains_key(Path::new(APP_FILE));
        let app_file = blob(directory, &base, Path::new(APP_FILE), &sizes);
        if sizes.is_empty() || (had_app_file && app_file.is_none()) {
            return Ok(None);
        }
        let names = files_with_kinds(directory, &base);
        let manifests = names.into_iter().take(MAX_MANIFESTS).filter_map(|name| {
            let text = blob(directory, &base, &name, &sizes)?;
            Some((name, text))
        });
        let manifests = manifests.collect();
        let app = match app_file {
            Some(app_file) => Self::from_files(&app_file, manifests),
            None => Some(Self { app: None, files: BTreeSet::new(), manifests }),
        };
        Ok(app.map(|app| Self { files: sizes.into_keys().collect(), ..app }))
    }

    /// Returns what supplied Secrets in the environments that existed, beside the backends of now. `names` are the files of the
    /// app as messages name them, with their paths in it.
    #[must_use]
    pub fn backends<'a>(
        &self,
        now: impl IntoIterator<Item = (String, EnvironmentBackends)>,
        names: impl IntoIterator<Item = (&'a str, PathBuf)>,
    ) -> EarlierBackends {
        let Some(app) = &self.app else {
            let now: Vec<(String, EnvironmentBackends)> = now.into_iter().collect();
            let names: BTreeSet<&str> = now.iter().map(|(name, _)| name.as_str()).collect();
            let pair = |(name, now): &(String, EnvironmentBackends)| {
                let suppliers = self.plain_suppliers(name, &names);
                (name.clone(), BackendPair { before: now.clone(), now: now.clone(), suppliers })
            };
            return EarlierBackends {
                environments: now.iter().map(pair).collect(),
                templates: BTreeSet::new(),
            };
        };
        let pairs = now.into_iter().filter_map(|(name, now)| {
            let settings = app.environments.get(&name).cloned();
            let directory = Path::new("envs").join(&name);
            let existed = settings.is_some() || self.files.iter().any(|file| file.starts_with(&directory));
            let before = EnvironmentBackends::decide(app, &settings.unwrap_or_default()).ok()?;
            let suppliers = self.suppliers(&directory, &before);
            existed.then_some((name, BackendPair { before, now, suppliers }))
        });
        let templates = names.into_iter().filter(|(_, path)| {
            path.extension().is_some_and(|end| end == "hbs") && self.files.contains(path)
        });
        EarlierBackends {
            environments: pairs.collect(),
            templates: templates.map(|(name, _)| name.to_owned()).collect(),
        }
    }

    /// Returns the suppliers in the manifests of an environment, by the namespace as written and the name.
    fn suppliers(
        &self,
        environment: &Path,
        backends: &EnvironmentBackends,
    ) -> BTreeMap<(String, String), EarlierSupplier> {
        let is_here = |path: &Path| path.starts_with("base") || path.starts_with(environment);
        let mut suppliers = BTreeMap::new();
        for text in self.manifests.iter().filter(|(path, _)| is_here(path)).map(|(_, text)| text) {
            let objects = objects(text);
            let catalog = ObjectCatalog::new(&objects);
            for ((namespace, name), indices) in catalog.supplied() {
                let object = indices.first().and_then(|index| index.of(&objects));
                let supplier = object.and_then(|object| supplier(object, (namespace, name), backends));
                suppliers.extend(supplier.map(|one| ((namespace.to_owned(), name.to_owned()), one)));
            }
        }
        suppliers
    }

    /// Returns the Secrets that Argo CD applied as they were, without those below the directory of another environment.
    fn plain_suppliers(
        &self,
        environment: &str,
        all: &BTreeSet<&str>,
    ) -> BTreeMap<(String, String), EarlierSupplier> {
        let is_others = |part: &std::ffi::OsStr| {
            part.to_str().is_some_and(|part| part != environment && all.contains(part))
        };
        let mut suppliers = BTreeMap::new();
        for (_, text) in self.manifests.iter().filter(|(path, _)| !path.iter().any(is_others)) {
            for object in objects(text).iter().filter(|object| object.kind() == "Secret") {
                let text = |path: &[&str]| object.root().at(path).and_then(Node::as_str).unwrap_or_default();
                let options = text(&["metadata", "annotations", ARGOCD_SYNC_OPTIONS]);
                let supplier = EarlierSupplier {
                    kind: None,
                    released_to: None,
                    is_released: without_pruning(options).is_none(),
                    is_open: text(&["metadata", "annotations", MANAGED_BY_SEALED_SECRETS]) == "true",
                };
                let id =
                    (text(&["metadata", "namespace"]).to_owned(), text(&["metadata", "name"]).to_owned());
                suppliers.insert(id, supplier);
            }
        }
        suppliers
    }
}

/// Returns the backend that an object stands for, and whether its controller has released the Secret.
fn supplier(
    object: &Manifest,
    (namespace, name): (&str, &str),
    backends: &EnvironmentBackends,
) -> Option<EarlierSupplier> {
    let text = |path: &[&str]| object.root().at(path).and_then(Node::as_str);
    let (kind, is_released) = match object.kind() {
        "ExternalSecret" => (
            BackendKind::ExternalSecrets,
            text(&["spec", "target", "creationPolicy"]).is_some_and(|policy| policy != "Owner"),
        ),
        "SealedSecret" => {
            let path = ["spec", "template", "metadata", "annotations", SKIP_OWNER_REFERENCES];
            (BackendKind::SealedSecrets, text(&path) == Some("true"))
        }
        "SecretProviderClass" => (BackendKind::SecretsStoreCsi, false),
        "Secret" => {
            let choice = backends.choice_for(namespace, name);
            return Some(EarlierSupplier {
                kind: Some(choice.kind),
                released_to: choice.release_to,
                is_released: false,
                is_open: false,
            });
        }
        _ => return None,
    };
    Some(EarlierSupplier { kind: Some(kind), released_to: None, is_released, is_open: false })
}

/// Returns the objects of a file; none if it is not YAML.
fn objects(text: &[u8]) -> Vec<Manifest> {
    let source = Sources::default().add("");
    let documents = yaml::read(text, source, &Limits::lenient()).unwrap_or_default();
    documents.into_iter().filter_map(|document| Manifest::new(document).ok()).collect()
}

/// Returns the regular files of a directory in a commit, with their sizes.
fn file_sizes(directory: &Path, commit: &str) -> Result<BTreeMap<PathBuf, usize>, GitError> {
    let list = git(directory, "ls-tree", &["ls-tree", "-r", "-z", "-l", commit, "--", "."], &[])?;
    let entry = |entry: &[u8]| {
        // `mode type id size<tab>path`
        let tab = entry.iter().position(|byte| *byte == b'\t')?;
        let (head, path) = (entry.get(..tab)?, entry.get(tab + 1..)?);
        let size = std::str::from_utf8(head).ok()?.rsplit(' ').next()?.parse().ok()?;
        head.starts_with(b"100").then(|| (path_from_git(path), size))
    };
    Ok(list.split(|byte| *byte == 0).filter_map(entry).collect())
}

/// Returns the files that name a kind of supplier, in order.
fn files_with_kinds(directory: &Path, commit: &str) -> BTreeSet<PathBuf> {
    let mut args = vec![
        "grep",
        "--files-with-matches",
        "-z",
        "--text",
        "--word-regexp",
        "--no-color",
        "--fixed-strings",
    ];
    args.extend(KINDS.iter().flat_map(|kind| ["-e", kind]));
    args.extend([commit, "--", "."]);
    // Git fails without a match.
    let list = git(directory, "grep", &args, &[]).unwrap_or_default();
    let prefix = commit.len() + 1;
    let names = list.split(|byte| *byte == 0).filter_map(|entry| entry.get(prefix..));
    names.map(path_from_git).collect()
}

/// Returns a file of a directory in a commit, unless it is too large.
fn blob(directory: &Path, commit: &str, path: &Path, sizes: &BTreeMap<PathBuf, usize>) -> Option<Vec<u8>> {
    if *sizes.get(path)? > MAX_FILE {
        return None;
    }
    // Paths are relative to the directory in which Git runs.
    let name = format!("{commit}:./{}", path.to_str()?);
    git(directory, "cat-file", &["cat-file", "blob", &name], &[]).ok()
}
