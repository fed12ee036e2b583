//! For people: each finding with the line it stands on, then what there is by rule and by environment, then a verdict.
//!
//! Text is styled; the shell takes the styles away where no terminal reads it. Everything from a repository is one line
//! and free of control characters before a style is put around it.

mod snippet;
mod summary;

use std::collections::BTreeMap;

use annotate_snippets::{Group, Level, Renderer};

use super::text::{first_on_line, object_name, one_line, shown};
use super::wrap::wrapped;
use super::{ExcerptGuard, PrintContext};
use crate::{Finding, Report};
use sealwave_core::diagnostic::Severity;

/// Columns that a line of a source may take where no terminal has a say.
const WIDTH: usize = 120;
/// Narrower terminals break lines themselves.
const LEAST_WIDTH: usize = 40;
/// Columns before the text of a note: line number, `= help: `.
const MARGIN: usize = 14;

/// The report as styled text.
#[must_use]
pub fn write(report: &Report, context: &PrintContext<'_>) -> Vec<u8> {
    let printer = Printer {
        renderer: Renderer::styled()
            .term_width(context.width.unwrap_or(WIDTH).max(LEAST_WIDTH))
            .hyperlink(false),
        width: context.width.map(|width| width.max(LEAST_WIDTH)),
        guard: ExcerptGuard::new(report, context),
        environments: report.apps.iter().map(|app| (app.app.as_str(), app.environments.len())).collect(),
    };
    let mut out = String::new();
    for finding in &report.findings {
        out.push_str(&printer.finding(finding));
        out.push_str("\n\n");
    }
    summary::write(&mut out, report, context.fail_on, printer.width);
    out.into_bytes()
}

struct Printer<'a> {
    renderer: Renderer,
    /// Columns for notes, which nothing breaks where there is none.
    width: Option<usize>,
    guard: ExcerptGuard<'a>,
    /// How many environments each app has.
    environments: BTreeMap<&'a str, usize>,
}

impl Printer<'_> {
    fn finding(&self, finding: &Finding) -> String {
        let title = level(finding.severity).primary_title(shown(&finding.message)).id(finding.rule.id);
        let mut group = Group::with_title(title);
        let mut bare = true;
        if let Some(span) = &finding.span {
            let line = self.guard.excerpt(finding);
            bare = line.is_none();
            group = snippet::place(group, span, line.as_deref(), None);
        }
        for related in &finding.related {
            let label = shown(&related.label);
            group =
                match self.guard.related_excerpt(finding, related) {
                    Some(line) => snippet::place(group, &related.span, Some(&line), Some(label)),
                    None => group.element(Level::NOTE.message(
                        self.fitted(format!("{label}: {}", one_line(&related.span.place.to_string()))),
                    )),
                };
        }
        group = self.about(group, finding);
        if let Some(hint) = &finding.hint {
            group = group.element(Level::HELP.message(self.fitted(shown(hint))));
        }
        let text = self.renderer.render(&[group]);
        // Without line numbers there is no margin.
        if bare { text.replace('\n', "\n  ") } else { text }
    }

    /// A note in lines that the terminal holds.
    fn fitted(&self, text: String) -> String {
        match self.width {
            Some(width) => {
                let lines = wrapped(&text, width.saturating_sub(MARGIN));
                lines.iter().map(|line| first_on_line(line)).collect::<Vec<_>>().join("\n")
            }
            None => text,
        }
    }

    /// Which object it is about and in which environments it is.
    fn about<'b>(&self, mut group: Group<'b>, finding: &Finding) -> Group<'b> {
        let mut say = |word: &'static str, text: String| {
            let group_so_far = std::mem::replace(&mut group, Group::with_level(Level::NOTE));
            group = group_so_far.element(Level::NOTE.with_name(word).message(self.fitted(text)));
        };
        if let Some(object) = &finding.object {
            let separator = if finding.pointer.is_empty() { "" } else { ", " };
            say("object", one_line(&format!("{}{separator}{}", object_name(object), finding.pointer)));
        }
        let all = self.environments.get(finding.app.as_str()).copied().unwrap_or(0);
        if !finding.environments.is_empty() && finding.environments.len() != all {
            say("in", one_line(&finding.environments.join(", ")));
        }
        // Where the template's text is known to the character, the rendered one says no more.
        let vague = finding.span.as_ref().filter(|span| span.width == 0 || span.place.column == 0);
        if let Some((line, column)) = vague.and_then(|span| span.place.rendered) {
            say("rendered", format!("line {line}, column {column}"));
        }
        group
    }
}

const fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Note => Level::NOTE,
        Severity::Warning => Level::WARNING,
    }
}

#[cfg(test)]
mod tests;
