//! Which values templates read, found without running them: every branch counts, and each call of a partial is followed.
//!
//! Names are followed as the engine does it: a block's own name first, wherever that block is, else the context of the
//! block that is as far up. A context that a helper makes is unknown, and so is every name in it.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::outline::{Anchor, Block, Manner, Name, Partial, Read, Step, Subject};
use super::tags::TagPlace;
use super::{OWN, VALUES};
use crate::shape::PathStep;
use sealwave_core::document::SourceId;

/// Steps of outlines that are looked at for one environment; real ones have some thousand.
const MAX_STEPS: usize = 200_000;
/// Blocks and partials within each other.
const MAX_DEPTH: usize = 60;
/// Steps of a path that is followed; values are not deeper.
const MAX_PATH: usize = 128;
/// Bytes of the keys of such a path.
const MAX_PATH_BYTES: usize = 8 << 10;
/// Bytes of a path for which one more step is counted.
const BYTES_PER_STEP: usize = 256;

/// What templates read.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Paths into the values; with whether all that is there is read.
    pub(super) paths: BTreeSet<(Vec<PathStep>, bool)>,
    /// What may be undefined where it is read.
    pub(super) lenient: BTreeSet<LenientRead>,
    /// Whether something could not be followed, so that more may be read.
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
    /// The name as it is written.
    pub(super) raw: String,
    /// Where it leads from the values.
    pub(super) path: Vec<PathStep>,
    /// How many of the last steps the name itself has.
    pub(super) own: usize,
    /// Whether it starts at the context of the block at hand.
    pub(super) is_relative: bool,
}

/// What a name leads to.
#[derive(Clone, Debug)]
enum Target {
    /// All that templates see: values, and what sealwave itself says.
    Data,
    Unknown,
    Values(Vec<PathStep>),
}

#[derive(Clone, Debug)]
struct Frame {
    context: Target,
    /// What names lead to that a block gives, or a partial gets.
    names: BTreeMap<String, Target>,
    is_partial: bool,
}

/// Outlines of partials by their names.
pub(super) type Outlines = BTreeMap<String, Vec<Step>>;

impl Reads {
    /// Nothing yet, with the steps of others behind it.
    pub(super) fn after(others: &Self) -> Self {
        Self { steps: others.steps, ..Self::default() }
    }

    /// Takes in what other templates read.
    pub(super) fn extend(&mut self, mut other: Self) {
        self.paths.append(&mut other.paths);
        self.lenient.append(&mut other.lenient);
        self.is_partial |= other.is_partial;
        self.steps = other.steps;
    }

    /// Adds what a template reads. A partial may lack what some calls give it: those names are `passed`.
    pub(super) fn add(&mut self, template: &[Step], partials: &Outlines, passed: &BTreeSet<String>) {
        let root = Frame { context: Target::Data, names: BTreeMap::new(), is_partial: false };
        let mut walk = Walk { reads: self, partials, passed, inline: BTreeMap::new(), frames: vec![root] };
        walk.steps(template);
    }
}

struct Walk<'a> {
    reads: &'a mut Reads,
    partials: &'a Outlines,
    passed: &'a BTreeSet<String>,
    inline: BTreeMap<&'a str, &'a [Step]>,
    /// The innermost last.
    frames: Vec<Frame>,
}

