//! Parses the app file: its first two fields, the version that it requires, and its namespaces.

use super::error::{Error, whole};
use crate::required_version;
use sealwave_core::diagnostic::{Failure, Problem, ProblemPlace, printable};
use sealwave_core::document::{Node, Origin};
use sealwave_core::names::dns;
use sealwave_secrets::settings::{API_VERSION, App, SettingsFile, VersionRequirement};

/// Parses the app file. If another tool's file has this name, the error is its `apiVersion` or `kind`.
pub(super) fn parse_app(file: &SettingsFile<'_>) -> Result<App, Failure> {
    let app = file.read::<App>();
    match &app {
        Ok(app) if app.api_version == API_VERSION && app.kind == "App" => {
            required_version::check(file, app.requires.sealwave.clone())?;
            check_namespaces(app, file)?;
            // Inline patches are the only content that our reader reads: objects keep the positions of their texts. So
            // problems in them are problems of the app file.
            let mut patches = app.environments.values().flat_map(|settings| &settings.patches);
            if patches.any(|entry| entry.patch.is_some()) {
                check_app_tree(file)?;
            }
        }
        _ => check_app_tree(file)?,
    }
    app
}

/// Checks the namespaces of the app and of its environments.
fn check_namespaces(app: &App, file: &SettingsFile<'_>) -> Result<(), Failure> {
    let of_app = app.namespace.as_ref().map(|name| (vec!["namespace"], name));
    let of_environments = app.environments.iter().filter_map(|(environment, settings)| {
        Some((vec!["environments", environment, "namespace"], settings.namespace.as_ref()?))
    });
    for (keys, name) in of_app.into_iter().chain(of_environments) {
        if !name.is_empty() && !dns::is_label(name) {
            let at = ProblemPlace::Place(file.locate_setting(&keys, None));
            let error = Error::Namespace { setting: printable(keys.join(".")) };
            return Err(Problem { at, ..Problem::new(&error) }.into());
        }
    }
    Ok(())
}

/// Checks the limits of the app file, the version that it requires, and its first two fields, in its tree with positions.
fn check_app_tree(file: &SettingsFile<'_>) -> Result<(), Failure> {
    let at = |origin: Origin, error: &Error| {
        let at = ProblemPlace::Place(file.location(origin));
        Failure::from(Problem { at, ..Problem::new(error) })
    };
    let documents = file.documents()?;
    let tree = match documents {
        [tree] => tree,
        [] => return Err(whole(file.name(), &Error::Empty)),
        [_, second, ..] => return Err(at(second.display_origin(), &Error::Documents(documents.len()))),
    };
    // Another version may have other fields, so its requirement is the error to report.
    let required = tree.at(&["requires", "sealwave"]).and_then(Node::as_str);
    required_version::check(file, required.and_then(VersionRequirement::parse))?;
    for (field, wanted, error) in
        [("apiVersion", API_VERSION, Error::ApiVersion), ("kind", "App", Error::Kind)]
    {
        let node = tree.get(field);
        if node.and_then(Node::as_str) != Some(wanted) {
            return Err(at(node.map_or(tree.origin, |node| node.origin), &error));
        }
    }
    Ok(())
}
