//! Collects the values that templates read without running them: every branch counts, and each partial call is
//! followed.
//!
//! Names are resolved as in the engine: a block parameter of this name in any block first, otherwise the context of the
//! block the given number of levels up. A context from a helper is unknown, and so is every name in it.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::built_in::{BUILT_IN_NAMES, VALUES};
use super::outline::{
    ContextArgument, NameAnchor, NameRead, OutlineBlock, OutlineStep, PartialCall, ReadMode, TemplateName,
};
use super::tags::TagPlace;
use crate::name_tree::ValuePathStep;
use sealwave_core::document::SourceId;

/// The maximum number of outline steps visited for one environment; real ones have some thousand.
const MAX_STEPS: usize = 200_000;
/// The maximum nesting of blocks and partials.
const MAX_DEPTH: usize = 60;
/// The maximum number of steps of a path; values are not deeper.
const MAX_PATH: usize = 128;
/// The maximum size of the keys of a path in bytes.
const MAX_PATH_BYTES: usize = 8 << 10;
/// The size of a path that counts as one more step.
const BYTES_PER_STEP: usize = 256;

/// The values that templates read.
#[derive(Debug, Default)]
pub(super) struct TemplateReads {
    /// Paths into the values, each with whether the whole value is read.
    pub(super) paths: BTreeSet<(Vec<ValuePathStep>, bool)>,
    /// Names that may be undefined where they are read.
    pub(super) lenient: BTreeSet<LenientRead>,
    /// Whether a name could not be followed, so that more may be read.
    pub(super) is_partial: bool,
    steps: usize,
}

/// A name that may be undefined where it is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LenientRead {
    /// The template.
    pub(super) source: SourceId,
    /// The tag.
    pub(super) at: TagPlace,
    /// The name as written.
    pub(super) raw: String,
    /// The path from the values.
    pub(super) path: Vec<ValuePathStep>,
    /// The number of trailing steps that belong to the name itself.
    pub(super) own: usize,
    /// Whether it starts at the context of the current block.
    pub(super) is_relative: bool,
}

/// The target of a name.
#[derive(Clone, Debug)]
enum ReadTarget {
    /// All template data: values and built-in names.
    Data,
    Unknown,
    Values(Vec<ValuePathStep>),
}

#[derive(Clone, Debug)]
struct ReadFrame {
    context: ReadTarget,
    /// The names defined by a block or passed to a partial.
    names: BTreeMap<String, ReadTarget>,
    is_partial: bool,
}

/// The outlines of partials by name.
pub(super) type PartialOutlines = BTreeMap<String, Vec<OutlineStep>>;

impl TemplateReads {
    /// Creates an empty collection that continues the step count of another.
    pub(super) fn continuing(others: &Self) -> Self {
        Self { steps: others.steps, ..Self::default() }
    }

    /// Adds the reads of other templates.
    pub(super) fn extend(&mut self, mut other: Self) {
        self.paths.append(&mut other.paths);
        self.lenient.append(&mut other.lenient);
        self.is_partial |= other.is_partial;
        self.steps = other.steps;
    }

    /// Adds the reads of a template. The names in `passed` may be missing in a partial, since only some calls pass
    /// them.
    pub(super) fn add(
        &mut self,
        template: &[OutlineStep],
        partials: &PartialOutlines,
        passed: &BTreeSet<String>,
    ) {
        let root = ReadFrame { context: ReadTarget::Data, names: BTreeMap::new(), is_partial: false };
        let mut walk =
            ReadCollector { reads: self, partials, passed, inline: BTreeMap::new(), frames: vec![root] };
        walk.steps(template);
    }
}

struct ReadCollector<'a> {
    reads: &'a mut TemplateReads,
    partials: &'a PartialOutlines,
    passed: &'a BTreeSet<String>,
    inline: BTreeMap<&'a str, &'a [OutlineStep]>,
    /// The innermost frame is last.
    frames: Vec<ReadFrame>,
}

impl<'a> ReadCollector<'a> {
    fn steps(&mut self, steps: &'a [OutlineStep]) {
        if self.frames.len() > MAX_DEPTH {
            self.reads.is_partial = true;
            return;
        }
        for step in steps {
            if self.reads.steps >= MAX_STEPS {
                self.reads.is_partial = true;
                return;
            }
            self.reads.steps += 1;
            match step {
                OutlineStep::Block(block) => self.block(block),
                OutlineStep::Inline(name, body) => drop(self.inline.insert(name, body)),
                OutlineStep::Partial(partial) => self.partial(partial),
                OutlineStep::Read(read) => self.read(read),
            }
        }
    }

