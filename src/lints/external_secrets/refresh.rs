//! `external-secrets/refresh`.

use super::{sources, spec, text};
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::later_stage::is_template;
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::duration::nanos;
use crate::model::{Node, Origin};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "external-secrets/refresh",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an ExternalSecret is refreshed never, or when it should not be",
        explanation: "`refreshInterval` is a Go duration in a string (`1h`, `30m`; there is no unit for days); the controller \
                      cannot read an object with anything else. `0` fetches once: a rotated value never arrives. The interval \
                      counts only with `refreshPolicy: Periodic`, which is the default, as `1h` is for the interval.\n\n\
                      A generator of passwords, UUIDs or SSH keys makes a new one at every refresh: a database that was set up \
                      with the first one refuses the next after an hour.",
        example: "kind: ExternalSecret\nspec:\n  refreshInterval: 1d\n",
        remedy: "Write a duration in hours or less. For a value that shall be made once, say so:\n\n\
                 ```yaml\nrefreshPolicy: CreatedOnce\n```",
    },
    check: Check::Object(check),
};

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

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
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
            reporter.report(Draft::new(&RULE, node.origin, message).severity(severity).hint(hint));
        }
    }
    let repeats = matches!(interval, RefreshInterval::Default | RefreshInterval::Some) && !once;
    if let Some((kind, at)) = generator(spec).filter(|_| repeats) {
        let message = format!("generator {kind} creates a new value at every refresh");
        reporter.report(
            Draft::new(&RULE, at, message)
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
        None if matches!(node.value, crate::model::Value::Null) => RefreshInterval::Default,
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
