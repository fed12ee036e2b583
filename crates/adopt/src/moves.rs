//! Commands that move plain manifests to where sealwave reads them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    let files: Vec<String> = files.iter().map(|file| quoted(file)).collect();
    let target = quoted(target);
    format!("mkdir -p -- {target} && git mv -- {} {target}/", files.join(" "))
}

/// Quotes a text for a shell, if it needs that. A text with control characters is written so that it does nothing unseen.
#[must_use]
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    if text.chars().any(char::is_control) {
        let escaped: String = text.chars().flat_map(ansi_c).collect();
        return format!("$'{escaped}'");
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Returns a character as within `$'…'`.
fn ansi_c(c: char) -> Vec<char> {
    match c {
        '\'' | '\\' => vec!['\\', c],
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)).chars().collect(),
        c => vec![c],
    }
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

    #[test]
    fn names_cannot_end_their_quotes() {
        for (name, written) in [
            ("a.yaml", "a.yaml"),
            ("$(id).yaml", "'$(id).yaml'"),
            ("a'b.yaml", r"'a'\''b.yaml'"),
            ("a\n;'id.yaml", r"$'a\u000a;\'id.yaml'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(name), written);
        }
    }
}
