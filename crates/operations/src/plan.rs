//! Plans of commands, for people and as JSON, before anything is done.
//!
//! A plan never holds a secret value: it has names, dates, fingerprints, and differences of files with ciphertexts.

use std::fmt::Write as _;

use serde::Serialize;

use crate::json_document::json_document;
use sealwave_core::diagnostic::{first_on_line, printable};

/// The steps of an operation, in order, and what they are based on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The command.
    pub operation: String,
    /// The basis of the plan, such as the fingerprint of a certificate.
    pub facts: Vec<PlanFact>,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
    /// The files that change.
    pub files: Vec<PlannedFile>,
}

/// A fact that the plan is based on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanFact {
    /// Its name, such as `certificate`.
    pub name: String,
    /// Its value, such as a fingerprint.
    pub value: String,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedStep {
    /// The name in journals and messages, such as `create-key`.
    pub id: &'static str,
    /// Its effect.
    pub summary: String,
    /// The way to undo it.
    pub undo: StepUndo,
    /// Whether an earlier run did it.
    pub done: bool,
    /// A remark, for example that nothing is verified.
    pub note: Option<String>,
}

/// The way to undo a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "by")]
pub enum StepUndo {
    /// By a command or an action.
    By(String),
    /// Not at all.
    Impossible,
    /// It changes nothing.
    Unneeded,
}

/// A file that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedFile {
    /// The path, as people see it.
    pub path: String,
    /// The fingerprints of the keys that opened its items, if private keys did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub opened_with: Vec<String>,
    /// The difference, as a unified diff.
    pub diff: String,
}

impl Plan {
    /// Creates a plan without steps.
    #[must_use]
    pub fn new(operation: &str) -> Self {
        Self { operation: operation.to_owned(), ..Self::default() }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with_fact(mut self, name: &str, value: impl Into<String>) -> Self {
        self.facts.push(PlanFact { name: name.to_owned(), value: value.into() });
        self
    }

    /// Adds a step.
    #[must_use]
    pub fn with_step(mut self, id: &'static str, summary: impl Into<String>, undo: StepUndo) -> Self {
        self.steps.push(PlannedStep { id, summary: summary.into(), undo, done: false, note: None });
        self
    }

    /// Reports whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.done) && self.files.is_empty()
    }

    /// Returns the plan for people; with `diffs`, also the differences of files.
    #[must_use]
    pub fn human(&self, diffs: bool) -> String {
        // Writing to a string cannot fail.
        let mut out = format!("{}\n", self.operation);
        let width = self.facts.iter().map(|fact| fact.name.chars().count()).max().unwrap_or(0);
        for fact in &self.facts {
            let _ = writeln!(out, "  {:<width$}  {}", fact.name, printable(&fact.value));
        }
        if !self.steps.is_empty() {
            out.push_str("\nSteps\n");
        }
        for (index, step) in self.steps.iter().enumerate() {
            let state = if step.done { " (done)" } else { "" };
            let note = step.note.as_ref().map_or_else(String::new, |note| format!(" ({})", printable(note)));
            let _ = writeln!(out, "  {}. {}{state}{note}", index + 1, printable(&step.summary));
            match &step.undo {
                StepUndo::By(how) => drop(writeln!(out, "     undo: {}", printable(how))),
                StepUndo::Impossible => out.push_str("     cannot be undone\n"),
                StepUndo::Unneeded => {}
            }
        }
        if !self.files.is_empty() {
            out.push_str("\nFiles\n");
        }
        for file in &self.files {
            let keys: Vec<&str> = file.opened_with.iter().map(|key| key.get(..12).unwrap_or(key)).collect();
            let keys =
                if keys.is_empty() { String::new() } else { format!(" (opened with {})", keys.join(", ")) };
            let _ = writeln!(out, "  {}", first_on_line(format!("{}{keys}", file.path)));
        }
        for file in self.files.iter().filter(|_| diffs) {
            out.push('\n');
            for line in file.diff.split_terminator('\n') {
                let _ = writeln!(out, "{}", first_on_line(line));
            }
        }
        out
    }

    /// Returns the plan as JSON, with a line break at the end.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        json_document(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let mut plan = Plan::new("rotate aws")
            .with_fact("user", "airflow")
            .with_fact("environment", "dev")
            .with_step("create-key", "create an access key", StepUndo::By("delete the key".to_owned()))
            .with_step("delete-key", "delete the old key", StepUndo::Impossible);
        plan.files.push(PlannedFile {
            path: "a.yaml".to_owned(),
            diff: "-old\n+new\n".to_owned(),
            ..PlannedFile::default()
        });
        plan
    }

    #[test]
    fn people_see_facts_steps_and_files() {
        let mut plan = plan();
        plan.steps[0].done = true;
        assert_eq!(
            plan.human(true),
            "rotate aws\n  user         airflow\n  environment  dev\n\nSteps\n  1. create an access key (done)\n     undo: delete the key\n  \
             2. delete the old key\n     cannot be undone\n\nFiles\n  a.yaml\n\n-old\n+new\n"
        );
        assert!(!plan.human(false).contains("+new"));
    }

    #[test]
    fn texts_of_a_repository_cannot_control_the_terminal() {
        let mut plan = Plan::new("x").with_fact("file", "a\u{1b}[2Jb\nc").with_step(
            "delete",
            "delete \u{7}\n",
            StepUndo::By("run \u{1b}]0;x\u{7}\n".to_owned()),
        );
        plan.steps[0].note = Some("not\rverified".to_owned());
        plan.files.push(PlannedFile {
            path: "p\u{7}".to_owned(),
            diff: "+v\u{1b}[1A\r\n".to_owned(),
            ..PlannedFile::default()
        });
        let human = plan.human(true);
        assert!(!human.chars().any(|c| c.is_control() && c != '\n'), "{human:?}");
        assert_eq!(human.lines().count(), 11, "{human}");
        // GitHub executes lines that start with `::`, also after spaces.
        let command = "::error title=a::b";
        plan.files.push(PlannedFile {
            path: command.to_owned(),
            diff: format!(" {command}\n"),
            ..PlannedFile::default()
        });
        assert!(!plan.human(true).lines().any(|line| line.trim_start().starts_with("::")));
    }

    #[test]
    fn json_has_the_same_contents() {
        let json: serde_json::Value = serde_json::from_slice(&plan().json()).expect("JSON");
        assert_eq!(json["steps"][0]["undo"], serde_json::json!({"kind": "by", "by": "delete the key"}));
        assert_eq!(json["steps"][1]["undo"], serde_json::json!({"kind": "impossible"}));
        assert_eq!(json["files"][0]["path"], "a.yaml");
    }

    #[test]
    fn a_plan_whose_steps_are_done_is_empty() {
        let mut plan = Plan::new("x").with_step("a", "b", StepUndo::Unneeded);
        assert!(!plan.is_empty());
        plan.steps[0].done = true;
        assert!(plan.is_empty());
    }
}
