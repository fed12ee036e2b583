//! The parts of the time of one refresh, from the logs of Argo CD's programs.

use std::sync::Arc;

use serde_json::Value;

use super::fleet::Fleet;
use crate::harness::{Refresh, Sidecar, Stack, until};

/// Milliseconds of one refresh, during which no other app is refreshed.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogTimes {
    /// From the application controller's start with the app until it has written the status.
    pub total: f64,
    /// Live state, differences and health.
    pub comparing: f64,
    /// Packing, sending and unpacking for discovery, with the run of `discover`.
    pub matching: f64,
    /// Packing, sending and unpacking for `generate`.
    pub sending: f64,
    /// The run of sealwave or Kustomize.
    pub rendering: f64,
    /// The rest of the repo-server: Git, and its own work.
    pub repo_server: f64,
}

impl LogTimes {
    /// Returns the rest of the application controller: conditions, and writing the status.
    pub fn rest(&self) -> f64 {
        self.total - self.comparing - self.matching - self.sending - self.rendering - self.repo_server
    }
}

/// A time in all logs, after which lines are read.
struct Mark<'a> {
    stack: &'a Arc<Stack>,
    sidecar: &'a Sidecar,
    controller: usize,
    repo_server: usize,
    plugin: usize,
}

/// Refreshes one app alone several times, and returns the times of the fastest refresh.
pub fn of_fastest_refresh(stack: &Arc<Stack>, sidecar: &Sidecar, fleet: &Fleet) -> LogTimes {
    let times = (0..5).map(|_| of_one_refresh(stack, sidecar, fleet));
    times.min_by(|a, b| a.total.total_cmp(&b.total)).expect("some")
}

fn of_one_refresh(stack: &Arc<Stack>, sidecar: &Sidecar, fleet: &Fleet) -> LogTimes {
    let mark = Mark {
        stack,
        sidecar,
        controller: stack.argocd.log("application-controller").len(),
        repo_server: stack.argocd.log("repo-server").len(),
        plugin: sidecar.log().len(),
    };
    fleet.refresh_one(Refresh::Hard);
    until("the log of a refresh", || mark.times(fleet.one()))
}

impl Mark<'_> {
    fn times(&self, app: &str) -> Result<LogTimes, String> {
        let controller = lines(&self.stack.argocd.log("application-controller"), self.controller);
        let reconciled = |line: &&Value| {
            line["msg"] == "Reconciliation completed"
                && line["application"] == app
                && line["git_ms"].is_number()
        };
        let reconciled = controller.iter().find(reconciled).ok_or("it is not reconciled")?;
        let field = |name: &str| reconciled[name].as_f64().unwrap_or_default();
        let repo_server = lines(&self.stack.argocd.log("repo-server"), self.repo_server);
        let plugin = lines(&self.sidecar.log(), self.plugin);
        let call = call_time(&plugin, "GenerateManifest");
        let generating = generating(&plugin);
        let kustomize = executions(&repo_server, "exec kustomize");
        let matching = call_time(&plugin, "MatchRepository");
        Ok(LogTimes {
            total: field("time_ms"),
            comparing: field("compare_app_state_ms") - field("git_ms"),
            matching,
            sending: call - generating,
            rendering: generating + kustomize,
            repo_server: field("git_ms") - matching - call - kustomize,
        })
    }
}

/// Returns the lines of a log after a position.
fn lines(log: &str, from: usize) -> Vec<Value> {
    let lines = log.get(from..).unwrap_or_default().lines();
    lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Returns how long the calls of a method took, as the server saw it: from its first byte to the answer.
fn call_time(lines: &[Value], method: &str) -> f64 {
    let calls = lines.iter().filter(|line| line["msg"] == "finished call" && line["grpc.method"] == method);
    calls.map(|line| number(&line["grpc.time_ms"])).fold(0.0, std::ops::Add::add)
}

/// Returns how long a program ran that the repo-server called.
fn executions(lines: &[Value], name: &str) -> f64 {
    let runs = lines.iter().filter(|line| line["operation_name"] == name);
    runs.map(|line| number(&line["time_ms"])).fold(0.0, std::ops::Add::add)
}

/// Returns how long `sealwave generate` ran: between the line with its command and the line with its success.
fn generating(lines: &[Value]) -> f64 {
    let position = |fits: &dyn Fn(&str) -> bool, from: usize| {
        let later = lines.iter().skip(from);
        later.clone().position(|line| line["msg"].as_str().is_some_and(fits)).map(|index| index + from)
    };
    let Some(start) = position(&|message| message.ends_with(" generate"), 0) else { return 0.0 };
    let end = position(&|message| message == "Plugin command successful", start).expect("it succeeded");
    time_of_day(&lines[end]) - time_of_day(&lines[start])
}

/// Returns the milliseconds since midnight.
fn time_of_day(line: &Value) -> f64 {
    let text = line["time"].as_str().expect("a time");
    let clock = text.split_once('T').expect("a date").1.trim_end_matches('Z');
    let parts: Vec<f64> = clock.split(':').map(|part| part.parse().expect("a number")).collect();
    (parts[0] * 3600.0 + parts[1] * 60.0 + parts[2]) * 1000.0
}

/// Reads a number that may be in quotation marks.
fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).expect("a number")
}
