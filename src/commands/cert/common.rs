//! Parts that the subcommands of `cert` share.

use std::time::SystemTime;

use serde_json::{Value as Json, json};

use crate::cli::{ControllerArgs, LiveCertificateArgs};
use crate::commands::cluster_access;
use crate::config::VariableReader;
use sealwave_operations::certificates::CertificateSource;
use sealwave_operations::controller::ControllerNames;
use sealwave_secrets::crypto::Certificate;

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// Returns where the certificate in use is fetched from.
pub(super) fn live_source(args: &LiveCertificateArgs, variables: VariableReader) -> CertificateSource {
    match &args.cert {
        Some(cert) => CertificateSource::parse(cert),
        None => CertificateSource::Controller(
            cluster_access(&args.cluster, variables),
            controller_names(&args.controller),
        ),
    }
}

pub(in crate::commands) fn controller_names(args: &ControllerArgs) -> ControllerNames {
    ControllerNames { name: args.controller_name.clone(), namespace: args.controller_namespace.clone() }
}

/// Returns the details of a certificate as JSON.
pub(super) fn certificate_json(certificate: &Certificate, now: SystemTime) -> Json {
    let details = certificate.details();
    json!({
        "publicKeySha256": details.public_key_sha256,
        "certificateSha256": details.certificate_sha256,
        "notBefore": details.not_before,
        "notAfter": details.not_after,
        "ageDays": age_days(certificate, now),
        "daysLeft": certificate.days_left(now),
    })
}

/// Returns the whole days since the start of validity; `None` if it is in the future.
pub(super) fn age_days(certificate: &Certificate, now: SystemTime) -> Option<u64> {
    now.duration_since(certificate.not_before()).ok().map(|age| age.as_secs() / SECONDS_PER_DAY)
}

/// Returns a JSON document with a line break at the end.
pub(super) fn document(json: &Json) -> Vec<u8> {
    format!("{json:#}\n").into_bytes()
}
