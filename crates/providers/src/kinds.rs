//! The kinds of providers: one line each.
//!
//! A kind is a directory of this crate with its settings, the facts that the policy needs, its documentation (`README.md`)
//! and, behind its Cargo feature, the code that fetches. This table connects it with the operator file.

use std::path::Path;

#[cfg(feature = "vault")]
use crate::ProviderConfigError;
use crate::program::LoginProgram;
use crate::{
    CreateProvider, LocalContext, OfflineProblem, Provider, ProviderContext, ProviderSettings, SettingsError,
    aws, derive, env, file, k8s, sops, vault,
};
use sealwave_secrets::policy::PathSpellings;

/// A kind of provider, as the table lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderKind {
    /// The value of `kind` in the operator file.
    pub name: &'static str,
    /// The Cargo feature that builds it; `None` if it is in every build.
    pub feature: Option<&'static str>,
}

/// Defines the settings of a provider in the operator file from a table of kinds.
///
/// A line is `"KIND" VARIANT(SETTINGS) if "FEATURE",`, without `if` for a kind of every build.
macro_rules! provider_kinds {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $Config:ident {
            $($(#[$doc:meta])* $name:literal $Variant:ident($Settings:ty) $(if $feature:literal)?,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(tag = "kind")]
        $visibility enum $Config {
            $($(#[$doc])* #[serde(rename = $name)] $Variant($Settings),)+
        }

        impl $Config {
            /// All kinds, ordered by name.
            $visibility const KINDS: &[ProviderKind] = &[
                $(ProviderKind { name: $name, feature: [$(Some($feature),)? None][0] },)+
            ];

            /// Creates the provider with this name in placeholders.
            ///
            /// # Errors
            /// Returns the first setting that is not valid.
            pub(crate) fn create(
                &self,
                name: &str,
                context: &ProviderContext<'_>,
            ) -> Result<Box<dyn Provider>, SettingsError> {
                match self {
                    $(Self::$Variant(settings) => {
                        #[cfg(all($(feature = $feature)?))]
                        let created = CreateProvider::create(settings, name, context);
                        #[cfg(not(all($(feature = $feature)?)))]
                        let created = {
                            let _ = (settings, name, context);
                            let what = concat!("`", $name, "` provider");
                            Ok($crate::not_built::NotBuilt { what, feature: concat!($($feature)?) }.boxed())
                        };
                        created
                    })+
                }
            }

            fn settings(&self) -> &dyn ProviderSettings {
                match self {
                    $(Self::$Variant(settings) => settings,)+
                }
            }

            /// Returns the credential files that the settings name, which no provider may hand out.
            #[must_use]
            $visibility fn credential_files(&self) -> Vec<&Path> {
                self.settings().credential_files()
            }

            /// Returns the problems that only show when the provider is used.
            pub(crate) fn offline_problems(&self, context: &LocalContext<'_>) -> Vec<OfflineProblem> {
                self.settings().offline_problems(context)
            }

            /// Returns the programs that a login may start.
            pub(crate) fn login_programs(&self, context: &LocalContext<'_>) -> Vec<LoginProgram> {
                self.settings().login_programs(context)
            }

            /// Returns the problem that the kind is not part of this build, if so.
            pub(crate) fn not_built(&self) -> Option<OfflineProblem> {
                match self {
                    $(Self::$Variant(_) => {
                        let is_built = cfg!(all($(feature = $feature)?));
                        let feature = concat!($($feature)?);
                        (!is_built).then_some(OfflineProblem::NotBuilt { kind: $name, feature })
                    })+
                }
            }

            /// Returns the value of `kind`.
            #[must_use]
            $visibility const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$Variant(_) => $name,)+
                }
            }
        }

        impl PathSpellings for $Config {
            fn other_spellings(&self, path: &str) -> Vec<String> {
                self.settings().other_spellings(path)
            }
        }
    };
}

provider_kinds! {
    /// A secret source in the operator file.
    pub enum ProviderConfig {
        /// AWS Secrets Manager.
        "aws-sm" AwsSm(aws::SecretsManagerSettings) if "aws",
        /// AWS Systems Manager Parameter Store.
        "aws-ssm" AwsSsm(aws::ParameterStoreSettings) if "aws",
        /// Secrets derived from a key of the operator.
        "derive" Derive(derive::DeriveSettings),
        /// Environment variables of the sidecar.
        "env" Env(env::EnvSettings),
        /// Files under one directory.
        "file" File(file::FileSettings),
        /// Secrets of a Kubernetes cluster.
        "k8s" K8s(k8s::K8sSettings) if "k8s",
        /// Files of the app's repository, encrypted with SOPS.
        "sops" Sops(sops::SopsSettings) if "sops",
        /// A Vault or OpenBao server.
        "vault" Vault(vault::VaultSettings) if "vault",
    }
}

#[cfg(feature = "aws")]
impl ProviderConfig {
    /// Returns the login to the AWS account of the provider; `None` if it is of another kind.
    #[must_use]
    pub fn aws_login(&self, operator_dir: &Path) -> Option<aws::account::AwsLogin> {
        let settings = match self {
            Self::AwsSm(settings) => &settings.0,
            Self::AwsSsm(settings) => &settings.0,
            _ => return None,
        };
        Some(aws::account::AwsLogin::of_settings(settings.with_absolute_paths(operator_dir)))
    }
}

#[cfg(feature = "vault")]
impl ProviderConfig {
    /// Opens the Vault server of the provider, without contacting it; `None` if it is of another kind. `name` is its name in
    /// placeholders.
    ///
    /// # Errors
    /// A setting is not valid.
    #[must_use]
    pub fn vault_store(
        &self,
        name: &str,
        operator_dir: &Path,
    ) -> Option<Result<vault::store::VaultStore, ProviderConfigError>> {
        let Self::Vault(settings) = self else { return None };
        let store = vault::store::VaultStore::new(settings, name, operator_dir);
        Some(store.map_err(|error| ProviderConfigError::in_settings(name, error)))
    }
}

#[cfg(test)]
mod tests;
