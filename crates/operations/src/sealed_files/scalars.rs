//! The text of a replaced scalar, in the style of the one before.

use std::ops::Range;

use sealwave_core::yaml::{LayoutNode, LayoutStyle, yaml_string};

/// A replacement of bytes; with an empty range, an insertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    /// The bytes to replace.
    pub(super) span: Range<usize>,
    /// The new text.
    pub(super) text: String,
}

/// The syntax around a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Block,
    Flow,
    Json,
}

/// A text with its line breaks.
#[derive(Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a str);

impl<'a> Text<'a> {
    pub(super) fn get(self, span: Range<usize>) -> &'a str {
        self.0.get(span).unwrap_or("")
    }

    /// Returns the end of the line at an offset, without its break.
    pub(super) fn line_end(self, at: usize) -> usize {
        let rest = self.get(at..self.0.len());
        rest.find(['\n', '\r']).map_or(self.0.len(), |end| at + end)
    }

    /// Returns the start of the line at an offset.
    pub(super) fn line_start(self, at: usize) -> usize {
        self.get(0..at).rfind(['\n', '\r']).map_or(0, |end| end + 1)
    }

    /// Returns the line break after an offset; without one, that of the first line.
    pub(super) fn line_break(self, at: usize) -> &'static str {
        let at_end = |end: usize| {
            let rest = self.get(end..self.0.len());
            ["\r\n", "\n", "\r"].into_iter().find(|line_break| rest.starts_with(line_break))
        };
        at_end(self.line_end(at)).or_else(|| at_end(self.line_end(0))).unwrap_or("\n")
    }
}

/// The place of the content of a block scalar.
struct BlockContent {
    /// The bytes from the first to the last line with content, without indentation and the last line break.
    span: Range<usize>,
    indentation: usize,
    /// The characters of the first line, if there are several.
    width: Option<usize>,
}

/// Returns the replacement of a scalar by a ciphertext, which is base64 on one line.
pub(super) fn replace_ciphertext(
    text: Text<'_>,
    node: &LayoutNode,
    style: LayoutStyle,
    ciphertext: &str,
) -> Option<Splice> {
    let span = value_span(text, node)?;
    let new = match style {
        LayoutStyle::DoubleQuoted => format!("\"{ciphertext}\""),
        LayoutStyle::Folded | LayoutStyle::Literal => {
            return Some(replace_block(text, &span, style, ciphertext));
        }
        LayoutStyle::Plain => yaml_string(ciphertext),
        LayoutStyle::SingleQuoted => format!("'{ciphertext}'"),
    };
    Some(Splice { span, text: new })
}

/// Returns the replacement of a scalar by a text without line breaks.
pub(super) fn replace_text(
    text: Text<'_>,
    node: &LayoutNode,
    style: LayoutStyle,
    syntax: Syntax,
    new: &str,
) -> Option<Splice> {
    let span = value_span(text, node)?;
    let span = match style {
        LayoutStyle::Folded | LayoutStyle::Literal => {
            let end = block_content(text, &span)
                .map_or_else(|| header_end(text, &span), |content| content.span.end);
            span.start..end
        }
        _ => span,
    };
    let single = style == LayoutStyle::SingleQuoted && syntax != Syntax::Json && fits_single_quotes(new);
    let new = if single { format!("'{new}'") } else { quoted(new, syntax) };
    Some(Splice { span, text: new })
}

/// Returns a scalar or key with this text.
pub(super) fn quoted(text: &str, syntax: Syntax) -> String {
    let plain = yaml_string(text);
    match syntax {
        Syntax::Json => serde_json::Value::from(text).to_string(),
        // JSON in double quotes is hard to read.
        _ if plain != text && text.contains('"') && fits_single_quotes(text) => format!("'{text}'"),
        Syntax::Block => plain,
        // Plain scalars in flow style cannot hold brackets and commas.
        Syntax::Flow if plain == text && is_word(text) => plain,
        Syntax::Flow => serde_json::Value::from(text).to_string(),
    }
}

