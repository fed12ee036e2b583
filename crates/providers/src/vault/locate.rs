//! Which mount each path lies in, where the operator does not say it: the server is asked, for many paths at once.
//!
//! A mount that one path led to serves all others below it. So the first paths to be asked for are one of each first
//! segment; of what is still open then, one of each first two segments; and so on. A mount is asked for once, unless the
//! token may not know of it for one path and may for another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::{ProviderError, runtime};
use super::path::Mount;
use super::session::Session;
use super::{AT_ONCE, answer};

/// The mount of each path: one of `known`, or what the server says where there are none.
pub(super) async fn locate(
    session: &Arc<Session>,
    known: &[Mount],
    paths: &BTreeSet<&str>,
) -> Vec<Result<Mount, ProviderError>> {
    let mut found = Found { mounts: known.to_vec(), failed: BTreeMap::new() };
    let mut depth = 0;
    while known.is_empty() {
        depth += 1;
        let mut asked: BTreeMap<&str, &str> = BTreeMap::new();
        for path in paths.iter().filter(|path| found.is_open(path)) {
            asked.entry(first_segments(path, depth)).or_insert(path);
        }
        if asked.is_empty() {
            break;
        }
        let work = asked.values().map(|path| ask(Arc::clone(session), (*path).to_owned()));
        let answers = runtime::gather(session.end, AT_ONCE, work).await;
        for (path, answer) in asked.into_values().zip(answers) {
            found.take(path, paths, answer.unwrap_or_else(|| Err(ProviderError::overdue())));
        }
    }
    paths.iter().map(|path| found.mount(path)).collect()
}

/// What is known so far.
struct Found<'p> {
    mounts: Vec<Mount>,
    failed: BTreeMap<&'p str, ProviderError>,
}

impl<'p> Found<'p> {
    fn covering(&self, path: &str) -> Option<&Mount> {
        self.mounts.iter().filter(|mount| mount.below(path).is_some()).max_by_key(|mount| mount.depth())
    }

    fn is_open(&self, path: &str) -> bool {
        self.covering(path).is_none() && !self.failed.contains_key(path)
    }

    fn take(&mut self, path: &'p str, paths: &BTreeSet<&'p str>, answer: Result<Mount, ProviderError>) {
        match answer {
            Ok(mount) => self.mounts.push(mount),
            // It would not be reached for the others either.
            Err(error @ ProviderError::Unreachable { .. }) => {
                let open: Vec<&str> = paths.iter().copied().filter(|path| self.is_open(path)).collect();
                self.failed.extend(open.into_iter().map(|path| (path, error.clone())));
            }
            Err(error) => {
                self.failed.insert(path, error);
            }
        }
    }

    fn mount(&self, path: &str) -> Result<Mount, ProviderError> {
        match (self.covering(path), self.failed.get(path)) {
            (Some(mount), _) => Ok(mount.clone()),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => Err(ProviderError::denied(
                "no mount that the operator file names holds this path",
                "add the mount to `mounts` of this provider in the operator file",
            )),
        }
    }
}

async fn ask(session: Arc<Session>, path: String) -> Result<Mount, ProviderError> {
    let answer = session.get(&format!("sys/internal/ui/mounts/{path}"), None).await?;
    answer::mount(&answer, &path)
}

/// The part of a path up to its `count`th slash; all of it where it has fewer.
fn first_segments(path: &str, count: usize) -> &str {
    let end = path.match_indices('/').nth(count - 1).map(|(at, _)| at);
    end.and_then(|end| path.get(..end)).unwrap_or(path)
}
