//! The faults of templates, which helpers and the engine return.

use handlebars::{RenderError, RenderErrorReason};

use super::limits::{MAX_ARGUMENTS, MAX_BLOCKS, MAX_CALLS, MAX_INDENT, MAX_PARTS};
use crate::load::FileError;
use sealwave_core::diagnostic::Explain;

/// The advice for a tag that cannot be read for a reason that is not known.
const SYNTAX_HINT: &str =
    "check the names, quotes and parentheses of the tag; for a literal `{{`, write `\\{{`";

/// An error in a template.
#[derive(Debug, thiserror::Error)]
pub(super) enum RenderFault {
    #[error("helper `{helper}` takes {wanted}")]
    Arity { helper: String, wanted: String },
    #[error("tag has more than {0} brackets")]
    Brackets(usize),
    #[error("template has too many tags for its size")]
    Crowded,
    #[error("partials and blocks are nested too deeply; check whether a partial includes itself")]
    Depth,
    #[error("{0}")]
    Fail(String),
    #[error("{0}")]
    File(Box<FileError>),
    #[error("list is indexed with `{0}`")]
    Index(String),
    #[error("`#each` takes a list or an object, but `{path}` is of type {kind}")]
    Items { path: String, kind: &'static str },
    #[error("helper `{helper}` cannot use its argument {index}: {reason}")]
    Argument { helper: &'static str, index: usize, reason: &'static str },
    #[error("templates hold more than {0} bytes of copied values at once")]
    Memory(u64),
    #[error("helper `{0}` does not exist")]
    NoHelper(String, Option<String>),
    #[error("partial `{0}` does not exist")]
    NoPartial(String, Option<String>),
    #[error("template cannot be rendered: {0}")]
    Other(&'static str),
    #[error("template renders to more than {0} bytes")]
    Output(usize),
    #[error("{0}")]
    Refused(TemplateRefusal),
    #[error("result of helper `{helper}` takes {needed} bytes; at most {allowed} are allowed")]
    Result { helper: &'static str, needed: u64, allowed: u64 },
    #[error("result of helper `{helper}` is of type {kind} and cannot be printed")]
    ResultType { helper: String, kind: &'static str },
    #[error("template is larger than {0} bytes")]
    Size(usize),
    #[error("template is not valid: {0}")]
    Syntax(&'static str),
    #[error("template and its partials have more than {0} tags")]
    Tags(usize),
    #[error("templates render to more than {0} bytes in total")]
    Total(usize),
    #[error("value `{path}` is of type {kind} and cannot be printed")]
    Type { path: String, kind: &'static str },
    #[error("value `{path}` is not defined")]
    Undefined {
        path: String,
        /// Added when the error is reported, since it depends on the values.
        hint: Option<String>,
    },
    #[error("templates take too many steps; check nested loops")]
    Work,
    #[error("only the first line of `{helper}` is indented")]
    Lines {
        helper: &'static str,
        /// Added when the error is reported, since it depends on the template.
        hint: Option<String>,
    },
}

impl Explain for RenderFault {
    fn hint(&self) -> Option<String> {
        match self {
            Self::ResultType { .. } | Self::Type { .. } => {
                Some("write `{{toYaml value}}`, `{{toJson value}}` or `{{join \",\" list}}`".to_owned())
            }
            Self::NoHelper(_, Some(name)) | Self::NoPartial(_, Some(name)) => Some(format!("did you mean `{name}`?")),
            Self::Undefined { hint, .. } | Self::Lines { hint, .. } => hint.clone(),
            Self::File(error) => error.hint(),
            Self::NoPartial(..) => Some("partials are `partials/NAME.hbs` and `base/_NAME.hbs`".to_owned()),
            Self::Crowded | Self::Tags(_) => Some("split the template into several files".to_owned()),
            Self::Memory(_) => Some(
                "a partial gets a copy of its context: pass only a part of it (`{{> name part}}`), and end its recursion"
                    .to_owned(),
            ),
            Self::Syntax(_) => Some(SYNTAX_HINT.to_owned()),
            Self::Refused(TemplateRefusal::InlineName) => Some("write `{{#*inline \"name\"}}`".to_owned()),
            Self::Refused(TemplateRefusal::PartialBlock) => Some("write `{{> name}}`".to_owned()),
            _ => None,
        }
    }
}

impl From<RenderFault> for RenderError {
    fn from(fault: RenderFault) -> Self {
        RenderErrorReason::NestedError(Box::new(fault)).into()
    }
}

/// A reason why a template is refused before it runs.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum TemplateRefusal {
    #[error("call has more than {MAX_ARGUMENTS} arguments")]
    Arguments,
    #[error("blocks are nested more than {MAX_BLOCKS} deep")]
    Blocks,
    #[error("calls are nested more than {MAX_CALLS} deep")]
    Calls,
    #[error("partial is indented by more than {MAX_INDENT} bytes")]
    Indent,
    #[error("name of an inline partial is not a quoted text")]
    InlineName,
    #[error("name has more than {MAX_PARTS} parts")]
    Parts,
    #[error("partial blocks (`{{{{#> name}}}}`) are not supported")]
    PartialBlock,
    #[error("name contains a private character")]
    PrivateName,
}

/// A refusal with its position (line, column).
pub(super) type LocatedRefusal = (TemplateRefusal, Option<(usize, usize)>);
