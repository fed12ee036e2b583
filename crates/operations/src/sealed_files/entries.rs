//! The text of new entries of a mapping, in the style of those around them.

use sealwave_core::yaml::{LayoutContent, LayoutNode, LayoutStyle};

use super::scalars::{ScalarEnd, Splice, Syntax, Text, quoted, scalar_end};

/// The spaces by which a nested mapping is indented if the file does not show it.
const INDENTATION: usize = 2;

/// Keys and texts.
pub(super) type NewEntries<'e> = &'e [(String, String)];

/// Returns the insertion of entries at the end of a mapping.
pub(super) fn append_entries(
    text: Text<'_>,
    mapping: &LayoutNode,
    json: bool,
    entries: NewEntries<'_>,
) -> Option<Splice> {
    let syntax = syntax_of(mapping, json)?;
    if syntax == Syntax::Block {
        let column = block_column(text, mapping)?;
        let lines: Vec<String> = entries.iter().map(|entry| line(column, entry)).collect();
        return insert_lines(text, mapping, &lines);
    }
    insert_in_flow(
        text,
        mapping,
        syntax,
        &entries.iter().map(|entry| pair(entry, syntax)).collect::<Vec<_>>(),
    )
}

/// Returns the insertion of a mapping with entries as the last value of `parent`, below one or more new keys.
pub(super) fn append_mapping(
    text: Text<'_>,
    parent: &LayoutNode,
    json: bool,
    keys: &[&str],
    entries: NewEntries<'_>,
) -> Option<Splice> {
    let syntax = syntax_of(parent, json)?;
    if syntax == Syntax::Block {
        let column = block_column(text, parent)?;
        return insert_lines(text, parent, &nested_lines(column, keys, entries));
    }
    let (key, below) = keys.split_first()?;
    let value = format!("{}: {}", quoted(key, syntax), nested_flow(below, entries, syntax));
    insert_in_flow(text, parent, syntax, &[value])
}

/// Returns the replacement of a null value by a mapping with entries, below new keys if there are any.
pub(super) fn fill_null(
    text: Text<'_>,
    parent: &LayoutNode,
    value: &LayoutNode,
    json: bool,
    keys: &[&str],
    entries: NewEntries<'_>,
) -> Option<Splice> {
    let syntax = syntax_of(parent, json)?;
    let is_written = !value.span.is_empty();
    if syntax != Syntax::Block || is_written {
        let flow = if syntax == Syntax::Block { Syntax::Flow } else { syntax };
        let space = if is_written { "" } else { " " };
        let text = format!("{space}{}", nested_flow(keys, entries, flow));
        return Some(Splice { span: value.span.clone(), text });
    }
    let column = block_column(text, parent)? + INDENTATION;
    let end = text.line_end(value.span.start);
    let line_break = text.line_break(value.span.start);
    let lines = nested_lines(column, keys, entries);
    Some(Splice { span: end..end, text: after_separators(&lines, line_break) })
}

/// Returns the lines of entries below keys.
fn nested_lines(mut column: usize, keys: &[&str], entries: NewEntries<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for key in keys {
        lines.push(format!("{}{key}:", " ".repeat(column)));
        column += INDENTATION;
    }
    lines.extend(entries.iter().map(|entry| line(column, entry)));
    lines
}

/// Returns a mapping with entries below keys.
fn nested_flow(keys: &[&str], entries: NewEntries<'_>, syntax: Syntax) -> String {
    keys.iter()
        .rev()
        .fold(flow_mapping(entries, syntax), |below, key| format!("{{{}: {below}}}", quoted(key, syntax)))
}

/// Returns the syntax within a mapping.
pub(super) const fn syntax_of(mapping: &LayoutNode, json: bool) -> Option<Syntax> {
    match &mapping.content {
        LayoutContent::Mapping { .. } if json => Some(Syntax::Json),
        LayoutContent::Mapping { flow: true, .. } => Some(Syntax::Flow),
        LayoutContent::Mapping { .. } => Some(Syntax::Block),
        _ => None,
    }
}

