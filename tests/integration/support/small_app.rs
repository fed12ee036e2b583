//! A small app in its own directory, to be modified by tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::{objects, root, sealwave};

/// An app with two Secrets, two `ConfigMaps` and three Deployments: `api` reads the first Secret and `ConfigMap`, `web`
/// the second ones, `idle` none.
pub struct SmallApp {
    dir: TempDir,
    pub project: String,
}

/// The line of the operator file that allows every app to use every reference for every destination.
pub const OPEN_POLICY: &str = "policy: [{projects: ['*'], scopes: [strict, namespace-wide, cluster-wide], \
    secretNamespaces: ['*'], allow: ['file:**', 'env:*']}]\n";

const SECRETS: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: api, namespace: shop}
stringData:
  password: <file:db.yaml#password>
  url: postgresql://app:<file:db.yaml#password | urlencode>@db/shop
---
apiVersion: v1
kind: Secret
metadata: {name: web, namespace: shop}
stringData:
  token: <file:web.txt>
";

const CONFIG: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: api, namespace: shop}
data: {LOG_LEVEL: info}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
data: {THEME: dark}
";

impl SmallApp {
    pub fn new() -> Self {
        let app = Self { dir: TempDir::new().expect("a directory"), project: "shop".to_owned() };
        app.write("app/sealwave.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n");
        app.write("app/envs/dev/values.yaml", "{}\n");
        app.write("app/base/secrets.yaml", SECRETS);
        app.write("app/base/config.yaml", CONFIG);
        let deployments: Vec<String> = ["api", "web"].map(|name| deployment(name, true)).into();
        app.write(
            "app/base/deployments.yaml",
            &(deployments.join("---\n") + "---\n" + &deployment("idle", false)),
        );
        app.write("operator/secrets/db.yaml", "password: CANARY-p@ss word\n");
        app.write("operator/secrets/web.txt", "CANARY-token\n");
        app.certificate("rsa2048.crt");
        app.seal_key(1);
        app.operator("");
        app
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    pub fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs_err::write(path, text).expect("written");
    }

    /// Replaces a text in a file, which must contain it.
    pub fn replace(&self, relative: &str, from: &str, to: &str) {
        let text = fs_err::read_to_string(self.path(relative)).expect("readable");
        assert!(text.contains(from), "`{from}` is not in {relative}");
        self.write(relative, &text.replace(from, to));
    }

    pub fn certificate(&self, name: &str) {
        let pem = fs_err::read_to_string(certificate_path(name)).expect("a certificate");
        self.write("operator/dev.pem", &pem);
    }

    /// Writes a seal key that is derived from `seed` and looks random.
    pub fn seal_key(&self, seed: u8) {
        let bytes: Vec<u8> =
            (0_u8..48).map(|index| index.wrapping_mul(167).wrapping_add(seed) ^ (index << 3)).collect();
        fs_err::create_dir_all(self.path("operator")).expect("a directory");
        fs_err::write(self.path("operator/seal-key"), bytes).expect("written");
    }

    pub fn operator(&self, more: &str) {
        self.write(
            "operator/operator.yaml",
            &format!(
                "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\n\
                 clusters: {{dev: {{certificate: {{file: dev.pem, allowExpired: true}}}}}}\n\
                 providers: {{file: {{kind: file, root: secrets}}, env: {{kind: env, names: [SHOP_*]}}}}\n\
                 {OPEN_POLICY}{more}"
            ),
        );
    }

    /// Returns `generate` as Argo CD starts it: in the app's directory, with its environment.
    pub fn sidecar(&self, name: &str, project: &str, environment: &str) -> Command {
        let mut command = sealwave();
        command
            .arg("generate")
            .current_dir(self.path("app"))
            .env("SEALWAVE_OPERATOR", self.path("operator/operator.yaml"))
            .env("ARGOCD_APP_NAME", name)
            .env("ARGOCD_APP_PROJECT_NAME", project)
            .env("ARGOCD_APP_NAMESPACE", "shop")
            .env("ARGOCD_APP_PARAMETERS", format!(r#"[{{"name":"env","string":"{environment}"}}]"#));
        command
    }

    pub fn args(&self) -> Vec<String> {
        let text = |path: PathBuf| path.to_str().expect("UTF-8").to_owned();
        let operator = text(self.path("operator/operator.yaml"));
        [
            "generate",
            &text(self.path("app")),
            "--env",
            "dev",
            "--operator",
            &operator,
            "--project",
            &self.project,
            "--namespace",
            "shop",
        ]
        .map(str::to_owned)
        .into()
    }

    pub fn generate_bytes(&self) -> Vec<u8> {
        let output = sealwave().args(self.args()).output().expect("the binary starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    pub fn generate(&self) -> Vec<Value> {
        objects(std::str::from_utf8(&self.generate_bytes()).expect("UTF-8"))
    }
}

/// Returns an object of an output.
pub fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    objects
        .iter()
        .find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
        .unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// Returns an item of a `SealedSecret`.
pub fn item(objects: &[Value], name: &str, key: &str) -> String {
    find(objects, "SealedSecret", name)["spec"]["encryptedData"][key].as_str().expect("an item").to_owned()
}

/// Returns the checksums of a Deployment's pod template, as text.
pub fn checksums(objects: &[Value], name: &str) -> String {
    let annotations = &find(objects, "Deployment", name)["spec"]["template"]["metadata"]["annotations"];
    format!("{} {}", annotations["checksum/config"], annotations["checksum/secret"])
}

fn certificate_path(name: &str) -> PathBuf {
    let path = root().join("testdata/sealed-secrets").join(name);
    assert!(Path::new(&path).exists(), "{name} is missing");
    path
}

fn deployment(name: &str, configured: bool) -> String {
    let reads = if configured {
        format!("\n        envFrom: [{{secretRef: {{name: {name}}}}}, {{configMapRef: {{name: {name}}}}}]")
    } else {
        String::new()
    };
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - name: main
        image: example.com/{name}:1{reads}
"
    )
}
