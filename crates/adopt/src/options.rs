//! Translates the options of an Application into sources of an app file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use crate::app_text::flow_lines;
use crate::application::Application;
use crate::gap::AdoptionGap;
use crate::inline_values;
use crate::repository::{ReadBudget, Repository, relative_path};
use crate::source_plan::{HelmPlan, RemoteChart, SourcePlan};
use sealwave_core::diagnostic::Note;
use sealwave_core::document::{Node, display_path};
use sealwave_pipeline::ArgoCdTool;
use sealwave_validate::rules::may_be_credential;

/// An environment of the app, as an Application deploys it.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    pub(crate) application: Application,
    pub(crate) sources: Vec<SourcePlan>,
    pub(crate) kube_version: Option<String>,
    pub(crate) api_versions: Vec<String>,
    /// Whether manifests in directories below are applied as well.
    pub(crate) is_recursive: bool,
    /// The address of the repository.
    pub(crate) repository: Option<String>,
}

/// Reads the options of one Application.
pub(crate) struct OptionReader<'a> {
    repository: &'a Repository,
    application: &'a Application,
    budget: ReadBudget,
    deployment: Deployment,
    notes: Vec<Note>,
}

/// Returns what an Application deploys, and what is not taken over.
pub(crate) fn read(application: &Application, repository: &Repository) -> (Deployment, Vec<Note>) {
    let deployment = Deployment {
        application: application.clone(),
        sources: Vec::new(),
        kube_version: None,
        api_versions: Vec::new(),
        is_recursive: false,
        repository: None,
    };
    let mut reader = OptionReader {
        repository,
        application,
        budget: ReadBudget::default(),
        deployment,
        notes: Vec::new(),
    };
    for source in &application.sources {
        reader.add(source);
    }
    (reader.deployment, reader.notes)
}

fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    node.at(path).and_then(Node::as_str).filter(|text| !text.is_empty())
}

fn flag(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|flag| flag.to_json() == Json::Bool(true))
}

