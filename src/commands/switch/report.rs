//! The report of `switch`: its plan, its findings and the next commit, for people and as JSON.

use std::fmt::Write as _;

use serde_json::json;

use super::committed::CommittedSwitch;
use super::note::SwitchNote;
use crate::cli::{ReportFormat, SwitchArgs};
use crate::commands::CommandOutput;
use crate::commands::operation::write_now;
use crate::deadline::RunWatch;
use crate::ops::ask_for_consent;
use sealwave_core::diagnostic::{Failure, Note, Problem, printable};
use sealwave_operations::json_document::json_document;
use sealwave_operations::plan::{Plan, StepUndo};
use sealwave_operations::switch::{Switch, SwitchFinding, SwitchStep};

/// The checksums that workloads keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeptCount {
    /// So many workloads keep theirs.
    Known(usize),
    /// Checksums were not compared.
    NotCompared,
}

/// A plan with everything that is printed.
pub(super) struct SwitchReport {
    pub(super) switch: Switch,
    pub(super) lines: String,
    pub(super) kept: KeptCount,
    pub(super) findings: Vec<SwitchFinding>,
    pub(super) committed: Option<CommittedSwitch>,
    /// The error of writing files.
    pub(super) failure: Option<Failure>,
}

impl SwitchReport {
    /// Writes the files if that is asked for, and returns the output.
    ///
    /// # Errors
    /// The files must not be changed, or the person does not agree.
    pub(super) fn finish(
        mut self,
        args: &SwitchArgs,
        watch: &RunWatch,
        mut notes: Vec<Note>,
    ) -> Result<CommandOutput, Failure> {
        let mut shown = String::new();
        if args.files.write {
            match self.reason_not_to_write() {
                Some(reason) => {
                    notes.push(Note::warning(Problem::new(&SwitchNote::NothingWritten(reason))));
                }
                None => shown = self.write(args, watch)?,
            }
        }
        let stdout = match args.output {
            ReportFormat::Human => {
                // What people have seen is not repeated; if it reads otherwise now, all of it is printed.
                let text = self.human();
                text.strip_prefix(&shown).unwrap_or(&text).as_bytes().to_vec()
            }
            ReportFormat::Json => self.json(),
        };
        let (findings, failure) = (!self.findings.is_empty(), self.failure);
        Ok(CommandOutput { findings, notes, failure, ..CommandOutput::text(stdout) })
    }

