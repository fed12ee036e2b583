//! Names in an app's directory that look like input of the app, but are not read: Helm's and Kustomize's names, other
//! extensions, values files of another name.
//!
//! Only names decide, and no file is read.

use sealwave_pipeline::meant_directory;
use sealwave_secrets::settings::APP_FILE;

/// A file or a directory that looks like input of an app, but is not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnreadName {
    /// The path below the app's directory.
    pub(crate) path: String,
    pub(crate) kind: UnreadKind,
    /// The edit that makes the app read it.
    pub(crate) remedy: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum UnreadKind {
    Directory,
    File,
    /// A file of another tool, which may be there for that tool.
    ForeignFile,
}

const VALUES: &str = "values.yaml";

/// Words in the names of values files.
const VALUES_WORDS: &[&str] = &["vals", "value", "values"];
/// Words in the names of values files that nothing has to read.
const SAMPLE_WORDS: &[&str] = &["default", "defaults", "example", "sample", "schema", "template", "test"];
/// Extensions of manifests.
const MANIFEST_EXTENSIONS: &[&str] = &[".json", ".yaml", ".yml"];
/// Extensions of other template languages, and of templates under another name.
const TEMPLATE_EXTENSIONS: &[&str] =
    &["gotmpl", "handlebars", "j2", "jinja", "jinja2", "mustache", "tmpl", "tpl"];

/// Returns what a file looks like by its path below the app's directory; `None` if it is read, or looks like nothing.
pub(crate) fn unread_name(path: &str, environments: &[&str]) -> Option<UnreadName> {
    let parts: Vec<&str> = path.split('/').collect();
    let file = |remedy: String| UnreadName { path: path.to_owned(), kind: UnreadKind::File, remedy };
    match parts.as_slice() {
        [name] => root_file(name, environments),
        ["envs", name] => has_extension(name, &["hbs", "json", "yaml", "yml"])
            .then(|| file(environment_file(name, environments))),
        ["partials", .., name] => {
            let is_template = has_extension(name, TEMPLATE_EXTENSIONS) || is_yaml(name);
            is_template.then(|| {
                file("only `*.hbs` files are partials: give each one a file `partials/NAME.hbs`".into())
            })
        }
        ["base", .., name] | ["envs", _, .., name] => {
            manifest_name(name).map(|meant| file(rename_to(&meant)))
        }
        [directory, .., name] if is_yaml(name) || has_extension(name, &["hbs", "json", "tpl"]) => {
            let meant = meant_directory(directory)?;
            let remedy = format!("move its content to `{meant}/`");
            Some(UnreadName { path: (*directory).to_owned(), kind: UnreadKind::Directory, remedy })
        }
        _ => None,
    }
}

/// Returns what a file beside the app file looks like.
fn root_file(name: &str, environments: &[&str]) -> Option<UnreadName> {
    let unread = |kind, remedy: String| Some(UnreadName { path: name.to_owned(), kind, remedy });
    if name == APP_FILE || name == VALUES {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "kustomization.yaml" | "kustomization.yml" | "kustomization" => {
            let remedy = "to render it, add a source `kustomize` to `sources` in `sealwave.yaml`; otherwise remove the file";
            return unread(UnreadKind::ForeignFile, remedy.to_owned());
        }
        "chart.yaml" | "chart.yml" => {
            let remedy = "to render the chart, add a source `helm` to `sources` in `sealwave.yaml`; otherwise remove the file";
            return unread(UnreadKind::ForeignFile, remedy.to_owned());
        }
        _ if has_extension(name, &["hbs"]) => {
            let remedy = "move it to `base/`, or to `partials/` if other templates include it";
            return unread(UnreadKind::File, remedy.to_owned());
        }
        _ => {}
    }
    let stem = lower.strip_suffix(".yaml").or_else(|| lower.strip_suffix(".yml"))?;
    if stem == "sealwave" {
        return unread(UnreadKind::File, format!("the app file is `{APP_FILE}`: remove the other one"));
    }
    let words: Vec<&str> = stem.split(['-', '_', '.']).filter(|word| !word.is_empty()).collect();
    let is_values = words.iter().any(|word| VALUES_WORDS.contains(word));
    if !is_values || words.iter().any(|word| SAMPLE_WORDS.contains(word)) {
        return None;
    }
    let remedy = match words.iter().find_map(|word| environment_of(word, environments)) {
        _ if words.len() == 1 => format!("move its values to `{VALUES}`"),
        Some(environment) => format!("move its values to `envs/{environment}/{VALUES}`"),
        None => format!("values are read from `{VALUES}` and `envs/NAME/{VALUES}`: move them there"),
    };
    unread(UnreadKind::File, remedy)
}

/// Returns the remedy for a file directly in `envs/`.
fn environment_file(name: &str, environments: &[&str]) -> String {
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    match stem.split(['-', '_']).find_map(|word| environment_of(word, environments)) {
        Some(environment) => {
            format!("move values to `envs/{environment}/{VALUES}`, and manifests to `envs/{environment}/`")
        }
        None => format!("an environment is a directory: move values to `envs/NAME/{VALUES}`"),
    }
}

