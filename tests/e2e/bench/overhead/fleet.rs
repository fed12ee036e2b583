//! Many apps in one repository, all rendered in the same way.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Size;
use super::app_files;
use super::plugin::{PLUGIN, Plugin};
use super::setup::Renderer;
use crate::harness::{APPLICATION, ARGOCD, NAMESPACE, Refresh, Repository, Stack, documents, until_within};

const GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";
const REFRESH: &str = "argocd.argoproj.io/refresh";

/// The time that a refresh of all apps may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// The apps of all kinds.
pub struct Fleets(Vec<Fleet>);

/// The apps of one kind.
pub struct Fleet {
    applications: Vec<String>,
    commits: Cell<usize>,
    renderer: Renderer,
    repository: Repository,
    stack: Arc<Stack>,
}

impl Fleets {
    /// Creates all apps, and waits until they are synced.
    pub fn deploy(stack: &Arc<Stack>, plugin: &Plugin, size: &Size) -> Self {
        stack.cluster().apply(&json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
            "metadata": {"name": PLUGIN, "namespace": ARGOCD},
            "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]},
        }));
        let _sidecar = plugin.start(false);
        let fleets = Renderer::ALL.map(|renderer| Fleet::deploy(stack, plugin, renderer, size));
        fleets.iter().for_each(Fleet::wait_synced);
        Self(fleets.into())
    }

    /// Returns the apps of a kind.
    pub fn of(&self, renderer: Renderer) -> &Fleet {
        self.0.iter().find(|fleet| fleet.renderer == renderer).expect("all kinds")
    }
}

impl Fleet {
    fn deploy(stack: &Arc<Stack>, plugin: &Plugin, renderer: Renderer, size: &Size) -> Self {
        let repository = Repository::create(stack.memory().join("git").join(renderer.name()));
        app_files::write_other_files(&repository, size.files);
        let names = (0..size.apps).map(|index| format!("{}-{index:03}", renderer.name()));
        let this = Self {
            applications: names.collect(),
            commits: Cell::new(0),
            renderer,
            repository,
            stack: Arc::clone(stack),
        };
        this.applications.iter().for_each(|name| this.write_app(plugin, name));
        this.repository.commit("the apps");
        let namespace =
            json!({"apiVersion": NAMESPACE.0, "kind": NAMESPACE.1, "metadata": {"name": this.namespace()}});
        stack.cluster().apply(&namespace);
        for name in &this.applications {
            stack.cluster().apply(&this.application(name));
        }
        this
    }

    fn namespace(&self) -> String {
        format!("overhead-{}", self.renderer.name())
    }

    fn write_app(&self, plugin: &Plugin, name: &str) {
        let directory = format!("apps/{name}");
        if self.renderer == Renderer::Sealwave {
            return app_files::write_sealwave_app(&self.repository, &directory, name);
        }
        // In the memory of this run, outside of the repository.
        let sources = Repository::create(self.stack.memory().join("sources").join(name));
        app_files::write_sealwave_app(&sources, "app", name);
        let objects = plugin.render(&sources.directory().join("app"), &self.namespace());
        let kustomize = self.renderer == Renderer::Kustomize;
        app_files::write_rendered_app(&self.repository, &directory, &objects, kustomize);
    }

    /// Returns an Application with an operation: it is synced once, and then only compared.
    fn application(&self, name: &str) -> Value {
        let mut application = json!({
            "apiVersion": APPLICATION.0, "kind": APPLICATION.1,
            "metadata": {"name": name, "namespace": ARGOCD},
            "spec": {
                "project": PLUGIN,
                "source": {"repoURL": self.repository.url(), "targetRevision": "main", "path": format!("apps/{name}")},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": self.namespace()},
            },
            "operation": {"sync": {}},
        });
        if self.renderer == Renderer::Sealwave {
            application["spec"]["source"]["plugin"] =
                json!({"name": PLUGIN, "parameters": [{"name": "env", "string": "dev"}]});
        }
        application
    }

    fn wait_synced(&self) {
        for name in &self.applications {
            until_within(PATIENCE, &format!("{name} to be synced"), || {
                self.stack.argocd.check_running();
                let status = &self.application_status(name);
                let done = status["sync"]["status"] == "Synced"
                    && status["operationState"]["phase"] == "Succeeded"
                    && status["resources"].as_array().is_some_and(|objects| objects.len() == 8);
                if done { Ok(()) } else { Err(format!("{status:#}")) }
            });
        }
    }

    fn application_status(&self, name: &str) -> Value {
        let live = self.stack.argocd.application(name);
        live.unwrap_or_else(|| panic!("the Application {name} exists"))["status"].clone()
    }

    /// Adds the annotation that names the directories of an app, or removes it.
    pub fn annotate(&self, generate_paths: bool) {
        let paths = if generate_paths { json!(".") } else { Value::Null };
        let patch = json!({"metadata": {"annotations": {GENERATE_PATHS: paths}}});
        self.stack.cluster().patch_all(APPLICATION, ARGOCD, &self.applications, &patch);
    }

    /// Commits a change of one object of one app.
    pub fn commit(&self) {
        self.commits.set(self.commits.get() + 1);
        let base = if self.renderer == Renderer::Sealwave { "base/" } else { "" };
        let file = format!("apps/{}/{base}{}", self.first(), app_files::CHANGED);
        let text = fs_err::read_to_string(self.repository.directory().join(&file)).expect("readable");
        let mut object = documents(&text).remove(0);
        object["data"]["commit"] = json!(self.commits.get().to_string());
        self.repository.write(&file, &yaml_serde::to_string(&object).expect("YAML"));
        self.repository.commit("one app");
    }

    /// Refreshes all apps and waits for the end.
    pub fn refresh_all(&self, how: Refresh) {
        self.refresh(how, &self.applications);
    }

    /// Refreshes one app that was not changed by [`Self::commit`], and waits for the end.
    pub fn refresh_one(&self, how: Refresh) {
        self.refresh(how, &self.applications[self.applications.len() - 1..]);
    }

    /// Returns the app that [`Self::refresh_one`] refreshes.
    pub fn one(&self) -> &str {
        self.applications.last().expect("an app")
    }

    fn first(&self) -> &str {
        &self.applications[0]
    }

    fn refresh(&self, how: Refresh, applications: &[String]) {
        let patch = json!({"metadata": {"annotations": {REFRESH: how.annotation()}}});
        self.stack.cluster().patch_all(APPLICATION, ARGOCD, applications, &patch);
        // One after the other, so that waiting costs the API server little; in short steps, because this is measured.
        let start = Instant::now();
        for name in applications {
            while self.is_pending(name) {
                assert!(start.elapsed() < PATIENCE, "{name} is not refreshed");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        self.check_compared(&applications[0]);
    }

    fn is_pending(&self, name: &str) -> bool {
        let live = self.stack.argocd.application(name).expect("it exists");
        live["metadata"]["annotations"][REFRESH].is_string()
    }

    /// Fails if an app could not be rendered: that would be measured as fast.
    fn check_compared(&self, name: &str) {
        let status = self.application_status(name);
        assert!(status["conditions"].is_null(), "{name}: {:#}", status["conditions"]);
    }
}