    fn read(&mut self, read: &NameRead) {
        let (target, own) = self.target(&read.name);
        let path = match target {
            ReadTarget::Data => Vec::new(),
            ReadTarget::Unknown => return,
            ReadTarget::Values(path) => path,
        };
        self.reads.steps += read.name.raw.len() / BYTES_PER_STEP;
        if read.mode != ReadMode::Strict && !path.is_empty() && !self.may_lack(&read.name) {
            self.reads.lenient.insert(LenientRead {
                source: read.source,
                at: read.at,
                raw: read.name.raw.clone(),
                path: path.clone(),
                own,
                is_relative: matches!(read.name.anchor, NameAnchor::Up(_)) && self.frames.len() > 1,
            });
        }
        self.reads.paths.insert((path, read.mode != ReadMode::Inspected));
    }

    /// Reports whether a name in a partial is passed by other calls only.
    fn may_lack(&self, name: &TemplateName) -> bool {
        let is_passed = |first: &String| {
            self.passed.contains(first) && !self.frames.iter().any(|frame| frame.names.contains_key(first))
        };
        self.frames.iter().any(|frame| frame.is_partial) && name.parts.first().is_some_and(is_passed)
    }

    fn block(&mut self, block: &'a OutlineBlock) {
        let subject = self.subject(&block.subject);
        let context = match subject {
            ReadTarget::Data if block.is_each => ReadTarget::Values(vec![ValuePathStep::Item]),
            ReadTarget::Values(mut path) if block.is_each => {
                path.push(ValuePathStep::Item);
                ReadTarget::Values(path)
            }
            other => other,
        };
        let [value, key] = &block.names;
        let value = value.iter().map(|name| (name.clone(), context.clone()));
        let names = value.chain(key.iter().map(|name| (name.clone(), ReadTarget::Unknown))).collect();
        self.frames.push(ReadFrame { context, names, is_partial: false });
        self.steps(&block.body);
        self.frames.pop();
        self.steps(&block.otherwise);
    }

    fn partial(&mut self, partial: &'a PartialCall) {
        let Some(name) = &partial.name else {
            self.reads.is_partial = true;
            return;
        };
        let body = match self.inline.get(name.as_str()) {
            Some(body) => body,
            None => match self.partials.get(name) {
                Some(body) => body.as_slice(),
                None => return,
            },
        };
        let context = if let Some(subject) = &partial.context {
            self.subject(subject)
        } else {
            let context = self.frames.last().map_or(ReadTarget::Unknown, |frame| frame.context.clone());
            self.count_path(context)
        };
        let given = partial.fields.iter().map(|(name, subject)| (name.clone(), self.subject(subject)));
        let names = given.collect();
        self.frames.push(ReadFrame { context, names, is_partial: true });
        self.steps(body);
        self.frames.pop();
    }

    /// Counts the steps that storing a path takes.
    fn count_path(&mut self, target: ReadTarget) -> ReadTarget {
        if let ReadTarget::Values(path) = &target {
            let bytes = path.len() * size_of::<ValuePathStep>() + bytes_of(path);
            self.reads.steps += bytes / BYTES_PER_STEP;
        }
        target
    }

    fn subject(&mut self, subject: &ContextArgument) -> ReadTarget {
        match subject {
            ContextArgument::Name(name) => self.target(name).0,
            ContextArgument::Other => ReadTarget::Unknown,
        }
    }

    /// Returns the target of a name, and the number of steps that belong to the name.
    fn target(&mut self, name: &TemplateName) -> (ReadTarget, usize) {
        let (target, own) = self.resolve_name(name);
        (self.count_path(target), own)
    }

    fn resolve_name(&self, name: &TemplateName) -> (ReadTarget, usize) {
        let up = match name.anchor {
            NameAnchor::Local => return (ReadTarget::Unknown, 0),
            NameAnchor::Root => return (join_path(ReadTarget::Data, &name.parts), name.parts.len()),
            NameAnchor::Up(up) => up,
        };
        if let Some((first, rest)) = name.parts.split_first()
            && let Some(given) = self.frames.iter().rev().find_map(|frame| frame.names.get(first))
        {
            return (join_path(given.clone(), rest), rest.len());
        }
        let last = self.frames.len().saturating_sub(1);
        // If there are fewer blocks, the engine stays in the innermost one.
        let at = last.checked_sub(up).unwrap_or(last);
        let context = self.frames.get(at).map_or(ReadTarget::Unknown, |frame| frame.context.clone());
        (join_path(context, &name.parts), name.parts.len())
    }
}

