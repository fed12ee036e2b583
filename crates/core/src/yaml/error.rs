//! The errors of reading YAML.
//!
//! Messages must never contain texts of the parser crates: some of them quote the input, which may contain a secret.

use crate::diagnostic::{Explain, NOT_UTF8, ProblemKind};
use crate::names::is_item_key;

/// The reason why a document, or a part of it, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// Aliases expand to more than the limits allow.
    #[error("aliases expand to more than {0}")]
    AliasExpansion(&'static str),
    /// An alias inside the node that it refers to.
    #[error("alias refers to a node that contains it")]
    AliasCycle,
    /// `!!binary` whose text is not base64, or not UTF-8 once decoded.
    #[error("`!!binary` value is not base64 of UTF-8 text")]
    Binary,
    /// A character that YAML does not allow unescaped.
    #[error("character U+{0:04X} is not allowed in YAML")]
    ControlCharacter(u32),
    /// Nesting exceeds the limit.
    #[error("document is nested deeper than {0} levels")]
    Depth(usize),
    /// A `%YAML` or `%TAG` line.
    #[error("directives such as `%YAML` are not allowed in manifests")]
    Directive,
    /// A duplicate key in a mapping.
    #[error("{} is already defined on line {first_line}", describe_key(key))]
    DuplicateKey {
        /// The key, as Kubernetes reads it.
        key: String,
        /// The line of the first occurrence.
        first_line: u32,
    },
    /// A document exceeds the size limit.
    #[error("document is larger than {0} bytes")]
    DocumentSize(usize),
    /// Bytes that are not UTF-8.
    #[error("input {NOT_UTF8}")]
    Encoding,
    /// A malformed document in a JSON stream.
    #[error("JSON is malformed: expected {0}")]
    Json(&'static str),
    /// A mapping or sequence as a key.
    #[error("key is a mapping or a sequence")]
    KeyNotScalar,
    /// Null, or a number above `int64`, as a key.
    #[error("key is {0}")]
    KeyType(&'static str),
    /// `<<` whose value is neither a mapping nor a sequence of mappings.
    #[error("merge key `<<` needs a mapping or a sequence of mappings")]
    MergeValue,
    /// A document exceeds the limit of nodes.
    #[error("document has more than {0} nodes")]
    Nodes(usize),
    /// A document starts without a separator: a key of the document before it appears again.
    #[error(
        "`---` is missing before this line: {} is already defined on line {first_line}",
        describe_key(key)
    )]
    MissingSeparator {
        /// The first key of the new document.
        key: String,
        /// The line of its first occurrence.
        first_line: u32,
    },
    /// `.inf` or `.nan`.
    #[error("number is infinite or not a number")]
    NotFinite,
    /// A character in the structure of a line that looks like a space or like nothing.
    #[error("invisible character U+{0:04X}{name} is not a space", name = character_name(*.0))]
    InvisibleCharacter(u32),
    /// A JSON number that does not fit into a float.
    #[error("number is too large")]
    NumberRange,
    /// All documents of one reading exceed their budget.
    #[error("input has more than {most} {what} in total")]
    BudgetExceeded {
        /// The limit.
        most: usize,
        /// The unit of the limit.
        what: &'static str,
    },
    /// A file with certificates or keys.
    #[error("this is a PEM file, not YAML")]
    Pem,
    /// Text after `---` on its line.
    #[error("text follows the document separator `---`")]
    Separator,
    /// The input exceeds the size limit.
    #[error("input is larger than {0} bytes")]
    StreamSize(usize),
    /// A syntax error of the parser.
    #[error("{0}")]
    Syntax(SyntaxProblem),
    /// A tag such as `!!int` that does not match its value.
    #[error("value does not match its tag `!!{0}`")]
    Tag(&'static str),
    /// Text after the end of a document, without a separator.
    #[error("text follows the end of the document without a `---` line")]
    TrailingDocument,
    /// UTF-16, detected by its byte order mark.
    #[error("input is UTF-16, not UTF-8")]
    Utf16,
    /// A bracket of a flow collection that is not closed, or after which a comma is missing.
    #[error("`{0}` is not closed, or a comma is missing after it")]
    UnclosedFlow(char),
    /// An indentation that matches no line above.
    #[error("indentation does not match the lines above")]
    UnevenIndentation {
        /// The key of the line that has the probable indentation; `None` for a dash.
        like: Option<String>,
        /// The number of spaces before it.
        spaces: usize,
        /// Whether the line follows a key with a value and is indented more.
        is_deeper: bool,
    },
    /// An alias whose anchor is not defined earlier in this document.
    #[error("alias refers to an anchor that is not defined before it in this document")]
    UnknownAnchor,
}

/// Describes a key. Anything but an item key or a label key could be a misplaced value, and is not shown.
fn describe_key(key: &str) -> String {
    let name = key.split_once('/').map_or(key, |(prefix, name)| if is_item_key(prefix) { name } else { "" });
    if is_item_key(name) { format!("key `{key}`") } else { "a key".to_owned() }
}

/// Returns the name of a character that looks like a space or like nothing, in parentheses.
const fn character_name(code: u32) -> &'static str {
    match code {
        0xa0 => " (no-break space)",
        0xad => " (soft hyphen)",
        0x200b => " (zero-width space)",
        0x202f => " (narrow no-break space)",
        0x3000 => " (ideographic space)",
        0xfeff => " (byte order mark)",
        _ => "",
    }
}