fn line(column: usize, (key, text): &(String, String)) -> String {
    format!("{}{}: {}", " ".repeat(column), quoted(key, Syntax::Block), quoted(text, Syntax::Block))
}

fn pair((key, text): &(String, String), syntax: Syntax) -> String {
    format!("{}: {}", quoted(key, syntax), quoted(text, syntax))
}

fn flow_mapping(entries: NewEntries<'_>, syntax: Syntax) -> String {
    let pairs: Vec<String> = entries.iter().map(|entry| pair(entry, syntax)).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// Returns the column of the keys of a mapping in block style; `None` if they have an unusual form.
fn block_column(text: Text<'_>, mapping: &LayoutNode) -> Option<usize> {
    let (key, _) = mapping.entries().first()?;
    let before = text.get(text.line_start(key.span.start)..key.span.start);
    let before = before.strip_prefix('\u{feff}').unwrap_or(before);
    before.bytes().all(|byte| matches!(byte, b' ' | b'-')).then_some(before.len())
}

/// Returns the insertion of lines after the last entry of a mapping in block style.
fn insert_lines(text: Text<'_>, mapping: &LayoutNode, lines: &[String]) -> Option<Splice> {
    Some(match end_of(text, mapping)? {
        ScalarEnd::OnLine(at) => {
            let (end, line_break) = (text.line_end(at), text.line_break(at));
            Splice { span: end..end, text: after_separators(lines, line_break) }
        }
        ScalarEnd::LineStart(at) => {
            let line_break = text.line_break(mapping.span.start);
            Splice { span: at..at, text: format!("{}{line_break}", lines.join(line_break)) }
        }
    })
}

/// Returns parts, each after a line break or another separator.
fn after_separators(parts: &[String], separator: &str) -> String {
    format!("{separator}{}", parts.join(separator))
}

/// Returns the end of the last scalar of a node in block style. The end of a collection is after the comments behind it.
fn end_of(text: Text<'_>, node: &LayoutNode) -> Option<ScalarEnd> {
    match &node.content {
        LayoutContent::Mapping { entries, flow: false } => end_of(text, &entries.last()?.1),
        LayoutContent::Sequence { items, flow: false } => end_of(text, items.last()?),
        LayoutContent::Scalar { style, .. } => Some(scalar_end(text, node, *style)),
        LayoutContent::Alias(_) | LayoutContent::Mapping { .. } | LayoutContent::Sequence { .. } => {
            Some(ScalarEnd::OnLine(node.span.end))
        }
    }
}

/// Returns the insertion of pairs after the last entry of a mapping in flow style.
fn insert_in_flow(text: Text<'_>, mapping: &LayoutNode, syntax: Syntax, pairs: &[String]) -> Option<Splice> {
    let open = mapping.span.start + text.get(mapping.span.clone()).find('{')?;
    let entries = mapping.entries();
    let Some((last_key, last)) = entries.last() else {
        return Some(Splice { span: open + 1..open + 1, text: pairs.join(", ") });
    };
    let gap = match entries.len().checked_sub(2).and_then(|before| entries.get(before)) {
        Some((_, before)) => text.get(before.span.end..last_key.span.start),
        None => text.get(open + 1..last_key.span.start),
    };
    let space = gap.replace(',', "");
    let is_blank = space.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
    let space = if is_blank && (space.contains('\n') || syntax == Syntax::Json && entries.len() > 1) {
        &space
    } else {
        " "
    };
    let separator = format!(",{space}");
    Some(Splice { span: last.span.end..last.span.end, text: after_separators(pairs, &separator) })
}

/// Returns the style of a scalar.
pub(super) const fn style_of(node: &LayoutNode) -> Option<LayoutStyle> {
    match &node.content {
        LayoutContent::Scalar { style, .. } => Some(*style),
        _ => None,
    }
}
