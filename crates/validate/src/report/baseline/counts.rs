//! The number of known findings with one key, in each environment.

use std::collections::BTreeMap;

use crate::Finding;

/// The number of known findings with one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KnownCounts {
    /// In any environments.
    pub(super) anywhere: usize,
    /// Without environments.
    nowhere: usize,
    /// In each environment.
    environments: BTreeMap<String, usize>,
}

impl KnownCounts {
    /// Returns the number of findings; the same one may occur in several environments.
    pub(super) fn findings(&self) -> usize {
        let most = self.environments.values().copied().max().unwrap_or(0);
        self.anywhere.saturating_add(self.nowhere).saturating_add(most)
    }

    pub(super) fn add(&mut self, environments: &[String], count: usize) {
        if environments.is_empty() {
            self.nowhere = self.nowhere.saturating_add(count);
        }
        for environment in environments {
            let sum = self.environments.entry(environment.clone()).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    /// Returns the larger of both numbers in each environment.
    pub(super) fn max(&self, other: &Self) -> Self {
        let mut environments = self.environments.clone();
        for (name, count) in &other.environments {
            let most = environments.entry(name.clone()).or_default();
            *most = (*most).max(*count);
        }
        Self {
            anywhere: self.anywhere.max(other.anywhere),
            nowhere: self.nowhere.max(other.nowhere),
            environments,
        }
    }

    /// Splits the numbers by whether a run that checks the given environments finds all of them. A finding without
    /// environments may result from a comparison with another environment.
    pub(super) fn split(&self, checked: &[String]) -> (Self, Self) {
        if checked.is_empty() {
            return (self.clone(), Self::default());
        }
        let (found, other) =
            self.environments.clone().into_iter().partition(|(name, _)| checked.contains(name));
        (Self { environments: found, ..Self::default() }, Self { environments: other, ..self.clone() })
    }

    /// Uses up one known finding; reports whether `finding` is known in all of its environments. If not, removes the
    /// environments in which it is known.
    pub(super) fn take(&mut self, finding: &mut Finding) -> bool {
        if finding.environments.is_empty() {
            return take_one(&mut self.nowhere) || take_one(&mut self.anywhere);
        }
        let mut is_new = |name: &&String| !self.environments.get_mut(*name).is_some_and(take_one);
        let new: Vec<String> = finding.environments.iter().filter(&mut is_new).cloned().collect();
        if new.is_empty() || take_one(&mut self.anywhere) {
            return true;
        }
        finding.environments = new;
        false
    }

    /// Returns sets of environments with the number of findings that they share; `None` means any environments.
    pub(super) fn layers(&self) -> Vec<(Option<Vec<String>>, usize)> {
        let mut layers = Vec::new();
        let mut lower = 0;
        loop {
            let exceeding = || self.environments.iter().filter(|(_, count)| **count > lower);
            let Some(level) = exceeding().map(|(_, count)| *count).min() else { break };
            layers.push((Some(exceeding().map(|(name, _)| name.clone()).collect()), level - lower));
            lower = level;
        }
        layers.push((Some(Vec::new()), self.nowhere));
        layers.push((None, self.anywhere));
        layers.retain(|(_, count)| *count > 0);
        layers
    }
}

fn take_one(count: &mut usize) -> bool {
    let was_present = *count > 0;
    *count = count.saturating_sub(1);
    was_present
}
