//! The kinds of apps and the settings that are compared.

use crate::harness::RepoServerOptions;

/// A way to render an app.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Renderer {
    Kustomize,
    Plain,
    Sealwave,
}

impl Renderer {
    pub const ALL: [Self; 3] = [Self::Kustomize, Self::Plain, Self::Sealwave];

    /// Returns the name of its repository, its namespace and its label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kustomize => "kustomize",
            Self::Plain => "plain",
            Self::Sealwave => "sealwave",
        }
    }
}

/// Apps of one kind in an installation with certain settings.
#[derive(Debug, Eq, PartialEq)]
pub struct Setup {
    pub renderer: Renderer,
    /// Whether the plugin has `discover`.
    pub discover: bool,
    /// Whether the repo-server uses the annotation for plugins, and the Applications have it.
    pub generate_paths: bool,
    /// Patterns of files that are never sent.
    pub exclusions: &'static str,
}

const HISTORY: &str = ".git/*";

/// Excludes the directory of the files that belong to no app, too.
const HISTORY_AND_OTHER_FILES: &str = ".git/*;other/*";

/// The setup that all others are compared with.
pub const BASELINE: Setup =
    Setup { renderer: Renderer::Kustomize, discover: false, generate_paths: false, exclusions: HISTORY };

pub const SETUPS: [Setup; 13] = [
    BASELINE,
    Setup { generate_paths: true, ..BASELINE },
    Setup { renderer: Renderer::Plain, ..BASELINE },
    Setup { renderer: Renderer::Plain, generate_paths: true, ..BASELINE },
    Setup { renderer: Renderer::Sealwave, generate_paths: true, ..BASELINE },
    Setup { renderer: Renderer::Sealwave, ..BASELINE },
    Setup { discover: true, ..BASELINE },
    Setup { renderer: Renderer::Plain, discover: true, ..BASELINE },
    Setup { renderer: Renderer::Sealwave, discover: true, generate_paths: true, ..BASELINE },
    Setup { renderer: Renderer::Sealwave, discover: true, ..BASELINE },
    Setup { renderer: Renderer::Sealwave, discover: true, exclusions: "", ..BASELINE },
    Setup { renderer: Renderer::Plain, discover: true, exclusions: HISTORY_AND_OTHER_FILES, ..BASELINE },
    Setup { renderer: Renderer::Sealwave, discover: true, exclusions: HISTORY_AND_OTHER_FILES, ..BASELINE },
];

impl Setup {
    pub fn repo_server(&self) -> RepoServerOptions {
        RepoServerOptions { generate_paths: self.generate_paths, exclusions: self.exclusions }
    }

    /// Reports whether normal refreshes are measured too. With discovery, they add nothing to what the others show.
    pub fn measures_normal_refresh(&self) -> bool {
        !self.discover
    }
}

/// Returns the cells of a table that describe a setup: apps, plugin, what is sent.
pub fn cells(setup: &Setup) -> [&'static str; 3] {
    let apps = match setup.renderer {
        Renderer::Kustomize => "Kustomize",
        Renderer::Plain => "plain directories",
        Renderer::Sealwave => "sealwave",
    };
    let discover = if setup.discover { "yes" } else { "no" };
    let paths = match (setup.generate_paths, setup.exclusions) {
        (true, _) => "yes",
        (false, "") => "no, and `.git` not excluded",
        (false, HISTORY_AND_OTHER_FILES) => "no, but other files excluded",
        (false, _) => "no",
    };
    [apps, discover, paths]
}

/// Returns what is printed while a setup is measured.
pub fn title(setup: &Setup) -> String {
    let [apps, discover, paths] = cells(setup);
    format!("{apps}, discover: {discover}, generate paths: {paths}")
}
