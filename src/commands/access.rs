//! The policy and the audit log of an operator file, as commands use them.

use std::path::Path;

use crate::config::{OperatorFile, PolicyUse};
use crate::ops::AuditLog;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_pipeline::AccessPolicy;
use sealwave_secrets::policy::{Policy, PolicySubject};
use sealwave_secrets::settings::SettingPath;

/// Opens the audit log of the operator file before anything is fetched. `boundary` is the directory of the repository, where the
/// log must not be.
///
/// # Errors
/// The log cannot be opened.
pub(super) fn audit(
    boundary: &Path,
    operator: &OperatorFile,
    subject: &PolicySubject,
) -> Result<Option<AuditLog>, Failure> {
    let Some((file, stderr)) = operator.audit() else { return Ok(None) };
    let log = AuditLog::open(file.as_deref(), stderr, boundary, subject.clone());
    let log = log.map_err(|error| {
        let place = operator.locate(&SettingPath::of_keys(&["audit"]));
        Failure::from(Problem::new(&error)).or_with_place(&place)
    })?;
    Ok(Some(log))
}

/// Returns the policy for references. Adds the note if it is waived.
pub(super) fn access<'a>(
    policy_use: PolicyUse,
    policy: &'a Policy,
    subject: &'a PolicySubject,
    waived: &impl Explain,
    notes: &mut Vec<Note>,
) -> AccessPolicy<'a> {
    match policy_use {
        PolicyUse::Applied => AccessPolicy::Checked { policy, subject },
        PolicyUse::Waived => {
            notes.push(Note::info(Problem::new(waived)));
            AccessPolicy::Unchecked
        }
    }
}
