//! The tree of a document, and where each of its nodes comes from.

mod by_address;
mod json;
mod manifest;
mod node;
mod number;
mod source;
mod texts;
mod trace;
mod written;

pub use by_address::ByAddress;
pub use manifest::{Manifest, ManifestError, ObjectId, TextVisitor, group_and_version};
pub use node::{Mapping, MappingBuilder, MappingEntry, MappingEntryMut, Node, NodeValue};
pub use number::{FiniteFloat, Number};
pub use source::{LineMap, Origin, SourceId, SourceInfo, SourceLocation, Sources, display_path};
pub use texts::{SourceText, SourceTexts};
pub use trace::{OutputSpan, TemplateNode, ValueRef};
pub use written::WrittenScalars;