impl<'a> Walk<'a> {
    fn steps(&mut self, steps: &'a [Step]) {
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
                Step::Block(block) => self.block(block),
                Step::Inline(name, body) => drop(self.inline.insert(name, body)),
                Step::Partial(partial) => self.partial(partial),
                Step::Read(read) => self.read(read),
            }
        }
    }

    fn read(&mut self, read: &Read) {
        let (target, own) = self.target(&read.name);
        let path = match target {
            Target::Data => Vec::new(),
            Target::Unknown => return,
            Target::Values(path) => path,
        };
        self.reads.steps += read.name.raw.len() / BYTES_PER_STEP;
        if read.manner != Manner::Strict && !path.is_empty() && !self.may_lack(&read.name) {
            self.reads.lenient.insert(LenientRead {
                source: read.source,
                at: read.at,
                raw: read.name.raw.clone(),
                path: path.clone(),
                own,
                is_relative: matches!(read.name.anchor, Anchor::Up(_)) && self.frames.len() > 1,
            });
        }
        self.reads.paths.insert((path, read.manner != Manner::Handed));
    }

    /// Whether a name in a partial is one that other calls give to it.
    fn may_lack(&self, name: &Name) -> bool {
        let is_passed = |first: &String| {
            self.passed.contains(first) && !self.frames.iter().any(|frame| frame.names.contains_key(first))
        };
        self.frames.iter().any(|frame| frame.is_partial) && name.parts.first().is_some_and(is_passed)
    }

    fn block(&mut self, block: &'a Block) {
        let subject = self.subject(&block.subject);
        let context = match subject {
            Target::Data if block.is_each => Target::Values(vec![PathStep::Item]),
            Target::Values(mut path) if block.is_each => {
                path.push(PathStep::Item);
                Target::Values(path)
            }
            other => other,
        };
        let [value, key] = &block.names;
        let value = value.iter().map(|name| (name.clone(), context.clone()));
        let names = value.chain(key.iter().map(|name| (name.clone(), Target::Unknown))).collect();
        self.frames.push(Frame { context, names, is_partial: false });
        self.steps(&block.body);
        self.frames.pop();
        self.steps(&block.otherwise);
    }

    fn partial(&mut self, partial: &'a Partial) {
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
            let context = self.frames.last().map_or(Target::Unknown, |frame| frame.context.clone());
            self.counted(context)
        };
        let given = partial.fields.iter().map(|(name, subject)| (name.clone(), self.subject(subject)));
        let names = given.collect();
        self.frames.push(Frame { context, names, is_partial: true });
        self.steps(body);
        self.frames.pop();
    }

    /// Counts the steps that keeping a path takes.
    fn counted(&mut self, target: Target) -> Target {
        if let Target::Values(path) = &target {
            let bytes = path.len() * size_of::<PathStep>() + bytes_of(path);
            self.reads.steps += bytes / BYTES_PER_STEP;
        }
        target
    }

    fn subject(&mut self, subject: &Subject) -> Target {
        match subject {
            Subject::Name(name) => self.target(name).0,
            Subject::Other => Target::Unknown,
        }
    }

    /// What a name leads to, and how many steps of the way are its own.
    fn target(&mut self, name: &Name) -> (Target, usize) {
        let (target, own) = self.followed(name);
        (self.counted(target), own)
    }

    fn followed(&self, name: &Name) -> (Target, usize) {
        let up = match name.anchor {
            Anchor::Local => return (Target::Unknown, 0),
            Anchor::Root => return (below(Target::Data, &name.parts), name.parts.len()),
            Anchor::Up(up) => up,
        };
        if let Some((first, rest)) = name.parts.split_first()
            && let Some(given) = self.frames.iter().rev().find_map(|frame| frame.names.get(first))
        {
            return (below(given.clone(), rest), rest.len());
        }
        let last = self.frames.len().saturating_sub(1);
        // Where there are not so many blocks, the engine stays in the innermost.
        let at = last.checked_sub(up).unwrap_or(last);
        let context = self.frames.get(at).map_or(Target::Unknown, |frame| frame.context.clone());
        (below(context, &name.parts), name.parts.len())
    }
}

fn below(target: Target, parts: &[String]) -> Target {
    let keys = |parts: &[String]| -> Vec<PathStep> {
        parts.iter().map(|part| PathStep::Key(CompactString::from(part.as_str()))).collect()
    };
    let (length, bytes) =
        if let Target::Values(path) = &target { (path.len(), bytes_of(path)) } else { (0, 0) };
    let more: usize = parts.iter().map(String::len).sum();
    if length.saturating_add(parts.len()) > MAX_PATH || bytes.saturating_add(more) > MAX_PATH_BYTES {
        return Target::Unknown;
    }
    match (target, parts.split_first()) {
        (Target::Data, Some((first, rest))) if first == VALUES => Target::Values(keys(rest)),
        (Target::Data, Some((first, _))) if OWN.contains(&first.as_str()) => Target::Unknown,
        (Target::Data, Some(_)) => Target::Values(keys(parts)),
        (Target::Values(mut path), _) => {
            path.extend(keys(parts));
            Target::Values(path)
        }
        (other, _) => other,
    }
}

fn bytes_of(path: &[PathStep]) -> usize {
    let bytes = |step: &PathStep| if let PathStep::Key(key) = step { key.len() } else { 0 };
    path.iter().map(bytes).sum()
}

#[cfg(test)]
mod tests {
    use handlebars::Template;

    use super::super::outline::outline;
    use super::*;
    use sealwave_core::document::Sources;

    fn reads(text: &str, partials: &[(&str, &str)]) -> Vec<String> {
        let source = Sources::default().add("t");
        let outline = |text: &str| outline(&Template::compile(text).unwrap(), source);
        let partials = partials.iter().map(|(name, text)| ((*name).to_owned(), outline(text))).collect();
        let mut reads = Reads::default();
        reads.add(&outline(text), &partials, &BTreeSet::new());
        let step = |step: &PathStep| match step {
            PathStep::Item => "*".to_owned(),
            PathStep::Key(key) => key.to_string(),
        };
        let shown = |(path, all): &(Vec<PathStep>, bool)| {
            let path: Vec<String> = path.iter().map(step).collect();
            format!("{}{}", path.join("."), if *all { "" } else { "?" })
        };
        reads.paths.iter().map(shown).collect()
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
    fn partials_without_end_are_given_up() {
        let source = Sources::default().add("t");
        let text = "{{> p a}}{{> p b}}";
        let body = outline(&Template::compile(text).unwrap(), source);
        let partials = BTreeMap::from_iter([("p".to_owned(), body)]);
        let mut reads = Reads::default();
        reads.add(&partials["p"], &partials, &BTreeSet::new());
        assert!(reads.is_partial && reads.steps < MAX_STEPS + MAX_PATH);
    }
}
