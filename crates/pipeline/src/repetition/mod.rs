//! A second render of the sources of other tools, for `validate`: what differs, differs at every sync of Argo CD.
//!
//! ```text
//! the same files ► programs, with another time ► render and patches ► differences ► causes in the templates
//! ```
//!
//! Messages name objects and fields, never a value: it may be a password, and would differ in each run.

mod causes;
mod chart_texts;
mod differences;

use std::thread;
use std::time::{Duration, SystemTime};

use sealwave_core::diagnostic::{Explain, Note, Problem, printable};
use sealwave_core::document::{Manifest, ObjectId, SourceTexts, Sources};
use sealwave_programs::Toolbox;

use crate::discover::{AppSource, Discovery};
use crate::external_sources::{RenderPurpose, render_sources};
use crate::load::{CompleteApp, FileKind, load};
use crate::render::{RenderContext, try_render};
use causes::FieldCause;
use chart_texts::ChartTexts;
use differences::{Change, Difference};

/// The most differences that are reported; the rest is counted.
const MAX_DIFFERENCES: usize = 50;

/// The function whose result changes with each second, in every time zone.
const SECONDS: &str = "unixEpoch";

/// The second render of an app whose outputs differ, or failed.
pub(crate) enum Repetition<'a> {
    /// The outputs of programs differ.
    Differs(Box<CompleteApp<'a>>, Box<Sources>),
    /// It failed, although the first one did not.
    Failed(Vec<Problem>),
}

/// A field that is not the same in two renders.
#[derive(Debug, thiserror::Error)]
enum Unstable {
    #[error("`{pointer}` of {id} differs between two renders of the source")]
    Field { id: ObjectId, pointer: String, cause: Box<FieldCause> },
    #[error("keys of `{pointer}` of {id} differ between two renders of the source")]
    Keys { id: ObjectId, pointer: String, cause: Box<FieldCause> },
    #[error("name of a {kind} differs between two renders of the source")]
    Name { kind: String, cause: Box<FieldCause> },
    #[error("a {kind} is in only one of two renders of the source")]
    Object { kind: String },
    #[error("{0} more fields differ between two renders of the source")]
    Omitted(usize),
}

impl Explain for Unstable {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Field { cause, .. } | Self::Keys { cause, .. } => Some(cause.hint()),
            Self::Name { cause, .. } => Some(format!(
                "{}; until then, each sync creates a new object and deletes the old one",
                cause.hint()
            )),
            Self::Object { .. } => Some(
                "remove the condition that depends on time or chance, or replace the chart's template"
                    .to_owned(),
            ),
            Self::Omitted(_) => None,
        }
    }
}

impl<'a> Repetition<'a> {
    /// Renders the sources of other tools once more; `None` if the output is the same, byte by byte.
    pub(crate) fn run(first: &CompleteApp<'a>, context: &RenderContext, toolbox: &Toolbox) -> Option<Self> {
        let is_variable = |source: &AppSource| match source {
            AppSource::Helm(_) => true,
            // Without charts, its output depends on its files alone.
            AppSource::Kustomize(_) => toolbox.allows_kustomize_charts(),
            AppSource::Files | AppSource::Piped(_) => false,
        };
        if !first.loaded.app.sources().iter().any(is_variable) {
            return None;
        }
        if ChartTexts::read(first.loaded.app, &context.environment).mention(SECONDS) {
            wait_for_next_second();
        }
        let mut sources = Sources::default();
        let second = load(first.loaded.app, &context.environment, &mut sources).and_then(|loaded| {
            let purpose = RenderPurpose::Repeat;
            render_sources(loaded, context, toolbox, purpose, &mut sources, &mut Vec::new())
        });
        match second {
            Ok(second) if outputs(first).eq(outputs(&second)) => None,
            Ok(second) => Some(Self::Differs(Box::new(second), Box::new(sources))),
            Err(failure) => Some(Self::Failed(failure.located(&sources).problems().to_vec())),
        }
    }

    /// Returns what differs from the objects of the first render.
    pub(crate) fn differences(
        self,
        first: &[Manifest],
        context: &RenderContext,
        sources: &Sources,
    ) -> Vec<Problem> {
        let (second, mut own_sources) = match self {
            Self::Differs(second, own_sources) => (second, own_sources),
            Self::Failed(problems) => return problems,
        };
        let app = second.loaded.app;
        // The same limits as in the first render, which keeps the texts.
        let (mut texts, mut notes): (SourceTexts, Vec<Note>) = (SourceTexts::default(), Vec::new());
        let second = try_render(*second, context, &mut own_sources, Some(&mut texts), &mut notes);
        let all = differences::between(first, &second.objects);
        report(app, &all, context, sources)
    }
}

/// Returns the problems of differences.
fn report(
    app: &Discovery,
    all: &[Difference<'_>],
    context: &RenderContext,
    sources: &Sources,
) -> Vec<Problem> {
    if all.is_empty() {
        return Vec::new();
    }
    let texts = ChartTexts::read(app, &context.environment);
    let mut problems: Vec<Problem> = all
        .iter()
        .take(MAX_DIFFERENCES)
        .map(|difference| {
            let template = sources.location(difference.at).path;
            let cause = || Box::new(FieldCause::find(difference, &template, &texts, context.app_name()));
            let id = difference.object.id();
            let pointer = printable(&difference.pointer);
            let kind = printable(difference.object.kind());
            Problem::at(
                difference.at,
                &match difference.change {
                    Change::Value => Unstable::Field { id, pointer, cause: cause() },
                    Change::Keys => Unstable::Keys { id, pointer, cause: cause() },
                    Change::Name => Unstable::Name { kind, cause: cause() },
                    Change::Presence => Unstable::Object { kind },
                },
            )
        })
        .collect();
    let omitted = all.len().saturating_sub(MAX_DIFFERENCES);
    if omitted > 0 {
        problems.push(Problem::new(&Unstable::Omitted(omitted)));
    }
    problems
}

/// Returns the outputs of programs, in the order of the sources.
fn outputs<'a>(complete: &'a CompleteApp<'_>) -> impl Iterator<Item = &'a str> {
    let printed = complete.files.iter().filter(|file| file.kind == FileKind::ProgramOutput);
    printed.map(|file| file.text.as_str())
}

/// Waits until the clock shows another second: a time in seconds is then found in every run, not by chance.
fn wait_for_next_second() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    thread::sleep(Duration::from_secs(1).saturating_sub(Duration::from_nanos(now.subsec_nanos().into())));
}
