//! Fetches secrets from services that take 20 ms per call, and from the same services without latency.
//!
//! The second is the cost of a fetch itself: runtime, connections, login, parsing. The difference, in units of the
//! latency, is the number of sequential calls: one if all of them are concurrent.
//!
//! `cargo bench --bench providers` prints the best of several alternating rounds. It asserts nothing.

#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use sealwave_providers::{AppDetails, ProtectedFiles, ProviderConfig, ProviderRegistry};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::policy::PolicySubject;
use sealwave_testkit::aws_config::{BehaviorVersion, Region};
use sealwave_testkit::aws_stub::AwsStub;
use sealwave_testkit::stub_server::StubServer;
use tempfile::TempDir;

const LATENCY: Duration = Duration::from_millis(20);
const ROUNDS: usize = 15;

/// The cases: a kind, the number of secrets, and the calls needed.
const CASES: [(&str, usize, &str); 10] = [
    ("aws-sm", 1, "1 call"),
    ("aws-sm", 5, "1 batch"),
    ("aws-sm", 20, "1 batch"),
    ("aws-ssm", 1, "1 batch"),
    ("aws-ssm", 10, "1 batch"),
    ("aws-ssm", 20, "2 batches at once"),
    ("vault", 1, "1 call"),
    ("vault", 20, "20 calls at once"),
    ("k8s", 1, "1 call"),
    ("k8s", 20, "20 calls at once"),
];

/// Distinguishes the child, which has credentials in its environment, from its parent.
const CHILD: &str = "SEALWAVE_BENCH_CHILD";

fn main() {
    #[expect(clippy::disallowed_methods, reason = "distinguishes the child from the parent")]
    if std::env::var_os(CHILD).is_some() {
        return compare();
    }
    let child = std::env::current_exe().expect("this benchmark");
    let status = std::process::Command::new(child)
        .env(CHILD, "1")
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "example")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .status()
        .expect("the child starts");
    assert!(status.success(), "the child failed");
}

fn compare() {
    println!("one call takes {} ms; best of {ROUNDS} rounds", LATENCY.as_millis());
    println!("{:<42} {:>9} {:>9} {:>18}", "fetch", "0 ms", "20 ms", "(20 ms - 0 ms)/20");
    let (quick, slow) = (Services::start(Duration::ZERO), Services::start(LATENCY));
    for (kind, secrets, calls) in CASES {
        let fetch = |services: &Services| {
            let (references, providers) = (references(kind, secrets), services.providers(kind));
            move || {
                let fetched = providers.fetch(&references, Instant::now() + Duration::from_secs(30));
                let found = fetched.values().filter(|answer| answer.is_ok()).count();
                assert_eq!(found, secrets, "a value is missing");
            }
        };
        row(&format!("{kind}, {secrets} secrets, {calls}"), fetch(&quick), fetch(&slow));
    }
    let bare = |services: &Services| {
        let endpoint = services.aws.endpoint.clone();
        move || bare_call(&endpoint, 20)
    };
    row("the SDK alone, 20 secrets, 1 batch", bare(&quick), bare(&slow));
}

/// Prints the best times of both, and their difference in latencies.
fn row(what: &str, quick: impl Fn(), slow: impl Fn()) {
    let (mut without, mut with) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        without = without.min(time(&quick));
        with = with.min(time(&slow));
    }
    let latencies = (with.as_secs_f64() - without.as_secs_f64()) / LATENCY.as_secs_f64();
    println!("{what:<42} {:>9.1} {:>9.1} {latencies:>18.2}", millis(without), millis(with));
}

/// Stubs of all services with the same latency per call.
struct Services {
    aws: AwsStub,
    http: StubServer,
    operator: TempDir,
}

impl Services {
    fn start(latency: Duration) -> Self {
        let text = |name: &str| format!("{{\"password\": \"of {name}\"}}");
        let aws = AwsStub::start(move |asked, _| {
            sealwave_testkit::aws_stub::AwsReply::Later(
                latency,
                Box::new(sealwave_testkit::aws_stub::answer_with(text, asked)),
            )
        });
        let http = StubServer::start(move |asked, _| {
            let body = if asked.target.starts_with("/api/") {
                r#"{"kind":"Secret","type":"Opaque","data":{"password":"b2Yga3M="}}"#
            } else {
                r#"{"data":{"data":{"password":"of vault"},"metadata":{"version":1}}}"#
            };
            sealwave_testkit::stub_server::StubReply::json(200, body).after(latency)
        });
        let operator = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: String| {
            fs_err::write(operator.path().join(name), text).expect("written");
        };
        write("token", "token".to_owned());
        let server = &http.address;
        write(
            "kubeconfig",
            format!(
                "{{apiVersion: v1, kind: Config, current-context: c, clusters: [{{name: c, cluster: {{server: '{server}'}}}}], \
                 users: [{{name: u, user: {{token: token}}}}], contexts: [{{name: c, context: {{cluster: c, user: u}}}}]}}"
            ),
        );
        Self { aws, http, operator }
    }

    fn providers(&self, kind: &str) -> ProviderRegistry {
        let (aws, http) = (&self.aws.endpoint, &self.http.address);
        let settings = match kind {
            "k8s" => "kind: k8s, namespace: shop, kubeconfig: kubeconfig".to_owned(),
            "vault" => format!(
                "kind: vault, address: '{http}', mounts: {{secret: 2}}, auth: {{token: {{file: token}}}}"
            ),
            aws_kind => format!("kind: {aws_kind}, region: eu-west-1, endpointUrl: '{aws}'"),
        };
        let config: ProviderConfig = yaml_serde::from_str(&format!("{{{settings}}}")).expect("settings");
        let config = BTreeMap::from([(kind.to_owned(), config)]);
        let app =
            AppDetails { directory: ".".into(), boundary: ".".into(), subject: PolicySubject::default() };
        let operator: &Path = self.operator.path();
        ProviderRegistry::new(&config, operator, &ProtectedFiles::default(), &app, |_| None)
            .expect("valid settings")
    }
}

fn references(kind: &str, secrets: usize) -> Vec<SecretReference> {
    let path = |n| match kind {
        "k8s" => format!("db-{n:02}"),
        "vault" => format!("secret/db-{n:02}"),
        _ => format!("/db-{n:02}"),
    };
    let reference = |n| SecretReference {
        provider: kind.into(),
        path: path(n),
        key: Some("password".to_owned()),
        version: None,
        all_keys: false,
    };
    (0..secrets).map(reference).collect()
}

/// Makes one `BatchGetSecretValue` call without sealwave's code.
fn bare_call(endpoint: &str, secrets: usize) {
    let runtime = sealwave_testkit::tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let config = sealwave_testkit::aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("eu-west-1"))
            .endpoint_url(endpoint)
            .http_client(sealwave_testkit::aws_smithy_http_client::Builder::new().build_http())
            .load()
            .await;
        let ids = (0..secrets).map(|n| format!("/db-{n:02}")).collect();
        let call = sealwave_testkit::aws_sdk_secretsmanager::Client::new(&config).batch_get_secret_value();
        let answer = call.set_secret_id_list(Some(ids)).send().await.expect("an answer");
        assert_eq!(answer.secret_values().len(), secrets, "a value is missing");
    });
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
