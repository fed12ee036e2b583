//! The check that a command re-seals the files of the environments that its flags name, and of no other ones.

use std::collections::BTreeSet;

use super::environments::environment_of;
use super::error::ResealError;
use super::find::SealedTree;

/// Requires that files of each named environment were found, or those of one environment at most if none is named.
///
/// # Errors
/// No file belongs to a named environment, or the files belong to several.
pub fn require_environments(trees: &[&SealedTree], named: &[String]) -> Result<(), ResealError> {
    if named.is_empty() {
        let files = trees.iter().flat_map(|tree| tree.paths());
        let found: BTreeSet<&str> = files.filter_map(environment_of).collect();
        let found: Vec<String> = found.into_iter().map(str::to_owned).collect();
        return if found.len() > 1 { Err(ResealError::SeveralEnvironments(found)) } else { Ok(()) };
    }
    let found: BTreeSet<&String> = trees.iter().flat_map(|tree| &tree.environments).collect();
    // Without such directories, the name only stands for the cluster.
    let missing = named.iter().find(|name| !found.is_empty() && !found.contains(name));
    missing.map_or(Ok(()), |name| {
        let found = found.into_iter().cloned().collect();
        Err(ResealError::NoSuchEnvironment { name: name.clone(), found })
    })
}