/// Returns the name under which a file would be a manifest or a template, if its own name means neither.
fn manifest_name(name: &str) -> Option<String> {
    if let Some(document) = name.strip_suffix(".txt").filter(|stem| is_yaml(stem)) {
        return Some(document.to_owned());
    }
    if let Some(meant) = tidy_name(name) {
        return Some(meant);
    }
    let (stem, extension) = name.rsplit_once('.')?;
    TEMPLATE_EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()).then(|| {
        match stem.strip_prefix('_') {
            Some(partial) if !is_yaml(stem) => format!("partials/{partial}.hbs"),
            _ if is_yaml(stem) || has_extension(stem, &["json"]) => format!("{stem}.hbs"),
            _ => format!("{stem}.yaml.hbs"),
        }
    })
}

/// Returns the name without blanks at its end and with its extensions in lower case, if only these keep it from being read.
fn tidy_name(name: &str) -> Option<String> {
    let trimmed = name.trim_end();
    let lower = trimmed.to_ascii_lowercase();
    let document = lower.strip_suffix(".hbs").unwrap_or(&lower);
    let stem = MANIFEST_EXTENSIONS.iter().find_map(|extension| document.strip_suffix(extension));
    let stem = stem.filter(|stem| !stem.is_empty())?;
    let meant = format!("{}{}", trimmed.get(..stem.len())?, lower.get(stem.len()..)?);
    (meant != name).then_some(meant)
}

fn rename_to(meant: &str) -> String {
    if meant.starts_with("partials/") {
        format!("move it to `{meant}`, one file for each partial")
    } else {
        format!("rename it to `{meant}`")
    }
}

fn environment_of<'e>(word: &str, environments: &[&'e str]) -> Option<&'e str> {
    environments.iter().copied().find(|name| name.eq_ignore_ascii_case(word))
}

fn is_yaml(name: &str) -> bool {
    has_extension(name, &["yaml", "yml"])
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    let extension =
        name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, extension)| extension);
    extension.is_some_and(|extension| extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

#[cfg(test)]
mod tests {
    use super::{UnreadKind, unread_name};

    fn remedy(path: &str) -> Option<String> {
        Some(unread_name(path, &["dev", "prod"])?.remedy)
    }

    #[test]
    fn values_files_of_another_name_are_found() {
        let moved = |to: &str| Some(format!("move its values to `{to}`"));
        for name in ["values-prod.yaml", "prod-values.yml", "values.prod.yaml", "values_PROD.yaml"] {
            assert_eq!(remedy(name), moved("envs/prod/values.yaml"), "{name}");
        }
        for name in ["values.yml", "value.yaml", "Values.yaml"] {
            assert_eq!(remedy(name), moved("values.yaml"), "{name}");
        }
        assert!(remedy("values-eu.yaml").is_some_and(|remedy| remedy.contains("`envs/NAME/values.yaml`")));
        for name in
            ["values.yaml", "values.schema.json", "values.example.yaml", "evaluation.yaml", "README.md"]
        {
            assert_eq!(remedy(name), None, "{name}");
        }
    }

    #[test]
    fn directories_of_helm_and_kustomize_are_found() {
        let found = unread_name("overlays/prod/values.yaml", &["prod"]).unwrap();
        assert_eq!((found.path.as_str(), found.kind), ("overlays", UnreadKind::Directory));
        for (path, meant) in [
            ("templates/web.yaml", "base"),
            ("Base/web.yaml.hbs", "base"),
            ("env/dev/values.yaml", "envs"),
            ("partial/labels.hbs", "partials"),
        ] {
            assert_eq!(remedy(path), Some(format!("move its content to `{meant}/`")), "{path}");
        }
        for path in ["overlays/README.md", "docs/web.yaml", "scripts/env/a.yaml", "tests/values.yaml"] {
            assert_eq!(remedy(path), None, "{path}");
        }
    }

    #[test]
    fn files_in_read_directories_have_names_that_are_read() {
        for (path, meant) in [
            ("base/web.yaml.tpl", "rename it to `web.yaml.hbs`"),
            ("base/sub/web.tmpl", "rename it to `web.yaml.hbs`"),
            ("envs/dev/job.yaml.j2", "rename it to `job.yaml.hbs`"),
            ("base/web.yaml.txt", "rename it to `web.yaml`"),
            ("base/web.YAML", "rename it to `web.yaml`"),
            ("base/Web.yaml.HBS", "rename it to `Web.yaml.hbs`"),
            ("envs/dev/web.yaml ", "rename it to `web.yaml`"),
            ("base/_helpers.tpl", "move it to `partials/helpers.hbs`, one file for each partial"),
        ] {
            assert_eq!(remedy(path).as_deref(), Some(meant), "{path}");
        }
        for path in [
            "base/web.yaml",
            "base/web.yaml.hbs",
            "base/nginx.conf",
            "envs/dev/values.yaml",
            "partials/a.hbs",
        ] {
            assert_eq!(remedy(path), None, "{path}");
        }
    }

    #[test]
    fn files_beside_directories_that_are_read_are_found() {
        for path in [
            "envs/prod.yaml",
            "envs/values-dev.yaml",
            "partials/_helpers.tpl",
            "partials/labels.yaml",
            "web.yaml.hbs",
        ] {
            assert!(remedy(path).is_some(), "{path}");
        }
        for path in ["envs/README.md", "partials/README.md", "sealwave.yaml", "Makefile", "application.yaml"]
        {
            assert_eq!(remedy(path), None, "{path}");
        }
        let foreign = unread_name("kustomization.yaml", &[]).unwrap();
        assert_eq!(foreign.kind, UnreadKind::ForeignFile);
    }
}
