//! `cert show`, and `cert` with files: shows sealing certificates and their validity.

use std::fmt::Write as _;
use std::path::Path;
use std::time::SystemTime;

use crate::cli::CertShowArgs;
use crate::commands::CommandOutput;
use crate::config::{self, ConfigError, OperatorFile, VariableReader};
use sealwave_core::diagnostic::{Failure, Problem, ProblemCollector, first_on_line, printable, truncate};
use sealwave_core::text::counted;
use sealwave_secrets::crypto::{Certificate, CertificateValidity};

pub(super) fn run(args: &CertShowArgs, variables: VariableReader) -> Result<CommandOutput, Failure> {
    let mut shown = String::new();
    let mut problems = ProblemCollector::default();
    let now = config::now(variables)?;
    let mut add = |title: &str, certificate: Result<Certificate, Failure>| match certificate {
        Ok(certificate) => show(&mut shown, title, &certificate, now),
        Err(failure) => problems.absorb(failure),
    };
    for file in &args.files {
        add(&file.display().to_string(), config::read_certificate(Path::new(file)));
    }
    if args.files.is_empty() {
        let path = config::operator_path(args.operator.clone(), variables);
        let path = path.ok_or_else(|| Problem::new(&ConfigError::NoCertificate))?;
        let operator = OperatorFile::read(&path)?;
        for (cluster, file, certificate) in operator.certificates() {
            add(&format!("{cluster} ({})", file.display()), certificate);
        }
    }
    Ok(CommandOutput { failure: problems.check().err(), ..CommandOutput::text(shown) })
}

pub(super) fn show(out: &mut String, title: &str, certificate: &Certificate, now: SystemTime) {
    let details = certificate.details();
    let or_empty = |text: &str| if text.is_empty() { "(empty)".to_owned() } else { text.to_owned() };
    let rows = [
        ("subject", or_empty(&details.subject)),
        ("issuer", or_empty(&details.issuer)),
        ("serial", details.serial.clone()),
        ("key", format!("RSA, {} bits", details.key_bits)),
        ("not before", details.not_before.clone()),
        ("not after", details.not_after.clone()),
        ("validity", validity(certificate, now)),
        ("certificate SHA-256", details.certificate_sha256.clone()),
        ("public key SHA-256", details.public_key_sha256.clone()),
    ];
    let separator = if out.is_empty() { "" } else { "\n" };
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{separator}{}", truncate(first_on_line(title)));
    for (name, value) in rows {
        let _ = writeln!(out, "  {name:<20}{}", truncate(printable(value)));
    }
}

fn validity(certificate: &Certificate, now: SystemTime) -> String {
    match certificate.validity(now) {
        CertificateValidity::Expired => "expired".to_owned(),
        CertificateValidity::ExpiresSoon(days) => format!("valid; expires in {}", counted(days, "day")),
        CertificateValidity::NotYetValid => "not valid yet".to_owned(),
        CertificateValidity::Valid => "valid".to_owned(),
    }
}
