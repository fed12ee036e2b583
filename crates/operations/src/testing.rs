//! A stub of the API server for tests of this crate, with a kubeconfig for it.

use std::time::{Duration, Instant};

use serde_json::json;

use sealwave_providers::{ClusterAccess, ClusterClient};
use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};

/// A stub of the API server.
pub(crate) struct StubCluster {
    pub(crate) server: StubServer,
    pub(crate) access: ClusterAccess,
    _directory: tempfile::TempDir,
}

impl StubCluster {
    /// Starts a stub that answers like this.
    pub(crate) fn start(
        answer: impl Fn(&RecordedRequest, usize) -> StubReply + Send + Sync + 'static,
    ) -> Self {
        let server = StubServer::start(answer);
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("kubeconfig");
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": server.address}}],
            "users": [{"name": "u", "user": {"token": "CANARY"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        });
        fs_err::write(&file, kubeconfig.to_string()).expect("written");
        let access = ClusterAccess { kubeconfigs: vec![file], context: None };
        Self { server, access, _directory: directory }
    }

    /// Logs in for a minute.
    pub(crate) fn connect(&self) -> ClusterClient {
        self.connect_for(Duration::from_mins(1))
    }

    /// Logs in for some time.
    pub(crate) fn connect_for(&self, time: Duration) -> ClusterClient {
        self.access.connect(Instant::now() + time).expect("a client")
    }
}

/// Returns the contents of a file of the keys and certificates for tests.
pub(crate) fn sealed_secrets_file(name: &str) -> String {
    let path = sealwave_testkit::repository_root().join("testdata/sealed-secrets").join(name);
    fs_err::read_to_string(path).expect("readable")
}
