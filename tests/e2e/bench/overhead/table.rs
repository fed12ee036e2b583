//! The tables: medians over the rounds.

use std::fmt::Write as _;

use super::log_times::LogTimes;
use super::sample::Sample;
use super::setup::{Renderer, SETUPS, Setup, cells};
use super::{Measured, Size};

/// The rounds of one setup, each with the baseline of the same round.
struct Row<'a> {
    setup: &'static Setup,
    turns: Vec<(&'a Measured, &'a Measured)>,
}

/// Returns all tables.
pub fn tables(size: &Size, rounds: &[Vec<Measured>]) -> String {
    let rows: Vec<Row<'_>> = (0..SETUPS.len())
        .map(|index| Row {
            setup: rounds[0][index].setup,
            turns: rounds.iter().map(|round| (&round[index], &round[0])).collect(),
        })
        .collect();
    let mut out = format!(
        "{} apps of 8 objects and {} other files of 5 kB in a repository; medians of {} rounds.\n\n",
        size.apps, size.files, size.rounds
    );
    out += "After a commit, a hard refresh of all apps:\n\n";
    out += &summary(&rows, |measured| Some(&measured.hard));
    out += "\nAfter a commit in one app, a normal refresh of all apps:\n\n";
    out += &summary(&rows, |measured| measured.normal.as_ref());
    out += "\nCPU of the hard refresh, in milliseconds per app:\n\n";
    out += &processor(&rows, size);
    out += "\nA hard refresh of one app alone (the fastest of 5), in milliseconds:\n\n";
    out += &alone(&rows);
    out
}

fn summary(rows: &[Row<'_>], sample: impl Fn(&Measured) -> Option<&Sample>) -> String {
    let mut out = header(&["wall s", "× Kustomize", "CPU s", "× Kustomize"]);
    for row in rows.iter().filter(|row| sample(row.turns[0].0).is_some()) {
        let median = |value: &dyn Fn(&Sample) -> f64| {
            median(row.turns.iter().map(|(own, _)| value(sample(own).expect("measured"))))
        };
        let ratio = |value: &dyn Fn(&Sample) -> f64| {
            let value = |measured| value(sample(measured).expect("measured"));
            self::median(row.turns.iter().map(|(own, base)| value(own) / value(base).max(0.01)))
        };
        let (wall, cpu) = (|sample: &Sample| sample.wall, Sample::rendering);
        write_row(
            &mut out,
            row.setup,
            [seconds(median(&wall)), times(ratio(&wall)), seconds(median(&cpu)), times(ratio(&cpu))],
        );
    }
    out
}

fn processor(rows: &[Row<'_>], size: &Size) -> String {
    let columns =
        ["git, Kustomize", "repo-server itself", "cmp-server itself", "sealwave", "application controller"];
    let mut out = header(&columns);
    for row in rows {
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let apps = size.apps as f64;
        let median = |value: fn(&Sample) -> f64| {
            format!("{:.0}", median(row.turns.iter().map(|(own, _)| value(&own.hard) * 1000.0 / apps)))
        };
        let cells = [
            median(|sample| sample.repo_server.children),
            median(|sample| sample.repo_server.own),
            median(|sample| sample.sidecar.own),
            median(|sample| sample.sidecar.children),
            median(|sample| sample.controller.total()),
        ];
        write_row(&mut out, row.setup, cells);
    }
    out
}

fn alone(rows: &[Row<'_>]) -> String {
    let columns = [
        "total",
        "Git and repo-server",
        "sending for discovery",
        "sending",
        "sealwave or Kustomize",
        "comparing",
        "rest",
    ];
    let mut out = header(&columns);
    for row in rows {
        let median = |value: fn(&LogTimes) -> f64| {
            format!("{:.0}", median(row.turns.iter().map(|(own, _)| value(&own.alone))))
        };
        let cells = [
            median(|times| times.total),
            median(|times| times.repo_server),
            median(|times| times.matching),
            median(|times| times.sending),
            median(|times| times.rendering),
            median(|times| times.comparing),
            median(LogTimes::rest),
        ];
        write_row(&mut out, row.setup, cells);
    }
    out
}

fn header(columns: &[&str]) -> String {
    let rules = "---|".repeat(columns.len() + 3);
    format!("| apps | `discover` | generate paths | {} |\n|{rules}\n", columns.join(" | "))
}

/// Writes a row; those with the settings of `manifests/` are in bold.
fn write_row<const N: usize>(out: &mut String, setup: &Setup, values: [String; N]) {
    let recommended = setup.renderer == Renderer::Sealwave && setup.generate_paths && !setup.discover;
    let mark = if recommended { "**" } else { "" };
    let cells = cells(setup).map(str::to_owned).into_iter().chain(values);
    let cells: Vec<String> = cells.map(|cell| format!("{mark}{cell}{mark}")).collect();
    writeln!(out, "| {} |", cells.join(" | ")).expect("memory");
}

fn seconds(value: f64) -> String {
    format!("{value:.1}")
}

fn times(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}
