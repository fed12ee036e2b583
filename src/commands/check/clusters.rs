//! The certificates of the clusters: all of them, also if one cannot be used.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::findings::CheckResults;
use crate::config::OperatorFile;
use sealwave_core::diagnostic::{Explain, Severity};
use sealwave_core::text::{counted, quoted_list};
use sealwave_secrets::crypto::Certificate;
use sealwave_secrets::settings::SettingPath;

/// A finding about several clusters.
#[derive(Debug, thiserror::Error)]
enum ClusterFinding {
    #[error("no cluster is configured, so nothing can be sealed")]
    None,
    #[error("clusters {clusters} have the same sealing key")]
    SameKey { clusters: String },
}

impl Explain for ClusterFinding {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::None => {
                "add each destination under `clusters` with the certificate of its sealed-secrets controller"
            }
            Self::SameKey { .. } => {
                "if the controllers do not share a key, one certificate is in the wrong place: compare with `kubeseal --fetch-cert`"
            }
        };
        Some(hint.to_owned())
    }
}

pub(super) fn check(file: &OperatorFile, now: SystemTime) -> CheckResults {
    let mut results = CheckResults::default();
    let mut clusters_by_key: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (cluster, _, certificate) in file.certificates() {
        match certificate {
            Err(failure) => results.fail(&failure),
            Ok(certificate) => {
                let key = certificate.details().public_key_sha256.clone();
                clusters_by_key.entry(key).or_default().push(cluster);
                validity(&mut results, file, cluster, &certificate, now);
            }
        }
    }
    if file.operator().clusters.is_empty() {
        let setting = SettingPath::of_keys(&["clusters"]);
        results.find(file, &setting, Severity::Note, &ClusterFinding::None);
    }
    for clusters in clusters_by_key.into_values() {
        if let [_, .., last] = &clusters[..] {
            let finding = ClusterFinding::SameKey { clusters: quoted_list(&clusters) };
            results.find(file, &certificate_setting(last), Severity::Warning, &finding);
        }
    }
    results
}

pub(super) fn certificate_setting(cluster: &str) -> SettingPath {
    SettingPath::of_keys(&["clusters", cluster, "certificate", "file"])
}

fn validity(
    results: &mut CheckResults,
    file: &OperatorFile,
    cluster: &str,
    certificate: &Certificate,
    now: SystemTime,
) {
    let mut notes = Vec::new();
    if let Err(failure) = file.check_validity(cluster, certificate, now, &mut notes) {
        results.fail(&failure);
        return;
    }
    let details = certificate.details();
    let validity = certificate.days_left(now).map_or_else(
        || format!("expired at {}", details.not_after),
        |days| format!("valid for {}, until {}", counted(days, "day"), details.not_after),
    );
    results.healthy(format!(
        "cluster `{cluster}`: RSA, {} bits, {validity}, public key SHA-256 {}",
        details.key_bits, details.public_key_sha256
    ));
    for note in notes {
        results.note(file, &certificate_setting(cluster), note);
    }
}
