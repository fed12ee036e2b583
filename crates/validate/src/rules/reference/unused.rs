//! `reference/unused`.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::checked_object::CheckedObject;
use crate::facts::grants::allows;
use crate::facts::inventory::{candidate_names, program_texts};
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Mapping, Node};
use sealwave_core::names;
use sealwave_kube::catalog::{ESO_GROUP, ObjectIndex, SEALED_SECRETS_GROUP, supplied_secrets};
use sealwave_kube::is_secret_like;
use sealwave_kube::pods::ReferencedKind;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "reference/unused",
        severity: Severity::Note,
        summary: "a ConfigMap or Secret is not used in its environment",
        text: include_str!("unused.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

/// Maximum depth at which an object is searched.
const DEPTH: usize = 128;

/// Labels that describe an object; other labels may be used to select it.
const PLAIN_LABELS: &[&str] = &[
    "app",
    "chart",
    "component",
    "env",
    "environment",
    "heritage",
    "k8s-app",
    "name",
    "owner",
    "part-of",
    "release",
    "stage",
    "team",
    "tier",
    "version",
];

/// Types of Secrets that the cluster or a tool finds by type.
const FOUND_BY_TYPE: &[&str] = &[
    "bootstrap.kubernetes.io/token",
    "helm.sh/release.v1",
    "kubernetes.io/dockercfg",
    "kubernetes.io/dockerconfigjson",
    "kubernetes.io/service-account-token",
];

/// Domains of annotations with which a controller copies an object.
const COPIED_BY: &[&str] =
    &["kubed.appscode.com", "reflector.v1.k8s.emberstack.com", "replicator.v1.mittwald.de"];

struct UnusedCandidate<'a> {
    object: ObjectIndex,
    kind: ReferencedKind,
    name: &'a str,
}

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    if environment.is_plain() || environment.objects.iter().all(|object| object.pod.is_none()) {
        return;
    }
    let wanted: BTreeSet<(ReferencedKind, &str, &str)> = environment
        .inventory
        .requirements()
        .iter()
        .map(|want| (want.kind, want.namespace, want.name))
        .collect();
    let readable = [ReferencedKind::ConfigMap, ReferencedKind::Secret]
        .map(|kind| allows(&environment.objects, kind, &["get", "list", "watch"]));
    let mut candidates = candidates(environment);
    candidates.retain(|candidate| {
        let object = environment.object(candidate.object);
        let namespace = object.map_or("", |object| object.namespace);
        let is_wanted_in = |namespace| wanted.contains(&(candidate.kind, namespace, candidate.name));
        let [config_maps, secrets] = readable;
        let read = if candidate.kind == ReferencedKind::ConfigMap { config_maps } else { secrets };
        !is_wanted_in(namespace) && !is_wanted_in("") && !read
    });
    let unused: BTreeSet<&str> = candidates.iter().map(|candidate| candidate.name).collect();
    let named = objects_by_name(environment, &unused);
    for candidate in candidates {
        let by_another = |by: &BTreeSet<ObjectIndex>| by.iter().any(|object| *object != candidate.object);
        if named.get(candidate.name).is_some_and(by_another) {
            continue;
        }
        let Some(object) = environment.object(candidate.object) else { continue };
        let at = object.name_origin();
        let message = format!("nothing uses {} `{}`", object.kind, object.name);
        reporter.report(
            FindingDraft::new(&RULE, at, message)
                .about_object(candidate.object)
                .hint("remove it, or correct the name where it should be used"),
        );
    }
}

fn candidates<'a>(environment: &CheckedEnvironment<'a>) -> Vec<UnusedCandidate<'a>> {
    let objects = environment.indexed_objects().zip(environment.catalog.objects());
    let mut found = Vec::new();
    for ((number, object), filed) in objects.filter(|((_, object), _)| !may_be_used_elsewhere(object)) {
        let (kind, name) = match (object.group, object.kind) {
            ("", "ConfigMap") => (ReferencedKind::ConfigMap, Some(object.name)),
            ("", "Secret") | (SEALED_SECRETS_GROUP, "SealedSecret") => {
                (ReferencedKind::Secret, Some(object.name))
            }
            (ESO_GROUP, "ExternalSecret") => {
                (ReferencedKind::Secret, supplied_secrets(filed).first().copied())
            }
            _ => continue,
        };
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            found.push(UnusedCandidate { object: number, kind, name });
        }
    }
    found
}

