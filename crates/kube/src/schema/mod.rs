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

mod bound;
mod cel_rule;
mod check;
mod compile;
mod crd;
mod define;
mod definition;
mod draft;
mod effective;
mod evaluate;
mod export;
mod fault;
mod fault_collector;
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
mod pointer;
mod resource_scope;
mod rules;
mod schemas;
mod shown;
mod structure;
mod validations;
mod value_type;
mod version;
mod violation;
mod walk;

pub use bound::RangeBound;
pub use check::{CheckOptions, CheckOutcome, CrdReport};
pub use fault::CrdFault;
pub use format::is_cidr;
pub use kinds::KindLookup;
pub use life::{LifeCycle, built_in_kinds, kinds};
pub use lock::{LockedDefinition, MAX_DEFINITIONS};
pub use merge_schema::{ListMerge, MergeSchema};
pub use node::ComparableScalar;
pub use packed::{PackedDefinition, PackedKind, PackedRelease};
pub use pointer::JsonPointer;
pub use resource_scope::ResourceScope;
pub use schemas::{KindSchema, Schemas};
pub use value_type::{JsonType, ValueType};
pub use version::{KubeVersion, VersionError};
pub use violation::{Violation, ViolationKind, ViolationMessage};

pub use crate::Quantity;
