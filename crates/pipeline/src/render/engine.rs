//! Runs the templates of one environment: strict, bounded, and with a template line for each output line.
//!
//! A template can reach only its context, the app's partials, and texts in the app's directory. Templates may loop and recurse, so work, depth and
//! output are bounded. Each limit is reported at the template's line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use handlebars::{Context, Handlebars, Output, RenderContext as Run, Renderable, Template, no_escape};
use serde_json::Value as Json;

use super::brackets::{BracketCount, MAX_BRACKETS, count_brackets};
use super::errors::{compile_problems, refusal_problem, render_problem};
use super::fault::RenderFault;
use super::instrument::TemplateInstrumenter;
use super::limits::MAX_PROBLEMS;
use super::outline::{OutlineStep, outline};
use super::reads::PartialOutlines;
use super::state::RenderState;
use super::tracer::{EntryOrigins, OutputTracer};
use super::value_gaps::ValueGapHints;
use super::{forms, helpers, literals};
use crate::load::{PartialTemplate, TemplateFiles};
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_core::document::{LineMap, Origin, OutputSpan, SourceId};

/// The maximum size of a template in bytes.
const MAX_TEMPLATE: usize = 1 << 20;
/// The maximum output size of a template in bytes.
const MAX_OUTPUT: usize = 16 << 20;
/// The maximum output size of all templates of an environment in bytes.
const MAX_TOTAL: usize = 64 << 20;
/// The work units for a line of output whose origin takes memory of its own.
const LINE_WORK: u64 = 3;
/// The maximum number of tags of a template, and of all partials together: each takes some kilobytes when compiled.
const MAX_TAGS: usize = 50_000;
/// The number of name parts that take as much memory as a tag.
const PARTS_PER_TAG: usize = 8;
/// The maximum number of characters that the parser may scan to locate tags, in all templates of an environment: for each
/// tag it starts at the template's first character.
const MAX_STEPS: u64 = 4_000_000_000;

/// The template engine of an environment: helpers, partials and values.
pub(super) struct TemplateEngine {
    registry: Handlebars<'static>,
    /// Boxed so that it does not move: a tracer identifies its parts by address.
    context: Box<Context>,
    state: Arc<RenderState>,
    sources: Vec<SourceId>,
    partials: BTreeMap<String, (SourceId, String)>,
    outlines: PartialOutlines,
    written: usize,
    /// The tags of partials, which stay compiled.
    kept_tags: usize,
    /// The number of prices of partials.
    kept_prices: usize,
    /// The number of characters that the parser may still scan.
    steps_left: u64,
    gaps: ValueGapHints,
}

/// A compiled template.
pub(super) struct PreparedTemplate {
    template: Template,
    source: SourceId,
    /// The outline of its reads.
    pub(super) outline: Vec<OutlineStep>,
}

/// The output of a template.
pub(super) struct RenderedText {
    pub(super) text: String,
    /// The template line of each output line.
    pub(super) lines: LineMap,
    /// The origins of the output, if it is traced.
    pub(super) stretches: Vec<OutputSpan>,
}

impl TemplateEngine {
    /// Compiles the partials. If `entries` is given, output is traced to the entries of the values.
    pub(super) fn new(
        partials: BTreeMap<String, PartialTemplate>,
        context: Json,
        entries: Option<impl FnOnce(&Json) -> EntryOrigins>,
    ) -> Result<Self, Failure> {
        let context = Box::new(Context::from(context));
        let tracer = entries.map(|entries| OutputTracer::new(entries(context.data())));
        let state = Arc::new(RenderState::new(tracer));
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(no_escape);
        registry.unregister_helper("log");
        helpers::register(&mut registry, &state);
        let mut engine = Self {
            registry,
            context,
            state,
            sources: Vec::new(),
            partials: BTreeMap::new(),
            outlines: PartialOutlines::new(),
            written: 0,
            kept_tags: 0,
            kept_prices: 0,
            steps_left: MAX_STEPS,
            gaps: ValueGapHints::default(),
        };
        let mut problems = Vec::new();
        for (name, partial) in partials {
            match engine.compile(partial.source, &partial.text) {
                Ok(prepared) => {
                    engine.kept_tags = engine.kept_tags.saturating_add(tag_weight(&partial.text));
                    engine.registry.register_template(&name, prepared.template);
                    engine.outlines.insert(name.clone(), prepared.outline);
                }
                Err(found) => problems.extend(found),
            }
            if problems.len() >= MAX_PROBLEMS {
                break;
            }
            engine.partials.insert(name, (partial.source, partial.text));
        }
        Failure::unless_empty(problems)?;
        engine.kept_prices = engine.state.price_count();
        Ok(engine)
    }

