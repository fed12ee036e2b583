//! Human-readable output: each finding with its source line, then the counts by rule and environment, then the result.
//!
//! The text is styled; the caller strips styles if the output is not a terminal. All text from a repository is reduced
//! to one line without control characters before it is styled.

mod snippet;
mod summary;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use annotate_snippets::{Group, Level, Renderer};

use super::text::{first_on_line, limited_line, object_name, one_line};
use super::wrap::wrap;
use super::{ExcerptGuard, PrintContext};
use crate::counts::quantity;
use crate::{Finding, Report};
use sealwave_core::diagnostic::Severity;

/// Columns for a source line if the output is not a terminal.
const WIDTH: usize = 120;
/// Narrower terminals wrap lines themselves.
const MIN_WIDTH: usize = 40;
/// The most notes of a rule that are shown.
const MAX_NOTES: usize = 20;
/// Columns before the text of a note: line number and `= help: `.
const MARGIN: usize = 14;

/// Returns the report as styled text.
#[must_use]
pub fn write(report: &Report, context: &PrintContext<'_>) -> Vec<u8> {
    let printer = HumanPrinter {
        renderer: Renderer::styled()
            .term_width(context.width.unwrap_or(WIDTH).max(MIN_WIDTH))
            .hyperlink(false),
        width: context.width.map(|width| width.max(MIN_WIDTH)),
        guard: ExcerptGuard::new(report, context),
        environments: report.apps.iter().map(|app| (app.app.as_str(), app.environments.len())).collect(),
    };
    let mut out = String::new();
    let mut notes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut is_shown = |finding: &Finding| match finding.severity {
        Severity::Note | Severity::Warning if context.quiet => false,
        Severity::Note => {
            let count = notes.entry(finding.rule.id).or_default();
            *count += 1;
            *count <= MAX_NOTES
        }
        Severity::Error | Severity::Warning => true,
    };
    for finding in &report.findings {
        if is_shown(finding) {
            out.push_str(&printer.finding(finding));
            out.push_str("\n\n");
        }
    }
    write_omitted_notes(&mut out, &notes);
    if context.quiet {
        summary::write_result(&mut out, report, context.fail_on);
    } else {
        summary::write(&mut out, report, context.fail_on, printer.width);
    }
    out.into_bytes()
}

/// Writes the numbers of notes that are not shown.
fn write_omitted_notes(out: &mut String, notes: &BTreeMap<&str, usize>) {
    let mut is_any = false;
    for (rule, count) in notes {
        let Some(more) = count.checked_sub(MAX_NOTES).filter(|more| *more > 0) else { continue };
        is_any = true;
        let _ = writeln!(out, "{} of {rule} not shown; `-o json` has all", quantity(more, "more note"));
    }
    if is_any {
        out.push('\n');
    }
}

struct HumanPrinter<'a> {
    renderer: Renderer,
    /// Columns for notes; `None` disables wrapping.
    width: Option<usize>,
    guard: ExcerptGuard<'a>,
    /// The number of environments of each app.
    environments: BTreeMap<&'a str, usize>,
}

impl HumanPrinter<'_> {
    fn finding(&self, finding: &Finding) -> String {
        let title = level(finding.severity).primary_title(limited_line(&finding.message)).id(finding.rule.id);
        let mut group = Group::with_title(title);
        let mut lacks_excerpt = true;
        if let Some(span) = &finding.span {
            let line = self.guard.excerpt(finding);
            lacks_excerpt = line.is_none();
            group = snippet::place(group, span, line.as_deref(), None);
        }
        for related in &finding.related {
            let label = limited_line(related.label.as_str());
            group =
                match self.guard.related_excerpt(finding, related) {
                    Some(line) => snippet::place(group, &related.span, Some(&line), Some(label)),
                    None => group.element(Level::NOTE.message(
                        self.wrap(format!("{label}: {}", one_line(&related.span.place.to_string()))),
                    )),
                };
        }
        group = self.with_details(group, finding);
        if let Some(hint) = &finding.hint {
            group = group.element(Level::HELP.message(self.wrap(limited_line(hint))));
        }
        let text = self.renderer.render(&[group]);
        // Without a source line, the renderer adds no margin.
        if lacks_excerpt { text.replace('\n', "\n  ") } else { text }
    }

    /// Wraps a note to the width of the terminal.
    fn wrap(&self, text: String) -> String {
        match self.width {
            Some(width) => {
                let lines = wrap(&text, width.saturating_sub(MARGIN));
                lines.iter().map(|line| first_on_line(line)).collect::<Vec<_>>().join("\n")
            }
            None => text,
        }
    }

    /// Adds notes with the object and the environments.
    fn with_details<'b>(&self, mut group: Group<'b>, finding: &Finding) -> Group<'b> {
        let mut add_note = |word: &'static str, text: String| {
            let group_so_far = std::mem::replace(&mut group, Group::with_level(Level::NOTE));
            group = group_so_far.element(Level::NOTE.with_name(word).message(self.wrap(text)));
        };
        if let Some(object) = &finding.object {
            let separator = if finding.pointer.is_empty() { "" } else { ", " };
            add_note("object", one_line(&format!("{}{separator}{}", object_name(object), finding.pointer)));
        }
        let all = self.environments.get(finding.app.as_str()).copied().unwrap_or(0);
        if !finding.environments.is_empty() && finding.environments.len() != all {
            add_note("in", one_line(&finding.environments.join(", ")));
        }
        // If the exact position in the template is known, the rendered position adds nothing.
        let imprecise = finding.span.as_ref().filter(|span| span.width == 0 || span.place.column == 0);
        if let Some((line, column)) = imprecise.and_then(|span| span.place.rendered) {
            add_note("rendered", format!("line {line}, column {column}"));
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
