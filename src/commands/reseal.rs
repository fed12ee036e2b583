//! `reseal`: seals the items of committed SealedSecrets for another certificate.

mod target;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cert::controller_names;
use super::operation::{Decision, Operation, refuse_in_sidecar};
use super::unseal::refuse_keys_in_sidecar;
use super::{CommandOutput, cluster_access};
use crate::cli::{ReportFormat, ResealArgs};
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_operations::controller::Controller;
use sealwave_operations::key_files::UnsealKeys;
use sealwave_operations::progress::Progress;
use sealwave_operations::reseal::{
    CheckReport, ControllerKeys, KeyMap, OfflineEngine, OnlineEngine, PlanInput, ResealDelivery,
    ResealEngine, ResealError, ResealPlan, ResealRun, SealedTree, group_by_repository, require_environments,
};
use sealwave_operations::state::OperationId;
use sealwave_operations::work_tree::{AllowedPaths, PushTarget, WorkTree};
use sealwave_secrets::crypto::Certificate;
use target::ResealTarget;

/// The time for reports, which change nothing.
const REPORT_LIMIT: Duration = Duration::from_mins(15);

#[derive(Debug, thiserror::Error)]
enum ResealCommandError {
    #[error("`--commit` and `--push` need a Git checkout, but `{0}` is not in one")]
    NoCheckout(String),
    #[error("namespace `{namespace}` has no key of a sealed-secrets controller; {cluster}")]
    NoKeys { namespace: String, cluster: String },
}

impl Explain for ResealCommandError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoCheckout(_) => "name a directory of a checkout, or omit the flag",
            Self::NoKeys { .. } => {
                "set the namespace of the controller with `--controller-namespace`, and check `--context`"
            }
        };
        Some(hint.to_owned())
    }
}

pub(super) fn run(
    args: &ResealArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    refuse_in_sidecar("reseal", variables)?;
    let command = ResealCommand::new(args, variables, watch)?;
    if args.map {
        return command.map();
    }
    if args.check { command.check() } else { command.change() }
}

/// The decided arguments.
struct ResealCommand<'a> {
    args: &'a ResealArgs,
    variables: VariableReader,
    watch: &'a RunWatch,
    keys: Option<UnsealKeys>,
    notes: Vec<Note>,
}

impl<'a> ResealCommand<'a> {
    fn new(args: &'a ResealArgs, variables: VariableReader, watch: &'a RunWatch) -> Result<Self, Failure> {
        let mut notes = Vec::new();
        let keys = if args.keys.key.is_empty() {
            None
        } else {
            refuse_keys_in_sidecar()?;
            Some(UnsealKeys::read(&args.keys.key, &args.keys.identity, &mut notes)?)
        };
        Ok(Self { args, variables, watch, keys, notes })
    }

    fn namespace(&self) -> Option<&str> {
        self.args.namespace.as_deref()
    }

    /// Lists the key of each item.
    fn map(mut self) -> Result<CommandOutput, Failure> {
        self.watch.set_time_limit(REPORT_LIMIT);
        let groups = group_by_repository(&self.args.paths)?;
        let trees = groups.into_iter().map(|(root, paths)| SealedTree::below(root, &paths, &self.args.env));
        let trees = trees.collect::<Result<Vec<_>, _>>()?;
        if !self.args.env.is_empty() {
            let all: Vec<&SealedTree> = trees.iter().collect();
            require_environments(&all, &self.args.env).map_err(|error| Problem::new(&error))?;
        }
        let namespace = self.args.namespace.clone();
        let (controller, keys) = self.controller_keys()?;
        let map = KeyMap::new(&trees, keys.as_ref(), controller.as_ref(), namespace.as_deref())?;
        let stdout = match self.args.operation.output {
            ReportFormat::Human => map.human().into_bytes(),
            ReportFormat::Json => map.json(),
        };
        Ok(CommandOutput { notes: self.notes, ..CommandOutput::text(stdout) })
    }

