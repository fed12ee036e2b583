//! Runs the templates of one environment: strict, bounded, and knowing which template line made which output line.
//!
//! A template reaches nothing but its context and the app's own partials. It may hold loops and recursion, so work,
//! depth and output are bounded; each bound ends in an error at the template's line.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use handlebars::{Context, Handlebars, Output, RenderContext as Run, Renderable, Template, no_escape};
use serde_json::Value as Json;

use super::errors::{TemplateFault, compile_problem, refusal_problem, render_problem};
use super::instrument::Instrument;
use super::outline::{Step, outline};
use super::reads::Outlines;
use super::tracer::{Entries, Tracer};
use super::{forms, helpers, literals};
use crate::diagnostic::{Failure, Problem};
use crate::model::{Origin, SourceId, Stretch};
use crate::pipeline::load::Partial;

/// Bytes of one template.
const MAX_TEMPLATE: usize = 1 << 20;
/// Brackets in one tag; the parser works its way down at each.
const MAX_BRACKETS: usize = 128;
/// Bytes that one template may render to.
const MAX_OUTPUT: usize = 16 << 20;
/// Bytes that all templates of an environment may render to.
const MAX_TOTAL: usize = 64 << 20;
/// Partials and blocks within each other while rendering.
const MAX_DEPTH: usize = 100;
/// Units of work for all templates of an environment: one for each element that is rendered, and one for each 64 bytes
/// that a helper handles. Real environments need some ten thousand.
const MAX_WORK: u64 = 4_000_000;

/// What the running template and its helpers share. One thread uses it; the atomics are there because helpers must be
/// `Sync`.
pub(super) struct State {
    work: AtomicU64,
    depth: AtomicUsize,
    source: AtomicUsize,
    line: AtomicUsize,
    counts: AtomicBool,
    /// What wrote what, where somebody wants to know.
    pub(super) tracer: Option<Tracer>,
}

impl State {
    fn new(tracer: Option<Tracer>) -> Self {
        Self {
            work: AtomicU64::new(MAX_WORK),
            depth: AtomicUsize::new(0),
            source: AtomicUsize::new(0),
            line: AtomicUsize::new(0),
            counts: AtomicBool::new(false),
            tracer,
        }
    }

