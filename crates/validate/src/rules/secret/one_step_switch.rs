//! `secret/one-step-switch`.

use std::collections::BTreeMap;

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::{BackendPair, EarlierBackends, EarlierSupplier};
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleInput, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_kube::pods::ReferencedKind;
use sealwave_secrets::settings::BackendKind;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/one-step-switch",
        severity: Severity::Error,
        summary: "the backend of a Secret that pods use changes in one step",
        text: include_str!("one_step_switch.md"),
    },
    RuleCheck::Environment(check),
)
.depending_on(RuleInput::EarlierRevision);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let earlier = &environment.context.settings.earlier;
    let Some(pair) = environment.name().and_then(|name| earlier.environments.get(name)) else { return };
    let used = used_secrets(environment);
    for ((namespace, name), suppliers) in environment.catalog.supplied() {
        // Several suppliers are reported by other rules, unless one releases the Secret.
        let [number] = suppliers else { continue };
        let (Some(object), Some(at)) = (environment.object(*number), used.get(&(namespace, name))) else {
            continue;
        };
        let file = environment.context.sources.location(object.name_origin()).path;
        let Some(before) = earlier_supplier(earlier, pair, (namespace, name), &file) else { continue };
        let Some(now) = backend_of(object, pair, (namespace, name)) else { continue };
        if before.allows(now) {
            continue;
        }
        let (message, hint) = match before.kind {
            Some(before) => (
                format!("backend changes from `{before}` to `{now}` in one step, and a pod uses the Secret"),
                format!(
                    "release the Secret first: `{{from: {before}, to: {now}}}` in one commit, and `{now}` in the next; `sealwave switch --to {now}` prints the lines"
                ),
            ),
            None => (
                format!("a plain Secret is replaced by `{now}` in one step, and a pod uses it"),
                format!(
                    "release the Secret first: `sealwave switch --to {now}` in the commit before writes the annotations, and this commit follows when they are synced"
                ),
            ),
        };
        let draft = FindingDraft::new(&RULE, object.name_place(), message);
        reporter.report(draft.about_object(*number).related(*at, "a pod uses it here").hint(hint));
    }
}

impl EarlierSupplier {
    /// Reports whether a backend may take the Secret over.
    fn allows(self, now: BackendKind) -> bool {
        match self.kind {
            Some(kind) => kind == now || self.is_released || self.released_to == Some(now),
            None => self.is_released && (self.is_open || now != BackendKind::SealedSecrets),
        }
    }
}

/// Returns what supplied a Secret before. Templates are not rendered as they were, so for their Secrets the app file decides.
fn earlier_supplier(
    earlier: &EarlierBackends,
    pair: &BackendPair,
    (namespace, name): (&str, &str),
    file: &str,
) -> Option<EarlierSupplier> {
    let find = |namespace: &str| pair.suppliers.get(&(namespace.to_owned(), name.to_owned())).copied();
    // A manifest without a namespace got that of the app.
    find(namespace).or_else(|| find("")).or_else(|| {
        earlier.templates.contains(file).then(|| {
            let choice = pair.before.choice_for(namespace, name);
            EarlierSupplier {
                kind: Some(choice.kind),
                released_to: choice.release_to,
                is_released: false,
                is_open: false,
            }
        })
    })
}

/// Returns the backend that an object stands for; a Secret is what the app file makes of it.
fn backend_of(
    object: &CheckedObject<'_>,
    pair: &BackendPair,
    (namespace, name): (&str, &str),
) -> Option<BackendKind> {
    Some(match object.kind {
        "ExternalSecret" => BackendKind::ExternalSecrets,
        "SealedSecret" => BackendKind::SealedSecrets,
        "Secret" => pair.now.choice_for(namespace, name).kind,
        "SecretProviderClass" => BackendKind::SecretsStoreCsi,
        _ => return None,
    })
}

/// Returns the Secrets that pods use, by namespace and name, with the first use of each.
fn used_secrets<'a>(environment: &'a CheckedEnvironment<'_>) -> BTreeMap<(&'a str, &'a str), Origin> {
    let mut used = BTreeMap::new();
    for object in environment.objects.iter().filter(|object| object.pod.is_some()) {
        for located in object.references() {
            if located.reference.kind == ReferencedKind::Secret {
                used.entry((object.namespace, located.reference.name)).or_insert(located.origin);
            }
        }
    }
    used
}
