//! The result of an operation, for people and as JSON.

use serde::Serialize;

use crate::json_document::json_document;
use crate::plan::Plan;
use sealwave_core::diagnostic::{Failure, printable};

/// The outcome of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum OperationOutcome {
    /// Everything is done.
    Done,
    /// An error ended it. What the results say is done.
    Failed {
        /// The messages of the error.
        error: String,
        /// The first hint of the error, if there is one.
        hint: Option<String>,
        /// Whether a journal has what was done, with which the same command continues.
        continues: bool,
    },
    /// There was nothing to do.
    NothingToDo,
    /// Nothing was changed: the plan was asked for.
    Planned,
    /// A part is done; the rest has to wait, and the next run continues.
    Waiting {
        /// The awaited event.
        until: String,
    },
}

/// A plan, what became of it, and what people should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationReport {
    /// The plan.
    pub plan: Plan,
    /// The outcome.
    pub outcome: OperationOutcome,
    /// Results and next actions, a line each.
    pub results: Vec<String>,
}

impl OperationOutcome {
    /// Returns the outcome of an operation that an error ended.
    #[must_use]
    pub fn failed(failure: &Failure, continues: bool) -> Self {
        let hint = failure.problems().iter().find_map(|problem| problem.hint.clone());
        Self::Failed { error: failure.to_string(), hint, continues }
    }

    /// Returns a line that sums up the outcome.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Done => "done".to_owned(),
            Self::Failed { continues: true, .. } => {
                "failed: the journal has what was done; after the error is repaired, run the same command again to continue"
                    .to_owned()
            }
            Self::Failed { continues: false, .. } => "failed".to_owned(),
            Self::NothingToDo => "nothing to do".to_owned(),
            Self::Planned => "nothing was changed (--dry-run)".to_owned(),
            Self::Waiting { until } => format!("waiting for {until}; run the command again to continue"),
        }
    }
}

impl OperationReport {
    /// Reports whether the operation has to be continued, which is a finding.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        matches!(self.outcome, OperationOutcome::Waiting { .. })
    }

    /// Returns the report for people.
    #[must_use]
    pub fn human(&self) -> String {
        let mut out = self.plan.human(self.outcome == OperationOutcome::Planned);
        out.push('\n');
        self.results
            .iter()
            .chain([&self.outcome.summary()])
            .for_each(|line| out.push_str(&result_line(line)));
        out
    }

    /// Returns the report as JSON, with a line break at the end.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        json_document(self)
    }
}

/// Returns a result as a line for people.
#[must_use]
pub fn result_line(text: &str) -> String {
    format!("{}\n", printable(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_what_was_done_and_what_is_next() {
        let outcome = OperationOutcome::Waiting { until: "the merge of `rotation`".to_owned() };
        let report =
            OperationReport { plan: Plan::new("reseal"), outcome, results: vec!["pushed".to_owned()] };
        assert!(report.is_waiting());
        assert_eq!(
            report.human(),
            "reseal\n\npushed\nwaiting for the merge of `rotation`; run the command again to continue\n"
        );
        let json: serde_json::Value = serde_json::from_slice(&report.json()).expect("JSON");
        assert_eq!(
            json["outcome"],
            serde_json::json!({"state": "waiting", "until": "the merge of `rotation`"})
        );
    }

    #[test]
    fn a_failure_is_an_outcome_with_its_message() {
        let failure = Failure::from(sealwave_core::diagnostic::Problem::new(
            &crate::state::StateError::InUse("journal".into()),
        ));
        let outcome = OperationOutcome::failed(&failure, true);
        assert!(outcome.summary().contains("run the same command again to continue"));
        let json = serde_json::to_value(&outcome).expect("JSON");
        assert_eq!(
            (&json["state"], &json["continues"]),
            (&serde_json::json!("failed"), &serde_json::json!(true))
        );
        assert_eq!(json["error"], failure.to_string());
        assert_eq!(OperationOutcome::failed(&failure, false).summary(), "failed");
    }
}
