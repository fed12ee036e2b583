//! Decides on sources and environments: those of Applications, or else what the files of the directory suggest.

use std::path::{Path, PathBuf};

use crate::contents::Contents;
use crate::environments::{ONLY, is_parent};
use crate::gap::{AdoptionGap, Refusal};
use crate::merge::MergedDeployments;
use crate::moves::Moves;
use crate::repository::Repository;
use crate::source_plan::SourcePlan;
use sealwave_core::diagnostic::{Failure, Note};
use sealwave_core::document::display_path;
use sealwave_pipeline::{AppConvention, environment_names};
use sealwave_secrets::settings::EnvironmentPath;

/// The sources and environments that were decided on.
#[derive(Default)]
pub(crate) struct Decision {
    pub(crate) sources: Vec<SourcePlan>,
    /// Environments that must be declared, since no path names them.
    pub(crate) declared: Vec<String>,
    pub(crate) moves: Moves,
}

/// Decides by what Applications deploy.
pub(crate) fn from_applications(
    repository: &Repository,
    contents: &Contents,
    merged: &MergedDeployments,
    left: &mut Vec<Note>,
) -> Decision {
    let mut decision = Decision { sources: merged.sources.clone(), ..Decision::default() };
    if decision.sources == [SourcePlan::Files] {
        let is_recursive = merged.environments.iter().any(|(_, deployment)| deployment.is_recursive);
        let is_applied = |file: &&PathBuf| is_recursive || file.components().count() == 1;
        let applied: Vec<PathBuf> = contents.manifests.iter().filter(is_applied).cloned().collect();
        decision.moves = Moves::of(&applied);
        decision.sources.clear();
    }
    note_moves(&decision.moves, left);
    let mut wanted: Vec<String> = merged.environments.iter().map(|(name, _)| name.clone()).collect();
    wanted.extend(decision.moves.environments.iter().cloned());
    let named = names_of(repository, &decision.sources);
    if !wanted.iter().all(|name| named.contains(name)) {
        decision.declared = wanted;
    }
    decision
}

/// Returns the environments that the paths of sources name.
pub(crate) fn names_of(repository: &Repository, sources: &[SourcePlan]) -> Vec<String> {
    let paths = sources.iter().flat_map(SourcePlan::paths).filter(|path| path.contains("{{env}}"));
    let envs = EnvironmentPath::from("envs/{{env}}/values.yaml");
    let mut names: Vec<String> =
        paths.flat_map(|path| environment_names(&repository.dir, &EnvironmentPath::from(path))).collect();
    names.extend(environment_names(&repository.dir, &envs));
    names.sort();
    names.dedup();
    names
}

fn note_moves(moves: &Moves, left: &mut Vec<Note>) {
    if moves.files > 0 {
        left.push(AdoptionGap::Moves(moves.files).anywhere());
    }
}

/// Decides by the files of the directory.
pub(crate) fn from_directory(
    repository: &Repository,
    contents: &Contents,
    convention: &AppConvention,
    left: &mut Vec<Note>,
) -> Result<Decision, Failure> {
    let mut decision = Decision::default();
    if convention.is_chart {
        decision.sources = vec![chart(repository, "", left)];
    } else if let Some(path) = &convention.kustomize {
        decision.sources = vec![SourcePlan::Kustomize { path: path.as_written().to_owned() }];
        note_one_overlay(repository, left);
    } else if let Some(path) = overlays(contents) {
        decision.sources = vec![SourcePlan::Kustomize { path }];
    } else if let [only] = &contents.charts[..] {
        decision.sources = vec![chart(repository, &display_path(only), left)];
    } else if contents.charts.len() > 1 {
        let charts =
            contents.charts.iter().map(|chart| repository.name_of(&repository.dir.join(chart))).collect();
        let directory = repository.name_of(&repository.dir);
        return Err(Refusal::SeveralCharts { directory, charts }.into_problem().into());
    } else if contents.manifests.is_empty() && !convention.has_files {
        return Err(Refusal::Nothing(repository.name_of(&repository.dir)).into_problem().into());
    } else {
        decision.moves = Moves::of(&contents.manifests);
        note_moves(&decision.moves, left);
    }
    note_ambiguity(convention, left);
    if names_of(repository, &decision.sources).is_empty()
        && decision.moves.environments.is_empty()
        && !has_envs(repository)
    {
        decision.declared = vec![ONLY.to_owned()];
    }
    Ok(decision)
}

