//! The Argo CD app that items are sealed for, and what each item is bound to.
//!
//! An item with literal text can be guessed: an author who renders the same object with a guess and gets the same bytes
//! knows that the guess is right. Derivation `v2` therefore binds such items to project and app, in ciphertexts and in
//! checksums. An item that is one bare placeholder has nothing to guess, so it stays bound to the project alone:
//! renaming an Application does not re-seal it.

use crate::settings::DerivationVersion;

/// The Argo CD app that a run seals for, and the derivation selected by the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealOwner {
    /// The Argo CD project.
    pub project: String,
    /// The name of the app in Argo CD.
    pub app: String,
    /// The derivation of the operator file.
    pub derivation: DerivationVersion,
}

/// The form of an item's text before placeholders are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemText {
    /// One placeholder with no text in its modifiers, and nothing around it.
    BarePlaceholder,
    /// The author's own text, alone or beside placeholders.
    Literal,
}

/// The project or app that an item is bound to; this also selects the version of the scheme for that item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemBinding<'a> {
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

impl SealOwner {
    /// Returns the binding of an item with this text.
    #[must_use]
    pub fn binding(&self, text: ItemText) -> ItemBinding<'_> {
        match (self.derivation, text) {
            (DerivationVersion::V1, _) | (DerivationVersion::V2, ItemText::BarePlaceholder) => {
                ItemBinding::Project(&self.project)
            }
            (DerivationVersion::V2, ItemText::Literal) => {
                ItemBinding::App { project: &self.project, app: &self.app }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_v2_binds_literal_text_to_the_app() {
        let owner = |derivation| SealOwner { project: "p".to_owned(), app: "a".to_owned(), derivation };
        for (derivation, text, expected) in [
            (DerivationVersion::V1, ItemText::BarePlaceholder, ItemBinding::Project("p")),
            (DerivationVersion::V1, ItemText::Literal, ItemBinding::Project("p")),
            (DerivationVersion::V2, ItemText::BarePlaceholder, ItemBinding::Project("p")),
            (DerivationVersion::V2, ItemText::Literal, ItemBinding::App { project: "p", app: "a" }),
        ] {
            assert_eq!(owner(derivation).binding(text), expected);
        }
    }
}
