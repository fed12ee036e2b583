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
        summary: "pods read configuration only at startup, and nothing restarts them when it changes",
        page: include_str!("no_rollout_trigger.md"),
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
