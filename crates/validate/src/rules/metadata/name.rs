//! `metadata/name`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::LaterStage;
use crate::facts::metadata::shorten;
use crate::facts::name_syntax::is_path_segment;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_core::names::dns::{self, is_label, is_subdomain};
use sealwave_kube::catalog::RBAC_GROUP;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "metadata/name",
        severity: Severity::Error,
        summary: "the name of an object or of its namespace is invalid",
        text: include_str!("name.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::EveryKind);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let root = object.manifest.root();
    let Some(metadata) = object.metadata else { return };
    let stage = LaterStage::for_object(object, context);
    if let Some(name) = metadata.get("name")
        && let Some(text) = name.as_str().filter(|text| !text.is_empty() && !stage.may_fill(text))
    {
        check_name(object, root, name, text, stage, reporter);
    }
    if let Some(prefix) = metadata.get("generateName")
        && let Some(text) = prefix.as_str().filter(|text| !text.is_empty() && !stage.may_fill(text))
        // A generated suffix follows, so a trailing dash is allowed.
        && let Some(wanted) = name_hint(object, &format!("{text}a"))
    {
        reporter.report(
            FindingDraft::new(&RULE, prefix.origin, "`generateName` is not a valid name prefix").hint(wanted),
        );
    }
    if let Some(namespace) = metadata.get("namespace")
        && let Some(text) = namespace.as_str().filter(|text| !text.is_empty() && !stage.may_fill(text))
        && !is_label(text)
        && !context.scopes.is_cluster_scoped(object.group, object.kind)
    {
        let message = format!("`{}` is not a valid namespace name", shorten(text));
        reporter.report(FindingDraft::new(&RULE, namespace.origin, message).hint(LABEL));
    }
}

fn check_name(
    object: &CheckedObject<'_>,
    root: &Node,
    name: &Node,
    text: &str,
    stage: LaterStage,
    reporter: &mut Reporter,
) {
    let kind = object.kind;
    if let Some(wanted) = name_hint(object, text) {
        let message = format!("`{}` is not a valid {kind} name", shorten(text));
        reporter.report(FindingDraft::new(&RULE, name.origin, message).hint(wanted));
        return;
    }
    if object.is("", "Service") && text.starts_with(|c: char| c.is_ascii_digit()) {
        let message = "the name of this Service starts with a digit, which most clusters reject";
        let hint =
            "start it with a letter; only clusters with the feature `RelaxedServiceNameValidation` accept it";
        reporter
            .report(FindingDraft::new(&RULE, name.origin, message).severity(Severity::Warning).hint(hint));
    }
    let Some(parts) = name_paths(object) else { return };
    let part = |path: &[&str]| root.at(path).and_then(Node::as_str).filter(|part| !stage.may_fill(part));
    let (Some(first), Some(second)) = (part(parts.0), part(parts.1)) else { return };
    // For the core group, nothing follows the dot.
    if text.strip_prefix(first).and_then(|rest| rest.strip_prefix('.')) != Some(second) {
        let message = format!("this {kind} must be named `{}.{}`", shorten(first), shorten(second));
        let label = format!("`{}` and `{}` determine the name", parts.0.join("."), parts.1.join("."));
        let at = root.at(parts.1).map_or(name.origin, |node| node.origin);
        reporter.report(
            FindingDraft::new(&RULE, name.origin, message)
                .related(at, label)
                .hint("the API server rejects any other name"),
        );
    }
}

type NamePaths = (&'static [&'static str], &'static [&'static str]);

/// Returns the fields whose values, joined with a dot, must be the name.
fn name_paths(object: &CheckedObject<'_>) -> Option<NamePaths> {
    match (object.group, object.kind) {
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            Some((&["spec", "names", "plural"], &["spec", "group"]))
        }
        ("apiregistration.k8s.io", "APIService") => Some((&["spec", "version"], &["spec", "group"])),
        _ => None,
    }
}

const LABEL: &str = dns::LABEL_HINT;
const SUBDOMAIN: &str = "use lower-case letters, digits, `-` and `.`, at most 253 characters, with a letter or digit at both ends of each part";

/// Returns the hint for an invalid name, or `None` for a valid one.
fn name_hint(object: &CheckedObject<'_>, text: &str) -> Option<&'static str> {
    match (object.group, object.kind) {
        (RBAC_GROUP, _) | ("certificates.k8s.io", "ClusterTrustBundle") => {
            (!is_path_segment(text)).then_some("use anything but `/` and `%`")
        }
        // OpenShift's API servers have rules of their own (`image:tag`).
        (group, _) if group.ends_with(".openshift.io") => {
            (!is_path_segment(text)).then_some("use anything but `/` and `%`")
        }
        // The API server only checks that the name fits into a path.
        ("policy", "PodDisruptionBudget") => {
            (!is_path_segment(text)).then_some("use anything but `/` and `%`")
        }
        ("", "Namespace" | "Service") | ("apps", "StatefulSet") => (!is_label(text)).then_some(LABEL),
        ("batch", "CronJob") if is_subdomain(text) && text.len() > 52 => {
            Some("use at most 52 characters: its Jobs get 11 more")
        }
        _ => (!is_subdomain(text)).then_some(SUBDOMAIN),
    }
}
