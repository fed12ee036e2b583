//! The paths that mean the same secret, as each provider knows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::placeholder::SecretReference;

/// Settings of a provider that know when two paths are the same secret.
///
/// There is no default: a provider must state that each path is a secret of its own.
pub trait PathSpellings: Send + Sync {
    /// Returns other paths with the same meaning for this provider, which a policy must deny along with the written one.
    fn other_spellings(&self, path: &str) -> Vec<String>;
}

/// The spellings of all providers of an operator file, by the name that placeholders use.
#[derive(Clone, Default)]
pub(super) struct Spellings(Arc<BTreeMap<String, Box<dyn PathSpellings>>>);

impl Spellings {
    pub(super) fn new<P: PathSpellings + Clone + 'static>(providers: &BTreeMap<String, P>) -> Self {
        let boxed = |settings: &P| -> Box<dyn PathSpellings> { Box::new(settings.clone()) };
        Self(Arc::new(providers.iter().map(|(name, settings)| (name.clone(), boxed(settings))).collect()))
    }

    /// Returns the reference, and others that mean the same secret: none of them may bypass a `deny`.
    pub(super) fn of_reference(&self, reference: &SecretReference) -> Vec<SecretReference> {
        let provider = self.0.get(reference.provider.as_str());
        let others = provider.map_or_else(Vec::new, |provider| provider.other_spellings(&reference.path));
        let others = others.into_iter().map(|path| SecretReference { path, ..reference.clone() });
        std::iter::once(reference.clone()).chain(others).collect()
    }
}
