//! Two repo-servers, each with a sidecar of its own, as in an installation for high availability.

use std::sync::Arc;

use super::steady::refresh_without_difference;
use crate::harness::{Refresh, RoundRobin, Sidecar, SidecarOptions, SmallApp, Stack, copy_tree};

/// Both render the same: whichever one is asked, Argo CD finds no difference.
pub fn same_output(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "two-repo-servers");
    let second = stack.argocd.start_second_repo_server();
    let options = SidecarOptions {
        home: "second-two-repo-servers",
        sockets: second.sockets().to_owned(),
        ..SidecarOptions::new(stack, app.name())
    };
    let sidecar = Sidecar::start_with(stack, app.name(), &options);
    copy_tree(&app.sidecar().operator_directory(), &sidecar.operator_directory());
    let proxy = RoundRobin::start(&[stack.argocd.repo_server_port(), second.port()]);
    let redirection = stack.argocd.redirect_controller(proxy.port());

    app.deploy();
    // Only hard ones: alternating with normal ones, all would meet the same server.
    refresh_without_difference(stack, &app, &[Refresh::Hard; 20]);

    second.check_running();
    for log in ["sidecar-two-repo-servers", "sidecar-second-two-repo-servers"] {
        let calls = stack.argocd.log(log).matches("\"grpc.method\":\"GenerateManifest\"").count();
        assert!(calls >= 8, "{log} was asked {calls} times; connections: {:?}", proxy.connections());
    }
    drop(redirection);
}
