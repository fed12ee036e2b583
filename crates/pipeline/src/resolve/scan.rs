//! Placeholders where none may be: every string and key outside of a Secret's data. Pure.
//!
//! Other languages' `<x:y>` are common in configuration, so only what has the shape of a reference counts, and only of a
//! provider that is known: see [`suspects`]. A placeholder that stays would be deployed as it is, so no kind of object is
//! exempt; an author can exempt an object that is no Secret. `<<file:x#y>` is the text `<file:x#y>` here too; all other
//! text stays untouched. Where an object names a path for argocd-vault-plugin's `<key>`, those count as well: that tool
//! would have put values there.

use super::Names;
use super::problem::{ResolveError, place_in, shown};
use crate::render::MAX_PROBLEMS;
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::{Manifest, ObjectId, Origin, Value};
use sealwave_secrets::placeholder::{DEFAULT_PROVIDER, PROVIDER_KINDS, provider_name, suspects};

/// Reports placeholders in a tree, one per string, and takes the doubling off escaped ones.
pub(super) fn scan(object: &mut Manifest, names: &Names<'_>, generic: bool, problems: &mut Vec<Problem>) {
    // A stack of its own: the depth of a tree is its author's.
    let id = object.id();
    let place = Place { id: &id, names, generic };
    let mut stack = vec![object.root_mut()];
    while let Some(node) = stack.pop() {
        if problems.len() >= MAX_PROBLEMS {
            return;
        }
        let origin = node.origin;
        match &mut node.value {
            Value::Bool(_) | Value::Null | Value::Number(_) => {}
            Value::Mapping(mapping) => {
                for entry in mapping.entries_mut() {
                    place.check(&entry.key, entry.key_origin, problems);
                    stack.push(&mut entry.value);
                }
            }
            Value::Sequence(items) => stack.extend(items),
            Value::String(text) => {
                if let Some(unescaped) = place.check(text, origin, problems) {
                    *text = unescaped.into();
                }
            }
        }
    }
}

/// Whose strings are looked at, and what counts in them.
struct Place<'a> {
    id: &'a ObjectId,
    names: &'a Names<'a>,
    generic: bool,
}

impl Place<'_> {
    /// Reports the first placeholder of a string; the string without its doubling where it is doubled.
    fn check(&self, text: &str, origin: Origin, problems: &mut Vec<Problem>) -> Option<String> {
        memchr::memchr(b'<', text.as_bytes())?;
        let mut unescaped = String::new();
        let mut copied = 0;
        for brackets in suspects(text, self.generic, |name| self.names.is_suspect(name)) {
            if brackets.len() % 2 == 1 {
                let at = place_in(origin, text, brackets.end - 1)
                    .map_or(origin, |at| Origin { width: width_of(&text[brackets.end - 1..]), ..at });
                problems.push(Problem::at(at, &self.error(&text[brackets.end..])));
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
            Some(provider) => ResolveError::Outside { provider: shown(provider), object },
            None => ResolveError::GenericOutside { object },
        }
    }
}

/// Characters of what starts with a bracket, up to the closing one; 0 where there is none.
fn width_of(text: &str) -> u32 {
    let whole = text.find('>').and_then(|end| text.get(..=end));
    whole.map_or(0, |whole| u32::try_from(whole.chars().count()).unwrap_or(u32::MAX))
}

impl Names<'_> {
    /// Whether a placeholder of this name would refer to something: where the operator's providers are known, to one of
    /// them, else to one of any kind.
    fn is_suspect(&self, name: &str) -> bool {
        let known = self.known.as_ref();
        name == DEFAULT_PROVIDER || known.map_or(PROVIDER_KINDS.contains(&name), |known| known.contains(name))
    }
}
