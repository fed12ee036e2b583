//! Fetching secrets from a service that takes 20 ms per call, beside the bare SDK call and the latency itself.
//!
//! `cargo bench --bench providers` prints the best of several rounds that take turns. It asserts nothing.

#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

#[path = "../tests/support/aws_stub.rs"]
mod aws_stub;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region};
use aws_stub::{Reply, Stub, answer_with};
use sealwave::model::{AwsSettings, ProviderConfig, Reference};
use sealwave::providers::{AppFiles, Providers};

const LATENCY: Duration = Duration::from_millis(20);
const ROUNDS: usize = 15;

/// Tells the child, which has credentials in its environment, from its parent.
const CHILD: &str = "SEALWAVE_BENCH_CHILD";

fn main() {
    #[expect(clippy::disallowed_methods, reason = "tells the child from the parent")]
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
    let text = |name: &str| format!("{{\"password\": \"of {name}\"}}");
    let stub = Stub::start(move |asked, _| Reply::Later(LATENCY, Box::new(answer_with(text, asked))));
    println!("one call takes {} ms; best of {ROUNDS} rounds", LATENCY.as_millis());
    println!("{:<26} {:>9} {:>9} {:>9} {:>9}", "fetch", "fetch ms", "SDK ms", "/ latency", "/ SDK");
    for (kind, secrets) in
        [("aws-sm", 1_usize), ("aws-sm", 5), ("aws-sm", 20), ("aws-ssm", 10), ("aws-ssm", 20)]
    {
        let references = references(kind, secrets);
        let providers = providers(kind, &stub.endpoint);
        let (mut fetch, mut bare) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            fetch = fetch.min(time(|| {
                let fetched = providers.fetch(&references, Instant::now() + Duration::from_secs(30));
                assert!(
                    fetched.values().all(Result::is_ok) && fetched.len() == secrets,
                    "a value is missing"
                );
            }));
            bare = bare.min(time(|| bare_call(&stub.endpoint, secrets)));
        }
        println!(
            "{:<26} {:>9.1} {:>9.1} {:>9.2} {:>9.2}",
            format!("{kind}, {secrets} secrets"),
            millis(fetch),
            millis(bare),
            fetch.as_secs_f64() / LATENCY.as_secs_f64(),
            fetch.as_secs_f64() / bare.as_secs_f64()
        );
    }
}

fn references(kind: &str, secrets: usize) -> Vec<Reference> {
    let reference = |n| Reference {
        provider: kind.into(),
        path: format!("/db-{n:02}"),
        key: Some("password".to_owned()),
        version: None,
    };
    (0..secrets).map(reference).collect()
}

fn providers(kind: &str, endpoint: &str) -> Providers {
    let settings = AwsSettings {
        region: Some("eu-west-1".to_owned()),
        endpoint_url: Some(endpoint.to_owned()),
        ..AwsSettings::default()
    };
    let config = match kind {
        "aws-ssm" => ProviderConfig::AwsSsm(settings),
        _ => ProviderConfig::AwsSm(settings),
    };
    let app = AppFiles { directory: PathBuf::from("."), boundary: PathBuf::from(".") };
    Providers::new(&BTreeMap::from([(kind.to_owned(), config)]), Path::new("."), &[], &app, |_| None)
        .expect("valid settings")
}

/// One `BatchGetSecretValue` without TLS, a policy, or anything of sealwave's.
fn bare_call(endpoint: &str, secrets: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("eu-west-1"))
            .endpoint_url(endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .load()
            .await;
        let ids = (0..secrets).map(|n| format!("/db-{n:02}")).collect();
        let call = aws_sdk_secretsmanager::Client::new(&config).batch_get_secret_value();
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
