//! The layout of a stream: the bytes of every node, for editors that change single nodes of a text.
//!
//! The layout says where a node is and how it is written; what it means is up to [`super::read`]. Streams are split as
//! there, so the documents of both correspond. A layout is only found for text that `read` accepts, and an editor must
//! prove its result by reading it again: this module follows one parser, which may place an unusual node differently.

use std::io::BufReader;
use std::ops::Range;

use libyaml_safer::{EventData, MappingStyle, ScalarStyle as ExactStyle, SequenceStyle};

use super::events::{EventSource as _, YamlEvent};
use super::json_stream::yaml_after_json;
use super::json_text::JsonText;
use super::limits::Limits;
use super::pieces::{StreamPiece, StreamPieces};
use crate::caught::catch_panic;

/// A node and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutNode {
    /// The bytes of the node in the stream, including its anchor and tag. A collection in block style may end after the
    /// comments that follow it.
    pub span: Range<usize>,
    /// The name of its anchor.
    pub anchor: Option<String>,
    /// Whether it has a tag.
    pub tagged: bool,
    /// The kind of the node, and its children.
    pub content: LayoutContent,
}

/// The kind of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayoutContent {
    /// A reference to the anchor of this name.
    Alias(String),
    /// A mapping, with merge keys as ordinary keys.
    Mapping {
        /// Keys and values in order, including duplicates.
        entries: Vec<(LayoutNode, LayoutNode)>,
        /// Whether it is in flow style, with brackets.
        flow: bool,
    },
    /// A scalar.
    Scalar {
        /// The text after decoding, before its type is resolved.
        text: String,
        /// The style.
        style: LayoutStyle,
    },
    /// A sequence.
    Sequence {
        /// The items in order.
        items: Vec<LayoutNode>,
        /// Whether it is in flow style, with brackets.
        flow: bool,
    },
}

/// The style of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutStyle {
    /// In double quotes.
    DoubleQuoted,
    /// A block scalar whose line breaks become spaces: `>`.
    Folded,
    /// A block scalar that keeps its line breaks: `|`.
    Literal,
    /// Without quotes; also a missing value.
    Plain,
    /// In single quotes.
    SingleQuoted,
}

/// The layout of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentLayout {
    /// The root of the document.
    pub root: LayoutNode,
    /// Whether the document is JSON.
    pub json: bool,
}

impl LayoutNode {
    /// Returns the entries of a mapping.
    #[must_use]
    pub fn entries(&self) -> &[(Self, Self)] {
        match &self.content {
            LayoutContent::Mapping { entries, .. } => entries,
            _ => &[],
        }
    }

    /// Returns the text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            LayoutContent::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Returns the first entry of a mapping with this key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&(Self, Self)> {
        self.entries().iter().find(|(name, _)| name.text() == Some(key))
    }

    fn is_null(&self) -> bool {
        matches!(&self.content, LayoutContent::Scalar { text, style: LayoutStyle::Plain }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }
}

/// Returns the layout of each document that [`super::read`] returns, in order. Returns `None` if it cannot be found.
#[must_use]
pub fn read_layout(bytes: &[u8], limits: &Limits) -> Option<Vec<DocumentLayout>> {
    let text = std::str::from_utf8(bytes).ok().filter(|_| bytes.len() <= limits.stream_bytes)?;
    let mut documents = Vec::new();
    let (rest, lines_before) = if text.trim_ascii_start().starts_with('{') {
        match json_documents(text, limits, &mut documents) {
            JsonPart::All => ("", 0),
            JsonPart::Before(rest) => (rest, 0),
            JsonPart::Malformed => return None,
        }
    } else {
        (text, 0)
    };
    let base = text.len().checked_sub(rest.len())?;
    if !rest.is_empty() {
        for piece in StreamPieces::new(rest, lines_before) {
            documents.extend(piece_layout(&piece, base, limits)?);
        }
    }
    Some(documents)
}

/// The part of a stream that is JSON.
enum JsonPart<'a> {
    All,
    /// The rest is YAML.
    Before(&'a str),
    Malformed,
}

fn json_documents<'a>(text: &'a str, limits: &Limits, documents: &mut Vec<DocumentLayout>) -> JsonPart<'a> {
    let mut json = JsonText::new(text);
    let (mut count, mut end) = (0, (0, 0));
    while json.next_document() {
        let Some(root) = json_layout(&mut json, limits) else {
            return match yaml_after_json(text, count, end) {
                Some((rest, _)) => JsonPart::Before(rest),
                None => JsonPart::Malformed,
            };
        };
        count += 1;
        end = (json.position(), json.line());
        if !root.is_null() {
            documents.push(DocumentLayout { root, json: true });
        }
    }
    JsonPart::All
}

