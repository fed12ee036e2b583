//! Validates plain manifests without an app: files, directories and standard input.
//!
//! A small set is checked as a whole, like an environment of an app; a larger one is checked as a stream.

use std::io::{self, Read};

use super::check::check_input;
use super::completion::BuildCompletion;
use super::context::PlainContext;
use super::input::CheckedInput;
use super::kustomization::KustomizedFiles;
use super::manifests::{BufferedInputs, PlainInput, PlainManifests};
use super::result::PlainResult;
use super::stream::ManifestStream;
use super::suppress::RunSuppressions;
use crate::CheckedCounts;

/// The most bytes that are checked as a whole.
const MAX_WHOLE_BYTES: usize = 8 << 20;

/// Validates a set of manifests.
///
/// # Errors
/// Returns the name of a source that cannot be read, with the error.
pub fn validate_plain(
    inputs: Vec<PlainInput>,
    context: &PlainContext,
    run_suppressions: &RunSuppressions,
) -> Result<PlainResult, (String, io::Error)> {
    let mut whole = BufferedInputs::default();
    let mut inputs = inputs.into_iter();
    let judged = inputs.as_slice().iter().filter(|input| !context.is_context_file(&input.name)).count();
    let looked_at = CheckedCounts { files: judged, ..CheckedCounts::default() };
    for PlainInput { name, open } in inputs.by_ref() {
        let mut reader = open().map_err(|error| (name.clone(), error))?;
        let room = MAX_WHOLE_BYTES.saturating_sub(whole.bytes);
        let mut text = Vec::new();
        let read = reader.by_ref().take(room as u64 + 1).read_to_end(&mut text);
        read.map_err(|error| (name.clone(), error))?;
        whole.bytes += text.len();
        let more = text.len() > room;
        whole.files.push((name, text, more.then_some(reader)));
        if more {
            return ManifestStream::new(context, run_suppressions, looked_at).run(whole, inputs);
        }
    }
    let files = whole.files.iter().map(|(name, text, _)| (name.as_str(), text.as_slice()));
    let kustomized = KustomizedFiles::from_files(files);
    let is_partial = |name: &String| kustomized.is_partial(name);
    let partial_files = whole.files.iter().filter(|(name, ..)| is_partial(name)).count();
    let judged_partial =
        whole.files.iter().filter(|(name, ..)| is_partial(name) && !context.is_context_file(name)).count();
    whole.files.retain(|(name, ..)| !is_partial(name));
    // If two objects have one identity, the second is reported, so checked files come last.
    whole.files.sort_by_key(|(name, ..)| !context.is_context_file(name));
    let mut manifests = PlainManifests::default();
    let mut unjudged = 0;
    for (name, text, _) in &whole.files {
        manifests.add(name, text);
        if context.is_context_file(name) {
            unjudged = manifests.objects.len();
        }
    }
    if let Some(namespace) = &context.namespace {
        manifests.set_namespace(namespace, context.check_context());
    }
    let mut verdict = check_input(CheckedInput::Plain(&manifests, context), run_suppressions);
    let completion = BuildCompletion::new(&kustomized.resources, &manifests.objects);
    verdict.findings.iter_mut().for_each(|finding| completion.soften(finding));
    verdict.drop_out_of_scope(context);
    let objects = manifests.objects.len() - unjudged;
    let texts = whole.files.into_iter().map(|(name, text, _)| (name, text)).collect();
    let looked_at = CheckedCounts { files: looked_at.files - judged_partial, objects, ..looked_at };
    Ok(PlainResult { verdict, checked: looked_at, was_streamed: false, partial_files, texts })
}
