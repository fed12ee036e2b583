//! `resource/unfilled`.

use std::collections::BTreeSet;

use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::is_template;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RuleOverlap, RulePage};
use sealwave_core::diagnostic::{Severity, printable};
use sealwave_core::document::{Node, Origin};
use sealwave_kube::catalog::{ESO_GROUP, RBAC_GROUP};
use sealwave_kube::template_name;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/unfilled",
        severity: Severity::Error,
        summary: "a name, label, image or host of an app is a template that is never filled in",
        text: include_str!("unfilled.md"),
    },
    RuleCheck::Environment(check),
)
.yielding_to(RuleOverlap::RejectedPlace);

/// Maximum number of further positions shown per object.
const SHOWN: usize = 8;
/// Maximum length of a variable's name that is shown.
const MAX_NAME: usize = 40;

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    if environment.is_plain() {
        return;
    }
    let mut found: Vec<Vec<Origin>> = environment.objects.iter().map(unfilled_in_object).collect();
    let wants = environment.inventory.requirements().iter().filter(|want| is_template(want.name));
    for want in wants.filter(|want| environment.object(want.object).is_some_and(is_never_filled)) {
        if let Some(places) = want.object.of_mut(&mut found) {
            places.push(want.at);
        }
    }
    for used in environment.secrets().iter().filter(|used| is_template(&used.reference.path)) {
        if let Some(places) = used.object.of_mut(&mut found) {
            places.push(used.origin);
        }
    }
    for ((number, _), mut places) in environment.indexed_objects().zip(found) {
        places.sort_unstable();
        places.dedup();
        let images = environment.object(number).map(images).unwrap_or_default();
        let leftovers: Vec<Leftover> =
            places.into_iter().map(|at| Leftover::find(at, images.contains(&at), environment)).collect();
        if let Some((first, others)) = leftovers.split_first() {
            let draft = FindingDraft::new(&RULE, first.at, "this template is never filled in")
                .within(first.string)
                .about_object(number)
                .hint(first.hint());
            let with_related =
                |draft: FindingDraft, other: &Leftover| draft.related(other.at, "another one is here");
            reporter.report(others.iter().take(SHOWN).fold(draft, with_related));
        }
    }
}

/// Returns the positions of the images of an object.
fn images(object: &CheckedObject<'_>) -> BTreeSet<Origin> {
    object.containers().filter_map(|container| container.get("image")).map(|image| image.origin).collect()
}

/// The rest of a template in a string.
struct Leftover {
    at: Origin,
    /// The string that contains it.
    string: Origin,
    /// The name of the variable, if it is `${NAME}`.
    variable: Option<String>,
    is_variable: bool,
    /// The file name.
    file: String,
}

impl Leftover {
    /// Finds the rest of a template in a string. Its position is that of its braces in an image; elsewhere, that of the
    /// string, where other rules report what the API server refuses.
    fn find(string: Origin, is_image: bool, environment: &CheckedEnvironment<'_>) -> Self {
        let context = &environment.context;
        let path = context.sources.location(string).path;
        let file = printable(path.rsplit('/').next().unwrap_or(&path));
        let spelling = context.texts.spelling(string).unwrap_or_default();
        let braces = [("{{", "}}"), ("${", "}")].into_iter().filter_map(|(open, close)| {
            let start = spelling.find(open)?;
            let length = spelling.get(start..)?.find(close)? + close.len();
            Some((start, length))
        });
        let Some((start, length)) = braces.min() else {
            return Self { at: string, string, variable: None, is_variable: false, file };
        };
        let count =
            |text: Option<&str>| u32::try_from(text.unwrap_or_default().chars().count()).unwrap_or(u32::MAX);
        let text = spelling.get(start..start + length);
        let column = string.column.saturating_add(count(spelling.get(..start)));
        let at = if is_image { Origin { column, width: count(text), ..string } } else { string };
        let is_variable = text.is_some_and(|text| text.starts_with('$'));
        let variable = text.and_then(variable_name).map(str::to_owned);
        Self { at, string, variable, is_variable, file }
    }

    fn hint(&self) -> String {
        let tag = format!("{{{{{}}}}}", self.variable.as_deref().unwrap_or("name"));
        let is_template = self.file.rsplit_once('.').is_some_and(|(_, extension)| extension == "hbs");
        let renamed = template_name(&self.file);
        match (is_template, self.is_variable) {
            (true, true) => {
                format!("variables of the shell are not replaced: write `{tag}`, and define it in `values.yaml`")
            }
            (true, false) => "remove the backslash before `{{`; tags in values are not evaluated: write them in the template"
                .to_owned(),
            (false, true) => format!(
                "variables of the shell are not replaced: rename the file to `{renamed}`, write `{tag}`, and define it in \
                 `values.yaml`"
            ),
            (false, false) => format!("only `*.hbs` files are templates: rename the file to `{renamed}`"),
        }
    }
}

