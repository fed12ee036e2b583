//! Charts from repositories and registries, with the real Helm: access, credentials, digests, the cache, and attacks.

mod server;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sealwave_secrets::settings::ChartDigest;
use sealwave_testkit::skipped;
use sealwave_testkit::stub_server::StubServer;
use sealwave_testkit::tls::Authority;
use tempfile::TempDir;

use self::server::{ChartServer, Entry, archive, chart};
use crate::support::{MARKER, refused, sealwave, watched_output};

const USER: &str = "CANARY-user";
const PASSWORD: &str = "CANARY-password";

/// Returns the versions of Helm to test with.
#[expect(clippy::disallowed_methods, reason = "the variables name programs for tests")]
fn helms(test: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in ["SEALWAVE_TEST_HELM", "SEALWAVE_TEST_HELM4"] {
        match std::env::var_os(name).filter(|path| !path.is_empty()) {
            Some(path) => found.push(PathBuf::from(path)),
            None => {
                skipped(&format!(
                    "{name} is not set, so {test} was NOT tested with this Helm; see `.ci/run`"
                ));
            }
        }
    }
    found
}

/// An app with a chart from a repository, an operator file and a cache.
struct RemoteApp {
    top: TempDir,
    helm: PathBuf,
    /// The fields of the chart in the app file.
    source: String,
}

impl RemoteApp {
    fn new(helm: &Path, repository: &str, archive: &[u8]) -> Self {
        let source = format!(
            "chart: web\n    repository: {repository}\n    version: 1.2.3\n    digest: {}\n",
            ChartDigest::of(archive)
        );
        let app = Self { top: TempDir::new().unwrap(), helm: helm.to_owned(), source };
        app.write("operator/user", USER);
        app.write("operator/password", &format!("{PASSWORD}\n"));
        fs_err::create_dir_all(app.path("temporary")).unwrap();
        app.save();
        app.operator(&format!("{{url: {repository}}}"));
        app
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.top.path().join(relative)
    }

    fn write(&self, relative: &str, text: &str) {
        fs_err::create_dir_all(self.path(relative).parent().unwrap()).unwrap();
        fs_err::write(self.path(relative), text).unwrap();
    }

    fn save(&self) {
        self.write(
            "app/sealwave.yaml",
            &format!(
                "apiVersion: sealwave.dev/v1alpha1\nkind: App\nenvironments: {{dev: {{}}}}\nsources:\n- helm:\n    {}",
                self.source
            ),
        );
    }

    /// Replaces a text in the fields of the chart.
    fn replace(&mut self, from: &str, to: &str) {
        assert!(self.source.contains(from), "{}", self.source);
        self.source = self.source.replace(from, to);
        self.save();
    }

    fn operator(&self, repository: &str) {
        self.write(
            "operator/operator.yaml",
            &format!(
                "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\ntools: {{helm: {{path: {}}}}}\n\
                 charts:\n  cacheDirectory: cache\n  repositories:\n  - {repository}\n",
                self.helm.display()
            ),
        );
    }

    /// Returns a preview as an operator or a person with the operator file would start it.
    fn render(&self) -> Command {
        let mut command = self.desk();
        command.arg("--operator").arg(self.path("operator/operator.yaml"));
        command
    }

