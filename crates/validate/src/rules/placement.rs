//! Whether objects of plain manifests belong together.
//!
//! A repository often holds what goes to several clusters, or what several Argo CD Applications apply, each in a directory
//! of its own; `validate` is given all of it as one set. Objects of different directories may then never meet, and what is
//! certain within one directory is a guess between two. Objects that a Helm chart or another Application brings are not in
//! the set at all. Nothing here reports anything: rules ask, and lower the severity of their findings.

use std::collections::HashSet;

use super::later_stage::is_template;
use super::{Environment, Object};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};

impl<'a> Environment<'a> {
    /// Returns the directory of the file that holds a place, without a slash at its end; empty for the working directory.
    pub(crate) fn directory_of(&self, at: Origin) -> &'a str {
        let name = self.scene.sources.name(at.source);
        name.rsplit_once('/').map_or("", |(directory, _)| directory)
    }

    /// Returns true where two places of plain manifests are in different directories, so that the objects may be for
    /// different clusters or Applications. An app's objects always belong together.
    pub(crate) fn may_be_apart(&self, one: Origin, other: Origin) -> bool {
        self.is_plain() && one.source != other.source && self.directory_of(one) != self.directory_of(other)
    }
}

/// The namespaces of plain manifests in which releases of Helm charts and Applications bring further objects.
pub(crate) struct Completions<'a> {
    anywhere: bool,
    namespaces: HashSet<&'a str>,
}

impl<'a> Completions<'a> {
    /// Reads all objects of an environment; an app is complete by itself.
    pub fn of(environment: &Environment<'a>) -> Self {
        let mut all = Self { anywhere: false, namespaces: HashSet::new() };
        let objects = environment.objects.iter().filter(|_| environment.is_plain());
        for targets in objects.filter_map(target_namespaces) {
            let named = targets.into_iter().filter(|target| !target.is_empty() && !is_template(target));
            all.namespaces.extend(named.clone());
            all.anywhere |= named.count() == 0;
        }
        all
    }

    /// Returns how much it matters that a selector selects no pod of a namespace.
    pub(crate) fn severity_of_missing_pods(&self, namespace: &str) -> Severity {
        // The pods of the control plane are in no repository.
        let is_system = namespace == "kube-system";
        if is_system || self.reach(namespace) { Severity::Note } else { Severity::Warning }
    }

    /// Returns true where objects of a namespace may be brought by others; an empty one is any.
    pub(crate) fn reach(&self, namespace: &str) -> bool {
        let is_any = namespace.is_empty() && !self.namespaces.is_empty();
        self.anywhere || is_any || self.namespaces.contains(namespace)
    }
}

/// The namespaces that the objects of a release or an Application go to, where it names them; `None` where the object
/// brings no others.
fn target_namespaces<'a>(object: &Object<'a>) -> Option<[&'a str; 2]> {
    let root = object.manifest.root();
    let text = |path: &[&str]| root.at(path).and_then(Node::as_str).unwrap_or_default();
    Some(match (object.group, object.kind) {
        ("argoproj.io", "Application") => [text(&["spec", "destination", "namespace"]), ""],
        ("argoproj.io", "ApplicationSet") => ["", ""],
        ("helm.cattle.io", "HelmChart") | ("helm.toolkit.fluxcd.io", "HelmRelease") => {
            [text(&["spec", "targetNamespace"]), object.namespace]
        }
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => [text(&["spec", "targetNamespace"]), ""],
        _ => return None,
    })
}
