//! Recognizes directories of Helm charts, whose files are templates and settings instead of manifests.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use sealwave_core::document::{Node, Sources};
use sealwave_core::reach::PathReach;
use sealwave_core::yaml;

/// The file with the metadata of a chart.
pub(super) const CHART_FILE: &str = "Chart.yaml";

/// The most bytes read of a chart's metadata.
const MAX_METADATA: u64 = 64 << 10;

/// The directories of a chart that Helm reads.
const DIRECTORIES: [&str; 4] = ["charts", "ci", "crds", "templates"];

/// Reports whether a `Chart.yaml` belongs to a chart: it has the metadata of one, or templates beside it.
pub(super) fn is_chart(file: &Path, reach: &PathReach) -> bool {
    let templates = file.with_file_name("templates");
    let has_templates = templates.symlink_metadata().is_ok_and(|about| about.is_dir());
    has_templates || read(file, reach).is_some_and(|text| has_metadata(&text))
}

fn read(file: &Path, reach: &PathReach) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    reach.open(file).ok()?.take(MAX_METADATA).read_to_end(&mut text).ok()?;
    Some(text)
}

fn has_metadata(text: &[u8]) -> bool {
    let source = Sources::default().add(CHART_FILE);
    let document = yaml::documents(text, source, &yaml::Limits::lenient()).next().and_then(Result::ok);
    let has = |root: &Node, field: &str| root.get(field).is_some_and(|value| value.as_str().is_some());
    document
        .is_some_and(|root| has(&root, "name") && root.get("version").is_some() && root.get("kind").is_none())
}

/// Reports whether a path within a chart is part of the chart: for a chart below the searched directory, everything;
/// for the searched directory itself, what Helm reads.
pub(super) fn is_part_of_chart(inside: &Path, is_top: bool) -> bool {
    let mut parts = inside.iter().filter_map(std::ffi::OsStr::to_str);
    let first = parts.next().unwrap_or_default();
    let is_file = parts.next().is_none();
    let is_settings = || {
        let is_named = |stem: &str| first.starts_with(stem);
        is_file && ["Chart.", "requirements.", "values"].into_iter().any(is_named)
    };
    !is_top || DIRECTORIES.contains(&first) || is_settings()
}

/// Keeps the charts that are not within another chart or within one of the apps.
pub(super) fn outermost(charts: &mut Vec<PathBuf>, is_app: impl Fn(&Path) -> bool) {
    charts.sort();
    let mut kept: Vec<PathBuf> = Vec::new();
    for chart in charts.drain(..) {
        let is_inside = kept.last().is_some_and(|outer| chart.starts_with(outer));
        if !is_inside && !chart.ancestors().any(&is_app) {
            kept.push(chart);
        }
    }
    *charts = kept;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_has_a_name_and_a_version() {
        for (text, is_metadata) in [
            ("apiVersion: v2\nname: web\nversion: 1.0.0\n", true),
            ("name: web\nversion: 0.1\n", true),
            ("apiVersion: v1\nkind: ConfigMap\nname: a\nversion: b\n", false),
            ("apiVersion: v2\nname: web\n", false),
            ("a: [\n", false),
            ("", false),
        ] {
            assert_eq!(has_metadata(text.as_bytes()), is_metadata, "{text}");
        }
    }

    #[test]
    fn a_chart_that_is_searched_itself_may_have_manifests_beside_it() {
        for (path, below, top) in [
            ("templates/a.yaml", true, true),
            ("values-prod.yaml", true, true),
            ("charts/b/templates/a.yaml", true, true),
            ("deploy/a.yaml", true, false),
            ("deploy/values.yaml", true, false),
            ("a.yaml", true, false),
        ] {
            let inside = Path::new(path);
            assert_eq!(
                (is_part_of_chart(inside, false), is_part_of_chart(inside, true)),
                (below, top),
                "{path}"
            );
        }
    }

    #[test]
    fn charts_within_charts_and_apps_are_not_listed() {
        let mut charts = ["a/charts/b", "a", "app/chart", "ab"].map(PathBuf::from).to_vec();
        outermost(&mut charts, |path| path == Path::new("app"));
        assert_eq!(charts, ["a", "ab"].map(PathBuf::from));
    }
}
