//! `config/no-rollout-trigger`.

use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::inventory::kind;
use crate::lints::rollout::{Rollouts, is_versioned};
use crate::lints::{Check, Draft, Environment, Reporter, Rule};
use crate::model::pods::{Located, Via, What};

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
                // Objects from elsewhere are not in this set.
                && !environment.inventory.supplies(reference.what, object.namespace, reference.name).is_empty()
        };
        let Some(read) = references.iter().find(is_read) else { continue };
        let (kind, name) = (kind(read.reference.what), read.reference.name);
        reporter.report(
            Draft::new(&RULE, read.at, format!("nothing restarts the pods when {kind} `{name}` changes"))
                .about(number)
                .hint("annotate the pod template with its checksum, or put a hash into its name"),
        );
    }
}
