//! Checks of single fields, as tables of paths and constraints.
//!
//! A rule lists its tables and adds checks that a table cannot express. This module knows no kinds, and messages must never
//! quote values. Null counts as absent; values of a wrong type are left to the schema.

mod demand;
pub(crate) mod forms;
pub(crate) mod pod_fields;
mod selector;
pub(crate) mod tolerations;

use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::LaterStage;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::Rule;
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};

pub(crate) use demand::{Demand, FieldCheck};

/// Maximum number of findings of one rule per object.
const MOST: usize = 100;

/// Fields of one mapping, or of each item in a list.
pub(crate) struct FieldSection {
    /// Path to the mapping: keys joined with dots, where `key[]` stands for each item of a list. Empty for the node
    /// itself.
    pub(crate) at: &'static str,
    /// Fields of the mapping.
    pub(crate) fields: &'static [FieldCheck],
}

/// Checker for the fields of one object, reporting under one rule.
pub(crate) struct FieldChecker<'r> {
    rule: &'static Rule,
    stage: LaterStage,
    reporter: &'r mut Reporter,
    left: usize,
}

impl<'r> FieldChecker<'r> {
    /// Creates a checker for an object.
    pub(crate) fn new(
        rule: &'static Rule,
        object: &CheckedObject<'_>,
        context: &RuleContext<'_>,
        reporter: &'r mut Reporter,
    ) -> Self {
        Self { rule, stage: LaterStage::for_object(object, context), reporter, left: MOST }
    }

    /// Returns whether another tool may still replace part of a string.
    pub(crate) fn may_fill(&self, text: &str) -> bool {
        self.stage.may_fill(text)
    }

    /// Reports a finding at a position.
    pub(crate) fn report(&mut self, at: Origin, message: impl Into<String>, hint: impl Into<String>) {
        self.report_draft(FindingDraft::new(self.rule, at, message).hint(hint));
    }

    /// Reports a complete finding.
    pub(crate) fn report_draft(&mut self, draft: FindingDraft) {
        if self.left > 0 {
            self.left -= 1;
            self.reporter.report(draft);
        }
    }

    /// Warns about a network with bits set after its prefix, which versions before 1.36 accept.
    pub(crate) fn check_host_bits(&mut self, network: &Node) {
        if network.as_str().is_some_and(forms::has_host_bits) {
            let message = "the network has bits set after its prefix, which Kubernetes 1.36 and later reject";
            let draft = self.new_draft(network.origin, message).severity(Severity::Warning);
            self.report_draft(draft.hint("write the first address of the network, or a longer prefix"));
        }
    }

    /// Creates a finding of the rule, to be completed.
    pub(crate) fn new_draft(&self, at: Origin, message: impl Into<String>) -> FindingDraft {
        FindingDraft::new(self.rule, at, message)
    }

    /// Checks all sections of a table, relative to a node.
    pub(crate) fn check_table(&mut self, node: &Node, sections: &[FieldSection]) {
        for section in sections {
            for_each_at(node, section.at, &mut |parent| self.fields(parent, section.fields));
        }
    }

    fn fields(&mut self, parent: &Node, fields: &[FieldCheck]) {
        if parent.as_mapping().is_some() {
            for field in fields {
                self.check_field(parent, field);
            }
        }
    }
}

/// Visits each node at the end of a path.
pub(crate) fn for_each_at<'a>(node: &'a Node, path: &str, visit: &mut dyn FnMut(&'a Node)) {
    if path.is_empty() {
        visit(node);
        return;
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    match step.strip_suffix("[]") {
        Some(key) => {
            let items = node.items_at(&[key]);
            for item in items {
                for_each_at(item, rest, visit);
            }
        }
        None => node.get(step).into_iter().for_each(|next| for_each_at(next, rest, visit)),
    }
}
