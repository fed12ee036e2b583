//! The operator file and its settings.

use std::path::{Path, PathBuf};

use super::bounded::read_bounded;
use super::error::OperatorFileError;
use crate::config::{OperatorPath, VariableReader};
use sealwave_core::diagnostic::{Explain, Failure, Problem, ProblemPlace};
use sealwave_core::reach::directory_of;
use sealwave_core::yaml::Limits;
use sealwave_kube::schema::KubeVersion;
use sealwave_providers::{AppDetails, ProtectedFiles, ProviderConfig, ProviderRegistry};
use sealwave_secrets::policy::Policy;
use sealwave_secrets::settings::{
    API_VERSION, OperatorConfig, OperatorTools, SettingPath, SettingsFile, ToolSettings,
};

/// A parsed operator file.
#[derive(Debug)]
pub struct OperatorFile {
    operator: OperatorConfig<ProviderConfig>,
    file: SettingsFile<'static>,
    path: PathBuf,
    directory: PathBuf,
}

impl OperatorFile {
    /// Reads an operator file.
    ///
    /// # Errors
    /// The file cannot be read, or is not an operator file.
    pub fn read(path: &OperatorPath) -> Result<Self, Failure> {
        let OperatorPath { path, named_by } = path;
        let shown = path.display().to_string();
        let bytes = read_bounded(path, *named_by).map_err(|error| Problem::new(&error))?;
        let file = SettingsFile::new(&shown, bytes.expose().to_vec(), Limits::default());
        let operator: OperatorConfig<ProviderConfig> =
            file.read().map_err(|failure| foreign_file(&file, &shown).unwrap_or(failure))?;
        let read = Self { operator, file, path: path.clone(), directory: directory_of(path).to_path_buf() };
        read.check_header(shown)?;
        read.check_versions()?;
        Ok(read)
    }

    /// Returns the content.
    #[must_use]
    pub const fn operator(&self) -> &OperatorConfig<ProviderConfig> {
        &self.operator
    }

    /// Returns the programs that it names. Paths are relative to the operator file.
    #[must_use]
    pub fn tools(&self) -> OperatorTools {
        let resolved = |settings: &Option<ToolSettings>| {
            settings.clone().map(|settings| ToolSettings {
                path: settings.path.map(|path| self.directory.join(path)),
                ..settings
            })
        };
        let OperatorTools { helm, kubectl, kustomize, kustomize_helm_charts } = &self.operator.tools;
        OperatorTools {
            helm: resolved(helm),
            kubectl: resolved(kubectl),
            kustomize: resolved(kustomize),
            kustomize_helm_charts: *kustomize_helm_charts,
        }
    }

    /// Returns the place of a setting.
    #[must_use]
    pub fn locate(&self, setting: &SettingPath) -> ProblemPlace {
        ProblemPlace::Place(self.file.locate(setting))
    }

    /// Returns the policy.
    ///
    /// # Errors
    /// Returns all problems of the rules, with their places.
    pub fn policy(&self) -> Result<Policy, Failure> {
        Policy::from_operator_file(&self.operator, &|setting| self.locate(setting))
    }

    /// Returns the providers for an app.
    ///
    /// # Errors
    /// Returns all settings that are not valid, with their places.
    pub fn providers(
        &self,
        app: &AppDetails,
        variables: VariableReader,
    ) -> Result<ProviderRegistry, Failure> {
        let (providers, protected) = (&self.operator.providers, self.protected_files());
        ProviderRegistry::from_operator_file(
            providers,
            &self.directory,
            &protected,
            app,
            variables,
            &|setting| self.locate(setting),
        )
    }

    /// Returns the directory that its paths are relative to.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the files that providers must never read, regardless of their root: this file, the keys and credentials
    /// that it names, and the audit log.
    #[must_use]
    pub fn protected_files(&self) -> ProtectedFiles {
        let resolved = |file: &PathBuf| self.resolve(file);
        let audit = self.operator.audit.as_ref().and_then(|audit| audit.file.as_deref());
        let credentials = self.operator.providers.values().flat_map(ProviderConfig::credential_files);
        let named = audit.into_iter().chain(credentials).map(|file| self.resolve(file));
        ProtectedFiles {
            seal_key: self.operator.seal_key_file.as_ref().map(resolved),
            checksum_key: self.operator.checksum_key_file.as_ref().map(resolved),
            others: std::iter::once(self.path.clone()).chain(named).collect(),
        }
    }

    /// Returns where to record each use of a secret: the audit file, and whether to write to standard error.
    #[must_use]
    pub fn audit(&self) -> Option<(Option<PathBuf>, bool)> {
        let audit = self.operator.audit.as_ref()?;
        Some((audit.file.as_ref().map(|file| self.resolve(file)), audit.stderr))
    }

    /// Returns the Kubernetes version of a cluster, or the nearest one with known schemas.
    #[must_use]
    pub fn kube_version(&self, cluster: &str) -> Option<KubeVersion> {
        // Validated when the file was read.
        KubeVersion::parse_nearest(self.operator.clusters.get(cluster)?.kube_version.as_deref()?).ok()
    }

    /// Returns the path of a file that the operator file names.
    pub(super) fn resolve(&self, file: &Path) -> PathBuf {
        if self.directory == Path::new(".") { file.to_owned() } else { self.directory.join(file) }
    }

    fn check_header(&self, path: String) -> Result<(), Failure> {
        let OperatorConfig { api_version, kind, .. } = &self.operator;
        let (key, error) = if api_version != API_VERSION {
            ("apiVersion", OperatorFileError::ApiVersion { path, found: api_version.clone() })
        } else if kind != "Operator" {
            ("kind", OperatorFileError::Kind { path, found: kind.clone() })
        } else {
            return Ok(());
        };
        Err(self.failure(&error, &SettingPath::of_keys(&[key])))
    }

    /// Checks that the `kubeVersion` of each cluster is a version of Kubernetes.
    fn check_versions(&self) -> Result<(), Failure> {
        for (name, cluster) in &self.operator.clusters {
            let Some(text) = &cluster.kube_version else { continue };
            if let Err(error) = KubeVersion::parse_nearest(text) {
                let (reason, hint) = (error.to_string(), error.hint());
                let error = OperatorFileError::KubeVersion { cluster: name.clone(), reason, hint };
                return Err(self.failure(&error, &SettingPath::of_keys(&["clusters", name, "kubeVersion"])));
            }
        }
        Ok(())
    }

    pub(super) fn failure(&self, error: &OperatorFileError, setting: &SettingPath) -> Failure {
        Problem { at: self.locate(setting), ..Problem::new(error) }.into()
    }
}

/// Returns the error for a file of another kind, whose unknown fields would hide it.
fn foreign_file(file: &SettingsFile<'_>, path: &str) -> Option<Failure> {
    let [root] = file.documents().ok()? else { return None };
    let kind = root.get("kind")?;
    let found = kind.as_str().filter(|found| *found != "Operator")?.to_owned();
    let at = ProblemPlace::Place(file.location(kind.origin));
    Some(Problem { at, ..Problem::new(&OperatorFileError::Kind { path: path.to_owned(), found }) }.into())
}
