//! The indentation of the lines of a document, to explain one that does not match.
//!
//! Sees keys and dashes at the start of lines only. Flow collections and the content of block scalars look like other
//! lines to it, so it is only asked after a syntax error.

use super::error::YamlError;
use super::position::TextPosition;

/// The most dashes of one line that are looked at.
const MAX_DASHES: usize = 16;

/// A key or a dash that other lines may be indented like.
struct Level<'a> {
    /// The number of spaces before it.
    spaces: usize,
    /// `None` for a dash.
    key: Option<&'a str>,
    /// Whether a value follows on the same line.
    has_value: bool,
}

/// Returns the text above a line, counted from 1, and the line.
pub(super) fn split_at_line(text: &str, line: usize) -> Option<(&str, &str)> {
    let start = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let (above, rest) = text.split_at_checked(start)?;
    Some((above, rest.lines().next()?))
}

/// Returns the number of spaces at the start of a line.
pub(super) fn of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Reports whether a line is neither blank nor a comment.
pub(super) fn has_content(line: &str) -> bool {
    !line.trim_start().is_empty() && !line.trim_start().starts_with('#')
}

/// Returns the mistake in the indentation of a line, counted from 1, if the lines above show how it should be indented.
pub(super) fn find_mistake(text: &str, line: usize) -> Option<(YamlError, TextPosition)> {
    let (above, here) = split_at_line(text, line)?;
    let above = levels_above(above.lines(), here)?;
    let own = levels_of(here);
    let first = own.first()?;
    let model = matching_level(first, &above)?;
    let error = YamlError::UnevenIndentation {
        like: model.key.map(str::to_owned),
        spaces: model.spaces,
        is_deeper: model.has_value && first.spaces > model.spaces,
    };
    Some((error, TextPosition { line, column: first.spaces + 1 }))
}

/// Returns the levels that enclose a line; `None` if the lines above have a string of several lines, whose content
/// looks like keys.
fn levels_above<'a>(lines: impl Iterator<Item = &'a str>, here: &str) -> Option<Vec<Level<'a>>> {
    let mut above: Vec<Level<'a>> = Vec::new();
    // The indentation of the key of a block scalar.
    let mut block: Option<usize> = None;
    for line in lines.filter(|line| has_content(line)) {
        let spaces = of(line);
        if block.is_some_and(|key| spaces > key) {
            continue;
        }
        block = None;
        if opens_quote(line) {
            return None;
        }
        while above.last().is_some_and(|level| level.spaces >= spaces) {
            above.pop();
        }
        let levels = levels_of(line);
        if opens_block_scalar(line) {
            block = levels.last().map(|level| level.spaces);
        }
        above.extend(levels);
    }
    // The line may be the end of a block scalar.
    block.is_none_or(|key| of(here) <= key).then_some(above)
}

/// Returns the level that a line probably should have; `None` if it has a level of the lines above.
fn matching_level<'l, 'a>(own: &Level<'_>, above: &'l [Level<'a>]) -> Option<&'l Level<'a>> {
    let is_alike = |level: &&Level<'_>| level.key.is_some() == own.key.is_some();
    let same = above.iter().enumerate().find(|(_, level)| level.spaces == own.spaces);
    if let Some((at, level)) = same {
        // A key at the column of a dash: the keys of the item are beyond the dash.
        let is_at_dash = own.key.is_some() && level.key.is_none();
        return above.get(at + 1).filter(|_| is_at_dash).filter(is_alike);
    }
    let last = above.last()?;
    if own.spaces > last.spaces {
        return Some(last).filter(|last| last.has_value).filter(is_alike);
    }
    above.iter().rev().filter(is_alike).min_by_key(|level| level.spaces.abs_diff(own.spaces))
}

/// Returns the dashes and the key at the start of a line.
fn levels_of(line: &str) -> Vec<Level<'_>> {
    let mut levels = Vec::new();
    let mut rest = line.trim_start_matches(' ');
    while let Some(item) = rest.strip_prefix('-').filter(|item| item.is_empty() || item.starts_with(' ')) {
        if levels.len() >= MAX_DASHES {
            return levels;
        }
        levels.push(Level { spaces: line.len() - rest.len(), key: None, has_value: false });
        rest = item.trim_start_matches(' ');
    }
    if let Some((key, value)) = split_key(rest) {
        let value = value.trim();
        let has_value = !value.is_empty() && !value.starts_with(['#', '|', '>', '&', '!', '[', '{']);
        levels.push(Level { spaces: line.len() - rest.len(), key: Some(key), has_value });
    }
    levels
}

/// Reports whether the value of a line is a block scalar.
fn opens_block_scalar(line: &str) -> bool {
    let code = line.split(" #").next().unwrap_or(line).trim_end();
    let header = code.rsplit(' ').next().unwrap_or(code);
    header.starts_with(['|', '>']) && header.len() <= 3
}

/// Reports whether a line may end within a quoted string.
fn opens_quote(line: &str) -> bool {
    line.matches('"').count() % 2 == 1 || line.matches('\'').count() % 2 == 1
}

/// Splits a line after its key.
fn split_key(text: &str) -> Option<(&str, &str)> {
    let ends_key = |at: &usize| text.as_bytes().get(at + 1).is_none_or(|byte| matches!(byte, b' ' | b'\r'));
    let colon = text.match_indices(':').map(|(at, _)| at).find(ends_key)?;
    let key = text.get(..colon)?.trim_matches(['"', '\'']);
    is_plain_key(key).then_some((key, text.get(colon + 1..)?))
}

/// Reports whether a line has a key with a plain value that extends up to a column, counted from 1.
pub(super) fn has_plain_value(line: &str, column: usize) -> bool {
    let end = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let rest = line.get(..end).unwrap_or_default().trim_start_matches([' ', '-']);
    split_key(rest).is_some_and(|(_, value)| value.trim_start().starts_with(char::is_alphanumeric))
}

/// Returns the column from 0 of the colon of a key that is directly before its value.
pub(super) fn colon_without_space(line: &str) -> Option<usize> {
    let rest = line.trim_start_matches([' ', '-']);
    let (key, value) = rest.split_once(':')?;
    let is_value =
        value.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '"' | '\'' | '{' | '['));
    (is_plain_key(key) && is_value).then_some(line.len() - rest.len() + key.len())
}

fn is_plain_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
}
