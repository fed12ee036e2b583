//! Checks objects and definitions against schemas.

use std::collections::BTreeSet;

use super::compile::UncheckedDefaults;
use super::crd::Crds;
use super::define::{ParsedCrd, parse_crd};
use super::definition;
use super::effective::ServerChanges;
use super::evaluate::RuleEvaluator;
use super::fault::CrdFault;
use super::path::ValuePath;
use super::schemas::{CRD_KIND, KindSchema, Schemas, gvk};
use super::violation::{Violation, ViolationKind};
use super::walk::{MAX_VIOLATIONS, SchemaWalk};
use crate::cel::CelBudget;
use sealwave_core::document::Node;

/// Options of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    /// Whether a field that the schema does not declare is a violation; the API server would drop it.
    pub strict: bool,
}

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// At least one violation was found.
    Invalid,
    /// The group, version and kind have no schema, or the object has no `apiVersion` or `kind`.
    NoSchema,
    /// No violation was found.
    Valid,
}

/// The result of adding a definition.
#[derive(Debug)]
#[must_use]
pub struct CrdReport<'c> {
    /// The group and kind that were added; `None` if the object is not a definition.
    pub kind: Option<(String, String)>,
    /// The number of CEL rules of all served versions.
    pub unchecked_rules: usize,
    /// Faults in the definition, in document order. A faulty part of a schema accepts any value.
    pub faults: Vec<Violation<'c>>,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { strict: true }
    }
}

impl Schemas {
    /// Adds the custom resources of a `CustomResourceDefinition`. A later definition of the same kind replaces this
    /// one.
    pub fn add_crd<'c>(&mut self, crd: &'c Node) -> CrdReport<'c> {
        let metadata = self.metadata();
        let ParsedCrd { definition, faults, .. } = parse_crd(&mut self.crds, metadata, crd);
        let Some((group, kind, definition)) = definition else {
            return CrdReport { kind: None, unchecked_rules: 0, faults };
        };
        let served = definition.versions.iter().filter(|version| version.served);
        let unchecked_rules = served.map(|version| version.rules.all).sum();
        self.crds.insert(group, kind, definition);
        CrdReport { kind: Some((group.to_owned(), kind.to_owned())), unchecked_rules, faults }
    }

    /// Checks an object and passes up to 200 violations to `report`, in document order.
    pub fn check<'a>(
        &'a self,
        object: &'a Node,
        options: CheckOptions,
        report: &mut dyn FnMut(Violation<'a>),
    ) -> CheckOutcome {
        let kind = gvk(object).and_then(|(group, version, kind)| self.kind(group, version, kind));
        kind.map_or(CheckOutcome::NoSchema, |kind| self.check_kind(kind, object, options, report))
    }

    /// Like [`Self::check`], for an object whose kind was looked up in these schemas.
    pub fn check_kind<'a>(
        &'a self,
        kind: KindSchema,
        object: &'a Node,
        options: CheckOptions,
        report: &mut dyn FnMut(Violation<'a>),
    ) -> CheckOutcome {
        let mut found = Vec::new();
        self.walk(kind, object, options, &mut |violation| found.push(violation));
        if kind.defines {
            self.check_definition(object, &mut found);
        }
        if found.is_empty() {
            return CheckOutcome::Valid;
        }
        // The violations of a mapping are found after those inside it.
        found.sort_by_key(|violation| violation.origin);
        found.into_iter().take(MAX_VIOLATIONS).for_each(report);
        CheckOutcome::Invalid
    }

    fn walk<'a>(
        &'a self,
        kind: KindSchema,
        object: &'a Node,
        options: CheckOptions,
        sink: &mut dyn FnMut(Violation<'a>),
    ) {
        let effects = kind.alternatives.then(|| ServerChanges::new(self, kind.root, object));
        let mut walk = SchemaWalk {
            schemas: self,
            strict: options.strict,
            lenient: false,
            sink,
            reported: 0,
            max_reported: MAX_VIOLATIONS,
            steps: effects.as_ref().map_or(0, |effects| effects.steps),
            effects: effects.as_ref(),
            in_branch: false,
            anchor: None,
        };
        walk.object(kind.root, object);
    }

    /// Evaluates the CEL rules of a valid custom resource, passes each violation to `report`, in document order, and
    /// returns the number of rules that were not evaluated.
    pub fn evaluate_rules<'a>(
        &'a self,
        object: &'a Node,
        budget: &mut CelBudget,
        report: &mut dyn FnMut(Violation<'a>),
    ) -> usize {
        let Some((group, version, kind)) = gvk(object) else { return 0 };
        let (count, Some(root)) = (self.rules_of(group, version, kind), self.root(group, version, kind))
        else {
            return 0;
        };
        if count.all == 0 {
            return 0;
        }
        budget.start_object();
        let mut evaluator = RuleEvaluator {
            schemas: self,
            budget,
            found: Vec::new(),
            unevaluated: BTreeSet::new(),
            values: 0,
        };
        evaluator.object(root, object);
        let mut found = evaluator.found;
        found.sort_by_key(|violation| violation.origin);
        let unevaluated = evaluator.unevaluated.len() + count.in_branches;
        found.into_iter().for_each(report);
        unevaluated
    }

    /// Checks a definition itself; violations that the walk already reported (types, unknown keywords) are not
    /// repeated.
    fn check_definition<'a>(&self, object: &'a Node, found: &mut Vec<Violation<'a>>) {
        let mut crds = Crds::for_definition_check();
        let ParsedCrd { faults, defaults, .. } = parse_crd(&mut crds, self.metadata(), object);
        let is_valid = found.is_empty();
        found.extend(faults.into_iter().filter(|fault| match &fault.kind {
            ViolationKind::Definition(
                CrdFault::Malformed { .. } | CrdFault::Lacks { what: CRD_KIND, .. },
            ) => is_valid,
            ViolationKind::Definition(fault) => !fault.is_note(),
            _ => true,
        }));
        if matches!(gvk(object), Some((_, "v1", _))) {
            found.extend(definition::check(object));
            found.extend(self.unfit_defaults(crds, &defaults));
        }
    }

    /// Checks defaults against the schemas of a definition, except for patterns.
    fn unfit_defaults<'a>(&self, crds: Crds, defaults: &UncheckedDefaults<'a>) -> Vec<Violation<'a>> {
        let own = Self { version: self.version, built_in: self.built_in, crds };
        let mut steps = 0;
        let mut faults = Vec::new();
        for (id, default, pointer) in defaults {
            let mut reason = None;
            let mut take = |violation: Violation<'_>| {
                reason.get_or_insert_with(|| violation.kind.to_string());
            };
            let mut walk = SchemaWalk {
                schemas: &own,
                strict: true,
                lenient: false,
                sink: &mut take,
                reported: 0,
                max_reported: 1,
                steps,
                effects: None,
                in_branch: false,
                anchor: None,
            };
            walk.value(*id, default, &ValuePath::ROOT, 1);
            steps = walk.steps;
            if let Some(reason) = reason {
                let kind = ViolationKind::Definition(CrdFault::Default { reason });
                faults.push(Violation { kind, pointer: pointer.clone(), origin: default.display_origin() });
            }
        }
        faults
    }
}
