//! The texts of the charts of an app, to find out why a field differs. They are read within limits; a chart that is larger
//! is read in part.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use sealwave_core::bounded_file::read_regular_file;
use sealwave_secrets::settings::ChartLocation;
use walkdir::WalkDir;

use crate::discover::{AppSource, Discovery};
use crate::load::normalize_lexically;

/// The most files and directories that are visited.
const MAX_ENTRIES: usize = 5_000;
/// The most bytes of a file.
const MAX_FILE: u64 = 1 << 20;
/// The most bytes of all texts.
const MAX_TOTAL: usize = 32 << 20;

/// The files of charts, by the names that messages give them.
#[derive(Default)]
pub(super) struct ChartTexts {
    files: BTreeMap<String, String>,
}

impl ChartTexts {
    /// Reads the templates of the app's charts, also those in packed charts.
    pub(super) fn read(app: &Discovery, environment: &str) -> Self {
        let mut texts = Self::default();
        for source in app.sources() {
            match source {
                // The texts of a downloaded chart are in its archive; its fields get general hints.
                AppSource::Helm(chart) => {
                    if let ChartLocation::Directory(directory) = &chart.location {
                        texts.read_chart(app, &directory.in_environment(environment));
                    }
                }
                // Its charts are usually below it.
                AppSource::Kustomize(kustomize) => {
                    texts.read_chart(app, &kustomize.path.in_environment(environment));
                }
                AppSource::Files | AppSource::Piped(_) => {}
            }
        }
        texts
    }

    /// Reads a chart. Its links are not followed.
    fn read_chart(&mut self, app: &Discovery, chart: &Path) {
        let chart = normalize_lexically(chart);
        let Ok(top) = fs_err::canonicalize(app.root().join(&chart)) else { return };
        if !top.starts_with(app.boundary()) {
            return;
        }
        let mut total = 0;
        let walk = WalkDir::new(&top).sort_by_file_name().into_iter().take(MAX_ENTRIES);
        for entry in walk.filter_map(Result::ok).filter(|entry| entry.file_type().is_file()) {
            let Some(text) = read(entry.path()) else { continue };
            total += text.len();
            if total > MAX_TOTAL {
                return;
            }
            let inside: PathBuf = entry.path().strip_prefix(&top).map(Path::to_owned).unwrap_or_default();
            self.files.insert(app.name_of(&chart.join(inside)), text);
        }
    }

    /// Reports whether a template contains a word.
    pub(super) fn mention(&self, word: &str) -> bool {
        self.files.values().any(|text| text.contains(word))
    }

    /// Returns the text of a template; empty if it is not known.
    pub(super) fn text(&self, name: &str) -> &str {
        self.files.get(name).map_or("", String::as_str)
    }

    /// Returns the body of a named template.
    pub(super) fn definition(&self, name: &str) -> Option<&str> {
        let start = format!("define \"{name}\"");
        self.files.values().find_map(|text| {
            let (_, body) = text.split_once(&start)?;
            Some(body.split("define \"").next().unwrap_or(body))
        })
    }

    #[cfg(test)]
    pub(super) fn for_tests(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect() }
    }
}

/// Returns the text of a template, or the templates of a packed chart as one text.
fn read(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?;
    let is_template = ["tpl", "txt", "yaml", "yml"].contains(&extension);
    let is_packed = extension == "tgz";
    if !is_template && !is_packed {
        return None;
    }
    let mut bytes = read_regular_file(path, MAX_FILE).ok()?;
    if !is_packed {
        return String::from_utf8(std::mem::take(&mut *bytes)).ok();
    }
    let mut content = Vec::new();
    // What cannot be unpacked is left out.
    let _ = GzDecoder::new(&bytes[..]).take(MAX_FILE * 4).read_to_end(&mut content);
    Some(String::from_utf8_lossy(&content).into_owned())
}
