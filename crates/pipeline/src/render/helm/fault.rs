//! The faults of tags that the parser refuses, with what to write instead.

use super::table::{Construct, ConstructId};
use sealwave_core::diagnostic::{Explain, printable};

/// The maximum number of reasons in a message.
const MAX_REASONS: usize = 3;
/// The maximum length of a name in a message.
const MAX_NAME: usize = 80;

/// A fault of a tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SyntaxFault {
    #[error("block `{{{{#{name}}}}}` is not closed")]
    BlockOpen { name: String },
    #[error("`{{{{else}}}}` is not in a block")]
    ElseOutside,
    #[error("block has a second `{{{{else}}}}`")]
    ElseTwice,
    #[error("function `{name}` is not available in templates")]
    Function { name: String, advice: &'static str },
    #[error("{}", describe_invalid(tag.as_deref(), reasons))]
    Invalid {
        /// The tag, if it can be shown.
        tag: Option<String>,
        reasons: Vec<ConstructId>,
        form: TagForm,
        /// The tag, if it may belong to another tool.
        literal: Option<String>,
    },
    #[error("block `{opened}` is closed by `{closed}`")]
    Mismatch { opened: String, closed: String },
    #[error("`{name}` of Helm is not available in templates")]
    Object { name: String, advice: &'static str },
    #[error("quoted text in the tag is not closed")]
    OpenText,
    #[error("text of partial `{name}` is not valid within a line")]
    PartialInLine { name: String },
    #[error("`{{{{/{name}}}}}` does not close a block")]
    StrayClose { name: String },
    #[error("tag is not closed")]
    Unclosed,
    #[error("helper `{name}` does not exist")]
    UnknownFunction { name: String, closest: Option<&'static str>, literal: Option<String> },
    #[error("variable `{name}` is not defined")]
    Variable { name: String, literal: Option<String> },
}

/// The right form of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TagForm {
    /// Advice that is specific to the tag.
    Advice(String),
    /// The form of a construct, because the tag cannot be translated.
    General(ConstructId),
    /// The parser refuses the tag for another reason.
    Unknown,
    /// The tag in the right form.
    Written(String),
}

/// Shortens a name of a template for a message.
pub(super) fn shorten(name: &str) -> String {
    printable(name.chars().take(MAX_NAME).collect::<String>())
}

fn describe_invalid(tag: Option<&str>, reasons: &[ConstructId]) -> String {
    let tag = tag.map_or_else(|| "tag".to_owned(), |tag| format!("tag `{tag}`"));
    let mut all: Vec<&str> = Vec::new();
    for reason in reasons.iter().map(|id| Construct::of(*id).reason) {
        if !all.contains(&reason) && all.len() < MAX_REASONS {
            all.push(reason);
        }
    }
    match all.split_last() {
        None => format!("{tag} is not valid"),
        Some((only, [])) => format!("{tag} is not valid: {only}"),
        Some((last, others)) => format!("{tag} is not valid: {}, and {last}", others.join(", ")),
    }
}

impl Explain for SyntaxFault {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::BlockOpen { name } => format!("write `{{{{/{name}}}}}` where the block ends"),
            Self::ElseOutside => "write `{{#if value}}` before it, or remove it".to_owned(),
            Self::ElseTwice => "write `{{else if value}}`, or close the block with `{{/if}}`".to_owned(),
            Self::Function { advice, .. } | Self::Object { advice, .. } => (*advice).to_owned(),
            Self::Invalid { form, literal, .. } => with_literal(form.describe(), literal.as_deref()),
            Self::Mismatch { opened, .. } => format!("write `{{{{/{opened}}}}}`"),
            Self::OpenText => "write the quote at its end".to_owned(),
            Self::PartialInLine { name } => {
                format!("write `{{{{> {name}}}}}` on a line of its own if it has several lines")
            }
            Self::StrayClose { .. } => "remove it, or write the block's start before it".to_owned(),
            Self::Unclosed => "write `}}` at its end; for literal braces, write `\\{{`".to_owned(),
            Self::UnknownFunction { closest, literal, .. } => {
                let hint = closest.map_or_else(
                    || "only helpers take arguments; values do not".to_owned(),
                    |name| format!("did you mean `{name}`?"),
                );
                with_literal(hint, literal.as_deref())
            }
            Self::Variable { literal, .. } => with_literal(
                "name the item of a block: `{{#each list as |item|}}`".to_owned(),
                literal.as_deref(),
            ),
        })
    }
}

impl TagForm {
    fn describe(&self) -> String {
        match self {
            Self::Advice(advice) => advice.clone(),
            Self::General(id) => {
                let Construct { theirs, ours, .. } = Construct::of(*id);
                format!("for example, `{theirs}` is written `{ours}`")
            }
            Self::Unknown => {
                "a tag is a value (`{{name}}`) or a helper and its arguments (`{{quote name}}`)".to_owned()
            }
            Self::Written(tag) => format!("write `{tag}`"),
        }
    }
}

fn with_literal(hint: String, literal: Option<&str>) -> String {
    match literal {
        Some(tag) => format!("{hint}; for a tag that another tool fills in, write `\\{tag}`"),
        None => hint,
    }
}
