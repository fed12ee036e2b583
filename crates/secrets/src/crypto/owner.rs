//! The Argo CD app that items are sealed for, and how far each item is bound to it.
//!
//! An item that holds text of its author's own is a guess that somebody can write down: whoever renders the same object with
//! the guess and gets the same bytes knows it. Derivation `v2` therefore binds such items to project and app, in ciphertexts
//! and in checksums. An item that is one bare placeholder holds nothing to guess, so it stays bound to the project alone:
//! renaming an Application does not re-seal it.

use crate::settings::Derivation;

/// The Argo CD app that a run seals for, and the derivation that the operator selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The Argo CD project.
    pub project: String,
    /// The name of the app in Argo CD.
    pub app: String,
    /// The derivation of the operator file.
    pub derivation: Derivation,
}

/// What the text of an item consists of, before placeholders are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemText {
    /// One placeholder with no text in its modifiers, and nothing around it.
    BarePlaceholder,
    /// Text of the author's own, alone or beside placeholders.
    Literal,
}

/// What an item is bound to; it also selects the version of the scheme for that item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding<'a> {
    /// The project and the app (version 2).
    App {
        /// The Argo CD project.
        project: &'a str,
        /// The name of the app in Argo CD.
        app: &'a str,
    },
    /// The project alone (version 1).
    Project(&'a str),
}

impl Owner {
    /// Returns what an item with this text is bound to.
    #[must_use]
    pub fn binding(&self, text: ItemText) -> Binding<'_> {
        match (self.derivation, text) {
            (Derivation::V1, _) | (Derivation::V2, ItemText::BarePlaceholder) => {
                Binding::Project(&self.project)
            }
            (Derivation::V2, ItemText::Literal) => Binding::App { project: &self.project, app: &self.app },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_v2_binds_literal_text_to_the_app() {
        let owner = |derivation| Owner { project: "p".to_owned(), app: "a".to_owned(), derivation };
        for (derivation, text, expected) in [
            (Derivation::V1, ItemText::BarePlaceholder, Binding::Project("p")),
            (Derivation::V1, ItemText::Literal, Binding::Project("p")),
            (Derivation::V2, ItemText::BarePlaceholder, Binding::Project("p")),
            (Derivation::V2, ItemText::Literal, Binding::App { project: "p", app: "a" }),
        ] {
            assert_eq!(owner(derivation).binding(text), expected);
        }
    }
}
