//! Kubernetes' schemas, and the structural check of objects against them.
//!
//! Schemas of Kubernetes' own types come with the program, for each minor version from [`KubeVersion::OLDEST`] to
//! [`KubeVersion::NEWEST`]; those of custom resources come from their definitions. Nothing here asks a network or a
//! cluster, and nothing panics, hangs or grows without bound, whatever objects and definitions say.
//!
//! ```text
//! pack.bin ── pack ──────────────┐                                   ┌── format, lists, rules
//!                                ├── node ── walk (object, schema) ──┤
//! CRDs ── define, compile, crd ──┘                                   └── violation
//! ```
//!
//! The check follows the API server: unknown fields are violations (as with `fieldValidation: Strict`), an optional
//! field may be null, `1.0` is an integer. It knows more than the published schemas do: values of some enums, quantities,
//! lists whose items must differ, and that a container needs an image. Defaults of custom resources count. Rules in CEL are
//! evaluated by a walk of their own (`evaluate`), of objects that are valid otherwise. What is below `status` is
//! checked for types and unknown fields alone.

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
mod version;
mod violation;
mod walk;

pub use fault::CrdFault;
pub use format::is_cidr;
pub use kinds::{Known, Scope};
pub use life::{LifeCycle, kinds};
pub use lock::{LockedDefinition, MAX_DEFINITIONS};
pub use merge_schema::{ListMerge, MergeSchema};
pub use node::Scalar;
pub use packed::{PackedDefinition, PackedKind, PackedRelease};
pub use version::{KubeVersion, VersionError};
pub use violation::{Bound, Pointer, Violation, ViolationKind};

use std::collections::BTreeSet;

use compile::Defaults;
use crd::{Crds, RuleCount};
use define::{Defined, define};
use effective::Effects;
use evaluate::Evaluator;
use node::{Id, SchemaNode};
use pack::Decoded;
use walk::{MAX_VIOLATIONS, Walk};

pub use crate::Quantity;
use crate::cel::Budget;
use sealwave_core::document::{Node, group_and_version};
use sealwave_core::pattern::Pattern as Compiled;

/// What is known of one version of Kubernetes, and of the custom resources that were added.
#[derive(Debug)]
pub struct Schemas {
    version: KubeVersion,
    built_in: &'static Decoded,
    crds: Crds,
}

/// Where the schema of a kind is in the [`Schemas`] that were asked for it.
#[derive(Clone, Copy, Debug)]
pub struct KindSchema {
    root: Id,
    /// Whether its objects define custom resources.
    defines: bool,
    /// Whether some check depends on what the API server fills in or drops.
    alternatives: bool,
}

/// How to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    /// Whether a field that the schema does not know is a violation; the API server would drop it.
    pub strict: bool,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// There was a violation, at least.
    Invalid,
    /// There is no schema for this group, version and kind, or the object does not say what it is.
    NoSchema,
    /// There was none.
    Valid,
}

/// What came of adding a definition.
#[derive(Debug)]
#[must_use]
pub struct CrdReport<'c> {
    /// Group and kind that are known now; `None` where the object is no definition.
    pub kind: Option<(String, String)>,
    /// CEL rules of all its served versions.
    pub unchecked_rules: usize,
    /// What is wrong with it, in the order of the document. A faulty part of a schema takes any value.
    pub faults: Vec<Violation<'c>>,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { strict: true }
    }
}

impl Schemas {
    /// The schemas of a version. This takes no time to speak of.
    #[must_use]
    pub fn new(version: KubeVersion) -> Self {
        Self { version, built_in: Decoded::of(version), crds: Crds::default() }
    }

    /// The version of Kubernetes.
    #[must_use]
    pub const fn version(&self) -> KubeVersion {
        self.version
    }