/// A kind of syntax error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntaxProblem {
    /// An anchor or alias without a name, or with a malformed one.
    Anchor,
    /// A malformed header of a block scalar.
    BlockScalar,
    /// A character that cannot start a value (`@`, a backtick, `%`).
    Character,
    /// A colon and a space in a plain value.
    ColonInValue,
    /// A colon directly before a value, where a key is needed.
    ColonWithoutSpace,
    /// Lines that Git wrote for a merge conflict.
    ConflictMarker,
    /// A flow collection (`[…]`, `{…}`) that is not closed or lacks a comma.
    Flow,
    /// A colon before a comma or bracket of a flow collection, which may be part of the text or end a key.
    FlowColon,
    /// Indentation that does not match any level.
    Indentation,
    /// `key: value` where a key is not allowed.
    Key,
    /// A line without a colon where a key is needed.
    KeyMissing,
    /// A quoted scalar that is not closed.
    Quote,
    /// A tab where only spaces are allowed.
    Tab,
    /// A malformed or undeclared tag.
    Tag,
    /// Anything else.
    Other,
    /// A double-quoted escape that YAML 1.1 does not define.
    Escape,
}

impl std::fmt::Display for SyntaxProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Anchor => "anchor or alias has no valid name",
            Self::BlockScalar => "block scalar has a malformed header or indentation",
            Self::Character => "character cannot start a value",
            Self::ColonInValue => "value contains a colon and a space, which only a key has",
            Self::ColonWithoutSpace => "colon has no space after it, so it does not end a key",
            Self::ConflictMarker => "merge conflict is not resolved",
            Self::Escape => "escape sequence is not valid in a double-quoted string",
            Self::Flow => "flow collection is not closed, or lacks a comma or a value",
            Self::FlowColon => "colon is directly before a comma or bracket in a flow collection",
            Self::Indentation => "indentation does not match an enclosing level",
            Self::Key => "mapping key or value is not allowed here",
            Self::KeyMissing => "line is not a key: it has no colon",
            Self::Other => "YAML is malformed",
            Self::Quote => "quoted string is not closed",
            Self::Tab => "tab is used for indentation",
            Self::Tag => "tag is malformed or not declared",
        })
    }
}

impl Explain for YamlError {
    fn problem_kind(&self) -> Option<ProblemKind> {
        Some(match self {
            Self::DuplicateKey { .. } => ProblemKind::DuplicateKey,
            Self::MissingSeparator { .. } => ProblemKind::MissingSeparator,
            _ => ProblemKind::Syntax,
        })
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::AliasExpansion(_) => "write out the aliased values, or use fewer aliases",
            Self::BudgetExceeded { .. } => "split the app, or remove unneeded objects",
            Self::AliasCycle | Self::UnknownAnchor => {
                "define the anchor (`&name`) before its aliases (`*name`), in the same document"
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
            Self::DuplicateKey { .. } => "remove one of them; Kubernetes silently uses the last",
            Self::Encoding => "save the file as UTF-8",
            Self::Utf16 => "save the file as UTF-8; Kubernetes accepts UTF-16, but most other tools do not",
            Self::Json(_) => "input that starts with `{` is read as JSON; put `---` first to make it YAML",
            Self::InvisibleCharacter(_) => "replace it with a space, or remove it",
            Self::KeyNotScalar | Self::KeyType(_) => "quote the key to make it a string",
            Self::MergeValue => "quote the key (`\"<<\"`) if it is not a merge key",
            Self::MissingSeparator { .. } => {
                "write `---` on a line of its own between two objects; Kubernetes would silently use the last of each key"
            }
            Self::NotFinite | Self::NumberRange => {
                "JSON does not support this number; quote it to make it a string"
            }
            Self::Pem => {
                "pass a file with manifests; `cert show` reads certificates, and `--key` and `--cert` take such files"
            }
            Self::Separator => "put the text on the next line",
            Self::Syntax(syntax) => return syntax.hint().map(str::to_owned),
            Self::Tag(_) => "remove the tag, or quote the value",
            Self::TrailingDocument => {
                "indent all keys of a mapping equally, and put `---` on a line of its own between documents; Kubernetes would \
                 silently drop the rest"
            }
            Self::UnclosedFlow(bracket) => {
                let closing = if *bracket == '[' { ']' } else { '}' };
                return Some(format!(
                    "close it with `{closing}`, write a comma between items, and quote texts that contain `,`, `[`, `]`, `{{` or `}}`"
                ));
            }
            Self::UnevenIndentation { like, spaces, is_deeper } => {
                return Some(hint_for_indentation(like.as_deref(), *spaces, *is_deeper));
            }
        };
        Some(hint.to_owned())
    }
}

