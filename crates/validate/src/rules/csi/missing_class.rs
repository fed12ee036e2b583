//! `csi/missing-class`.

use std::collections::HashSet;

use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::catalog::STORE_CSI_GROUP;
use sealwave_kube::pods::ReferencedKind;

/// The name of the Secrets Store CSI driver.
const DRIVER: &str = "secrets-store.csi.k8s.io";

const KIND: &str = "SecretProviderClass";

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "csi/missing-class",
        severity: Severity::Error,
        summary: "a pod mounts a SecretProviderClass that does not exist",
        text: include_str!("missing_class.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    check_class_names(environment, reporter);
    let mut others = None;
    for (number, object) in environment.indexed_objects().filter(|(_, object)| object.pod.is_some()) {
        for located in object.references() {
            let (kind, name) = (located.reference.kind, located.reference.name);
            if kind != ReferencedKind::SecretProviderClass || exists(environment, object.namespace, name) {
                continue;
            }
            let severity = match others.get_or_insert_with(|| OtherClasses::new(environment)) {
                OtherClasses::Unknown => return,
                OtherClasses::Generated(made) if made.contains(&(object.namespace, name)) => continue,
                OtherClasses::Generated(_) if environment.is_plain() => Severity::Warning,
                OtherClasses::Generated(_) => Severity::Error,
                OtherClasses::External => Severity::Note,
            };
            reporter.report(
                FindingDraft::new(
                    &RULE,
                    located.origin,
                    format!("SecretProviderClass `{name}` does not exist"),
                )
                .severity(severity)
                .about_object(number)
                .hint("add the class to the namespace of the pod, or correct its name"),
            );
        }
    }
}

/// Reports volumes of the driver that do not name a class.
fn check_class_names(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    for (number, object) in environment.indexed_objects() {
        let volumes =
            object.pod.as_ref().and_then(|pod| pod.spec.get("volumes")).map_or(&[][..], Node::items);
        for csi in volumes.iter().filter_map(|volume| volume.get("csi")) {
            let Some(driver) = csi.get("driver").filter(|driver| driver.as_str() == Some(DRIVER)) else {
                continue;
            };
            let class = csi.at(&["volumeAttributes", "secretProviderClass"]);
            if class.is_none_or(|class| class.as_str() == Some("")) {
                let message = "the volume names no SecretProviderClass, so the driver refuses to mount it";
                let hint = "write `volumeAttributes: {secretProviderClass: …}`";
                reporter
                    .report(FindingDraft::new(&RULE, driver.origin, message).about_object(number).hint(hint));
            }
        }
    }
}

/// `SecretProviderClasses` that are not in the manifests.
enum OtherClasses<'a> {
    /// Classes that placeholder Secrets become.
    Generated(HashSet<(&'a str, &'a str)>),
    /// Plain manifests contain no class, so classes come from elsewhere.
    External,
    /// The classes that sealwave would generate are unknown.
    Unknown,
}

impl<'a> OtherClasses<'a> {
    fn new(environment: &CheckedEnvironment<'a>) -> Self {
        if environment.is_plain() {
            let any = environment.objects.iter().any(|object| object.is(STORE_CSI_GROUP, KIND));
            return if any { Self::Generated(HashSet::new()) } else { Self::External };
        }
        let Some(emitted) = environment.emitted() else { return Self::Unknown };
        let classes = emitted.iter().filter(|object| object.is(STORE_CSI_GROUP, KIND));
        Self::Generated(classes.map(|object| (object.namespace(), object.name())).collect())
    }
}

fn exists(environment: &CheckedEnvironment<'_>, namespace: &str, name: &str) -> bool {
    environment.catalog.find(STORE_CSI_GROUP, KIND, namespace, name).is_some()
        || environment.neighbors.has_object(STORE_CSI_GROUP, KIND, namespace, name)
        || environment.context.settings.is_external(KIND, namespace, name)
}
