//! The table of backends, as the app file names them.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// The kind of object that a placeholder Secret becomes.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum BackendKind {
    /// An `ExternalSecret` for the External Secrets Operator.
    ExternalSecrets,
    /// A `SealedSecret` for the sealed-secrets controller.
    #[default]
    SealedSecrets,
    /// A `SecretProviderClass` for the Secrets Store CSI driver, which makes the Secret while a pod mounts it.
    SecretsStoreCsi,
}

/// A row of the table of backends.
struct BackendRow {
    /// The name in the app file.
    name: &'static str,
    /// Whether values are fetched for it.
    needs_values: bool,
}

impl BackendKind {
    /// All backends.
    pub const ALL: [Self; 3] = [Self::ExternalSecrets, Self::SealedSecrets, Self::SecretsStoreCsi];

    const fn row(self) -> BackendRow {
        match self {
            Self::ExternalSecrets => BackendRow { name: "external-secrets", needs_values: false },
            Self::SealedSecrets => BackendRow { name: "sealed-secrets", needs_values: true },
            Self::SecretsStoreCsi => BackendRow { name: "secrets-store-csi", needs_values: false },
        }
    }

    /// Reports whether the backend needs fetched values; the others store references.
    #[must_use]
    pub const fn needs_values(self) -> bool {
        self.row().needs_values
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_app_file_and_of_the_documentation() {
        let page = include_str!("../../../../../docs/backends/README.md");
        let setting = page.lines().find(|line| line.starts_with("backend:")).expect("an example");
        for kind in BackendKind::ALL {
            let read: BackendKind = yaml_serde::from_str(&kind.to_string()).expect("a backend");
            assert_eq!(read, kind);
            assert!(setting.contains(&kind.to_string()), "docs/backends/README.md lacks `{kind}`");
        }
    }
}
