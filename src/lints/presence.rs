//! Whether an object that another one names is there.

use std::collections::HashSet;

use super::Environment;
use super::later_stage::is_template;
use crate::diagnostic::Severity;

/// The objects of an environment, by their names.
pub(super) struct Presence<'e, 'a> {
    environment: &'e Environment<'a>,
    kinds: HashSet<(&'a str, &'a str)>,
    names: HashSet<(&'a str, &'a str, &'a str)>,
}

impl<'e, 'a> Presence<'e, 'a> {
    /// Reads all objects.
    pub(super) fn of(environment: &'e Environment<'a>) -> Self {
        let objects = environment.objects.iter();
        let kinds = objects.clone().map(|object| (object.group, object.kind)).collect();
        let names = objects.map(|object| (object.group, object.kind, object.name)).collect();
        Self { environment, kinds, names }
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

    /// How much it matters that an object of this kind is missing: plain manifests of which none is of the kind leave
    /// such objects to others.
    pub(super) fn severity(&self, group: &str, kind: &str, in_app: Severity) -> Severity {
        if !self.environment.is_plain() {
            in_app
        } else if self.kinds.contains(&(group, kind)) {
            Severity::Warning
        } else {
            Severity::Note
        }
    }
}
