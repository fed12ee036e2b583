//! Applies a plan: replaces the files, commits them, pushes the commit, and waits for a merge. A run that was interrupted is
//! continued from its journal.

use serde::{Deserialize, Serialize};

use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_core::text::counted;

use super::plan::ResealPlan;
use crate::file_changes::{ChangeRecord, FileChangeError};
use crate::plan::{Plan, StepUndo};
use crate::progress::Progress;
use crate::report::{OperationOutcome, OperationReport};
use crate::state::{Journal, StateError};
use crate::work_tree::{Delivery, PushTarget, WorkTree};

/// The delivery of the changed files: to a commit, and to a remote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResealDelivery {
    /// Whether they are committed.
    pub commit: bool,
    /// The branch that the commit is pushed to, if it is.
    pub push: Option<PushTarget>,
}

/// The journal of a run: digests of files, never a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub enum ResealState {
    /// The files are being replaced.
    Changing {
        /// The files.
        record: ChangeRecord,
        /// The files of an earlier run that were not delivered yet.
        earlier: Option<ChangeRecord>,
    },
    /// All files were replaced; they may be committed.
    Changed {
        /// The files.
        record: ChangeRecord,
    },
    /// A commit was pushed, and waits for its merge.
    Pushed {
        /// The files.
        record: ChangeRecord,
    },
}

/// A run with its journal.
pub struct ResealRun<'a> {
    journal: Journal<ResealState>,
    tree: Option<&'a WorkTree>,
    delivery: &'a ResealDelivery,
    progress: &'a dyn Progress,
    results: Vec<String>,
}

/// An error of replacing files, or of the journal before it.
#[derive(Debug, thiserror::Error)]
enum ApplyError {
    #[error(transparent)]
    Change(#[from] FileChangeError),
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Change(error) => Problem::new(&error).into(),
            ApplyError::State(error) => Problem::new(&error).into(),
        }
    }
}

impl<'a> ResealRun<'a> {
    /// Opens a run, and finishes the change of files that an earlier one began.
    ///
    /// # Errors
    /// A file was changed since the interruption, or the journal cannot be written.
    pub fn open(
        journal: Journal<ResealState>,
        tree: Option<&'a WorkTree>,
        delivery: &'a ResealDelivery,
        progress: &'a dyn Progress,
    ) -> Result<Self, Failure> {
        let mut run = Self { journal, tree, delivery, progress, results: Vec::new() };
        if let Some(ResealState::Changing { record, earlier }) = run.journal.state().cloned() {
            progress.phase("finishing the change of files of an interrupted run");
            let is_finished = record.finish().map_err(|error| Problem::new(&error))?;
            if is_finished {
                run.tell("the files of an interrupted run were replaced".to_owned());
                run.record(ResealState::Changed { record: merged(earlier, record) })?;
            } else if let Some(record) = earlier {
                run.record(ResealState::Changed { record })?;
            }
        }
        Ok(run)
    }

    /// Returns the files that an earlier run replaced but did not deliver.
    #[must_use]
    pub fn earlier(&self) -> Option<&ChangeRecord> {
        match self.journal.state()? {
            ResealState::Changed { record } | ResealState::Pushed { record } => Some(record),
            ResealState::Changing { .. } => None,
        }
    }

    /// Adds the steps after the change of files to a plan.
    pub fn complete_plan(&self, plan: &mut Plan) {
        if plan.files.is_empty() && self.earlier().is_none() {
            return;
        }
        let mut steps = std::mem::take(plan);
        if self.delivery.commit || self.delivery.push.is_some() {
            let undo = StepUndo::By("`git revert`, while the controller has the old keys".to_owned());
            steps = steps.with_step("commit", "commit the files", undo);
        }
        if let Some(PushTarget { remote, branch }) = &self.delivery.push {
            let summary = format!("push to `{remote}`, and wait until `{branch}` has the files");
            steps = steps.with_step("push", summary, StepUndo::By("`git revert`, and push".to_owned()));
        }
        *plan = steps;
    }

    /// Applies a plan.
    ///
    /// # Errors
    /// No file changed, or the journal has what the next run continues with.
    pub fn apply(mut self, plan: ResealPlan) -> Result<OperationReport, Failure> {
        let ResealPlan { plan, changes, resealed, .. } = plan;
        if !changes.is_empty() {
            let earlier = self.earlier().cloned();
            changes.apply(|record| {
                let earlier = earlier.clone();
                self.journal.record(ResealState::Changing { record, earlier }).map_err(ApplyError::State)
            })?;
            let files = changes.paths().count();
            self.tell(format!("replaced {} in {}", counted(resealed, "ciphertext"), counted(files, "file")));
            self.record(ResealState::Changed { record: merged(earlier, changes.record()) })?;
        }
        let outcome = self.deliver()?;
        if outcome == OperationOutcome::Done {
            self.journal.finish().map_err(|error| Problem::new(&error))?;
        }
        Ok(OperationReport { plan, outcome, results: self.results })
    }

    /// Ends a run that has nothing to do.
    ///
    /// # Errors
    /// The journal cannot be removed.
    pub fn end(self) -> Result<Vec<String>, Failure> {
        self.journal.finish().map_err(|error| Problem::new(&error))?;
        Ok(self.results)
    }

    fn deliver(&mut self) -> Result<OperationOutcome, Failure> {
        let (Some(mut record), Some(tree)) = (self.earlier().cloned(), self.tree) else {
            return Ok(OperationOutcome::Done);
        };
        if self.delivery.commit || self.delivery.push.is_some() {
            let paths = record.files().iter().map(|file| file.path.as_path());
            let commit = tree.commit(paths, &message(&record)).map_err(|error| Problem::new(&error))?;
            if let Some(commit) = commit {
                self.tell(format!("committed as {commit}"));
            }
            tree.note_committed(&mut record).map_err(|error| Problem::new(&error))?;
        }
        let Some(target) = &self.delivery.push else { return Ok(OperationOutcome::Done) };
        let is_pushed = matches!(self.journal.state(), Some(ResealState::Pushed { .. }));
        if is_pushed && tree.is_delivered(target, &record).map_err(|error| Problem::new(&error))? {
            self.tell(format!("`{}` has the files", target.branch));
            return Ok(OperationOutcome::Done);
        }
        let delivered = tree.push(target, &record).map_err(|error| Problem::new(&error))?;
        match delivered {
            Delivery::Delivered => {
                self.tell(format!("`{}` has the files", target.branch));
                Ok(OperationOutcome::Done)
            }
            Delivery::WaitingForMerge { pushed } => {
                let branch = pushed.unwrap_or_else(|| "the branch".to_owned());
                self.record(ResealState::Pushed { record })?;
                let until = format!("the merge of `{branch}` into `{}`", target.branch);
                Ok(OperationOutcome::Waiting { until })
            }
        }
    }

    fn tell(&mut self, text: String) {
        self.progress.result(&text);
        self.results.push(text);
    }

    fn record(&mut self, state: ResealState) -> Result<(), Failure> {
        Ok(self.journal.record(state).map_err(|error| Problem::new(&error))?)
    }
}

fn merged(earlier: Option<ChangeRecord>, later: ChangeRecord) -> ChangeRecord {
    match earlier {
        Some(earlier) => earlier.followed_by(later),
        None => later,
    }
}

fn message(record: &ChangeRecord) -> String {
    let files = counted(record.files().len(), "file");
    format!(
        "Re-seal the items of {files}\n\nThe values are the same; only ciphertexts and their records changed."
    )
}