/// Returns the name in `${NAME}`, possibly with a default.
fn variable_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    let is_name =
        name.len() <= MAX_NAME && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && !name.is_empty()).then_some(name)
}

/// Returns the positions of templates in an object that are never filled in. For other groups, this is only the metadata,
/// because their controllers may fill in the rest.
fn unfilled_in_object(object: &CheckedObject<'_>) -> Vec<Origin> {
    let mut found = Vec::new();
    let root = object.manifest.root();
    collect_metadata(root.get("metadata"), &mut found);
    if !is_never_filled(object) {
        return found;
    }
    if let Some(pod) = object.pod.as_ref().filter(|pod| !pod.path.is_empty()) {
        collect_metadata(root.at(&pod.path).and_then(|template| template.get("metadata")), &mut found);
        collect_labels(root.at(&["spec", "selector", "matchLabels"]), &mut found);
    }
    for container in object.containers() {
        found.extend(container.get("image").and_then(template_at));
    }
    for path in fields(object) {
        collect_at(root, path, &mut found);
    }
    found
}

/// Returns whether the fields of an object are literal: workflow and policy engines have templates of their own.
fn is_never_filled(object: &CheckedObject<'_>) -> bool {
    let is_kubernetes = !object.group.contains('.') || object.group.ends_with(".k8s.io");
    is_kubernetes
        || matches!(
            (object.group, object.kind),
            ("argoproj.io", "Rollout")
                | ("cert-manager.io" | "keda.sh", _)
                | (ESO_GROUP, "ExternalSecret")
                | ("serving.knative.dev", "Service")
        )
}

/// Returns the paths to names, references and hosts; `*` stands for each item of a list.
fn fields(object: &CheckedObject<'_>) -> &'static [&'static [&'static str]] {
    match (object.group, object.kind) {
        ("", "Service") => &[&["spec", "externalName"], &["spec", "selector"]],
        ("networking.k8s.io", "Ingress") => &[
            &["spec", "ingressClassName"],
            &["spec", "defaultBackend", "service", "name"],
            &["spec", "rules", "*", "host"],
            &["spec", "rules", "*", "http", "paths", "*", "backend", "service", "name"],
            &["spec", "tls", "*", "hosts", "*"],
        ],
        ("gateway.networking.k8s.io", _) => &[
            &["spec", "hostnames", "*"],
            &["spec", "listeners", "*", "hostname"],
            &["spec", "parentRefs", "*", "name"],
            &["spec", "rules", "*", "backendRefs", "*", "name"],
        ],
        ("autoscaling" | "keda.sh", _) => &[&["spec", "scaleTargetRef", "name"]],
        ("policy", "PodDisruptionBudget") => &[&["spec", "selector", "matchLabels"]],
        (RBAC_GROUP, _) => {
            &[&["roleRef", "name"], &["subjects", "*", "name"], &["subjects", "*", "namespace"]]
        }
        (ESO_GROUP, "ExternalSecret") => &[
            &["spec", "secretStoreRef", "name"],
            &["spec", "target", "name"],
            &["spec", "data", "*", "remoteRef", "key"],
            &["spec", "dataFrom", "*", "extract", "key"],
        ],
        ("cert-manager.io", "Certificate") => {
            &[&["spec", "secretName"], &["spec", "issuerRef", "name"], &["spec", "dnsNames", "*"]]
        }
        _ => &[],
    }
}

fn collect_metadata(node: Option<&Node>, found: &mut Vec<Origin>) {
    let Some(node) = node else { return };
    found.extend(["name", "namespace"].iter().filter_map(|field| node.get(field)).filter_map(template_at));
    collect_labels(node.get("labels"), found);
}

fn collect_labels(node: Option<&Node>, found: &mut Vec<Origin>) {
    for entry in node.and_then(Node::as_mapping).map_or(&[][..], |labels| labels.entries()) {
        found.extend(is_template(&entry.key).then_some(entry.key_origin));
        found.extend(template_at(&entry.value));
    }
}

/// Collects the templates at the end of a path, in strings and in label mappings.
fn collect_at(node: &Node, path: &[&str], found: &mut Vec<Origin>) {
    match path.split_first() {
        Some((&"*", rest)) => node.items().iter().for_each(|item| collect_at(item, rest, found)),
        Some((key, rest)) => node.get(key).into_iter().for_each(|node| collect_at(node, rest, found)),
        None if node.as_mapping().is_some() => collect_labels(Some(node), found),
        None => found.extend(template_at(node)),
    }
}

fn template_at(node: &Node) -> Option<Origin> {
    node.as_str().filter(|text| is_template(text)).map(|_| node.origin)
}
