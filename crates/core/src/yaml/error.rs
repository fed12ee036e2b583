//! Why a document cannot be read, in this project's own words.
//!
//! Parser crates' texts never get in here: some of them quote the input, and the input may hold a secret.

use crate::diagnostic::Explain;
use crate::names::is_item_key;

/// Why a document, or a place in it, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// Aliases expand to more than the limits allow.
    #[error("aliases expand to more than {0}")]
    AliasExpansion(&'static str),
    /// An alias stands inside what it refers to.
    #[error("alias refers to a node that contains it")]
    AliasCycle,
    /// `!!binary` whose text is not base64, or not UTF-8 once decoded.
    #[error("`!!binary` value is not base64 of UTF-8 text")]
    Binary,
    /// A character that YAML does not allow unescaped.
    #[error("character U+{0:04X} is not allowed in YAML")]
    ControlCharacter(u32),
    /// More nesting than the limit.
    #[error("document is nested deeper than {0} levels")]
    Depth(usize),
    /// A `%YAML` or `%TAG` line.
    #[error("directives such as `%YAML` are not allowed in manifests")]
    Directive,
    /// The same key twice in one mapping.
    #[error("{} is given twice, first on line {first_line}", key_called(key))]
    DuplicateKey {
        /// The key, as Kubernetes reads it.
        key: String,
        /// Line of the first one.
        first_line: u32,
    },
    /// A document is longer than the limit.
    #[error("document is larger than {0} bytes")]
    DocumentSize(usize),
    /// Bytes that are not UTF-8.
    #[error("input is not UTF-8")]
    Encoding,
    /// Something in a JSON stream that is not JSON.
    #[error("JSON is malformed: expected {0}")]
    Json(&'static str),
    /// A mapping or sequence as a key.
    #[error("key is a mapping or a sequence")]
    KeyNotScalar,
    /// Null, or a number above `int64`, as a key.
    #[error("key is {0}")]
    KeyType(&'static str),
    /// `<<` with something else than a mapping, or a sequence of mappings.
    #[error("merge key `<<` needs a mapping or a sequence of mappings")]
    MergeValue,
    /// More nodes than the limit.
    #[error("document has more than {0} nodes")]
    Nodes(usize),
    /// `.inf` or `.nan`.
    #[error("number is infinite or not a number")]
    NotFinite,
    /// A JSON number that no float can hold.
    #[error("number is too large")]
    NumberRange,
    /// All documents of one reading hold more than their budget allows.
    #[error("documents hold more than {most} {what} together")]
    Together {
        /// How many there may be.
        most: usize,
        /// Of what.
        what: &'static str,
    },
    /// Text after `---` on its line.
    #[error("text follows the document separator `---`")]
    Separator,
    /// The whole input is longer than the limit.
    #[error("input is larger than {0} bytes")]
    StreamSize(usize),
    /// The parser's verdict.
    #[error("{0}")]
    Syntax(Syntax),
    /// A tag such as `!!int` on text that is no such thing.
    #[error("value does not fit its tag `!!{0}`")]
    Tag(&'static str),
    /// More after the end of a document, without a separator.
    #[error("text follows the end of the document without a `---` line")]
    TrailingDocument,
    /// Bytes of UTF-16, by their byte order mark.
    #[error("input is UTF-16, not UTF-8")]
    Utf16,
    /// An alias whose anchor does not exist (yet) in this document.
    #[error("alias refers to an anchor that this document does not define before it")]
    UnknownAnchor,
}

/// What a message calls a key: what is neither the key of an item nor that of a label may be a value in the place of one.
fn key_called(key: &str) -> String {
    let name = key.split_once('/').map_or(key, |(prefix, name)| if is_item_key(prefix) { name } else { "" });
    if is_item_key(name) { format!("key `{key}`") } else { "a key".to_owned() }
}

/// A mistake in the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// An anchor or alias without a name, or with a malformed one.
    Anchor,
    /// The header of a block scalar.
    BlockScalar,
    /// A character that cannot start a value (`@`, a backtick, `%`).
    Character,
    /// A flow collection (`[…]`, `{…}`) that is not closed, or lacks a comma.
    Flow,
    /// A colon before a comma or a bracket of a flow collection, which may be part of the text or end a key.
    FlowColon,
    /// Indentation that fits no level.
    Indentation,
    /// `key: value` where no key can be.
    Key,
    /// A quoted scalar that is not closed.
    Quote,
    /// A tab where only spaces can be.
    Tab,
    /// A malformed or undeclared tag.
    Tag,
    /// Anything else.
    Other,
    /// A double-quoted escape that YAML 1.1 does not know.
    Escape,
}

impl std::fmt::Display for Syntax {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Anchor => "anchor or alias has no valid name",
            Self::BlockScalar => "block scalar has a malformed header or indentation",
            Self::Character => "character cannot start a value",
            Self::Escape => "escape sequence is not valid in a double-quoted string",
            Self::Flow => "flow collection is not closed, or lacks a comma or a value",
            Self::FlowColon => "colon stands directly before a comma or a bracket of a flow collection",
            Self::Indentation => "indentation fits no enclosing level",
            Self::Key => "mapping key or value stands where none can be",
            Self::Other => "YAML is malformed",
            Self::Quote => "quoted string is not closed",
            Self::Tab => "tab is used for indentation",
            Self::Tag => "tag is malformed or not declared",
        })
    }
}

