//! `refs`: lists the secrets that an app refers to, by environment, with the destinations of their sealed values and
//! the decisions of the operator's policy.
//!
//! Fetches nothing. The policy is evaluated if an operator file and a project are given; a use that it does not allow
//! is a finding.

mod human;
mod json;

use std::collections::BTreeMap;
use std::time::Duration;

use super::session::{AppSession, EnvironmentSession, SharedToolbox};
use super::{CommandOutput, policy_not_checked};
use crate::cli::{RefsArgs, ReportFormat};
use crate::config::{OperatorFile, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, ProblemCollector};
use sealwave_pipeline::{self, ReferenceUse, ValueSource};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::policy::{BoundPolicy, Policy, PolicyDecision, PolicySubject};

/// A note for the reader of the list.
#[derive(Debug, thiserror::Error)]
enum RefsNote {
    #[error("{}", policy_not_checked(.0))]
    NotAsked(&'static str),
}

impl Explain for RefsNote {
    fn hint(&self) -> Option<String> {
        Some("set `--operator` and `--project` to see what the policy allows".to_owned())
    }
}

/// The result of the command.
struct RefsReport {
    subject: PolicySubject,
    environments: Vec<EnvironmentRefs>,
}

struct EnvironmentRefs {
    name: String,
    cluster: String,
    references: Vec<ListedReference>,
}

/// A reference and its uses, at least one.
struct ListedReference {
    reference: SecretReference,
    uses: Vec<JudgedUse>,
}

/// A use of a reference, with the policy's decision on its destination.
struct JudgedUse {
    used: ReferenceUse,
    verdict: PolicyVerdict,
}

/// A decision of the policy with the rule's name, ordered from best to worst.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum PolicyVerdict {
    NotAsked,
    Allowed(String),
    /// The rule does not include the destination, in these fields.
    Elsewhere(String, Vec<&'static str>),
    Refused,
    Denied(String),
}

pub(super) fn run(
    args: RefsArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let (session, environments) =
        AppSession::open_all(&args.app, args.env, variables, &SharedToolbox::default())?;
    if let Some(operator) = &session.operator {
        watch.set_time_limit(Duration::from_secs(operator.operator().deadline_seconds));
    }
    let mut notes = Vec::new();
    let policy = policy(&session, &mut notes)?;
    let mut report = RefsReport { subject: session.identity.subject(""), environments: Vec::new() };
    let mut problems = ProblemCollector::default();
    for name in environments {
        let environment = session.environment(&name);
        match references(&environment, policy.as_ref(), watch) {
            Ok(references) => {
                let cluster = environment.cluster()?;
                report.environments.push(EnvironmentRefs { name, cluster, references });
            }
            // Problems shared by several environments are reported once.
            Err(failure) => {
                let listed = failure.problems().iter().cloned().chain(failure.omitted_problem());
                for problem in listed {
                    if !problems.kept().contains(&problem) {
                        problems.push(problem);
                    }
                }
            }
        }
    }
    problems.check()?;
    let (stdout, styled) = match args.output {
        ReportFormat::Human => (human::write(&report).into_bytes(), true),
        ReportFormat::Json => (json::write(&report), false),
    };
    Ok(CommandOutput { stdout, styled, findings: report.has_findings(), notes, ..CommandOutput::default() })
}

/// Returns the policy if there is one and a project to evaluate it for. In Argo CD, a missing project allows nothing.
fn policy(session: &AppSession, notes: &mut Vec<Note>) -> Result<Option<Policy>, Failure> {
    let policy = session.operator.as_ref().map(OperatorFile::policy).transpose()?;
    let has_project = session.identity.project.is_some() || session.caller.argocd().is_some();
    let missing = match (&policy, has_project) {
        (Some(_), true) => return Ok(policy),
        (None, _) => "operator file",
        (Some(_), false) => "project",
    };
    notes.push(Note::info(Problem::new(&RefsNote::NotAsked(missing))));
    Ok(None)
}

/// Returns the references of one environment, in order, without duplicates.
fn references(
    session: &EnvironmentSession<'_>,
    policy: Option<&Policy>,
    watch: &RunWatch,
) -> Result<Vec<ListedReference>, Failure> {
    let known = session.known_providers();
    let supply =
        ValueSource::Withhold { known: known.as_ref(), default_provider: session.default_provider()? };
    let progress = |stage| watch.enter_stage(stage);
    let context = session.context()?;
    let uses =
        sealwave_pipeline::references(&session.discovery, &context, &session.toolbox, &supply, &progress)?;
    let bound = policy.map(|policy| (policy, policy.bind(&session.subject())));
    let cluster = session.cluster()?;
    let mut by_reference: BTreeMap<SecretReference, Vec<JudgedUse>> = BTreeMap::new();
    for used in uses {
        let verdict = bound.as_ref().map_or(PolicyVerdict::NotAsked, |(policy, bound)| {
            PolicyVerdict::new(policy, bound, &used, &cluster)
        });
        by_reference.entry(used.reference.clone()).or_default().push(JudgedUse { used, verdict });
    }
    Ok(by_reference.into_iter().map(|(reference, uses)| ListedReference { reference, uses }).collect())
}

impl ListedReference {
    /// Returns the worst decision of all uses, and whether it applies to all of them.
    fn verdict(&self) -> (&PolicyVerdict, bool) {
        let mut worst = &PolicyVerdict::NotAsked;
        for one in &self.uses {
            worst = worst.max(&one.verdict);
        }
        (worst, self.uses.iter().all(|one| one.verdict == *worst))
    }
}

impl PolicyVerdict {
    fn new(policy: &Policy, bound: &BoundPolicy, used: &ReferenceUse, cluster: &str) -> Self {
        let name = |rule| policy.rule_name(rule).to_owned();
        match bound.decide(&used.reference, &used.destination(cluster)) {
            PolicyDecision::Allowed { rule } => Self::Allowed(name(rule)),
            PolicyDecision::Denied { rule } => Self::Denied(name(rule)),
            PolicyDecision::Elsewhere { rule, mismatch } => {
                Self::Elsewhere(name(rule), mismatch.fields().collect())
            }
            PolicyDecision::Refused => Self::Refused,
        }
    }

    const fn is_finding(&self) -> bool {
        matches!(self, Self::Denied(_) | Self::Elsewhere(..) | Self::Refused)
    }
}

impl RefsReport {
    fn has_findings(&self) -> bool {
        let mut listed = self.environments.iter().flat_map(|environment| &environment.references);
        listed.any(|listed| listed.uses.iter().any(|one| one.verdict.is_finding()))
    }
}
