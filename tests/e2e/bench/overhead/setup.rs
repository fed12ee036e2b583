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
    /// Whether `.git` is sent.
    pub history: bool,
}

/// The setup that all others are compared with.
pub const BASELINE: Setup =
    Setup { renderer: Renderer::Kustomize, discover: false, generate_paths: false, history: false };

pub const SETUPS: [Setup; 11] = [
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
    Setup { renderer: Renderer::Sealwave, discover: true, history: true, ..BASELINE },
];

impl Setup {
    pub fn repo_server(&self) -> RepoServerOptions {
        let exclusions = if self.history { "" } else { RepoServerOptions::default().exclusions };
        RepoServerOptions { generate_paths: self.generate_paths, exclusions }
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
    let paths = match (setup.generate_paths, setup.history) {
        (true, _) => "yes",
        (false, false) => "no",
        (false, true) => "no, and `.git` not excluded",
    };
    [apps, discover, paths]
}

/// Returns what is printed while a setup is measured.
pub fn title(setup: &Setup) -> String {
    let [apps, discover, paths] = cells(setup);
    format!("{apps}, discover: {discover}, generate paths: {paths}")
}