fn join_path(target: ReadTarget, parts: &[String]) -> ReadTarget {
    let to_keys = |parts: &[String]| -> Vec<ValuePathStep> {
        parts.iter().map(|part| ValuePathStep::Key(CompactString::from(part.as_str()))).collect()
    };
    let (length, bytes) =
        if let ReadTarget::Values(path) = &target { (path.len(), bytes_of(path)) } else { (0, 0) };
    let more: usize = parts.iter().map(String::len).sum();
    if length.saturating_add(parts.len()) > MAX_PATH || bytes.saturating_add(more) > MAX_PATH_BYTES {
        return ReadTarget::Unknown;
    }
    match (target, parts.split_first()) {
        (ReadTarget::Data, Some((first, rest))) if first == VALUES => ReadTarget::Values(to_keys(rest)),
        (ReadTarget::Data, Some((first, _))) if BUILT_IN_NAMES.contains(&first.as_str()) => {
            ReadTarget::Unknown
        }
        (ReadTarget::Data, Some(_)) => ReadTarget::Values(to_keys(parts)),
        (ReadTarget::Values(mut path), _) => {
            path.extend(to_keys(parts));
            ReadTarget::Values(path)
        }
        (other, _) => other,
    }
}

fn bytes_of(path: &[ValuePathStep]) -> usize {
    let key_length = |step: &ValuePathStep| if let ValuePathStep::Key(key) = step { key.len() } else { 0 };
    path.iter().map(key_length).sum()
}

#[cfg(test)]
mod tests {
    use handlebars::Template;

    use super::super::outline::outline;
    use super::*;
    use sealwave_core::document::Sources;

    fn reads(text: &str, partials: &[(&str, &str)]) -> Vec<String> {
        let source = Sources::default().add("t");
        let outline_of = |text: &str| outline(&Template::compile(text).unwrap(), source);
        let partials = partials.iter().map(|(name, text)| ((*name).to_owned(), outline_of(text))).collect();
        let mut reads = TemplateReads::default();
        reads.add(&outline_of(text), &partials, &BTreeSet::new());
        let format_step = |step: &ValuePathStep| match step {
            ValuePathStep::Item => "*".to_owned(),
            ValuePathStep::Key(key) => key.to_string(),
        };
        let format_path = |(path, all): &(Vec<ValuePathStep>, bool)| {
            let path: Vec<String> = path.iter().map(format_step).collect();
            format!("{}{}", path.join("."), if *all { "" } else { "?" })
        };
        reads.paths.iter().map(format_path).collect()
    }

    #[test]
    fn names_are_followed_through_blocks_and_partials() {
        for (text, wanted) in [
            ("{{a.b}} {{values.c}} {{env}}", &["a.b", "c"][..]),
            ("{{#if a}}{{b}}{{else if (eq c 1)}}{{d}}{{else}}{{e}}{{/if}}", &["a?", "b", "c", "d", "e"]),
            ("{{#each l}}{{x}}{{../y}}{{@root.z}}{{@key}}{{/each}}", &["l?", "l.*.x", "y", "z"]),
            (
                "{{#each l as |i k|}}{{i.x}}{{k}}{{#with i.m}}{{n}}{{../o}}{{/with}}{{/each}}",
                &["l?", "l.*.m?", "l.*.m.n", "l.*.o", "l.*.x"],
            ),
            ("{{#with (get m \"k\")}}{{x}}{{../y}}{{/with}}", &["m", "y"]),
            ("{{#each l}}{{this}}{{/each}}{{toYaml m}}", &["l?", "l.*", "m"]),
            ("{{> p}}{{> p m}}{{> p x=v.w}}", &["m?", "m.x", "v.w?", "v.w", "x"]),
            ("{{toYaml this}}", &[""]),
            ("{{#*inline \"i\"}}{{q}}{{/inline}}{{> i m}}", &["m?", "m.q"]),
        ] {
            assert_eq!(reads(text, &[("p", "{{x}}")]), wanted, "{text}");
        }
    }

    #[test]
    fn endless_partials_are_not_followed() {
        let source = Sources::default().add("t");
        let text = "{{> p a}}{{> p b}}";
        let body = outline(&Template::compile(text).unwrap(), source);
        let partials = BTreeMap::from_iter([("p".to_owned(), body)]);
        let mut reads = TemplateReads::default();
        reads.add(&partials["p"], &partials, &BTreeSet::new());
        assert!(reads.is_partial && reads.steps < MAX_STEPS + MAX_PATH);
    }
}
