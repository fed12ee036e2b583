//! `csi/missing-class`.

use std::collections::HashSet;

use crate::rules::{Check, Draft, Environment, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::catalogue::STORE_CSI;
use sealwave_kube::pods::What;

/// The name of the Secrets Store CSI driver.
const DRIVER: &str = "secrets-store.csi.k8s.io";

const KIND: &str = "SecretProviderClass";

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "csi/missing-class",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a pod mounts a SecretProviderClass that does not exist",
        page: include_str!("missing_class.md"),
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    unnamed(environment, reporter);
    let mut others = None;
    for (number, object) in environment.objects.iter().enumerate().filter(|(_, object)| object.pod.is_some())
    {
        for located in object.references() {
            let (what, name) = (located.reference.what, located.reference.name);
            if what != What::SecretProviderClass || exists(environment, object.namespace, name) {
                continue;
            }
            let severity = match others.get_or_insert_with(|| Others::of(environment)) {
                Others::Unknown => return,
                Others::Made(made) if made.contains(&(object.namespace, name)) => continue,
                Others::Made(_) if environment.is_plain() => Severity::Warning,
                Others::Made(_) => Severity::Error,
                Others::Nowhere => Severity::Note,
            };
            reporter.report(
                Draft::new(&RULE, located.at, format!("SecretProviderClass `{name}` does not exist"))
                    .severity(severity)
                    .about(number)
                    .hint("add the class to the namespace of the pod, or correct its name"),
            );
        }
    }
}

/// Volumes of the driver that name no class.
fn unnamed(environment: &Environment<'_>, reporter: &mut Reporter) {
    for (number, object) in environment.objects.iter().enumerate() {
        let volumes =
            object.pod.as_ref().and_then(|pod| pod.spec.get("volumes")).map_or(&[][..], Node::items);
        for csi in volumes.iter().filter_map(|volume| volume.get("csi")) {
            let Some(driver) = csi.get("driver").filter(|driver| driver.as_str() == Some(DRIVER)) else {
                continue;
            };
            let class = csi.at(&["volumeAttributes", "secretProviderClass"]);
            if class.is_none_or(|class| class.as_str() == Some("")) {
                let message =
                    "the volume names no SecretProviderClass, so that the driver refuses to mount it";
                let hint = "write `volumeAttributes: {secretProviderClass: …}`";
                reporter.report(Draft::new(&RULE, driver.origin, message).about(number).hint(hint));
            }
        }
    }
}

/// Classes beside those of the manifests.
enum Others<'a> {
    /// Those that placeholder Secrets become.
    Made(HashSet<(&'a str, &'a str)>),
    /// Plain manifests without any class leave them to others.
    Nowhere,
    /// Nobody knows what sealwave would make.
    Unknown,
}

impl<'a> Others<'a> {
    fn of(environment: &Environment<'a>) -> Self {
        if environment.is_plain() {
            let any = environment.objects.iter().any(|object| object.is(STORE_CSI, KIND));
            return if any { Self::Made(HashSet::new()) } else { Self::Nowhere };
        }
        let Some(emitted) = environment.emitted else { return Self::Unknown };
        let classes = emitted.iter().filter(|object| object.is(STORE_CSI, KIND));
        Self::Made(classes.map(|object| (object.namespace(), object.name())).collect())
    }
}

fn exists(environment: &Environment<'_>, namespace: &str, name: &str) -> bool {
    environment.catalogue.find(STORE_CSI, KIND, namespace, name).is_some()
        || environment.neighbours.has(STORE_CSI, KIND, namespace, name)
        || environment.scene.settings.is_external(KIND, namespace, name)
}
