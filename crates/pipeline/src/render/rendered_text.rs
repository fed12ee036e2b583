//! Explains errors in the YAML of a rendered template by tags that the template engine leaves alone or prints as they are.

use super::helm;
use crate::load::ManifestFile;
use sealwave_core::diagnostic::{Problem, ProblemKind, ProblemPlace};
use sealwave_core::document::Sources;

/// Returns the causes of an error in the rendered text of a template, or the error itself.
pub(super) fn explain(problem: Problem, file: &ManifestFile, sources: &Sources) -> Vec<Problem> {
    if !matches!(
        problem.kind,
        Some(ProblemKind::DuplicateKey | ProblemKind::MissingSeparator | ProblemKind::Syntax)
    ) {
        return vec![problem];
    }
    let statements = helm::explain_statements(&file.text, file.source);
    if !statements.is_empty() {
        return statements;
    }
    let line = template_line(&problem, file, sources);
    let partial = line.and_then(|(number, _)| helm::partial_in_line(&file.text, file.source, number));
    if let Some(partial) = partial {
        return vec![partial];
    }
    let hint = line.and_then(|(_, line)| helm::yaml_hint_in_line(line));
    let hint = hint.or_else(|| problem.hint.clone());
    vec![Problem { hint, ..problem }]
}

/// Returns the line of the template that wrote the text at an error, by its number.
fn template_line<'f>(
    problem: &Problem,
    file: &'f ManifestFile,
    sources: &Sources,
) -> Option<(usize, &'f str)> {
    let ProblemPlace::Origin(origin) = problem.at else { return None };
    let place = sources.location(origin);
    let number = place.line as usize;
    let line = file.text.lines().nth(number.checked_sub(1)?)?;
    (place.path == sources.name(file.source)).then_some((number, line))
}
