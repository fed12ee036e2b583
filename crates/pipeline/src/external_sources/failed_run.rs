//! Explains the failure of Helm or Kustomize: the cause, the file and line that the program names, and what to do.
//!
//! Texts of the programs may quote templates and configurations. Parts that repeat a whole configuration are left out.

use std::path::Path;

use sealwave_core::diagnostic::{Explain, Problem, ProblemPlace, printable};
use sealwave_core::document::SourceLocation;
use sealwave_programs::ProgramError;

use super::input::SourceInput;
use crate::discover::CHART_FILE;

/// A failed run with the cause that the program wrote.
#[derive(Debug, thiserror::Error)]
#[error("`{program}` failed: {cause}")]
struct FailedRun {
    program: String,
    cause: String,
    hint: Option<String>,
}

impl Explain for FailedRun {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    fn needs_commit(&self) -> bool {
        true
    }
}

/// Dependencies of a chart that are neither vendored nor downloaded.
#[derive(Debug, thiserror::Error)]
#[error("dependencies of the chart are not in its directory `charts`: {names}")]
struct MissingDependencies {
    names: String,
    directory: String,
}

impl Explain for MissingDependencies {
    fn hint(&self) -> Option<String> {
        let directory = self.directory.trim_end_matches('/');
        Some(format!("run `helm dependency build {directory}`, and commit the directory `charts`"))
    }

    fn needs_commit(&self) -> bool {
        true
    }
}

/// Parts of causes, and what to do about them. `{dir}` stands for the directory of the source.
const HINTS: &[(&str, &str)] = &[
    ("chart requires kubeversion", "set `kubeVersion` of the environment to the version of its cluster"),
    ("invalid kube version", "write `kubeVersion` as `1.34` or `1.34.2`"),
    ("invalid release name", "set `releaseName` of the source; it has at most 53 characters"),
    (
        "nil pointer evaluating",
        "set the value that the template reads, or give it a default in `values.yaml`",
    ),
    (
        "don't meet the specifications of the schema",
        "correct the values; the chart has a `values.schema.json`",
    ),
    (
        "external plugins disabled",
        "plugins are not run: commit what the plugin generates, and list it in `resources`",
    ),
    (
        "is not in or below",
        "move the file into the directory of the kustomization, or make its directory a base",
    ),
    ("unable to find one of 'kustomization.yaml'", "create a `kustomization.yaml` in that directory"),
    ("no such file or directory", "correct the path; it is relative to the file that names it"),
    ("unknown field", "correct the name of the field in the kustomization"),
    ("no template", "define the template in a file that starts with `_`, or correct its name"),
];

/// Returns the problem of a failed run of Helm; `name_of` returns the path of a file of the chart for messages.
pub(super) fn helm_failed(
    error: &ProgramError,
    name_of: &dyn Fn(&Path) -> String,
    input: &SourceInput<'_>,
) -> Problem {
    let ProgramError::Failed { program, text, .. } = error else { return input.problem(error) };
    let cause = cause(text.as_str());
    if let Some((_, names)) = cause.split_once("but missing in charts/ directory: ") {
        let (path, directory) = (name_of(Path::new(CHART_FILE)), name_of(Path::new("")));
        let error = MissingDependencies { names: printable(names), directory };
        let place = SourceLocation { path, line: 0, column: 0, rendered: None };
        return Problem { at: ProblemPlace::Place(place), ..Problem::new(&error) };
    }
    let (place, cause) =
        HelmPlace::find(&cause).map_or((None, cause.clone()), |(place, cause)| (Some(place), cause));
    let directory = name_of(Path::new(""));
    let mut problem = explain(program, cause, directory.trim_end_matches('/'), input);
    if let Some(HelmPlace { path, line, column }) = place {
        let inside = path.split_once('/').map_or(path.as_str(), |(_, inside)| inside);
        let path = name_of(Path::new(inside));
        problem.at = ProblemPlace::Place(SourceLocation { path, line, column, rendered: None });
    }
    problem
}

