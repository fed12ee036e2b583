//! The outcome of a request for each of its targets.

use super::failure::{AwsCall, AwsFailure};
use super::secret::TargetResult;
use super::target::AwsTarget;

/// The outcome of a request for one of its targets.
pub(super) enum TargetOutcome {
    Answer(TargetResult),
    /// The batch has no result for it: request it alone.
    AskAlone,
}

/// Returns the outcomes of a failed batch: the same error for all targets, or a single request for each.
pub(super) fn failed_batch(
    fault: &AwsFailure,
    call: AwsCall,
    caller: &str,
    targets: &[AwsTarget],
) -> Vec<TargetOutcome> {
    let retry_alone = targets.len() > 1 && fault.is_batch_level();
    let outcome = |_| {
        if retry_alone {
            TargetOutcome::AskAlone
        } else {
            TargetOutcome::Answer(Err(fault.to_provider_error(call, caller)))
        }
    };
    targets.iter().map(outcome).collect()
}
