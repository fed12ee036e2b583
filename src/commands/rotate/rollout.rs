//! The check of a rollout with `verify`, after a new key was written.

use std::path::Path;

use crate::cli::{AppArgs, ChartArgs, DirArgs, ReportFormat, RotateAwsArgs, VerifyArgs};
use crate::commands::operation::TIME_LIMIT;
use crate::commands::verify::verify_app;
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use sealwave_operations::rotate_aws::{RolloutCheck, RolloutStatus};

/// The most reasons that are listed.
const MAX_REASONS: usize = 5;

/// Returns the flags of an app whose directory the operator names.
pub(super) fn app_args(args: &RotateAwsArgs, directory: &Path) -> AppArgs {
    AppArgs {
        dir: DirArgs { dir: directory.to_owned() },
        app_file: None,
        operator: args.login.operator.clone(),
        charts: ChartArgs::default(),
        identity: args.identity.clone(),
    }
}

/// The rollout of apps whose directories the operator names.
pub(super) struct AppRollout<'a> {
    pub(super) args: &'a RotateAwsArgs,
    pub(super) variables: VariableReader,
    pub(super) watch: &'a RunWatch,
}

impl AppRollout<'_> {
    /// Returns what is wrong with an app.
    fn wrong(&self, directory: &Path) -> Vec<String> {
        let no_policy = self.args.identity.project.is_none();
        let args = VerifyArgs {
            env: Some(self.args.env.clone()),
            rendered: None,
            application: None,
            argocd_namespace: "argocd".to_owned(),
            revision: None,
            wait: None,
            no_policy,
            output: ReportFormat::Human,
            cluster: self.args.cluster.clone(),
            app: app_args(self.args, directory),
        };
        let report = verify_app(args, self.variables, self.watch);
        self.watch.set_time_limit(TIME_LIMIT);
        match report {
            Ok((report, _)) if report.is_right() => Vec::new(),
            Ok((report, _)) => {
                let wrong = report.wrong().map(|check| format!("{}: {}", check.object, check.detail));
                let wrong: Vec<String> = wrong.take(MAX_REASONS).collect();
                if wrong.is_empty() {
                    vec![format!("nothing of `{}` could be checked", directory.display())]
                } else {
                    wrong
                }
            }
            Err(failure) => vec![format!("`{}` cannot be verified: {failure}", directory.display())],
        }
    }
}

impl RolloutCheck for AppRollout<'_> {
    fn check(&self) -> RolloutStatus {
        if let Some(reason) = self.reason_not_to_check() {
            return RolloutStatus::NotChecked(reason);
        }
        let wrong: Vec<String> =
            self.args.verify.iter().flat_map(|directory| self.wrong(directory)).collect();
        if wrong.is_empty() { RolloutStatus::Complete } else { RolloutStatus::Pending(wrong) }
    }

    fn reason_not_to_check(&self) -> Option<String> {
        self.args.verify.is_empty().then(|| "no app was given with `--verify`".to_owned())
    }
}
