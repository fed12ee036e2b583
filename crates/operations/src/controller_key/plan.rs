//! The plan of a rotation.

use super::facts::KeyFacts;
use super::rotation::{ControllerKeyRotation, NewKeyMethod};
use super::state::KeyRotationState;
use crate::backup::BackupTarget;
use crate::clock;
use crate::plan::{Plan, StepUndo};
use sealwave_core::text::counted;

impl ControllerKeyRotation<'_> {
    /// Returns the plan; with a journal, its finished steps are marked.
    #[must_use]
    pub fn plan(&self, facts: &KeyFacts, state: Option<&KeyRotationState>) -> Plan {
        let service = self.controller.service();
        let namespace = &service.namespace;
        let details = facts.published.details();
        let mut plan = Plan::new("rotate controller-key")
            .with_fact("controller", service.to_string())
            .with_fact("published key", details.public_key_sha256.clone())
            .with_fact("in use since", format!("{} ({})", details.not_before, self.age(facts)))
            .with_fact("keys", format!("{}, which all stay", facts.keys.len()));
        if let Some(state) = state {
            plan = plan.with_fact(
                "continued",
                format!("the run that began at {}", clock::utc(clock::from_unix(state.started))),
            );
        }
        plan = plan
            .with_step("back-up", self.backup_summary(facts), StepUndo::Unneeded)
            .with_step("create-key", self.create_summary(), self.create_undo(state))
            .with_step("publish", self.publish_summary(), StepUndo::Unneeded)
            .with_step(
                "reseal",
                self.reseal_summary(),
                StepUndo::By("git revert the commit; the old keys still decrypt".to_owned()),
            )
            .with_step("verify", self.verify_summary(), StepUndo::Unneeded);
        let done = state.map_or(0, |state| state.phase.rank());
        plan.steps.iter_mut().take(done).for_each(|step| step.done = true);
        if matches!(self.settings.backup, BackupTarget::None) {
            plan = plan.with_fact("backup", format!("none; the keys are only in namespace `{namespace}`"));
        }
        plan
    }

    fn verify_summary(&self) -> String {
        let check = "check that all SealedSecrets are unsealed";
        match self.settings.applications.len() {
            0 => check.to_owned(),
            count => {
                format!("{check}, and that these are synced and healthy: {}", counted(count, "Application"))
            }
        }
    }

    fn age(&self, facts: &KeyFacts) -> String {
        clock::age(self.clock.now(), facts.published.not_before())
    }

    fn backup_summary(&self, facts: &KeyFacts) -> String {
        match &self.settings.backup {
            BackupTarget::None => "back up no key".to_owned(),
            BackupTarget::File { path, recipients } => {
                let form = if recipients.is_empty() {
                    "in plaintext, mode 0600".to_owned()
                } else {
                    format!("encrypted to {} age recipients", recipients.len())
                };
                format!(
                    "back up {} key Secrets to `{}` ({form}), and later the new key beside it",
                    facts.keys.len(),
                    path.display()
                )
            }
        }
    }

    fn create_summary(&self) -> String {
        match self.settings.method {
            NewKeyMethod::Secret => format!(
                "create a Secret with a new key in namespace `{}`, with the controller's label",
                self.controller.service().namespace
            ),
            NewKeyMethod::Renewal => {
                "let the controller make a new key, by a command that is printed".to_owned()
            }
        }
    }

    fn create_undo(&self, state: Option<&KeyRotationState>) -> StepUndo {
        match self.settings.method {
            NewKeyMethod::Renewal => StepUndo::Unneeded,
            NewKeyMethod::Secret => {
                let name = state.map_or("NAME", |state| state.secret.as_str());
                StepUndo::By(format!(
                    "before anything is sealed for it: kubectl -n {} delete secret {name}, and restart the controller",
                    self.controller.service().namespace
                ))
            }
        }
    }

    fn publish_summary(&self) -> String {
        let restart = if self.settings.restart {
            "; restart its Deployment if it does not watch its Secrets"
        } else {
            "; if it does not watch its Secrets, stop with the command that restarts it"
        };
        format!("wait until the controller publishes another certificate{restart}")
    }

    fn reseal_summary(&self) -> String {
        let pinned = self.settings.pinned.as_ref();
        let pinned = pinned.map(|file| format!("pin the new certificate to `{}`, and ", file.display()));
        format!("{}{}", pinned.unwrap_or_default(), self.files.describe())
    }
}
