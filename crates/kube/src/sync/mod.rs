//! The order of a sync, as seen by Argo CD: the dependencies between objects, their phases and waves, and conflicts.
//!
//! Nothing is decided here. This is the knowledge required to choose waves, and to check the waves of authors.

mod conflict;
mod options;
mod phases;
mod standing;
mod uses;
mod waves;

pub use conflict::{EARLIER_PHASE, Found, LATE, SECRET_IS_HOOK, conflicts};
pub use options::{PRUNE_LAST, has_entry, with_option};
pub use phases::Phase;
pub use standing::{Standing, wave_at};
pub use uses::{Order, Use, uses};
pub use waves::Waves;