    /// Returns the outlines of the partials.
    pub(super) const fn outlines(&self) -> &PartialOutlines {
        &self.outlines
    }

    /// Returns the text of a partial.
    pub(super) fn partial_text(&self, source: SourceId) -> Option<&str> {
        self.partials.values().find(|(id, _)| *id == source).map(|(_, text)| text.as_str())
    }

    /// Compiles a template and checks it. Invalidates the template that was prepared before.
    pub(super) fn prepare(&mut self, source: SourceId, text: &str) -> Result<PreparedTemplate, Vec<Problem>> {
        self.state.truncate_prices(self.kept_prices);
        self.compile(source, text)
    }

    /// Renders the template that was prepared last, whose text is `text`.
    pub(super) fn render(&mut self, prepared: PreparedTemplate, text: &str) -> Result<RenderedText, Problem> {
        let PreparedTemplate { template, source, .. } = prepared;
        let mut output =
            MappedOutput { engine: self, text: String::new(), lines: LineMap::default(), starts_line: true };
        self.state.reset();
        let mut run = Run::new(template.name.as_ref());
        let result = template.render(&self.registry, &self.context, &mut run, &mut output);
        let MappedOutput { text: rendered, lines, .. } = output;
        result.map_err(|error| render_problem(&error, &self.surroundings(source, text)))?;
        self.written = self.written.saturating_add(rendered.len());
        let stretches = self.state.tracer.as_ref().map(OutputTracer::take).unwrap_or_default();
        Ok(RenderedText { text: rendered, lines, stretches })
    }

    /// Returns the work units used, and the maximum size of live copies in bytes.
    #[cfg(test)]
    pub(super) fn usage(&self) -> (u64, u64) {
        (self.state.used_work(), self.state.ledger().highest())
    }

    /// Sets the hints for undefined names.
    pub(super) fn set_gap_hints(&mut self, gaps: ValueGapHints) {
        self.gaps = gaps;
    }

    /// Sets the files that templates can read.
    pub(super) fn set_files(&mut self, files: Option<TemplateFiles>) {
        // The engine is new, so nothing is set yet.
        files.map(|files| self.state.files.set(files));
    }

    /// Returns the paths of the files that templates read.
    pub(super) fn read_files(&self) -> Vec<PathBuf> {
        self.state.files.get().map(TemplateFiles::paths).unwrap_or_default()
    }

    fn surroundings<'a>(&'a self, source: SourceId, text: &'a str) -> super::errors::ErrorContext<'a> {
        super::errors::ErrorContext {
            source,
            text,
            partials: &self.partials,
            sources: &self.sources,
            values: self.context.data(),
            gaps: &self.gaps,
        }
    }

