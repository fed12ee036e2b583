//! Plain manifests, without an app: files, directories and standard input.
//!
//! A set that is small enough is looked at as a whole, like an environment of an app. A larger one is read window by
//! window, so that memory is bounded by the largest document: then objects are looked at one by one, and of those already
//! seen only a digest of their identity is kept.

use super::{Checking, validate};
use crate::diagnostic::{Finding, LookedAt, Severity};
use crate::lints;
use crate::model::{SourceId, Sources, Texts};
use crate::pipeline::examine::{ExaminedApp, ExaminedEnvironment, StageProblem};
use crate::pipeline::render;
use crate::yaml;

/// One file of manifests.
pub struct PlainFile {
    /// Its name, as the user knows it.
    pub name: String,
    /// Its text.
    pub text: Vec<u8>,
}

/// Looks for everything that is wrong with a set of manifests.
#[must_use]
pub fn validate_plain(files: &[PlainFile], checking: &Checking) -> (Vec<Finding>, LookedAt) {
    let mut app = ExaminedApp::plain();
    for file in files {
        app.add(file);
    }
    let objects = app.environments.iter().map(|environment| environment.objects.len()).sum();
    let looked_at = LookedAt { files: files.len(), objects, ..LookedAt::default() };
    (validate(&app, checking), looked_at)
}

impl ExaminedApp {
    fn plain() -> Self {
        let environment = ExaminedEnvironment {
            name: String::new(),
            objects: Vec::new(),
            secrets: Vec::new(),
            emitted: None,
            values: None,
            problems: Vec::new(),
        };
        Self {
            sources: Sources::default(),
            texts: Texts::default(),
            environments: vec![environment],
            workloads: Vec::new(),
            directory: String::new(),
        }
    }

    fn add(&mut self, file: &PlainFile) {
        let source = self.sources.add(&file.name);
        let Some(environment) = self.environments.first_mut() else { return };
        environment.read(&file.text, source);
        if let Ok(text) = std::str::from_utf8(&file.text) {
            self.texts.add(source, text.into());
        }
    }
}

impl ExaminedEnvironment {
    fn read(&mut self, text: &[u8], source: SourceId) {
        let mut nodes = Vec::new();
        for document in yaml::read_each(text, source, &yaml::Limits::default()) {
            match document {
                Ok(node) => nodes.push(node),
                Err(problem) => self.problems.push(StageProblem {
                    rule: &lints::app::RENDER,
                    severity: Severity::Error,
                    problem,
                }),
            }
        }
        for node in yaml::flatten_lists(nodes) {
            match render::manifest(node) {
                Ok(object) => self.objects.push(object),
                Err(problem) => self.problems.push(StageProblem {
                    rule: &lints::app::RENDER,
                    severity: Severity::Error,
                    problem,
                }),
            }
        }
    }
}
