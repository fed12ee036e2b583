//! The order of a sync, as Argo CD sees it: who needs whom, in which phase and wave each is, and where the two disagree.
//!
//! Nothing is decided here. Choosing waves is a verb's business; this is what it, and whoever judges an author's waves,
//! must know.

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