/// Returns whether something outside of this environment may use the object.
fn may_be_used_elsewhere(object: &CheckedObject<'_>) -> bool {
    let root = object.manifest.root();
    let text = |path: &[&str]| root.at(path).and_then(Node::as_str).unwrap_or_default();
    let (domains, kind) = (entries(object.manifest.annotations()), text(&["type"]));
    let merges = text(&["spec", "target", "creationPolicy"]) == "Merge"
        || root.at(&["spec", "target", "manifest"]).is_some();
    let is_plain = |label: &str| {
        let domain = label.split_once('/').map(|(domain, _)| domain);
        domain.map_or(PLAIN_LABELS.contains(&label), |domain| {
            ["app.kubernetes.io", names::HELM_DOMAIN, names::SEALWAVE_DOMAIN].contains(&domain)
        })
    };
    let labels = [root.at(&["spec", "template", "metadata", "labels"]), root.at(&["metadata", "labels"])];
    let mut labels = labels.into_iter().flatten().flat_map(|labels| entries(labels.as_mapping()));
    merges
        || FOUND_BY_TYPE.contains(&kind)
        || labels.any(|label| !is_plain(&label.key))
        || domains.iter().any(|entry| COPIED_BY.iter().any(|domain| entry.key.starts_with(domain)))
}

/// Returns the objects that contain each name, in fields that only their own controllers interpret.
fn objects_by_name<'a>(
    environment: &CheckedEnvironment<'a>,
    wanted: &BTreeSet<&'a str>,
) -> BTreeMap<&'a str, BTreeSet<ObjectIndex>> {
    let mut search = NameSearch { wanted, by: BTreeMap::new() };
    if wanted.is_empty() {
        return search.by;
    }
    for (number, object) in environment.indexed_objects() {
        let root = object.manifest.root();
        search.visit(number, root.at(&["metadata", "annotations"]), DEPTH);
        if let Some(pod) = &object.pod {
            let template = root.at(&pod.path);
            search.visit(
                number,
                template.and_then(|template| template.at(&["metadata", "annotations"])),
                DEPTH,
            );
            for text in program_texts(pod.spec) {
                search.words(number, text);
            }
        } else if !object.is("", "Service") && !is_secret_like(object.manifest.root()) {
            for entry in entries(root.as_mapping()).iter().filter(|entry| entry.key != "metadata") {
                search.visit(number, Some(&entry.value), DEPTH);
            }
        }
    }
    search.by
}

struct NameSearch<'b, 'a> {
    wanted: &'b BTreeSet<&'a str>,
    by: BTreeMap<&'a str, BTreeSet<ObjectIndex>>,
}

impl NameSearch<'_, '_> {
    fn visit(&mut self, object: ObjectIndex, node: Option<&Node>, depth: usize) {
        let (Some(node), Some(depth)) = (node, depth.checked_sub(1)) else { return };
        for item in node.items() {
            self.visit(object, Some(item), depth);
        }
        for entry in entries(node.as_mapping()) {
            if !matches!(entry.key.as_str(), "image" | "labels" | "matchLabels" | "selector") {
                self.visit(object, Some(&entry.value), depth);
            }
        }
        if let Some(text) = node.as_str() {
            self.words(object, text);
        }
    }

    fn words(&mut self, object: ObjectIndex, text: &str) {
        for word in candidate_names(text).filter_map(|word| self.wanted.get(word)) {
            let by = self.by.entry(word).or_default();
            if by.len() < 2 {
                by.insert(object);
            }
        }
    }
}

fn entries(mapping: Option<&Mapping>) -> &[sealwave_core::document::MappingEntry] {
    mapping.map_or(&[], Mapping::entries)
}
