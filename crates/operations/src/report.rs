//! The result of an operation, for people and as JSON.

use serde::Serialize;

use crate::json_document::json_document;
use crate::plan::Plan;

/// The outcome of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum OperationOutcome {
    /// Everything is done.
    Done,
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

impl OperationReport {
    /// Reports whether the operation has to be continued, which is a finding.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        matches!(self.outcome, OperationOutcome::Waiting { .. })
    }

    /// Returns a line that sums up the outcome.
    #[must_use]
    pub fn summary(&self) -> String {
        match &self.outcome {
            OperationOutcome::Done => "done".to_owned(),
            OperationOutcome::NothingToDo => "nothing to do".to_owned(),
            OperationOutcome::Planned => "nothing was changed (--dry-run)".to_owned(),
            OperationOutcome::Waiting { until } => {
                format!("waiting for {until}; run the command again to continue")
            }
        }
    }

    /// Returns the report for people.
    #[must_use]
    pub fn human(&self) -> String {
        let mut out = self.plan.human(self.outcome == OperationOutcome::Planned);
        out.push('\n');
        for line in self.results.iter().chain([&self.summary()]) {
            out.push_str(&sealwave_core::diagnostic::printable(line));
            out.push('\n');
        }
        out
    }

    /// Returns the report as JSON, with a line break at the end.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        json_document(self)
    }
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
}
