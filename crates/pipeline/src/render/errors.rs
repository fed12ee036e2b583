//! Errors of templates: the template, the line, the column and a hint.
//!
//! The template engine's messages quote templates and values, so they are never passed on.

use std::collections::BTreeMap;

use handlebars::{RenderError, RenderErrorReason, TemplateError, TemplateErrorReason};
use serde_json::Value as Json;

use super::built_in::{BUILT_IN_NAMES, VALUES};
use super::fault::{LocatedRefusal, RenderFault};
use super::value_gaps::ValueGapHints;
use super::{helm, helpers, spelling};
use sealwave_core::diagnostic::{Explain, Problem};
use sealwave_core::document::{Origin, SourceId};
use sealwave_core::text::closest_name;

/// Reports whether Kubernetes' YAML parser reads a key as a boolean, such as `n: 3` as `false: 3`.
pub(super) fn reads_as_boolean(path: &str) -> bool {
    let last = path.rsplit(['.', '/']).next().unwrap_or(path).to_ascii_lowercase();
    ["n", "no", "off", "on", "y", "yes"].contains(&last.as_str())
}

/// The context of an error: the template, its partials and the values.
pub(super) struct ErrorContext<'a> {
    pub(super) source: SourceId,
    pub(super) text: &'a str,
    pub(super) partials: &'a BTreeMap<String, (SourceId, String)>,
    pub(super) sources: &'a [SourceId],
    pub(super) values: &'a Json,
    pub(super) gaps: &'a ValueGapHints,
}

impl ErrorContext<'_> {
    /// Returns the text of the template or of a partial.
    fn text_of(&self, source: SourceId) -> &str {
        if source == self.source {
            return self.text;
        }
        self.partials.values().find(|(id, _)| *id == source).map_or("", |(_, text)| text)
    }
}

/// Returns the problems of a template that does not compile: one for each tag that the parser refuses.
pub(super) fn compile_problems(error: &TemplateError, text: &str, source: SourceId) -> Vec<Problem> {
    let found = helm::explain_refused(text, source);
    if !found.is_empty() {
        return found;
    }
    // The parser's message holds names of the grammar's rules, and nothing of the text.
    let fault = match error.reason() {
        TemplateErrorReason::InvalidParam(_) => RenderFault::Syntax("an argument cannot be read"),
        _ => RenderFault::Syntax("a tag cannot be read"),
    };
    vec![Problem::at(origin(source, error.pos()), &fault)]
}

/// Returns the problem of a template that must not run.
pub(super) fn refusal_problem((refused, at): &LocatedRefusal, source: SourceId) -> Problem {
    let fault = RenderFault::Refused(refused.clone());
    Problem::at(origin(source, *at), &fault)
}

/// Returns the problem of a template that failed while it ran.
pub(super) fn render_problem(error: &RenderError, around: &ErrorContext<'_>) -> Problem {
    let number = error.template_name.as_ref().and_then(|name| name.parse::<usize>().ok());
    let source = number.and_then(|number| around.sources.get(number)).copied().unwrap_or(around.source);
    let at = origin(source, error.line_no.zip(error.column_no));
    let own = extract_fault(error.reason());
    let fault = match own {
        Ok(RenderFault::Lines { helper, .. }) => {
            let line = around.text_of(source).lines().nth((at.line as usize).saturating_sub(1));
            let hint = line.and_then(|line| helm::yaml_hint_at(line, at.column as usize));
            return Problem::at(at, &RenderFault::Lines { helper, hint });
        }
        Ok(fault) => {
            return Problem::at(
                refine_origin(at, source, fault, around),
                with_name_hint(fault, around).as_ref(),
            );
        }
        Err(fault) => fault,
    };
    Problem::at(refine_origin(at, source, &fault, around), with_name_hint(&fault, around).as_ref())
}

/// Extracts our own error from the engine's, or translates the engine's error.
fn extract_fault(reason: &RenderErrorReason) -> Result<&RenderFault, RenderFault> {
    Err(match reason {
        RenderErrorReason::NestedError(error) => match error.downcast_ref::<RenderFault>() {
            Some(fault) => return Ok(fault),
            None => RenderFault::Other("a helper failed"),
        },
        RenderErrorReason::IOError(error) => {
            match error.get_ref().and_then(|inner| inner.downcast_ref::<RenderFault>()) {
                Some(fault) => return Ok(fault),
                None => RenderFault::Other("output failed"),
            }
        }
        RenderErrorReason::MissingVariable(path) => {
            RenderFault::Undefined { path: path.clone().unwrap_or_else(|| "this".to_owned()), hint: None }
        }
        RenderErrorReason::PartialNotFound(name) => RenderFault::NoPartial(name.clone(), None),
        RenderErrorReason::PartialBlockNotFound => RenderFault::NoPartial("@partial-block".to_owned(), None),
        RenderErrorReason::HelperNotFound(name) => RenderFault::NoHelper(name.clone(), None),
        RenderErrorReason::CannotIncludeSelf => RenderFault::Depth,
        RenderErrorReason::InvalidJsonIndex(index) => RenderFault::Index(index.clone()),
        RenderErrorReason::ParamNotFoundForIndex(helper, _) => {
            RenderFault::Arity { helper: helper.to_string(), wanted: "more arguments".to_owned() }
        }
        RenderErrorReason::DecoratorNotFound(_) => RenderFault::Other("the only decorator is `inline`"),
        _ => RenderFault::Other("the template engine failed"),
    })
}

