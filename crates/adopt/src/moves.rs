//! Commands that move plain manifests to where sealwave reads them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sealwave_core::text::shell_quoted;

use crate::environments::is_usual;

/// The moves of a directory of plain manifests.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    /// Commands for a shell, to be run in the directory.
    pub(crate) commands: Vec<String>,
    /// The environments that directories suggest.
    pub(crate) environments: Vec<String>,
    /// The number of files.
    pub(crate) files: usize,
}

impl Moves {
    /// Plans the moves of files: those in a directory of an environment's name to `envs/NAME`, others to `base`.
    ///
    /// `base/` and `envs/` stay as they are.
    pub(crate) fn of(manifests: &[PathBuf]) -> Self {
        let mut moves = Self::default();
        let mut targets: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for file in manifests {
            let parts: Vec<&str> = file.iter().filter_map(|part| part.to_str()).collect();
            let Some(first) = parts.first() else { continue };
            let is_single = parts.len() == 1;
            if !is_single && matches!(*first, "base" | "envs") {
                continue;
            }
            moves.files += 1;
            let target = if !is_single && is_usual(first) {
                format!("envs/{first}")
            } else if is_single {
                "base".to_owned()
            } else {
                // Files of one name in several directories stay apart.
                format!("base/{}", file.parent().map(Path::to_string_lossy).unwrap_or_default())
            };
            targets.entry(target).or_default().push(parts.join("/"));
        }
        moves.environments =
            targets.keys().filter_map(|target| target.strip_prefix("envs/")).map(str::to_owned).collect();
        moves.commands = targets.iter().map(|(target, files)| command(target, files)).collect();
        moves
    }
}

fn command(target: &str, files: &[String]) -> String {
    let files: Vec<String> = files.iter().map(|file| shell_quoted(file)).collect();
    let target = shell_quoted(target);
    format!("mkdir -p -- {target} && git mv -- {} {target}/", files.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_move_to_base_and_to_their_environments() {
        let files = ["a.yaml", "b c.yaml", "base/x.yaml", "prod/a.yaml", "web/a.yaml"].map(PathBuf::from);
        let moves = Moves::of(&files);
        assert_eq!(
            moves.commands,
            [
                "mkdir -p -- base && git mv -- a.yaml 'b c.yaml' base/",
                "mkdir -p -- base/web && git mv -- web/a.yaml base/web/",
                "mkdir -p -- envs/prod && git mv -- prod/a.yaml envs/prod/",
            ]
        );
        assert_eq!((moves.environments, moves.files), (vec!["prod".to_owned()], 4));
    }
}
