//! The schemas of Kubernetes, and the structural validation of objects.
//!
//! Schemas of Kubernetes' own types are built in, for each minor version from [`KubeVersion::OLDEST`] to
//! [`KubeVersion::NEWEST`]; those of custom resources come from their definitions. This module never accesses the
//! network or a cluster, and must not panic, hang or allocate without bound for any object or definition.
//!
//! ```text
//! pack.bin ── pack ──────────────┐                                   ┌── format, lists, rules
//!                                ├── node ── walk (object, schema) ──┤
//! CRDs ── define, compile, crd ──┘                                   └── violation
//! ```
//!
//! The check follows the API server: unknown fields are violations (as with `fieldValidation: Strict`), an optional
//! field may be null, and `1.0` is an integer. It checks more than the published schemas: values of some enums,
//! quantities, unique list items, and that a container has an image. Defaults of custom resources are applied. CEL
//! rules are evaluated in a separate walk (`evaluate`), for objects that are otherwise valid. Fields below `status` are
//! only checked for types and unknown fields.

mod compile;
mod crd;
mod define;
mod definition;
mod draft;
mod effective;
mod evaluate;
mod export;
mod fault;
mod format;
mod kinds;
mod life;
mod list_rules;
mod lists;
mod lock;
mod merge_schema;
mod node;
mod pack;
mod packed;
mod path;
mod rules;
mod structure;
mod validations;
mod value_type;
mod version;
mod violation;
mod walk;

pub use fault::CrdFault;
pub use format::is_cidr;
pub use kinds::{KindLookup, ResourceScope};
pub use life::{LifeCycle, kinds};
pub use lock::{LockedDefinition, MAX_DEFINITIONS};
pub use merge_schema::{ListMerge, MergeSchema};
pub use node::ComparableScalar;
pub use packed::{PackedDefinition, PackedKind, PackedRelease};
pub use value_type::{JsonType, ValueType};
pub use version::{KubeVersion, VersionError};
pub use violation::{JsonPointer, RangeBound, Violation, ViolationKind, ViolationMessage};

use std::collections::BTreeSet;

use compile::UncheckedDefaults;
use crd::{Crds, RuleCount};
use define::{ParsedCrd, parse_crd};
use effective::ServerChanges;
use evaluate::RuleEvaluator;
use node::{NodeId, SchemaNode};
use pack::DecodedPack;
use walk::{MAX_VIOLATIONS, SchemaWalk};

pub use crate::Quantity;
use crate::cel::CelBudget;
use sealwave_core::document::{Node, group_and_version};
use sealwave_core::pattern::GoPattern as Compiled;

/// The schemas of one version of Kubernetes, and of the custom resources that were added.
#[derive(Debug)]
pub struct Schemas {
    version: KubeVersion,
    built_in: &'static DecodedPack,
    crds: Crds,
}

/// The schema of a kind in the [`Schemas`] that returned it.
#[derive(Clone, Copy, Debug)]
pub struct KindSchema {
    root: NodeId,
    /// Whether objects of this kind define custom resources.
    defines: bool,
    /// Whether a check depends on what the API server fills in or drops.
    alternatives: bool,
}

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
    /// Returns the schemas of a version. Built-in schemas are decoded on first use.
    #[must_use]
    pub fn new(version: KubeVersion) -> Self {
        Self { version, built_in: DecodedPack::for_version(version), crds: Crds::default() }
    }

    /// Returns the version of Kubernetes.
    #[must_use]
    pub const fn version(&self) -> KubeVersion {
        self.version
    }

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

    /// Returns the schema of a kind, or `None` if it has none.
    #[must_use]
    pub fn kind(&self, group: &str, version: &str, kind: &str) -> Option<KindSchema> {
        let root = self.root(group, version, kind)?;
        let alternatives = root.is_custom()
            && self
                .crds
                .kind(group, kind)
                .and_then(|kind| kind.served(version))
                .is_some_and(|own| own.alternatives);
        Some(KindSchema { root, defines: group == CRD_GROUP && kind == CRD_KIND, alternatives })
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

    /// Returns the number of CEL rules of a custom resource's version, which [`Schemas::check`] does not evaluate.
    #[must_use]
    pub fn rule_count(&self, group: &str, version: &str, kind: &str) -> usize {
        self.rules_of(group, version, kind).all
    }

    fn rules_of(&self, group: &str, version: &str, kind: &str) -> RuleCount {
        let version = self.crds.kind(group, kind).and_then(|kind| kind.served(version));
        version.map_or_else(RuleCount::default, |version| version.rules)
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

    /// Returns the root node of a kind's schema.
    fn root(&self, group: &str, version: &str, kind: &str) -> Option<NodeId> {
        let built_in = pack::EMBEDDED
            .versions(group, kind)
            .find(|entry| entry.version == version && entry.minors & self.version.bit() != 0);
        match built_in {
            Some(entry) => Some(entry.id),
            None => self.crds.kind(group, kind)?.served(version)?.root.or(Some(crd::FREE)),
        }
    }

    fn node(&self, id: NodeId) -> &SchemaNode {
        if id.is_custom() { self.crds.node(id) } else { self.built_in.node(id) }
    }

    fn pattern(&self, index: usize) -> Option<(&str, &Compiled)> {
        self.crds.pattern(index)
    }

    /// Returns the node of `metadata`, which all objects share.
    fn metadata(&self) -> NodeId {
        let field = |root| self.node(root).fields.find("metadata").map(|field| field.id);
        self.root("", "v1", "ConfigMap").and_then(field).unwrap_or(crd::FREE)
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
            walk.value(*id, default, &path::ValuePath::ROOT, 1);
            steps = walk.steps;
            if let Some(reason) = reason {
                let kind = ViolationKind::Definition(CrdFault::Default { reason });
                faults.push(Violation { kind, pointer: pointer.clone(), origin: default.display_origin() });
            }
        }
        faults
    }
}

const CRD_GROUP: &str = "apiextensions.k8s.io";
const CRD_KIND: &str = "CustomResourceDefinition";

fn gvk(object: &Node) -> Option<(&str, &str, &str)> {
    let (group, version) = group_and_version(object.get("apiVersion")?.as_str()?);
    Some((group, version, object.get("kind")?.as_str()?))
}
