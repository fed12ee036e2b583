//! `check`: reports everything that is wrong with an operator file before it is rolled out, in one run.
//!
//! Without `--connect` and `--live`, nothing is contacted. No secret of an app is ever read. Keys are read to check their form; only the
//! id of a key is shown. Each check is a function over the parsed file; this file runs them in the order of the report.

mod charts;
mod clusters;
mod findings;
mod human;
mod json;
mod keys;
mod limits;
mod live;
mod policy;
mod providers;
mod tools;

use std::sync::Arc;

use self::findings::{CheckPart, CheckReport};
use super::CommandOutput;
use crate::cli::{CheckOperatorArgs, ReportFormat};
use crate::config::{self, OperatorFile, VariableReader};
use sealwave_core::diagnostic::{Explain, Failure, Problem, Severity};
use sealwave_core::terminal::MessageRenderer;

/// No operator file is given.
#[derive(Debug, thiserror::Error)]
#[error("no operator file is given")]
struct NothingToCheck;

impl Explain for NothingToCheck {
    fn hint(&self) -> Option<String> {
        Some(format!("pass it with `--operator FILE`, or set `{}`", config::OPERATOR_VARIABLE))
    }
}

pub(super) fn run(args: &CheckOperatorArgs, variables: VariableReader) -> Result<CommandOutput, Failure> {
    let path = config::operator_path(args.operator.clone(), variables);
    let path = path.ok_or_else(|| Problem::new(&NothingToCheck))?;
    let file = OperatorFile::read(&path)?;
    let now = config::now(variables)?;
    let live = live::parse(args, &file, variables)?;
    let mut clusters = clusters::check(&file, now);
    live::check(&mut clusters, &file, &live, now);
    let report = CheckReport::new([
        (CheckPart::Keys, keys::check(&file)),
        (CheckPart::Clusters, clusters),
        (CheckPart::Providers, providers::check(&file, &(Arc::new(variables) as _), args.connect)),
        (CheckPart::Tools, tools::check(&file, variables, args.connect)),
        (CheckPart::Charts, charts::check(&file, variables, args.connect)),
        (CheckPart::Policy, policy::check(&file)),
        (CheckPart::Limits, limits::check(&file)),
    ]);
    let renderer = MessageRenderer::new(config::terminal_width());
    let (stdout, styled) = match args.output {
        ReportFormat::Human => (human::write(&report, args.quiet, &renderer).into_bytes(), true),
        ReportFormat::Json => (json::write(&report, args.quiet), false),
    };
    let findings = report.count(Severity::Error) > 0;
    Ok(CommandOutput { stdout, styled, findings, ..CommandOutput::default() })
}