fn json_layout(json: &mut JsonText<'_>, limits: &Limits) -> Option<LayoutNode> {
    let mut builder = LayoutBuilder::new(limits);
    while let Some(event) = json.next() {
        let (event, _) = event.ok()?;
        let span = json.token();
        match event {
            YamlEvent::Alias(_) => return None,
            YamlEvent::MappingEnd | YamlEvent::SequenceEnd => builder.close(span.end)?,
            YamlEvent::MappingStart(_) => {
                builder.open(OpenLayout::mapping(span.start, None, false, true))?;
            }
            YamlEvent::SequenceStart(_) => {
                builder.open(OpenLayout::sequence(span.start, None, false, true))?;
            }
            YamlEvent::Scalar(scalar) => {
                let style = if scalar.plain { LayoutStyle::Plain } else { LayoutStyle::DoubleQuoted };
                let content = LayoutContent::Scalar { text: scalar.text.into_owned(), style };
                builder.place(LayoutNode { span, anchor: None, tagged: false, content })?;
            }
        }
    }
    builder.root
}

/// Returns the document of a piece; `Some(None)` if it is empty.
#[expect(clippy::option_option, reason = "an empty piece differs from an unknown layout")]
fn piece_layout(piece: &StreamPiece<'_>, base: usize, limits: &Limits) -> Option<Option<DocumentLayout>> {
    if piece.text().len() > limits.document_bytes {
        return None;
    }
    let text = piece.text().strip_prefix('\u{feff}').unwrap_or(piece.text());
    let base = base.checked_add(piece.start())?.checked_add(piece.text().len() - text.len())?;
    // As in `read`, the last line is terminated; no span goes beyond the text itself.
    let owned = if text.ends_with('\n') { None } else { Some(format!("{text}\n")) };
    let input = owned.as_deref().unwrap_or(text);
    let mut parser = libyaml_safer::Parser::new();
    parser.set_input(BufReader::with_capacity(4096, input.as_bytes()));
    let mut builder = LayoutBuilder::new(limits);
    loop {
        let event = catch_panic(|| parser.parse()).ok()?.ok()?;
        let place = |mark: libyaml_safer::Mark| {
            usize::try_from(mark.index).ok().map(|at| base.saturating_add(at.min(text.len())))
        };
        let span = place(event.start_mark)?..place(event.end_mark)?;
        match event.data {
            EventData::StreamEnd => break,
            EventData::DocumentStart { .. }
            | EventData::DocumentEnd { .. }
            | EventData::StreamStart { .. } => {}
            EventData::Alias { anchor } => builder.place(LayoutNode {
                span,
                anchor: None,
                tagged: false,
                content: LayoutContent::Alias(anchor),
            })?,
            EventData::MappingStart { anchor, tag, style, .. } => {
                let flow = style == MappingStyle::Flow;
                builder.open(OpenLayout::mapping(span.start, anchor, tag.is_some(), flow))?;
            }
            EventData::SequenceStart { anchor, tag, style, .. } => {
                let flow = style == SequenceStyle::Flow;
                builder.open(OpenLayout::sequence(span.start, anchor, tag.is_some(), flow))?;
            }
            EventData::MappingEnd | EventData::SequenceEnd => builder.close(span.end)?,
            EventData::Scalar { anchor, tag, value, style, .. } => {
                let style = match style {
                    ExactStyle::DoubleQuoted => LayoutStyle::DoubleQuoted,
                    ExactStyle::Folded => LayoutStyle::Folded,
                    ExactStyle::Literal => LayoutStyle::Literal,
                    ExactStyle::SingleQuoted => LayoutStyle::SingleQuoted,
                    _ => LayoutStyle::Plain,
                };
                let content = LayoutContent::Scalar { text: value, style };
                builder.place(LayoutNode { span, anchor, tagged: tag.is_some(), content })?;
            }
        }
    }
    Some(builder.root.filter(|root| !root.is_null()).map(|root| DocumentLayout { root, json: false }))
}

/// A collection that is not closed yet.
struct OpenLayout {
    start: usize,
    anchor: Option<String>,
    tagged: bool,
    content: LayoutContent,
    /// The key of a mapping that waits for its value.
    key: Option<LayoutNode>,
}

impl OpenLayout {
    const fn mapping(start: usize, anchor: Option<String>, tagged: bool, flow: bool) -> Self {
        let content = LayoutContent::Mapping { entries: Vec::new(), flow };
        Self { start, anchor, tagged, content, key: None }
    }

