//! A server that is a repository of charts and a registry at once, with one chart, and archives of charts.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sealwave_core::sha256_hex;
use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};
use serde_json::json;

pub(super) const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\n";
pub(super) const CONFIG_MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}'}\ndata: {a: b}\n";

/// An entry of an archive.
pub(super) struct Entry {
    path: String,
    kind: u8,
    target: String,
    content: String,
}

impl Entry {
    pub(super) fn file(path: &str, content: &str) -> Self {
        Self { path: path.to_owned(), kind: b'0', target: String::new(), content: content.to_owned() }
    }

    pub(super) fn hard_link(path: &str, target: &str) -> Self {
        Self { kind: b'1', target: target.to_owned(), ..Self::file(path, "") }
    }

    pub(super) fn link(path: &str, target: &str) -> Self {
        Self { kind: b'2', target: target.to_owned(), ..Self::file(path, "") }
    }
}

/// Returns a compressed archive of these entries, whatever they are.
pub(super) fn archive(entries: &[Entry]) -> Vec<u8> {
    const BLOCK: usize = 512;

    let mut tar = Vec::new();
    for entry in entries {
        let mut header = [0_u8; BLOCK];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, entry.path.as_bytes());
        put(100, b"0000644\0");
        put(124, format!("{:011o}\0", entry.content.len()).as_bytes());
        put(136, b"00000000000\0");
        put(148, b"        ");
        put(156, &[entry.kind]);
        put(157, entry.target.as_bytes());
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend(header);
        tar.extend(entry.content.as_bytes());
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&tar).unwrap();
    encoder.finish().unwrap()
}

/// Returns the archive of a chart with one template.
pub(super) fn chart(template: &str) -> Vec<u8> {
    archive(&[Entry::file("web/Chart.yaml", CHART), Entry::file("web/templates/web.yaml", template)])
}

pub(super) fn reply(status: u16, body: Vec<u8>) -> StubReply {
    StubReply::json(status, body).header("Content-Type", "application/octet-stream")
}

/// The answers of the server.
struct Answers {
    archive: Vec<u8>,
    credentials: Option<String>,
    /// The URL of the archive in the index; relative by default.
    index_url: String,
    /// The target of requests for the archive.
    redirect: Option<String>,
    /// Command lines and environments of processes in which credentials were found.
    revealed: Mutex<Vec<String>>,
}

/// The server.
pub(super) struct ChartServer {
    stub: StubServer,
    answers: Arc<Answers>,
}

impl ChartServer {
    pub(super) fn start(archive: Vec<u8>, credentials: Option<(&str, &str)>) -> Self {
        Self::start_with(archive, credentials, String::new(), None)
    }

    pub(super) fn start_with(
        archive: Vec<u8>,
        credentials: Option<(&str, &str)>,
        index_url: String,
        redirect: Option<String>,
    ) -> Self {
        let answers = Arc::new(Answers::new(archive, credentials, index_url, redirect));
        let for_server = Arc::clone(&answers);
        Self { stub: StubServer::start(move |request, _| for_server.answer(request)), answers }
    }

    pub(super) fn start_tls(tls: Arc<sealwave_testkit::rustls::ServerConfig>, archive: Vec<u8>) -> Self {
        let answers = Arc::new(Answers::new(archive, None, String::new(), None));
        let for_server = Arc::clone(&answers);
        Self { stub: StubServer::start_tls(tls, move |request, _| for_server.answer(request)), answers }
    }

    pub(super) fn repository(&self) -> String {
        format!("{}/charts", self.stub.address)
    }

    pub(super) fn registry(&self) -> String {
        format!("oci://{}/charts", self.host())
    }

    pub(super) fn host(&self) -> String {
        self.stub.address.split_once("://").unwrap().1.to_owned()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.stub.asked().into_iter().map(|asked| asked.target).collect()
    }

