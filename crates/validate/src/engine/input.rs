//! The input of a validation: an app, or plain manifests.

use super::context::{AppContext, CheckContext, PlainContext};
use super::manifests::PlainManifests;
use super::options::ValidateOptions;
use crate::definitions::DefinitionRef;
use crate::examine::{ExaminedApp, ExaminedEnvironment, StageProblem};
use sealwave_core::document::{Manifest, Node, SourceTexts, Sources};

/// The input of a validation, with its context.
#[derive(Clone, Copy)]
pub(super) enum CheckedInput<'a> {
    /// An app with its environments.
    App(&'a ExaminedApp, &'a AppContext),
    /// Manifests without an app.
    Plain(&'a PlainManifests, &'a PlainContext),
}

/// The objects of an environment, or the plain manifests.
#[derive(Clone, Copy)]
pub(super) enum ObjectSet<'a> {
    /// An environment of an app.
    Environment(&'a ExaminedEnvironment),
    /// Manifests without an app.
    Plain(&'a PlainManifests),
}

impl<'a> CheckedInput<'a> {
    pub(super) const fn options(self) -> &'a ValidateOptions {
        match self {
            Self::App(_, context) => &context.options,
            Self::Plain(_, context) => &context.options,
        }
    }

    pub(super) const fn check_context(self) -> CheckContext<'a> {
        match self {
            Self::App(_, context) => CheckContext { options: &context.options, schemas: &context.schemas },
            Self::Plain(_, context) => context.check_context(),
        }
    }

    pub(super) const fn sources(self) -> &'a Sources {
        match self {
            Self::App(app, _) => &app.sources,
            Self::Plain(manifests, _) => &manifests.sources,
        }
    }

    pub(super) const fn texts(self) -> &'a SourceTexts {
        match self {
            Self::App(app, _) => &app.texts,
            Self::Plain(manifests, _) => &manifests.texts,
        }
    }

    /// Returns the app; `None` for plain manifests.
    pub(super) const fn app(self) -> Option<&'a ExaminedApp> {
        match self {
            Self::App(app, _) => Some(app),
            Self::Plain(..) => None,
        }
    }

    /// Returns the name of the app; empty for plain manifests.
    pub(super) fn app_name(self) -> String {
        self.app().map(|app| app.directory.clone()).unwrap_or_default()
    }

    /// Iterates over the environments of the app, or over the only set of plain manifests.
    pub(super) fn sets(self) -> impl Iterator<Item = ObjectSet<'a>> + Clone {
        let (environments, plain) = match self {
            Self::App(app, _) => (app.environments.as_slice(), None),
            Self::Plain(manifests, _) => (&[][..], Some(ObjectSet::Plain(manifests))),
        };
        environments.iter().map(ObjectSet::Environment).chain(plain)
    }

    /// Returns the custom resource definitions among the objects.
    pub(super) fn definitions(self) -> impl Iterator<Item = DefinitionRef<'a>> {
        self.sets().flat_map(move |set| DefinitionRef::in_objects(set.objects(), self.sources()))
    }

    /// Reports whether a file only provides objects for references and is not checked.
    pub(super) fn is_context_file(self, name: &str) -> bool {
        match self {
            Self::App(..) => false,
            Self::Plain(_, context) => context.is_context_file(name),
        }
    }
}

impl<'a> ObjectSet<'a> {
    pub(super) const fn objects(self) -> &'a Vec<Manifest> {
        match self {
            Self::Environment(environment) => &environment.objects,
            Self::Plain(manifests) => &manifests.objects,
        }
    }

    pub(super) const fn problems(self) -> &'a Vec<StageProblem> {
        match self {
            Self::Environment(environment) => &environment.problems,
            Self::Plain(manifests) => &manifests.problems,
        }
    }

    /// Returns the environment; `None` for plain manifests.
    pub(super) const fn environment(self) -> Option<&'a ExaminedEnvironment> {
        match self {
            Self::Environment(environment) => Some(environment),
            Self::Plain(_) => None,
        }
    }

    /// Returns the merged values of the environment.
    pub(super) fn values(self) -> Option<&'a Node> {
        self.environment()?.values.as_ref()
    }

    /// Returns the name of the environment for a finding; plain manifests have none.
    pub(super) fn environment_names(self) -> Vec<String> {
        self.environment().map(|environment| environment.name.clone()).into_iter().collect()
    }
}
