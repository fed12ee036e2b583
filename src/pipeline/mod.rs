//! The verbs, in the order in which they run: discover → load → render → resolve → seal → annotate → emit.

mod render;
mod resolve;
mod seal;

pub use render::Rendered;
pub use resolve::{Access, Resolved, Supply, resolve};
pub use seal::Sealed;
