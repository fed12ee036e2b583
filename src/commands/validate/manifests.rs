//! Validates plain manifests, set by set.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::{RunOutcome, ValidateNote, ValidateRun};
use crate::deadline::Activity;
use sealwave_core::diagnostic::{Failure, Note, Problem};
use sealwave_core::document::display_path;
use sealwave_core::excerpts::STDIN;
use sealwave_core::reach::PathReach;
use sealwave_validate::CheckedCounts;
use sealwave_validate::engine::{
    self, AllSetsResult, KnownDefinition, PlainContext, PlainInput, PlainResult, SchemaContext, SetResults,
    ValidateOptions,
};
use sealwave_validate::project::{ManifestSet, ManifestSets, ValidateTarget, ValidateTargets, shown};

/// The plain manifests of a run.
pub(super) struct PlainTargets {
    files: Vec<ValidateTarget>,
    stdin: bool,
    places: Vec<PathBuf>,
    unreadable: Vec<(PathBuf, std::io::ErrorKind)>,
    sets: ManifestSets,
    /// The definitions of custom resources in the files.
    definitions: Vec<KnownDefinition>,
}

impl PlainTargets {
    /// Returns the definitions of custom resources, which all apps and sets share.
    pub(super) fn definitions(&self) -> &[KnownDefinition] {
        &self.definitions
    }

    /// Returns the inputs of each set that has something to check.
    fn inputs(&self, activity: &Arc<Activity>) -> Vec<(ManifestSet, Vec<PlainInput>)> {
        let target = |file: &usize| self.files.get(*file);
        let has_checked =
            |set: &&ManifestSet| set.files.iter().filter_map(target).any(|file| file.is_checked);
        let sets = self.sets.sets.iter().filter(has_checked);
        let mut inputs: Vec<(ManifestSet, Vec<PlainInput>)> = sets
            .map(|set| {
                let files = set.files.iter().filter_map(target);
                (set.clone(), files.map(|file| file_input(file, activity)).collect())
            })
            .collect();
        if self.stdin {
            // Files that are given one by one, and standard input, are one set.
            let given = inputs.iter_mut().find(|(set, _)| set.name.is_empty());
            match given {
                Some((_, files)) => files.push(stdin_input(activity)),
                None => inputs.push((ManifestSet::default(), vec![stdin_input(activity)])),
            }
        }
        if !self.unreadable.is_empty() {
            let failing = self.unreadable.iter().map(|(path, reason)| unreadable_input(path, *reason));
            inputs.push((ManifestSet::default(), failing.collect()));
        }
        inputs
    }
}

