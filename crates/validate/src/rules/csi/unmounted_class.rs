//! `csi/unmounted-class`.

use std::collections::{HashMap, HashSet};

use crate::facts::checked_object::CheckedObject;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_kube::catalog::STORE_CSI_GROUP;
use sealwave_kube::pods::ReferencedKind;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "csi/unmounted-class",
        severity: Severity::Error,
        summary: "a SecretProviderClass is not mounted by any pod",
        text: include_str!("unmounted_class.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let is_class = |object: &CheckedObject<'_>| object.is(STORE_CSI_GROUP, "SecretProviderClass");
    if !environment.objects.iter().any(is_class) {
        return;
    }
    let pods = PodSecretNeeds::new(environment);
    for (number, class) in environment.indexed_objects().filter(|(_, object)| is_class(object)) {
        if class.name.is_empty() || pods.mounted.contains(&(class.namespace, class.name)) {
            continue;
        }
        if let Some((name, at, used)) = needed_secret(environment, class, &pods) {
            let severity = if environment.is_plain() { Severity::Warning } else { Severity::Error };
            reporter.report(
                FindingDraft::new(
                    &RULE,
                    at,
                    format!("Secret `{name}` exists only while a pod mounts the class, and no pod does"),
                )
                .severity(severity)
                .about_object(number)
                .related(used, "a pod needs the Secret here")
                .hint("mount the class as a `csi` volume in the pods that need its Secret"),
            );
        } else if !environment.is_plain() {
            reporter.report(
                FindingDraft::new(&RULE, class.name_place(), "no pod mounts this class, so it does nothing")
                    .severity(Severity::Note)
                    .about_object(number)
                    .hint("mount it as a `csi` volume, or remove it"),
            );
        }
    }
}

/// The classes that pods mount and the Secrets that they need, by namespace and name.
#[derive(Default)]
struct PodSecretNeeds<'a> {
    mounted: HashSet<(&'a str, &'a str)>,
    secrets: HashMap<(&'a str, &'a str), Origin>,
}

impl<'a> PodSecretNeeds<'a> {
    fn new(environment: &CheckedEnvironment<'a>) -> Self {
        let mut pods = Self::default();
        for object in environment.objects.iter().filter(|object| object.pod.is_some()) {
            for located in object.references() {
                let key = (object.namespace, located.reference.name);
                match located.reference.kind {
                    ReferencedKind::SecretProviderClass => {
                        pods.mounted.insert(key);
                    }
                    ReferencedKind::Secret if !located.reference.optional => {
                        pods.secrets.entry(key).or_insert(located.origin);
                    }
                    _ => {}
                }
            }
        }
        pods
    }
}

/// Returns a Secret of the class that a pod needs and nothing else creates: its name, the name's position, and the use.
fn needed_secret<'a>(
    environment: &CheckedEnvironment<'_>,
    class: &CheckedObject<'a>,
    pods: &PodSecretNeeds<'_>,
) -> Option<(&'a str, Origin, Origin)> {
    let made = class.manifest.root().items_at(&["spec", "secretObjects"]);
    made.iter().filter_map(|secret| secret.get("secretName")).find_map(|node| {
        let name = node.as_str()?;
        let used = pods.secrets.get(&(class.namespace, name))?;
        let alone = environment.catalog.suppliers(class.namespace, name).len() < 2;
        alone.then_some((name, node.origin, *used))
    })
}
