//! Objects of the API server, as JSON.

mod dry_run;

use std::path::Path;

use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;
use tokio::runtime::Runtime;

pub use dry_run::Answer;

/// A kind of objects: its `apiVersion` and its `kind`.
#[derive(Clone, Copy, Debug)]
pub struct Kind(pub &'static str, pub &'static str);

pub const APPLICATION: Kind = Kind("argoproj.io/v1alpha1", "Application");
pub const CONFIG_MAP: Kind = Kind("v1", "ConfigMap");
pub const DEPLOYMENT: Kind = Kind("apps/v1", "Deployment");
pub const EVENT: Kind = Kind("v1", "Event");
pub const NAMESPACE: Kind = Kind("v1", "Namespace");
pub const POD: Kind = Kind("v1", "Pod");
pub const SEALED_SECRET: Kind = Kind("bitnami.com/v1alpha1", "SealedSecret");
pub const SECRET: Kind = Kind("v1", "Secret");

impl Kind {
    fn resource(self) -> ApiResource {
        resource(self.0, self.1)
    }
}

/// A client of the API server, which may do everything.
pub struct Cluster {
    client: Client,
    runtime: Runtime,
}

impl Cluster {
    /// Connects with a kubeconfig; nothing is sent yet.
    pub fn connect(kubeconfig: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = runtime.block_on(async {
            let file = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
            let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
            Client::try_from(config.expect("valid settings")).expect("a client")
        });
        Self { client, runtime }
    }

    /// Reports whether the API server is ready.
    pub fn is_ready(&self) -> Result<(), String> {
        let request = http_get("/readyz");
        self.runtime
            .block_on(self.client.request_text(request))
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    /// Gets a path of a service through the API server.
    pub fn service_get(&self, namespace: &str, service: &str, path: &str) -> Result<String, String> {
        let request =
            http_get(&format!("/api/v1/namespaces/{namespace}/services/http:{service}:http/proxy/{path}"));
        self.runtime.block_on(self.client.request_text(request)).map_err(|error| error.to_string())
    }

    /// Reports whether the API server lists the kind of a definition among those that it serves.
    pub fn serves(&self, definition: &Value) -> Result<(), String> {
        let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let versions = definition["spec"]["versions"].as_array().into_iter().flatten();
        for version in versions.filter(|version| version["served"] == true) {
            let path =
                format!("/apis/{}/{}", text("/spec/group"), version["name"].as_str().unwrap_or_default());
            let answer = self.runtime.block_on(self.client.request::<Value>(http_get(&path)));
            let served = answer.map_err(|error| error.to_string())?;
            let mut kinds = served["resources"].as_array().into_iter().flatten();
            if !kinds.any(|kind| kind["name"] == definition["spec"]["names"]["plural"]) {
                return Err(format!("{} is not served in {path}", text("/spec/names/kind")));
            }
        }
        Ok(())
    }

    /// Returns the API server's schemas of all kinds, as text.
    pub fn schemas(&self) -> Result<String, String> {
        let request = http_get("/openapi/v2");
        self.runtime.block_on(self.client.request_text(request)).map_err(|error| error.to_string())
    }

    /// Creates or changes an object by a server-side apply, and returns it.
    ///
    /// # Panics
    /// If the API server refuses it.
    pub fn apply(&self, object: &Value) -> Value {
        self.try_apply(object).unwrap_or_else(|error| panic!("{error}\n{object:#}"))
    }

    /// Like [`Self::apply`]; the error is the API server's.
    pub fn try_apply(&self, object: &Value) -> Result<Value, kube::Error> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let resource = resource(text("/apiVersion"), text("/kind"));
        let namespace = Some(text("/metadata/namespace")).filter(|name| !name.is_empty());
        let parameters = PatchParams::apply("e2e").force();
        let api = self.api(&resource, namespace);
        let applied =
            self.runtime.block_on(api.patch(text("/metadata/name"), &parameters, &Patch::Apply(object)))?;
        Ok(serde_json::to_value(applied).expect("JSON"))
    }

    /// Returns an object, if it exists.
    pub fn get(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Option<Value> {
        let api = self.api(&kind.resource(), namespace);
        let found = self.runtime.block_on(api.get_opt(name)).expect("an answer");
        found.map(|object| serde_json::to_value(object).expect("JSON"))
    }

    /// Returns all objects of a kind, in one namespace or in all.
    pub fn list(&self, kind: Kind, namespace: Option<&str>) -> Vec<Value> {
        let api = self.api(&kind.resource(), namespace);
        let found = self.runtime.block_on(api.list(&ListParams::default())).expect("an answer");
        found.into_iter().map(|object| serde_json::to_value(object).expect("JSON")).collect()
    }

    /// Changes an object by a merge patch.
    pub fn patch(&self, kind: Kind, namespace: Option<&str>, name: &str, patch: &Value) {
        let api = self.api(&kind.resource(), namespace);
        let answer = self.runtime.block_on(api.patch(name, &PatchParams::default(), &Patch::Merge(patch)));
        answer.unwrap_or_else(|error| panic!("{kind:?} {name}: {error}"));
    }

    /// Changes many objects by the same merge patch, all at once.
    pub fn patch_all(&self, kind: Kind, namespace: &str, names: &[String], patch: &Value) {
        self.runtime.block_on(async {
            let mut running = tokio::task::JoinSet::new();
            for name in names {
                let api = self.api(&kind.resource(), Some(namespace));
                let (name, patch) = (name.clone(), patch.clone());
                running.spawn(async move {
                    api.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await.map(|_| ())
                });
            }
            for answer in running.join_all().await {
                answer.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
            }
        });
    }

    /// Changes the status of an object by a merge patch. The object may be gone.
    pub fn patch_status(&self, kind: Kind, namespace: Option<&str>, name: &str, status: &Value) {
        let api = self.api(&kind.resource(), namespace);
        let patch = serde_json::json!({ "status": status });
        let answer =
            self.runtime.block_on(api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)));
        accept_missing(answer.map(|_| ()), kind, name);
    }

    /// Deletes an object, at once. It may be gone.
    pub fn delete(&self, kind: Kind, namespace: Option<&str>, name: &str) {
        let parameters = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        let api = self.api(&kind.resource(), namespace);
        accept_missing(self.runtime.block_on(api.delete(name, &parameters)).map(|_| ()), kind, name);
    }

    /// Assigns a pod to a node, as the scheduler does. The pod may be gone, or assigned already.
    pub fn bind(&self, namespace: &str, pod: &str, node: &str) {
        let binding = serde_json::json!({
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod, "namespace": namespace},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        });
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/binding");
        let request = http::Request::post(path).header("Content-Type", "application/json");
        let request = request.body(serde_json::to_vec(&binding).expect("JSON")).expect("a request");
        match self.runtime.block_on(self.client.request_text(request)) {
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => (),
            answer => drop(answer.unwrap_or_else(|error| panic!("{namespace}/{pod}: {error}"))),
        }
    }

    fn api(&self, resource: &ApiResource, namespace: Option<&str>) -> Api<DynamicObject> {
        let client = self.client.clone();
        match namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, resource),
            None => Api::all_with(client, resource),
        }
    }
}

fn accept_missing(answer: Result<(), kube::Error>, kind: Kind, name: &str) {
    match answer {
        Ok(()) => (),
        Err(kube::Error::Api(status)) if status.code == 404 => (),
        Err(error) => panic!("{kind:?} {name}: {error}"),
    }
}

fn resource(api_version: &str, kind: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

fn http_get(path: &str) -> http::Request<Vec<u8>> {
    http::Request::get(path).body(Vec::new()).expect("a request")
}
