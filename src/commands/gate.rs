//! `generate --validate`: objects that the API server would refuse are refused before anything is fetched.
//!
//! Only rules run whose errors the API server shares. Each object is checked by itself, since what it refers to may be in
//! another app, which Argo CD does not send. The version is that of the destination, which Argo CD tells, and then nothing
//! that an app says counts. In a hydration Argo CD tells none: the app's `validate.kubeVersions` come next, then the
//! cluster's `kubeVersion` in the operator file. The nearest version
//! counts where its schemas are not known, since a cluster that is newer than sealwave must not stop every sync.

use std::sync::Arc;

use super::session::Session;
use crate::cli::CheckArgs;
use crate::config::{self, Validation, Variables};
use sealwave_core::diagnostic::{At, Explain, Failure, Note, Problem, Severity};
use sealwave_kube::schema::KubeVersion;
use sealwave_secrets::settings::APP_FILE;
use sealwave_validate::engine::{self, KnownDefinition, SchemaSet, Standing};
use sealwave_validate::{ApiRefusal, Examination, Finding, ObjectRef, RuleInfo, rules};

/// Nothing says which version of Kubernetes the destination has.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no version of Kubernetes is known for cluster `{cluster}`, so objects were checked against {used}")]
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

/// Refuses an environment whose objects the API server would not take.
///
/// # Errors
/// All that is wrong with them. What keeps the app from being rendered is left to the run itself.
pub(super) fn check(session: &Session, variables: Variables, notes: &mut Vec<Note>) -> Result<(), Failure> {
    let told = config::destination_version(variables)?;
    let kube_versions = Vec::from_iter(told.map(|version| version.to_string()));
    let args = CheckArgs { kube_versions, ..CheckArgs::default() };
    let discovery = &session.discovery;
    let decided = Validation::decide(&args, variables)?;
    let stands = |keys: &[&str], item: Option<usize>| At::Place(discovery.setting_at(keys, item));
    let mut checking = decided
        .with(&discovery.app().validate, discovery.directory(), discovery.boundary(), &stands)?
        .usable()?;
    let mut unknown = None;
    if told.is_none() && discovery.app().validate.kube_versions.is_empty() {
        let version = version_of_cluster(session)?;
        unknown = version.as_ref().err().cloned();
        checking.kube_versions = vec![version.unwrap_or(KubeVersion::NEWEST)];
    }
    let default_provider = session.default_provider()?;
    let examination = Examination { context: session.context()?, default_provider };
    let directory = discovery.directory().display().to_string();
    let app = sealwave_validate::examine(discovery, &[examination], directory, &|_| ());
    // What is built in need not be what the cluster has, and must not stop a sync.
    checking.packed = None;
    let definitions = app.definitions().chain(checking.definitions.iter().map(KnownDefinition::view));
    checking.schemas = Arc::new(SchemaSet::with_places(&checking.kube_versions, definitions));
    checking
        .levels
        .extend(rules::rules().filter(|rule| is_left_out(rule)).map(|rule| (rule.id.to_owned(), None)));
    let verdict = engine::validate(&app, &checking, &Standing::default());
    let refused = verdict.findings.into_iter().filter(is_refused);
    let mut problems: Vec<Problem> = refused.map(problem).collect();
    if let Some(unknown) = unknown {
        match problems.first_mut() {
            None => notes.push(Note::remark(Problem::new(&unknown))),
            // A failed run shows its problems alone.
            Some(first) => first.hint = Some(with_version(first.hint.take(), &unknown)),
        }
    }
    Failure::unless_empty(problems)
}

fn with_version(hint: Option<String>, unknown: &UnknownVersion) -> String {
    let version = format!("{unknown}; {}", unknown.hint().unwrap_or_default());
    hint.map_or_else(|| version.clone(), |hint| format!("{hint}; {version}"))
}

/// Returns the version that the operator file gives the cluster of the environment.
fn version_of_cluster(session: &Session) -> Result<Result<KubeVersion, UnknownVersion>, Failure> {
    let cluster = session.cluster()?;
    let known = session.operator.as_ref().and_then(|operator| operator.kube_version(&cluster));
    Ok(known.ok_or(UnknownVersion { cluster, used: KubeVersion::NEWEST }))
}

/// Returns whether a rule need not run, as nothing that it finds is refused.
fn is_left_out(rule: &RuleInfo) -> bool {
    // Its hints go to the findings of other rules.
    let explains_others = rule.id == rules::UNFILLED.id;
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

/// Returns whether an object is a custom resource: its controller finds what is wrong with the pods or the Secret in it.
fn is_custom(object: &ObjectRef) -> bool {
    let group = object.api_version.split_once('/').map_or("", |(group, _)| group);
    group.contains('.') && !group.ends_with(".k8s.io")
}

/// Argo CD shows the message alone, so it names the object, and the rule by which an app can say that it is right.
fn problem(finding: Finding) -> Problem {
    let object = finding.object.map(|object| format!("{object}: ")).unwrap_or_default();
    Problem {
        message: format!("{object}{} ({})", finding.message, finding.rule.id),
        at: finding.span.map_or(At::Nowhere, |span| At::Place(span.place)),
        hint: finding.hint,
        rule: Some(finding.rule.id),
    }
}
