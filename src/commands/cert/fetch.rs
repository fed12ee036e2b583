//! `cert fetch`: prints the certificate in use, or pins it to a file.

use std::fmt::Write as _;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value as Json, json};

use super::common::{certificate_json, document, live_source};
use super::show::show;
use crate::cli::{CertFetchArgs, ReportFormat};
use crate::commands::CommandOutput;
use crate::config::{self, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Failure, Note, Problem, printable};
use sealwave_core::output_path::check_output_path;
use sealwave_operations::certificates::{UnprotectedFetch, read_pinned};
use sealwave_secrets::crypto::Certificate;
use sealwave_validate::report::write_report;

/// The file before it was written.
enum ReplacedFile {
    /// It did not exist.
    Nothing,
    /// It had the same certificate.
    Same,
    /// It had a certificate of the same key.
    SameKey(Box<Certificate>),
    /// It had a certificate of another key.
    OtherKey(Box<Certificate>),
}

pub(super) fn run(
    args: &CertFetchArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let now = config::now(variables)?;
    if let Some(path) = &args.write {
        check_output_path(path).map_err(|error| Problem::new(&error))?;
    }
    let fetched = live_source(&args.live, variables).fetch(watch.deadline());
    let fetched = fetched.map_err(|error| Problem::new(&error))?;
    let mut notes = Vec::new();
    if fetched.is_unprotected {
        notes.push(Note::warning(Problem::new(&UnprotectedFetch)));
    }
    // An expired certificate is still the one that the controller publishes.
    fetched.certificate.check_validity(now, true, &mut notes).map_err(|error| Problem::new(&error))?;
    let pem = fetched.certificate.to_pem();
    let Some(path) = &args.write else {
        return Ok(CommandOutput { notes, ..CommandOutput::text(pem) });
    };
    let replaced = replaced(path, &fetched.certificate)?;
    if !matches!(replaced, ReplacedFile::Same) {
        write_report(path, pem.as_bytes()).map_err(|error| Problem::new(&error))?;
    }
    let stdout = match args.output {
        ReportFormat::Human => human(path, &fetched.origin, &fetched.certificate, &replaced, now),
        ReportFormat::Json => {
            let replaced = match &replaced {
                ReplacedFile::Nothing | ReplacedFile::Same => Json::Null,
                ReplacedFile::OtherKey(old) | ReplacedFile::SameKey(old) => certificate_json(old, now),
            };
            document(&json!({
                "file": path.display().to_string(),
                "origin": fetched.origin,
                "certificate": certificate_json(&fetched.certificate, now),
                "replaced": replaced,
            }))
        }
    };
    Ok(CommandOutput { notes, ..CommandOutput::text(stdout) })
}

/// Reads the certificate that is replaced. A file that holds something else is never overwritten.
fn replaced(path: &Path, new: &Certificate) -> Result<ReplacedFile, Failure> {
    let Some(old) = read_pinned(path).map_err(|error| Problem::new(&error))? else {
        return Ok(ReplacedFile::Nothing);
    };
    Ok(if old.details().certificate_sha256 == new.details().certificate_sha256 {
        ReplacedFile::Same
    } else if old.public_key_sha256() == new.public_key_sha256() {
        ReplacedFile::SameKey(Box::new(old))
    } else {
        ReplacedFile::OtherKey(Box::new(old))
    })
}

fn human(
    path: &Path,
    origin: &str,
    certificate: &Certificate,
    replaced: &ReplacedFile,
    now: SystemTime,
) -> Vec<u8> {
    let mut out = String::new();
    let path = printable(path.display());
    show(&mut out, &format!("{path} (from {origin})"), certificate, now);
    let replaced = match replaced {
        ReplacedFile::Nothing => "nothing".to_owned(),
        ReplacedFile::Same => "nothing; the file already has this certificate".to_owned(),
        ReplacedFile::SameKey(old) => {
            format!("certificate {} of the same key", old.details().certificate_sha256)
        }
        ReplacedFile::OtherKey(old) => {
            format!("key {}; new items are sealed for the new key", old.details().public_key_sha256)
        }
    };
    // Writing to a string cannot fail.
    let _ = writeln!(out, "  {:<20}{replaced}", "replaces");
    out.into_bytes()
}