impl Explain for YamlError {
    fn rule(&self) -> Option<&'static str> {
        Some(if matches!(self, Self::DuplicateKey { .. }) { "yaml/duplicate-key" } else { "yaml/syntax" })
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::AliasExpansion(_) => "write out what is shared, or share less",
            Self::Together { .. } => "split the app, or remove what it does not need",
            Self::AliasCycle | Self::UnknownAnchor => {
                "an anchor (`&name`) comes before its aliases (`*name`), in the same document"
            }
            Self::Binary => {
                "put binary data base64-encoded into `data` of a Secret or `binaryData` of a ConfigMap, without a tag"
            }
            Self::ControlCharacter(_) => {
                "remove it, or escape it in a double-quoted string, for example `\"\\x07\"`"
            }
            Self::Depth(_) | Self::DocumentSize(_) | Self::Nodes(_) | Self::StreamSize(_) => {
                "split the input"
            }
            Self::Directive => "remove the line; Kubernetes refuses it too",
            Self::DuplicateKey { .. } => "remove one of them; Kubernetes would silently take the last",
            Self::Encoding => "save the file as UTF-8",
            Self::Utf16 => "save the file as UTF-8; Kubernetes' reader takes UTF-16, most other tools do not",
            Self::Json(_) => "input that starts with `{` is read as JSON; put `---` first to make it YAML",
            Self::KeyNotScalar | Self::KeyType(_) => "quote the key to make it a string",
            Self::MergeValue => "quote the key (`\"<<\"`) where no merge is meant",
            Self::NotFinite | Self::NumberRange => "JSON has no such number; quote it to make it a string",
            Self::Separator => "put the text on the next line",
            Self::Syntax(syntax) => return syntax.hint().map(str::to_owned),
            Self::Tag(_) => "remove the tag, or quote the value",
            Self::TrailingDocument => {
                "indent all keys of a mapping alike, and put `---` on a line of its own between documents; Kubernetes would \
                 silently drop what follows"
            }
        };
        Some(hint.to_owned())
    }
}

impl Syntax {
    const fn hint(self) -> Option<&'static str> {
        match self {
            Self::Anchor => Some("quote a value that starts with `*` or `&`"),
            Self::Character => Some("quote the value"),
            Self::Escape => {
                Some("use single quotes where no escape is meant; `\\/` and surrogate pairs are JSON only")
            }
            Self::Flow => {
                Some("quote strings that hold `,`, `[`, `]`, `{`, `}` or `?` within a flow collection")
            }
            Self::FlowColon => Some(
                "write a space after the colon of a key, and quote a text that ends with a colon: Kubernetes reads `{a:}` as the \
                 key `a:`, other tools as `a`",
            ),
            Self::Key => Some("quote a value that holds `: `, and indent all keys of a mapping alike"),
            Self::Quote => {
                Some("close the quote; a line that starts with `---` ends the document even within quotes")
            }
            Self::Tab => Some("indent with spaces"),
            Self::BlockScalar | Self::Indentation | Self::Other | Self::Tag => None,
        }
    }

    /// The kind of mistake that a parser's fixed text stands for; the text itself goes no further.
    pub(super) fn classify(text: &str) -> Self {
        const TABLE: [(&str, Syntax); 23] = [
            ("unexpected ':'", Syntax::FlowColon),
            ("escape", Syntax::Escape),
            ("hexdecimal", Syntax::Escape),
            ("hexadecimal", Syntax::Escape),
            ("Unicode character", Syntax::Escape),
            ("quoted scalar", Syntax::Quote),
            ("end of stream", Syntax::Quote),
            ("document indicator", Syntax::Quote),
            ("block scalar", Syntax::BlockScalar),
            ("indentation indicator", Syntax::BlockScalar),
            ("tab", Syntax::Tab),
            ("anchor", Syntax::Anchor),
            ("alias", Syntax::Anchor),
            ("alphabetic", Syntax::Anchor),
            ("tag", Syntax::Tag),
            ("cannot start", Syntax::Character),
            ("flow", Syntax::Flow),
            ("','", Syntax::Flow),
            ("key", Syntax::Key),
            ("mapping values", Syntax::Key),
            ("sequence entries", Syntax::Key),
            ("node content", Syntax::Flow),
            ("'-' indicator", Syntax::Indentation),
        ];
        TABLE.iter().find(|(part, _)| text.contains(part)).map_or(Self::Other, |(_, kind)| *kind)
    }
}
