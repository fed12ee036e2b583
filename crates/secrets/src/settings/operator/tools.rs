//! The programs that render sources other than sealwave's own: where they are, and in which versions.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::settings::VersionRequirement;

/// Settings of programs by name. In the sidecar, a program that is not named is not used.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OperatorTools {
    /// Renders charts.
    pub helm: Option<ToolSettings>,
    /// Renders overlays.
    pub kubectl: Option<ToolSettings>,
    /// Renders overlays.
    pub kustomize: Option<ToolSettings>,
    /// Whether Kustomize may run Helm for the field `helmCharts`, on charts in the repository.
    pub kustomize_helm_charts: bool,
}

/// A program.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ToolSettings {
    /// Its file. Without it, the program is searched for on `PATH`, but not in the sidecar.
    pub path: Option<PathBuf>,
    /// Its allowed versions; by default those that sealwave supports.
    pub versions: Option<VersionRequirement>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{OperatorConfig, read_config};

    fn read(tools: &str) -> Result<OperatorTools, String> {
        let text = format!("apiVersion: sealwave.dev/v1alpha1\nkind: Operator\ntools: {tools}\n");
        let read = read_config::<OperatorConfig<serde_json::Value>>(text.as_bytes(), "operator.yaml");
        read.map(|operator| operator.tools).map_err(|failure| failure.problems()[0].to_string())
    }

    #[test]
    fn programs_and_versions_are_read() {
        let tools = read("{helm: {path: /opt/helm, versions: '>=3.14, <5'}, kustomize: {}}").unwrap();
        let helm = tools.helm.unwrap();
        assert_eq!(helm.path, Some("/opt/helm".into()));
        assert!(helm.versions.unwrap().is_met_by("4.0.0"));
        assert!(
            tools.kustomize.is_some_and(|settings| settings.path.is_none() && settings.versions.is_none())
        );
        assert!(tools.kubectl.is_none());
    }

    #[test]
    fn unknown_and_wrong_settings_are_refused() {
        for (tools, message) in [
            ("{kustomise: {}}", "kustomise"),
            ("{helm: {file: /opt/helm}}", "file"),
            ("{helm: {versions: latest}}", "expected versions such as `>=0.4, <0.6`"),
            ("{helm: {versions: [3]}}", "versions"),
            ("{helm: /opt/helm}", "helm"),
            ("[helm]", "tools"),
        ] {
            let error = read(tools).unwrap_err();
            assert!(error.contains(message), "{tools}: {error}");
        }
    }
}
