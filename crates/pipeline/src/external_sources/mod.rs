//! Renders the sources that other tools render: Helm charts and Kustomize directories. Runs after `load`, before `render`.
//!
//! ```text
//! paths ► bounded files and directories     of the app file, within the repository
//! helm, kustomize ► a run of the program    confined, without network
//! output ► `ManifestFile`                   with the template or directory of each line
//! ```
//!
//! The programs see files of the repository only, in which secrets are placeholders. They get no values of secrets, and
//! nothing of sealwave's environment.

mod capabilities;
mod error;
mod failed_run;
mod helm;
mod input;
mod kustomization;
mod kustomize;
mod origins;
mod output;
mod paths;

use sealwave_core::diagnostic::{Failure, Note, ProblemPlace};
use sealwave_core::document::Sources;
use sealwave_programs::Toolbox;

use crate::discover::AppSource;
use crate::load::{CompleteApp, LoadedApp, ManifestFile};
use crate::render::RenderContext;
pub use input::RenderPurpose;
use input::SourceInput;

/// Renders the sources of other tools, and puts the files of all sources into their order.
///
/// # Errors
/// The problems of all sources: paths that do not exist or lead out of the repository, programs that are missing or fail.
pub fn render_sources<'a>(
    mut loaded: LoadedApp<'a>,
    context: &RenderContext,
    toolbox: &Toolbox,
    purpose: RenderPurpose,
    sources: &mut Sources,
    notes: &mut Vec<Note>,
) -> Result<CompleteApp<'a>, Failure> {
    let app = loaded.app;
    let namespace = loaded.namespace.clone().or_else(|| context.namespace.clone());
    let mut own_files = std::mem::take(&mut loaded.own_files);
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for (index, source) in app.sources().iter().enumerate() {
        let input = SourceInput {
            app,
            context,
            namespace: namespace.as_deref().filter(|name| !name.is_empty()),
            values: &loaded.values,
            toolbox,
            purpose,
            place: ProblemPlace::Place(app.source_place(index)),
        };
        match render_source(source, &input, sources, notes) {
            Ok(Some(file)) => files.push(file),
            Ok(None) => files.append(&mut own_files),
            Err(failure) => problems.extend_from_slice(failure.problems()),
        }
    }
    Failure::unless_empty(problems)?;
    Ok(CompleteApp { loaded, files })
}

/// Renders one source; `None` for sealwave's own files.
fn render_source(
    source: &AppSource,
    input: &SourceInput<'_>,
    sources: &mut Sources,
    notes: &mut Vec<Note>,
) -> Result<Option<ManifestFile>, Failure> {
    match source {
        AppSource::Files | AppSource::Piped(_) => Ok(None),
        AppSource::Helm(chart) => helm::render(chart, input, sources, notes).map(Some),
        AppSource::Kustomize(directory) => kustomize::render(directory, input, sources).map(Some),
    }
}
