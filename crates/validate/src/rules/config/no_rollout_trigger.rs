//! `config/no-rollout-trigger`.

use crate::rules::inventory::kind;
use crate::rules::rollout::{Rollouts, is_versioned};
use crate::rules::{Check, Draft, Environment, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::pods::{Located, Via, What};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "config/no-rollout-trigger",
        severity: Severity::Note,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "pods read configuration at their start, and nothing restarts them when it changes",
        explanation: "Environment variables are set when a container starts. A changed ConfigMap or Secret reaches no running \
                      pod: the change shows days later, when a node is drained, in a part of the pods, and looks like a fault \
                      of something else. An app of sealwave gets `checksum/…` annotations for everything that it renders; \
                      Kustomize's hashed names, Helm's checksums and reloaders do the same.",
        example: "kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - envFrom:\n        - configMapRef: \
                  {name: settings}\n",
        remedy: "Have the pod template change with the configuration: an annotation with a checksum of it, a name with a hash \
                 of the contents, or a reloader.",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let Some(rollouts) = Rollouts::of(environment) else { return };
    for (number, object) in rollouts.untriggered() {
        let references = object.references();
        let is_read = |located: &&Located<'_>| {
            let reference = &located.reference;
            matches!(located.via, Via::Env | Via::EnvFrom)
                && matches!(reference.what, What::ConfigMap | What::Secret)
                && !is_versioned(reference.name)
                // What comes from elsewhere is not for this set to watch.
                && !environment.inventory.supplies(reference.what, object.namespace, reference.name).is_empty()
        };
        let Some(read) = references.iter().find(is_read) else { continue };
        let (kind, name) = (kind(read.reference.what), read.reference.name);
        reporter.report(
            Draft::new(&RULE, read.at, format!("nothing restarts the pods when {kind} `{name}` changes"))
                .about(number)
                .hint("annotate the pod template with a checksum of it, or give it a name with a hash"),
        );
    }
}
