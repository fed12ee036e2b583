//! Seals the items of committed SealedSecrets for another certificate, without changing anything else.
//!
//! | file | holds |
//! |---|---|
//! | `find` | [`SealedTree`]: the files of a repository that hold SealedSecrets, and what could not be read |
//! | `environments` | the guard that files of several environments are not sealed for one certificate by accident |
//! | `status` | [`ItemState`]: whether an item is sealed for the certificate, by its record or by trial |
//! | `engine` | [`ResealEngine`]: what seals items again |
//! | `offline` | [`OfflineEngine`]: with key files, in memory |
//! | `online` | [`OnlineEngine`]: through the controller of a cluster |
//! | `plan` | [`ResealPlan`]: the changes of all files; an item that fails ends the whole plan |
//! | `run` | applies a plan from a journal, commits and pushes |
//! | `check` | [`CheckReport`]: which items are not sealed for the certificate |
//! | `map` | [`KeyMap`]: which key opens each item, and which keys nothing needs |
//! | `controller_keys` | [`ControllerKeys`]: the keys of a controller, for the map |
//! | `clusters` | [`named_cluster`]: the cluster that the app files name for the files |
//! | `origins` | [`KeyOrigins`]: whether the keys that opened items are of one controller, that of the certificate |
//!
//! Every new item is verified before a file changes. The record that keeps checksums as they were is
//! [`sealwave_secrets::resealed`]. No plan, report or journal holds a value; ciphertexts are public.

mod check;
mod clusters;
mod controller_keys;
#[cfg(all(test, feature = "k8s"))]
mod controller_map_tests;
mod engine;
mod environment_check;
mod environments;
mod error;
mod find;
mod map;
mod offline;
mod online;
#[cfg(all(test, feature = "k8s"))]
mod online_tests;
mod origins;
#[cfg(test)]
mod origins_tests;
mod plan;
mod report_entries;
mod run;
mod status;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use check::{CheckReport, CheckedItem};
pub use clusters::{NamedCluster, SeveralClusters, named_cluster};
pub use controller_keys::{ControllerKeys, ControllerSecret};
pub use engine::{EngineFailure, ResealEngine, ResealedItem, ResealedItems, SealedItems};
pub use environment_check::require_environments;
pub use environments::environment_of;
pub use error::ResealError;
pub use find::{FoundFile, SealedTree, UnseenFile, UnseenReason, group_by_repository};
pub use map::{KeyMap, KeyNeed, KeyUse, MappedItem};
pub use offline::OfflineEngine;
pub use online::OnlineEngine;
pub use origins::{KeyOrigins, OpenedItems, OriginError};
pub use plan::{PlanInput, ResealPlan};
pub use report_entries::UnseenEntry;
pub use run::{ResealDelivery, ResealRun, ResealState};
pub use status::{ItemState, StaleReason};
