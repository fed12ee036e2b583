//! Context and settings that all rules share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::operator_view::OperatorView;
use sealwave_core::document::{SourceTexts, Sources};
use sealwave_core::time::Date;
use sealwave_kube::KindScopes;
use sealwave_pipeline::ArgoCdTool;
use sealwave_secrets::settings::{BackendKind, EnvironmentBackends};

/// Context that all rules share.
pub(crate) struct RuleContext<'a> {
    /// True for plain manifests, where rules report what the pipeline reports for an app.
    pub(crate) is_plain: bool,
    /// Texts of the sources, for rules about the spelling of scalars.
    pub(crate) texts: &'a SourceTexts,
    /// Names of the sources, and the origins of rendered text.
    pub(crate) sources: &'a Sources,
    /// Scopes of kinds: namespaced or cluster-scoped.
    pub(crate) scopes: &'a KindScopes,
    /// Settings of the run.
    pub(crate) settings: &'a RuleSettings,
}

/// The apps of a run, by the path of each app from the root of its repository.
pub type KnownApps = BTreeMap<String, KnownApp>;

/// An app that Applications may deploy.
#[derive(Clone, Debug, Default)]
pub struct KnownApp {
    /// The names of the environments; `None` if not all of them are known.
    pub environments: Option<BTreeSet<String>>,
    /// The tool with which Argo CD renders the directory unless the Application names a plugin.
    pub tool: Option<ArgoCdTool>,
}

/// Settings of a run that rules depend on.
#[derive(Clone, Debug, Default)]
pub struct RuleSettings {
    /// Patterns `Kind/namespace/name` of objects that exist elsewhere.
    pub external: Vec<globset::GlobMatcher>,
    /// Today's date; `None` disables what depends on it.
    pub today: Option<Date>,
    /// The operator file that apps are checked against, if known.
    pub operator: Option<OperatorView>,
    /// Known fingerprints of the sealing certificates of the clusters, by environment.
    pub certificates: BTreeMap<String, String>,
    /// The apps of the run.
    pub known_apps: Arc<KnownApps>,
    /// The backends at an earlier revision; empty without `--changed-since`.
    pub earlier: EarlierBackends,
}

/// The backends of an app at an earlier revision, beside those of now.
#[derive(Clone, Debug, Default)]
pub struct EarlierBackends {
    /// The environments that existed, by name.
    pub environments: BTreeMap<String, BackendPair>,
    /// The templates that existed, as messages name them: they were not rendered.
    pub templates: BTreeSet<String>,
}

/// The backends of an environment, before and now.
#[derive(Clone, Debug)]
pub struct BackendPair {
    /// At the earlier revision.
    pub before: EnvironmentBackends,
    /// In the checked files.
    pub now: EnvironmentBackends,
    /// The suppliers of Secrets at the earlier revision, by the namespace as written and the name.
    pub suppliers: BTreeMap<(String, String), EarlierSupplier>,
}

/// A supplier of a Secret at an earlier revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlierSupplier {
    /// Its backend; `None` for a plain Secret, which Argo CD itself applied.
    pub kind: Option<BackendKind>,
    /// The backend that the app file released the Secret to.
    pub released_to: Option<BackendKind>,
    /// Whether its own manifest releases the Secret, to any backend.
    pub is_released: bool,
    /// Whether the sealed-secrets controller may take a plain Secret over.
    pub is_open: bool,
}

impl RuleSettings {
    /// Returns whether an object is declared as existing elsewhere.
    pub(crate) fn is_external(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let path = format!("{kind}/{namespace}/{name}");
        self.external.iter().any(|pattern| pattern.is_match(&path))
    }
}
