//! `cert show`, and `cert` with files: shows sealing certificates and their validity.

use std::fmt::Write as _;
use std::path::Path;
use std::time::SystemTime;

use crate::cli::CertShowArgs;
use crate::commands::CommandOutput;
use crate::config::{self, ConfigError, OperatorFile, VariableReader};
use sealwave_core::diagnostic::{
    Explain, Failure, Problem, ProblemCollector, first_on_line, printable, truncate,
};
use sealwave_core::text::{closest_choice, counted};
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
        check_subcommand(file).map_err(|error| Problem::new(&error))?;
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

/// A word that is almost a subcommand, given as a file.
#[derive(Debug, thiserror::Error)]
#[error("`{word}` is neither a file nor a subcommand of `cert`")]
struct UnknownWord {
    word: String,
    meant: &'static str,
}

impl Explain for UnknownWord {
    fn hint(&self) -> Option<String> {
        Some(format!("did you mean `sealwave cert {}`?", self.meant))
    }
}

/// Refuses a misspelled subcommand, which would be read as a file.
fn check_subcommand(file: &Path) -> Result<(), UnknownWord> {
    const SUBCOMMANDS: [&str; 4] = ["check", "fetch", "list", "show"];

    let is_word = |text: &&str| !text.contains(['.', '/']) && file.symlink_metadata().is_err();
    let word = file.to_str().filter(is_word);
    let meant = word.and_then(|word| closest_choice(word, &SUBCOMMANDS));
    match (word, meant) {
        (Some(word), Some(meant)) => Err(UnknownWord { word: word.to_owned(), meant }),
        _ => Ok(()),
    }
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
