//! Validates plain manifests without an app: files, directories and standard input.
//!
//! A small set is checked as a whole, like an environment of an app; a larger one is checked as a stream.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::check::check_plain;
use super::completion::BuildCompletion;
use super::context::PlainContext;
use super::manifests::{BufferedInputs, PlainInput, PlainManifests, SourceReader};
use super::result::PlainResult;
use super::stream::ManifestStream;
use super::suppress::RunSuppressions;
use sealwave_core::workers::WorkerPanicked;

/// The most bytes that are checked as a whole.
const MAX_WHOLE_BYTES: usize = 8 << 20;

/// Validates a set of manifests.
///
/// A source that cannot be read is a finding.
///
/// # Errors
/// A worker panicked.
pub fn validate_plain(
    inputs: Vec<PlainInput>,
    context: &PlainContext,
    run_suppressions: &RunSuppressions,
) -> Result<PlainResult, WorkerPanicked> {
    let mut whole = BufferedInputs::default();
    let mut inputs = inputs.into_iter();
    let mut manifests = PlainManifests::default();
    for PlainInput { name, open } in inputs.by_ref() {
        let room = MAX_WHOLE_BYTES.saturating_sub(whole.bytes);
        let (reader, text) = match open().and_then(|reader| read_up_to(reader, room + 1)) {
            Ok(read) => read,
            Err(error) => {
                manifests.add_unreadable(&name, &error);
                continue;
            }
        };
        whole.bytes += text.len();
        let more = text.len() > room;
        whole.files.push((name, text, more.then_some(reader)));
        if more {
            return ManifestStream::new(context, run_suppressions).run(whole, inputs, manifests);
        }
    }
    // If two objects have one identity, the second is reported, so checked files come last.
    whole.files.sort_by_key(|(name, ..)| !context.is_context_file(name));
    let mut checked = BTreeMap::new();
    for (name, text, _) in &whole.files {
        let before = manifests.objects.len();
        manifests.add(name, text, context.is_searched(name));
        let is_foreign = manifests.foreign_files.last() == Some(name);
        if !context.is_context_file(name) && !is_foreign {
            checked.insert(name.clone(), manifests.objects.len() - before);
        }
    }
    if let Some(namespace) = &context.namespace {
        manifests.set_namespace(namespace, context.check_context());
    }
    let (mut verdict, reported_once) = check_plain(&manifests, context, run_suppressions);
    let completion = BuildCompletion::new(context.kustomized());
    verdict.findings.iter_mut().for_each(|finding| completion.soften(finding));
    verdict.drop_out_of_scope(context);
    let foreign_files = std::mem::take(&mut manifests.foreign_files);
    let texts = whole.files.into_iter().map(|(name, text, _)| (name, text)).collect();
    Ok(PlainResult { verdict, checked, was_streamed: false, reported_once, foreign_files, texts })
}

/// Reads up to `length` bytes; returns them, and the rest.
fn read_up_to(mut reader: SourceReader, length: usize) -> io::Result<(SourceReader, Vec<u8>)> {
    let mut text = Vec::new();
    reader.by_ref().take(length as u64).read_to_end(&mut text)?;
    Ok((reader, text))
}