    /// Adds the custom resources of a `CustomResourceDefinition`. A later definition of the same kind replaces this one.
    pub fn add_crd<'c>(&mut self, crd: &'c Node) -> CrdReport<'c> {
        let metadata = self.metadata();
        let Defined { definition, faults, .. } = define(&mut self.crds, metadata, crd);
        let Some((group, kind, definition)) = definition else {
            return CrdReport { kind: None, unchecked_rules: 0, faults };
        };
        let served = definition.versions.iter().filter(|version| version.served);
        let unchecked_rules = served.map(|version| version.rules.all).sum();
        self.crds.insert(group, kind, definition);
        CrdReport { kind: Some((group.to_owned(), kind.to_owned())), unchecked_rules, faults }
    }

    /// Where the schema of a kind is; `None` where there is none.
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

    /// Checks an object and hands each violation to `report`, in the order of the document; at most 200 of them.
    pub fn check<'a>(
        &'a self,
        object: &'a Node,
        options: CheckOptions,
        report: &mut dyn FnMut(Violation<'a>),
    ) -> Checked {
        let kind = gvk(object).and_then(|(group, version, kind)| self.kind(group, version, kind));
        kind.map_or(Checked::NoSchema, |kind| self.check_kind(kind, object, options, report))
    }

    /// The same for an object whose kind was looked up in these schemas.
    pub fn check_kind<'a>(
        &'a self,
        kind: KindSchema,
        object: &'a Node,
        options: CheckOptions,
        report: &mut dyn FnMut(Violation<'a>),
    ) -> Checked {
        let mut found = Vec::new();
        self.walk(kind, object, options, &mut |violation| found.push(violation));
        if kind.defines {
            self.check_definition(object, &mut found);
        }
        if found.is_empty() {
            return Checked::Valid;
        }
        // A mapping is finished after what is in it, and so are its own faults.
        found.sort_by_key(|violation| violation.origin);
        found.into_iter().take(MAX_VIOLATIONS).for_each(report);
        Checked::Invalid
    }

    fn walk<'a>(
        &'a self,
        kind: KindSchema,
        object: &'a Node,
        options: CheckOptions,
        sink: &mut dyn FnMut(Violation<'a>),
    ) {
        let effects = kind.alternatives.then(|| Effects::new(self, kind.root, object));
        let mut walk = Walk {
            schemas: self,
            strict: options.strict,
            lenient: false,
            sink,
            found: 0,
            most: MAX_VIOLATIONS,
            steps: effects.as_ref().map_or(0, |effects| effects.steps),
            effects: effects.as_ref(),
            in_branch: false,
            anchor: None,
        };
        walk.object(kind.root, object);
    }

    /// Counts the CEL rules of a custom resource's version, which [`Schemas::check`] does not evaluate.
    #[must_use]
    pub fn rule_count(&self, group: &str, version: &str, kind: &str) -> usize {
        self.rules_of(group, version, kind).all
    }

    fn rules_of(&self, group: &str, version: &str, kind: &str) -> RuleCount {
        let version = self.crds.kind(group, kind).and_then(|kind| kind.served(version));
        version.map_or_else(RuleCount::default, |version| version.rules)
    }

    /// Evaluates the CEL rules of a valid custom resource, hands each violation to `report`, in the order of the
    /// document, and returns how many rules were not evaluated.
    pub fn evaluate_rules<'a>(
        &'a self,
        object: &'a Node,
        budget: &mut Budget,
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
        let mut evaluator =
            Evaluator { schemas: self, budget, found: Vec::new(), unevaluated: BTreeSet::new(), values: 0 };
        evaluator.object(root, object);
        let mut found = evaluator.found;
        found.sort_by_key(|violation| violation.origin);
        let unevaluated = evaluator.unevaluated.len() + count.in_branches;
        found.into_iter().for_each(report);
        unevaluated
    }

    /// Where the schema of an object starts.
    fn root(&self, group: &str, version: &str, kind: &str) -> Option<Id> {
        let built_in = pack::EMBEDDED
            .versions(group, kind)
            .find(|entry| entry.version == version && entry.minors & self.version.bit() != 0);
        match built_in {
            Some(entry) => Some(entry.id),
            None => self.crds.kind(group, kind)?.served(version)?.root.or(Some(crd::FREE)),
        }
    }

    fn node(&self, id: Id) -> &SchemaNode {
        if id.is_custom() { self.crds.node(id) } else { self.built_in.node(id) }
    }

    fn pattern(&self, index: usize) -> Option<(&str, &Compiled)> {
        self.crds.pattern(index)
    }

    /// Where the schema of every object's `metadata` is.
    fn metadata(&self) -> Id {
        let field = |root| self.node(root).fields.find("metadata").map(|field| field.id);
        self.root("", "v1", "ConfigMap").and_then(field).unwrap_or(crd::FREE)
    }

    /// Checks a definition itself; what the walk has reported already (types, unknown keywords) is not repeated.
    fn check_definition<'a>(&self, object: &'a Node, found: &mut Vec<Violation<'a>>) {
        let mut crds = Crds::to_be_judged();
        let Defined { faults, defaults, .. } = define(&mut crds, self.metadata(), object);
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

    /// Checks defaults against the schemas of a definition; patterns do not count.
    fn unfit_defaults<'a>(&self, crds: Crds, defaults: &Defaults<'a>) -> Vec<Violation<'a>> {
        let own = Self { version: self.version, built_in: self.built_in, crds };
        let mut steps = 0;
        let mut faults = Vec::new();
        for (id, default, pointer) in defaults {
            let mut reason = None;
            let mut take = |violation: Violation<'_>| {
                reason.get_or_insert_with(|| violation.kind.to_string());
            };
            let mut walk = Walk {
                schemas: &own,
                strict: true,
                lenient: false,
                sink: &mut take,
                found: 0,
                most: 1,
                steps,
                effects: None,
                in_branch: false,
                anchor: None,
            };
            walk.value(*id, default, &path::Path::ROOT, 1);
            steps = walk.steps;
            if let Some(reason) = reason {
                let kind = ViolationKind::Definition(CrdFault::Default { reason });
                faults.push(Violation { kind, pointer: pointer.clone(), origin: default.shown_at() });
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