impl OptionReader<'_> {
    fn left(&mut self, left: &AdoptionGap) {
        self.notes.push(self.application.left(left));
    }

    fn option(&mut self, option: &str, place: &'static str, remedy: impl Into<String>) {
        self.left(&AdoptionGap::Option { option: option.to_owned(), place, remedy: remedy.into() });
    }

    fn add(&mut self, source: &Node) {
        if let Some(chart) = text(source, &["chart"]) {
            self.add_remote(source, chart);
            return;
        }
        let Some(path) = text(source, &["path"]) else { return };
        let Some(full) = self.repository.resolve(Path::new(path)).filter(|full| full.is_dir()) else {
            self.left(&AdoptionGap::ForeignPath { path: path.to_owned() });
            return;
        };
        let address = text(source, &["repoURL"]).map(str::to_owned);
        self.deployment.repository = self.deployment.repository.take().or(address);
        self.check_plugin(source);
        let relative = display_path(&relative_path(&self.repository.dir, &full));
        let is_set = |key| source.get(key).is_some_and(|options| !options.entries().is_empty());
        match ArgoCdTool::of(&full) {
            Some(ArgoCdTool::Helm) if !is_set("kustomize") => {
                let plan = self.helm(source, relative, Some(&full));
                self.deployment.sources.push(SourcePlan::Helm(Box::new(plan)));
            }
            Some(_) => {
                self.kustomize(source, &full);
                self.deployment.sources.push(SourcePlan::Kustomize { path: relative });
            }
            None => self.add_files(source, &full),
        }
    }

    fn add_remote(&mut self, source: &Node, chart: &str) {
        let address = text(source, &["repoURL"]).unwrap_or_default();
        let version = text(source, &["targetRevision"]).unwrap_or_default().to_owned();
        let repository =
            if address.contains("://") { address.to_owned() } else { format!("oci://{address}") };
        let left = AdoptionGap::RemoteChart {
            chart: chart.to_owned(),
            repository: repository.clone(),
            version: version.clone(),
        };
        self.left(&left);
        let mut plan = self.helm(source, chart.to_owned(), None);
        plan.remote = Some(RemoteChart { repository, version });
        self.deployment.sources.push(SourcePlan::Helm(Box::new(plan)));
    }

    fn add_files(&mut self, source: &Node, full: &Path) {
        for option in ["jsonnet", "include", "exclude"] {
            if source.at(&["directory", option]).is_some_and(|value| !matches!(value.to_json(), Json::Null)) {
                let option = format!("directory.{option}");
                self.option(&option, "the Application", "move only the manifests that it selects to `base/`");
            }
        }
        if full == self.repository.dir {
            self.deployment.is_recursive |=
                source.get("directory").is_some_and(|options| flag(options, "recurse"));
            self.deployment.sources.push(SourcePlan::Files);
        } else {
            self.left(&AdoptionGap::OtherDirectory { path: self.repository.name_of(full) });
        }
    }

    /// Reports settings of another plugin. Those of sealwave itself mean that nothing is left to do.
    fn check_plugin(&mut self, source: &Node) {
        let Some(plugin) = source.get("plugin") else { return };
        if text(plugin, &["name"]).is_some_and(|name| name.starts_with("sealwave")) {
            self.left(&AdoptionGap::AlreadyAdopted);
            return;
        }
        for variable in plugin.items_at(&["env"]) {
            let name = text(variable, &["name"]).unwrap_or_default();
            let remedy = if name.to_ascii_lowercase().contains("helm") {
                "write its value files to `valueFiles` and its values to `values` of the chart in `sealwave.yaml`"
            } else {
                "settings of the secret store belong into the operator file; sealwave reads no variable of an Application"
            };
            self.option(&format!("plugin.env.{name}"), "the other plugin", remedy);
        }
    }

    /// Reads the options of a chart. `chart` is its path from the app file, `full` its full path; `None` for a chart from
    /// elsewhere.
    fn helm(&mut self, source: &Node, chart: String, full: Option<&Path>) -> HelmPlan {
        let mut plan = HelmPlan { chart, ..HelmPlan::default() };
        let Some(helm) = source.get("helm") else { return plan };
        plan.release_name = self.plain_text(helm, "releaseName");
        plan.release_name.take_if(|name| *name == self.application.name);
        plan.namespace = self.plain_text(helm, "namespace");
        plan.ignore_missing_value_files = flag(helm, "ignoreMissingValueFiles");
        plan.skip_crds = flag(helm, "skipCrds");
        plan.skip_tests = flag(helm, "skipTests");
        for file in helm.items_at(&["valueFiles"]).iter().filter_map(Node::as_str) {
            match self.value_file(file, full) {
                Some(path) => plan.value_files.push(path),
                None => self.left(&AdoptionGap::ForeignValues { file: file.to_owned() }),
            }
        }
        self.cluster(helm);
        self.inline_values(helm, &mut plan, full);
        if flag(helm, "skipSchemaValidation") {
            self.option("skipSchemaValidation", "Helm", "correct the values: sealwave lets Helm check them");
        }
        if flag(helm, "passCredentials") {
            self.option("passCredentials", "Helm", "credentials belong into the operator file");
        }
        plan
    }

    /// Returns the text of an option, unless Argo CD fills in a variable.
    fn plain_text(&mut self, helm: &Node, key: &str) -> Option<String> {
        let found = text(helm, &[key])?;
        if found.contains('$') {
            self.left(&AdoptionGap::BuildVariable { field: key.to_owned() });
            return None;
        }
        Some(found.to_owned())
    }

    fn inline_values(&mut self, helm: &Node, plan: &mut HelmPlan, full: Option<&Path>) {
        let (application, repository, budget) = (self.application, self.repository, &mut self.budget);
        let mut read_file = |path: &Path| {
            let path = full?.strip_prefix(&repository.root).ok()?.join(path);
            repository.read(&repository.resolve(&path)?, budget)
        };
        let has_files = !plan.value_files.is_empty();
        let (values, notes) =
            inline_values::read(helm, has_files, &mut read_file, &mut |left| application.left(left));
        plan.values = values;
        self.notes.extend(notes);
    }

    /// Returns the path from the app file to a value file, which may be in another source (`$ref/…`).
    fn value_file(&self, file: &str, chart: Option<&Path>) -> Option<String> {
        if file.contains("://") {
            return None;
        }
        let from_root =
            if let Some((source, path)) = file.strip_prefix('$').and_then(|file| file.split_once('/')) {
                let names: BTreeSet<&str> =
                    self.application.sources.iter().filter_map(|source| text(source, &["ref"])).collect();
                names.contains(source).then(|| PathBuf::from(path))?
            } else if let Some(path) = file.strip_prefix('/') {
                PathBuf::from(path)
            } else {
                chart?.strip_prefix(&self.repository.root).ok()?.join(file)
            };
        // A file that does not exist may be one that another environment has.
        let parent = self.repository.resolve(from_root.parent()?)?;
        Some(display_path(&relative_path(&self.repository.dir, &parent.join(from_root.file_name()?))))
    }

    /// Reads what charts can ask about the cluster.
    fn cluster(&mut self, options: &Node) {
        if let Some(version) = text(options, &["kubeVersion"]) {
            self.deployment.kube_version = Some(version.to_owned());
        }
        let versions = options.items_at(&["apiVersions"]).iter().filter_map(Node::as_str).map(str::to_owned);
        self.deployment.api_versions.extend(versions);
    }

    fn kustomize(&mut self, source: &Node, full: &Path) {
        let Some(options) = source.get("kustomize") else { return };
        self.cluster(options);
        let settings = kustomization_settings(options);
        if settings.is_empty() {
            return;
        }
        let fields = settings.keys().cloned().collect();
        let lines = flow_lines(&settings);
        let lines = lines
            .into_iter()
            .map(|line| if holds_credential(&line) { hidden(&line) } else { line })
            .collect();
        self.left(&AdoptionGap::KustomizeOptions { fields, directory: self.repository.name_of(full), lines });
    }
}

