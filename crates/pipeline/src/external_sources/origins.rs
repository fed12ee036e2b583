//! The file that each object of a directory of Kustomize comes from.
//!
//! Kustomize knows, but writes it into the objects, and only if the kustomization asks for it. So it runs a second time, on a
//! kustomization that includes the directory and asks; its objects are used for nothing else. Objects are matched by their
//! identity.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sealwave_core::document::{LineMap, Node, Origin, Sources};
use sealwave_core::yaml;
use sealwave_programs::ProgramRun;

use super::input::SourceInput;

/// The annotation with the origin of an object.
const ORIGIN: &str = "config.kubernetes.io/origin";
/// Levels from any directory to the root of the file system; further ones stay there.
const LEVELS: usize = 64;

/// Kind, namespace and name of an object.
type ObjectKey = (String, String, String, String);

/// The files of the objects of a directory.
pub(super) struct ObjectOrigins(BTreeMap<ObjectKey, PathBuf>);

impl ObjectOrigins {
    /// Runs Kustomize on the directory; `None` if that fails, since the objects themselves are known.
    pub(super) fn find(run: ProgramRun, directory: &Path, input: &SourceInput<'_>) -> Option<Self> {
        let up = "../".repeat(LEVELS);
        let resource = format!("{up}{}", directory.strip_prefix("/").ok()?.to_str()?);
        let wrapper = serde_json::json!({"buildMetadata": ["originAnnotations"], "resources": [resource]});
        let run = run.directory_arg("kustomization.yaml", wrapper.to_string().into_bytes());
        let output = run.run(input.toolbox.host()).ok()?;
        let mut all = BTreeMap::new();
        for tree in documents(&output.stdout)? {
            let file =
                tree.at(&["metadata", "annotations", ORIGIN]).and_then(Node::as_str).and_then(origin_file);
            if let Some(file) = file {
                all.insert(key_of(&tree), file);
            }
        }
        Some(Self(all))
    }

    /// Returns the file of each line of an output; lines of objects without a known file come from `whole`.
    pub(super) fn lines(
        &self,
        text: &str,
        whole: &str,
        input: &SourceInput<'_>,
        sources: &mut Sources,
    ) -> Option<LineMap> {
        let trees = documents(text.as_bytes())?;
        let default = sources.add(whole);
        let mut known = BTreeMap::new();
        let mut starts: Vec<(u32, Origin)> = Vec::new();
        for tree in trees {
            let file = self.0.get(&key_of(&tree)).filter(|file| file.starts_with(input.app.boundary()));
            let source = file.map_or(default, |file| {
                *known.entry(file.clone()).or_insert_with(|| sources.add(input.name_of_full(file)))
            });
            starts.push((tree.origin.line, Origin::whole(source)));
        }
        let mut lines = LineMap::default();
        let mut next = starts.into_iter().peekable();
        let mut current = Origin::whole(default);
        for (number, _) in (1_u32..).zip(text.lines()) {
            while let Some((_, origin)) = next.next_if(|(start, _)| *start <= number) {
                current = origin;
            }
            lines.push(current);
        }
        Some(lines)
    }
}

fn documents(bytes: &[u8]) -> Option<Vec<Node>> {
    let source = Sources::default().add("");
    yaml::read(bytes, source, &yaml::Limits::default()).ok()
}

fn key_of(object: &Node) -> ObjectKey {
    let text = |path: &[&str]| object.at(path).and_then(Node::as_str).unwrap_or_default().to_owned();
    (text(&["apiVersion"]), text(&["kind"]), text(&["metadata", "namespace"]), text(&["metadata", "name"]))
}

/// Returns the full path of the file in an annotation: that of the resource, or of the kustomization of a generator. The path
/// starts at the including kustomization, and leads to the root first.
fn origin_file(annotation: &str) -> Option<PathBuf> {
    let line = annotation
        .lines()
        .find_map(|line| line.strip_prefix("path: ").or_else(|| line.strip_prefix("configuredIn: ")))?;
    let inside: PathBuf =
        Path::new(line.trim()).components().skip_while(|part| part.as_os_str() == "..").collect();
    Some(Path::new("/").join(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_name_files() {
        for (annotation, file) in [
            ("path: ../../../repo/base/web.yaml\n", Some("/repo/base/web.yaml")),
            (
                "configuredIn: ../../repo/kustomization.yaml\nconfiguredBy:\n  kind: SecretGenerator\n",
                Some("/repo/kustomization.yaml"),
            ),
            ("repo: https://example.com\n", None),
        ] {
            assert_eq!(origin_file(annotation), file.map(PathBuf::from), "{annotation}");
        }
    }
}