    /// Returns a preview without an operator file, with Helm on `PATH`.
    fn desk(&self) -> Command {
        let mut command = sealwave();
        command
            .arg("render")
            .arg(self.path("app"))
            .env("PATH", self.helm.parent().unwrap())
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("temporary"));
        command
    }

    /// Returns a preview as Argo CD would start it.
    fn sidecar(&self) -> Command {
        let mut command = self.desk();
        command
            .env("SEALWAVE_OPERATOR", self.path("operator/operator.yaml"))
            .env("ARGOCD_APP_NAME", "web")
            .env("ARGOCD_APP_PROJECT_NAME", "shop")
            .env("ARGOCD_APP_NAMESPACE", "shop");
        command
    }

    fn rendered(&self, command: &mut Command) -> String {
        let output = watched_output(command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {stderr}", self.helm.display());
        self.check_nothing_left();
        String::from_utf8(output.stdout).unwrap()
    }

    fn error(&self, command: &mut Command, what: &str) -> String {
        let error = refused(command, what);
        self.check_nothing_left();
        error
    }

    fn check_nothing_left(&self) {
        let entries = fs_err::read_dir(self.path("temporary")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let left: Vec<_> = names.filter(|name| name != "sealwave-charts").collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Returns the files of the cache.
    fn cached(&self) -> Vec<PathBuf> {
        let entries = fs_err::read_dir(self.path("operator/cache")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

/// The entry of the operator file for a repository with credentials.
fn with_credentials(url: &str) -> String {
    format!("{{url: {url}, usernameFile: user, passwordFile: password}}")
}

#[test]
fn a_chart_of_a_repository_is_downloaded_once() {
    for helm in helms("repository") {
        let archive = chart("kind: ConfigMap\nx: [");
        let bad = ChartServer::start(archive.clone(), None);
        let app = RemoteApp::new(&helm, &bad.repository(), &archive);
        let error = app.error(&mut app.render(), "a broken template");
        assert!(error.contains("web-1.2.3.tgz/templates/web.yaml"), "{error}");

        let archive = chart(server::CONFIG_MAP);
        let server = ChartServer::start(archive.clone(), None);
        let app = RemoteApp::new(&helm, &server.repository(), &archive);
        let first = app.rendered(&mut app.render());
        assert!(first.contains("name: app"), "{first}");
        assert_eq!(server.paths(), ["/charts/index.yaml", "/charts/files/web-1.2.3.tgz"]);
        assert_eq!(app.cached().len(), 1);
        // Without any network, and with the same output.
        assert_eq!(app.rendered(&mut app.render()), first);
        assert!(app.rendered(&mut app.sidecar()).contains("name: web"));
        assert_eq!(server.paths().len(), 2);
    }
}

#[test]
fn values_of_the_app_reach_the_chart() {
    for helm in helms("values") {
        let archive =
            chart("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: '{{ .Values.a }}'}\n");
        let server = ChartServer::start(archive.clone(), None);
        let mut app = RemoteApp::new(&helm, &server.repository(), &archive);
        app.replace("chart: web\n", "chart: web\n    valueFiles: ['values-{{env}}.yaml']\n");
        app.write("app/values-dev.yaml", "a: from-the-app\n");
        assert!(app.rendered(&mut app.render()).contains("a: from-the-app"));
    }
}

#[test]
fn credentials_reach_the_repository_and_nothing_else() {
    for helm in helms("credentials") {
        let archive = chart(server::CONFIG_MAP);
        let server = ChartServer::start(archive.clone(), Some((USER, PASSWORD)));
        let app = RemoteApp::new(&helm, &server.repository(), &archive);
        let error = app.error(&mut app.render(), "no credentials");
        assert!(error.contains("401"), "{error}");
        app.operator(&with_credentials(&server.repository()));
        app.rendered(&mut app.render());
        server.check_processes();
        // The cache needs no credentials, but the repository must still be allowed.
        fs_err::remove_file(app.path("operator/password")).unwrap();
        app.rendered(&mut app.render());
        app.operator("{url: https://charts.example.com}");
        let error = app.error(&mut app.render(), "no longer allowed");
        assert!(error.contains("is not allowed"), "{error}");
        app.operator(&with_credentials(&server.repository()));
        fs_err::remove_dir_all(app.path("operator/cache")).unwrap();
        let error = app.error(&mut app.render(), "no password");
        assert!(error.contains("cannot be read: file not found"), "{error}");
        // A wrong password is not shown either.
        app.write("operator/password", "CANARY-wrong");
        let error = app.error(&mut app.render(), "a wrong password");
        assert!(error.contains("401") && !error.contains(MARKER), "{error}");
    }
}

#[test]
fn a_registry_gets_a_token_for_credentials() {
    for helm in helms("registry") {
        let archive = chart(server::CONFIG_MAP);
        let server = ChartServer::start(archive.clone(), Some((USER, PASSWORD)));
        let app = RemoteApp::new(&helm, &server.registry(), &archive);
        let error = app.error(&mut app.render(), "no credentials");
        assert!(error.contains("401") || error.to_lowercase().contains("unauthorized"), "{error}");
        app.operator(&with_credentials(&server.registry()));
        assert!(app.rendered(&mut app.render()).contains("name: app"));
        server.check_processes();
        assert!(server.paths().iter().any(|path| path.starts_with("/token")), "{:?}", server.paths());
        let asked = server.paths().len();
        app.rendered(&mut app.render());
        assert_eq!(server.paths().len(), asked);
    }
}

#[test]
fn only_the_named_certificates_are_trusted() {
    for helm in helms("TLS") {
        let archive = chart(server::CONFIG_MAP);
        let authority = Authority::new();
        let server = ChartServer::start_tls(authority.server("127.0.0.1"), archive.clone());
        let app = RemoteApp::new(&helm, &server.repository(), &archive);
        let error = app.error(&mut app.render(), "an unknown authority");
        assert!(error.contains("certificate"), "{error}");
        app.write("operator/ca.pem", &authority.pem());
        app.operator(&format!("{{url: {}, caFile: ca.pem}}", server.repository()));
        app.rendered(&mut app.render());
    }
}

#[test]
fn paths_of_the_operator_file_are_relative_to_it() {
    for helm in helms("paths") {
        let archive = chart(server::CONFIG_MAP);
        let authority = Authority::new();
        let server = ChartServer::start_tls(authority.server("127.0.0.1"), archive.clone());
        let app = RemoteApp::new(&helm, &server.repository(), &archive);
        app.write("operator/ca.pem", &authority.pem());
        std::os::unix::fs::symlink(&helm, app.path("operator/helm")).unwrap();
        // A program of this name in the app is not started.
        app.write("app/helm", "#!/bin/sh\n");
        app.operator(&format!("{{url: {}, caFile: ca.pem}}", server.repository()));
        let operator = fs_err::read_to_string(app.path("operator/operator.yaml")).unwrap();
        app.write("operator/operator.yaml", &operator.replace(helm.to_str().unwrap(), "helm"));
        for (directory, operator) in [("operator", "operator.yaml"), ("", "operator/operator.yaml")] {
            let mut command = app.desk();
            command.current_dir(app.path(directory)).args(["--operator", operator]);
            app.rendered(&mut command);
        }
        assert_eq!((app.cached().len(), server.paths().len()), (1, 2));
    }
}

#[test]
fn a_digest_decides_about_the_content() {
    for helm in helms("digest") {
        let archive = chart(server::CONFIG_MAP);
        let other = chart("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n");
        let server = ChartServer::start(other.clone(), None);
        for repository in [server.repository(), server.registry()] {
            let mut app = RemoteApp::new(&helm, &repository, &archive);
            let error = app.error(&mut app.render(), "another content");
            assert!(error.contains(&format!("has the digest `{}`", ChartDigest::of(&other))), "{error}");
            assert!(app.cached().is_empty());

            let line = format!("    digest: {}\n", ChartDigest::of(&archive));
            app.replace(&line, "");
            let asked = server.paths().len();
            let error = app.error(&mut app.sidecar(), "no digest in Argo CD");
            assert!(error.contains("it has no `digest`") && !error.contains("sha256:"), "{error}");
            assert_eq!(server.paths().len(), asked, "nothing is downloaded");
            let error = app.error(&mut app.render(), "no digest");
            let line = format!("`digest: {}`", ChartDigest::of(&other));
            assert!(error.contains(&line), "{error}");
            app.replace("    version", &format!("    {}\n    version", line.trim_matches('`')));
            assert!(app.rendered(&mut app.render()).contains("name: other"));
        }
    }
}

#[test]
fn neither_the_app_nor_its_variables_allow_a_host() {
    for helm in helms("access") {
        let archive = chart(server::CONFIG_MAP);
        let server = ChartServer::start(archive.clone(), None);
        let app = RemoteApp::new(&helm, &server.repository(), &archive);
        app.operator("{url: https://charts.example.com}");
        let host = server.host();
        let line = format!("charts: {{repositories: [{{url: {}}}]}}", server.repository());
        let mut sidecar = app.sidecar();
        sidecar.env("ARGOCD_ENV_ALLOW_HOST", &host).env("ARGOCD_ENV_SEALWAVE_ALLOW_HOST", &host);
        let error = app.error(&mut sidecar, "the sidecar");
        assert!(error.contains("ask the operator") && error.contains(&line), "{error}");
        let error = app.error(app.sidecar().args(["--allow-host", &host]), "the flag in the sidecar");
        assert!(error.contains("`--allow-host` must not be used"), "{error}");
        let error = app.error(&mut app.desk(), "the desk");
        assert!(error.contains(&format!("`--allow-host {host}`")) && error.contains(&line), "{error}");
        let name = host.split(':').next().unwrap();
        app.error(app.desk().args(["--allow-host", name]), "another port");
        assert_eq!(server.paths(), [""; 0]);

        assert!(app.rendered(app.desk().args(["--allow-host", &host])).contains("name: app"));
        assert!(app.path("home/.cache/sealwave/charts").is_dir());
        let output = sealwave()
            .args(["validate", "--allow-host", &host])
            .arg(app.path("app"))
            .env("PATH", helm.parent().unwrap())
            .env("HOME", app.path("home"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn other_ports_are_not_reached() {
    for helm in helms("redirects") {
        let archive = chart(server::CONFIG_MAP);
        let other = StubServer::start(|_, _| server::reply(200, b"x".to_vec()));
        for (index_url, redirect) in
            [(format!("{}/web.tgz", other.address), None), (String::new(), Some(other.address.clone()))]
        {
            let server =
                ChartServer::start_with(archive.clone(), Some((USER, PASSWORD)), index_url, redirect);
            let app = RemoteApp::new(&helm, &server.repository(), &archive);
            app.operator(&with_credentials(&server.repository()));
            app.error(&mut app.render(), "another port");
            assert!(other.asked().is_empty());
        }
    }
}

#[test]
fn answers_are_limited() {
    for helm in helms("limits") {
        let large = vec![b'x'; 21 << 20];
        let server = ChartServer::start(large.clone(), None);
        let app = RemoteApp::new(&helm, &server.repository(), &large);
        let error = app.error(&mut app.render(), "a large archive");
        assert!(error.contains("wrote a file of more than 20 MiB"), "{error}");
        assert!(app.cached().is_empty());
        // An index or archive that is not what it should be.
        let server = StubServer::start(|_, _| server::reply(200, b"\x1b[31m: [".to_vec()));
        let app = RemoteApp::new(&helm, &server.address, &large);
        let error = app.error(&mut app.render(), "a broken index");
        assert!(!error.contains('\u{1b}'), "{error}");
        let server = StubServer::start(|_, _| server::reply(200, vec![b'x'; 1000]).cut(10));
        let app = RemoteApp::new(&helm, &server.address, &large);
        app.error(&mut app.render(), "a cut index");
        let server = ChartServer::start(b"not an archive".to_vec(), None);
        let app = RemoteApp::new(&helm, &server.repository(), b"not an archive");
        app.error(&mut app.render(), "not an archive");
    }
}

#[test]
fn a_slow_repository_ends_with_the_run() {
    for helm in helms("time") {
        let server = StubServer::start(|_, _| server::reply(200, Vec::new()).after(Duration::from_secs(20)));
        let app = RemoteApp::new(&helm, &server.address, b"");
        let operator = fs_err::read_to_string(app.path("operator/operator.yaml")).unwrap();
        app.write("operator/operator.yaml", &format!("{operator}deadlineSeconds: 1\n"));
        let started = std::time::Instant::now();
        let mut refs = sealwave();
        refs.arg("refs").arg(app.path("app")).arg("--operator").arg(app.path("operator/operator.yaml"));
        let error = refused(refs.env("TMPDIR", app.path("temporary")), "a slow repository");
        assert!(started.elapsed() < Duration::from_secs(15), "{error}");
        // The guard removes what the killed run left.
        let until = started + Duration::from_secs(15);
        while fs_err::read_dir(app.path("temporary")).unwrap().next().is_some()
            && std::time::Instant::now() < until
        {
            std::thread::sleep(Duration::from_millis(50));
        }
        app.check_nothing_left();
    }
}

#[test]
fn archives_read_nothing_outside() {
    for helm in helms("archives") {
        let secret =
            "{{ .Files.Get \"link\" }}{{ .Files.Get \"../outside\" }}{{ .Files.Get \"/etc/hostname\" }}";
        let template =
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: \"x{secret}x\"}}\n");
        for (entries, refused) in [
            (vec![Entry::link("web/link", "/etc/passwd")], false),
            (vec![Entry::hard_link("web/link", "/etc/passwd")], false),
            (vec![Entry::link("web/templates", "/etc")], false),
            (vec![Entry::file("web/../../outside", "CANARY")], true),
            (vec![Entry::file("../outside", "CANARY")], true),
            (vec![Entry::file("/outside", "CANARY")], true),
        ] {
            let files = [
                Entry::file("web/Chart.yaml", server::CHART),
                Entry::file("web/templates/a.yaml", &template),
            ];
            let archive = archive(&files.into_iter().chain(entries).collect::<Vec<_>>());
            let server = ChartServer::start(archive.clone(), None);
            let app = RemoteApp::new(&helm, &server.repository(), &archive);
            let output = watched_output(&mut app.render());
            let stdout = String::from_utf8_lossy(&output.stdout);
            assert!(!stdout.contains("root:"), "{stdout}");
            assert!(!refused || !output.status.success() || stdout.contains("a: xx"), "{stdout}");
            app.check_nothing_left();
            assert!(!app.path("outside").exists() && !app.path("temporary/outside").exists());
        }
    }
}

#[test]
fn runs_at_once_share_a_cache() {
    for helm in helms("runs at once") {
        let archive = chart(server::CONFIG_MAP);
        let server = ChartServer::start(archive.clone(), None);
        let app = RemoteApp::new(&helm, &server.repository(), &archive);
        let runs: Vec<_> = (0..4)
            .map(|_| {
                let mut command = app.render();
                command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        let outputs: Vec<_> = runs.into_iter().map(|run| run.wait_with_output().unwrap()).collect();
        for output in &outputs {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(output.stdout, outputs[0].stdout);
        }
        assert_eq!(app.cached().len(), 1);
        app.check_nothing_left();
    }
}

#[test]
fn a_poisoned_cache_is_replaced() {
    for helm in helms("cache") {
        let archive = chart(server::CONFIG_MAP);
        let server = ChartServer::start(archive.clone(), None);
        let app = RemoteApp::new(&helm, &server.repository(), &archive);
        let good = app.rendered(&mut app.render());
        let cached = app.cached();
        fs_err::write(&cached[0], chart("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: poison}\n"))
            .unwrap();
        let asked = server.paths().len();
        assert_eq!(app.rendered(&mut app.render()), good);
        assert_eq!(server.paths().len(), asked + 2, "it is downloaded again");
        assert_eq!(fs_err::read(&cached[0]).unwrap(), archive);
        // A cache that cannot be written costs a download.
        fs_err::remove_dir_all(app.path("operator/cache")).unwrap();
        app.write("operator/cache", "");
        assert_eq!(app.rendered(&mut app.render()), good);
    }
}

#[test]
fn settings_that_do_not_go_together_are_refused_at_their_place() {
    // Needs no Helm: nothing is started.
    let mut app = RemoteApp::new(Path::new("/nonexistent/helm"), "https://charts.example.com", b"");
    let good = app.source.clone();
    for (from, to, message, line) in [
        ("chart: web", "chart: -x", "`chart` is not the name of a chart", 6),
        ("chart: web", "chart: --post-renderer=/bin/sh", "`chart` is not the name of a chart", 6),
        ("chart: web", "chart: ../x", "`chart` is not the name of a chart", 6),
        ("chart: web", "chart: \"a\\nb\"", "`chart` is not the name of a chart", 6),
        ("chart: web", "chart: oci://evil.example/x", "`chart` is not the name of a chart", 6),
        ("chart: web\n", "\n", "`chart` is not the name of a chart", 5),
        ("    version: 1.2.3\n", "", "`repository` is given without `version`", 7),
        ("version: 1.2.3", "version: ^1.2.3", "expected an exact version", 8),
        ("version: 1.2.3", "version: latest", "expected an exact version", 8),
        ("https://charts", "https://CANARY:CANARY@charts", "expected a URL such as", 7),
        ("charts.example.com", "charts.example.com/%2e%2e/x", "expected a URL such as", 7),
        ("    repository: https://charts.example.com\n", "", "`version` is given without `repository`", 7),
        ("digest: sha256:", "digest: sha1:", "expected `sha256:` and 64 hexadecimal digits", 9),
    ] {
        app.source.clone_from(&good);
        app.replace(from, to);
        let error = refused(&mut app.desk(), to);
        assert!(error.contains(message), "{to}: {error}");
        assert!(error.contains(&format!("sealwave.yaml:{line}:")), "{to}: {error}");
    }
}

#[test]
fn check_examines_the_repositories() {
    let app = RemoteApp::new(Path::new("/nonexistent/helm"), "https://charts.example.com", b"");
    let check = |app: &RemoteApp, args: &[&str]| {
        let mut command = sealwave();
        command.current_dir(app.path("operator")).args(["check", "--operator", "operator.yaml"]).args(args);
        let output = watched_output(&mut command);
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    let report = check(&app, &[]);
    assert!(
        report.contains("ok: repository of charts `https://charts.example.com`, not contacted"),
        "{report}"
    );
    assert!(report.contains("cache` is not a directory"), "{report}");
    for (repository, message) in [
        (
            "{url: https://a.example, usernameFile: user, passwordFile: missing}",
            "`missing` cannot be read: file not found",
        ),
        ("{url: https://a.example, caFile: missing}", "`missing` cannot be read: file not found"),
        ("{url: https://a.example, usernameFile: user}", "`usernameFile` is given without `passwordFile`"),
        ("{url: https://a.example, passwordFile: user}", "`passwordFile` is given without `usernameFile`"),
        ("{url: http://a.example, usernameFile: user, passwordFile: user}", "would be sent without TLS"),
        ("{url: https://a.example}\n  - {url: https://A.example:443/}", "is listed twice"),
        ("{url: https://CANARY@a.example}", "expected a URL such as"),
    ] {
        app.operator(repository);
        let report = check(&app, &[]);
        assert!(report.contains(message) && report.contains("operator.yaml:"), "{repository}: {report}");
    }
    for helm in helms("check --connect") {
        let server = ChartServer::start(chart(server::CONFIG_MAP), Some((USER, PASSWORD)));
        let app = RemoteApp::new(&helm, &server.repository(), b"");
        let report = check(&app, &["--connect"]);
        assert!(report.contains("cannot be used") && report.contains("401"), "{report}");
        app.operator(&with_credentials(&server.repository()));
        let report = check(&app, &["--connect"]);
        assert!(report.contains(&format!("`{}`, index fetched", server.repository())), "{report}");
    }
}
