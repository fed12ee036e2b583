//! The parts of a message.

use crate::diagnostic::Severity;
use crate::document::SourceLocation;
use crate::excerpts::ShownLine;

/// A message with everything that explains it.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// The severity.
    pub severity: Severity,
    /// The id of a rule.
    pub code: Option<&'a str>,
    /// The message itself.
    pub text: &'a str,
    /// The place.
    pub place: Option<MarkedPlace<'a>>,
    /// Further places, each with its relation to the message.
    pub related: Vec<(&'a str, MarkedPlace<'a>)>,
    /// Notes, each with its title.
    pub notes: Vec<(&'static str, String)>,
    /// Advice for the user.
    pub help: Option<&'a str>,
}

/// A place with the marked range in its line.
#[derive(Clone, Debug)]
pub struct MarkedPlace<'a> {
    /// The start of the range.
    pub place: &'a SourceLocation,
    /// The width in characters; 0 if unknown.
    pub width: u32,
    /// The line, if it may be shown.
    pub line: Option<ShownLine>,
}

impl MarkedPlace<'_> {
    /// Returns the note that tells where the place is in the rendered text, unless the template's own place is exact.
    #[must_use]
    pub fn rendered_note(&self) -> Option<(&'static str, String)> {
        let (line, column) = self.place.rendered.filter(|_| self.width == 0 || self.place.column == 0)?;
        Some(("rendered", format!("line {line}, column {column}")))
    }
}
