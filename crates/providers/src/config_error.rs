//! Errors in a provider's settings, found before any request is sent.

use std::path::PathBuf;

use sealwave_core::diagnostic::Explain;
use sealwave_secrets::placeholder::DEFAULT_PROVIDER;

/// An error in a provider's settings in the operator file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderConfigError {
    /// The name cannot be used in a placeholder.
    #[error("provider name `{0}` is not valid")]
    BadName(String),
    /// A malformed glob.
    #[error("provider `{provider}`: `{pattern}` is not a valid glob")]
    BadPattern {
        /// The provider's name.
        provider: String,
        /// The glob.
        pattern: String,
    },
    /// A malformed setting.
    #[error("provider `{provider}`: `{field}` must be {wanted}")]
    BadSetting {
        /// The provider's name.
        provider: String,
        /// The setting.
        field: &'static str,
        /// The expected form.
        wanted: &'static str,
    },
    /// A glob for environment variables that matches everything.
    #[error("provider `{provider}`: `{pattern}` in `names` would let apps read the whole environment")]
    CatchAll {
        /// The provider's name.
        provider: String,
        /// The glob.
        pattern: String,
    },
    /// No decryption key is configured.
    #[error("provider `{provider}` has no key")]
    NoKeys {
        /// The provider's name.
        provider: String,
    },
    /// A setting that is not allowed.
    #[error("provider `{provider}`: {reason}")]
    Refused {
        /// The provider's name.
        provider: String,
        /// The setting and the problem.
        reason: String,
        /// How to fix it.
        hint: &'static str,
    },
    /// The name that stands for the app's default provider.
    #[error("provider name `{DEFAULT_PROVIDER}` is reserved")]
    ReservedName,
    /// The root contains files that apps must not read.
    #[error("provider `{provider}`: root `{}` {why}", root.display())]
    RootTooWide {
        /// The provider's name.
        provider: String,
        /// The root.
        root: PathBuf,
        /// The files that it contains.
        why: &'static str,
    },
}

impl Explain for ProviderConfigError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Refused { hint, .. } => hint,
                Self::BadName(_) => "use a-z, 0-9 and `-`, starting with a letter",
                Self::BadPattern { .. } => "`*` matches any characters, `{A,B}` is a choice",
                Self::BadSetting { .. } => "correct it in the operator file",
                Self::CatchAll { .. } => "name the variables that are meant for apps, for example `SHOP_*`",
                Self::NoKeys { .. } => "set `ageKeyFiles` or `awsKms`",
                Self::ReservedName => {
                    "`<path:…>` means the provider that the app file names; choose another name"
                }
                Self::RootTooWide { .. } => {
                    "put the secrets of apps into a directory of their own, next to the operator file"
                }
            }
            .to_owned(),
        )
    }
}
