//! `cert check`: compares a pinned certificate with the one in use.

use std::fmt::Write as _;

use serde_json::json;

use super::common::{certificate_json, document, live_source};
use super::show::show;
use crate::cli::{CertCheckArgs, ReportFormat};
use crate::commands::CommandOutput;
use crate::config::{self, ConfigError, OperatorFile, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain as _, Failure, Note, Problem, printable};
use sealwave_operations::certificates::{PinFinding, UnprotectedFetch, compare};
use sealwave_secrets::crypto::Certificate;

pub(super) fn run(
    args: &CertCheckArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let now = config::now(variables)?;
    let (title, pinned) = pinned(args, variables)?;
    let live = live_source(&args.live, variables).fetch(watch.deadline());
    let live = live.map_err(|error| Problem::new(&error))?;
    let findings = compare(&pinned, &live.certificate, now);
    let has_problems = findings.iter().any(PinFinding::is_problem);
    let stdout = match args.output {
        ReportFormat::Human => {
            let mut out = String::new();
            show(&mut out, &format!("pinned: {title}"), &pinned, now);
            show(&mut out, &format!("live: {}", live.origin), &live.certificate, now);
            out.push('\n');
            for finding in &findings {
                // Writing to a string cannot fail.
                let _ = writeln!(out, "{}: {finding}", if finding.is_problem() { "problem" } else { "note" });
                if let Some(hint) = finding.hint() {
                    let _ = writeln!(out, "  {hint}");
                }
            }
            if !has_problems {
                out.push_str("the pinned certificate is for the key that the controller seals with\n");
            }
            out.into_bytes()
        }
        ReportFormat::Json => document(&json!({
            "pinned": certificate_json(&pinned, now),
            "live": certificate_json(&live.certificate, now),
            "findings": findings.iter().map(|finding| json!({
                "message": finding.to_string(), "hint": finding.hint(), "problem": finding.is_problem(),
            })).collect::<Vec<_>>(),
        })),
    };
    let notes =
        if live.is_unprotected { vec![Note::warning(Problem::new(&UnprotectedFetch))] } else { Vec::new() };
    Ok(CommandOutput { findings: has_problems, notes, ..CommandOutput::text(stdout) })
}

/// Returns the pinned certificate and its name.
fn pinned(args: &CertCheckArgs, variables: VariableReader) -> Result<(String, Certificate), Failure> {
    if let Some(file) = &args.file {
        return Ok((printable(file.display()), config::read_certificate(file)?));
    }
    let path = config::operator_path(args.operator.clone(), variables);
    let path = path.ok_or_else(|| Problem::new(&ConfigError::NoOperatorFile))?;
    let cluster = args.cluster.as_deref().unwrap_or_default();
    let certificate = OperatorFile::read(&path)?.any_certificate(cluster)?;
    Ok((format!("cluster `{}` of the operator file", printable(cluster)), certificate))
}
