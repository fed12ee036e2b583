//! Decides whether objects of plain manifests belong together.
//!
//! A repository often holds manifests for several clusters or Argo CD Applications, each in a directory of its own, and
//! `validate` checks them all as one set. Objects of different directories may never meet, so a finding that is certain
//! within one directory is a guess across two. Objects from a Helm chart or another Application are not in the set at all.
//! This module reports nothing: rules use it to lower the severity of their findings.

use std::collections::HashSet;

use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::is_template;
use crate::facts::scene::CheckedEnvironment;
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};

impl<'a> CheckedEnvironment<'a> {
    /// Returns the name of the file at a position.
    pub(crate) fn file(&self, at: Origin) -> &'a str {
        self.context.sources.name(at.source)
    }

    /// Returns the directory of the file of a position, without a trailing slash; empty for the working directory.
    pub(crate) fn directory(&self, at: Origin) -> &'a str {
        let name = self.file(at);
        name.rsplit_once('/').map_or("", |(directory, _)| directory)
    }

    /// Returns whether two positions in plain manifests are in different directories, so the objects may be for
    /// different clusters or Applications. An app's objects always belong together.
    pub(crate) fn may_be_apart(&self, one: Origin, other: Origin) -> bool {
        self.is_plain() && one.source != other.source && self.directory(one) != self.directory(other)
    }
}

/// Namespaces in which Helm releases and Applications of plain manifests create further objects.
pub(crate) struct ExternalNamespaces<'a> {
    anywhere: bool,
    namespaces: HashSet<&'a str>,
}

impl<'a> ExternalNamespaces<'a> {
    /// Collects the namespaces of an environment; an app needs none.
    pub(crate) fn new(environment: &CheckedEnvironment<'a>) -> Self {
        let mut all = Self { anywhere: false, namespaces: HashSet::new() };
        let objects = environment.objects.iter().filter(|_| environment.is_plain());
        for targets in objects.filter_map(target_namespaces) {
            let named = targets.into_iter().filter(|target| !target.is_empty() && !is_template(target));
            all.namespaces.extend(named.clone());
            all.anywhere |= named.count() == 0;
        }
        all
    }

    /// Returns the severity of a selector that selects no pod of a namespace.
    pub(crate) fn severity_of_missing_pods(&self, namespace: &str) -> Severity {
        // Pods of the control plane are not in the repository.
        let is_system = namespace == "kube-system";
        if is_system || self.may_contain(namespace) { Severity::Note } else { Severity::Warning }
    }

    /// Returns whether objects of a namespace may come from elsewhere; an empty namespace matches any.
    pub(crate) fn may_contain(&self, namespace: &str) -> bool {
        let is_any = namespace.is_empty() && !self.namespaces.is_empty();
        self.anywhere || is_any || self.namespaces.contains(namespace)
    }
}

/// Returns the target namespaces of a release or an Application; `None` if the object creates no other objects.
fn target_namespaces<'a>(object: &CheckedObject<'a>) -> Option<[&'a str; 2]> {
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
