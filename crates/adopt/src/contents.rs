//! Classification of the files in the directory: kinds of manifests, placeholders of argocd-vault-plugin, Secrets in plaintext.

use std::path::{Path, PathBuf};

use crate::application::{documents, is_application};
use crate::gap::AdoptionGap;
use crate::repository::{ReadBudget, Repository, is_manifest_name};
use sealwave_core::diagnostic::Note;
use sealwave_core::document::Node;

/// The most Secrets that are named.
const MAX_NAMED: usize = 20;
/// The file that makes a directory a chart.
const CHART: &str = "Chart.yaml";
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The contents of the directory. Paths are relative to it.
#[derive(Default)]
pub(crate) struct Contents {
    /// Files with objects, which belong neither to a chart nor to Kustomize.
    pub(crate) manifests: Vec<PathBuf>,
    /// Outermost directories with a chart.
    pub(crate) charts: Vec<PathBuf>,
    /// Directories of Kustomize.
    pub(crate) kustomized: Vec<PathBuf>,
    pub(crate) objects: usize,
    pub(crate) sealed: usize,
    /// Whether there is `<path:…>`.
    pub(crate) has_paths: bool,
    /// Whether there is the annotation for `<key>`.
    pub(crate) has_avp_annotations: bool,
    pub(crate) notes: Vec<Note>,
}

impl Contents {
    /// Reads the files of the directory.
    pub(crate) fn read(repository: &Repository) -> Self {
        let walked = repository.walk(&repository.dir);
        let mut contents = Self::default();
        for link in &walked.outside {
            contents.notes.push(AdoptionGap::OutsideLink.at(&repository.name_of(link), 0));
        }
        let inside = |file: &PathBuf| file.strip_prefix(&repository.dir).ok().map(Path::to_owned);
        let files: Vec<PathBuf> = walked.files.iter().filter_map(inside).collect();
        contents.find_tools(&files);
        let mut budget = ReadBudget::default();
        let mut secrets = Vec::new();
        for file in &files {
            if is_manifest_name(file) || file.extension().is_some_and(|end| end == "tpl" || end == "txt") {
                let full = repository.dir.join(file);
                if let Some(text) = repository.read(&full, &mut budget) {
                    contents.add(file, &text, &mut |left, line| {
                        secrets.push(left.at(&repository.name_of(&full), line));
                    });
                }
            }
        }
        secrets.truncate(MAX_NAMED);
        contents.notes.extend(secrets);
        contents
    }

    fn find_tools(&mut self, files: &[PathBuf]) {
        let parent = |file: &PathBuf| file.parent().map(Path::to_owned).unwrap_or_default();
        for file in files {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_part = self.charts.iter().any(|chart| file.starts_with(chart));
            if name == CHART && !is_part {
                self.charts.push(parent(file));
            } else if KUSTOMIZATIONS.contains(&name) && !is_part {
                self.kustomized.push(parent(file));
            }
        }
        // A chart is listed after the charts in directories with smaller names.
        let all = self.charts.clone();
        self.charts.retain(|chart| !all.iter().any(|other| other != chart && chart.starts_with(other)));
        self.charts.sort();
    }

    fn add(&mut self, file: &Path, text: &str, left: &mut dyn FnMut(&AdoptionGap, u32)) {
        self.has_paths |= text.contains("<path:");
        self.has_avp_annotations |= text.contains("avp.kubernetes.io/path");
        if !is_manifest_name(file) {
            return;
        }
        let mut objects = 0;
        for document in documents(text) {
            let kind = document.get("kind").and_then(Node::as_str).unwrap_or_default();
            if document.get("secretGenerator").is_some_and(|list| !list.items().is_empty()) {
                left(
                    &AdoptionGap::SecretGenerator,
                    document.get("secretGenerator").map_or(0, |list| list.display_origin().line),
                );
            }
            if kind.is_empty() || document.get("apiVersion").is_none() || is_application(&document) {
                continue;
            }
            if kind == "Secret" {
                check_secret(&document, left);
            }
            self.sealed += usize::from(kind == "SealedSecret");
            objects += usize::from(kind != "Kustomization");
        }
        self.objects += objects;
        let is_part = self.charts.iter().any(|chart| file.starts_with(chart))
            || file.parent().is_some_and(|parent| self.kustomized.iter().any(|dir| parent.starts_with(dir)));
        if objects > 0 && !is_part {
            self.manifests.push(file.to_owned());
        }
    }
}

/// Names a Secret with values of its own.
fn check_secret(secret: &Node, left: &mut dyn FnMut(&AdoptionGap, u32)) {
    let name = secret.at(&["metadata", "name"]).and_then(Node::as_str).unwrap_or_default().to_owned();
    let line = secret.display_origin().line;
    if secret.get("sops").is_some() {
        left(&AdoptionGap::SopsSecret(name), line);
        return;
    }
    let items = ["data", "stringData"].into_iter().flat_map(|field| secret.entries_at(&[field]));
    let is_open = |text: &str| text.contains("{{") || text.contains('<') && text.contains('>');
    let is_plain = |text: &str| !text.is_empty() && !is_open(text);
    if items.filter_map(|item| item.value.as_str()).any(is_plain) {
        left(&AdoptionGap::PlainSecret(name), line);
    }
}
