//! `external-secrets/refresh`.

use super::spec::{sources, spec, text};
use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::is_template;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_core::time::duration::nanos;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "external-secrets/refresh",
        severity: Severity::Warning,
        summary: "an ExternalSecret has an invalid refresh interval, or is refreshed when it should not be",
        text: include_str!("refresh.md"),
    },
    RuleCheck::Object(check),
);

/// Generators that return a new value each time by default.
const RANDOM: &[&str] = &["Password", "SSHKey", "UUID"];

/// A parsed `refreshInterval`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RefreshInterval {
    Default,
    Malformed,
    Never,
    Some,
}

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = spec(object) else { return };
    let node = spec.get("refreshInterval");
    if context.is_plain && node.and_then(Node::as_str).is_some_and(is_template) {
        return;
    }
    let interval = read(node);
    let policy = text(spec, &["refreshPolicy"]).unwrap_or_default();
    let once = matches!(policy, "CreatedOnce" | "OnChange");
    if let Some(node) = node {
        let finding = match interval {
            RefreshInterval::Malformed => Some((
                Severity::Error,
                "`refreshInterval` is not a duration string",
                "write for example 24h: the units are h, m, s and smaller ones",
            )),
            RefreshInterval::Never if policy == "Periodic" => Some((
                Severity::Warning,
                "`refreshInterval` is zero, so nothing is refreshed",
                "write an interval, or `refreshPolicy: CreatedOnce`",
            )),
            RefreshInterval::Never if !once => Some((
                Severity::Note,
                "`refreshInterval` is zero: a rotated value never arrives",
                "write an interval, for example 1h, or `refreshPolicy: CreatedOnce` if that is intended",
            )),
            RefreshInterval::Some if once => Some((
                Severity::Note,
                "`refreshInterval` is ignored with this `refreshPolicy`",
                "remove one of them",
            )),
            _ => None,
        };
        if let Some((severity, message, hint)) = finding {
            reporter.report(FindingDraft::new(&RULE, node.origin, message).severity(severity).hint(hint));
        }
    }
    let repeats = matches!(interval, RefreshInterval::Default | RefreshInterval::Some) && !once;
    if let Some((kind, at)) = generator(spec).filter(|_| repeats) {
        let message = format!("generator {kind} creates a new value at every refresh");
        reporter.report(
            FindingDraft::new(&RULE, at, message)
                .hint("write `refreshPolicy: CreatedOnce`, or `refreshInterval: \"0\"`"),
        );
    }
}

fn read(node: Option<&Node>) -> RefreshInterval {
    let Some(node) = node else { return RefreshInterval::Default };
    match node.as_str() {
        Some("0") => RefreshInterval::Never,
        Some(text) => match (text.strip_prefix('-'), nanos(text.trim_start_matches(['-', '+']))) {
            (_, None) => RefreshInterval::Malformed,
            (_, Some(0)) | (Some(_), _) => RefreshInterval::Never,
            _ => RefreshInterval::Some,
        },
        None if matches!(node.value, sealwave_core::document::NodeValue::Null) => RefreshInterval::Default,
        None => RefreshInterval::Malformed,
    }
}

fn generator(spec: &Node) -> Option<(&'static str, Origin)> {
    sources(spec).find_map(|source| {
        let kind = source.at(&["generatorRef", "kind"])?;
        let text = kind.as_str()?;
        RANDOM.iter().find(|known| **known == text).map(|known| (*known, kind.origin))
    })
}
