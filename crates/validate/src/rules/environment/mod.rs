//! Rules that compare the environments of an app: unexpected differences, and unexpected similarities.
//!
//! The counterpart of an object in another environment is the object with the same kind and name. Namespaces are
//! ignored, and so is the environment's name within a name (`shop-dev`).

mod addresses;
mod counterparts;
pub(super) mod foreign_path;
mod hints;
pub(super) mod missing_key;
pub(super) mod missing_object;
pub(super) mod missing_placeholder;
mod names;
mod namespaces;
pub(crate) mod same_secret;
mod shared;