/// Adds a hint to an error about a name: usually the most similar known name.
fn with_name_hint<'f>(fault: &'f RenderFault, around: &ErrorContext<'_>) -> Box<dyn Explain + 'f> {
    match fault {
        RenderFault::Undefined { path, hint: None } => Box::new(RenderFault::Undefined {
            path: path.clone(),
            hint: Some(around.gaps.hint(path).unwrap_or_else(|| undefined_hint(path, around.values))),
        }),
        RenderFault::NoHelper(name, None) => {
            let known = helpers::names().chain(["each", "if", "lookup", "unless", "with"]);
            Box::new(RenderFault::NoHelper(name.clone(), closest_name(name, known).map(str::to_owned)))
        }
        RenderFault::NoPartial(name, None) => {
            let known = around.partials.keys().map(String::as_str);
            Box::new(RenderFault::NoPartial(name.clone(), closest_name(name, known).map(str::to_owned)))
        }
        other => Box::new(BorrowedFault(other)),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BorrowedFault<'a>(&'a RenderFault);

impl Explain for BorrowedFault<'_> {
    fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}

/// Returns the hint for a name that starts with a typographic quote, which word processors write for `"`.
pub(super) fn quote_hint(name: &str) -> Option<String> {
    let is_quote = |c: char| matches!(c, '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}');
    name.starts_with(is_quote)
        .then(|| format!("write straight quotes: `\"{}\"`", name.trim_matches(is_quote)))
}

/// Returns the hint for an undefined path.
fn undefined_hint(path: &str, values: &Json) -> String {
    if let Some(hint) = quote_hint(path) {
        return hint;
    }
    if let Some(name) = closest_path(path, values) {
        return format!("did you mean `{name}`?");
    }
    if helpers::arity(path).is_some() {
        return format!("`{path}` is a helper: put the call in parentheses, as in `({path} …)`");
    }
    if is_at_root(path, values) {
        return format!(
            "write `@root.{path}`: within `#each`, `#with` and a partial with a context, names are those of the context"
        );
    }
    if let Some(advice) = helm::undefined_advice(path) {
        return advice;
    }
    if let Some((name, field)) = path.split_once('.')
        && name != VALUES
        && BUILT_IN_NAMES.contains(&name)
    {
        return format!(
            "`{name}` is a text without fields: set a value in `values.yaml`, such as `{field}`, and read that"
        );
    }
    if path == "namespace" {
        return "set `namespace` in `sealwave.yaml`, or set the namespace of the destination".to_owned();
    }
    if reads_as_boolean(path) {
        return "YAML reads this key as a boolean; choose another key, or put it in quotes".to_owned();
    }
    format!("set it in `values.yaml`, or write `{{{{default \"…\" {path}}}}}`")
}

/// Reports whether the outermost values have a path that is not defined in a block.
fn is_at_root(path: &str, values: &Json) -> bool {
    let mut node = spelling::read_value(values);
    for part in path.split(['.', '/']) {
        match node.as_object().and_then(|fields| fields.get(part)) {
            Some(next) => node = spelling::read_value(next),
            None => return false,
        }
    }
    true
}

/// Returns the path with its first unknown part replaced by the most similar known one.
fn closest_path(path: &str, values: &Json) -> Option<String> {
    let parts: Vec<&str> =
        path.split(['.', '/']).filter(|part| !matches!(*part, "" | "this" | "@root")).collect();
    let mut node = spelling::read_value(values);
    for (index, part) in parts.iter().enumerate() {
        let known = node.as_object()?;
        if let Some(next) = known.get(*part) {
            node = spelling::read_value(next);
            continue;
        }
        let near = closest_name(part, known.keys().map(String::as_str))?;
        let mut guess = parts.clone();
        *guess.get_mut(index)? = near;
        return Some(guess.join("."));
    }
    None
}

/// Narrows the origin to the name within its tag, if the error is about a name.
fn refine_origin(at: Origin, source: SourceId, fault: &RenderFault, around: &ErrorContext<'_>) -> Origin {
    let (RenderFault::Undefined { path: name, .. }
    | RenderFault::Items { path: name, .. }
    | RenderFault::Type { path: name, .. }
    | RenderFault::NoHelper(name, _)
    | RenderFault::NoPartial(name, _)) = fault
    else {
        return at;
    };
    locate_name(around.text_of(source), at, name)
}

/// Returns the origin of a name within the tag at `at`, or `at` itself if the name is not on that line.
pub(super) fn locate_name(text: &str, at: Origin, name: &str) -> Origin {
    let column = at.column as usize;
    let found = text.lines().nth((at.line as usize).saturating_sub(1)).and_then(|line| {
        let start = line.char_indices().nth(column.saturating_sub(1))?.0;
        let before = line.get(start..)?.find(name)?;
        Some(line.get(start..)?.get(..before)?.chars().count())
    });
    let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    found.map_or(at, |offset| Origin {
        column: at.column.saturating_add(to_u32(offset)),
        width: to_u32(name.chars().count()),
        ..at
    })
}

fn origin(source: SourceId, at: Option<(usize, usize)>) -> Origin {
    let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    at.map_or(Origin::whole(source), |(line, column)| Origin::point(source, to_u32(line), to_u32(column)))
}
