//! `generate --validate`: refuses objects that the API server would refuse, before anything is fetched.
//!
//! Runs only rules whose errors the API server shares. Each object is checked on its own, since objects that it refers
//! to may be in another app, which Argo CD does not send. The version is that of the destination, as set by Argo CD,
//! which overrides the app's settings. During hydration, Argo CD sets none: then the app's `validate.kubeVersions`
//! apply, else the cluster's `kubeVersion` in the operator file. If schemas of that version are not known, the nearest
//! one is used, since a cluster newer than sealwave must not stop every sync.

use std::sync::Arc;

use super::session::EnvironmentSession;
use crate::cli::CheckArgs;
use crate::config::{self, ValidationPlan, VariableReader};
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, ProblemPlace, Severity};
use sealwave_kube::schema::KubeVersion;
use sealwave_secrets::settings::APP_FILE;
use sealwave_validate::engine::{self, AppContext, RunSuppressions, SchemaContext};
use sealwave_validate::{ApiRefusal, EnvironmentInput, Finding, ObjectRef, RuleInfo, RuleOverlap};

/// The note that the Kubernetes version of the destination is unknown.
#[derive(Clone, Debug, thiserror::Error)]
#[error("Kubernetes version of cluster `{cluster}` is unknown; objects were checked against {used}")]
struct UnknownVersion {
    cluster: String,
    used: KubeVersion,
}

impl Explain for UnknownVersion {
    fn hint(&self) -> Option<String> {
        let Self { cluster, .. } = self;
        Some(format!(
            "set `validate.kubeVersions` in `{APP_FILE}`, or `clusters.{cluster}.kubeVersion` in the operator file"
        ))
    }
}

/// Refuses an environment whose objects the API server would refuse.
///
/// # Errors
/// The problems of the objects. Errors that prevent rendering are left to the run itself.
pub(super) fn check(
    session: &EnvironmentSession<'_>,
    variables: VariableReader,
    notes: &mut Vec<Note>,
) -> Result<(), Failure> {
    let destination = config::destination_version(variables)?;
    let kube_versions = Vec::from_iter(destination.map(|version| version.to_string()));
    let args = CheckArgs { kube_versions, ..CheckArgs::default() };
    let discovery = &session.discovery;
    let decided = ValidationPlan::decide(&args, variables)?;
    let locate = |keys: &[&str], item: Option<usize>| ProblemPlace::Place(discovery.setting_at(keys, item));
    let mut plan =
        decided.with_app(&discovery.app().validate, discovery.directory(), discovery.boundary(), &locate)?;
    let mut unknown = None;
    if destination.is_none() && discovery.app().validate.kube_versions.is_empty() {
        let version = version_of_cluster(session)?;
        unknown = version.as_ref().err().cloned();
        plan = plan.with_kube_version(version.unwrap_or(KubeVersion::NEWEST));
    }
    // The cluster may have other definitions than the built-in ones, which must not stop a sync.
    let options = plan.without_packed_definitions().without_rules(is_left_out).into_options()?;
    let default_provider = session.default_provider()?;
    let examination = EnvironmentInput {
        context: session.context()?,
        default_provider,
        toolbox: &session.toolbox,
        compares: false,
    };
    let directory = discovery.directory().display().to_string();
    let app = sealwave_validate::examine(discovery, &[examination], directory, &|_| ());
    let schemas = SchemaContext::new(&options, Arc::clone(&options.definitions));
    let context = AppContext::new(options, schemas, Arc::default(), Arc::default());
    let verdict = engine::validate(&app, &context, &RunSuppressions::default());
    let refused = verdict.findings.into_iter().filter(is_refused);
    let mut problems: Vec<Problem> = refused.map(problem).collect();
    if let Some(unknown) = unknown {
        match problems.first_mut() {
            None => notes.push(Note::info(Problem::new(&unknown))),
            // A failed run shows only its problems.
            Some(first) => first.hint = Some(with_version(first.hint.take(), &unknown)),
        }
    }
    Failure::unless_empty(problems)
}

fn with_version(hint: Option<String>, unknown: &UnknownVersion) -> String {
    let version = format!("{unknown}; {}", unknown.hint().unwrap_or_default());
    hint.map_or_else(|| version.clone(), |hint| format!("{hint}; {version}"))
}

/// Returns the version of the environment's cluster from the operator file.
fn version_of_cluster(
    session: &EnvironmentSession<'_>,
) -> Result<Result<KubeVersion, UnknownVersion>, Failure> {
    let cluster = session.cluster()?;
    let known = session.operator.as_ref().and_then(|operator| operator.kube_version(&cluster));
    Ok(known.ok_or(UnknownVersion { cluster, used: KubeVersion::NEWEST }))
}

/// Reports whether a rule can be skipped, because none of its findings is refused.
fn is_left_out(rule: &RuleInfo) -> bool {
    // Its hints are added to the findings of other rules.
    let explains_others = rule.overlap == RuleOverlap::RejectedPlace;
    !rule.is_refused() && rule.is_adjustable() && !explains_others
}

fn is_refused(finding: &Finding) -> bool {
    let counts = match finding.rule.refusal {
        ApiRefusal::BuiltInKinds => !finding.object.as_ref().is_some_and(is_custom),
        ApiRefusal::EveryKind => true,
        ApiRefusal::Never => false,
    };
    finding.severity == Severity::Error && counts
}

/// Reports whether an object is a custom resource, whose controller validates the pods or the Secret in it.
fn is_custom(object: &ObjectRef) -> bool {
    let group = object.api_version.split_once('/').map_or("", |(group, _)| group);
    group.contains('.') && !group.ends_with(".k8s.io")
}

/// Converts a finding to a problem. Argo CD shows only the message, so it names the object and the rule.
fn problem(finding: Finding) -> Problem {
    let object = finding.object.map(|object| format!("{object}: ")).unwrap_or_default();
    Problem {
        message: format!("{object}{} ({})", finding.message, finding.rule.id),
        at: finding.span.map_or(ProblemPlace::Unknown, |span| ProblemPlace::Place(span.place)),
        hint: finding.hint,
        kind: None,
        needs_commit: false,
    }
}
