//! The files that follow a new key: the pinned certificate, and committed SealedSecrets.

use std::path::Path;

use crate::cli::RotateControllerKeyArgs;
use crate::commands::operation::Operation;
use sealwave_core::diagnostic::{Explain, Failure, Problem};
use sealwave_core::output_path::check_output_path;
use sealwave_core::text::counted;
use sealwave_operations::certificates::read_pinned;
use sealwave_operations::controller::Controller;
use sealwave_operations::controller_key::{KeyRotationFiles, ResealStep};
use sealwave_operations::report::OperationOutcome;
use sealwave_operations::reseal::{
    OnlineEngine, PlanInput, ResealDelivery, ResealError, ResealPlan, ResealRun, SealedTree, named_cluster,
    require_environments,
};
use sealwave_operations::state::OperationId;
use sealwave_operations::work_tree::{AllowedPaths, PushTarget, WorkTree};
use sealwave_secrets::crypto::Certificate;
use sealwave_validate::report::write_report;

/// A flag that needs a checkout.
#[derive(Debug, thiserror::Error)]
#[error("`--commit` and `--push` need paths in a Git checkout")]
struct NoCheckout;

impl Explain for NoCheckout {
    fn hint(&self) -> Option<String> {
        Some("name a directory of a checkout, or omit the flag".to_owned())
    }
}

/// The files of a repository that are sealed again, if paths are given.
pub(super) struct CommittedFiles<'a> {
    args: &'a RotateControllerKeyArgs,
    operation: &'a Operation<'a>,
    envs: Vec<String>,
    /// The number of files at the start.
    count: usize,
}

impl<'a> CommittedFiles<'a> {
    /// Looks at the files before anything changes.
    ///
    /// # Errors
    /// The files cannot be read, are not clean, or may not be changed.
    pub(super) fn new(
        args: &'a RotateControllerKeyArgs,
        operation: &'a Operation<'a>,
    ) -> Result<Self, Failure> {
        if let Some(pinned) = &args.write {
            check_pinned(pinned)?;
        }
        let envs: Vec<String> = args.env.iter().cloned().collect();
        let mut files = Self { args, operation, envs, count: 0 };
        if files.args.paths.is_empty() {
            if args.files.commit || args.files.push {
                return Err(Problem::new(&NoCheckout).into());
            }
            return Ok(files);
        }
        let tree = files.tree()?;
        files.count = tree.files.len();
        let allowed = files.allowed()?;
        let work_tree = work_tree(&tree.root)?;
        allowed
            .require_in(&tree.root, work_tree.as_ref(), tree.paths())
            .map_err(|error| Problem::new(&error))?;
        if work_tree.is_none() && (args.files.commit || args.files.push) {
            return Err(Problem::new(&NoCheckout).into());
        }
        // Before a key is created.
        if let Some(work_tree) = &work_tree {
            let ResealDelivery { commit, push } = files.delivery();
            work_tree.require_delivery(commit, push.as_ref()).map_err(|error| Problem::new(&error))?;
        }
        Ok(files)
    }

    fn tree(&self) -> Result<SealedTree, Failure> {
        let tree = SealedTree::find(&self.args.paths, &self.envs)?;
        tree.require_readable()?;
        require_environments(&[&tree], &self.envs).map_err(|error| Problem::new(&error))?;
        if tree.files.is_empty() && tree.unseen.is_empty() {
            return Err(Problem::new(&ResealError::NothingFound).into());
        }
        named_cluster(&tree.root, tree.paths(), &self.envs)?;
        Ok(tree)
    }

    fn allowed(&self) -> Result<AllowedPaths, Failure> {
        let allowed = AllowedPaths::new(self.args.env.as_deref(), &self.args.files.allow_path);
        Ok(allowed.map_err(|error| Problem::new(&error))?)
    }

    fn delivery(&self) -> ResealDelivery {
        let files = &self.args.files;
        let push = files
            .push
            .then(|| PushTarget { remote: files.remote.clone(), branch: files.target_branch.clone() });
        ResealDelivery { commit: files.commit, push }
    }
}

impl KeyRotationFiles for CommittedFiles<'_> {
    fn pin(&self, certificate: &Certificate) -> Result<(), Failure> {
        let Some(path) = &self.args.write else { return Ok(()) };
        check_pinned(path)?;
        write_report(path, certificate.to_pem().as_bytes()).map_err(|error| Problem::new(&error))?;
        self.operation.tell(&format!("pinned the certificate to `{}`", path.display()));
        Ok(())
    }

    fn reseal(&self, controller: &Controller<'_>, certificate: &Certificate) -> Result<ResealStep, Failure> {
        if self.args.paths.is_empty() {
            let line = "no paths were given: seal committed files again with `sealwave reseal`";
            return Ok(ResealStep::Done(vec![line.to_owned()]));
        }
        let tree = self.tree()?;
        let work_tree = work_tree(&tree.root)?;
        let delivery = self.delivery();
        let id = OperationId::new("reseal", [tree.root.display().to_string()]);
        let journal = self.operation.journal(id)?;
        let progress = self.operation.progress();
        let run = ResealRun::open(journal, work_tree.as_ref(), &delivery, &*progress)?;
        // An interrupted run may have changed files.
        let tree = self.tree()?;
        let engine = OnlineEngine::new(controller, certificate);
        let namespace = self.args.namespace.as_deref();
        let input = PlanInput { tree: &tree, certificate, engine: &engine, namespace, progress: &*progress };
        let plan = ResealPlan::new(&input)?;
        let allowed = self.allowed()?.require_in(&tree.root, work_tree.as_ref(), plan.changes.paths());
        allowed.map_err(|error| Problem::new(&error))?;
        if let Some(work_tree) = &work_tree {
            work_tree
                .require_clean(plan.changes.paths(), run.earlier())
                .map_err(|error| Problem::new(&error))?;
        }
        plan.warnings.iter().for_each(|warning| self.operation.tell(&warning.message));
        // It tells its results itself.
        Ok(match run.apply(plan)?.outcome {
            OperationOutcome::Waiting { until } => ResealStep::Waiting { until, lines: Vec::new() },
            _ => ResealStep::Done(Vec::new()),
        })
    }

    fn describe(&self) -> String {
        match self.count {
            0 => "re-seal no files, since no paths were given".to_owned(),
            count => format!("re-seal {}", counted(count, "file")),
        }
    }
}

fn work_tree(root: &Path) -> Result<Option<WorkTree>, Failure> {
    Ok(WorkTree::find(root).map_err(|error| Problem::new(&error))?)
}

/// Checks that a file that is replaced holds a certificate.
fn check_pinned(path: &Path) -> Result<(), Failure> {
    check_output_path(path).map_err(|error| Problem::new(&error))?;
    read_pinned(path).map_err(|error| Problem::new(&error))?;
    Ok(())
}
