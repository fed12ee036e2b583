//! `argocd/annotation`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Mapping, MappingEntry};
use sealwave_core::names;
use sealwave_core::text::closest_name;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "argocd/annotation",
        severity: Severity::Warning,
        summary: "an annotation for Argo CD has a value that Argo CD does not understand",
        text: include_str!("annotation.md"),
    },
    RuleCheck::Object(check),
);

const DELETE_POLICY: &str = names::ARGOCD_HOOK_DELETE_POLICY;
const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
const HELM_HOOK: &str = names::HELM_HOOK;

/// Annotations of an object that Argo CD reads.
const READ: &[&str] = &[
    names::ARGOCD_HOOK,
    names::ARGOCD_SYNC_OPTIONS,
    names::ARGOCD_SYNC_WAVE,
    COMPARE_OPTIONS,
    DELETE_POLICY,
];
const HELM_HOOKS: &[&str] = &[
    "crd-install",
    "post-delete",
    "post-install",
    "post-rollback",
    "post-upgrade",
    "pre-delete",
    "pre-install",
    "pre-rollback",
    "pre-upgrade",
    "test",
    "test-failure",
    "test-success",
];
const HOOKS: &[&str] = &["PostDelete", "PostSync", "PreDelete", "PreSync", "Skip", "Sync", "SyncFail"];
const POLICIES: &[&str] = &["BeforeHookCreation", "HookFailed", "HookSucceeded"];

/// Sync options of an object, with their allowed values.
const SYNC_OPTIONS: &[(&str, &[&str])] = &[
    ("ClientSideApplyMigration", &["false", "true"]),
    ("ControllerReferencesOnly", &["false", "true"]),
    ("Delete", &["confirm", "false", "true"]),
    ("Force", &["false", "true"]),
    ("Prune", &["confirm", "false", "true"]),
    ("PruneLast", &["false", "true"]),
    ("Replace", &["false", "true"]),
    ("ServerSideApply", &["false", "true"]),
    ("SkipDryRunOnMissingResource", &["false", "true"]),
    ("Validate", &["false", "true"]),
];

/// Sync options that only an Application supports.
const APPLICATION_OPTIONS: &[&str] = &[
    "ApplyOutOfSyncOnly",
    "CreateNamespace",
    "FailOnSharedResource",
    "PrunePropagationPolicy",
    "RespectIgnoreDifferences",
];

const COMPARISONS: &[(&str, &[&str])] = &[
    ("IgnoreExtraneous", &["", "true"]),
    ("IgnoreResourceUpdates", &["false", "true"]),
    ("IncludeMutationWebhook", &["false", "true"]),
    ("ServerSideDiff", &["false", "true"]),
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let fields = |field| object.metadata.and_then(|metadata| metadata.get(field)?.as_mapping());
    for draft in fields("labels").into_iter().flat_map(Mapping::entries).filter_map(check_label) {
        reporter.report(draft);
    }
    let Some(annotations) = fields("annotations") else { return };
    for entry in annotations.entries() {
        let found = match entry.key.as_str() {
            HELM_HOOK => check_helm_hook(entry, object),
            key if !key.starts_with(names::ARGOCD_DOMAIN) => None,
            // For an app, the stage that chooses waves reports invalid ones.
            names::ARGOCD_SYNC_WAVE if context.is_plain => check_wave(entry),
            names::ARGOCD_HOOK => check_hook(entry, object),
            names::ARGOCD_SYNC_OPTIONS => check_options(entry, SYNC_OPTIONS, "sync option"),
            DELETE_POLICY => check_delete_policy(entry),
            COMPARE_OPTIONS => check_options(entry, COMPARISONS, "compare option"),
            key => check_spelling(key, entry),
        };
        if let Some(draft) = found {
            reporter.report(draft);
        }
    }
}

/// Reports an Argo CD annotation that is set as a label.
fn check_label(entry: &MappingEntry) -> Option<FindingDraft> {
    let is_read = entry.key.starts_with(names::ARGOCD_DOMAIN) && READ.contains(&entry.key.as_str());
    is_read.then(|| {
        let message = format!("`{}` is set as a label, which Argo CD does not read", entry.key);
        FindingDraft::new(&RULE, entry.key_origin, message).hint("move it to `metadata.annotations`")
    })
}