fn fits_single_quotes(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\'')
}

fn is_word(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/' | b'_' | b'+' | b'='))
}

/// Returns the bytes of a scalar without its tag; `None` if it has an anchor or another tag than `!!str`.
fn value_span(text: Text<'_>, node: &LayoutNode) -> Option<Range<usize>> {
    if node.anchor.is_some() {
        return None;
    }
    if !node.tagged {
        return Some(node.span.clone());
    }
    let whole = text.get(node.span.clone());
    let rest = whole.strip_prefix("!!str").or_else(|| whole.strip_prefix('!'))?;
    let value = rest.trim_start_matches([' ', '\t']);
    (value.len() < rest.len() && !value.starts_with(['\r', '\n', '#']))
        .then(|| node.span.end - value.len()..node.span.end)
}

fn replace_block(text: Text<'_>, span: &Range<usize>, style: LayoutStyle, ciphertext: &str) -> Splice {
    let Some(content) = block_content(text, span) else {
        // Without content, the ciphertext takes the place of the indicator.
        return Splice { span: span.start..header_end(text, span), text: yaml_string(ciphertext) };
    };
    // In a folded scalar, line breaks would become spaces, which are not valid in base64.
    let width = content.width.filter(|width| style == LayoutStyle::Literal && *width > 0);
    let Some(width) = width else { return Splice { span: content.span, text: ciphertext.to_owned() } };
    let separator = format!("{}{}", text.line_break(span.start), " ".repeat(content.indentation));
    let mut lines = String::with_capacity(ciphertext.len() * 2);
    let mut rest = ciphertext;
    while rest.len() > width {
        let (line, after) = rest.split_at(width);
        lines.push_str(line);
        lines.push_str(&separator);
        rest = after;
    }
    lines.push_str(rest);
    Splice { span: content.span, text: lines }
}

/// Returns the end of the indicators of a block scalar, such as `|2-`.
fn header_end(text: Text<'_>, span: &Range<usize>) -> usize {
    let is_indicator = |byte: &u8| matches!(byte, b'|' | b'>' | b'+' | b'-' | b'0'..=b'9');
    span.start + text.get(span.clone()).bytes().take_while(|byte| is_indicator(byte)).count()
}

fn block_content(text: Text<'_>, span: &Range<usize>) -> Option<BlockContent> {
    let mut lines: Vec<Range<usize>> = Vec::new();
    let mut at = text.line_end(span.start);
    while at < span.end {
        // Behind the break, which has two characters in CRLF.
        at += if text.get(at..span.end).starts_with("\r\n") { 2 } else { 1 };
        let end = text.line_end(at).min(span.end);
        if at < end && !text.get(at..end).trim().is_empty() {
            lines.push(at..end);
        }
        at = end;
    }
    let (first, last) = (lines.first()?, lines.last()?);
    let line = text.get(first.clone());
    let indentation = line.len() - line.trim_start_matches(' ').len();
    let width = (lines.len() > 1).then(|| line.trim().len());
    Some(BlockContent { span: first.start + indentation..last.end, indentation, width })
}

/// Returns the offset after which a line can follow a scalar in block style.
pub(super) fn scalar_end(text: Text<'_>, node: &LayoutNode, style: LayoutStyle) -> ScalarEnd {
    if !matches!(style, LayoutStyle::Folded | LayoutStyle::Literal) {
        return ScalarEnd::OnLine(node.span.end);
    }
    let header = text.get(node.span.start..text.line_end(node.span.start));
    if header.contains('+') {
        // Empty lines after the content belong to the value.
        return ScalarEnd::LineStart(node.span.end);
    }
    let start = node.span.start;
    ScalarEnd::OnLine(block_content(text, &node.span).map_or(start, |content| content.span.end))
}

/// The end of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarEnd {
    /// At an offset whose line may continue with a comment.
    OnLine(usize),
    /// At the start of a line.
    LineStart(usize),
}
