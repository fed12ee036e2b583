//! The output of a program as a file of manifests, with the file of the repository that each line came from.

use std::collections::BTreeMap;
use std::path::Path;

use sealwave_core::document::{LineMap, Origin, Sources};

use crate::load::{FileKind, ManifestFile};

/// The comment with which Helm names the template of a document, after a separator.
const HELM_SOURCE: &str = "# Source: ";

/// Returns the output of Helm. Its comments name the template of each document, below the name of the chart; `name_of` returns
/// the path of such a file, and `whole` is the file to name without a comment.
pub(super) fn from_helm(
    text: String,
    whole: &str,
    name_of: impl Fn(&Path) -> String,
    sources: &mut Sources,
) -> ManifestFile {
    let mut templates = BTreeMap::new();
    let mut current = sources.add(whole);
    let mut is_start = true;
    let mut lines = LineMap::default();
    for line in text.lines() {
        if let Some(path) = line.strip_prefix(HELM_SOURCE).filter(|_| is_start) {
            let inside = path.split_once('/').map_or(path, |(_, inside)| inside);
            current = *templates
                .entry(inside.to_owned())
                .or_insert_with(|| sources.add(name_of(Path::new(inside))));
        }
        is_start = line == "---";
        lines.push(Origin::whole(current));
    }
    with_lines(text, whole, lines, sources)
}

/// Returns an output whose lines all come from one file, `whole`.
pub(super) fn from_one_file(text: String, whole: &str, sources: &mut Sources) -> ManifestFile {
    let origin = Origin::whole(sources.add(whole));
    let mut lines = LineMap::default();
    text.lines().for_each(|_| {
        lines.push(origin);
    });
    with_lines(text, whole, lines, sources)
}

/// Returns an output whose lines come from the files in `lines`.
pub(super) fn with_lines(text: String, whole: &str, lines: LineMap, sources: &mut Sources) -> ManifestFile {
    let source = sources.add_rendered(whole, lines);
    ManifestFile { source, text, kind: FileKind::ProgramOutput }
}
