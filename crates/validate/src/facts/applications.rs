//! Sources of Argo CD Applications.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::items;
use sealwave_core::document::Node;

const GROUP: &str = "argoproj.io";

/// Returns the sources of an Application, or of the template of an ApplicationSet.
pub(crate) fn application_sources<'a>(object: &CheckedObject<'a>) -> impl Iterator<Item = &'a Node> {
    let root = object.manifest.root();
    let spec = if object.is(GROUP, "Application") {
        root.get("spec")
    } else if object.is(GROUP, "ApplicationSet") {
        root.at(&["spec", "template", "spec"])
    } else {
        None
    };
    // Argo CD ignores `source` if there are `sources`.
    let all = spec.map(|spec| items(spec, "sources")).unwrap_or_default();
    let single = spec.filter(|_| all.is_empty()).and_then(|spec| spec.get("source"));
    single.into_iter().chain(all)
}

/// Returns the path of a source as the names of apps are written.
pub(crate) fn app_path(path: &str) -> &str {
    let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
    if path.is_empty() { "." } else { path }
}
