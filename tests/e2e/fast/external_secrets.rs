//! An ExternalSecret that cannot be fetched holds up the workloads of its app, although its Secret is in the cluster.
//!
//! That is the price of its early wave. docs/operating/troubleshooting.md describes it, with ways to deploy nevertheless; the
//! full tier has tests of these.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{APPLICATION, ARGOCD, CONFIG_MAP, DEPLOYMENT, Refresh, Stack, TestApp, until};

const APP_FILE: &str = "\
apiVersion: sealwave.dev/v1alpha1
kind: App
backend: external-secrets
externalSecrets:
  refreshInterval: 1s
  stores: {aws-sm: {name: STORE, kind: ClusterSecretStore}}
environments: {dev: {}}
";

/// An operator file without keys: nothing is sealed.
const OPERATOR_FILE: &str = "\
apiVersion: sealwave.dev/v1alpha1
kind: Operator
policy:
  - {name: own, projects: [PROJECT], allow: ['aws-sm:**']}
";

const OBJECTS: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: db, annotations: {ANNOTATION}}
stringData: {password: <aws-sm:shop/db>}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {VERSION: vVERSION}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example.internal/web:vVERSION
          envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: db}}]
";

/// The state of an ExternalSecret whose store does not deliver.
pub const NOT_FETCHED: &str = "could not get secret data from provider";

/// Without retries, the sync has failed for good. When the store delivers again, Argo CD does not sync by itself.
pub fn failing_one_blocks_the_workloads(stack: &Arc<Stack>) {
    let app = StoreApp::deploy(stack, "external-secret");

    app.set_store(&[]);
    let commit = app.commit(2);
    let live = app.wait_failed_sync(NOT_FETCHED);
    assert_eq!(live["status"]["sync"]["status"], "OutOfSync");
    assert_eq!(live["status"]["health"]["status"], "Degraded");
    let message = app.wait_condition("SyncError");
    let expected = format!(
        "Failed last sync attempt to [{commit}]: one or more synchronization tasks completed unsuccessfully"
    );
    assert!(message.starts_with(&expected), "{message}");
    assert_eq!(app.versions(), ["v2", "v1"], "the ConfigMap changed, and the Deployment waits");
    assert_eq!(app.secrets(app.name())["db"]["password"], b"CANARY-external-1", "the Secret is still there");

    app.set_store(&[("shop/db", "CANARY-external-1")]);
    // With `selfHeal`, Argo CD would sync after 5 seconds, if the last sync had not failed.
    std::thread::sleep(Duration::from_secs(7));
    assert_eq!(app.versions(), ["v2", "v1"], "a failed sync is repeated by a person or a commit only");
    app.sync(&commit);
    app.wait_healthy(&commit);
    assert_eq!(app.versions(), ["v2", "v2"]);
}

/// An app with an ExternalSecret, a ConfigMap and a Deployment that reads both. Its namespace and its store have its name.
pub struct StoreApp {
    app: TestApp,
    stack: Arc<Stack>,
}

impl std::ops::Deref for StoreApp {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

impl StoreApp {
    /// Deploys the first version. From then on, a failed sync is not tried again, because a test would wait for it.
    pub fn deploy(stack: &Arc<Stack>, name: &str) -> Self {
        let this = Self { app: TestApp::new(stack, name, &[]), stack: Arc::clone(stack) };
        this.write_operator_file("operator.yaml", &OPERATOR_FILE.replace("PROJECT", name));
        this.repository().write("app/sealwave.yaml", &APP_FILE.replace("STORE", name));
        let store = [("shop/db", "CANARY-external-1")];
        stack.external_secrets.create_store(name, &store);
        this.write(1, "");
        let commit = this.app.deploy(name, "dev");
        this.wait_healthy(&commit);
        let patch = json!({"spec": {"syncPolicy": {"retry": {"limit": 0}}}});
        stack.cluster().patch(APPLICATION, Some(ARGOCD), name, &patch);
        this
    }

    /// Writes a version of the ConfigMap and the Deployment, and the Secret with an annotation.
    pub fn write(&self, version: u32, annotation: &str) {
        let text = OBJECTS.replace("vVERSION", &format!("v{version}")).replace("ANNOTATION", annotation);
        self.repository().write("app/base/objects.yaml", &text);
    }

    /// Commits a version of the ConfigMap and the Deployment; returns the commit.
    pub fn commit(&self, version: u32) -> String {
        self.write(version, "");
        let commit = self.repository().commit("a version");
        self.refresh(Refresh::Normal);
        commit
    }

    /// Sets what the store holds, and waits until the operator has noticed.
    pub fn set_store(&self, secrets: &[(&str, &str)]) {
        self.stack.external_secrets.create_store(self.name(), secrets);
        let expected = if secrets.is_empty() { "Degraded" } else { "Healthy" };
        self.wait_for(&format!("the health {expected}"), |live| {
            live["status"]["health"]["status"] == expected
        });
    }

    /// Returns the versions of the ConfigMap and the Deployment in the cluster.
    pub fn versions(&self) -> [String; 2] {
        let live = |kind, name| self.stack.cluster().get(kind, Some(self.name()), name).expect("an object");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let image = &live(DEPLOYMENT, "web")["spec"]["template"]["spec"]["containers"][0]["image"];
        let version = text(image).rsplit_once(':').expect("a tag").1.to_owned();
        [text(&live(CONFIG_MAP, "settings")["data"]["VERSION"]), version]
    }

    /// Waits until so many pods have started since the first version.
    pub fn wait_started(&self, pods: usize) {
        until(&format!("{pods} pods that started"), || {
            let starts = self.stack.kubelet.starts(self.name()).len();
            if starts == pods { Ok(()) } else { Err(format!("{starts} started")) }
        });
    }
}
