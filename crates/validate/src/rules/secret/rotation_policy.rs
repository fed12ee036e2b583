//! `secret/rotation-policy`.

use std::collections::BTreeSet;

use crate::facts::scene::{CheckedApp, CheckedEnvironment};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_core::text::closest_name;
use sealwave_secrets::settings::{RotationEntry, RotationMode};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/rotation-policy",
        severity: Severity::Error,
        summary: "an entry of `rotation` matches no Secret, or lacks who rotates it and why",
        text: include_str!("rotation_policy.md"),
    },
    RuleCheck::App(check),
);

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    if app.settings.rotation.is_empty() {
        return;
    }
    let secrets = all_secrets(app);
    // An environment that does not render may have any Secret.
    let is_complete = app.environments.iter().all(|environment| environment.emitted().is_some());
    let mut earlier: Vec<&RotationEntry> = Vec::new();
    for (entry, at) in &app.settings.rotation {
        if is_complete {
            check_effect(entry, &earlier, &secrets, *at, reporter);
        }
        check_environments(app, entry, *at, reporter);
        check_manual(entry, *at, reporter);
        earlier.push(entry);
    }
}

/// A Secret of an environment: environment, namespace and name.
type EnvironmentSecret<'a> = (&'a str, &'a str, &'a str);

/// Returns the Secrets that the objects of the app create.
fn all_secrets<'a>(app: &'a CheckedApp<'_>) -> BTreeSet<EnvironmentSecret<'a>> {
    let all = app.environments.iter().flat_map(|environment| {
        let name = environment.name().unwrap_or_default();
        environment.catalog.supplied().map(move |((namespace, secret), _)| (name, namespace, secret))
    });
    all.collect()
}

/// Reports an entry that is about no Secret, or only about Secrets of entries before it.
fn check_effect(
    entry: &RotationEntry,
    earlier: &[&RotationEntry],
    secrets: &BTreeSet<EnvironmentSecret<'_>>,
    at: Origin,
    reporter: &mut Reporter,
) {
    let matches = |entry: &RotationEntry, (environment, namespace, name): &EnvironmentSecret<'_>| {
        entry.matches(environment, namespace, name)
    };
    let own: Vec<_> = secrets.iter().filter(|secret| matches(entry, secret)).collect();
    if own.is_empty() {
        let names: BTreeSet<&str> = secrets.iter().map(|(_, _, name)| *name).collect();
        let hint = closest_name(&entry.secret.to_string(), names).map_or_else(
            || "remove the entry, or correct its pattern; `sealwave status` lists the Secrets".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        let message = format!("entry `{}` matches no Secret of the app", entry.secret);
        reporter.report(FindingDraft::new(&RULE, at, message).hint(hint));
    } else if own.iter().all(|secret| earlier.iter().any(|entry| matches(entry, secret))) {
        let message = format!("entry `{}` has no effect: entries before it match its Secrets", entry.secret);
        let hint = "for each Secret, the first entry that matches it applies; move this one up, or remove it";
        let draft = FindingDraft::new(&RULE, at, message).severity(Severity::Warning);
        reporter.report(draft.hint(hint));
    }
}

/// Reports environments that the app does not have.
fn check_environments(app: &CheckedApp<'_>, entry: &RotationEntry, at: Origin, reporter: &mut Reporter) {
    let examined = app.environments.iter().filter_map(CheckedEnvironment::name);
    let declared = app.settings.without_directory.iter().map(|(name, _)| name.as_str());
    let others = app.settings.only_directories.iter().map(String::as_str);
    let known: BTreeSet<&str> = examined.chain(declared).chain(others).collect();
    for name in entry.environments.iter().filter(|name| !known.contains(name.as_str())) {
        let message = format!("entry `{}` names an environment that the app does not have", entry.secret);
        let hint = closest_name(name, known.iter().copied())
            .map_or_else(|| "correct the name".to_owned(), |meant| format!("did you mean `{meant}`?"));
        reporter.report(FindingDraft::new(&RULE, at, message).severity(Severity::Warning).hint(hint));
    }
}

/// Reports a rotation by hand without the person who does it, the reason, or the maximum age.
fn check_manual(entry: &RotationEntry, at: Origin, reporter: &mut Reporter) {
    if entry.rotation != RotationMode::Manual {
        return;
    }
    let fields = [
        ("maxAge", entry.max_age.is_none()),
        ("owner", entry.owner.is_none()),
        ("reason", entry.reason.is_none()),
    ];
    let missing: Vec<String> =
        fields.iter().filter(|(_, is_missing)| *is_missing).map(|(field, _)| format!("`{field}`")).collect();
    if !missing.is_empty() {
        let message = format!("entry `{}` is manual and lacks {}", entry.secret, missing.join(", "));
        let hint = "say how often it must be rotated, who does it, and why no program can";
        reporter.report(FindingDraft::new(&RULE, at, message).severity(Severity::Warning).hint(hint));
    }
}
