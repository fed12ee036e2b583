//! Names beside the places where an app's files belong: another extension or case, a typo, names of Helm and Kustomize.
//!
//! They explain why something is missing, and nothing is read from them but the start of a file that may be an app file.
//! Only names in directories of the app, or in the directory that the user gave, are looked at.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use fs_err as fs;

use sealwave_core::reach::PathReach;
use sealwave_core::text::closest_name;
use sealwave_secrets::settings::{API_GROUP, APP_FILE};

/// The directory of the manifests for all environments.
pub(crate) const BASE: &str = "base";
/// The directory that holds one directory for each environment.
pub(crate) const ENVIRONMENTS: &str = "envs";
/// The file that makes a directory a chart.
pub(crate) const CHART_FILE: &str = "Chart.yaml";
/// The names of Kustomize's file, in the order in which Kustomize looks for them.
pub(crate) const KUSTOMIZATION_FILES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The most entries of a directory that are looked at.
const MAX_ENTRIES: usize = 2_000;
/// The most directories above one that may be its app.
const MAX_LEVELS: usize = 4;
/// The most bytes of a file that are searched for the API group of app files.
const MAX_START: u64 = 4096;

/// Names that people use for one of an app's directories.
const DIRECTORIES: &[(&str, &[&str])] = &[
    ("base", &["base", "bases", "manifest", "manifests", "template", "templates"]),
    ("envs", &["env", "environment", "environments", "envs", "overlay", "overlays", "stage", "stages"]),
    ("partials", &["partial", "partials"]),
];

/// Returns the name of a file that is probably meant to be the app file of a directory.
#[must_use]
pub fn misnamed_app_file(directory: &Path) -> Option<String> {
    let names = names_in(directory, |kind| kind.is_file());
    let is_meant = |name: &&String| {
        let lower = name.to_ascii_lowercase();
        let stem = lower.split('.').next().unwrap_or_default();
        stem == "sealwave" || closest_name(&lower, [APP_FILE]).is_some()
    };
    let mut meant: Vec<String> =
        names.iter().filter(|name| *name != APP_FILE).filter(is_meant).cloned().collect();
    meant.retain(|name| starts_as_app(&directory.join(name)));
    meant.into_iter().next()
}

/// Reports whether the start of a file has the API group of app files.
fn starts_as_app(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = fs::File::open(path).map(|file| file.take(MAX_START).read_to_end(&mut start));
    read.is_ok_and(|read| read.is_ok()) && String::from_utf8_lossy(&start).contains(API_GROUP)
}

/// Returns the directory of an app that a name probably means, whatever its case.
#[must_use]
pub fn meant_directory(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    DIRECTORIES.iter().find(|(_, aliases)| aliases.contains(&lower.as_str())).map(|(meant, _)| *meant)
}

/// Returns the directory of an app that is probably meant to be `wanted`, one of the directories that are read.
pub(crate) fn misnamed_directory(app: &Path, wanted: &str) -> Option<String> {
    let names = names_in(app, |kind| kind.is_dir());
    names.into_iter().find(|name| name != wanted && meant_directory(name) == Some(wanted))
}

/// Returns the file beside a missing file that is probably meant: another extension or case, or a typo.
pub(crate) fn misnamed_file(missing: &Path, reach: &PathReach) -> Option<String> {
    let directory = reach.resolve(missing.parent()?).ok()?;
    let wanted = missing.file_name()?.to_str()?;
    let names = names_in(&directory, |kind| kind.is_file());
    let stem = |name: &str| name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let same_stem = names.iter().find(|name| stem(name) == stem(wanted) && *name != wanted);
    same_stem
        .map(String::as_str)
        .or_else(|| closest_name(wanted, names.iter().map(String::as_str)))
        .map(str::to_owned)
}

/// Returns the app that a directory belongs to, and the name of the environment if it is one.
pub(super) fn enclosing_app(directory: &Path, top: &Path) -> Option<(PathBuf, Option<String>)> {
    let app = directory
        .ancestors()
        .skip(1)
        .take(MAX_LEVELS)
        .take_while(|above| above.starts_with(top))
        .find(|above| above.join(APP_FILE).symlink_metadata().is_ok_and(|about| about.is_file()))?;
    let inside = directory.strip_prefix(app).ok()?;
    let mut parts = inside.iter().map(|part| part.to_string_lossy().into_owned());
    let environment = (parts.next().as_deref() == Some(ENVIRONMENTS)).then(|| parts.next()).flatten();
    Some((app.to_owned(), environment))
}

/// Returns a directory some levels above another one, as the user would write it.
pub(super) fn parent_of(given: &Path, levels: usize) -> PathBuf {
    let is_written_out =
        given.components().rev().take(levels).filter(|part| matches!(part, Component::Normal(_))).count()
            == levels;
    match given.ancestors().nth(levels).filter(|_| is_written_out) {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => given.join(std::iter::repeat_n("..", levels).collect::<PathBuf>()),
    }
}

