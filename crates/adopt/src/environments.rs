//! Names of environments in paths and in names of Applications.

/// Names that environments usually have.
const USUAL: &[&str] = &[
    "acc",
    "acceptance",
    "demo",
    "dev",
    "develop",
    "development",
    "int",
    "integration",
    "live",
    "local",
    "nonprod",
    "preprod",
    "prod",
    "production",
    "qa",
    "sandbox",
    "stage",
    "staging",
    "stg",
    "test",
    "testing",
    "uat",
];
/// Directories that have a file or directory for each environment.
const PARENTS: &[&str] =
    &["clusters", "config", "env", "environment", "environments", "envs", "overlays", "stages", "values"];
/// Names of files that all environments share.
const COMMON: &[&str] = &["base", "common", "default", "defaults", "global", "shared"];

/// The name of the environment if nothing suggests one.
pub(crate) const ONLY: &str = "default";

/// Reports whether a name is usual for an environment.
pub(crate) fn is_usual(name: &str) -> bool {
    USUAL.contains(&name)
}

/// Reports whether a directory usually has a part for each environment.
pub(crate) fn is_parent(name: &str) -> bool {
    PARENTS.contains(&name)
}

/// Returns the environment that a path names: `overlays/prod`, `values-prod.yaml`, `envs/prod/values.yaml`.
pub(crate) fn of_path(path: &str) -> Option<&str> {
    let mut parts: Vec<&str> = path.split('/').collect();
    let last = parts.pop()?;
    let stem = last.strip_suffix(".yaml").or_else(|| last.strip_suffix(".yml"));
    let directory = parts.last().copied();
    let name = match stem {
        None if directory.is_some_and(is_parent) || is_usual(last) => Some(last),
        None => None,
        Some("values") => directory.filter(|name| {
            is_usual(name) || parts.iter().rev().nth(1).is_some_and(|parent| is_parent(parent))
        }),
        Some(stem) => {
            let named = ["values-", "values.", "values_"].iter().find_map(|start| stem.strip_prefix(start));
            named.or_else(|| (is_usual(stem) || directory.is_some_and(is_parent)).then_some(stem))
        }
    };
    name.filter(|name| !COMMON.contains(name) && is_name(name))
}

/// Returns the environment that a name of an Application or a namespace contains as a word.
pub(crate) fn of_name(name: &str) -> Option<&str> {
    name.split(['-', '_', '.']).rev().find(|word| is_usual(word))
}

/// Reports whether a text can be the name of an environment.
pub(crate) fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 63
        && name.starts_with(is_plain)
        && name.ends_with(is_plain)
        && name.chars().all(|c| is_plain(c) || matches!(c, '-' | '.' | '_'))
}

/// Replaces the name of an environment in a path, where it is a word of its own.
pub(crate) fn generalize(path: &str, environment: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find(environment).filter(|_| !environment.is_empty()) {
        let (before, found) = rest.split_at(at);
        let after = found.get(environment.len()..).unwrap_or_default();
        let is_inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let last = before.chars().next_back().or_else(|| out.chars().next_back());
        out.push_str(before);
        out.push_str(if is_inside(last) || is_inside(after.chars().next()) {
            environment
        } else {
            "{{env}}"
        });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_found_in_paths_and_names() {
        for (path, name) in [
            ("overlays/prod", Some("prod")),
            ("clusters/eu-1", Some("eu-1")),
            ("values-prod-eu.yaml", Some("prod-eu")),
            ("values/dev.yaml", Some("dev")),
            ("envs/dev/values.yaml", Some("dev")),
            ("../../env/dev/values.yml", Some("dev")),
            ("values.yaml", None),
            ("values-common.yaml", None),
            ("chart/values.yaml", None),
            ("charts/web", None),
            (".", None),
            ("values-Prod.yaml", None),
        ] {
            assert_eq!(of_path(path), name, "{path}");
        }
        assert_eq!(of_name("shop-prod-eu"), Some("prod"));
        assert_eq!(of_name("product"), None);
    }

    #[test]
    fn only_whole_words_are_replaced() {
        for (path, general) in [
            ("values-prod.yaml", "values-{{env}}.yaml"),
            ("prod/values-prod.yaml", "{{env}}/values-{{env}}.yaml"),
            ("product/values.yaml", "product/values.yaml"),
            ("prodprod", "prodprod"),
        ] {
            assert_eq!(generalize(path, "prod"), general);
        }
    }
}
