//! Decides on the app file of a directory.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use crate::app_text::AppText;
use crate::application::{self, Application};
use crate::contents::Contents;
use crate::decide::{Decision, from_applications, from_directory, names_of};
use crate::gap::{AdoptionGap, Refusal};
use crate::merge::{MergedDeployments, merge};
use crate::options;
use crate::repository::Repository;
use crate::source_plan::SourcePlan;
use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::diagnostic::{Failure, Note, io_reason};
use sealwave_core::document::display_path;
use sealwave_pipeline::{AppConvention, ArgoCdTool};
use sealwave_secrets::settings::EnvironmentPath;

/// The directory to adopt.
#[derive(Clone, Copy, Debug)]
pub struct AdoptionRequest<'a> {
    /// The directory that gets the app file.
    pub directory: &'a Path,
    /// Files with Applications of the directory; without any, the repository is searched.
    pub applications: &'a [PathBuf],
}

/// An app file that is to be written.
#[derive(Debug)]
pub struct Adoption {
    /// The text of the app file.
    pub text: String,
    /// Descriptions of the findings in the repository, one line each.
    pub found: Vec<String>,
    /// Warnings about parts that the app file does not cover.
    pub left: Vec<Note>,
    /// The steps that follow.
    pub next: NextSteps,
}

/// The steps after the app file is written.
#[derive(Debug, Default)]
pub struct NextSteps {
    /// Commands, to be run in the directory.
    pub moves: Vec<String>,
    /// The environments with what deploys them.
    pub deployed: Vec<DeployedEnvironment>,
    /// The address of the repository, if an Application has it.
    pub repository: Option<String>,
    /// The path of the directory in the repository.
    pub path: String,
    /// The tool of Argo CD that would render the directory without the plugin.
    pub tool: Option<ArgoCdTool>,
    /// Whether Helm renders a part of the app.
    pub needs_helm: bool,
    /// Whether Kustomize renders a part of the app.
    pub needs_kustomize: bool,
    /// Whether the app can be rendered before anything is done by hand.
    pub can_render: bool,
}

/// An environment.
#[derive(Clone, Debug, Default)]
pub struct DeployedEnvironment {
    /// Its name.
    pub environment: String,
    /// The Application that deploys it today.
    pub application: Option<String>,
    /// The namespace of the destination.
    pub namespace: Option<String>,
    /// The project of the Application.
    pub project: Option<String>,
}

/// Decides on the app file for a directory.
///
/// # Errors
/// The directory cannot be read, or has nothing to render.
pub fn adopt(request: &AdoptionRequest<'_>) -> Result<Adoption, Failure> {
    let repository = Repository::of(request.directory)?;
    let contents = Contents::read(&repository);
    let mut left = Vec::new();
    let applications = find_applications(request, &repository, &mut left)?;
    let mut found = vec![describe(&contents)];
    let deployments = applications.iter().filter(|one| !one.is_set).map(|application| {
        let (deployment, notes) = options::read(application, &repository);
        left.extend(notes);
        deployment
    });
    let deployments: Vec<_> = deployments.filter(|deployment| !deployment.sources.is_empty()).collect();
    let merged = merge(deployments);
    found.extend(applications.iter().map(|one| format!("Application `{}` in `{}`", one.name, one.file)));
    left.extend(
        applications.iter().filter(|one| one.is_set).map(|one| one.left(&AdoptionGap::ApplicationSet)),
    );
    left.extend(merged.notes.iter().cloned());
    let convention = AppConvention::of(&repository.dir)
        .map_err(|_| Refusal::NotADirectory(String::new()).into_problem())?;
    let decision = if merged.environments.is_empty() {
        from_directory(&repository, &contents, &convention, &mut left)?
    } else {
        from_applications(&repository, &contents, &merged, &mut left)
    };
    left.extend(contents.notes.iter().cloned());
    if contents.has_paths || contents.has_avp_annotations {
        left.push(AdoptionGap::Provider.anywhere());
    }
    Ok(finish(&repository, &contents, &convention, &merged, decision, found, left))
}

