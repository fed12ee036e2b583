//! Names template tags as the cause of YAML errors in files that are not templates.

use sealwave_core::diagnostic::{Explain, Problem, ProblemKind, printable};
use sealwave_kube::template_name;

/// The maximum number of bytes that are searched for tags.
const MAX_SEARCHED: usize = 256 << 10;

/// A file with tags that is not a template.
#[derive(Debug, thiserror::Error)]
enum TemplateTextFault {
    #[error("file has template tags, but is not a template")]
    Manifest { renamed: String, is_chart: bool },
    #[error("values have template tags, but are not templates")]
    Values,
}

impl Explain for TemplateTextFault {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Manifest { renamed, is_chart: true } => format!(
                "only `*.hbs` files are templates: rename the file to `{renamed}`, or render the chart first and commit the result"
            ),
            Self::Manifest { renamed, .. } => format!(
                "only `*.hbs` files are templates: rename the file to `{renamed}`, or put literal `{{{{ … }}}}` in quotes"
            ),
            Self::Values => {
                "write the tag in the template that reads the value, for example `{{env}}-{{name}}`"
                    .to_owned()
            }
        })
    }
}

/// Explains an error in the YAML of a manifest by tags in it, if it has any.
pub(crate) fn explain_manifest(problem: &Problem, text: &str, path: &str) -> Option<Problem> {
    let file = printable(path.rsplit('/').next().unwrap_or(path));
    let is_chart = [".Values.", ".Release.", ".Chart."].iter().any(|name| text.contains(name));
    explain(problem, text, &TemplateTextFault::Manifest { renamed: template_name(&file), is_chart })
}

/// Explains an error in the YAML of values by tags in it, if it has any.
pub(crate) fn explain_values(problem: &Problem, text: &str) -> Option<Problem> {
    explain(problem, text, &TemplateTextFault::Values)
}

fn explain(problem: &Problem, text: &str, fault: &TemplateTextFault) -> Option<Problem> {
    let is_syntax = problem.kind == Some(ProblemKind::Syntax);
    (is_syntax && has_bare_tag(text)).then(|| {
        let Problem { message, hint, .. } = Problem::new(fault);
        Problem { message, hint, ..problem.clone() }
    })
}

/// Reports whether a value or a line starts with a tag: YAML reads it as a mapping.
fn has_bare_tag(text: &str) -> bool {
    let text = text.get(..text.floor_char_boundary(MAX_SEARCHED)).unwrap_or_default();
    text.lines().any(|line| {
        let line = line.trim_start();
        let starts_value = [": {{", "- {{", "{{"]
            .iter()
            .any(|start| if *start == "{{" { line.starts_with(start) } else { line.contains(start) });
        starts_value && !line.starts_with('#')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_at_the_start_of_values_and_lines_are_found() {
        for (text, wanted) in [
            ("a: {{ b }}", true),
            ("x:\n- {{ b }}", true),
            ("  {{#if x}}", true),
            ("a: \"{{ b }}\"", false),
            ("a: b {{ c }}", false),
            ("# a: {{ b }}", false),
            ("a: {b: {c: d}}", false),
        ] {
            assert_eq!(has_bare_tag(text), wanted, "{text}");
        }
    }
}
