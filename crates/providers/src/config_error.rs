//! Errors in a provider's settings, found before any request is sent.

use std::fmt;
use std::sync::Arc;

use sealwave_core::diagnostic::Explain;
use sealwave_secrets::placeholder::{DEFAULT_PROVIDER, provider_name};

/// An error in a provider's section of the operator file.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProviderConfigError {
    /// The name cannot be used in a placeholder.
    #[error("provider name `{name}` is not valid")]
    BadName {
        /// The name.
        name: String,
    },
    /// The name that stands for the app's default provider.
    #[error("provider name `{DEFAULT_PROVIDER}` is reserved")]
    ReservedName,
    /// A setting of the provider is not valid.
    #[error("provider `{provider}`: {error}")]
    Settings {
        /// The provider's name.
        provider: String,
        /// The provider's own error.
        error: SettingsError,
    },
}

impl ProviderConfigError {
    /// Checks that placeholders can use a provider name.
    ///
    /// # Errors
    /// The name is reserved or not valid.
    pub(crate) fn check_name(name: &str) -> Result<(), Self> {
        if name == DEFAULT_PROVIDER {
            Err(Self::ReservedName)
        } else if provider_name(&format!("{name}:")) != Some(name) {
            Err(Self::BadName { name: name.to_owned() })
        } else {
            Ok(())
        }
    }

    /// Returns the error for settings of a provider.
    pub(crate) fn in_settings(name: &str, error: SettingsError) -> Self {
        Self::Settings { provider: name.to_owned(), error }
    }
}

impl Explain for ProviderConfigError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::BadName { .. } => Some("use a-z, 0-9 and `-`, starting with a letter".to_owned()),
            Self::ReservedName => {
                Some("`<path:…>` means the provider that the app file names; choose another name".to_owned())
            }
            Self::Settings { error, .. } => error.0.hint(),
        }
    }
}

/// An error in the settings of one provider. Each kind of provider has a type of its own for them.
#[derive(Clone, Debug)]
pub struct SettingsError(Arc<dyn Explain + Send + Sync>);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: Explain + Send + Sync + 'static> From<E> for SettingsError {
    fn from(error: E) -> Self {
        Self(Arc::new(error))
    }
}

/// A malformed glob in settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a valid glob")]
pub(crate) struct BadGlob {
    /// The glob.
    pub(crate) pattern: String,
}

impl Explain for BadGlob {
    fn hint(&self) -> Option<String> {
        Some("`*` matches any characters, `{A,B}` is a choice".to_owned())
    }
}

/// A malformed setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` must be {wanted}")]
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "only AWS settings have such errors"))]
pub(crate) struct BadSetting {
    /// The setting.
    pub(crate) field: &'static str,
    /// The expected form.
    pub(crate) wanted: &'static str,
}

impl Explain for BadSetting {
    fn hint(&self) -> Option<String> {
        Some("correct it in the operator file".to_owned())
    }
}
