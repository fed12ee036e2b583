//! Reports problems with the objects of an app, and their places in its sources.
//!
//! The rules of [`crate::rules`] check the examined objects. This module adds places and pointers to their findings,
//! merges equal findings of several environments, and applies suppressions. It is pure: nothing is read or fetched.

mod advice;
mod check;
mod comment;
mod completion;
mod context;
mod echoes;
mod expanded_values;
mod failures;
mod fallback;
mod finder;
mod held_back;
mod identities;
mod input;
mod kind_filter;
mod kustomization;
mod locate;
mod lookup;
mod manifests;
mod merge;
mod neighbors;
mod options;
mod packed;
mod plain;
mod pointer;
mod result;
mod scalars;
mod schema_set;
mod schemas;
mod set_results;
mod stream;
mod suppress;
mod tag_advice;
mod unknown;
mod unrendered;
mod violations;
mod windows;

pub use crate::definitions::{DefinitionRef, KnownDefinition, distance};
pub use check::validate;
pub use context::{AppContext, PlainContext, SchemaContext};
pub use failures::{definition_faults, failed_examination};
pub use fallback::{CrdFallback, DefinitionSource, FallbackSchemas};
pub use kind_filter::KindFilter;
pub use kustomization::{Kustomization, KustomizedFiles, is_kustomization};
pub use manifests::PlainInput;
pub use neighbors::neighbors;
pub use options::{CoverageGaps, OptionValues, ValidateOptions};
pub use packed::PackedSchemas;
pub use plain::validate_plain;
pub use result::{PlainResult, ValidationResult};
pub use schema_set::SchemaSet;
pub use set_results::{AllSetsResult, SetResults};
pub use suppress::RunSuppressions;
pub use unrendered::{UnrenderedApps, UnrenderedNames, unrendered_names};