/// Reports an unknown name that is close to one that Argo CD reads.
fn check_spelling(key: &str, entry: &MappingEntry) -> Option<FindingDraft> {
    let name = key.strip_prefix(names::ARGOCD_DOMAIN)?.strip_prefix('/')?;
    let known = READ.iter().filter_map(|known| known.rsplit_once('/')).map(|(_, known)| known);
    let meant = closest_name(name, known)?;
    let message = format!("`{key}` is not an Argo CD annotation");
    let hint = format!("did you mean `{}/{meant}`?", names::ARGOCD_DOMAIN);
    Some(FindingDraft::new(&RULE, entry.key_origin, message).hint(hint))
}

/// Reports phases of a Helm hook that Helm does not know: Argo CD runs the object in those that it knows.
fn check_helm_hook(entry: &MappingEntry, object: &CheckedObject<'_>) -> Option<FindingDraft> {
    let unknown = parts(entry).find(|part| !HELM_HOOKS.contains(part))?;
    if object.manifest.annotation(names::ARGOCD_HOOK).is_some() {
        return None;
    }
    let hint = suggestion(unknown, HELM_HOOKS);
    let at = entry.value.origin;
    Some(if parts(entry).any(|part| HELM_HOOKS.contains(&part)) {
        FindingDraft::new(&RULE, at, "one of the hook's phases is not known to Helm").hint(hint)
    } else {
        FindingDraft::new(&RULE, at, "the hook has no phase that Helm knows, so the object is never applied")
            .severity(Severity::Error)
            .hint(hint)
    })
}

fn check_wave(entry: &MappingEntry) -> Option<FindingDraft> {
    let text = entry.value.as_str()?;
    text.parse::<i64>().is_err().then(|| {
        FindingDraft::new(&RULE, entry.value.origin, "the sync wave is not an integer, so it counts as 0")
            .hint("write an integer in quotes, for example \"-1\"")
    })
}

fn parts(entry: &MappingEntry) -> impl Iterator<Item = &str> {
    entry.value.as_str().unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn check_hook(entry: &MappingEntry, object: &CheckedObject<'_>) -> Option<FindingDraft> {
    let unknown = parts(entry).find(|part| !HOOKS.contains(part));
    let has_phase = parts(entry).any(|part| HOOKS.contains(&part));
    if unknown.is_none() && has_phase || entry.value.as_str().is_none() {
        return None;
    }
    let at = entry.value.origin;
    let hint = unknown.map_or_else(|| allowed_values(HOOKS), |unknown| suggestion(unknown, HOOKS));
    Some(if has_phase {
        FindingDraft::new(&RULE, at, "one of the hook's phases is not known to Argo CD").hint(hint)
    } else if object.manifest.annotation(HELM_HOOK).is_some() {
        FindingDraft::new(&RULE, at, "the hook has no phase that Argo CD knows, so Helm's annotation counts")
            .hint(hint)
    } else {
        FindingDraft::new(
            &RULE,
            at,
            "the hook has no phase that Argo CD knows, so the object is never applied",
        )
        .severity(Severity::Error)
        .hint(hint)
    })
}

fn check_delete_policy(entry: &MappingEntry) -> Option<FindingDraft> {
    let unknown = parts(entry).find(|part| !POLICIES.contains(part))?;
    Some(
        FindingDraft::new(
            &RULE,
            entry.value.origin,
            "a delete policy is not known to Argo CD, and has no effect",
        )
        .hint(suggestion(unknown, POLICIES)),
    )
}

fn check_options(entry: &MappingEntry, known: &[(&str, &[&str])], noun: &str) -> Option<FindingDraft> {
    let draft = |message: String, hint: String| {
        Some(FindingDraft::new(&RULE, entry.value.origin, message).hint(hint))
    };
    for part in parts(entry) {
        let (name, value) =
            part.split_once('=').map_or((part, ""), |(name, value)| (name.trim(), value.trim()));
        let Some((name, values)) = known.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            if let Some(option) = APPLICATION_OPTIONS.iter().find(|option| **option == name) {
                let hint = "set it under `spec.syncPolicy.syncOptions` of the Application".to_owned();
                return draft(format!("{noun} `{option}` has no effect on an object"), hint);
            }
            return draft(
                format!("a {noun} is not known to Argo CD, and has no effect"),
                suggestion(name, &names),
            );
        };
        if !values.contains(&value) {
            return draft(
                format!("{noun} `{name}` has a value that Argo CD does not know"),
                allowed_values(values),
            );
        }
    }
    None
}

fn suggestion(unknown: &str, known: &[&str]) -> String {
    match closest_name(unknown, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => allowed_values(known),
    }
}

fn allowed_values(known: &[&str]) -> String {
    let known: Vec<&str> = known.iter().copied().filter(|name| !name.is_empty()).collect();
    format!("use one of {}", sealwave_core::text::quoted_list(&known))
}
