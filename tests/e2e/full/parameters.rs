//! The parameters that Argo CD's user interface shows.

use std::sync::Arc;

use serde_json::json;

use crate::harness::{SmallApp, Stack};

/// The environments of an app reach the user interface: argocd-server asks the repo-server, which asks the sidecar.
pub fn environments_are_announced(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "parameters");
    app.repository().write("app/envs/prod/values.yaml", "{}\n");
    app.deploy();
    let server = stack.argocd.start_api_server();

    let address = app.repository().url();
    let repository = percent_encoding::utf8_percent_encode(&address, percent_encoding::NON_ALPHANUMERIC);
    let details = server.post(
        &format!("/api/v1/repositories/{repository}/appdetails"),
        &json!({
            "source": app.live()["spec"]["source"], "appName": app.name(), "appProject": app.name(),
            "sourceIndex": 0, "versionId": 0,
        }),
    );

    let details = details.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(details["type"], "Plugin", "{details}");
    let announced = &details["plugin"]["parametersAnnouncement"];
    assert_eq!(announced.as_array().map(Vec::len), Some(1), "{details}");
    assert_eq!(announced[0]["name"], "env", "{details}");
    assert_eq!(announced[0]["tooltip"], "one of dev, prod", "{details}");
    assert_eq!(announced[0]["required"], true, "{details}");
}
