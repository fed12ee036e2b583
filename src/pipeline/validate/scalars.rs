//! Whether what looks like a comment is text: a line of a block scalar, or of a quoted one.
//!
//! The parser gives no comments, so the text decides, and only where one matters. Templates are no YAML before they are
//! rendered: their tags alone on a line are passed over.

/// Whether the `#` at `hash` stands within a scalar.
pub(super) fn is_text(text: &str, hash: usize) -> bool {
    let Some(before) = text.get(..hash) else { return false };
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let own = indentation(line);
    let mut least = own;
    let mut end = start;
    // The first line that may have opened a quote which is open still.
    let mut opened_at = start;
    while least > 0 && end > 0 {
        let from = text.get(..end - 1).and_then(|rest| rest.rfind('\n')).map_or(0, |end| end + 1);
        let above = text.get(from..end - 1).unwrap_or_default();
        if is_content(above) && indentation(above) < least {
            if opened_at == start {
                opened_at = from;
            }
            if block_column(above).is_some_and(|column| column < least)
                && own >= block_indentation(above, text.get(end..hash).unwrap_or_default())
            {
                return true;
            }
            least = indentation(above);
        }
        end = from;
    }
    is_quoted(text.get(opened_at..hash).unwrap_or_default())
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Neither blank, nor a comment, nor a template's tag.
fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#') && !line.starts_with("{{")
}

/// Of a line that ends in the header of a block scalar, the column of what holds it: its key, or the dash of its item.
fn block_column(line: &str) -> Option<usize> {
    let (before, _) = header(line)?;
    let mut column = indentation(line);
    let mut rest = line.get(column..before)?;
    while let Some(inner) = rest.strip_prefix("- ").map(|inner| inner.trim_start_matches(' ')) {
        if inner.is_empty() {
            break;
        }
        column += rest.len() - inner.len();
        rest = inner;
    }
    Some(column)
}

/// Where the header of a block scalar starts, and the indentation that it gives.
fn header(line: &str) -> Option<(usize, Option<usize>)> {
    let line = line.split_once(" #").map_or(line, |(line, _)| line).trim_end();
    let marks = line.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    let before = marks.strip_suffix(['|', '>'])?;
    let holder = before.trim_end().rsplit([' ', '\t']).next().unwrap_or_default();
    let holds = holder.is_empty()
        || holder.ends_with(':')
        || matches!(holder, "-" | "?" | "---")
        || holder.starts_with(['!', '&']);
    let given = line.get(marks.len()..)?.chars().find_map(|c| c.to_digit(10)).and_then(|n| n.try_into().ok());
    (holds && (before.is_empty() || before.ends_with([' ', '\t']))).then_some((before.len(), given))
}

/// How far the lines of a block scalar are indented.
fn block_indentation(header_line: &str, content: &str) -> usize {
    match header(header_line) {
        Some((_, Some(given))) => block_column(header_line).unwrap_or_default() + given,
        _ => content.lines().find(|line| !line.trim().is_empty()).map_or(0, indentation),
    }
}

/// Whether a quote is open at the end of a text that starts outside of any.
fn is_quoted(text: &str) -> bool {
    let mut open = None;
    let mut before = '\n';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (open, c) {
            (Some('"'), '\\') => drop(chars.next()),
            (Some('\''), '\'') if chars.peek() == Some(&'\'') => drop(chars.next()),
            (Some(quote), c) if c == quote => open = None,
            (None, '"' | '\'') if before.is_whitespace() || "[{,(:".contains(before) => open = Some(c),
            (None, '#') if before.is_whitespace() => {
                chars.by_ref().find(|c| *c == '\n');
                before = '\n';
                continue;
            }
            _ => {}
        }
        before = c;
    }
    open.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<bool> {
        text.match_indices("#!").map(|(at, _)| is_text(text, at)).collect()
    }

    #[test]
    fn lines_of_block_scalars_are_text() {
        for text in [
            "data:\n  a: |\n    #! x\n",
            "data:\n  a: |-\n    y\n      z\n\n      #! x\n",
            "data:\n  a: >2+ # why\n     y\n    #! x\n",
            "- |\n # y\n #! x\n",
            "- a: !!str |\n    b: 1 #! x\n",
            "a:\n- - |\n    {{#if b}}\n    #! x\n",
        ] {
            assert_eq!(texts(text), [true], "{text}");
        }
    }

    #[test]
    fn quoted_text_is_text() {
        for text in [
            "a: \"x #! y\"",
            "a: 'it''s #! y'",
            "a: [b, \"x #! y\"]",
            "a: \"x\n  #! y\n  z\"",
            "a:\n  b: 'x\n    y\n    #! y'",
        ] {
            assert_eq!(texts(text), [true], "{text}");
        }
    }

    #[test]
    fn comments_are_comments() {
        for text in [
            "#! x\na: 1\n",
            "a: 1 #! x\n",
            "a: | #! x\n  b\n",
            "a: |\n  b\n#! x\nc: 1\n",
            "- a: |\n    b\n  #! x\n  c: 1\n",
            "a:\n  b: |\n    c\n  #! x\n  d: 1\n",
            "a:\n  b: |\n      c\n    #! x\n  d: 1\n",
            "a: it's #! x\n",
            "a: \"x\" #! y\n",
            "a: \"x\n  y\" #! y\n",
            "a: b | c\n  #! x\n",
            "a:\n  # don't\n  b: 1 #! x\n",
            "{{#if a}}\n  a: 1 #! x\n{{/if}}\n",
        ] {
            assert_eq!(texts(text), [false], "{text}");
        }
    }
}