/// Returns the problem of a failed run of Kustomize on the kustomization `file`.
pub(super) fn kustomize_failed(error: &ProgramError, file: &str, input: &SourceInput<'_>) -> Problem {
    let ProgramError::Failed { program, text, .. } = error else { return input.problem(error) };
    let cause = innermost_accumulation(&without_configuration(&cause(text.as_str())));
    let directory = file.rsplit_once('/').map_or(".", |(directory, _)| directory);
    let mut problem = explain(program, cause, directory, input);
    problem.at =
        ProblemPlace::Place(SourceLocation { path: file.to_owned(), line: 0, column: 0, rendered: None });
    problem
}

fn explain(program: &str, cause: String, directory: &str, input: &SourceInput<'_>) -> Problem {
    let lower = cause.to_lowercase();
    let hint = HINTS.iter().find(|(part, _)| lower.contains(part));
    let hint = hint.map(|(_, hint)| hint.replace("{dir}", directory));
    let program = program.to_owned();
    input.problem(&FailedRun { program, cause, hint })
}

/// Returns what follows the last `Error:`, in one line. Helm 4 writes a place on a line of its own; the result has the form of
/// Helm 3.
fn cause(text: &str) -> String {
    let start = text.rfind("Error: ").map_or(0, |at| at + "Error: ".len());
    let lines = text.get(start..).unwrap_or_default().lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("Use --debug flag"));
    let mut cause = String::new();
    for line in lines {
        if !cause.is_empty() {
            cause.push_str(if cause.ends_with(':') { " " } else { "; " });
        }
        let is_place = HelmPlace::parse(line).is_some_and(|place| place.path.contains('/'));
        let (before, after) = if is_place { ("template: ", ":") } else { ("", "") };
        cause.extend([before, line, after]);
    }
    cause
}

/// A place that Helm names, with the path below the name of the chart.
#[derive(Debug, PartialEq, Eq)]
struct HelmPlace {
    path: String,
    line: u32,
    column: u32,
}

impl HelmPlace {
    /// Finds the innermost place of a template in a cause, and returns what follows it.
    fn find(cause: &str) -> Option<(Self, String)> {
        for (before, after) in [("execution error at (", "): "), ("parse error at (", "): ")] {
            if let Some((_, rest)) = cause.split_once(before)
                && let Some((place, rest)) = rest.split_once(after)
                && let Some(place) = Self::parse(place)
            {
                return Some((place, rest.to_owned()));
            }
        }
        if let Some(rest) = cause.strip_prefix("YAML parse error on ") {
            let (path, rest) = rest.split_once(": ")?;
            let rest = rest.trim_start_matches("error converting YAML to JSON: ");
            let path = path.to_owned();
            return Some((
                Self { path, line: 0, column: 0 },
                format!("the rendered text is not YAML: {rest}"),
            ));
        }
        let mut found = None;
        let mut rest = cause;
        while let Some((_, after)) = rest.split_once("template: ") {
            rest = after;
            let Some((place, cause)) = after.split_once(": ") else { continue };
            let is_file = |place: &Self| place.path.contains('/');
            if let Some(place) = Self::parse(place).filter(is_file) {
                found = Some((place, without_execution(cause)));
            }
        }
        found
    }

    /// Parses `path:line:column` or `path:line`.
    fn parse(place: &str) -> Option<Self> {
        let mut parts = place.rsplitn(3, ':');
        let (last, middle, path) = (parts.next()?, parts.next()?, parts.next());
        Some(match (path, middle.parse(), last.parse()) {
            // Helm counts columns from 0.
            (Some(path), Ok(line), Ok(column)) => {
                Self { path: path.to_owned(), line, column: u32::saturating_add(column, 1) }
            }
            (None, _, Ok(line)) => Self { path: middle.to_owned(), line, column: 0 },
            _ => return None,
        })
    }
}

/// Removes `executing "…" at <…>: `, but keeps the expression.
fn without_execution(cause: &str) -> String {
    let after = cause.strip_prefix("executing ").and_then(|rest| rest.split_once(" at <"));
    match after.and_then(|(_, rest)| rest.split_once(">: ")) {
        Some((expression, rest)) => format!("{rest} (at `{expression}`)"),
        None => cause.to_owned(),
    }
}

/// Removes the configuration of a plugin, which may be long, and may hold what its author did not mean to show.
fn without_configuration(cause: &str) -> String {
    match (cause.find("with config: `"), cause.rfind("`: ")) {
        (Some(start), Some(end)) if start < end => {
            let before = cause.get(..start).unwrap_or_default().trim_end();
            format!("{before}: {}", cause.get(end + "`: ".len()..).unwrap_or_default())
        }
        _ => cause.to_owned(),
    }
}

