//! Hints for undefined names that the author defined: in a file that is not read, or with a null in another file.

use crate::load::ValueGaps;
use sealwave_core::document::Sources;
use sealwave_core::text::quoted_list;

/// The hints for undefined names of an environment.
#[derive(Default)]
pub(super) struct ValueGapHints {
    /// The keys that lead to a removed value, and where it is removed.
    removed: Vec<(Vec<String>, String)>,
    misnamed: Option<String>,
}

impl ValueGapHints {
    pub(super) fn new(gaps: &ValueGaps, sources: &Sources) -> Self {
        let removed = gaps.removed.iter();
        let removed =
            removed.map(|value| (value.path.clone(), sources.location(value.origin).to_string())).collect();
        Self { removed, misnamed: gaps.misnamed.clone() }
    }

    /// Returns the hint for a path that is not defined.
    pub(super) fn hint(&self, path: &str) -> Option<String> {
        let parts: Vec<&str> = path
            .split(['.', '/'])
            .filter(|part| !matches!(*part, "" | "this" | "@root" | "values"))
            .collect();
        let is_above = |keys: &[String]| {
            parts.len() >= keys.len() && keys.iter().zip(&parts).all(|(key, part)| key == part)
        };
        let removed = self.removed.iter().find(|(keys, _)| is_above(keys));
        let hint = removed.map(|(keys, place)| {
            let name = quoted_list(&[keys.join(".")]);
            format!("{name} is null at {place}, which removes it: give it a value, or delete the line")
        });
        hint.or_else(|| self.misnamed.clone())
    }
}