/// Returns the Applications that the user named, or those that the repository has for the directory.
fn find_applications(
    request: &AdoptionRequest<'_>,
    repository: &Repository,
    left: &mut Vec<Note>,
) -> Result<Vec<Application>, Failure> {
    if request.applications.is_empty() {
        return Ok(application::search(repository, left));
    }
    let mut found = Vec::new();
    for file in request.applications {
        let name = display_path(file);
        let text = read_named(file, &name)?;
        let in_file = application::read(&text, &name);
        if in_file.is_empty() {
            return Err(Refusal::NoApplication(name).into_problem().into());
        }
        found.extend(in_file);
    }
    Ok(found)
}

/// Reads a file that the user named, wherever it is.
fn read_named(file: &Path, name: &str) -> Result<String, Failure> {
    const MAX_FILE: u64 = 1 << 20;
    let bytes = read_regular_file(file, MAX_FILE).map_err(|error| {
        let reason = io_reason(error.kind());
        Refusal::Unreadable { path: name.to_owned(), reason }.into_problem()
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Describes the contents of the directory.
fn describe(contents: &Contents) -> String {
    let mut parts = Vec::new();
    let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    if !contents.charts.is_empty() {
        parts.push(count(contents.charts.len(), "chart"));
    }
    if !contents.kustomized.is_empty() {
        parts.push(format!(
            "{} of Kustomize",
            count(contents.kustomized.len(), "directory").replace("directorys", "directories")
        ));
    }
    if contents.objects > 0 {
        parts.push(count(contents.objects, "object") + " in manifests");
    }
    if contents.sealed > 0 {
        parts.push(count(contents.sealed, "SealedSecret"));
    }
    if contents.has_paths || contents.has_avp_annotations {
        parts.push("placeholders of argocd-vault-plugin".to_owned());
    }
    if parts.is_empty() { "no manifests".to_owned() } else { parts.join(", ") }
}

/// Writes the app file.
fn finish(
    repository: &Repository,
    contents: &Contents,
    convention: &AppConvention,
    merged: &MergedDeployments,
    decision: Decision,
    found: Vec<String>,
    left: Vec<Note>,
) -> Adoption {
    let (remote, sources): (Vec<_>, Vec<_>) =
        decision.sources.iter().partition(|source| source.helm().is_some_and(|helm| helm.remote.is_some()));
    let is_conventional = is_conventional(convention, &decision.sources);
    let mut text = AppText::new(&head(&decision.sources));
    let mut names = names_of(repository, &decision.sources);
    names.extend(decision.declared.iter().cloned());
    if contents.has_paths || contents.has_avp_annotations {
        text.part("The provider of `<path:…>` and `<key>`: the name of the store in the operator file.");
        text.setting("provider", "vault".into());
    }
    if contents.has_avp_annotations {
        text.part("Also reads `<key>` in Secrets with the annotation `avp.kubernetes.io/path`.");
        text.setting("compatibility", "avp".into());
    }
    if is_conventional {
        text.part(&conventional_comment(convention));
    } else if !sources.is_empty() {
        text.part("What makes the objects, in this order. `{{env}}` stands for the name of the environment.");
        text.setting("sources", sources.iter().map(|source| source.to_json()).collect());
    }
    if !remote.is_empty() {
        text.part("Charts from elsewhere: complete the digest, remove the comment marks, and add the items to `sources`.");
        text.disabled_setting("sources", remote.iter().map(|source| source.to_json()).collect());
    }
    add_environments(&mut text, merged, &decision);
    let deployed = deployed(merged, &names, &decision);
    Adoption {
        text: text.into_text(),
        found,
        left,
        next: NextSteps {
            needs_helm: decision.sources.iter().any(|source| source.helm().is_some()),
            needs_kustomize: decision
                .sources
                .iter()
                .any(|source| matches!(source, SourcePlan::Kustomize { .. })),
            can_render: decision.moves.files == 0 && remote.is_empty(),
            moves: decision.moves.commands,
            deployed,
            repository: merged.environments.iter().find_map(|(_, one)| one.repository.clone()),
            path: repository.path_from_root(),
            tool: ArgoCdTool::of(&repository.dir),
        },
    }
}

/// Reports whether an app file without `sources` means the same.
fn is_conventional(convention: &AppConvention, sources: &[SourcePlan]) -> bool {
    let value_files = || convention.value_files.iter().map(|path| path.as_written().to_owned()).collect();
    match (convention.is_chart, &convention.kustomize, convention.has_files) {
        (true, None, false) => {
            convention.value_files.len() < 2 && sources == [SourcePlan::chart(".", value_files())]
        }
        (false, Some(path), false) => {
            sources == [SourcePlan::Kustomize { path: path.as_written().to_owned() }]
        }
        _ => false,
    }
}

fn conventional_comment(convention: &AppConvention) -> String {
    let mut text = String::from("No `sources` are needed: ");
    if let Some(path) = &convention.kustomize {
        let _ = write!(text, "the files suggest `- kustomize: {{path: \"{}\"}}`.", path.as_written());
    } else {
        let files: Vec<&str> = convention.value_files.iter().map(EnvironmentPath::as_written).collect();
        let _ = write!(text, "the files suggest `- helm: {{chart: ., valueFiles: {files:?}}}`.");
    }
    text
}

fn head(sources: &[SourcePlan]) -> String {
    let tool = match sources.first() {
        Some(SourcePlan::Helm(_)) => {
            "\nThe Application must set `plugin.name`: otherwise Argo CD may render the chart by itself, and apply placeholders as values."
        }
        Some(SourcePlan::Kustomize { .. }) => {
            "\nThe Application must set `plugin.name`: otherwise Argo CD may run Kustomize by itself, and apply placeholders as values."
        }
        Some(SourcePlan::Files) | None => "",
    };
    format!("An app of sealwave. `sealwave render` previews it, `sealwave validate` checks it.{tool}")
}

fn add_environments(text: &mut AppText, merged: &MergedDeployments, decision: &Decision) {
    let mut environments = Map::new();
    for name in &decision.declared {
        environments.insert(name.clone(), json!({}));
    }
    for (name, deployment) in &merged.environments {
        let mut settings = Map::new();
        if let Some(version) = &deployment.kube_version {
            settings.insert("kubeVersion".to_owned(), version.clone().into());
        }
        if !deployment.api_versions.is_empty() {
            settings.insert("apiVersions".to_owned(), deployment.api_versions.clone().into());
        }
        if !settings.is_empty() {
            environments.insert(name.clone(), settings.into());
        }
    }
    if environments.is_empty() {
        return;
    }
    // An app file that declares some environments must declare all.
    for (name, _) in &merged.environments {
        environments.entry(name.clone()).or_insert_with(|| json!({}));
    }
    text.part("One entry for each environment; Argo CD selects it by the parameter `env`.");
    text.setting("environments", Json::Object(environments));
}

fn deployed(merged: &MergedDeployments, names: &[String], decision: &Decision) -> Vec<DeployedEnvironment> {
    if !merged.environments.is_empty() {
        let of = |(name, one): &(String, options::Deployment)| DeployedEnvironment {
            environment: name.clone(),
            application: Some(one.application.name.clone()),
            namespace: one.application.namespace.clone(),
            project: one.application.project.clone(),
        };
        return merged.environments.iter().map(of).collect();
    }
    let names = names.iter().chain(&decision.moves.environments);
    let names: std::collections::BTreeSet<&String> = names.collect();
    names
        .into_iter()
        .map(|name| DeployedEnvironment { environment: name.clone(), ..DeployedEnvironment::default() })
        .collect()
}
