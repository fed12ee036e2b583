//! Finds names that templates may read although they are undefined, but that no environment defines.
//!
//! A block, `default` and similar helpers accept an undefined name, so that a value may be set in only one environment.
//! To detect typos, the values of at least one environment must define such a name.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::built_in::BUILT_IN_NAMES;
use super::engine::TemplateEngine;
use super::fault::RenderFault;
use super::outline::OutlineStep;
use super::reads::{LenientRead, TemplateReads};
use super::tags::TagLocator;
use super::{errors, helpers};
use crate::discover::Discovery;
use crate::load::defined_values;
use crate::name_tree::{LookupBudget, MissingPath, NameTree, ValuePathStep, find_missing, has_path};
use sealwave_core::diagnostic::{Explain, Note, Problem};
use sealwave_core::document::{Node, Origin};

/// The maximum number of reported names per template.
const MAX_PROBLEMS: usize = 20;

#[derive(Debug, thiserror::Error)]
enum NameFault {
    #[error("value `{path}` is not defined in any environment")]
    Undefined { path: String, hint: String },
    #[error("value `{path}` is not defined, and `{file}` cannot be read")]
    Unsure { path: String, file: String },
}

impl Explain for NameFault {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Undefined { hint, .. } => Some(hint.clone()),
            Self::Unsure { .. } => None,
        }
    }
}

/// A template whose names are checked.
pub(super) struct CheckedTemplate<'a> {
    pub(super) text: &'a str,
    pub(super) outline: &'a [OutlineStep],
}

/// The names that the templates of one environment read.
pub(super) struct NameChecker<'a> {
    app: &'a Discovery,
    values: &'a Node,
    own: OnceCell<NameTree>,
    passed: BTreeSet<String>,
    patience: LookupBudget,
    pub(super) reads: TemplateReads,
}

impl<'a> NameChecker<'a> {
    /// Creates a checker for an environment with these values, whose templates and partials have these texts.
    pub(super) fn new<'t>(
        app: &'a Discovery,
        values: &'a Node,
        texts: impl Iterator<Item = &'t str>,
    ) -> Self {
        let passed = texts.flat_map(passed_names).map(str::to_owned).collect();
        Self {
            app,
            values,
            own: OnceCell::new(),
            passed,
            patience: LookupBudget::new(),
            reads: TemplateReads::default(),
        }
    }

    /// Records the reads of a template, and returns a problem for each name that is not defined anywhere.
    pub(super) fn check(
        &mut self,
        template: &CheckedTemplate<'_>,
        engine: &TemplateEngine,
        notes: &mut Vec<Note>,
    ) -> Vec<Problem> {
        let mut reads = TemplateReads::continuing(&self.reads);
        reads.add(template.outline, engine.outlines(), &self.passed);
        let mut problems = Vec::new();
        let mut count = 0;
        for read in reads.lenient.difference(&self.reads.lenient) {
            let found = self.find_missing(read);
            if self.patience.is_exhausted() {
                problems.push(Problem::at(Origin::whole(read.source), &RenderFault::Work));
                break;
            }
            let Some(found) = found else { continue };
            let Some(part) = found.step.checked_sub(read.path.len().saturating_sub(read.own)) else {
                continue;
            };
            let text = engine.partial_text(read.source).unwrap_or(template.text);
            let at = errors::locate_name(text, TagLocator::new(text).origin(read.at, read.source), &read.raw);
            let unreadable = defined_values(self.app).unreadable.first();
            match unreadable.filter(|_| !is_call(read)) {
                Some(file) => {
                    let fault = NameFault::Unsure { path: read.raw.clone(), file: file.clone() };
                    notes.push(Note::warning(Problem::at(at, &fault)));
                }
                None => problems.push(self.problem(read, &found, part, at)),
            }
            count += 1;
            if count == MAX_PROBLEMS {
                break;
            }
        }
        self.reads.extend(reads);
        problems
    }

    /// Finds the step at which a name is undefined in all environments.
    fn find_missing(&self, read: &LenientRead) -> Option<MissingPath> {
        let own = self.own.get_or_init(|| NameTree::from_node(self.values));
        if has_path(&[own], &read.path, &self.patience) {
            return None;
        }
        find_missing(&defined_values(self.app).all(), &read.path, &self.patience)
    }

    fn problem(&self, read: &LenientRead, found: &MissingPath, part: usize, at: Origin) -> Problem {
        let name = match read.path.get(found.step) {
            Some(ValuePathStep::Key(name)) => name.as_str(),
            _ => "",
        };
        let from_top = [ValuePathStep::Key(name.into())];
        let is_at_top = || {
            BUILT_IN_NAMES.contains(&name)
                || has_path(&defined_values(self.app).all(), &from_top, &self.patience)
        };
        let hint = if let Some(hint) = errors::quote_hint(&read.raw) {
            hint
        } else if is_call(read) {
            format!("`{name}` is a helper: put the call in parentheses, as in `({name} …)`")
        } else if part == 0 && read.is_relative && is_at_top() {
            format!("write `@root.{name}`: within a block, names are relative to its context")
        } else {
            match &found.closest {
                _ if errors::reads_as_boolean(name) => {
                    "YAML reads this key as a boolean; choose another key, or put it in quotes".to_owned()
                }
                Some(near) => format!("did you mean `{}`?", replace_part(&read.raw, name, near)),
                None => "define it in `values.yaml`, possibly as empty, or in an environment's `values.yaml`"
                    .to_owned(),
            }
        };
        Problem::at(at, &NameFault::Undefined { path: read.raw.clone(), hint })
    }
}

/// Reports whether a name is that of a helper, which means that a call without parentheses was intended.
fn is_call(read: &LenientRead) -> bool {
    helpers::arity(&read.raw).is_some()
}

/// Returns the named arguments in partial calls of a template. A partial may test for a name that only some calls pass.
fn passed_names(text: &str) -> impl Iterator<Item = &str> {
    let tags = text.split("{{").skip(1).filter(|tag| tag.trim_start_matches(['~', ' ']).starts_with('>'));
    let words = tags.flat_map(|tag| tag.split("}}").next().unwrap_or_default().split_whitespace());
    words.filter_map(|word| word.split_once('=')).map(|(name, _)| name)
}

/// Replaces a part of a name.
fn replace_part(raw: &str, part: &str, by: &str) -> String {
    let mut is_replaced = false;
    let pieces = raw.split_inclusive(['.', '/']).map(|piece| {
        let (word, end) = piece
            .strip_suffix(['.', '/'])
            .map_or((piece, ""), |word| (word, piece.get(word.len()..).unwrap_or("")));
        if word == part && !std::mem::replace(&mut is_replaced, word == part) {
            format!("{by}{end}")
        } else {
            piece.to_owned()
        }
    });
    pieces.collect()
}
