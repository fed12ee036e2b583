//! `external-secrets/missing-store`.

use std::collections::{HashMap, HashSet};

use super::spec::{sources, spec, text};
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, start_origin, value};
use crate::facts::later_stage::is_template;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::catalog::{ESO_GROUP, ObjectIndex};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "external-secrets/missing-store",
        severity: Severity::Warning,
        summary: "an ExternalSecret names a store that does not exist",
        text: include_str!("missing_store.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut brought: Option<HashSet<(&str, &str)>> = None;
    let mut elsewhere: Option<HashMap<&str, &str>> = None;
    for (number, object) in environment.indexed_objects().filter(|(_, object)| object.group == ESO_GROUP) {
        check_store_names(number, object, reporter);
        for reference in references(object) {
            let Some(name) = reference.get("name") else { continue };
            let text_of_name = name.as_str().filter(|name| !name.is_empty() && !is_template(name));
            let Some(text_of_name) = text_of_name else { continue };
            let kind = text(reference, &["kind"]).unwrap_or("SecretStore");
            let other = match kind {
                "SecretStore" if object.kind == "ClusterExternalSecret" => continue,
                "SecretStore" => "ClusterSecretStore",
                "ClusterSecretStore" => "SecretStore",
                _ => continue,
            };
            if exists(environment, kind, object.namespace, text_of_name) {
                continue;
            }
            let draft =
                FindingDraft::new(&RULE, name.origin, format!("{kind} `{text_of_name}` does not exist"))
                    .about_object(number);
            let draft = if exists(environment, other, object.namespace, text_of_name) {
                draft.hint(format!("a {other} of this name exists: write `kind: {other}`"))
            } else if let Some(namespace) = elsewhere
                .get_or_insert_with(|| namespaces(environment))
                .get(text_of_name)
                .filter(|_| kind == "SecretStore")
            {
                draft.hint(format!(
                    "one exists in namespace `{namespace}`, but a SecretStore serves only its own namespace: \
                     create a ClusterSecretStore, or add a store here"
                ))
            } else if !environment.is_plain() {
                let severity = if kind == "SecretStore" { Severity::Warning } else { Severity::Note };
                draft.severity(severity).hint(
                    "add the store, correct its name, or declare it as existing elsewhere (`--external`)",
                )
            } else {
                // Plain manifests without a store of this kind expect it from elsewhere.
                let brought = brought.get_or_insert_with(|| stores(environment));
                let namespace = if kind == "SecretStore" { object.namespace } else { "" };
                let severity =
                    if brought.contains(&(kind, namespace)) { Severity::Warning } else { Severity::Note };
                draft.severity(severity).hint(
                    "add the store, correct its name, or declare it as existing elsewhere (`--external`)",
                )
            };
            reporter.report(draft);
        }
    }
}

/// Reports items that do not name a store.
fn check_store_names(number: ObjectIndex, object: &CheckedObject<'_>, reporter: &mut Reporter) {
    let Some(spec) = spec(object) else { return };
    if value(spec, "secretStoreRef").is_some_and(|store| value(store, "name").is_some()) {
        return;
    }
    let fetched = items(spec, "data").iter().chain(items(spec, "dataFrom"));
    let lacks_store = |item: &&Node| {
        let source = value(item, "sourceRef");
        source.is_none_or(|source| {
            value(source, "storeRef").is_none() && value(source, "generatorRef").is_none()
        })
    };
    let mut without = fetched.filter(|item| item.as_mapping().is_some()).filter(lacks_store);
    if let Some(item) = without.next() {
        reporter.report(
            FindingDraft::new(&RULE, start_origin(item), "this item does not name a store")
                .about_object(number)
                .hint("add `secretStoreRef` to the spec, or `sourceRef` to the item"),
        );
    }
}

/// Returns the namespaces of `SecretStores`, by store name.
fn namespaces<'a>(environment: &CheckedEnvironment<'a>) -> HashMap<&'a str, &'a str> {
    let stores = environment.objects.iter().filter(|object| object.is(ESO_GROUP, "SecretStore"));
    stores.map(|store| (store.name, store.namespace)).filter(|(_, namespace)| !namespace.is_empty()).collect()
}

fn references<'a>(object: &CheckedObject<'a>) -> Vec<&'a Node> {
    if object.kind == "PushSecret" {
        let stores = object.manifest.root().items_at(&["spec", "secretStoreRefs"]);
        return stores.iter().collect();
    }
    let Some(spec) = spec(object) else { return Vec::new() };
    spec.get("secretStoreRef")
        .into_iter()
        .chain(sources(spec).filter_map(|source| source.get("storeRef")))
        .collect()
}

fn exists(environment: &CheckedEnvironment<'_>, kind: &str, namespace: &str, name: &str) -> bool {
    let namespace = if kind == "ClusterSecretStore" { "" } else { namespace };
    environment.catalog.find(ESO_GROUP, kind, namespace, name).is_some()
        || environment.neighbors.has_object(ESO_GROUP, kind, namespace, name)
        || environment.context.settings.is_external(kind, namespace, name)
}

/// Returns kind and namespace of each store; the namespace of a cluster-wide store is empty.
fn stores<'a>(environment: &CheckedEnvironment<'a>) -> HashSet<(&'a str, &'a str)> {
    let stores = environment.objects.iter().filter(|object| object.group == ESO_GROUP);
    let namespaced =
        |object: &CheckedObject<'a>| if object.kind == "SecretStore" { object.namespace } else { "" };
    stores.map(|object| (object.kind, namespaced(object))).collect()
}
