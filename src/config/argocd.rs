//! What Argo CD says of the app when it calls the plugin.
//!
//! `ARGOCD_APP_*` come from Argo CD itself. Parameters come from whoever may edit the Application or commit
//! `.argocd-source.yaml`, so they choose an environment and nothing else. `PARAM_*` is ignored: its names collide.

use std::ffi::OsString;

use serde::Deserialize;

use super::ConfigError;
use crate::model::without_credentials;

type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Argo CD's word on the app.
#[derive(Clone, Debug)]
pub struct ArgoCd {
    /// `ARGOCD_APP_NAME`; `<namespace>_<name>` for apps outside Argo CD's own namespace.
    pub app: String,
    /// `ARGOCD_APP_PROJECT_NAME`; empty before Argo CD 3.0.
    pub project: String,
    /// `ARGOCD_APP_NAMESPACE`, the destination's.
    pub namespace: Option<String>,
    /// `ARGOCD_APP_REVISION`.
    pub revision: Option<String>,
    /// `ARGOCD_APP_SOURCE_REPO_URL` without credentials. `.argocd-source.yaml` cannot change it.
    pub repository: Option<String>,
    /// `ARGOCD_APP_SOURCE_PATH`.
    pub source_path: Option<String>,
    /// `ARGOCD_APP_PARAMETERS`.
    pub parameters: Vec<Parameter>,
}

/// One parameter of the Application's plugin section.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value, where it is a string.
    #[serde(default)]
    pub string: Option<String>,
}

impl ArgoCd {
    /// What Argo CD says; `None` where this was not started by Argo CD.
    ///
    /// # Errors
    /// A variable that is not text, or parameters that are not JSON.
    pub fn read(variables: Variables<'_>) -> Result<Option<Self>, ConfigError> {
        let Some(app) = text(variables, "ARGOCD_APP_NAME")? else { return Ok(None) };
        Ok(Some(Self {
            app,
            project: text(variables, "ARGOCD_APP_PROJECT_NAME")?.unwrap_or_default(),
            namespace: text(variables, "ARGOCD_APP_NAMESPACE")?,
            revision: text(variables, "ARGOCD_APP_REVISION")?,
            repository: text(variables, "ARGOCD_APP_SOURCE_REPO_URL")?.map(|url| without_credentials(&url)),
            source_path: text(variables, "ARGOCD_APP_SOURCE_PATH")?,
            parameters: parameters(text(variables, "ARGOCD_APP_PARAMETERS")?.as_deref())?,
        }))
    }

    /// The environment that the parameter `env` names.
    ///
    /// # Errors
    /// A parameter of another name, or one that is no string.
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

fn text(variables: Variables<'_>, name: &str) -> Result<Option<String>, ConfigError> {
    match variables(name) {
        None => Ok(None),
        Some(value) if value.is_empty() => Ok(None),
        Some(value) => value.into_string().map(Some).map_err(|_| ConfigError::NotUnicode(name.to_owned())),
    }
}

fn parameters(json: Option<&str>) -> Result<Vec<Parameter>, ConfigError> {
    let Some(json) = json else { return Ok(Vec::new()) };
    serde_json::from_str::<Option<Vec<Parameter>>>(json)
        .map(Option::unwrap_or_default)
        .map_err(|_| ConfigError::Parameters)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<ArgoCd>, ConfigError> {
        ArgoCd::read(&|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn without_an_app_name_it_is_not_argo_cd() {
        assert!(read(&[("ARGOCD_APP_PROJECT_NAME", "shop")]).unwrap().is_none());
    }

    #[test]
    fn parameters_of_every_form_that_argo_cd_writes() {
        let with = |json| {
            let argocd = read(&[("ARGOCD_APP_NAME", "a"), ("ARGOCD_APP_PARAMETERS", json)])?.unwrap();
            argocd.environment().map(|env| env.map(str::to_owned))
        };
        assert_eq!(with(r#"[{"name":"env","string":"prod"}]"#).unwrap().as_deref(), Some("prod"));
        assert_eq!(with("null").unwrap(), None);
        assert_eq!(with("[]").unwrap(), None);
        assert!(matches!(with(r#"[{"array":["x"],"name":"env"}]"#), Err(ConfigError::ParameterType(_))));
        assert!(matches!(
            with(r#"[{"name":"values","map":{"a":"b"}}]"#),
            Err(ConfigError::ParameterUnknown(_))
        ));
        assert!(matches!(with("{"), Err(ConfigError::Parameters)));
    }

    #[test]
    fn an_empty_destination_namespace_is_none() {
        let argocd = read(&[("ARGOCD_APP_NAME", "a"), ("ARGOCD_APP_NAMESPACE", "")]).unwrap().unwrap();
        assert_eq!(argocd.namespace, None);
        assert_eq!(argocd.project, "");
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
