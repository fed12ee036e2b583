//! Merges what several Applications deploy into one list of sources: the name of the environment becomes `{{env}}` in paths.

use serde_json::{Map, Value as Json};

use crate::environments::{ONLY, generalize, is_name, of_name, of_path};
use crate::gap::AdoptionGap;
use crate::options::Deployment;
use crate::source_plan::{HelmPlan, SourcePlan};
use sealwave_core::diagnostic::Note;

/// The sources of an app, and its environments.
#[derive(Default)]
pub(crate) struct MergedDeployments {
    pub(crate) sources: Vec<SourcePlan>,
    /// Each deployment with the name of its environment.
    pub(crate) environments: Vec<(String, Deployment)>,
    pub(crate) notes: Vec<Note>,
}

/// Merges deployments.
pub(crate) fn merge(deployments: Vec<Deployment>) -> MergedDeployments {
    let names = environment_names(&deployments);
    let mut merged = MergedDeployments::default();
    for (name, mut deployment) in names.into_iter().zip(deployments) {
        for path in deployment.sources.iter_mut().flat_map(SourcePlan::paths_mut) {
            *path = generalize(path, &name);
        }
        merged.add(name, deployment);
    }
    merged
}

/// Returns a distinct name for the environment of each deployment.
fn environment_names(deployments: &[Deployment]) -> Vec<String> {
    let names: Vec<String> = deployments.iter().map(|one| guess(one, deployments.len() == 1)).collect();
    let is_unique = |name: &String| names.iter().filter(|other| *other == name).count() == 1;
    let own =
        |deployment: &Deployment| Some(&deployment.application.name).filter(|name| is_name(name)).cloned();
    names
        .iter()
        .zip(deployments)
        .map(
            |(name, one)| {
                if is_unique(name) { name.clone() } else { own(one).unwrap_or_else(|| name.clone()) }
            },
        )
        .collect()
}

fn guess(deployment: &Deployment, is_only: bool) -> String {
    let paths: Vec<&str> = deployment.sources.iter().flat_map(SourcePlan::paths).collect();
    let application = &deployment.application;
    let in_paths = paths.into_iter().rev().find_map(of_path);
    let in_names = || of_name(&application.name).or_else(|| of_name(application.namespace.as_deref()?));
    let found = in_paths.or_else(in_names).map(str::to_owned);
    found.unwrap_or_else(|| if is_only { ONLY.to_owned() } else { application.name.clone() })
}

impl MergedDeployments {
    fn add(&mut self, environment: String, deployment: Deployment) {
        if self.environments.is_empty() {
            self.sources.clone_from(&deployment.sources);
        } else if self.sources.len() == deployment.sources.len()
            && self.sources.iter().zip(&deployment.sources).all(|(one, other)| are_alike(one, other))
        {
            let mut differing = Vec::new();
            for (kept, other) in self.sources.iter_mut().zip(&deployment.sources) {
                if let (SourcePlan::Helm(kept), SourcePlan::Helm(other)) = (kept, other) {
                    keep_shared(kept, other, &mut differing);
                }
            }
            let application = &deployment.application;
            self.notes.extend(differing.into_iter().map(|(field, remedy)| {
                application.left(&AdoptionGap::Differs {
                    field,
                    remedy,
                    applications: vec![application.name.clone()],
                })
            }));
        } else {
            let application = &deployment.application;
            self.notes.push(application.left(&AdoptionGap::OtherSources(application.name.clone())));
            return;
        }
        self.environments.push((environment, deployment));
    }
}

/// Reports whether two sources render the same chart or directory, with options that may differ.
fn are_alike(one: &SourcePlan, other: &SourcePlan) -> bool {
    match (one, other) {
        (SourcePlan::Helm(one), SourcePlan::Helm(other)) => {
            one.chart == other.chart && one.remote == other.remote
        }
        _ => one == other,
    }
}

/// Keeps what two deployments of a chart share. Adds the fields that differ, with what to do.
fn keep_shared(kept: &mut HelmPlan, other: &HelmPlan, differing: &mut Vec<(&'static str, &'static str)>) {
    if kept.value_files != other.value_files {
        kept.value_files.retain(|file| other.value_files.contains(file));
        differing.push((
            "valueFiles",
            "give the files of the environments names that differ in the environment only, and add them to `valueFiles`",
        ));
    }
    if kept.values != other.values {
        kept.values = shared_values(&kept.values, &other.values);
        differing.push((
            "values",
            "write the others to a file for each environment, such as `inline/dev.yaml`, and add `inline/{{env}}.yaml` as the last of `valueFiles`",
        ));
    }
    if kept.release_name != other.release_name {
        kept.release_name = None;
        differing.push(("releaseName", "without it, the release has the name of the Application"));
    }
    if kept.namespace != other.namespace {
        kept.namespace = None;
        differing.push(("namespace", "set `namespace` of each environment"));
    }
    let flags = |plan: &HelmPlan| (plan.ignore_missing_value_files, plan.skip_crds, plan.skip_tests);
    if flags(kept) != flags(other) {
        differing.push((
            "skipCrds, skipTests, ignoreMissingValueFiles",
            "decide on one value for all environments",
        ));
    }
}

/// Returns the entries that two mappings share.
fn shared_values(one: &Map<String, Json>, other: &Map<String, Json>) -> Map<String, Json> {
    let shared = |(key, value): (&String, &Json)| match (value, other.get(key)?) {
        (Json::Object(one), Json::Object(other)) if one != other => {
            let inner = shared_values(one, other);
            (!inner.is_empty()).then(|| (key.clone(), inner.into()))
        }
        (value, same) => (value == same).then(|| (key.clone(), value.clone())),
    };
    one.iter().filter_map(shared).collect()
}
