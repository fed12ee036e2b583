//! The cluster of files, as app files name it. Items of one run are sealed for one certificate, so all files must be of one cluster.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sealwave_core::diagnostic::{Explain, Failure, Problem};
use sealwave_core::document::display_path;
use sealwave_pipeline::discover;
use sealwave_secrets::settings::APP_FILE;

use super::environments::environment_of;

/// The cluster of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCluster {
    /// The name of the cluster: that of the app file, by default that of the environment.
    pub cluster: String,
    /// The environment.
    pub environment: String,
    /// A file of it.
    pub path: PathBuf,
    /// Whether an app has the environment.
    is_known: bool,
}

/// Files are of several clusters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "files are of several clusters: `{}` of `{}`, `{}` of `{}`",
    display_path(&.0.path), .0.cluster, display_path(&.1.path), .1.cluster
)]
pub struct SeveralClusters(pub Box<NamedCluster>, pub Box<NamedCluster>);

impl Explain for SeveralClusters {
    fn hint(&self) -> Option<String> {
        Some(
            "run the command once for each cluster, with the paths of its files; if one cluster runs all of them, write its name \
             as `environments.NAME.cluster` in `sealwave.yaml`, or `sealwave reseal --cluster NAME`"
                .to_owned(),
        )
    }
}

/// Returns the cluster of all files of a repository, by their paths in it; `None` if nothing names one. `environments` are those that
/// the user names.
///
/// # Errors
/// The files are of several clusters, or an app file cannot be read.
pub fn named_cluster<'p>(
    root: &Path,
    files: impl IntoIterator<Item = &'p Path>,
    environments: &[String],
) -> Result<Option<NamedCluster>, Failure> {
    let only = match environments {
        [only] => Some(only.as_str()),
        _ => None,
    };
    let mut by_place = BTreeMap::new();
    let mut clusters: BTreeMap<String, NamedCluster> = BTreeMap::new();
    for path in files {
        let Some(environment) = environment_of(path).or(only) else { continue };
        let app = app_of(root, path);
        let place = (app.clone(), environment.to_owned());
        if !by_place.contains_key(&place) {
            let known = app.map(|app| cluster_of(&app, environment)).transpose()?.flatten();
            by_place.insert(place.clone(), known);
        }
        let known = by_place.get(&place).cloned().flatten();
        let is_known = known.is_some();
        // Without an app, the environment that the user names is the cluster.
        let Some(cluster) = known.or_else(|| only.map(str::to_owned)) else { continue };
        let (environment, path) = (environment.to_owned(), path.to_owned());
        let named = NamedCluster { cluster: cluster.clone(), environment, path, is_known };
        let entry = clusters.entry(cluster).or_insert_with(|| named.clone());
        if is_known && !entry.is_known {
            *entry = named;
        }
    }
    let mut clusters = clusters.into_values();
    match (clusters.next(), clusters.next()) {
        (Some(first), Some(second)) => {
            Err(Problem::new(&SeveralClusters(Box::new(first), Box::new(second))).into())
        }
        (first, _) => Ok(first),
    }
}

/// Returns the directory of the app that a file belongs to: the nearest one above it with an app file.
fn app_of(root: &Path, file: &Path) -> Option<PathBuf> {
    let directories = file.ancestors().skip(1).map(|directory| root.join(directory));
    directories.into_iter().find(|directory| directory.join(APP_FILE).is_file())
}

/// Returns the cluster of an app's environment.
fn cluster_of(app: &Path, environment: &str) -> Result<Option<String>, Failure> {
    let discovery = discover(app, None)?;
    let found = discovery.environment(environment).ok();
    Ok(found.map(|found| found.cluster.clone().unwrap_or_else(|| environment.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reseal::testing::{Repository, certificate, sealed};

    fn app(environments: &str) -> String {
        format!("apiVersion: sealwave.dev/v1alpha1\nkind: App\nenvironments: {environments}\n")
    }

    fn named(files: &[(&str, String)], environments: &[&str]) -> Result<Option<String>, String> {
        let repository = Repository::new(files);
        let environments: Vec<String> = environments.iter().map(|name| (*name).to_owned()).collect();
        let tree = repository.tree();
        let found = named_cluster(&tree.root, tree.paths(), &environments);
        let text = |failure: &Failure| {
            failure.problems().first().map(|problem| problem.message.clone()).unwrap_or_default()
        };
        found.map(|found| found.map(|found| found.cluster)).map_err(|failure| text(&failure))
    }

    #[test]
    fn each_file_is_of_the_cluster_that_its_app_names() {
        let file = || sealed(&certificate("rsa2048.crt"), "a");
        let one = [
            ("a/sealwave.yaml", app("{dev: {cluster: shared}, prod: {}}")),
            ("a/envs/dev/sealed-secrets/x.yaml", file()),
            ("b/sealwave.yaml", app("{dev: {cluster: shared}}")),
            ("b/envs/dev/sealed-secrets/y.yaml", file()),
        ];
        assert_eq!(named(&one, &["dev"]), Ok(Some("shared".to_owned())));
        assert_eq!(named(&one, &[]), Ok(Some("shared".to_owned())));
        // The second app decides too.
        for (environments, cluster) in [("{dev: {}}", "dev"), ("{dev: {cluster: other}}", "other")] {
            let mut two = one.clone();
            two[2].1 = app(environments);
            for flags in [&["dev"][..], &[], &["dev", "prod"]] {
                let error = named(&two, flags).expect_err("two clusters");
                let both = [
                    "`a/envs/dev/sealed-secrets/x.yaml` of `shared`",
                    &format!("`b/envs/dev/sealed-secrets/y.yaml` of `{cluster}`"),
                ];
                assert!(both.iter().all(|text| error.contains(text)), "{error}");
            }
        }
        // A file outside of apps is of the cluster that the flag names.
        let plain = [("envs/dev/x.yaml", file())];
        assert_eq!(named(&plain, &[]), Ok(None));
        assert_eq!(named(&plain, &["dev"]), Ok(Some("dev".to_owned())));
        assert_eq!(named(&plain, &["dev", "test"]), Ok(None));
        let mixed = [one[0].clone(), one[1].clone(), ("envs/dev/x.yaml", file())];
        assert!(named(&mixed, &["dev"]).expect_err("two clusters").contains("`envs/dev/x.yaml` of `dev`"));
    }

    #[test]
    fn an_app_file_that_cannot_be_read_is_an_error() {
        let files = [
            ("a/sealwave.yaml", "kind: [\n".to_owned()),
            ("a/envs/dev/x.yaml", sealed(&certificate("rsa2048.crt"), "a")),
        ];
        assert!(named(&files, &["dev"]).is_err());
    }
}
