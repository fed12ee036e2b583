//! Explains tags of other template languages, mostly Helm's, and shows how to write them here.
//!
//! The template engine refuses such a tag with the names of its grammar's rules, at the first fault only. This module reads
//! the template again, and reports each tag that the engine refuses. A message shows the tag's own expression and nothing
//! of the text around it: neither of a tag that is not closed, nor of one of several lines.

mod blocks;
mod expression;
mod fault;
mod lexer;
mod parts;
mod scan;
mod statements;
mod table;
mod tag;
mod translate;
mod walk;
mod yaml_lines;

use expression::Expression;
use fault::{SyntaxFault, shorten};
use parts::TagParts;
use scan::{TagEnd, scan_tags};
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::SourceId;
use table::ConstructId;
pub(super) use table::{CLUSTER_LOOKUP, closest_helper, function_advice};
use translate::{TagScope, Translator};
use walk::{TagFault, TemplateWalk, has_index};
pub(super) use yaml_lines::{yaml_hint_at, yaml_hint_in_line};

/// Returns a problem for each tag of a template that the parser refuses. Empty if the cause is not found.
pub(super) fn explain_refused(text: &str, source: SourceId) -> Vec<Problem> {
    let mut walk = TemplateWalk::new(text);
    walk.run();
    walk.finish();
    walk.faults.sort_by_key(|fault| fault.start);
    walk.faults.iter().map(|fault| fault.problem(source)).collect()
}

/// Returns a problem, with its position, for each tag that the parser accepts but that has another meaning in Helm. If the
/// tags have no other faults, only an index and variables are reported.
pub(super) fn explain_accepted(
    text: &str,
    source: SourceId,
    has_faults: bool,
) -> Vec<((usize, usize), Problem)> {
    let mut walk = TemplateWalk::new(text);
    walk.run();
    let is_reported = |fault: &&TagFault| match &fault.fault {
        SyntaxFault::Invalid { reasons, .. } if !has_faults => {
            reasons.iter().any(|reason| matches!(reason, ConstructId::Index | ConstructId::Variable))
        }
        // The check of forms has better hints for a block without its `#`.
        SyntaxFault::Invalid { reasons, .. } => {
            fault.is_refused || !matches!(reasons.as_slice(), [] | [ConstructId::If | ConstructId::With])
        }
        _ => has_faults && fault.is_refused,
    };
    walk.faults.iter().filter(is_reported).map(|fault| (fault.start, fault.problem(source))).collect()
}

/// Reports whether a tag of a template may have another meaning than the engine reads in it: an index, or a variable.
pub(super) fn is_suspicious(text: &str) -> bool {
    let has_sign = memchr::memchr2(b'[', b'$', text.as_bytes()).is_some();
    has_sign && scan_tags(text).any(|tag| tag.text.contains('$') || has_index(tag.text))
}

/// Returns what to write instead of an undefined name that means something in other template languages.
pub(super) fn undefined_advice(name: &str) -> Option<String> {
    if name.starts_with("$.") {
        let scope = TagScope { depth: 1, ..TagScope::default() };
        let path = Translator::new(&scope).expression(&Expression::Name(name)).ok()?;
        return Some(format!("write `{{{{{}}}}}`", shorten(&path)));
    }
    if name.starts_with('$') {
        return Some(format!(
            "templates have no variables; for a tag that another tool fills in, write `\\{{{{{}}}}}`",
            shorten(name)
        ));
    }
    match name {
        "end" | "endif" | "endfor" => {
            Some("write `{{/if}}` or `{{/each}}`: a block ends with its own name".to_owned())
        }
        "now" | "uuidv4" => function_advice(name).map(str::to_owned),
        _ => None,
    }
}

/// Replaces the quoted texts of a hint about a tag if one of them may be a secret.
pub(super) fn hide_texts(problem: Problem, text: &str, tag: Option<&str>) -> Problem {
    let Some(hint) = problem.hint.as_deref().filter(|hint| hint.contains('"')) else { return problem };
    if tag.is_some_and(|tag| !walk::may_hold_secret(text, tag)) {
        return problem;
    }
    let mut hidden = String::new();
    let (mut is_text, mut is_escaped) = (false, false);
    for c in hint.chars() {
        let is_quote = c == '"' && !is_escaped;
        match (is_text, is_quote) {
            (false, true) => hidden.push_str("\"…"),
            (true, true) | (false, false) => hidden.push(c),
            (true, false) => {}
        }
        is_text ^= is_quote;
        is_escaped = is_text && c == '\\' && !is_escaped;
    }
    Problem { hint: Some(hidden), ..problem }
}

/// Returns a problem for each statement of Jinja, such as `{% if x %}`, which the template engine leaves as it is.
pub(super) fn explain_statements(text: &str, source: SourceId) -> Vec<Problem> {
    statements::explain(text, source)
}

/// Returns the problem of a partial within a line, from 1, whose output breaks the YAML around it.
pub(super) fn partial_in_line(text: &str, source: SourceId, line: usize) -> Option<Problem> {
    let mut tags = scan_tags(text).take_while(|tag| tag.start.0 <= line);
    tags.find_map(|tag| {
        let is_candidate = tag.start.0 == line && tag.end == TagEnd::Closed && !tag.is_alone;
        let parts = TagParts::new(tag.text).filter(|parts| is_candidate && parts.sigil == Some('>'))?;
        let fault = SyntaxFault::PartialInLine { name: shorten(parts.body.split_whitespace().next()?) };
        let width = tag.text.chars().count();
        Some(TagFault { start: tag.start, width, fault, is_refused: false }.problem(source))
    })
}

#[cfg(test)]
mod tests;