fn hint_for_indentation(like: Option<&str>, spaces: usize, is_deeper: bool) -> String {
    let amount = match spaces {
        0 => "do not indent the line".to_owned(),
        1 => "indent the line with 1 space".to_owned(),
        _ => format!("indent the line with {spaces} spaces"),
    };
    let like = match like.map(describe_key) {
        None => "the dash above".to_owned(),
        Some(key) if key.starts_with('k') => key,
        Some(_) => "the key above".to_owned(),
    };
    let otherwise =
        if is_deeper { "; if it continues the value above, put that whole value in quotes" } else { "" };
    format!("{amount}, like {like}{otherwise}")
}

impl SyntaxProblem {
    const fn hint(self) -> Option<&'static str> {
        match self {
            Self::Anchor => Some("quote a value that starts with `*` or `&`"),
            Self::Character => Some("quote the value"),
            Self::ColonInValue => Some("put the whole value in quotes, or the key on a line of its own"),
            Self::ColonWithoutSpace => Some("write a space after the colon"),
            Self::ConflictMarker => Some(
                "choose the lines to keep, and remove those that start with `<<<<<<<`, `=======` and `>>>>>>>`",
            ),
            Self::Escape => Some(
                "use single quotes if no escape is intended; `\\/` and surrogate pairs are only valid in JSON",
            ),
            Self::Flow => {
                Some("quote strings that contain `,`, `[`, `]`, `{`, `}` or `?` within a flow collection")
            }
            Self::FlowColon => Some(
                "write a space after the colon of a key, and quote a text that ends with a colon: Kubernetes reads `{a:}` as the \
                 key `a:`, other tools as `a`",
            ),
            Self::Key => Some("quote a value that contains `: `, and indent all keys of a mapping equally"),
            Self::KeyMissing => {
                Some("write `key: value`, or `key:` before indented lines; a list item starts with `- `")
            }
            Self::Quote => {
                Some("close the quote; a line that starts with `---` ends the document, even inside quotes")
            }
            Self::Tab => Some("indent with spaces"),
            Self::BlockScalar | Self::Indentation | Self::Other | Self::Tag => None,
        }
    }

    /// Classifies a parser's message; the message itself is discarded.
    pub(super) fn classify(text: &str) -> Self {
        const TABLE: [(&str, SyntaxProblem); 24] = [
            ("not find expected ':'", SyntaxProblem::KeyMissing),
            ("unexpected ':'", SyntaxProblem::FlowColon),
            ("escape", SyntaxProblem::Escape),
            ("hexdecimal", SyntaxProblem::Escape),
            ("hexadecimal", SyntaxProblem::Escape),
            ("Unicode character", SyntaxProblem::Escape),
            ("quoted scalar", SyntaxProblem::Quote),
            ("end of stream", SyntaxProblem::Quote),
            ("document indicator", SyntaxProblem::Quote),
            ("block scalar", SyntaxProblem::BlockScalar),
            ("indentation indicator", SyntaxProblem::BlockScalar),
            ("tab", SyntaxProblem::Tab),
            ("anchor", SyntaxProblem::Anchor),
            ("alias", SyntaxProblem::Anchor),
            ("alphabetic", SyntaxProblem::Anchor),
            ("tag", SyntaxProblem::Tag),
            ("cannot start", SyntaxProblem::Character),
            ("flow", SyntaxProblem::Flow),
            ("','", SyntaxProblem::Flow),
            ("key", SyntaxProblem::Key),
            ("mapping values", SyntaxProblem::Key),
            ("sequence entries", SyntaxProblem::Key),
            ("node content", SyntaxProblem::Flow),
            ("'-' indicator", SyntaxProblem::Indentation),
        ];
        TABLE.iter().find(|(part, _)| text.contains(part)).map_or(Self::Other, |(_, kind)| *kind)
    }
}
