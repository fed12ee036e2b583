//! The policy: rules that are not valid, and rules without effect.

use super::findings::CheckResults;
use crate::config::OperatorFile;
use sealwave_core::text::counted;
use sealwave_secrets::policy::review_policy;

pub(super) fn check(file: &OperatorFile) -> CheckResults {
    let mut results = CheckResults::default();
    if let Err(failure) = file.policy() {
        results.fail(&failure);
        return results;
    }
    for (setting, warning) in review_policy(file.operator()) {
        results.find(file, &setting, warning.severity(), &warning);
    }
    let rules = file.operator().policy.len();
    if results.is_empty() && rules > 0 {
        results.healthy(counted(rules, "rule"));
    }
    results
}
