//! The report of a verification: a row per check, for people and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use sealwave_core::diagnostic::{Explain, printable, truncate};
use sealwave_providers::{ClusterClient, ClusterError, ClusterFailure, ClusterPeer};

/// The result of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckVerdict {
    /// The cluster does not tell, or this user may not ask.
    NotChecked,
    /// As rendered.
    Right,
    /// Different, or not there yet.
    Wrong,
}

/// A check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationCheck {
    /// The object: `KIND NAMESPACE/NAME`.
    pub object: String,
    /// The aspect, such as `keys`.
    pub aspect: &'static str,
    /// The result.
    pub verdict: CheckVerdict,
    /// The observation.
    pub detail: String,
    /// The next action: a command or an edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// All checks, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerificationReport {
    /// The cluster that was asked.
    pub cluster: Option<ClusterPeer>,
    /// The checks.
    pub checks: Vec<VerificationCheck>,
}

impl VerificationReport {
    /// Returns a report of a cluster without checks.
    #[must_use]
    pub(super) fn of(client: &ClusterClient) -> Self {
        Self { cluster: Some(client.peer().clone()), checks: Vec::new() }
    }

    /// Reports whether nothing is wrong, and something was checked.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.count(CheckVerdict::Wrong) == 0 && self.count(CheckVerdict::Right) > 0
    }

    /// Returns the checks that are wrong.
    pub fn wrong(&self) -> impl Iterator<Item = &VerificationCheck> {
        self.checks.iter().filter(|check| check.verdict == CheckVerdict::Wrong)
    }

    /// Counts the checks with this result.
    #[must_use]
    pub fn count(&self, verdict: CheckVerdict) -> usize {
        self.checks.iter().filter(|check| check.verdict == verdict).count()
    }

    /// Returns the report for people.
    #[must_use]
    pub fn human(&self) -> String {
        let mut out = String::new();
        let mut object = "";
        for check in &self.checks {
            // Writing to a string cannot fail.
            if check.object != object {
                object = &check.object;
                let _ = writeln!(out, "{object}");
            }
            let verdict = match check.verdict {
                CheckVerdict::NotChecked => "not checked",
                CheckVerdict::Right => "right",
                CheckVerdict::Wrong => "WRONG",
            };
            let _ = writeln!(out, "  {verdict:<12}{:<12}{}", check.aspect, check.detail);
            if let Some(next) = &check.next {
                let _ = writeln!(out, "  {:<24}next: {next}", "");
            }
        }
        let (right, wrong) = (self.count(CheckVerdict::Right), self.count(CheckVerdict::Wrong));
        let unknown = self.count(CheckVerdict::NotChecked);
        let cluster = self.cluster.as_ref().map(|cluster| format!("; {cluster}")).unwrap_or_default();
        let _ = writeln!(out, "{right} right, {wrong} wrong, {unknown} not checked{cluster}");
        out
    }

    /// Returns the report as JSON, with a line break at the end.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        let cluster = self.cluster.as_ref();
        let cluster = cluster.map(|peer| serde_json::json!({"server": peer.server, "context": peer.context}));
        let json = serde_json::json!({"right": self.is_right(), "cluster": cluster, "checks": self.checks});
        format!("{json:#}\n").into_bytes()
    }
}

/// The checks of one object.
pub(super) struct ObjectChecks<'r> {
    report: &'r mut VerificationReport,
    object: String,
}

impl VerificationReport {
    /// Starts the checks of an object.
    pub(super) fn object(&mut self, object: impl std::fmt::Display) -> ObjectChecks<'_> {
        ObjectChecks { object: truncate(printable(object)), report: self }
    }
}

impl ObjectChecks<'_> {
    pub(super) fn right(&mut self, aspect: &'static str, detail: impl Into<String>) {
        self.add(aspect, CheckVerdict::Right, detail.into(), None);
    }

    pub(super) fn wrong(&mut self, aspect: &'static str, detail: impl Into<String>, next: impl Into<String>) {
        self.add(aspect, CheckVerdict::Wrong, detail.into(), Some(next.into()));
    }

    pub(super) fn unknown(&mut self, aspect: &'static str, detail: impl Into<String>, next: Option<String>) {
        self.add(aspect, CheckVerdict::NotChecked, detail.into(), next);
    }

    /// Adds the result of a request that RBAC may not allow.
    ///
    /// # Errors
    /// The cluster cannot be asked at all.
    pub(super) fn readable<T>(
        &mut self,
        aspect: &'static str,
        answer: Result<T, ClusterError>,
        absent: &str,
        next: &str,
    ) -> Result<Option<T>, ClusterError> {
        match answer {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_not_found() => {
                self.wrong(aspect, absent, next);
                Ok(None)
            }
            Err(error) if matches!(error.failure(), ClusterFailure::InvalidName { .. }) => {
                let hint = error.hint().unwrap_or_default();
                self.wrong(aspect, error.failure().to_string(), hint);
                Ok(None)
            }
            // The report names the cluster once.
            Err(error) if error.is_about_object() => {
                self.unknown(aspect, error.failure().to_string(), error.hint());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn add(&mut self, aspect: &'static str, verdict: CheckVerdict, detail: String, next: Option<String>) {
        let object = self.object.clone();
        // Names of a cluster can be of any length.
        let shown = |text: String| truncate(printable(text));
        let (detail, next) = (shown(detail), next.map(shown));
        self.report.checks.push(VerificationCheck { object, aspect, verdict, detail, next });
    }
}
