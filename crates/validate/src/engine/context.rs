//! The context in which an input is checked: its options, the schemas, and what its objects may refer to outside of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fallback::CrdFallback;
use super::options::ValidateOptions;
use super::schema_set::SchemaSet;
use super::unrendered::UnrenderedApps;
use crate::Finding;
use crate::definitions::KnownDefinition;
use crate::facts::neighbors::NeighborApps;

/// The schemas that an input is checked against, besides those of its own definitions.
#[derive(Clone, Debug)]
pub struct SchemaContext {
    /// The definitions of the run.
    pub(super) definitions: Arc<Vec<KnownDefinition>>,
    /// The schemas of the run's Kubernetes versions, with these definitions.
    pub(super) schemas: Arc<SchemaSet>,
    /// The fallback for other definitions, if any.
    pub(super) fallback: Option<Arc<dyn CrdFallback>>,
}

impl SchemaContext {
    /// Creates the context for apps, which gets no further definitions.
    #[must_use]
    pub fn new(options: &ValidateOptions, definitions: Arc<Vec<KnownDefinition>>) -> Self {
        let set =
            SchemaSet::with_places(&options.kube_versions, definitions.iter().map(KnownDefinition::view));
        Self { definitions, schemas: Arc::new(set), fallback: None }
    }

    /// Creates the context for plain manifests, whose definitions are added to those of the options.
    #[must_use]
    pub fn extendable(options: &ValidateOptions) -> Self {
        let definitions = options.definitions.iter().map(KnownDefinition::view);
        let set = SchemaSet::extendable(&options.kube_versions, definitions);
        Self { definitions: Arc::clone(&options.definitions), schemas: Arc::new(set), fallback: None }
    }

    /// Returns the context with a fallback.
    #[must_use]
    pub fn with_fallback(self, fallback: Arc<dyn CrdFallback>) -> Self {
        Self { fallback: Some(fallback), ..self }
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
}

impl PlainContext {
    /// Creates the context of a set of manifests.
    #[must_use]
    pub const fn new(
        options: ValidateOptions,
        schemas: SchemaContext,
        namespace: Option<String>,
        context_files: BTreeSet<String>,
    ) -> Self {
        Self { options, schemas, namespace, context_files }
    }

    /// Returns the options.
    #[must_use]
    pub const fn options(&self) -> &ValidateOptions {
        &self.options
    }

    pub(super) const fn check_context(&self) -> CheckContext<'_> {
        CheckContext { options: &self.options, schemas: &self.schemas }
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
