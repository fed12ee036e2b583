//! The sidecar of all sealwave apps.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;

use crate::harness::{Programs, Sidecar, SidecarOptions, Stack, operator_file};

/// The name of the plugin and of the Argo CD project.
pub const PLUGIN: &str = "overhead";

/// The plugin with its operator's files.
pub struct Plugin {
    home: PathBuf,
    stack: Arc<Stack>,
}

impl Plugin {
    /// Writes the operator's files.
    pub fn prepare(stack: &Arc<Stack>) -> Self {
        let this = Self { home: stack.memory().join("sidecars").join(PLUGIN), stack: Arc::clone(stack) };
        let keys = sealwave_testkit::repository_root().join("testdata/scenario-1-mlops/operator");
        let key = |name: &str| fs_err::read_to_string(keys.join(name)).expect("a key");
        let files = [
            ("certs/dev.pem", stack.controller.certificate()),
            ("checksum-key", key("checksum-key")),
            ("operator.yaml", operator_file(PLUGIN, "'file:*'")),
            ("seal-key", key("seal-key")),
            ("secrets/values.yaml", "password: CANARY-password\ntoken: CANARY-token\n".to_owned()),
        ];
        for (name, text) in files {
            let file = this.operator_file().with_file_name(name);
            fs_err::create_dir_all(file.parent().expect("a parent")).expect("a directory");
            fs_err::write(file, text).expect("writable");
        }
        this
    }

    /// Starts the sidecar with `plugin.yaml`, or with the plugin file that has discovery.
    pub fn start(&self, discover: bool) -> Sidecar {
        let file = if discover { "manifests/plugin-discover.yaml" } else { "plugin.yaml" };
        let options = SidecarOptions {
            plugin_file: file,
            // Its log is the only place that tells when it called sealwave.
            variables: &[("ARGOCD_LOG_FORMAT_TIMESTAMP", "2006-01-02T15:04:05.000000Z07:00")],
            ..SidecarOptions::new(&self.stack, PLUGIN)
        };
        Sidecar::start_with(&self.stack, PLUGIN, &options)
    }

    /// Returns what sealwave prints for a directory.
    pub fn render(&self, directory: &std::path::Path, namespace: &str) -> Vec<Value> {
        let mut command = Command::new(Programs::sealwave());
        command.env_clear().env("PATH", "/usr/bin:/bin").arg("generate").arg(directory);
        command.args(["--env=dev", "--project", PLUGIN, "--namespace", namespace, "--operator"]);
        let output = command.arg(self.operator_file()).output().expect("sealwave starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let objects = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
        objects.map(|object| object.expect("JSON")).collect()
    }

    fn operator_file(&self) -> PathBuf {
        self.home.join("operator/operator.yaml")
    }
}
