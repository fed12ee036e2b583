//! Finds misplaced placeholders: in every string and key outside of a Secret's data. Pure.
//!
//! `<x:y>` is common in configuration languages, so only texts with the form of a reference to a known provider count:
//! see [`suspected_placeholders`]. A remaining placeholder would be deployed as it is, so no kind of object is exempt, but an author
//! can exempt an object that is not a Secret. `<<file:x#y>` is the text `<file:x#y>` here too; all other text is
//! unchanged. If an object names a path for argocd-vault-plugin's `<key>`, such placeholders count as well, since that
//! tool would have replaced them.

use super::names::ProviderResolver;
use super::problem::{ResolveError, place_in, printable_key};
use crate::render::limits::MAX_PROBLEMS;
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::{Manifest, ObjectId, Origin, TextVisitor};
use sealwave_secrets::placeholder::{
    DEFAULT_PROVIDER, PROVIDER_KINDS, provider_name, suspected_placeholders,
};

/// Reports placeholders in a tree, one per string, and unescapes doubled brackets.
pub(super) fn scan(
    object: &mut Manifest,
    names: &ProviderResolver<'_>,
    generic: bool,
    problems: &mut Vec<Problem>,
) {
    let id = object.id();
    object.visit_texts(&mut ObjectScanner { id: &id, names, generic, problems });
}

/// A scanner for the strings of one object.
struct ObjectScanner<'a> {
    id: &'a ObjectId,
    names: &'a ProviderResolver<'a>,
    generic: bool,
    problems: &'a mut Vec<Problem>,
}

impl TextVisitor for ObjectScanner<'_> {
    fn is_done(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    fn visit_key(&mut self, key: &str, origin: Origin) {
        self.check(key, origin);
    }

    fn visit_string(&mut self, text: &str, origin: Origin) -> Option<String> {
        self.check(text, origin)
    }
}

impl ObjectScanner<'_> {
    /// Reports the first placeholder of a string, or returns the unescaped string if it has doubled brackets.
    fn check(&mut self, text: &str, origin: Origin) -> Option<String> {
        memchr::memchr(b'<', text.as_bytes())?;
        let mut unescaped = String::new();
        let mut copied = 0;
        for brackets in suspected_placeholders(text, self.generic, |name| self.names.is_suspect(name)) {
            if brackets.len() % 2 == 1 {
                let at = place_in(origin, text, brackets.end - 1)
                    .map_or(origin, |at| Origin { width: width_of(&text[brackets.end - 1..]), ..at });
                let problem = Problem::at(at, &self.error(&text[brackets.end..]));
                self.problems.push(problem);
                return None;
            }
            unescaped.push_str(&text[copied..brackets.start + brackets.len() / 2]);
            copied = brackets.end;
        }
        (copied > 0).then(|| unescaped + &text[copied..])
    }

    fn error(&self, rest: &str) -> ResolveError {
        let object = self.id.to_string();
        match provider_name(rest).filter(|name| self.names.is_suspect(name)) {
            Some(provider) => ResolveError::Outside { provider: printable_key(provider), object },
            None => ResolveError::GenericOutside { object },
        }
    }
}

/// Returns the number of characters up to the closing bracket, or 0 if it is missing.
fn width_of(text: &str) -> u32 {
    let whole = text.find('>').and_then(|end| text.get(..=end));
    whole.map_or(0, |whole| u32::try_from(whole.chars().count()).unwrap_or(u32::MAX))
}

impl ProviderResolver<'_> {
    /// Reports whether a placeholder with this name would refer to something: to one of the operator's providers if
    /// they are known, otherwise to any kind of provider.
    fn is_suspect(&self, name: &str) -> bool {
        let known = self.known.as_ref();
        name == DEFAULT_PROVIDER || known.map_or(PROVIDER_KINDS.contains(&name), |known| known.contains(name))
    }
}
