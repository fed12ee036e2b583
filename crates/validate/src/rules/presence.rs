//! Whether an object that another one names is there.

use std::collections::HashSet;

use super::later_stage::is_template;
use super::placement::Completions;
use super::{Environment, Object};
use sealwave_core::diagnostic::Severity;

/// The objects of an environment, by their names.
pub(super) struct Presence<'e, 'a> {
    environment: &'e Environment<'a>,
    /// Group, kind and namespace of each; without a namespace, of any.
    kinds: HashSet<(&'a str, &'a str, Option<&'a str>)>,
    completions: Completions<'a>,
    names: HashSet<(&'a str, &'a str, &'a str)>,
}

impl<'e, 'a> Presence<'e, 'a> {
    /// Reads all objects.
    pub fn of(environment: &'e Environment<'a>) -> Self {
        let objects = environment.objects.iter();
        let kind = |object: &Object<'a>| {
            [Some(object.namespace), None].map(|namespace| (object.group, object.kind, namespace))
        };
        let kinds = objects.clone().flat_map(kind).collect();
        let names = objects.map(|object| (object.group, object.kind, object.name)).collect();
        Self { environment, kinds, completions: Completions::of(environment), names }
    }

    /// Whether there is such an object, here or elsewhere. A namespace that is not known matches any, and a name that is
    /// still a template may be that of anything.
    pub(super) fn has(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        let catalogue = &self.environment.catalogue;
        let find = |namespace| catalogue.find(group, kind, namespace, name).is_some();
        (namespace.is_empty() && self.names.contains(&(group, kind, name)))
            || find(namespace)
            || find("")
            || is_template(name)
            || self.environment.exists_elsewhere(group, kind, namespace, name)
    }

    /// Returns how much it matters that an object of this kind is missing in a namespace. Plain manifests that have no
    /// such object there leave it to others, and so do those in which a chart or an Application brings further objects.
    pub(super) fn severity(
        &self,
        (group, kind): (&str, &str),
        namespace: &str,
        in_app: Severity,
    ) -> Severity {
        if !self.environment.is_plain() {
            return in_app;
        }
        let of = |namespace| self.kinds.contains(&(group, kind, namespace));
        let known = of(Some(namespace)) || of(Some("")) || namespace.is_empty() && of(None);
        if known && !self.completions.reach(namespace) { Severity::Warning } else { Severity::Note }
    }
}
