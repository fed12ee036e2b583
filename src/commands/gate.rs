//! `generate --validate`: what the API server would refuse is refused before anything is fetched.
//!
//! Each object by itself: what it refers to may be in another app, which Argo CD does not send. The version is that of
//! the destination, which Argo CD tells, and then nothing that an app says counts. In a hydration Argo CD tells none: the
//! app's `validate.kubeVersions` come next, then the cluster's `kubeVersion` in the operator file. The nearest version
//! counts where its schemas are not known, since a cluster that is newer than sealwave must not stop every sync.

use std::sync::Arc;

use super::session::Session;
use crate::cli::CheckArgs;
use crate::config::{self, Validation, Variables};
use crate::diagnostic::{At, Explain, Failure, Finding, Note, Problem, Severity};
use crate::model::{APP_FILE, Manifest};
use crate::pipeline::{self, Examination, SchemaSet, Standing};
use crate::schema::KubeVersion;

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
    let app = pipeline::examine(discovery, &[examination], directory, &|_| ());
    let definitions = app.definitions().chain(checking.definitions.iter()).map(Manifest::root);
    checking.schemas = Arc::new(SchemaSet::new(&checking.kube_versions, definitions));
    let verdict = pipeline::validate(&app, &checking, &Standing::default());
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

fn is_refused(finding: &Finding) -> bool {
    finding.severity == Severity::Error && finding.rule.refused_by_api_server
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