/// Returns the options as Argo CD writes them into `kustomization.yaml`.
fn kustomization_settings(options: &Node) -> Map<String, Json> {
    let mut settings = Map::new();
    let is_empty = |value: &Json| match value {
        Json::Null => true,
        Json::Bool(flag) => !flag,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        Json::Number(_) => false,
    };
    let mut labels = Vec::new();
    for entry in options.entries() {
        let value = entry.value.to_json();
        match entry.key.as_str() {
            _ if is_empty(&value) => {}
            "apiVersions"
            | "forceCommonAnnotations"
            | "forceCommonLabels"
            | "ignoreMissingComponents"
            | "kubeVersion"
            | "labelIncludeTemplates"
            | "labelWithoutSelector"
            | "version" => {}
            "commonLabels" => {
                let in_selectors = !flag(options, "labelWithoutSelector");
                labels.push(json!({"pairs": value, "includeSelectors": in_selectors, "includeTemplates": flag(options, "labelIncludeTemplates")}));
            }
            "images" => {
                let images = entry.value.items().iter().filter_map(Node::as_str).map(image);
                settings.insert("images".to_owned(), images.collect());
            }
            key => drop(settings.insert(key.to_owned(), value)),
        }
    }
    if !labels.is_empty() {
        settings.insert("labels".to_owned(), labels.into());
    }
    settings
}

/// Returns an image of Argo CD, `[NAME=]NEW[:TAG][@DIGEST]`, as Kustomize writes it.
fn image(text: &str) -> Json {
    let (name, new) = text.split_once('=').map_or((None, text), |(name, new)| (Some(name), new));
    let (new, digest) = new.split_once('@').map_or((new, None), |(new, digest)| (new, Some(digest)));
    let tag = new.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
    let (new_name, tag) = tag.map_or((new, None), |(name, tag)| (name, Some(tag)));
    let mut image = Map::new();
    image.insert("name".to_owned(), name.unwrap_or(new_name).into());
    let fields = [("newName", name.map(|_| new_name)), ("newTag", tag), ("digest", digest)];
    for (key, value) in fields {
        if let Some(value) = value {
            image.insert(key.to_owned(), value.into());
        }
    }
    image.into()
}

/// Reports whether a line that is shown may hold a secret, for example in a patch.
fn holds_credential(line: &str) -> bool {
    line.contains("stringData")
        || line.contains("Secret")
        || line
            .split(['"', ' ', '\\'])
            .zip(line.split(['"', ' ', '\\']).skip(2))
            .any(|(key, value)| may_be_credential(key.trim_end_matches(':'), value))
}

fn hidden(line: &str) -> String {
    let key = line.split(':').next().unwrap_or_default();
    format!("{key}: …` as in the Application")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_written_as_kustomize_does() {
        for (text, expected) in [
            ("web:1.2", json!({"name": "web", "newTag": "1.2"})),
            (
                "web=registry.example.com:5000/web:1.2",
                json!({"name": "web", "newName": "registry.example.com:5000/web", "newTag": "1.2"}),
            ),
            ("web@sha256:ab", json!({"name": "web", "digest": "sha256:ab"})),
            ("registry.example.com:5000/web", json!({"name": "registry.example.com:5000/web"})),
        ] {
            assert_eq!(image(text), expected, "{text}");
        }
    }
}
