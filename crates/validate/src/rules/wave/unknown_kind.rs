//! `wave/unknown-kind`.

use crate::facts::scene::CheckedApp;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::text::closest_name;
use sealwave_kube::schema::{PackedRelease, built_in_kinds};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "wave/unknown-kind",
        severity: Severity::Warning,
        summary: "`waves.kinds` sets the wave of a kind that does not exist",
        text: include_str!("unknown_kind.md"),
    },
    RuleCheck::App(check),
);

/// Group and kind.
type GroupKind<'a> = (&'a str, &'a str);

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    if app.settings.wave_kinds.is_empty() {
        return;
    }
    let known = known_kinds(app);
    // An environment that does not render may have objects of any kind.
    let is_complete = app.environments.iter().all(|environment| environment.emitted().is_some());
    for (entry, at) in &app.settings.wave_kinds {
        // Anything else is reported by the stage that reads the setting.
        if entry.matches('/').count() > 1 || known.iter().any(|kind| matches_kind(entry, *kind)) {
            continue;
        }
        let meant = meant_entry(entry, &known);
        if meant.is_none() && !is_complete {
            continue;
        }
        let message = format!("kind `{entry}` is not known, and no object of the app has it");
        let hint = meant.map_or_else(
            || "write `Kind` or `group/Kind` as in the manifests, without the version".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        reporter.report(FindingDraft::new(&RULE, *at, message).hint(hint));
    }
}

/// Returns the kinds of the app's objects, then all that a definition is known of.
fn known_kinds<'a>(app: &'a CheckedApp<'_>) -> Vec<GroupKind<'a>> {
    let mut known: Vec<GroupKind<'a>> = Vec::new();
    for environment in app.environments {
        known.extend(environment.objects.iter().map(|object| (object.group, object.kind)));
        let emitted = environment.emitted().unwrap_or_default();
        known.extend(emitted.iter().map(|object| (object.group(), object.kind())));
    }
    known.extend(app.defined_kinds.iter().copied());
    known.extend(built_in_kinds().collect::<Vec<_>>());
    let packed = PackedRelease::all().iter().flat_map(|release| &release.kinds);
    known.extend(packed.map(|kind| (kind.group.as_str(), kind.kind.as_str())));
    known
}

fn matches_kind(entry: &str, (group, kind): GroupKind<'_>) -> bool {
    match entry.split_once('/') {
        Some((entry_group, entry_kind)) => entry_group == group && entry_kind == kind,
        None => entry == kind,
    }
}

/// Returns the entry that is probably meant: the kind in its group, in another case, or without a typo.
fn meant_entry(entry: &str, known: &[GroupKind<'_>]) -> Option<String> {
    let (group, kind) = entry.split_once('/').map_or((None, entry), |(group, kind)| (Some(group), kind));
    let is_same = |(_, other): &&GroupKind<'_>| other.eq_ignore_ascii_case(kind);
    let in_group = |(other, _): &&GroupKind<'_>| group.is_none_or(|group| group == *other);
    let names = |filter: &dyn Fn(&&GroupKind<'_>) -> bool| {
        let name = closest_name(kind, known.iter().filter(filter).map(|(_, kind)| *kind))?;
        known.iter().filter(filter).find(|(_, kind)| *kind == name)
    };
    let found = known.iter().filter(in_group).find(is_same).or_else(|| known.iter().find(is_same));
    let found = found.or_else(|| names(&in_group)).or_else(|| names(&|_| true));
    found.map(|(found_group, found_kind)| match group {
        // Kinds of the core group are written without a group.
        Some(_) if !found_group.is_empty() => format!("{found_group}/{found_kind}"),
        _ => (*found_kind).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meant_kind_is_found_by_group_case_and_typo() {
        let known = [("", "ConfigMap"), ("apps", "Deployment"), ("batch", "Job"), ("example.com", "Job")];
        for (entry, meant) in [
            ("Deploymnet", Some("Deployment")),
            ("deployment", Some("Deployment")),
            ("apps/Job", Some("batch/Job")),
            ("batch/job", Some("batch/Job")),
            ("example.com/Jobs", Some("example.com/Job")),
            ("app/Deploymnt", Some("apps/Deployment")),
            ("v1/ConfigMap", Some("ConfigMap")),
            ("Widget", None),
        ] {
            assert_eq!(meant_entry(entry, &known).as_deref(), meant, "{entry}");
        }
    }
}
