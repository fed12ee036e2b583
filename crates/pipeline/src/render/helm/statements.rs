//! Explains statements of Jinja.

use super::fault::{SyntaxFault, TagForm};
use super::scan::{ScannedTag, TagEnd};
use super::table::ConstructId;
use super::walk::{MAX_FAULTS, TagFault, TemplateWalk};
use sealwave_core::diagnostic::{Problem, printable};
use sealwave_core::document::SourceId;

/// Returns a problem for each statement of Jinja, such as `{% if x %}`, which the template engine leaves as it is.
pub(super) fn explain(text: &str, source: SourceId) -> Vec<Problem> {
    let mut walk = TemplateWalk::new(text);
    let lines = text.lines().enumerate().flat_map(|(number, line)| {
        let starts = line.match_indices("{%").map(|(at, _)| at);
        // Once a statement is not closed, no later one of its line is.
        starts.map_while(move |at| {
            let (inner, _) = line.get(at + 2..)?.split_once("%}")?;
            let column = line.get(..at)?.chars().count() + 1;
            Some((line.get(at..at + inner.len() + 4)?, inner.trim_matches(['-', '+']), (number + 1, column)))
        })
    });
    for (statement, inner, start) in lines.take(MAX_FAULTS) {
        let text = format!("{{{{{inner}}}}}");
        let before = walk.faults.len();
        walk.tag(&ScannedTag { text: &text, start, end: TagEnd::Closed, is_alone: false });
        walk.faults.truncate(before + 1);
        let shown = walk.shown(statement);
        if walk.faults.len() == before {
            let form = shown.as_ref().map(|_| format!("{{{{{}}}}}", printable(inner.trim())));
            let form = form.map_or(TagForm::General(ConstructId::Jinja), TagForm::Written);
            let fault = SyntaxFault::Invalid { tag: None, reasons: Vec::new(), form, literal: None };
            walk.faults.push(TagFault { fault, start, width: 0, is_refused: true });
        }
        if let Some(TagFault { fault, width, .. }) = walk.faults.get_mut(before) {
            *width = statement.chars().count();
            if let SyntaxFault::Invalid { tag, reasons, .. } = fault {
                *tag = shown;
                reasons.insert(0, ConstructId::Jinja);
            }
        }
    }
    walk.faults.iter().map(|fault| fault.problem(source)).collect()
}