    /// Returns the keys of the controller, if the user names one, and all keys to try.
    fn controller_keys(&mut self) -> Result<(Option<ControllerKeys>, Option<UnsealKeys>), Failure> {
        let files = self.keys.take();
        let reads = self.args.read_controller_keys;
        if !reads && !target::names_cluster(self.args) {
            return Ok((None, files));
        }
        let access = cluster_access(&self.args.cluster, self.variables);
        let client = access.connect(self.watch.deadline()).map_err(|error| Problem::new(&error))?;
        let names = controller_names(&self.args.controller);
        let (controller, keys) = if reads {
            refuse_keys_in_sidecar()?;
            let read = ControllerKeys::read(&client, names.namespace(), files.unwrap_or_default());
            let (controller, keys) = read.map_err(|error| Problem::new(&error))?;
            (controller, Some(keys))
        } else {
            let listed = ControllerKeys::list(&client, names.namespace());
            (listed.map_err(|error| Problem::new(&error))?, files)
        };
        if controller.is_empty() {
            let (namespace, cluster) = (names.namespace().to_owned(), controller.cluster);
            return Err(Problem::new(&ResealCommandError::NoKeys { namespace, cluster }).into());
        }
        Ok((Some(controller), keys))
    }

    /// Lists the items that are not sealed for the certificate.
    fn check(mut self) -> Result<CommandOutput, Failure> {
        self.watch.set_time_limit(REPORT_LIMIT);
        let tree = self.tree()?;
        let target = self.target(&tree, false)?;
        let report = target.with_certificate(self.watch.deadline(), |certificate, _| {
            CheckReport::new(&tree, certificate, self.keys.as_ref(), self.namespace())
        })?;
        let stdout = match self.args.operation.output {
            ReportFormat::Human => report.human().into_bytes(),
            ReportFormat::Json => report.json(),
        };
        Ok(CommandOutput {
            findings: report.has_findings(),
            notes: self.notes,
            ..CommandOutput::text(stdout)
        })
    }

    /// Seals the items again.
    fn change(mut self) -> Result<CommandOutput, Failure> {
        let operation = self.operation()?;
        let root = self.root()?;
        let work_tree = WorkTree::find(&root).map_err(|error| Problem::new(&error))?;
        let delivery = self.delivery(&root, work_tree.as_ref())?;
        if let Some(work_tree) = &work_tree {
            let possible = work_tree.require_delivery(delivery.commit, delivery.push.as_ref());
            possible.map_err(|error| Problem::new(&error))?;
        }
        let allowed = AllowedPaths::new(self.only_environment(), &self.args.files.allow_path);
        let allowed = allowed.map_err(|error| Problem::new(&error))?;
        let progress = operation.progress();
        let run = self.open_run(&operation, &root, work_tree.as_ref(), &delivery, &*progress)?;
        let tree = self.tree()?;
        let mut plan = self.plan(&operation, &tree)?;
        let changed = allowed.require_in(&tree.root, work_tree.as_ref(), plan.changes.paths());
        changed.map_err(|error| Problem::new(&error))?;
        if let Some(work_tree) = &work_tree {
            let earlier = run.as_ref().and_then(ResealRun::earlier);
            work_tree.require_clean(plan.changes.paths(), earlier).map_err(|error| Problem::new(&error))?;
        }
        if let Some(run) = &run {
            run.complete_plan(&mut plan.plan);
        }
        let warnings = plan.warnings.drain(..).map(Note::warning);
        self.notes.extend(warnings);
        let mut output = match (operation.decide(&plan.plan)?, run) {
            (Decision::Apply, Some(run)) => {
                operation.apply(plan.plan.clone(), || run.apply(plan).map(|report| report.outcome))?
            }
            (Decision::Stop(output), Some(run)) => {
                let finished = run.end()?.into_iter().map(|line| Note::info(Problem::new(&ResultNote(line))));
                self.notes.extend(finished);
                output
            }
            (Decision::Stop(output), None) => output,
            (Decision::Apply, None) => CommandOutput::default(),
        };
        output.notes.extend(self.notes);
        Ok(output)
    }

