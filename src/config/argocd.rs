//! The app as described by Argo CD when it calls the plugin.
//!
//! `ARGOCD_APP_*` variables are set by Argo CD itself. Parameters come from users who may edit the Application or
//! commit `.argocd-source.yaml`, so they may only select an environment. `PARAM_*` is ignored: its names collide.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;
use sealwave_pipeline::{Checkout, ClusterCapabilities};
use sealwave_secrets::policy::without_credentials;

type VariableLookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Variables that Argo CD sets for a plugin, and that authors of an app cannot set. If one of them is present,
/// even if empty, Argo CD is the caller.
const SET_BY_ARGO_CD: [&str; 10] = [
    APP_NAME,
    "ARGOCD_APP_NAMESPACE",
    "ARGOCD_APP_PARAMETERS",
    "ARGOCD_APP_PROJECT_NAME",
    "ARGOCD_APP_REVISION",
    "ARGOCD_APP_REVISION_SHORT",
    "ARGOCD_APP_REVISION_SHORT_8",
    "ARGOCD_APP_SOURCE_PATH",
    "ARGOCD_APP_SOURCE_REPO_URL",
    "ARGOCD_APP_SOURCE_TARGET_REVISION",
];

const APP_NAME: &str = "ARGOCD_APP_NAME";

/// The app as described by Argo CD.
#[derive(Clone, Debug)]
pub struct ArgoCdContext {
    /// `ARGOCD_APP_NAME`; `<namespace>_<name>` for apps outside Argo CD's own namespace.
    pub app: String,
    /// `ARGOCD_APP_PROJECT_NAME`; `None` before Argo CD 3.0.
    pub project: Option<String>,
    /// `ARGOCD_APP_NAMESPACE`, the destination's.
    pub namespace: Option<String>,
    /// `ARGOCD_APP_REVISION`.
    pub revision: Option<String>,
    /// `ARGOCD_APP_SOURCE_REPO_URL` without credentials. `.argocd-source.yaml` cannot change it.
    pub repository: Option<String>,
    /// The files that Argo CD sent.
    pub checkout: Checkout,
    /// `KUBE_VERSION` and `KUBE_API_VERSIONS`, those of the destination; Argo CD sets none during a hydration.
    pub capabilities: ClusterCapabilities,
    /// `ARGOCD_APP_PARAMETERS`.
    pub parameters: Vec<PluginParameter>,
}

/// A parameter of the Application's plugin section.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct PluginParameter {
    /// The name.
    pub name: String,
    /// The value, if it is a string.
    #[serde(default)]
    pub string: Option<String>,
}

impl ArgoCdContext {
    /// Reads the variables. Returns `None` if Argo CD did not start this process.
    ///
    /// # Errors
    /// The app's name is missing although another variable is present, a variable is not text, or the parameters are
    /// not JSON.
    pub fn read(variables: VariableLookup<'_>) -> Result<Option<Self>, ConfigError> {
        let Some(present) = present(variables) else { return Ok(None) };
        let app = text(variables, APP_NAME)?.ok_or(ConfigError::NoAppName { present })?;
        Ok(Some(Self {
            app,
            project: project(variables)?,
            namespace: text(variables, "ARGOCD_APP_NAMESPACE")?,
            revision: text(variables, "ARGOCD_APP_REVISION")?,
            repository: text(variables, "ARGOCD_APP_SOURCE_REPO_URL")?.map(|url| without_credentials(&url)),
            checkout: read_checkout(variables)?,
            capabilities: read_capabilities(variables)?,
            parameters: parameters(text(variables, "ARGOCD_APP_PARAMETERS")?.as_deref())?,
        }))
    }

    /// Returns the environment selected by the parameter `env`.
    ///
    /// # Errors
    /// A parameter has another name, or is not a string.
    pub fn environment(&self) -> Result<Option<&str>, ConfigError> {
        let mut environment = None;
        for parameter in &self.parameters {
            if parameter.name != "env" {
                return Err(ConfigError::ParameterUnknown(parameter.name.clone()));
            }
            let text = parameter
                .string
                .as_deref()
                .ok_or_else(|| ConfigError::ParameterType(parameter.name.clone()))?;
            environment = Some(text);
        }
        Ok(environment)
    }
}

/// Reports whether Argo CD started this process.
pub(super) fn is_caller(variables: VariableLookup<'_>) -> bool {
    present(variables).is_some()
}

