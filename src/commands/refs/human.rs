//! The list for people: a block per environment, a line per reference, a line per use.
//!
//! What is not ASCII in a reference is shown as its code point: to the policy a look-alike is another character, and
//! whoever reviews should see that.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Listed, Report, Verdict};
use crate::diagnostic::printable;

pub(super) fn write(report: &Report) -> String {
    let mut out = String::new();
    for (index, environment) in report.environments.iter().enumerate() {
        let bold = Style::new().bold();
        let separator = if index == 0 { "" } else { "\n" };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{separator}{bold}{}{bold:#}", printable(&environment.name));
        if environment.references.is_empty() {
            out.push_str("  no references\n");
        }
        references(&mut out, &environment.references);
    }
    out
}

fn references(out: &mut String, all: &[Listed]) {
    let names: Vec<String> = all.iter().map(|listed| ascii(&listed.reference.to_string())).collect();
    let places: Vec<Vec<String>> =
        all.iter().map(|listed| listed.uses.iter().map(|used| printable(&used.place)).collect()).collect();
    let name_width = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let place_width = places.iter().flatten().map(|place| width(place)).max().unwrap_or(0);
    for ((listed, name), places) in all.iter().zip(&names).zip(&places) {
        let (style, text) = verdict(&listed.verdict);
        let line = format!("  {name:<name_width$}  {style}{}{style:#}", printable(text));
        let _ = writeln!(out, "{}", line.trim_end());
        for (used, place) in listed.uses.iter().zip(places) {
            let user = printable(format!("{}, item `{}`", used.secret, used.item));
            let _ = writeln!(out, "    {place:<place_width$}  {user}");
        }
    }
}

fn verdict(verdict: &Verdict) -> (Style, String) {
    let colour = |colour: AnsiColor| colour.on_default();
    match verdict {
        Verdict::Allowed(rule) => (colour(AnsiColor::Green), format!("allowed by `{rule}`")),
        Verdict::Denied(rule) => (colour(AnsiColor::Red).bold(), format!("denied by `{rule}`")),
        Verdict::NotAsked => (Style::new(), String::new()),
        Verdict::Refused => (colour(AnsiColor::Red).bold(), "refused: no rule allows it".to_owned()),
    }
}

fn ascii(text: &str) -> String {
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
