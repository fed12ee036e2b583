//! The input of rules: objects, environments and apps.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use zeroize::Zeroizing;

use crate::facts::app_settings::AppSettings;
use crate::facts::checked_object::{CheckedObject, SecretUse};
use crate::facts::credential::files::CredentialFileFormat;
use crate::facts::embedded_pods::EmbeddedObject;
use crate::facts::inventory::{Inventory, MissingImpact};
use crate::facts::neighbors::NeighborApps;
use crate::facts::rule_context::RuleContext;
use crate::facts::unread_names::UnreadName;
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Manifest, Node, Origin, SourceId, WrittenScalars};
use sealwave_kube::catalog::{ObjectCatalog, ObjectIndex};
use sealwave_kube::pods::ReferencedKind;
use sealwave_kube::sync::{DependencyEdge, LocatedConflict};
use sealwave_pipeline::render::UnusedValue;

/// One environment of an app, or a set of plain manifests.
pub(crate) struct CheckedEnvironment<'a> {
    /// The environment of an app; `None` for plain manifests.
    pub(crate) app: Option<AppEnvironment<'a>>,
    /// Shared context.
    pub(crate) context: RuleContext<'a>,
    /// The rendered objects, before Secrets are processed.
    pub(crate) objects: Vec<CheckedObject<'a>>,
    /// Pods within its `ConfigMaps`.
    pub(crate) embedded: Vec<EmbeddedObject<'a>>,
    /// The objects by identity and by the Secrets that they create.
    pub(crate) catalog: ObjectCatalog<'a>,
    /// Created and required objects, with their known keys.
    pub(crate) inventory: Inventory<'a>,
    /// Objects that other apps of the repository render in the environment of this name.
    pub(crate) neighbors: &'a NeighborApps,
    /// Uses of objects by other objects, computed on first access.
    pub(crate) uses: OnceCell<BTreeSet<DependencyEdge>>,
    /// Conflicts of waves and phases, computed on first access.
    pub(crate) conflicts: OnceCell<Vec<LocatedConflict>>,
}

/// The properties of an environment besides its objects.
pub(crate) struct AppEnvironment<'a> {
    /// Name of the environment.
    pub(crate) name: &'a str,
    /// Directory of the app.
    pub(crate) directory: &'a str,
    /// Target cluster, as far as the app defines it.
    pub(crate) cluster: &'a str,
    /// Position of the cluster in the app file, if values are sealed for that cluster.
    pub(crate) sealed_for: Option<Origin>,
    /// Placeholders in items of Secrets, in the order of objects, items and placeholders.
    pub(crate) secrets: &'a [SecretUse],
    /// The objects that Argo CD would get, with processed Secrets, waves and checksums; `None` if a stage failed.
    pub(crate) emitted: Option<&'a [Manifest]>,
    /// The merged values; `None` if they could not be read.
    pub(crate) values: Option<&'a Node>,
    /// Source texts of values with an unusual spelling.
    pub(crate) unusual_spellings: &'a WrittenScalars,
    /// Unused keys of its own values.
    pub(crate) unused_values: &'a [UnusedValue],
}

impl<'a> CheckedEnvironment<'a> {
    /// Returns whether these are plain manifests, whose references may point outside of the set.
    pub(crate) const fn is_plain(&self) -> bool {
        self.app.is_none()
    }

    /// Iterates over the objects, with the index of each.
    pub(crate) fn indexed_objects(&self) -> impl Iterator<Item = (ObjectIndex, &CheckedObject<'a>)> {
        ObjectIndex::enumerate(&self.objects)
    }

    /// Returns an object by its index.
    pub(crate) fn object(&self, index: ObjectIndex) -> Option<&CheckedObject<'a>> {
        index.of(&self.objects)
    }

    /// Returns the name of the environment; `None` for plain manifests.
    pub(crate) fn name(&self) -> Option<&'a str> {
        Some(self.app.as_ref()?.name)
    }

    /// Returns the placeholders in Secrets; plain manifests have none.
    pub(crate) fn secrets(&self) -> &'a [SecretUse] {
        self.app.as_ref().map_or(&[], |app| app.secrets)
    }

    /// Returns the objects that Argo CD would get; `None` for plain manifests, or if a stage failed.
    pub(crate) fn emitted(&self) -> Option<&'a [Manifest]> {
        self.app.as_ref()?.emitted
    }

    /// Returns the merged values; `None` for plain manifests, or if they could not be read.
    pub(crate) fn values(&self) -> Option<&'a Node> {
        self.app.as_ref()?.values
    }

    /// Returns the fingerprint of the cluster's sealing certificate, if known.
    pub(crate) fn certificate(&self) -> Option<&'a str> {
        self.context.settings.certificates.get(self.name()?).map(String::as_str)
    }
}

impl CheckedEnvironment<'_> {
    /// Returns whether an object exists outside of this environment: in another app, or declared as external.
    pub(crate) fn exists_elsewhere(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        self.neighbors.has_object(group, kind, namespace, name)
            || (!namespace.is_empty() && self.neighbors.has_object(group, kind, "", name))
            || self.context.settings.is_external(kind, namespace, name)
    }

    /// Returns the severity of a missing object.
    pub(crate) fn severity_of_missing(&self, kind: ReferencedKind, weight: MissingImpact) -> Severity {
        match (!self.is_plain(), weight) {
            (true, MissingImpact::NoPodStarts) => Severity::Error,
            (true, MissingImpact::Degraded) => Severity::Warning,
            (false, MissingImpact::NoPodStarts) if self.inventory.creates_any(kind) => Severity::Warning,
            (false, _) => Severity::Note,
        }
    }
}

/// All environments of an app.
pub(crate) struct CheckedApp<'a> {
    /// Environments, sorted by name.
    pub(crate) environments: &'a [CheckedEnvironment<'a>],
    /// Files next to the app that are not ignored by Git and may contain credentials.
    pub(crate) files: &'a [TrackedFile],
    /// Files and directories that look like input of the app, but are not read.
    pub(crate) unread: &'a [(SourceId, UnreadName)],
    /// Settings of the app file.
    pub(crate) settings: &'a AppSettings,
    /// Groups and kinds that definitions of the run or settings of the app define.
    pub(crate) defined_kinds: Vec<(&'a str, &'a str)>,
}

/// A file next to an app. Must never be printed; its content is zeroed on drop.
pub(crate) struct TrackedFile {
    pub(crate) source: SourceId,
    /// Format of the file.
    pub(crate) form: CredentialFileFormat,
    pub(crate) content: Zeroizing<Vec<u8>>,
    /// True if it is a seal key or a checksum key.
    pub(crate) is_own_key: bool,
}