    const fn sequence(start: usize, anchor: Option<String>, tagged: bool, flow: bool) -> Self {
        let content = LayoutContent::Sequence { items: Vec::new(), flow };
        Self { start, anchor, tagged, content, key: None }
    }
}

/// Builds the layout of one document, on a stack of limited height.
struct LayoutBuilder {
    open: Vec<OpenLayout>,
    root: Option<LayoutNode>,
    depth: usize,
    nodes_left: usize,
}

impl LayoutBuilder {
    const fn new(limits: &Limits) -> Self {
        Self { open: Vec::new(), root: None, depth: limits.depth, nodes_left: limits.document_nodes }
    }

    fn open(&mut self, collection: OpenLayout) -> Option<()> {
        (self.open.len() < self.depth).then(|| self.open.push(collection))
    }

    fn close(&mut self, end: usize) -> Option<()> {
        let OpenLayout { start, anchor, tagged, content, .. } = self.open.pop()?;
        self.place(LayoutNode { span: start..end.max(start), anchor, tagged, content })
    }

    fn place(&mut self, node: LayoutNode) -> Option<()> {
        self.nodes_left = self.nodes_left.checked_sub(1)?;
        let Some(parent) = self.open.last_mut() else {
            return self.root.is_none().then(|| self.root = Some(node));
        };
        match &mut parent.content {
            LayoutContent::Mapping { entries, .. } => match parent.key.take() {
                None => parent.key = Some(node),
                Some(key) => entries.push((key, node)),
            },
            LayoutContent::Sequence { items, .. } => items.push(node),
            LayoutContent::Alias(_) | LayoutContent::Scalar { .. } => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> Vec<DocumentLayout> {
        read_layout(text.as_bytes(), &Limits::default()).unwrap()
    }

    /// Returns the bytes of each scalar that is a value.
    fn values<'t>(text: &'t str, node: &LayoutNode, out: &mut Vec<&'t str>) {
        match &node.content {
            LayoutContent::Mapping { entries, .. } => {
                for (_, value) in entries {
                    values(text, value, out);
                }
            }
            LayoutContent::Sequence { items, .. } => items.iter().for_each(|item| values(text, item, out)),
            _ => out.push(&text[node.span.clone()]),
        }
    }

    #[test]
    fn spans_are_those_of_the_text() {
        for (text, expected) in [
            ("a: b\nc: 'd e'\n", vec!["b", "'d e'"]),
            ("# \u{e4}\n\u{e4}: \u{e4}\u{e4} # x\nb: \"\\u00e4\"", vec!["\u{e4}\u{e4}", "\"\\u00e4\""]),
            ("a: b\r\nc:\r\n- d\r\n", vec!["b", "d"]),
            ("\u{feff}a: b\n---\nc: {d: e, f: [g]}\n", vec!["b", "e", "g"]),
            ("a: !!str b\nc: &x d\ne: *x\n", vec!["!!str b", "&x d", "*x"]),
            ("a:\nb: 1", vec!["", "1"]),
            ("{\"a\": \"b\", \"c\": [1, true]}\n{\"d\":null}", vec!["\"b\"", "1", "true", "null"]),
            ("{a: b}\n---\nc: d\n", vec!["b", "d"]),
            ("{\"a\": \"b\"}\n---\nc: d\n", vec!["\"b\"", "d"]),
        ] {
            let mut found = Vec::new();
            for document in &layout(text) {
                values(text, &document.root, &mut found);
            }
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn documents_correspond_to_those_of_the_reader() {
        let source = crate::document::Sources::default().add("a.yaml");
        for text in [
            "",
            "---\n---\n",
            "~\n---\na: 1\n",
            "# x\n---\n\n---\nnull\n---\n{}\n",
            "{\"a\":1}\n{\"b\":2}\n{\"c\":3}",
            "\u{feff}---\na: 1\n",
            "--- # x\na: 1\n...\n",
            "{}",
            "[]",
            "{\"a\":1}\n# x\n",
        ] {
            let read = super::super::read(text.as_bytes(), source, &Limits::default()).unwrap();
            assert_eq!(layout(text).len(), read.len(), "{text:?}");
        }
    }

    #[test]
    fn malformed_and_deep_text_has_no_layout() {
        for text in ["a: [", "{\"a\": ]", &"[".repeat(1000), "a: *b\nc: \"\n"] {
            assert_eq!(read_layout(text.as_bytes(), &Limits::default()), None);
        }
        assert_eq!(read_layout(&[0xff], &Limits::default()), None);
    }
}