    /// Takes units off what is left.
    pub(super) fn charge(&self, units: u64) -> Result<(), TemplateFault> {
        self.work
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(units))
            .map(drop)
            .map_err(|_| TemplateFault::Work)
    }

    /// The next output comes from this line; `counts` where each of its line breaks is one of the template.
    pub(super) fn mark(&self, source: usize, line: usize, counts: bool) {
        self.source.store(source, Ordering::Relaxed);
        self.line.store(line, Ordering::Relaxed);
        self.counts.store(counts, Ordering::Relaxed);
    }

    pub(super) fn enter(&self) -> Result<(), TemplateFault> {
        let depth = self.depth.fetch_add(1, Ordering::Relaxed);
        if depth < MAX_DEPTH { Ok(()) } else { Err(TemplateFault::Depth) }
    }

    pub(super) fn leave(&self) {
        // What was to be entered last was not.
        self.tracer.as_ref().map(Tracer::take_made_of);
        self.depth.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The templates' surroundings: helpers, partials and values.
pub(super) struct Engine {
    registry: Handlebars<'static>,
    /// It stays where it is: a tracer knows its parts by that.
    context: Box<Context>,
    state: Arc<State>,
    sources: Vec<SourceId>,
    partials: BTreeMap<String, (SourceId, String)>,
    outlines: Outlines,
    partial_cost: u64,
    written: usize,
}

/// A template that is ready to run.
pub(super) struct Prepared {
    template: Template,
    source: SourceId,
    /// What it reads.
    pub(super) outline: Vec<Step>,
}

/// What a template rendered to.
pub(super) struct RenderedText {
    pub(super) text: String,
    /// For each line of it, the template line that made it.
    pub(super) lines: Vec<Origin>,
    /// What wrote it, where that was wanted.
    pub(super) stretches: Vec<Stretch>,
}

impl Engine {
    /// Compiles the partials. What templates write is traced to the entries of the values, where these are given.
    pub(super) fn new(
        partials: BTreeMap<String, Partial>,
        context: Json,
        entries: Option<impl FnOnce(&Json) -> Entries>,
    ) -> Result<Self, Failure> {
        let context = Box::new(Context::from(context));
        let tracer = entries.map(|entries| Tracer::new(entries(context.data())));
        let state = Arc::new(State::new(tracer));
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(no_escape);
        registry.unregister_helper("log");
        helpers::register(&mut registry, &state);
        // A partial gets a copy of its context, which is quicker than what helpers do.
        let partial_cost = 1 + helpers::size_of(context.data()) / 256;
        let mut engine = Self {
            registry,
            context,
            state,
            sources: Vec::new(),
            partials: BTreeMap::new(),
            outlines: Outlines::new(),
            partial_cost,
            written: 0,
        };
        let mut problems = Vec::new();
        for (name, partial) in partials {
            match engine.compile(partial.source, &partial.text, engine.partial_cost) {
                Ok(prepared) => {
                    engine.registry.register_template(&name, prepared.template);
                    engine.outlines.insert(name.clone(), prepared.outline);
                }
                Err(found) => problems.extend(found),
            }
            engine.partials.insert(name, (partial.source, partial.text));
        }
        Failure::unless_empty(problems)?;
        Ok(engine)
    }

    /// What the partials read.
    pub(super) const fn outlines(&self) -> &Outlines {
        &self.outlines
    }

    /// The text of a partial.
    pub(super) fn partial_text(&self, source: SourceId) -> Option<&str> {
        self.partials.values().find(|(id, _)| *id == source).map(|(_, text)| text.as_str())
    }

    /// Compiles a template, and checks what can be checked before it runs.
    pub(super) fn prepare(&mut self, source: SourceId, text: &str) -> Result<Prepared, Vec<Problem>> {
        self.compile(source, text, 1)
    }

    /// Renders a template, which has this text.
    pub(super) fn render(&mut self, prepared: Prepared, text: &str) -> Result<RenderedText, Problem> {
        let Prepared { template, source, .. } = prepared;
        let mut output = Placed { engine: self, text: String::new(), lines: Vec::new(), starts_line: true };
        self.state.depth.store(0, Ordering::Relaxed);
        // A template that failed may have left something.
        self.state.tracer.as_ref().map(Tracer::take);
        let mut run = Run::new(template.name.as_ref());
        let result = template.render(&self.registry, &self.context, &mut run, &mut output);
        let Placed { text: rendered, lines, .. } = output;
        result.map_err(|error| render_problem(&error, &self.surroundings(source, text)))?;
        self.written = self.written.saturating_add(rendered.len());
        let stretches = self.state.tracer.as_ref().map(Tracer::take).unwrap_or_default();
        Ok(RenderedText { text: rendered, lines, stretches })
    }

    fn surroundings<'a>(&'a self, source: SourceId, text: &'a str) -> super::errors::Surroundings<'a> {
        super::errors::Surroundings {
            source,
            text,
            partials: &self.partials,
            sources: &self.sources,
            values: self.context.data(),
        }
    }

    fn compile(&mut self, source: SourceId, text: &str, cost: u64) -> Result<Prepared, Vec<Problem>> {
        self.sources.push(source);
        let number = self.sources.len() - 1;
        check(text).map_err(|fault| vec![Problem::at(Origin::whole(source), &fault)])?;
        let mut template = Template::compile_with_name(text, number.to_string())
            .map_err(|error| vec![compile_problem(&error, source)])?;
        let faults = forms::check(&template, text, source);
        if !faults.is_empty() {
            return Err(faults);
        }
        literals::keep_texts(&mut template, text);
        let outline = outline(&template, source);
        let instrument = Instrument::new(text, number, cost).expect("the call is a valid template");
        let instrument = instrument.traced(text, source, self.state.tracer.as_ref());
        instrument.apply(&mut template).map_err(|refusal| vec![refusal_problem(&refusal, source)])?;
        Ok(Prepared { template, source, outline })
    }
}

/// What is checked before the parser sees the text.
fn check(text: &str) -> Result<(), TemplateFault> {
    if text.len() > MAX_TEMPLATE {
        return Err(TemplateFault::Size(MAX_TEMPLATE));
    }
    let brackets = |tag: &str| {
        let tag = tag.split_once("}}").map_or(tag, |(tag, _)| tag);
        tag.bytes().filter(|byte| matches!(byte, b'(' | b'[' | b'{')).count()
    };
    if text.split("{{").skip(1).any(|tag| brackets(tag) > MAX_BRACKETS) {
        return Err(TemplateFault::Brackets(MAX_BRACKETS));
    }
    Ok(())
}

/// Output that knows, for each of its lines, the template line that started it.
struct Placed<'e> {
    engine: &'e Engine,
    text: String,
    lines: Vec<Origin>,
    starts_line: bool,
}

impl Placed<'_> {
    fn here(&self) -> Origin {
        let state = &self.engine.state;
        let number = state.source.load(Ordering::Relaxed);
        let source = self.engine.sources.get(number).or_else(|| self.engine.sources.last());
        let line = u32::try_from(state.line.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        // There is a source as soon as anything renders.
        Origin::point(*source.expect("a template that renders has a source"), line, 0)
    }
}

impl Output for Placed<'_> {
    fn write(&mut self, text: &str) -> std::io::Result<()> {
        let length = self.text.len().saturating_add(text.len());
        if length > MAX_OUTPUT {
            return Err(std::io::Error::other(TemplateFault::Output(MAX_OUTPUT)));
        }
        if self.engine.written.saturating_add(length) > MAX_TOTAL {
            return Err(std::io::Error::other(TemplateFault::Total(MAX_TOTAL)));
        }
        if let (Some(tracer), false) = (&self.engine.state.tracer, text.is_empty()) {
            tracer.write(self.text.len());
        }
        for piece in text.split_inclusive('\n') {
            if self.starts_line {
                self.lines.push(self.here());
            }
            self.starts_line = piece.ends_with('\n');
            if self.starts_line && self.engine.state.counts.load(Ordering::Relaxed) {
                self.engine.state.line.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.text.push_str(text);
        Ok(())
    }
}
