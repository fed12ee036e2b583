//! Finds the mount of each path. If the operator does not configure mounts, the server is queried for many paths at once.
//!
//! A mount that is found for one path serves all other paths below it. So the first round queries one path for each first
//! segment; the next round one unresolved path for each first two segments; and so on. A mount is requested once, unless
//! the token may read it for one path but not for another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::path::KvMount;
use super::response;
use super::session::{AT_ONCE, VaultSession};
use crate::ProviderError;
use crate::remote::runtime;

/// Returns the mount of each path: one of `known`, or the server's result if `known` is empty.
pub(super) async fn locate(
    session: &Arc<VaultSession>,
    known: &[KvMount],
    paths: &BTreeSet<&str>,
) -> Vec<Result<KvMount, ProviderError>> {
    let mut search = MountSearch { mounts: known.to_vec(), failed: BTreeMap::new() };
    let mut depth = 0;
    while known.is_empty() {
        depth += 1;
        let mut round: BTreeMap<&str, &str> = BTreeMap::new();
        for path in paths.iter().filter(|path| search.is_open(path)) {
            round.entry(first_segments(path, depth)).or_insert(path);
        }
        if round.is_empty() {
            break;
        }
        let work = round.values().map(|path| ask(Arc::clone(session), (*path).to_owned()));
        let answers = runtime::gather(session.end, AT_ONCE, work).await;
        for (path, answer) in round.into_values().zip(answers) {
            search.record(path, paths, answer.unwrap_or_else(|| Err(ProviderError::overdue())));
        }
    }
    paths.iter().map(|path| search.mount(path)).collect()
}

/// The mounts and errors that are known so far.
struct MountSearch<'p> {
    mounts: Vec<KvMount>,
    failed: BTreeMap<&'p str, ProviderError>,
}

impl<'p> MountSearch<'p> {
    fn covering(&self, path: &str) -> Option<&KvMount> {
        self.mounts.iter().filter(|mount| mount.below(path).is_some()).max_by_key(|mount| mount.depth())
    }

    fn is_open(&self, path: &str) -> bool {
        self.covering(path).is_none() && !self.failed.contains_key(path)
    }

    fn record(&mut self, path: &'p str, paths: &BTreeSet<&'p str>, answer: Result<KvMount, ProviderError>) {
        match answer {
            Ok(mount) => self.mounts.push(mount),
            // The server would not be reachable for the others either.
            Err(error @ (ProviderError::Overdue { .. } | ProviderError::Unreachable { .. })) => {
                let open: Vec<&str> = paths.iter().copied().filter(|path| self.is_open(path)).collect();
                self.failed.extend(open.into_iter().map(|path| (path, error.clone())));
            }
            Err(error) => {
                self.failed.insert(path, error);
            }
        }
    }

    fn mount(&self, path: &str) -> Result<KvMount, ProviderError> {
        match (self.covering(path), self.failed.get(path)) {
            (Some(mount), _) => Ok(mount.clone()),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => Err(ProviderError::denied(
                "the path is not in any mount of the operator file",
                "add the mount to `mounts` of this provider in the operator file",
            )),
        }
    }
}

async fn ask(session: Arc<VaultSession>, path: String) -> Result<KvMount, ProviderError> {
    let answer = session.get(&format!("sys/internal/ui/mounts/{path}"), None).await?;
    response::read_mount(&answer, &path)
}

/// Returns a path up to its `count`th slash, or the whole path if it has fewer.
fn first_segments(path: &str, count: usize) -> &str {
    let end = path.match_indices('/').nth(count - 1).map(|(at, _)| at);
    end.and_then(|end| path.get(..end)).unwrap_or(path)
}
