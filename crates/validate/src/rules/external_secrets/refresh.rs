//! `external-secrets/refresh`.

use super::{sources, spec, text};
use crate::rules::later_stage::is_template;
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_core::time::duration::nanos;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "external-secrets/refresh",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an ExternalSecret has an invalid refresh interval, or is refreshed when it should not be",
        page: include_str!("refresh.md"),
    },
    check: Check::Object(check),
};

/// Generators that give another value each time, without being asked to.
const RANDOM: &[&str] = &["Password", "SSHKey", "UUID"];

/// What an interval says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interval {
    Default,
    Malformed,
    Never,
    Some,
}

fn check(object: &Object<'_>, scene: &Scene<'_>, reporter: &mut Reporter) {
    let Some(spec) = spec(object) else { return };
    let node = spec.get("refreshInterval");
    if scene.is_plain && node.and_then(Node::as_str).is_some_and(is_template) {
        return;
    }
    let interval = read(node);
    let policy = text(spec, &["refreshPolicy"]).unwrap_or_default();
    let once = matches!(policy, "CreatedOnce" | "OnChange");
    if let Some(node) = node {
        let said = match interval {
            Interval::Malformed => Some((
                Severity::Error,
                "`refreshInterval` is no duration in a string",
                "write for example 24h: units are h, m, s and smaller ones",
            )),
            Interval::Never if policy == "Periodic" => Some((
                Severity::Warning,
                "`refreshInterval` is zero, so nothing is refreshed",
                "write an interval, or `refreshPolicy: CreatedOnce`",
            )),
            Interval::Never if !once => Some((
                Severity::Note,
                "`refreshInterval` is zero: a rotated value never arrives",
                "write an interval, for example 1h, or `refreshPolicy: CreatedOnce` if that is wanted",
            )),
            Interval::Some if once => Some((
                Severity::Note,
                "`refreshInterval` does not count with this `refreshPolicy`",
                "leave one of them out",
            )),
            _ => None,
        };
        if let Some((severity, message, hint)) = said {
            reporter.report(Draft::new(&RULE, node.origin, message).severity(severity).hint(hint));
        }
    }
    let repeats = matches!(interval, Interval::Default | Interval::Some) && !once;
    if let Some((kind, at)) = generator(spec).filter(|_| repeats) {
        let message = format!("generator {kind} makes a new value at every refresh");
        reporter.report(
            Draft::new(&RULE, at, message)
                .hint("write `refreshPolicy: CreatedOnce`, or `refreshInterval: \"0\"`"),
        );
    }
}

fn read(node: Option<&Node>) -> Interval {
    let Some(node) = node else { return Interval::Default };
    match node.as_str() {
        Some("0") => Interval::Never,
        Some(text) => match (text.strip_prefix('-'), nanos(text.trim_start_matches(['-', '+']))) {
            (_, None) => Interval::Malformed,
            (_, Some(0)) | (Some(_), _) => Interval::Never,
            _ => Interval::Some,
        },
        None if matches!(node.value, sealwave_core::document::Value::Null) => Interval::Default,
        None => Interval::Malformed,
    }
}

fn generator(spec: &Node) -> Option<(&'static str, Origin)> {
    sources(spec).find_map(|source| {
        let kind = source.at(&["generatorRef", "kind"])?;
        let text = kind.as_str()?;
        RANDOM.iter().find(|known| **known == text).map(|known| (*known, kind.origin))
    })
}