    /// Returns why `--write` has nothing to write, if so.
    fn reason_not_to_write(&self) -> Option<&'static str> {
        match &self.committed {
            None => Some("the next commit changes `sealwave.yaml`"),
            Some(_) if self.switch.step != SwitchStep::Release => {
                Some("the files release their Secrets already")
            }
            Some(_) if !self.findings.is_empty() => Some("the cluster is not ready"),
            Some(_) => None,
        }
    }

    /// Changes the files, after the plan was printed. Returns what people have seen of the output.
    fn write(&mut self, args: &SwitchArgs, watch: &RunWatch) -> Result<String, Failure> {
        let plan = self.complete_plan();
        let Some(committed) = &self.committed else { return Ok(String::new()) };
        committed.check(args, &self.switch.request.environment)?;
        if args.files.dry_run || !committed.has_changes() {
            return Ok(String::new());
        }
        if !args.files.yes {
            ask_for_consent(Some(&plan.human(false))).map_err(|error| Problem::new(&error))?;
        }
        let shown = if args.output == ReportFormat::Human { self.human() } else { String::new() };
        if !shown.is_empty() {
            write_now(watch, &shown)?;
        }
        self.failure = self.committed.as_mut().and_then(|committed| committed.write().err());
        Ok(shown)
    }

    /// Returns the state for scripts.
    fn state(&self) -> &'static str {
        if self.failure.is_some() {
            return "failed";
        }
        match (self.switch.step, self.findings.is_empty()) {
            (_, false) => "waiting",
            (SwitchStep::Complete, true) => "done",
            (SwitchStep::Cancel, true) => "cancel",
            (SwitchStep::Release, true) => "release",
            (SwitchStep::TakeOver, true) => "take-over",
        }
    }

    fn plan(&self) -> Plan {
        let Switch { request, secrets, current, step, .. } = &self.switch;
        let names: Vec<String> =
            secrets.iter().map(|(namespace, name)| format!("{namespace}/{name}")).collect();
        let pods = match (self.switch.changes_pods(), self.kept) {
            (false, _) if self.switch.is_plain => {
                "restart once where sealwave adds checksums, but not because of the Secrets".to_owned()
            }
            (true, _) => "restart: the volume of the CSI driver is a part of their template".to_owned(),
            (false, KeptCount::NotCompared) => "may restart once: checksums were not compared".to_owned(),
            (false, KeptCount::Known(0)) => "no checksum to keep".to_owned(),
            (false, KeptCount::Known(kept)) => format!("do not restart: `keptChecksums` for {kept} of them"),
        };
        let mut plan = Plan::new("switch")
            .with_fact("environment", &request.environment)
            .with_fact("secrets", names.join(", "))
            .with_fact(
                "backend",
                if self.switch.is_plain {
                    "none: Argo CD applies the Secrets".to_owned()
                } else {
                    current.to_string()
                },
            )
            .with_fact("pods", pods);
        if *step == SwitchStep::Cancel {
            let summary = format!("commit: `{}` stays the backend of these Secrets", request.to);
            return plan.with_step("cancel", summary, StepUndo::Unneeded);
        }
        let back = match step {
            SwitchStep::Complete => "the old backend".to_owned(),
            _ if self.switch.is_plain => return self.plain_steps(plan),
            _ => format!("`{}`", current.kind),
        };
        plan = plan
            .with_step(
                "release",
                format!("commit 1: {back} releases the Secrets and keeps them current"),
                StepUndo::By(match self.committed {
                    Some(_) => "revert the changes of the files".to_owned(),
                    None => format!("write {back} alone again"),
                }),
            )
            .with_step(
                "take-over",
                format!("commit 2: `{}` takes the Secrets over", request.to),
                StepUndo::By("`sealwave switch` back, in two commits".to_owned()),
            );
        for planned in &mut plan.steps {
            planned.done = match step {
                SwitchStep::Complete => true,
                SwitchStep::TakeOver => planned.id == "release",
                SwitchStep::Cancel | SwitchStep::Release => false,
            };
        }
        plan
    }

    /// Adds the steps for plain Secrets.
    fn plain_steps(&self, plan: Plan) -> Plan {
        let to = self.switch.request.to;
        let mut plan = plan
            .with_step(
                "release",
                "commit 1: Argo CD no longer prunes the Secrets",
                StepUndo::By("revert the changes of the files".to_owned()),
            )
            .with_step(
                "take-over",
                format!("commit 2: placeholders replace the values, and `{to}` takes the Secrets over"),
                StepUndo::By("the previous commit, as long as the Secrets are released".to_owned()),
            );
        if self.committed.as_ref().is_some_and(|committed| !committed.with_values().is_empty()) {
            let summary = "then: change the values at their source, because Git keeps the old ones";
            plan = plan.with_step("rotate", summary, StepUndo::Unneeded);
        }
        let is_released = self.switch.step == SwitchStep::TakeOver;
        plan.steps.iter_mut().filter(|step| step.id == "release").for_each(|step| step.done = is_released);
        plan
    }

    /// Returns the plan with the changes of files.
    fn complete_plan(&self) -> Plan {
        let mut plan = self.plan();
        if let Some(committed) = &self.committed {
            committed.complete(&mut plan);
        }
        plan
    }

    fn human(&self) -> String {
        let plan = self.complete_plan();
        let mut text = plan.human(true);
        if self.switch.step == SwitchStep::Complete && self.findings.is_empty() {
            text.push_str("\nDone: no commit is left\n");
        }
        if !self.findings.is_empty() {
            text.push_str("\nNot ready\n");
        }
        for SwitchFinding { secret, message, hint } in &self.findings {
            let [secret, message, hint] = [secret, message, hint].map(printable);
            let _ = writeln!(text, "  {secret}: {message}\n    help: {hint}");
        }
        if !self.lines.is_empty() {
            let title = if self.findings.is_empty() { "Next commit" } else { "Then commit" };
            let _ = writeln!(text, "\n{title}, in sealwave.yaml");
        }
        for line in self.lines.lines() {
            let _ = writeln!(text, "  {}", printable(line));
        }
        if self.lines.contains("computed: CHECKSUM") {
            text.push_str("  (CHECKSUM: the `checksum/secret` of the workload in the output of `sealwave generate` with the new Secrets)\n");
        }
        if let Some(committed) = &self.committed {
            text.push_str(&committed.human(self.switch.step, self.switch.request.to));
        }
        if self.failure.is_some() {
            text.push_str("\nFailed: no file was changed\n");
        }
        text
    }

    fn json(&self) -> Vec<u8> {
        let plan = self.complete_plan();
        let mut value = json!({
            "state": self.state(), "plan": plan, "lines": self.lines, "findings": self.findings,
        });
        if let Some(committed) = &self.committed {
            value["committed"] = committed.json(self.switch.step, self.switch.request.to);
        }
        if let Some(failure) = &self.failure {
            value["error"] = failure.to_string().into();
        }
        json_document(&value)
    }
}
