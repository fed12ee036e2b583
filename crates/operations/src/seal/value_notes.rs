//! Notes about values of flags. None of them quotes a value.

use sealwave_core::diagnostic::Explain;
use sealwave_core::names::item_label;

/// A value that probably has a line break too many.
#[derive(Debug, thiserror::Error)]
#[error("value of {} ends with a line break", item_label(.0))]
pub(super) struct FinalLineBreak(pub(super) String);

impl Explain for FinalLineBreak {
    fn hint(&self) -> Option<String> {
        Some("if it is not part of the value, write the file with `printf %s`, not with `echo`".to_owned())
    }
}

/// A value in quotes, which a shell would remove, but kubectl does not.
#[derive(Debug, thiserror::Error)]
#[error("value of {} in line {line} of `{path}` is in quotes: the quotes are part of the value", item_label(.key))]
pub(super) struct QuotedValue {
    pub(super) key: String,
    pub(super) path: String,
    pub(super) line: usize,
}

impl Explain for QuotedValue {
    fn hint(&self) -> Option<String> {
        Some("remove them from the file if they are not meant: `KEY=VALUE`".to_owned())
    }
}

/// Entries of a directory that do not become items.
#[derive(Debug, thiserror::Error)]
#[error("entries of `{directory}` that are not regular files are not sealed: {}", .skipped.join(", "))]
pub(super) struct SkippedEntries {
    pub(super) directory: String,
    pub(super) skipped: Vec<String>,
}

impl Explain for SkippedEntries {
    fn hint(&self) -> Option<String> {
        Some("to seal the file behind a link, or in a directory, name it: `--from-file KEY=PATH`".to_owned())
    }
}

/// A value that looks as if it should be fetched.
#[derive(Debug, thiserror::Error)]
#[error("file of {} has a placeholder, which is sealed as it is", item_label(.0))]
pub(super) struct SealedAsItIs(pub(super) String);

impl Explain for SealedAsItIs {
    fn hint(&self) -> Option<String> {
        Some(
            "to seal its value, write a Secret with the placeholder in `stringData`, or use `--from-literal`"
                .to_owned(),
        )
    }
}

/// The note about values in arguments.
#[derive(Debug, thiserror::Error)]
#[error("values of `--from-literal` are in the history of your shell, and in the list of processes")]
pub(super) struct VisibleLiteral;

impl Explain for VisibleLiteral {
    fn hint(&self) -> Option<String> {
        Some("`--from-file KEY=-` reads a value from standard input".to_owned())
    }
}
