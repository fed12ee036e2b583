//! `config/no-rollout-trigger`.

use crate::facts::inventory::kind_name;
use crate::facts::rollout::{RolloutTriggers, is_versioned};
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::pods::{LocatedReference, PodUsage, ReferencedKind};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "config/no-rollout-trigger",
        severity: Severity::Note,
        summary: "pods read configuration only at startup, and nothing restarts them when it changes",
        text: include_str!("no_rollout_trigger.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let Some(rollouts) = RolloutTriggers::new(environment) else { return };
    for (number, object) in rollouts.workloads_without_trigger() {
        let references = object.references();
        let is_read = |located: &&LocatedReference<'_>| {
            let reference = &located.reference;
            matches!(located.usage, PodUsage::Env | PodUsage::EnvFrom)
                && matches!(reference.kind, ReferencedKind::ConfigMap | ReferencedKind::Secret)
                && !is_versioned(reference.name)
                // Objects from elsewhere are not in this set.
                && !environment.inventory.producers(reference.kind, object.namespace, reference.name).is_empty()
        };
        let Some(read) = references.iter().find(is_read) else { continue };
        let (kind, name) = (kind_name(read.reference.kind), read.reference.name);
        reporter.report(
            FindingDraft::new(
                &RULE,
                read.origin,
                format!("nothing restarts the pods when {kind} `{name}` changes"),
            )
            .about_object(number)
            .hint("annotate the pod template with its checksum, or put a hash into its name"),
        );
    }
}
