//! Finds literal items of Secrets that look like placeholders and would be sealed as they are. Pure.

use super::names::ProviderResolver;
use super::problem::{ResolveError, line_and_column, place_in, printable_key};
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::Origin;
use sealwave_secrets::placeholder::{AvpPath, LookAlike, find_look_alike};

/// A literal item with its origin.
pub(super) struct LiteralItem<'a> {
    pub(super) key: &'a str,
    pub(super) origin: Origin,
    pub(super) text: &'a str,
    /// Whether the text is at its origin unencoded.
    pub(super) is_verbatim: bool,
}

impl LiteralItem<'_> {
    /// Returns a problem if the text looks like a placeholder but is not one. It names the item and never quotes the
    /// text.
    pub fn check(&self, generic: Option<&AvpPath>, names: &ProviderResolver<'_>) -> Option<Problem> {
        let is_provider = |name: &str| names.known.as_ref().is_some_and(|known| known.contains(name));
        let LookAlike { range, kind } = find_look_alike(self.text, generic, &is_provider)?;
        let is_part = self.is_verbatim && range != (0..self.text.len());
        let exact = if is_part { place_in(self.origin, self.text, range.start) } else { None };
        let width = self.text.get(range.clone()).map_or(0, |text| text.chars().count());
        let exact = exact.map(|at| Origin { width: u32::try_from(width).unwrap_or(0), ..at });
        let has_lines = self.text.contains('\n');
        let at = (exact.is_none() && has_lines).then(|| line_and_column(self.text, range.start));
        let error = ResolveError::LookAlike { key: printable_key(self.key), kind, at };
        Some(Problem::at(exact.unwrap_or(self.origin), &error))
    }
}
