//! The consent to delete a key: whether `--delete-key` names one that the present phase is about.

use super::error::RotationError;
use super::facts::UserKeys;
use super::rotation::KeyRotation;
use super::state::{RotationPhase, RotationState};

impl KeyRotation<'_> {
    /// Checks the key of `--delete-key` in each phase, so that a mistake is known before it could have an effect.
    ///
    /// # Errors
    /// The user does not have the key, or this rotation does not delete it.
    pub(super) fn check_consent(
        &self,
        keys: &UserKeys,
        state: Option<&RotationState>,
    ) -> Result<(), RotationError> {
        let Some(given) = &self.settings.delete_key else { return Ok(()) };
        let new = state.and_then(|state| state.phase.new_key());
        let is_new = new == Some(given.as_str());
        // AWS may not list the new key yet.
        if !keys.has(given) && !is_new {
            let ids = keys.ids_except(None);
            let keys = if ids.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has {}", sealwave_core::text::quoted_list(&ids))
            };
            let (user, key) = (self.settings.user.clone(), given.clone());
            return Err(RotationError::NoSuchKey { user, key, keys });
        }
        let Some(state) = state else { return Ok(()) };
        let wrong = |expected: Option<&str>| {
            Err(RotationError::WrongConsent { given: given.clone(), expected: expected.map(str::to_owned) })
        };
        let is_old = state.keys_before.contains(given);
        match &state.phase {
            // Only a key that an interrupted run left.
            RotationPhase::Creating if is_old => wrong(None),
            RotationPhase::Created { key } | RotationPhase::Answered { key } if !is_new => wrong(Some(key)),
            RotationPhase::Creating | RotationPhase::Created { .. } | RotationPhase::Answered { .. } => {
                Ok(())
            }
            _ if is_new => {
                let reason = "it is the new key of this rotation".to_owned();
                Err(RotationError::KeyInUse { key: given.clone(), reason })
            }
            RotationPhase::Deactivated { old, .. } if old != given => wrong(Some(old)),
            RotationPhase::Written { .. } | RotationPhase::Grace { .. } if !is_old => wrong(None),
            _ => Ok(()),
        }
    }

    /// Returns what is told about a consent that has no effect yet.
    pub(super) fn early_consent(&self) -> Option<String> {
        let given = self.settings.delete_key.as_ref()?;
        let after = crate::clock::period(self.settings.delete_after);
        Some(format!(
            "`--delete-key {given}` has no effect yet: a key is deleted only after it was inactive for {after}"
        ))
    }
}
