//! `external-secrets/data`.

use std::collections::HashMap;

use super::spec::{spec, text};
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, key_origin, set_entries, start_origin, value};
use crate::facts::later_stage::may_change;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_core::names::is_item_key;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "external-secrets/data",
        severity: Severity::Error,
        summary: "an ExternalSecret has no data, a duplicate key, or conflicting policies",
        text: include_str!("data.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = spec(object).filter(|spec| spec.as_mapping().is_some()) else { return };
    let severity = if object.kind == "ExternalSecret" { Severity::Error } else { Severity::Warning };
    let mut report = |at: Origin, message: String, hint: &'static str, severity: Severity| {
        reporter.report(FindingDraft::new(&RULE, at, message).severity(severity).hint(hint));
    };
    if items(spec, "data").is_empty() && items(spec, "dataFrom").is_empty() {
        let at = ["data", "dataFrom"].iter().find(|field| spec.get(field).is_some());
        let message = "ExternalSecret has neither `data` nor `dataFrom`".to_owned();
        let hint = "add what to fetch; a Secret with only literal text does not need an ExternalSecret";
        report(
            at.map_or_else(|| start_origin(spec), |field| key_origin(spec, field)),
            message,
            hint,
            severity,
        );
    }
    for item in items(spec, "dataFrom").iter().filter(|item| item.as_mapping().is_some()) {
        if let Some((message, hint)) = source_fault(item) {
            report(start_origin(item), message.to_owned(), hint, severity);
        }
    }
    if let Some((at, message, hint)) = policy_fault(spec) {
        report(at, message, hint, severity);
    }
    if let Some((at, message, hint)) = type_fault(spec) {
        report(at, message.to_owned(), hint, severity);
    }
    check_keys(spec, severity, reporter);
}

/// Reports keys that are invalid or used twice.
fn check_keys(spec: &Node, severity: Severity, reporter: &mut Reporter) {
    let mut seen: HashMap<&str, Origin> = HashMap::new();
    for key in items(spec, "data").iter().filter_map(|item| item.get("secretKey")) {
        let Some(name) = key.as_str().filter(|name| !may_change(name)) else { continue };
        if !is_valid(name) {
            reporter.report(
                FindingDraft::new(&RULE, key.origin, "`secretKey` is not a valid key of a Secret")
                    .severity(severity)
                    .hint("use letters, digits, `-`, `_` and `.`"),
            );
            continue;
        }
        if let Some(first) = seen.get(name) {
            // Otherwise, the webhook accepts it, and the last one counts.
            let retains = matches!(text(spec, &["target", "deletionPolicy"]), None | Some("Retain"));
            reporter.report(
                FindingDraft::new(&RULE, key.origin, format!("`secretKey` `{name}` is used twice"))
                    .severity(if retains { severity } else { Severity::Warning })
                    .related(*first, "it is first used here")
                    .hint("give each item a key of its own"),
            );
        } else {
            seen.insert(name, key.origin);
        }
    }
}

fn is_valid(key: &str) -> bool {
    is_item_key(key) || key.starts_with("..") && is_item_key(key.trim_start_matches('.'))
}

/// Returns the message and the hint for a bad entry of `dataFrom`.
fn source_fault(item: &Node) -> Option<(&'static str, &'static str)> {
    let source = value(item, "sourceRef");
    let generator = source.and_then(|source| value(source, "generatorRef"));
    let store = source.and_then(|source| value(source, "storeRef"));
    let sources = set_entries(item, &["extract", "find"]).len() + usize::from(generator.is_some());
    match (sources, source) {
        (0, None) => Some((
            "entry of `dataFrom` has nothing to fetch",
            "add `extract`, `find` or `sourceRef` with a generator",
        )),
        (0, Some(_)) if store.is_none() => {
            Some(("`sourceRef` names neither a store nor a generator", "add `storeRef` or `generatorRef`"))
        }
        (0 | 1, _) => None,
        _ => Some((
            "entry of `dataFrom` has more than one of `extract`, `find` and a generator",
            "write a separate entry for each",
        )),
    }
}

/// Returns position, message and hint for policies that exclude each other.
fn policy_fault(spec: &Node) -> Option<(Origin, String, &'static str)> {
    let target = spec.get("target")?;
    let deletion = target.get("deletionPolicy")?;
    let creation = text(target, &["creationPolicy"])?;
    let hint = match (deletion.as_str()?, creation) {
        ("Delete", "CreateOrMerge" | "Merge" | "None") => {
            "write `creationPolicy: Owner`, or `deletionPolicy: Retain`: only the owner may delete the Secret"
        }
        ("Merge", "None") => "write `deletionPolicy: Retain`: no Secret exists to remove items from",
        _ => return None,
    };
    let message = format!(
        "`deletionPolicy` `{}` excludes `creationPolicy` `{creation}`",
        deletion.as_str().unwrap_or_default()
    );
    Some((deletion.origin, message, hint))
}

/// Returns position, message and hint for a Secret type that would give access to the cluster.
fn type_fault(spec: &Node) -> Option<(Origin, &'static str, &'static str)> {
    let template = spec.at(&["target", "template"])?;
    let kind = template.get("type")?;
    let account = template.at(&["metadata", "annotations", "kubernetes.io/service-account.name"]);
    let message = match kind.as_str()? {
        "bootstrap.kubernetes.io/token" => "ExternalSecret cannot create a bootstrap token",
        "kubernetes.io/service-account-token" if account.is_some() => {
            "ExternalSecret cannot create a service account token"
        }
        _ => return None,
    };
    Some((kind.origin, message, "omit `type`, or create this Secret in another way"))
}