    /// Checks that no process had credentials in its arguments or environment while it asked.
    pub(super) fn check_processes(&self) {
        assert!(self.stub.asked().iter().any(|asked| asked.header("authorization").is_some()));
        assert_eq!(*self.answers.revealed.lock().unwrap(), [""; 0]);
    }
}

impl Answers {
    fn new(
        archive: Vec<u8>,
        credentials: Option<(&str, &str)>,
        index_url: String,
        redirect: Option<String>,
    ) -> Self {
        let credentials = credentials
            .map(|(user, password)| format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
        let index_url = if index_url.is_empty() { "files/web-1.2.3.tgz".to_owned() } else { index_url };
        Self { archive, credentials, index_url, redirect, revealed: Mutex::default() }
    }

    fn answer(&self, request: &RecordedRequest) -> StubReply {
        if let Some(credentials) = &self.credentials {
            self.search_processes(credentials.trim_start_matches("Basic "));
        }
        let path = request.target.split('?').next().unwrap();
        let is_known =
            |expected: Option<&str>| expected.is_none() || request.header("authorization") == expected;
        if path.starts_with("/v2/") {
            let token = self.credentials.as_ref().map(|_| "Bearer token");
            if is_known(token) { self.registry(path) } else { challenge(request) }
        } else if !is_known(self.credentials.as_deref()) {
            reply(401, Vec::new())
        } else if path == "/token" {
            reply(200, br#"{"token":"token"}"#.to_vec())
        } else if path == "/charts/index.yaml" {
            reply(200, self.index().into_bytes())
        } else if let Some(redirect) = &self.redirect {
            reply(302, Vec::new()).header("Location", format!("{redirect}/web.tgz"))
        } else {
            reply(200, self.archive.clone())
        }
    }

    fn index(&self) -> String {
        format!(
            "apiVersion: v1\nentries:\n  web:\n  - {{apiVersion: v2, name: web, version: 1.2.3, digest: {}, urls: ['{}']}}\n",
            sha256_hex(&self.archive),
            self.index_url
        )
    }

    fn registry(&self, path: &str) -> StubReply {
        let config = br#"{"apiVersion":"v2","name":"web","version":"1.2.3"}"#;
        let blob = |bytes: &[u8]| format!("sha256:{}", sha256_hex(bytes));
        if path.contains("/manifests/") {
            let kind = "application/vnd.oci.image.manifest.v1+json";
            let manifest = json!({
                "schemaVersion": 2,
                "mediaType": kind,
                "config": {
                    "mediaType": "application/vnd.cncf.helm.config.v1+json",
                    "digest": blob(config),
                    "size": config.len(),
                },
                "layers": [{
                    "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
                    "digest": blob(&self.archive),
                    "size": self.archive.len(),
                }],
            });
            let manifest = manifest.to_string().into_bytes();
            let digest = blob(&manifest);
            return reply(200, manifest).header("Content-Type", kind).header("Docker-Content-Digest", digest);
        }
        if path.ends_with(&blob(config)) {
            reply(200, config.to_vec())
        } else {
            reply(200, self.archive.clone())
        }
    }

    /// Searches the processes that run now.
    fn search_processes(&self, encoded: &str) {
        let decoded = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
        let (user, password) = decoded.split_once(':').unwrap();
        for process in fs_err::read_dir("/proc").unwrap().flatten() {
            for file in ["cmdline", "environ"] {
                let text = fs_err::read(process.path().join(file)).unwrap_or_default();
                let text = String::from_utf8_lossy(&text).into_owned();
                if [user, password, encoded].iter().any(|part| text.contains(part)) {
                    self.revealed.lock().unwrap().push(text);
                }
            }
        }
    }
}

fn challenge(request: &RecordedRequest) -> StubReply {
    let realm = format!("http://{}/token", request.header("host").unwrap());
    reply(401, b"{}".to_vec())
        .header("WWW-Authenticate", format!("Bearer realm=\"{realm}\",service=\"registry\""))
}