    fn compile(&mut self, source: SourceId, text: &str) -> Result<PreparedTemplate, Vec<Problem>> {
        self.sources.push(source);
        let number = self.sources.len() - 1;
        self.check(text).map_err(|fault| vec![Problem::at(Origin::whole(source), &fault)])?;
        let mut template = Template::compile_with_name(text, number.to_string())
            .map_err(|error| compile_problems(&error, text, source))?;
        let faults = forms::check(&template, text, source);
        if !faults.is_empty() {
            return Err(faults);
        }
        literals::keep_texts(&mut template, text);
        let outline = outline(&template, source);
        let instrument =
            TemplateInstrumenter::new(text, number, &self.state).expect("the call is a valid template");
        let instrument = instrument.with_tracer(text, source);
        instrument.apply(&mut template).map_err(|refusal| vec![refusal_problem(&refusal, source)])?;
        Ok(PreparedTemplate { template, source, outline })
    }

    /// Checks the limits before parsing: the parser takes memory for each tag, and as many steps as there are
    /// characters before it.
    fn check(&mut self, text: &str) -> Result<(), RenderFault> {
        if text.len() > MAX_TEMPLATE {
            return Err(RenderFault::Size(MAX_TEMPLATE));
        }
        match count_brackets(text) {
            BracketCount::Fits => {}
            BracketCount::TooMany => return Err(RenderFault::Brackets(MAX_BRACKETS)),
            BracketCount::Unknown => return Err(RenderFault::Crowded),
        }
        if self.kept_tags.saturating_add(tag_weight(text)) > MAX_TAGS {
            return Err(RenderFault::Tags(MAX_TAGS));
        }
        // The parser searches for each tag, and for the text before it.
        let steps = tag_offsets(text).fold(0_u64, |steps, at| steps.saturating_add(2 * at as u64));
        let left = self.steps_left.checked_sub(steps).ok_or(RenderFault::Crowded)?;
        self.steps_left = left;
        Ok(())
    }
}

/// Returns the contents of possible tags.
fn tag_contents(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).map(|tag| tag.split_once("}}").map_or(tag, |(tag, _)| tag))
}

/// Returns the number of tags. Long names count as more, since each part takes memory.
fn tag_weight(text: &str) -> usize {
    let count_separators = |tag: &str| tag.bytes().filter(|byte| matches!(byte, b'.' | b'/')).count();
    tag_offsets(text)
        .count()
        .saturating_add(tag_contents(text).map(count_separators).sum::<usize>() / PARTS_PER_TAG)
}

/// Returns the offsets of possible tags.
fn tag_offsets(text: &str) -> impl Iterator<Item = usize> + '_ {
    text.match_indices("{{").map(|(at, _)| at)
}

/// An output that records the template line of each of its lines.
struct MappedOutput<'e> {
    engine: &'e TemplateEngine,
    text: String,
    lines: LineMap,
    starts_line: bool,
}

impl MappedOutput<'_> {
    fn here(&self) -> Origin {
        let state = &self.engine.state;
        let (number, line) = state.position();
        let source = self.engine.sources.get(number).or_else(|| self.engine.sources.last());
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        // A source exists once anything renders.
        Origin::point(*source.expect("a template that renders has a source"), line, 0)
    }
}

impl Output for MappedOutput<'_> {
    fn write(&mut self, text: &str) -> std::io::Result<()> {
        let length = self.text.len().saturating_add(text.len());
        if length > MAX_OUTPUT {
            return Err(std::io::Error::other(RenderFault::Output(MAX_OUTPUT)));
        }
        if self.engine.written.saturating_add(length) > MAX_TOTAL {
            return Err(std::io::Error::other(RenderFault::Total(MAX_TOTAL)));
        }
        if let (Some(tracer), false) = (&self.engine.state.tracer, text.is_empty()) {
            tracer.write(self.text.len());
        }
        for piece in text.split_inclusive('\n') {
            if self.starts_line && self.lines.push(self.here()) {
                self.engine.state.charge(LINE_WORK).map_err(std::io::Error::other)?;
            }
            self.starts_line = piece.ends_with('\n');
            if self.starts_line {
                self.engine.state.count_line_break();
            }
        }
        self.engine.state.set_in_line(!self.starts_line);
        self.text.push_str(text);
        Ok(())
    }
}