    fn operation(&self) -> Result<Operation<'a>, Failure> {
        let args = &self.args.operation;
        let shown: Vec<String> = self.args.paths.iter().map(|path| path.display().to_string()).collect();
        let subject = format!("reseal ({})", shown.join(", "));
        Operation::begin("reseal", subject, args, self.variables, self.watch)
    }

    /// Returns the top of the repository that is changed.
    fn root(&self) -> Result<PathBuf, Failure> {
        let mut groups = group_by_repository(&self.args.paths)?;
        match (groups.pop(), groups.is_empty()) {
            (Some((root, _)), true) => Ok(root),
            (last, _) => {
                let roots = groups.into_iter().chain(last).map(|(root, _)| root).collect();
                Err(Problem::new(&ResealError::SeveralRepositories(roots)).into())
            }
        }
    }

    fn delivery(&self, root: &Path, work_tree: Option<&WorkTree>) -> Result<ResealDelivery, Failure> {
        let files = &self.args.files;
        let push = files
            .push
            .then(|| PushTarget { remote: files.remote.clone(), branch: files.target_branch.clone() });
        if (files.commit || files.push) && work_tree.is_none() {
            let error = ResealCommandError::NoCheckout(root.display().to_string());
            return Err(Problem::new(&error).into());
        }
        Ok(ResealDelivery { commit: files.commit, push })
    }

    /// Opens the journal, unless nothing may be created, and finishes an interrupted change of files.
    fn open_run<'r>(
        &self,
        operation: &Operation<'_>,
        root: &Path,
        work_tree: Option<&'r WorkTree>,
        delivery: &'r ResealDelivery,
        progress: &'r dyn Progress,
    ) -> Result<Option<ResealRun<'r>>, Failure> {
        if self.args.operation.dry_run {
            return Ok(None);
        }
        let id = OperationId::new("reseal", [root.display().to_string()]);
        ResealRun::open(operation.journal(id)?, work_tree, delivery, progress).map(Some)
    }

    /// Finds the files of the environments.
    fn tree(&self) -> Result<SealedTree, Failure> {
        let tree = SealedTree::find(&self.args.paths, &self.args.env)?;
        tree.require_readable()?;
        require_environments(&[&tree], &self.args.env).map_err(|error| Problem::new(&error))?;
        if tree.files.is_empty() && tree.unseen.is_empty() {
            return Err(Problem::new(&ResealError::NothingFound).into());
        }
        Ok(tree)
    }

    fn only_environment(&self) -> Option<&str> {
        match self.args.env.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Decides the certificate to seal for; `online` if the controller seals.
    fn target(&mut self, tree: &SealedTree, online: bool) -> Result<ResealTarget, Failure> {
        let access = cluster_access(&self.args.cluster, self.variables);
        ResealTarget::decide(self.args, access, tree, online, self.variables, &mut self.notes)
    }

    fn plan(&mut self, operation: &Operation<'_>, tree: &SealedTree) -> Result<ResealPlan, Failure> {
        let progress = operation.progress();
        let target = self.target(tree, self.keys.is_none())?;
        let deadline = self.watch.deadline();
        let plan = |certificate: &Certificate, engine: &dyn ResealEngine| {
            let namespace = self.namespace();
            ResealPlan::new(&PlanInput { tree, certificate, engine, namespace, progress: &*progress })
        };
        target.with_certificate(deadline, |certificate, controller| match (&self.keys, controller) {
            (Some(keys), controller) => {
                let known = controller.map(|controller| known_keys(controller, certificate));
                let known = known.transpose()?.flatten();
                let engine = OfflineEngine::new(keys, certificate).knowing(known, &self.args.keys.accept_key);
                plan(certificate, &engine.map_err(|error| Problem::new(&error))?)
            }
            (None, Some(controller)) => plan(certificate, &OnlineEngine::new(controller, certificate)),
            (None, None) => Err(Problem::new(&target::TargetError::NoEngine).into()),
        })
    }
}

/// Returns the public keys that a controller has; `None` if this user may not see all of them, or if the published one is not
/// among them, so that they are not its keys.
fn known_keys(
    controller: &Controller<'_>,
    published: &Certificate,
) -> Result<Option<BTreeSet<String>>, Failure> {
    match ControllerKeys::list(controller.client(), &controller.service().namespace) {
        Ok(keys) if !keys.unreadable.is_empty() => Ok(None),
        Ok(keys) => {
            let keys: BTreeSet<String> = keys.known.into_iter().map(|(key, _)| key).collect();
            Ok(Some(keys).filter(|keys| keys.contains(&published.details().public_key_sha256)))
        }
        Err(error) if error.is_denied() => Ok(None),
        Err(error) => Err(Problem::new(&error).into()),
    }
}

/// A result of a run that has nothing more to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct ResultNote(String);

impl Explain for ResultNote {}
