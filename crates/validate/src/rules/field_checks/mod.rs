//! Checks of single fields, as rows of tables: where, and what must hold.
//!
//! A rule names its tables and adds what a row cannot say. Nothing here knows a kind of object, and no message quotes a
//! value. What is null is absent; what has another type is the schema's business.

mod demand;
pub(in crate::rules) mod forms;
mod selector;

use super::later_stage::LaterStage;
use super::{Draft, Object, Reporter, Rule, Scene};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};

pub use demand::{Demand, Field};

/// Findings of one rule on one object; more of them tell nothing new.
const MOST: usize = 100;

/// Fields of one mapping, or of each item of a list.
pub(in crate::rules) struct Section {
    /// The keys that lead to the mapping, joined with dots; `key[]` stands for each item of a list, and an empty text for
    /// the node itself.
    pub(in crate::rules) at: &'static str,
    /// Its fields.
    pub(in crate::rules) fields: &'static [Field],
}

/// Checks the fields of one object and reports under one rule.
pub(in crate::rules) struct FieldChecker<'r> {
    rule: &'static Rule,
    stage: LaterStage,
    reporter: &'r mut Reporter,
    left: usize,
}

impl<'r> FieldChecker<'r> {
    /// Makes a checker for an object.
    pub(in crate::rules) fn new(
        rule: &'static Rule,
        object: &Object<'_>,
        scene: &Scene<'_>,
        reporter: &'r mut Reporter,
    ) -> Self {
        Self { rule, stage: LaterStage::of(object, scene), reporter, left: MOST }
    }

    /// Returns whether a part of a text may still be replaced.
    pub(in crate::rules) fn may_fill(&self, text: &str) -> bool {
        self.stage.may_fill(text)
    }

    /// Reports a finding at a place.
    pub(in crate::rules) fn report(
        &mut self,
        at: Origin,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.draft(Draft::new(self.rule, at, message).hint(hint));
    }

    /// Reports a finding that has more than a place.
    pub(in crate::rules) fn draft(&mut self, draft: Draft) {
        if self.left > 0 {
            self.left -= 1;
            self.reporter.report(draft);
        }
    }

    /// Warns of a network with bits after its prefix: versions before 1.36 accept it.
    pub(in crate::rules) fn host_bits(&mut self, network: &Node) {
        if network.as_str().is_some_and(forms::has_host_bits) {
            let message = "the network has bits after its prefix, which Kubernetes 1.36 and later refuse";
            let draft = self.begin(network.origin, message).severity(Severity::Warning);
            self.draft(draft.hint("write the first address of the network, or a longer prefix"));
        }
    }

    /// Starts a finding of the rule.
    pub(in crate::rules) fn begin(&self, at: Origin, message: impl Into<String>) -> Draft {
        Draft::new(self.rule, at, message)
    }

    /// Checks the sections of a table below a node.
    pub(in crate::rules) fn table(&mut self, node: &Node, sections: &[Section]) {
        for section in sections {
            each_at(node, section.at, &mut |parent| self.fields(parent, section.fields));
        }
    }

    fn fields(&mut self, parent: &Node, fields: &[Field]) {
        if parent.as_mapping().is_some() {
            for field in fields {
                self.field(parent, field);
            }
        }
    }
}

/// Visits each node at the end of a path.
pub(in crate::rules) fn each_at<'a>(node: &'a Node, path: &str, visit: &mut dyn FnMut(&'a Node)) {
    if path.is_empty() {
        visit(node);
        return;
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    match step.strip_suffix("[]") {
        Some(key) => {
            let items = node.get(key).map_or(&[][..], Node::items);
            for item in items {
                each_at(item, rest, visit);
            }
        }
        None => node.get(step).into_iter().for_each(|next| each_at(next, rest, visit)),
    }
}
