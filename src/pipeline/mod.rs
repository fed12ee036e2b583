//! The verbs, in the order in which they run: discover → load → render → resolve → seal → annotate → emit.

mod closest;
mod discover;
mod load;
mod render;
mod resolve;
mod seal;

pub use discover::{Discovery, discover, is_app};
pub use load::{Loaded, load};
pub use render::{RenderContext, Rendered, render};
pub use resolve::Resolved;
pub use seal::Sealed;
