//! The path to a setting in one of sealwave's own files: keys of mappings and indexes of lists.

/// The path to a setting; empty for the file as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettingPath(Vec<SettingStep>);

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SettingStep {
    Item(usize),
    Key(String),
}

impl SettingPath {
    /// Returns the path to a value below mappings.
    #[must_use]
    pub fn of_keys(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| SettingStep::Key((*key).to_owned())).collect())
    }

    /// Returns the path to a key of this mapping.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.0.push(SettingStep::Key(key.to_owned()));
        self
    }

    /// Returns the path to an item of this list.
    #[must_use]
    pub fn item(mut self, index: usize) -> Self {
        self.0.push(SettingStep::Item(index));
        self
    }

    pub(super) fn steps(&self) -> &[SettingStep] {
        &self.0
    }
}