/// Returns the directories directly below a directory that have an app file.
pub(super) fn apps_below(directory: &Path) -> Vec<String> {
    let mut apps = names_in(directory, |kind| kind.is_dir());
    apps.retain(|name| directory.join(name).join(APP_FILE).symlink_metadata().is_ok());
    apps
}

/// Reports whether a directory has a file of one of these names.
pub(super) fn has_file(directory: &Path, names: &[&str]) -> bool {
    names.iter().any(|name| directory.join(name).symlink_metadata().is_ok_and(|about| about.is_file()))
}

/// Reports whether a path is a directory, and not a link.
pub(super) fn is_directory(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|about| about.is_dir())
}

/// Returns the names in a directory, sorted, without hidden ones, links, and names that are not UTF-8.
fn names_in(directory: &Path, is_wanted: impl Fn(std::fs::FileType) -> bool) -> Vec<String> {
    let entries: Vec<_> = fs::read_dir(directory)
        .map(|entries| entries.take(MAX_ENTRIES + 1).flatten().collect())
        .unwrap_or_default();
    // The order of a directory is arbitrary, so a part of a large one would be, too.
    if entries.len() > MAX_ENTRIES {
        return Vec::new();
    }
    let wanted = entries.iter().filter(|entry| entry.file_type().is_ok_and(&is_wanted));
    let mut names: Vec<String> = wanted.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        directory
    }

    #[test]
    fn app_files_of_another_name_are_found_by_their_content() {
        let text = "apiVersion: sealwave.dev/v1alpha1\nkind: App\n";
        for name in ["sealwave.yml", "Sealwave.yaml", "sealwave.yaml.txt", "sealwaves.yaml", "sealwave"] {
            let found = directory(&[(name, text), ("values.yaml", "a: 1"), ("other.yaml", text)]);
            assert_eq!(misnamed_app_file(found.path()).as_deref(), Some(name));
        }
        for (name, text) in [("sealwave.yml", "kind: ConfigMap"), ("sealwave.yaml", text), ("web.yaml", text)]
        {
            assert_eq!(misnamed_app_file(directory(&[(name, text)]).path()), None, "{name}");
        }
    }

    #[test]
    fn links_and_pipes_are_not_opened() {
        let found = directory(&[]);
        std::os::unix::fs::symlink("/dev/zero", found.path().join("sealwave.yml")).unwrap();
        let pipe = found.path().join("Sealwave.yaml");
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
        assert_eq!(misnamed_app_file(found.path()), None);
    }

    #[test]
    fn directories_and_files_of_other_names_are_found() {
        let found = directory(&[
            ("Overlays/dev/a.yaml", ""),
            ("templates/a.yaml", ""),
            ("p/web.yml", ""),
            ("p/other", ""),
        ]);
        let root = found.path().canonicalize().unwrap();
        assert_eq!(misnamed_directory(&root, "envs").as_deref(), Some("Overlays"));
        assert_eq!(misnamed_directory(&root, "base").as_deref(), Some("templates"));
        assert_eq!(misnamed_directory(&root, "partials"), None);
        let reach = PathReach::Below(root.clone());
        for (missing, near) in
            [("p/web.yaml", Some("web.yml")), ("p/othre", Some("other")), ("p/x.yaml", None), ("../x", None)]
        {
            assert_eq!(misnamed_file(&root.join(missing), &reach).as_deref(), near, "{missing}");
        }
    }

    #[test]
    fn an_environment_belongs_to_its_app() {
        let found = directory(&[("app/sealwave.yaml", ""), ("app/envs/prod/patches/a.yaml", "")]);
        let root = found.path().canonicalize().unwrap();
        let app = root.join("app");
        assert_eq!(
            enclosing_app(&app.join("envs/prod"), &root),
            Some((app.clone(), Some("prod".to_owned())))
        );
        assert_eq!(
            enclosing_app(&app.join("envs/prod/patches"), &root),
            Some((app.clone(), Some("prod".to_owned())))
        );
        assert_eq!(enclosing_app(&app.join("envs"), &root), Some((app.clone(), None)));
        assert_eq!(enclosing_app(&app.join("envs/prod"), &app.join("envs")), None);
        assert_eq!(apps_below(&root), ["app"]);
        for (given, levels, parent) in [
            ("app/envs/prod", 2, "app"),
            ("envs/prod", 2, "."),
            (".", 2, "./../.."),
            ("x/../envs/prod", 3, "x/../envs/prod/../../.."),
        ] {
            assert_eq!(parent_of(Path::new(given), levels), Path::new(parent), "{given}");
        }
    }
}
