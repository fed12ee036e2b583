//! Knowledge about Kubernetes and Argo CD: kinds, schemas, pods, the order of a sync.
//!
//! Nothing here asks a cluster or the network, and nothing decides what to do about an object.

pub mod catalog;
pub mod cel;
mod configuration;
mod foreign_files;
pub mod pods;
mod quantity;
pub mod schema;
mod scopes;
mod secret_like;
pub mod secret_type;
pub mod sync;

pub use configuration::configuration_reader;
pub use foreign_files::{
    ForeignFile, MOVE_FILE, SOPS_HINT, SOPS_OBJECT, template_name, undecrypted_sops_block,
};
pub use quantity::Quantity;
pub use scopes::KindScopes;
pub use secret_like::{PlainData, is_secret_like, may_show_key, plain_data};
