//! The tree of a document, and where each of its nodes comes from.

mod json;
mod manifest;
mod node;
mod source;
mod texts;
mod trace;
mod written;

pub use manifest::{Manifest, NotAManifest, ObjectId, group_and_version};
pub use node::{Entry, Mapping, Node, Number, Value};
pub use source::{LineMap, Origin, Place, Source, SourceId, Sources, display_path};
pub use texts::{SourceText, Texts};
pub use trace::{Element, Printed, Stretch};
pub use written::WrittenScalars;
