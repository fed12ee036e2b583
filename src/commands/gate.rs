//! `generate --validate`: objects that the API server would refuse are refused before anything is fetched.
//!
//! Only rules run whose errors the API server shares. Each object is checked by itself, since what it refers to may be in
//! another app, which Argo CD does not send. The version is that of the destination, which Argo CD tells; the nearest one
//! counts where its schemas are not known, since a cluster that is newer than sealwave must not stop every sync.

use std::sync::Arc;

use super::session::Session;
use crate::cli::CheckArgs;
use crate::config::{self, Validation, Variables};
use crate::diagnostic::{At, Failure, Finding, ObjectRef, Problem, RuleInfo, Severity};
use crate::lints;
use crate::model::Manifest;
use crate::pipeline::{self, Examination, SchemaSet, Standing};

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
    let definitions = app.definitions().chain(checking.definitions.iter()).map(Manifest::root);
    checking.schemas = Arc::new(SchemaSet::new(&checking.kube_versions, definitions));
    checking
        .levels
        .extend(lints::rules().filter(|rule| is_left_out(rule)).map(|rule| (rule.id.to_owned(), None)));
    let verdict = pipeline::validate(&app, &checking, &Standing::default());
    let refused = verdict.findings.into_iter().filter(is_refused);
    Failure::unless_empty(refused.map(problem).collect())
}

/// Returns whether a rule need not run, as nothing that it finds is refused.
fn is_left_out(rule: &RuleInfo) -> bool {
    // Its hints go to the findings of other rules.
    let explains_others = rule.id == lints::resource::unfilled::RULE.info.id;
    !rule.refused_by_api_server && rule.is_adjustable() && !explains_others
}

fn is_refused(finding: &Finding) -> bool {
    finding.severity == Severity::Error
        && finding.rule.refused_by_api_server
        && (is_of_every_kind(finding.rule) || !finding.object.as_ref().is_some_and(is_custom))
}

/// Returns whether the API server checks this of custom resources as well.
fn is_of_every_kind(rule: &RuleInfo) -> bool {
    ["api/", "metadata/", "schema/"].iter().any(|group| rule.id.starts_with(group))
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
