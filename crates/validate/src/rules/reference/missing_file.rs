//! `reference/missing-file`.

use std::collections::HashMap;

use super::file_options::{NamedFile, named_files};
use super::files::{ConfigVolume, config_volume};
use crate::facts::checked_object::CheckedObject;
use crate::facts::embedded::TextPlace;
use crate::facts::fields::{items, text};
use crate::facts::inventory::kind_name;
use crate::facts::later_stage::may_change;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_core::names::is_item_key;
use sealwave_core::text::closest_name;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "reference/missing-file",
        severity: Severity::Warning,
        summary: "a command line or a variable names a file that is not mounted",
        text: include_str!("missing_file.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

/// Directories with files from the image, the node or Kubernetes.
const FROM_ELSEWHERE: &[&str] = &[
    "/dev/",
    "/proc/",
    "/run/secrets/kubernetes.io/",
    "/sys/",
    "/tmp/",
    "/usr/",
    "/var/lib/",
    "/var/run/secrets/kubernetes.io/",
    "/vault/",
];

/// Maximum number of findings per object.
const MOST: usize = 50;

/// A volume mounted into a container.
struct VolumeMount<'a> {
    path: &'a str,
    /// True if a single file is mounted.
    is_single: bool,
    /// The volume, if its files may be known.
    volume: Option<ConfigVolume<'a>>,
    at: &'a Node,
}

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    for (number, object) in environment.indexed_objects() {
        let Some(pod) = &object.pod else { continue };
        let mut volumes: HashMap<&str, &Node> = HashMap::new();
        let mut left = MOST;
        for container in object.containers() {
            let files = named_files(container);
            if files.is_empty() {
                continue;
            }
            if volumes.is_empty() {
                volumes = named_volumes(pod.spec);
            }
            let mounts = mounts(container, &volumes);
            for file in files.iter().filter(|file| !may_change(file.path)) {
                let Some(draft) = check_file(environment, object, file, &mounts) else { continue };
                let Some(fewer) = left.checked_sub(1) else { break };
                left = fewer;
                reporter.report(draft.within(file.node.origin).about_object(number));
            }
        }
    }
}

fn named_volumes(spec: &Node) -> HashMap<&str, &Node> {
    items(spec, "volumes").iter().filter_map(|volume| Some((text(volume, "name")?, volume))).collect()
}

fn mounts<'a>(container: &'a Node, volumes: &HashMap<&str, &'a Node>) -> Vec<VolumeMount<'a>> {
    let mounts = items(container, "volumeMounts").iter().take(200);
    mounts
        .filter_map(|mount| {
            let at = mount.get("mountPath")?;
            let is_single = ["subPath", "subPathExpr"].iter().any(|field| text(mount, field).is_some());
            let named = text(mount, "name").and_then(|name| volumes.get(name));
            let volume = named.filter(|_| !is_single).and_then(|node| config_volume(node));
            Some(VolumeMount { path: at.as_str()?.trim_end_matches('/'), is_single, volume, at })
        })
        .collect()
}

/// Returns a path relative to a directory that contains it; empty for the directory itself.
fn below<'p>(path: &'p str, directory: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(directory)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

fn check_file(
    environment: &CheckedEnvironment<'_>,
    object: &CheckedObject<'_>,
    file: &NamedFile<'_>,
    mounts: &[VolumeMount<'_>],
) -> Option<FindingDraft> {
    let path = file.path.trim_end_matches('/');
    let origin = file.node.origin;
    let path_origin = || {
        let text = file.node.as_str().unwrap_or_default();
        TextPlace::locate(environment.context.texts, file.node).range_origin(text, &file.range, origin)
    };
    let covering = mounts.iter().filter_map(|mount| Some((mount, below(path, mount.path)?)));
    if let Some((mount, rest)) = covering.max_by_key(|(mount, _)| mount.path.len()) {
        let volume = mount.volume.as_ref().filter(|_| !rest.is_empty())?;
        // Other volumes are mounted into this directory.
        if mounts.iter().any(|other| below(other.path, path).is_some_and(|rest| !rest.is_empty())) {
            return None;
        }
        if !volume.is_file_missing(rest, environment, object.namespace) {
            return None;
        }
        let name = volume.name.as_str().unwrap_or_default();
        let message = format!("{} `{name}` of this volume does not have this file", kind_name(volume.kind));
        let files = volume.file_names(environment, object.namespace);
        let hint = match closest_name(rest, files.into_iter().filter(|file| is_item_key(file))) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "add the key, or correct the path".to_owned(),
        };
        return Some(
            FindingDraft::new(&RULE, path_origin(), message)
                .related(mount.at.origin, "the volume is mounted here")
                .hint(hint),
        );
    }
    let is_external = FROM_ELSEWHERE.iter().any(|directory| path.starts_with(directory));
    // Programs search a directory for existing files.
    if !file.is_configuration || is_external || file.path.ends_with('/') || is_parent(path, mounts) {
        return None;
    }
    let draft = FindingDraft::new(&RULE, path_origin(), "no volume of the container mounts this file")
        .severity(Severity::Note);
    let singles = mounts.iter().filter(|mount| mount.is_single && directory(mount.path) == directory(path));
    let near = closest_name(name(path), singles.clone().map(|mount| name(mount.path)));
    let Some(meant) = near else {
        return Some(draft.hint("mount it from a Secret or ConfigMap, unless the image contains it"));
    };
    let related = singles.clone().find(|mount| name(mount.path) == meant);
    let draft = draft.severity(Severity::Warning).hint(format!("did you mean `{meant}`?"));
    Some(match related {
        Some(mount) => draft.related(mount.at.origin, "a file is mounted here"),
        None => draft,
    })
}

/// Returns whether a volume is mounted below a path.
fn is_parent(path: &str, mounts: &[VolumeMount<'_>]) -> bool {
    mounts.iter().any(|mount| below(mount.path, path).is_some())
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}