/// Returns a present variable that only Argo CD sets.
fn present(variables: VariableLookup<'_>) -> Option<&'static str> {
    SET_BY_ARGO_CD.into_iter().find(|name| variables(name).is_some())
}

/// Reads `ARGOCD_APP_PROJECT_NAME`, which Argo CD sets since version 3.0, but not for `parameters`.
///
/// # Errors
/// The value is not text.
pub(super) fn project(variables: VariableLookup<'_>) -> Result<Option<String>, ConfigError> {
    text(variables, "ARGOCD_APP_PROJECT_NAME")
}

/// Reads the description of the files that Argo CD sent. Sufficient for commands that need no identity.
///
/// Authors of an app cannot set these variables, except the path, which the Application defines.
///
/// # Errors
/// The path is not text.
pub fn read_checkout(variables: VariableLookup<'_>) -> Result<Checkout, ConfigError> {
    let directory = |name: &str| variables(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let work_directory = directory("ARGOCD_CMP_WORKDIR").or_else(|| directory("TMPDIR"));
    Ok(Checkout {
        source_path: text(variables, "ARGOCD_APP_SOURCE_PATH")?,
        work_directory: Some(work_directory.unwrap_or_else(|| PathBuf::from("/tmp"))),
    })
}

/// Reads the versions that Argo CD found at the destination.
fn read_capabilities(variables: VariableLookup<'_>) -> Result<ClusterCapabilities, ConfigError> {
    let versions = text(variables, "KUBE_API_VERSIONS")?.unwrap_or_default();
    let api_versions = versions.split(',').map(str::trim).filter(|version| !version.is_empty());
    Ok(ClusterCapabilities {
        kube_version: text(variables, "KUBE_VERSION")?,
        api_versions: api_versions.map(str::to_owned).collect(),
    })
}

fn text(variables: VariableLookup<'_>, name: &str) -> Result<Option<String>, ConfigError> {
    match variables(name) {
        None => Ok(None),
        Some(value) if value.is_empty() => Ok(None),
        Some(value) => value.into_string().map(Some).map_err(|_| ConfigError::NotUnicode(name.to_owned())),
    }
}

fn parameters(json: Option<&str>) -> Result<Vec<PluginParameter>, ConfigError> {
    let Some(json) = json else { return Ok(Vec::new()) };
    serde_json::from_str::<Option<Vec<PluginParameter>>>(json)
        .map(Option::unwrap_or_default)
        .map_err(|_| ConfigError::Parameters)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<ArgoCdContext>, ConfigError> {
        ArgoCdContext::read(&|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn any_variable_that_only_argo_cd_sets_means_argo_cd() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("ARGOCD_ENV_PROJECT", "shop"), ("PARAM_ENV", "dev")]).unwrap().is_none());
        for name in SET_BY_ARGO_CD {
            for text in ["", "shop"] {
                let found = read(&[(name, text)]);
                if (name, text) == (APP_NAME, "shop") {
                    assert_eq!(found.unwrap().unwrap().app, "shop");
                    continue;
                }
                let error = found.unwrap_err();
                assert!(matches!(error, ConfigError::NoAppName { present } if present == name), "{name}");
            }
        }
    }

    #[test]
    fn parameters_in_every_form_that_argo_cd_writes_are_read() {
        let environment = |json| {
            let argocd = read(&[("ARGOCD_APP_NAME", "a"), ("ARGOCD_APP_PARAMETERS", json)])?.unwrap();
            argocd.environment().map(|env| env.map(str::to_owned))
        };
        assert_eq!(environment(r#"[{"name":"env","string":"prod"}]"#).unwrap().as_deref(), Some("prod"));
        assert_eq!(environment("null").unwrap(), None);
        assert_eq!(environment("[]").unwrap(), None);
        assert!(matches!(
            environment(r#"[{"array":["x"],"name":"env"}]"#),
            Err(ConfigError::ParameterType(_))
        ));
        assert!(matches!(
            environment(r#"[{"name":"values","map":{"a":"b"}}]"#),
            Err(ConfigError::ParameterUnknown(_))
        ));
        assert!(matches!(environment("{"), Err(ConfigError::Parameters)));
    }

    #[test]
    fn an_empty_destination_namespace_is_none() {
        let argocd = read(&[("ARGOCD_APP_NAME", "a"), ("ARGOCD_APP_NAMESPACE", "")]).unwrap().unwrap();
        assert_eq!(argocd.namespace, None);
        assert_eq!(argocd.project, None);
    }

    #[test]
    fn the_repository_keeps_no_credentials() {
        for (given, kept) in [
            ("https://x:token@git.example.com/a.git", "https://git.example.com/a.git"),
            ("https://token@git.example.com/a", "https://git.example.com/a"),
            ("git@git.example.com:a.git", "git@git.example.com:a.git"),
            ("ssh://git:word@git.example.com:22/a", "ssh://git@git.example.com:22/a"),
        ] {
            let argocd = read(&[("ARGOCD_APP_NAME", "a"), ("ARGOCD_APP_SOURCE_REPO_URL", given)]);
            assert_eq!(argocd.unwrap().unwrap().repository.as_deref(), Some(kept));
        }
    }
}
