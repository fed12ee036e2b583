//! `generate --validate`: what the API server would refuse is refused before anything is fetched.
//!
//! Each object by itself: what it refers to may be in another app, which Argo CD does not send. The version is that of
//! the destination, which Argo CD tells; the nearest one counts where its schemas are not known, since a cluster that is
//! newer than sealwave must not stop every sync.

use std::sync::Arc;

use super::session::Session;
use crate::cli::CheckArgs;
use crate::config::{self, Validation, Variables};
use crate::diagnostic::{At, Failure, Finding, Problem, Severity};
use crate::pipeline::{self, Examination, KnownDefinition, SchemaSet, Standing};

/// Refuses an environment whose objects the API server would not take.
///
/// # Errors
/// All that is wrong with them. What keeps the app from being rendered is left to the run itself.
pub(super) fn check(session: &Session, variables: Variables) -> Result<(), Failure> {
    let kube_versions = Vec::from_iter(config::destination_version(variables)?.map(|it| it.to_string()));
    let args = CheckArgs { kube_versions, ..CheckArgs::default() };
    let discovery = &session.discovery;
    let decided = Validation::decide(&args, variables)?;
    let stands = |keys: &[&str], item: Option<usize>| At::Place(discovery.setting_at(keys, item));
    let mut checking = decided
        .with(&discovery.app().validate, discovery.directory(), discovery.boundary(), &stands)?
        .usable()?;
    let default_provider = session.default_provider()?;
    let examination = Examination { context: session.context()?, default_provider };
    let directory = discovery.directory().display().to_string();
    let app = pipeline::examine(discovery, &[examination], directory, &|_| ());
    // What is built in need not be what the cluster has, and must not stop a sync.
    checking.packed = None;
    let rendered: Vec<KnownDefinition> = app.definitions().collect();
    let definitions = rendered.iter().chain(checking.definitions.iter());
    checking.schemas = Arc::new(SchemaSet::with_places(&checking.kube_versions, definitions));
    let verdict = pipeline::validate(&app, &checking, &Standing::default());
    let refused = verdict.findings.into_iter().filter(is_refused);
    Failure::unless_empty(refused.map(problem).collect())
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