fn has_envs(repository: &Repository) -> bool {
    let entries = fs_err::read_dir(repository.dir.join("envs"));
    entries.is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| entry.path().is_dir())))
}

/// Reports kinds of sources beside the one that is taken.
fn note_ambiguity(convention: &AppConvention, left: &mut Vec<Note>) {
    let mut others = Vec::new();
    if convention.is_chart {
        others.extend(
            convention
                .kustomize
                .as_ref()
                .map(|path| format!("- kustomize: {{path: \"{}\"}}", path.as_written())),
        );
    }
    let is_external = convention.is_chart || convention.kustomize.is_some();
    others.extend((is_external && convention.has_files).then(|| "- files: {}".to_owned()));
    if !others.is_empty() {
        let kept = if convention.is_chart { "the chart" } else { "the directory of Kustomize" }.to_owned();
        left.push(AdoptionGap::Ambiguous { kept, others }.anywhere());
    }
}

/// Reports that the directory is one of several overlays, while an app has all of them.
fn note_one_overlay(repository: &Repository, left: &mut Vec<Note>) {
    let overlays = repository.dir.parent().filter(|parent| parent.starts_with(&repository.root));
    let is_overlay = overlays.and_then(Path::file_name).and_then(|name| name.to_str()).is_some_and(is_parent);
    if let Some(app) =
        overlays.and_then(Path::parent).filter(|app| is_overlay && app.starts_with(&repository.root))
    {
        left.push(AdoptionGap::OneOverlay { parent: repository.name_of(app) }.anywhere());
    }
}

/// Returns the source for a chart, with the values of environments beside it.
fn chart(repository: &Repository, directory: &str, left: &mut Vec<Note>) -> SourcePlan {
    const PLACES: [&str; 12] = [
        "values-{{env}}.yaml",
        "values/{{env}}.yaml",
        "envs/{{env}}/values.yaml",
        "values.{{env}}.yaml",
        "values_{{env}}.yaml",
        "values/values-{{env}}.yaml",
        "values-{{env}}.yml",
        "environments/{{env}}/values.yaml",
        "environments/{{env}}.yaml",
        "env/{{env}}.yaml",
        "config/{{env}}.yaml",
        "{{env}}/values.yaml",
    ];
    let beside = PLACES.map(str::to_owned).into_iter();
    let places: Vec<String> = if directory.is_empty() {
        beside.collect()
    } else {
        beside.clone().map(|place| format!("{directory}/{place}")).chain(beside).collect()
    };
    let count =
        |place: &String| environment_names(&repository.dir, &EnvironmentPath::from(place.as_str())).len();
    let mut used: Vec<String> = places.into_iter().filter(|place| count(place) > 0).collect();
    // The first one of those with the most environments.
    used.sort_by_key(|place| std::cmp::Reverse(count(place)));
    let mut used = used.into_iter();
    let kept = used.next();
    let others: Vec<String> = used.collect();
    if let Some(kept) = kept.clone().filter(|_| !others.is_empty()) {
        left.push(AdoptionGap::AmbiguousValues { kept, others }.anywhere());
    }
    SourcePlan::chart(if directory.is_empty() { "." } else { directory }, kept.into_iter().collect())
}

/// Returns the pattern of overlays in other places than `overlays/`.
fn overlays(contents: &Contents) -> Option<String> {
    let parent = contents
        .kustomized
        .iter()
        .filter_map(|dir| dir.parent())
        .find(|parent| parent.file_name().and_then(|name| name.to_str()).is_some_and(is_parent));
    match (parent, &contents.kustomized[..]) {
        (Some(parent), _) => Some(format!("{}/{{{{env}}}}", display_path(parent))),
        (None, [only]) => Some(display_path(only)),
        (None, _) => None,
    }
}
