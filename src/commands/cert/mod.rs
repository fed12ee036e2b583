//! `cert`: shows, fetches and compares sealing certificates, and lists the keys of a controller.

mod check;
mod fetch;
mod list;
mod show;

use std::time::{Duration, SystemTime};

use serde_json::{Value as Json, json};

use super::operation::refuse_in_sidecar;
use super::{CommandOutput, cluster_access};
use crate::cli::{CertArgs, CertCommand, ControllerArgs, LiveCertificateArgs};
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::Failure;
use sealwave_operations::certificates::CertificateSource;
use sealwave_operations::controller::ControllerNames;
use sealwave_secrets::crypto::Certificate;

/// The deadline of commands that access a cluster.
const DEADLINE: Duration = Duration::from_mins(2);

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

pub(super) fn run(
    args: CertArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let command = match &args.command {
        None | Some(CertCommand::Show(_)) => {
            let show = if let Some(CertCommand::Show(show)) = args.command { show } else { args.show };
            return show::run(&show, variables);
        }
        Some(CertCommand::Check(_)) => "cert check",
        Some(CertCommand::Fetch(_)) => "cert fetch",
        Some(CertCommand::List(_)) => "cert list",
    };
    refuse_in_sidecar(command, variables)?;
    watch.set_time_limit(DEADLINE);
    match args.command {
        Some(CertCommand::Check(args)) => check::run(&args, variables, watch),
        Some(CertCommand::Fetch(args)) => fetch::run(&args, variables, watch),
        Some(CertCommand::List(args)) => list::run(&args, variables, watch),
        None | Some(CertCommand::Show(_)) => Ok(CommandOutput::default()),
    }
}

/// Returns where the certificate in use is fetched from.
fn live_source(args: &LiveCertificateArgs, variables: VariableReader) -> CertificateSource {
    match &args.cert {
        Some(cert) => CertificateSource::parse(cert),
        None => CertificateSource::Controller(
            cluster_access(&args.cluster, variables),
            controller_names(&args.controller),
        ),
    }
}

pub(super) fn controller_names(args: &ControllerArgs) -> ControllerNames {
    ControllerNames { name: args.controller_name.clone(), namespace: args.controller_namespace.clone() }
}

/// Returns the details of a certificate as JSON.
fn certificate_json(certificate: &Certificate, now: SystemTime) -> Json {
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
fn age_days(certificate: &Certificate, now: SystemTime) -> Option<u64> {
    now.duration_since(certificate.not_before()).ok().map(|age| age.as_secs() / SECONDS_PER_DAY)
}

/// Returns a JSON document with a line break at the end.
fn document(json: &Json) -> Vec<u8> {
    format!("{json:#}\n").into_bytes()
}