/// Returns the cause of a resource that cannot be read: Kustomize repeats it for each attempt and each directory.
fn innermost_accumulation(cause: &str) -> String {
    let Some((_, rest)) = cause.rsplit_once("accumulating resources from '") else { return cause.to_owned() };
    let Some((resource, rest)) = rest.split_once("': ") else { return cause.to_owned() };
    let reason = rest.rsplit(": ").next().unwrap_or(rest).trim_end_matches('\'');
    let reason = if rest.contains("Error") || rest.contains("unable to find one of") {
        rest.trim_end_matches('\'')
    } else {
        reason
    };
    format!("resource `{resource}`: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_helm_are_found() {
        let place = |path: &str, line, column| HelmPlace { path: path.to_owned(), line, column };
        for (text, expected, rest) in [
            (
                "Error: template: web/templates/a.yaml:2:13: executing \"web/templates/a.yaml\" at <.Values.x.y.z>: nil pointer evaluating interface {}.y\n\nUse --debug flag to render out invalid YAML",
                place("web/templates/a.yaml", 2, 14),
                "nil pointer evaluating interface {}.y (at `.Values.x.y.z`)",
            ),
            (
                "Error: execution error at (web/templates/a.yaml:2:6): need pw",
                place("web/templates/a.yaml", 2, 7),
                "need pw",
            ),
            (
                "Error: parse error at (web/templates/a.yaml:2): missing value for if",
                place("web/templates/a.yaml", 2, 0),
                "missing value for if",
            ),
            (
                "Error: YAML parse error on web/templates/a.yaml: error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context",
                place("web/templates/a.yaml", 0, 0),
                "the rendered text is not YAML: yaml: line 2: mapping values are not allowed in this context",
            ),
            (
                "Error: template: web/templates/a.yaml:1:6: executing \"web/templates/a.yaml\" at <tpl \"x\" .>: error calling tpl: error during tpl function execution for \"x\": template: gotpl:1:10: executing \"gotpl\" at <.Values.q.r>: nil pointer evaluating interface {}.r",
                place("web/templates/a.yaml", 1, 7),
                "error calling tpl: error during tpl function execution for \"x\": template: gotpl:1:10: executing \"gotpl\" at <.Values.q.r>: nil pointer evaluating interface {}.r (at `tpl \"x\" .`)",
            ),
        ] {
            assert_eq!(HelmPlace::find(&cause(text)), Some((expected, rest.to_owned())), "{text}");
        }
        let nested = "Error: web/templates/a.yaml:2:6\n  executing \"web/templates/a.yaml\" at <include \"h\" .>:\n    error calling include:\nweb/templates/_h.tpl:2:10\n  executing \"h\" at <.Values.q.r>:\n    nil pointer evaluating interface {}.r\n\nUse --debug flag to render out invalid YAML";
        assert_eq!(
            HelmPlace::find(&cause(nested)),
            Some((
                place("web/templates/_h.tpl", 2, 11),
                "nil pointer evaluating interface {}.r (at `.Values.q.r`)".to_owned()
            ))
        );
        assert_eq!(HelmPlace::find("chart requires kubeVersion: >=1.99"), None);
        assert_eq!(HelmPlace::find("template: : : "), None);
    }

    #[test]
    fn causes_of_kustomize_are_short() {
        let missing = "accumulating resources: accumulation err='accumulating resources from 'nope.yaml': evalsymlink failure on 'o/nope.yaml' : lstat o/nope.yaml: no such file or directory': must build at directory: not a valid directory: evalsymlink failure on 'o/nope.yaml' : lstat o/nope.yaml: no such file or directory";
        assert_eq!(innermost_accumulation(missing), "resource `nope.yaml`: no such file or directory");
        let malformed = "accumulating resources: accumulating resources from 'r.yaml': MalformedYAMLError: yaml: line 2: mapping values are not allowed in this context in File: r.yaml";
        assert!(innermost_accumulation(malformed).contains("line 2"));
        let plugin = "trouble configuring builtin SecretGenerator with config: `; literals: [a=hunter2]; `: must specify a name";
        assert_eq!(
            without_configuration(plugin),
            "trouble configuring builtin SecretGenerator: must specify a name"
        );
    }
}
