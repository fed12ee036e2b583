//! Finds literals that all environments take from one shared line, so that they were not copied between environments.

use std::collections::{HashMap, HashSet};

use super::counterparts::{is_environment_file, template_line};
use super::hints;
use crate::facts::environment_names::{EnvironmentNames, NameMatching};
use crate::facts::scene::{CheckedApp, CheckedEnvironment};
use sealwave_core::document::Node;

/// The maximum depth of the search in values.
const DEPTH: usize = 32;

/// A path, a line number, and a text on that line.
type SourceLine<'a> = (&'a str, u32, &'a str);

/// The environments of each line.
pub(super) struct SharedLiterals<'a> {
    lines: HashMap<SourceLine<'a>, HashSet<usize>>,
    environments: usize,
}

impl<'a> SharedLiterals<'a> {
    pub(super) fn new(app: &CheckedApp<'a>) -> Self {
        let mut lines: HashMap<SourceLine<'a>, HashSet<usize>> = HashMap::new();
        for (number, environment) in app.environments.iter().enumerate() {
            for hint in environment.objects.iter().flat_map(hints::environment_hints) {
                if let Some(line) = line(environment, hint.node) {
                    lines.entry(line).or_default().insert(number);
                }
            }
        }
        Self { lines, environments: app.environments.len() }
    }

    /// Reports whether all environments have a text from the same line, and not from the environment's own values.
    pub(super) fn contains(
        &self,
        names: &EnvironmentNames,
        number: usize,
        environment: &CheckedEnvironment<'_>,
        node: &Node,
    ) -> bool {
        let all = line(environment, node).and_then(|line| self.lines.get(&line));
        all.is_some_and(|all| all.len() == self.environments)
            && !node.as_str().is_some_and(|text| {
                template_line(environment, node.origin).is_some()
                    && environment.values().is_some_and(|values| {
                        let own = OwnValueSearch { names, number, environment, text };
                        own.has(values, DEPTH)
                    })
            })
    }
}

fn line<'a>(environment: &CheckedEnvironment<'a>, node: &'a Node) -> Option<(&'a str, u32, &'a str)> {
    let text = node.as_str()?;
    if is_environment_file(environment, node.origin) {
        return None;
    }
    let at = (environment.context.sources.name(node.origin.source), node.origin.line);
    let (path, line) = template_line(environment, node.origin).unwrap_or(at);
    Some((path, line, text))
}

/// A search for a value in the environment's own file that puts another environment's name into a text.
struct OwnValueSearch<'b, 'a> {
    names: &'b EnvironmentNames,
    number: usize,
    environment: &'b CheckedEnvironment<'a>,
    text: &'b str,
}

impl OwnValueSearch<'_, '_> {
    fn has(&self, values: &Node, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return true };
        if let Some(value) = values.as_str() {
            return self.text.contains(value)
                && is_environment_file(self.environment, values.origin)
                && self.names.foreign_environment(self.number, value, NameMatching::Exact).is_some();
        }
        let entries = values.entries();
        entries.iter().any(|entry| self.has(&entry.value, depth))
            || values.items().iter().any(|item| self.has(item, depth))
    }
}
