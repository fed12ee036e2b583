//! The plan of a rotation: the keys, and what is done and what comes.

use sealwave_providers::aws_account::BucketProbe;

use super::error::RotationError;
use super::rotation::KeyRotation;
use super::state::{RotationPhase, RotationState};
use crate::backup::BackupTarget;
use crate::clock;
use crate::plan::{Plan, StepUndo};

/// The step that checks the rollout.
const CHECK_ROLLOUT: &str = "check-rollout";

impl KeyRotation<'_> {
    /// Plans the rotation from where its journal is. Changes nothing.
    ///
    /// # Errors
    /// A call fails, or the keys of the user do not allow a rotation.
    pub fn plan(&self, state: Option<&RotationState>) -> Result<Plan, RotationError> {
        self.settings.check()?;
        let keys = self.user_keys(state.and_then(|state| state.phase.new_key()))?;
        self.check_consent(&keys, state)?;
        let mut plan = Plan::new("rotate aws")
            .with_fact("user", &self.settings.user)
            .with_fact("environment", &self.settings.environment);
        for line in keys.lines() {
            plan = plan.with_fact("access key", line);
        }
        for destination in self.destinations() {
            plan = plan.with_fact("sealed for", destination);
        }
        let deletion = match state {
            None if self.settings.reactivate => return Err(RotationError::NothingToReactivate),
            None => self.key_in_the_way(&keys)?,
            Some(RotationState { phase: RotationPhase::Creating, .. }) => self.settings.delete_key.clone(),
            Some(state) if self.settings.reactivate || self.gives_up(state) => {
                return self.with_way_back(plan, state);
            }
            Some(_) => None,
        };
        if let Some(id) = deletion {
            plan = plan.with_step("make-room", format!("delete access key `{id}`"), StepUndo::Impossible);
        }
        let first = plan.steps.len();
        plan = self.with_steps(plan);
        let done = state.map_or(0, |state| state.phase.rank());
        plan.steps.iter_mut().skip(first).take(done).for_each(|step| step.done = true);
        self.note_rollout(&mut plan, state);
        Ok(plan)
    }

    /// Marks the check of the rollout as not verified if it was left out, or will be.
    fn note_rollout(&self, plan: &mut Plan, state: Option<&RotationState>) {
        let is_verified = state.is_some_and(|state| state.rollout_verified);
        let Some(step) = plan.steps.iter_mut().find(|step| step.id == CHECK_ROLLOUT) else { return };
        let note = match (step.done, self.rollout.reason_not_to_check()) {
            (true, _) if !is_verified => Some("not verified".to_owned()),
            (false, Some(reason)) => Some(format!("not verified: {reason}")),
            _ => None,
        };
        step.done &= is_verified;
        step.note = note;
    }

    /// Reports whether the consent names the new key before it is written.
    fn gives_up(&self, state: &RotationState) -> bool {
        let is_unwritten =
            matches!(state.phase, RotationPhase::Created { .. } | RotationPhase::Answered { .. });
        is_unwritten
            && state.phase.new_key().is_some_and(|key| self.settings.delete_key.as_deref() == Some(key))
    }

    /// Adds the step back.
    fn with_way_back(&self, plan: Plan, state: &RotationState) -> Result<Plan, RotationError> {
        match &state.phase {
            RotationPhase::Deactivated { old, .. } => Ok(plan.with_step(
                "reactivate",
                format!("make the old access key `{old}` active again"),
                StepUndo::By("run the command without `--reactivate`, after the grace period".to_owned()),
            )),
            _ if self.settings.reactivate => Err(RotationError::NothingToReactivate),
            phase => {
                let key = phase.new_key().unwrap_or_default();
                Ok(plan.with_step(
                    "give-up",
                    format!("delete the new access key `{key}`"),
                    StepUndo::Impossible,
                ))
            }
        }
    }

    fn with_steps(&self, plan: Plan) -> Plan {
        let settings = self.settings;
        let by = |text: &str| StepUndo::By(text.to_owned());
        let names: Vec<String> = self.sinks.iter().map(|sink| sink.name()).collect();
        let mut undo: Vec<String> = self.sinks.iter().map(|sink| sink.undo()).collect();
        undo.dedup();
        plan.with_step(
            "create-key",
            format!("create an access key for user `{}`", settings.user),
            by("pass its id to `--delete-key` before it is written"),
        )
        .with_step("back-up", backup_text(&settings.backup), StepUndo::Unneeded)
        .with_step("prove", self.proof_text(), StepUndo::Unneeded)
        .with_step("write", format!("write it to {}", names.join(", ")), StepUndo::By(undo.join("; ")))
        .with_step(CHECK_ROLLOUT, "check that workloads run with it", StepUndo::Unneeded)
        .with_step(
            "deactivate",
            format!(
                "deactivate the old access key when nothing used it for {}",
                clock::period(settings.grace_period)
            ),
            by("`--reactivate`"),
        )
        .with_step(
            "delete",
            format!("delete it {} later, with `--delete-key`", clock::period(settings.delete_after)),
            StepUndo::Impossible,
        )
    }

    fn proof_text(&self) -> String {
        let wait = clock::period(self.settings.wait);
        match &self.settings.probe {
            Some(BucketProbe { bucket, .. }) => {
                format!("use it until it works for STS and bucket `{bucket}`, for at most {wait}")
            }
            None => format!("use it until it works for STS, for at most {wait}"),
        }
    }
}

fn backup_text(backup: &BackupTarget) -> String {
    match backup {
        BackupTarget::None => "make no backup: an interrupted run may have to create another key".to_owned(),
        BackupTarget::File { path, recipients } if recipients.is_empty() => {
            format!("back it up to `{}`, readable only by you", path.display())
        }
        BackupTarget::File { path, recipients } => {
            format!("back it up to `{}`, encrypted to {} age recipients", path.display(), recipients.len())
        }
    }
}