impl ValidateRun<'_> {
    /// Takes the plain manifests out of the targets of a run, and decides their sets.
    pub(super) fn take_manifests(&self, targets: &mut ValidateTargets) -> PlainTargets {
        let _activity = self.watch.begin_activity("searching for kustomizations");
        let files = std::mem::take(&mut targets.files);
        let places = std::mem::take(&mut targets.places);
        let sets = ManifestSets::decide(&files, &places, &self.plan.scope().sets);
        let is_shared = sets.sets.len() + usize::from(targets.stdin) > 1 || !targets.apps.is_empty();
        let definitions = if is_shared { sets.definitions(&files) } else { Vec::new() };
        let unreadable = std::mem::take(&mut targets.unreadable);
        PlainTargets { files, stdin: targets.stdin, places, unreadable, sets, definitions }
    }

    pub(super) fn validate_manifests(
        &self,
        targets: &PlainTargets,
        from_apps: Vec<KnownDefinition>,
        outcome: &mut RunOutcome,
    ) -> Result<(), Failure> {
        let activity = Arc::new(self.watch.begin_activity("checking manifests"));
        let inputs = targets.inputs(&activity);
        if inputs.is_empty() {
            return Ok(());
        }
        let plan = self.plan.clone().with_unchecked_parts(self.args.changed_since.is_some());
        let options = plan.clone().into_options()?;
        let schemas = self.plain_schemas(&options, targets, from_apps);
        let unchecked = targets.files.iter().filter(|file| !file.is_checked);
        let context_files: BTreeSet<String> = unchecked.map(|file| shown(&file.path)).collect();
        let searched = targets.files.iter().filter(|file| file.place.is_some());
        let searched_files = Arc::new(searched.map(|file| shown(&file.path)).collect());
        let namespace = self.args.identity.namespace.clone().filter(|name| !name.is_empty());
        let mut results = SetResults::default();
        self.watch.set_total(inputs.iter().map(|(_, files)| files.len()).sum());
        for (set, files) in inputs {
            let options = plan.clone().with_generated(&set.generated).into_options()?;
            let options = options.with_known_apps(Arc::clone(&outcome.known_apps));
            let context =
                PlainContext::new(options, schemas.clone(), namespace.clone(), context_files.clone())
                    .with_kustomized(Arc::clone(&targets.sets.kustomized))
                    .with_searched_files(Arc::clone(&searched_files));
            let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
            let result = engine::validate_plain(files, &context, &self.suppressions);
            let mut result: PlainResult = result.map_err(|error| Problem::new(&error))?;
            let texts = std::mem::take(&mut result.texts);
            outcome.stdin = outcome
                .stdin
                .take()
                .or_else(|| texts.into_iter().find(|(name, _)| name == STDIN).map(|(_, text)| text));
            results.add(&set.name, names.iter().map(String::as_str), result);
        }
        if outcome.stdin.as_deref().is_some_and(holds_no_manifest) {
            outcome.notes.push(Note::warning(Problem::new(&ValidateNote::EmptyInput)));
        }
        let AllSetsResult { verdict, checked, foreign_files, was_streamed } = results.finish();
        outcome.add_result(verdict);
        self.report_definition_faults(&options, outcome);
        let all = &mut outcome.report.checked;
        *all = CheckedCounts {
            files: all.files + checked.files,
            objects: all.objects + checked.objects,
            ..*all
        };
        let notes = notes(&targets.sets, &foreign_files, was_streamed);
        outcome.notes.extend(notes.map(|note| Note::info(Problem::new(&note))));
        Ok(())
    }

    /// Returns the schemas for plain manifests, with the definitions of the run.
    fn plain_schemas(
        &self,
        options: &ValidateOptions,
        targets: &PlainTargets,
        from_apps: Vec<KnownDefinition>,
    ) -> SchemaContext {
        let shared = targets.definitions.iter().cloned().chain(from_apps);
        let all = shared.chain(options.definitions.iter().cloned()).collect();
        let places = targets.places.clone();
        SchemaContext::extendable_with(options, Arc::new(all))
            .with_fallback(self.crd_resolver(options, places))
    }
}

/// Returns notes about what the run did not do with plain manifests.
fn notes(
    sets: &ManifestSets,
    foreign_files: &BTreeSet<String>,
    was_streamed: bool,
) -> impl Iterator<Item = ValidateNote> + use<> {
    let kustomizations = (sets.kustomizations > 0)
        .then_some(ValidateNote::Kustomizations { count: sets.kustomizations, partial: sets.partial_files });
    let foreign = foreign_files
        .first()
        .map(|first| ValidateNote::ForeignFiles { count: foreign_files.len(), first: first.clone() });
    kustomizations.into_iter().chain(foreign).chain(was_streamed.then_some(ValidateNote::OneByOne))
}

fn stdin_input(activity: &Arc<Activity>) -> PlainInput {
    let activity = Arc::clone(activity);
    let open = move || -> std::io::Result<Box<dyn std::io::Read>> {
        activity.set_description("checking standard input");
        Ok(Box::new(std::io::stdin().lock()))
    };
    PlainInput { name: STDIN.to_owned(), open: Box::new(open) }
}

/// Reports whether a text has only blank lines, comments and separators.
fn holds_no_manifest(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.all(|line| line.is_empty() || line.starts_with(b"#") || line == b"---")
}

fn file_input(file: &ValidateTarget, activity: &Arc<Activity>) -> PlainInput {
    let (path, reach) = (file.path.clone(), Arc::clone(&file.reach));
    let (name, activity) = (shown(&path), Arc::clone(activity));
    let open = move || -> std::io::Result<Box<dyn std::io::Read>> {
        activity.advance_to(format!("checking `{}`", shown(&path)));
        Ok(match &*reach {
            // It may be a process substitution of the shell, which is not a regular file.
            PathReach::Anywhere => Box::new(fs_err::File::open(path)?),
            reach @ PathReach::Below(_) => Box::new(reach.open(&path)?),
        })
    };
    PlainInput { name, open: Box::new(open) }
}

/// Returns an input for a path that cannot be read, which becomes a finding.
fn unreadable_input(path: &std::path::Path, reason: std::io::ErrorKind) -> PlainInput {
    PlainInput { name: display_path(path), open: Box::new(move || Err(reason.into())) }
}
