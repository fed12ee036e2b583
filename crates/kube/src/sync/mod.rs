//! The order of a sync, as seen by Argo CD: the dependencies between objects, their phases and waves, and conflicts.
//!
//! Nothing is decided here. This is the knowledge required to choose waves, and to check the waves of authors.

mod conflict;
mod dependencies;
mod options;
mod phases;
mod placement;
mod waves;

pub use conflict::{LocatedConflict, find_conflicts};
pub use dependencies::{DependencyEdge, WaveOrder, dependency_edges};
pub use options::{NO_PRUNING, PRUNE_LAST, has_entry, with_option, without_pruning};
pub use phases::SyncPhase;
pub use placement::{SyncPlacement, wave_origin};
pub use waves::WaveSettings;
