//! From a node back to what its author wrote: the file, the template's expression, the values behind it.

use crate::diagnostic::{Related, Span};
use crate::model::{Node, Origin, Place, Sources, Texts};

/// Finds the places that people can open.
#[derive(Clone, Copy)]
pub(super) struct Locator<'a> {
    pub(super) sources: &'a Sources,
    pub(super) texts: &'a Texts,
}

impl Locator<'_> {
    /// Where a position is, and where the value behind it comes from.
    ///
    /// A position in rendered text leads to the template's line; on it, to the same text where it stands there once, or to
    /// the only expression of the line; and from an expression that is a path to the value it means.
    pub(super) fn locate(&self, origin: Origin, values: Option<&Node>) -> (Span, Vec<Related>) {
        let place = self.sources.place(origin);
        let Some(made_by) = self.sources.made_by(origin) else {
            return (Span { place, width: origin.width }, Vec::new());
        };
        let line = self.texts.line(made_by.source, made_by.line).unwrap_or_default();
        let spelling = self.texts.spelling(origin).filter(|text| !text.is_empty());
        if let Some((column, width)) = spelling.and_then(|spelling| literal(line, spelling)) {
            return (Span { place: Place { column, ..place }, width }, Vec::new());
        }
        let Some(expression) = only_expression(line) else {
            return (Span { place, width: 0 }, Vec::new());
        };
        let source = values.and_then(|values| lookup(values, expression.path?));
        let related = source.map(|origin| Related {
            label: "its value comes from here".to_owned(),
            span: Span { place: self.sources.place(origin), width: origin.width },
            confidential: true,
        });
        let span = Span { place: Place { column: expression.column, ..place }, width: expression.width };
        (span, related.into_iter().collect())
    }
}

/// Column and width of a text that stands exactly once on a line, outside of expressions.
fn literal(line: &str, text: &str) -> Option<(u32, u32)> {
    let mut found = line.match_indices(text).filter(|(at, _)| {
        let before = line.get(..*at).unwrap_or_default();
        before.matches("{{").count() == before.matches("}}").count()
    });
    let (at, _) = found.next()?;
    (found.next().is_none() && !text.contains("{{")).then(|| (column(line, at), number(text.chars().count())))
}

struct Expression<'a> {
    column: u32,
    width: u32,
    /// Its dotted path, where it is nothing but one.
    path: Option<&'a str>,
}

/// The expression of a line that has exactly one.
fn only_expression(line: &str) -> Option<Expression<'_>> {
    let start = line.find("{{")?;
    let rest = line.get(start..)?;
    let mut end = rest.find("}}")? + 2;
    end += usize::from(rest.get(end..).is_some_and(|rest| rest.starts_with('}')));
    let (expression, after) = rest.split_at_checked(end)?;
    if after.contains("{{") {
        return None;
    }
    let inner = expression.trim_matches(['{', '}', '~']).trim();
    let is_path = !inner.is_empty() && inner.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
    Some(Expression {
        column: column(line, start),
        width: number(expression.chars().count()),
        path: is_path.then_some(inner),
    })
}

/// Where the value at the end of a dotted path stands.
fn lookup(values: &Node, path: &str) -> Option<Origin> {
    let path = path.strip_prefix("values.").unwrap_or(path);
    let node = path.split('.').try_fold(values, |node, key| node.get(key))?;
    (node.origin.line > 0).then_some(node.origin)
}

fn column(line: &str, at: usize) -> u32 {
    number(line.get(..at).unwrap_or_default().chars().count()).saturating_add(1)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_where_it_stands_once() {
        assert_eq!(literal("  replicas: three", "three"), Some((13, 5)));
        assert_eq!(literal("  a: a", "a"), None);
        assert_eq!(literal("  a: {{ a }}b", "b"), Some((13, 1)));
        assert_eq!(literal("  n: {{ x }}", "x"), None);
    }

    #[test]
    fn the_only_expression_and_its_path() {
        let of = |line| only_expression(line).map(|found| (found.column, found.width, found.path));
        assert_eq!(of("  replicas: {{ web.replicas }}"), Some((13, 18, Some("web.replicas"))));
        assert_eq!(of("  replicas: {{{ web.replicas }}}"), Some((13, 20, Some("web.replicas"))));
        assert_eq!(of("  x: {{ default a 1 }}"), Some((6, 17, None)));
        assert_eq!(of("  x: {{ a }}{{ b }}"), None);
        assert_eq!(of("  x: 1"), None);
    }
}
