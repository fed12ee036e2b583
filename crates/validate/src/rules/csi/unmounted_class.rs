//! `csi/unmounted-class`.

use std::collections::{HashMap, HashSet};

use crate::rules::{Check, Draft, Environment, Object, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_kube::catalogue::STORE_CSI;
use sealwave_kube::pods::What;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "csi/unmounted-class",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a SecretProviderClass is not mounted by any pod",
        page: include_str!("unmounted_class.md"),
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let is_class = |object: &Object<'_>| object.is(STORE_CSI, "SecretProviderClass");
    if !environment.objects.iter().any(is_class) {
        return;
    }
    let pods = PodSecretNeeds::new(environment);
    for (number, class) in environment.objects.iter().enumerate().filter(|(_, object)| is_class(object)) {
        if class.name.is_empty() || pods.mounted.contains(&(class.namespace, class.name)) {
            continue;
        }
        if let Some((name, at, used)) = needed_secret(environment, class, &pods) {
            let severity = if environment.is_plain() { Severity::Warning } else { Severity::Error };
            reporter.report(
                Draft::new(
                    &RULE,
                    at,
                    format!("Secret `{name}` exists only while a pod mounts the class, and no pod does"),
                )
                .severity(severity)
                .about(number)
                .related(used, "a pod needs the Secret here")
                .hint("mount the class as a `csi` volume in the pods that need its Secret"),
            );
        } else if !environment.is_plain() {
            reporter.report(
                Draft::new(&RULE, class.name_at(), "no pod mounts this class, so it does nothing")
                    .severity(Severity::Note)
                    .about(number)
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
    fn new(environment: &Environment<'a>) -> Self {
        let mut pods = Self::default();
        for object in environment.objects.iter().filter(|object| object.pod.is_some()) {
            for located in object.references() {
                let key = (object.namespace, located.reference.name);
                match located.reference.what {
                    What::SecretProviderClass => {
                        pods.mounted.insert(key);
                    }
                    What::Secret if !located.reference.optional => {
                        pods.secrets.entry(key).or_insert(located.at);
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
    environment: &Environment<'_>,
    class: &Object<'a>,
    pods: &PodSecretNeeds<'_>,
) -> Option<(&'a str, Origin, Origin)> {
    let made = class.manifest.root().at(&["spec", "secretObjects"]).map_or(&[][..], Node::items);
    made.iter().filter_map(|secret| secret.get("secretName")).find_map(|node| {
        let name = node.as_str()?;
        let used = pods.secrets.get(&(class.namespace, name))?;
        let alone = environment.catalogue.suppliers(class.namespace, name).len() < 2;
        alone.then_some((name, node.origin, *used))
    })
}
