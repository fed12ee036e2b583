//! Human-readable output: each finding with its source line, then the counts by rule and environment, then the result.
//!
//! The text is styled; the caller strips styles if the output is not a terminal.

mod summary;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::text::object_name;
use super::{ExcerptGuard, PrintContext};
use crate::counts::quantity;
use crate::{Finding, Report, Span};
use sealwave_core::diagnostic::Severity;
use sealwave_core::excerpts::ShownLine;
use sealwave_core::terminal::{MarkedPlace, Message, MessageRenderer};

/// The most notes of a rule that are shown.
const MAX_NOTES: usize = 20;

/// Returns the report as styled text.
#[must_use]
pub fn write(report: &Report, context: &PrintContext<'_>) -> Vec<u8> {
    let printer = HumanPrinter {
        renderer: MessageRenderer::new(context.width),
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
        summary::write(&mut out, report, context.fail_on, printer.renderer.width());
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
    renderer: MessageRenderer,
    guard: ExcerptGuard<'a>,
    /// The number of environments of each app.
    environments: BTreeMap<&'a str, usize>,
}

impl HumanPrinter<'_> {
    fn finding(&self, finding: &Finding) -> String {
        let place = finding.span.as_ref().map(|span| marked(span, self.guard.excerpt(finding)));
        let related = finding.related.iter().map(|related| {
            (related.label.as_str(), marked(&related.span, self.guard.related_excerpt(finding, related)))
        });
        let mut notes = self.details(finding);
        notes.extend(place.as_ref().and_then(MarkedPlace::rendered_note));
        self.renderer.render(&Message {
            severity: finding.severity,
            code: Some(finding.rule.id),
            text: &finding.message,
            related: related.collect(),
            place,
            notes,
            help: finding.hint.as_deref(),
        })
    }

    /// Returns notes with the object and the environments.
    fn details(&self, finding: &Finding) -> Vec<(&'static str, String)> {
        let mut notes = Vec::new();
        if let Some(object) = &finding.object {
            let separator = if finding.pointer.is_empty() { "" } else { ", " };
            notes.push(("object", format!("{}{separator}{}", object_name(object), finding.pointer)));
        }
        let all = self.environments.get(finding.app.as_str()).copied().unwrap_or(0);
        if !finding.environments.is_empty() && finding.environments.len() != all {
            notes.push(("in", finding.environments.join(", ")));
        }
        notes
    }
}

const fn marked(span: &Span, line: Option<ShownLine>) -> MarkedPlace<'_> {
    MarkedPlace { place: &span.place, width: span.width, line }
}

#[cfg(test)]
mod tests;
