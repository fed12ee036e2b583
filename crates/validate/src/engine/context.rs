//! The context in which an input is checked: its options, the schemas, and what its objects may refer to outside of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};

use super::fallback::CrdFallback;
use super::kustomization::KustomizedFiles;
use super::options::ValidateOptions;
use super::schema_set::SchemaSet;
use super::unrendered::UnrenderedApps;
use crate::Finding;
use crate::definitions::KnownDefinition;
use crate::facts::neighbors::NeighborApps;
use sealwave_kube::schema::KubeVersion;

/// The schemas that an input is checked against, besides those of its own definitions.
#[derive(Clone, Debug)]
pub struct SchemaContext {
    /// The definitions of the run.
    pub(super) definitions: Arc<Vec<KnownDefinition>>,
    /// The schemas of the run's Kubernetes versions, with these definitions.
    schemas: Arc<LazySchemas>,
    /// The fallback for other definitions, if any.
    pub(super) fallback: Option<Arc<dyn CrdFallback>>,
}

impl SchemaContext {
    /// Creates the context for apps, which gets no further definitions.
    #[must_use]
    pub fn new(options: &ValidateOptions, definitions: Arc<Vec<KnownDefinition>>) -> Self {
        let schemas = LazySchemas::new(options, Arc::clone(&definitions), false);
        Self { definitions, schemas: Arc::new(schemas), fallback: None }
    }

    /// Creates the context for plain manifests, whose definitions are added to those of the options.
    #[must_use]
    pub fn extendable(options: &ValidateOptions) -> Self {
        Self::extendable_with(options, Arc::clone(&options.definitions))
    }

    /// Creates the context for plain manifests, whose definitions are added to the given ones.
    #[must_use]
    pub fn extendable_with(options: &ValidateOptions, definitions: Arc<Vec<KnownDefinition>>) -> Self {
        let schemas = LazySchemas::new(options, Arc::clone(&definitions), true);
        Self { definitions, schemas: Arc::new(schemas), fallback: None }
    }

    /// Returns the schemas.
    pub(super) fn schemas(&self) -> &Arc<SchemaSet> {
        self.schemas.get()
    }

    /// Returns the context with a fallback.
    #[must_use]
    pub fn with_fallback(self, fallback: Arc<dyn CrdFallback>) -> Self {
        Self { fallback: Some(fallback), ..self }
    }
}

/// Schemas that are built on first use: an input with definitions of its own does not need those of the run as a whole,
/// which may have thousands.
#[derive(Debug)]
struct LazySchemas {
    kube_versions: Vec<KubeVersion>,
    definitions: Arc<Vec<KnownDefinition>>,
    /// Whether further definitions are added.
    is_extendable: bool,
    set: OnceLock<Arc<SchemaSet>>,
}

impl LazySchemas {
    fn new(options: &ValidateOptions, definitions: Arc<Vec<KnownDefinition>>, is_extendable: bool) -> Self {
        let kube_versions = options.kube_versions.clone();
        Self { kube_versions, definitions, is_extendable, set: OnceLock::new() }
    }

    fn get(&self) -> &Arc<SchemaSet> {
        self.set.get_or_init(|| {
            let views = self.definitions.iter().map(KnownDefinition::view);
            Arc::new(if self.is_extendable {
                SchemaSet::extendable(&self.kube_versions, views)
            } else {
                SchemaSet::with_places(&self.kube_versions, views)
            })
        })
    }
}

/// Options and schemas of an input.
#[derive(Clone, Copy)]
pub(super) struct CheckContext<'a> {
    pub(super) options: &'a ValidateOptions,
    pub(super) schemas: &'a SchemaContext,
}

/// The context for checking an app.
#[derive(Debug)]
pub struct AppContext {
    pub(super) options: ValidateOptions,
    pub(super) schemas: SchemaContext,
    /// The objects that the apps of the repository render, by environment.
    pub(super) neighbors: Arc<BTreeMap<String, NeighborApps>>,
    /// The names that objects of the repository may have that do not render, by environment.
    pub(super) unrendered: Arc<UnrenderedApps>,
}

impl AppContext {
    /// Creates the context of an app.
    #[must_use]
    pub const fn new(
        options: ValidateOptions,
        schemas: SchemaContext,
        neighbors: Arc<BTreeMap<String, NeighborApps>>,
        unrendered: Arc<UnrenderedApps>,
    ) -> Self {
        Self { options, schemas, neighbors, unrendered }
    }

    /// Returns the options.
    #[must_use]
    pub const fn options(&self) -> &ValidateOptions {
        &self.options
    }
}

/// The context for checking plain manifests.
#[derive(Debug)]
pub struct PlainContext {
    pub(super) options: ValidateOptions,
    pub(super) schemas: SchemaContext,
    /// The default namespace of objects.
    pub(super) namespace: Option<String>,
    /// The names of files that only provide objects for references and are not checked.
    context_files: BTreeSet<String>,
    /// The files that kustomizations of the run list.
    kustomized: Arc<KustomizedFiles>,
    /// The files that were found in directories; the user named all others.
    searched_files: Arc<HashSet<String>>,
}

impl PlainContext {
    /// Creates the context of a set of manifests.
    #[must_use]
    pub fn new(
        options: ValidateOptions,
        schemas: SchemaContext,
        namespace: Option<String>,
        context_files: BTreeSet<String>,
    ) -> Self {
        Self {
            options,
            schemas,
            namespace,
            context_files,
            kustomized: Arc::default(),
            searched_files: Arc::default(),
        }
    }

    /// Returns the context with the files that kustomizations list.
    #[must_use]
    pub fn with_kustomized(self, kustomized: Arc<KustomizedFiles>) -> Self {
        Self { kustomized, ..self }
    }

    /// Returns the context with the files that were found in directories.
    #[must_use]
    pub fn with_searched_files(self, searched_files: Arc<HashSet<String>>) -> Self {
        Self { searched_files, ..self }
    }

    /// Returns the options.
    #[must_use]
    pub const fn options(&self) -> &ValidateOptions {
        &self.options
    }

    /// Reports whether a file was found in a directory.
    pub(super) fn is_searched(&self, name: &str) -> bool {
        self.searched_files.contains(name)
    }

    pub(super) const fn check_context(&self) -> CheckContext<'_> {
        CheckContext { options: &self.options, schemas: &self.schemas }
    }

    /// Returns what the kustomizations of the run list.
    pub(super) fn kustomized(&self) -> &KustomizedFiles {
        &self.kustomized
    }

    /// Reports whether any file is not checked.
    pub(super) fn has_context_files(&self) -> bool {
        !self.context_files.is_empty()
    }

    /// Reports whether a file only provides objects for references.
    pub(super) fn is_context_file(&self, name: &str) -> bool {
        self.context_files.contains(name)
    }

    /// Reports whether a place of a finding is in a checked file; findings without a place always count.
    pub(super) fn is_in_scope(&self, finding: &Finding) -> bool {
        let mut places = finding.span.iter().chain(finding.related.iter().map(|related| &related.span));
        finding.span.is_none() || places.any(|span| !self.is_context_file(&span.place.path))
    }
}
