//! Hints for values of the wrong type that a template tag prints: where the quotes belong.
//!
//! A hint repeats the tag only if it holds nothing but names: a text in it may be a value.

use crate::reporter::ValueSpelling;

/// The longest expression that a hint repeats.
const MAX_EXPRESSION: usize = 80;

/// Returns how to write a tag so that its value gets the right type; `has_text` if the template has text directly
/// beside it, such as quotes.
pub(super) fn advise(tag: &str, has_text: bool, spelling: ValueSpelling) -> Option<String> {
    let expression = expression(tag)?;
    let quoted = expression
        .strip_prefix("quote ")
        .map(|inner| inner.trim().trim_start_matches('(').trim_end_matches(')'));
    match (spelling, quoted) {
        (ValueSpelling::Quoted, _) if is_path(expression) => {
            Some(format!("write `{{{{ quote {expression} }}}}`"))
        }
        (ValueSpelling::Quoted, _) if has_only_names(expression) => {
            Some(format!("write `{{{{ quote ({expression}) }}}}`"))
        }
        (ValueSpelling::Quoted, _) => Some("call `quote` in the tag: `{{ quote (…) }}`".to_owned()),
        (ValueSpelling::Unquoted, Some(inner)) if has_only_names(inner) => {
            Some(format!("write `{{{{ {} }}}}`, without `quote`", inner.trim()))
        }
        (ValueSpelling::Unquoted, Some(_)) => Some("remove `quote` from the tag".to_owned()),
        (ValueSpelling::Unquoted, None) if has_text => {
            Some("remove the quotes, and any other text, around the tag".to_owned())
        }
        (ValueSpelling::Unquoted, None) => None,
    }
}

/// Returns the expression of a tag that prints something.
fn expression(tag: &str) -> Option<&str> {
    let inner = tag.strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(inner);
    let inner = inner.trim_start_matches('~').trim_end_matches('~').trim();
    (!inner.is_empty() && !inner.starts_with(['#', '/', '>', '!', '^'])).then_some(inner)
}

fn is_path(expression: &str) -> bool {
    has_only_names(expression) && !expression.contains(' ')
}

fn has_only_names(expression: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.@/- ".contains(&byte);
    !expression.is_empty() && expression.len() <= MAX_EXPRESSION && expression.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::{ValueSpelling, advise};

    #[test]
    fn hints_repeat_the_tag_without_texts() {
        for (tag, expected) in [
            ("{{ db.port }}", Some("write `{{ quote db.port }}`")),
            ("{{{db.port}}}", Some("write `{{ quote db.port }}`")),
            ("{{~ db.port ~}}", Some("write `{{ quote db.port }}`")),
            ("{{ add port 1 }}", Some("write `{{ quote (add port 1) }}`")),
            ("{{ default \"hunter2\" x }}", Some("call `quote` in the tag: `{{ quote (…) }}`")),
            ("{{#if x}}", None),
            ("{{> labels}}", None),
            ("text", None),
        ] {
            assert_eq!(advise(tag, false, ValueSpelling::Quoted).as_deref(), expected, "{tag}");
        }
        for (tag, has_text, expected) in [
            ("{{ quote replicas }}", false, Some("write `{{ replicas }}`, without `quote`")),
            ("{{ quote (add replicas 1) }}", false, Some("write `{{ add replicas 1 }}`, without `quote`")),
            ("{{ quote (default \"hunter2\" x) }}", false, Some("remove `quote` from the tag")),
            ("{{ replicas }}", true, Some("remove the quotes, and any other text, around the tag")),
            ("{{ replicas }}", false, None),
        ] {
            assert_eq!(advise(tag, has_text, ValueSpelling::Unquoted).as_deref(), expected, "{tag}");
        }
    }
}
