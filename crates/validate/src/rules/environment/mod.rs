//! What differs between the environments of an app and should not, or does not and should.
//!
//! An object's counterpart in another environment is the object of that kind and name there; namespaces do not count, and
//! where a name has the environment's own name in it (`shop-dev`), that part does not count either.

mod addresses;
mod counterparts;
pub(super) mod foreign_path;
pub(super) mod missing_key;
pub(super) mod missing_object;
pub(super) mod missing_placeholder;
mod namespaces;
mod places;
pub(crate) mod same_secret;
mod shared;
mod words;
