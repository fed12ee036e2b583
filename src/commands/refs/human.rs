//! The list for people: a block per environment with its cluster, a line per reference, a line per use with the Secret
//! and its scope. If the decisions on the uses of a reference differ, each use shows its own.
//!
//! Non-ASCII characters in a reference are shown as code points: to the policy, a look-alike is another character, and
//! reviewers must be able to see that.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{ListedReference, PolicyVerdict, RefsReport};
use sealwave_core::diagnostic::printable;
use sealwave_pipeline::ReferenceUse;

pub(super) fn write(report: &RefsReport) -> String {
    let mut out = String::new();
    for (index, environment) in report.environments.iter().enumerate() {
        let bold = Style::new().bold();
        let separator = if index == 0 { "" } else { "\n" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{separator}{bold}{}{bold:#}, cluster `{}`",
            printable(&environment.name),
            printable(&environment.cluster)
        );
        if environment.references.is_empty() {
            out.push_str("  no references\n");
        }
        references(&mut out, &environment.references);
    }
    out
}

fn references(out: &mut String, all: &[ListedReference]) {
    let names: Vec<String> =
        all.iter().map(|listed| escape_non_ascii(&listed.reference.to_string())).collect();
    let places: Vec<Vec<String>> =
        all.iter().map(|listed| listed.uses.iter().map(|one| printable(&one.used.place)).collect()).collect();
    let name_width = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let place_width = places.iter().flatten().map(|place| width(place)).max().unwrap_or(0);
    for ((listed, name), places) in all.iter().zip(&names).zip(&places) {
        let (worst, is_for_all) = listed.verdict();
        let (style, text) = verdict(worst);
        let partly = if is_for_all { "" } else { "in part " };
        let line = format!("  {name:<name_width$}  {style}{partly}{}{style:#}", printable(text));
        let _ = writeln!(out, "{}", line.trim_end());
        for (one, place) in listed.uses.iter().zip(places) {
            let ReferenceUse { secret, item, scope, .. } = &one.used;
            let target = printable(format!("{secret}, item `{item}`, scope {scope}"));
            let _ = write!(out, "    {place:<place_width$}  {target}");
            if !is_for_all {
                let (style, text) = verdict(&one.verdict);
                let _ = write!(out, ": {style}{}{style:#}", printable(text));
            }
            out.push('\n');
        }
    }
}

fn verdict(verdict: &PolicyVerdict) -> (Style, String) {
    let color = |color: AnsiColor| color.on_default();
    match verdict {
        PolicyVerdict::Allowed(rule) => (color(AnsiColor::Green), format!("allowed by `{rule}`")),
        PolicyVerdict::Denied(rule) => (color(AnsiColor::Red).bold(), format!("denied by `{rule}`")),
        PolicyVerdict::Elsewhere(rule, fields) => {
            let fields = fields.join("`, `");
            let text = format!("refused: `{fields}` of rule `{rule}` does not list the destination");
            (color(AnsiColor::Red).bold(), text)
        }
        PolicyVerdict::NotAsked => (Style::new(), String::new()),
        PolicyVerdict::Refused => (color(AnsiColor::Red).bold(), "refused: no rule allows it".to_owned()),
    }
}

fn escape_non_ascii(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

fn width(text: &str) -> usize {
    text.chars().count()
}
