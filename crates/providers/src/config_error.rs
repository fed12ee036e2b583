//! What is wrong with a provider's settings, found before anything is asked.

use std::path::PathBuf;

use sealwave_core::diagnostic::Explain;
use sealwave_secrets::placeholder::DEFAULT_PROVIDER;

/// What is wrong with a provider's settings in the operator file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderConfigError {
    /// Its name cannot be written in a placeholder.
    #[error("provider name `{0}` is not valid")]
    BadName(String),
    /// A glob is not well formed.
    #[error("provider `{provider}`: `{pattern}` is not a valid glob")]
    BadPattern {
        /// The provider's name.
        provider: String,
        /// The glob.
        pattern: String,
    },
    /// A setting is not of the form that it must have.
    #[error("provider `{provider}`: `{field}` is not {wanted}")]
    BadSetting {
        /// The provider's name.
        provider: String,
        /// The setting.
        field: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
    /// A glob for environment variables matches everything.
    #[error("provider `{provider}`: `{pattern}` in `names` would let apps read the whole environment")]
    CatchAll {
        /// The provider's name.
        provider: String,
        /// The glob.
        pattern: String,
    },
    /// It has nothing to decrypt with.
    #[error("provider `{provider}` has no key")]
    NoKeys {
        /// The provider's name.
        provider: String,
    },
    /// A setting must not be as it is.
    #[error("provider `{provider}`: {reason}")]
    Refused {
        /// The provider's name.
        provider: String,
        /// Which setting, and what is wrong with it.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// The name means the app's default provider.
    #[error("provider name `{DEFAULT_PROVIDER}` is taken")]
    ReservedName,
    /// The root holds what apps must not read.
    #[error("provider `{provider}`: root `{}` {why}", root.display())]
    RootTooWide {
        /// The provider's name.
        provider: String,
        /// The root.
        root: PathBuf,
        /// What it holds.
        why: &'static str,
    },
}

impl Explain for ProviderConfigError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Refused { hint, .. } => hint,
                Self::BadName(_) => "a provider's name starts with a-z and holds a-z, 0-9 and `-` only",
                Self::BadPattern { .. } => "`*` matches any characters, `{A,B}` is a choice",
                Self::BadSetting { .. } => "correct it in the operator file",
                Self::CatchAll { .. } => "name the variables that are meant for apps, for example `SHOP_*`",
                Self::NoKeys { .. } => "give it `ageKeyFiles` or `awsKms`",
                Self::ReservedName => {
                    "`<path:…>` means the provider that the app file names; choose another name"
                }
                Self::RootTooWide { .. } => {
                    "give apps' secrets a directory of their own, beside the operator file"
                }
            }
            .to_owned(),
        )
    }
}
