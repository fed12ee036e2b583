//! The seal key, the checksum key, the permissions of derivation keys, and the derivation. Only the id of a key is shown.

use std::path::{Path, PathBuf};

use super::findings::CheckResults;
use crate::config::OperatorFile;
use sealwave_core::diagnostic::{Explain, Severity};
use sealwave_secrets::settings::{DerivationVersion, SettingPath};

/// A finding about keys.
#[derive(Debug, thiserror::Error)]
enum KeyFinding {
    #[error("`derivation` is `v1`: literal texts of sealed items can be guessed by others in the project")]
    DerivationV1,
    #[error("`checksumKeyFile` is not set, so a new seal key restarts every pod that reads a Secret")]
    NoChecksumKey,
    #[error("`sealKeyFile` is not set, so apps with sealed Secrets fail")]
    NoSealKey,
    #[error("`{}` can be {} by every user ({mode:04o})", .path.display(), if *.is_writable { "changed" } else { "read" })]
    Open { path: PathBuf, mode: u32, is_writable: bool },
    #[error("`checksumKeyFile` holds the seal key")]
    SameKey,
}

impl Explain for KeyFinding {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::DerivationV1 => {
                "set `derivation: v2` in a new installation; in an existing one, it re-seals literals and restarts their pods once"
            }
            Self::NoChecksumKey => {
                "create one with `sealwave key generate --checksum-output checksum-key`; to restart no pod now, use a copy of the seal key"
            }
            Self::NoSealKey => {
                "create keys with `sealwave key generate --output seal-key --checksum-output checksum-key`"
            }
            Self::Open { .. } => {
                "run `chmod 0400` on it; for a Secret in a pod, set `defaultMode: 0440` on the volume, with an `fsGroup`"
            }
            Self::SameKey => {
                "this keeps checksums after the seal key is replaced; in a new installation, create a separate checksum key"
            }
        };
        Some(hint.to_owned())
    }
}

pub(super) fn check(file: &OperatorFile) -> CheckResults {
    let mut results = CheckResults::default();
    let operator = file.operator();
    let seal = SettingPath::of_keys(&["sealKeyFile"]);
    let checksum = SettingPath::of_keys(&["checksumKeyFile"]);
    let key = match &operator.seal_key_file {
        None => {
            let severity = if operator.clusters.is_empty() { Severity::Note } else { Severity::Error };
            results.find(file, &seal, severity, &KeyFinding::NoSealKey);
            None
        }
        Some(path) => match file.seal_key() {
            Ok(key) => {
                results.healthy(format!("seal key `{}`: id {}", path.display(), key.id()));
                permissions(&mut results, file, &seal, path);
                Some(key)
            }
            Err(failure) => {
                results.fail(&failure);
                None
            }
        },
    };
    match (&operator.checksum_key_file, file.own_checksum_key()) {
        (_, Err(failure)) => results.fail(&failure),
        (Some(path), Ok(own)) => {
            results.healthy(format!("checksum key `{}`", path.display()));
            permissions(&mut results, file, &checksum, path);
            if let (Some(seal_key), Some(own)) = (&key, &own)
                && seal_key.checksum_key().is_same(own)
            {
                results.find(file, &checksum, Severity::Note, &KeyFinding::SameKey);
            }
        }
        (None, Ok(_)) if key.is_some() => {
            results.find(file, &seal, Severity::Warning, &KeyFinding::NoChecksumKey);
        }
        (None, Ok(_)) => {}
    }
    for (name, config) in operator.providers.iter().filter(|(_, config)| config.kind() == "derive") {
        let setting = SettingPath::of_keys(&["providers", name, "keyFile"]);
        for path in config.credential_files() {
            permissions(&mut results, file, &setting, path);
        }
    }
    match operator.derivation {
        DerivationVersion::V1 => {
            let derivation = SettingPath::of_keys(&["derivation"]);
            results.find(file, &derivation, Severity::Note, &KeyFinding::DerivationV1);
        }
        DerivationVersion::V2 => results.healthy("derivation v2"),
    }
    results
}

/// Finds a key file that other users of the machine can read or change.
#[cfg(unix)]
fn permissions(results: &mut CheckResults, file: &OperatorFile, setting: &SettingPath, path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    let Ok(metadata) = fs_err::metadata(file.directory().join(path)) else { return };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o006 != 0 {
        let finding = KeyFinding::Open { path: path.to_owned(), mode, is_writable: mode & 0o002 != 0 };
        results.find(file, setting, Severity::Warning, &finding);
    }
}

#[cfg(not(unix))]
fn permissions(_results: &mut CheckResults, _file: &OperatorFile, _setting: &SettingPath, _path: &Path) {}
