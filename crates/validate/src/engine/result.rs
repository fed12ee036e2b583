//! The result of a validation.

use std::collections::{BTreeMap, HashSet};

use super::context::PlainContext;
use super::suppress::SuppressionIndex;
use crate::Finding;

/// The result of a validation.
#[derive(Debug, Default)]
pub struct ValidationResult {
    /// The findings, in order.
    pub findings: Vec<Finding>,
    /// The suppressed findings, in order; excerpts must not show their confidential lines.
    pub suppressed: Vec<Finding>,
    /// Findings that may be caused by what does not render; excerpts must not show their confidential lines.
    pub held_back: Vec<Finding>,
    /// Findings in unchecked files; excerpts must not show their confidential lines.
    pub out_of_scope: Vec<Finding>,
    /// Whether part of the input could not be checked.
    pub is_incomplete: bool,
}

/// The result for plain manifests.
#[derive(Debug, Default)]
pub struct PlainResult {
    /// The findings.
    pub verdict: ValidationResult,
    /// The checked files with the numbers of their objects.
    pub checked: BTreeMap<String, usize>,
    /// Whether the set was too large to be checked as a whole.
    pub was_streamed: bool,
    /// The messages that are reported only once, such as those about a kind.
    pub reported_once: HashSet<String>,
    /// The files that belong to other tools, which were skipped.
    pub foreign_files: Vec<String>,
    /// The texts checked as a whole, as some sources cannot be read again.
    pub texts: Vec<(String, Vec<u8>)>,
}

impl ValidationResult {
    /// Moves findings in unchecked files to `out_of_scope`.
    pub(super) fn drop_out_of_scope(&mut self, context: &PlainContext) {
        if !context.has_context_files() {
            return;
        }
        for findings in [&mut self.findings, &mut self.suppressed, &mut self.held_back] {
            let (in_scope, other) =
                std::mem::take(findings).into_iter().partition(|finding| context.is_in_scope(finding));
            *findings = in_scope;
            self.out_of_scope.extend::<Vec<Finding>>(other);
        }
    }

    /// Adds a finding, as suppressed if a suppression of its window or of the run matches.
    pub(super) fn add(&mut self, finding: Finding, suppressions: &mut SuppressionIndex<'_>) {
        if suppressions.silences(&finding) {
            self.suppressed.push(finding);
        } else {
            self.findings.push(finding);
        }
    }
}
