//! Lookup of objects that other objects refer to.

use std::collections::HashSet;

use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::is_template;
use crate::facts::placement::ExternalNamespaces;
use crate::facts::scene::CheckedEnvironment;
use sealwave_core::diagnostic::Severity;

/// An index of the objects in an environment, by name.
pub(crate) struct PresenceIndex<'e, 'a> {
    environment: &'e CheckedEnvironment<'a>,
    /// Group, kind and namespace of each object; also with `None` for any namespace.
    kinds: HashSet<(&'a str, &'a str, Option<&'a str>)>,
    completions: ExternalNamespaces<'a>,
    names: HashSet<(&'a str, &'a str, &'a str)>,
}

impl<'e, 'a> PresenceIndex<'e, 'a> {
    /// Indexes all objects.
    pub(crate) fn new(environment: &'e CheckedEnvironment<'a>) -> Self {
        let objects = environment.objects.iter();
        let kind = |object: &CheckedObject<'a>| {
            [Some(object.namespace), None].map(|namespace| (object.group, object.kind, namespace))
        };
        let kinds = objects.clone().flat_map(kind).collect();
        let names = objects.map(|object| (object.group, object.kind, object.name)).collect();
        Self { environment, kinds, completions: ExternalNamespaces::new(environment), names }
    }

    /// Returns whether an object exists, here or elsewhere. An unknown namespace matches any namespace, and a name that is
    /// still a template matches any object.
    pub(crate) fn has_object(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        let catalog = &self.environment.catalog;
        let find = |namespace| catalog.find(group, kind, namespace, name).is_some();
        (namespace.is_empty() && self.names.contains(&(group, kind, name)))
            || find(namespace)
            || find("")
            || is_template(name)
            || self.environment.exists_elsewhere(group, kind, namespace, name)
    }

    /// Returns the severity of a missing object of a kind in a namespace. Plain manifests without such an object expect
    /// it from elsewhere, and so do those in which a chart or an Application creates further objects.
    pub(crate) fn severity_of_missing(
        &self,
        (group, kind): (&str, &str),
        namespace: &str,
        in_app: Severity,
    ) -> Severity {
        if !self.environment.is_plain() {
            return in_app;
        }
        let has_kind = |namespace| self.kinds.contains(&(group, kind, namespace));
        let known = has_kind(Some(namespace)) || has_kind(Some("")) || namespace.is_empty() && has_kind(None);
        if known && !self.completions.may_contain(namespace) { Severity::Warning } else { Severity::Note }
    }
}
