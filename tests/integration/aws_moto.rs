//! Tests of the AWS providers with the emulator moto, through the real SDK and the binary: `.ci/moto cargo test --test integration aws_moto::`.
//!
//! Without an emulator's address in `SEALWAVE_MOTO`, each test reports that it was skipped.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::golden::{check_golden, needs_aws};
use crate::support::small_app::{SmallApp, item};
use crate::support::{MARKER, cases, copy_tree, find_marker, objects, root, sealwave};
use sealwave_secrets::SealingScope;
use sealwave_testkit::aws_config::{BehaviorVersion, Region, SdkConfig};
use sealwave_testkit::aws_sdk_secretsmanager::primitives::Blob;
use sealwave_testkit::aws_sdk_ssm::types::ParameterType;
use sealwave_testkit::{DangerPrivateKey, danger_unseal, skipped};

const JSON: &str = "{\"user\": \"CANARY u\", \"nested\": {\"password\": \"p@ss:CANARY\"}, \"port\": 5432, \"on\": true, \
                    \"float\": 1.10, \"big\": 1234567890123456789012, \"a.b\": \"dotted\"}";
const PROPERTIES: &str = "# CANARY\nuser=shop\npassword=a\\=b\n";
const BINARY: &[u8] = b"\0CANARY\xff\0\x01\n";
const UTF8: &str = "\u{1f512} CANARY \u{10ffff} \u{e4}";
const TEXT: &str = "CANARY <aws-sm:x#y> <env:HOME> {{ a }} {{{b}}} $HOME ${x} %s `c` !d\r\n---\n- y: on\n";

fn endpoint() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the caller passes the emulator's address")]
    let endpoint = std::env::var("SEALWAVE_MOTO").ok();
    if endpoint.is_none() {
        skipped("SEALWAVE_MOTO does not say where an emulator is; run it with `.ci/moto`");
    }
    endpoint
}

async fn config(endpoint: &str, region: &str) -> SdkConfig {
    let credentials =
        sealwave_testkit::aws_sdk_sts::config::Credentials::new("AKIAMOTO", "moto", None, None, "test");
    sealwave_testkit::aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(region.to_owned()))
        .endpoint_url(endpoint)
        .http_client(sealwave_testkit::aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(credentials)
        .load()
        .await
}

/// Creates the secrets, and returns the ARN of the JSON secret and the two version ids of another secret.
async fn fill(endpoint: &str) -> (String, [String; 2]) {
    let client = sealwave_testkit::aws_sdk_secretsmanager::Client::new(&config(endpoint, "eu-west-1").await);
    let large = large();
    for (name, text) in [
        ("properties", PROPERTIES),
        ("utf8", UTF8),
        ("text", TEXT),
        ("large", &large),
        ("versions", "CANARY old"),
    ] {
        client.create_secret().name(format!("app/{name}")).secret_string(text).send().await.unwrap();
    }
    client.create_secret().name("app/binary").secret_binary(Blob::new(BINARY)).send().await.unwrap();
    let json = client.create_secret().name("app/json").secret_string(JSON).send().await.unwrap();
    let old = client.get_secret_value().secret_id("app/versions").send().await.unwrap();
    let new = client.put_secret_value().secret_id("app/versions").secret_string("CANARY new");
    let new = new.send().await.unwrap();

    let other = sealwave_testkit::aws_sdk_secretsmanager::Client::new(&config(endpoint, "us-east-1").await);
    other.create_secret().name("app/json").secret_string("{\"user\": \"CANARY us\"}").send().await.unwrap();

    let client = sealwave_testkit::aws_sdk_ssm::Client::new(&config(endpoint, "eu-west-1").await);
    for (name, kind, text) in [
        ("string", ParameterType::String, "CANARY string\n"),
        ("secure", ParameterType::SecureString, TEXT),
        ("list", ParameterType::StringList, "CANARY a,b,c"),
        ("versions", ParameterType::SecureString, "CANARY one"),
        ("json", ParameterType::SecureString, JSON),
    ] {
        client.put_parameter().name(format!("/app/{name}")).r#type(kind).value(text).send().await.unwrap();
    }
    let second = client.put_parameter().name("/app/versions").value("CANARY two").overwrite(true);
    second.send().await.unwrap();
    let label = client.label_parameter_version().name("/app/versions").parameter_version(1).labels("blue");
    label.send().await.unwrap();
    (json.arn.unwrap(), [old.version_id.unwrap(), new.version_id.unwrap()])
}

fn large() -> String {
    "CANARY 0123456789 ".chars().cycle().take(65536).collect()
}

/// Returns item keys with their placeholders and expected values.
fn expectations(arn: &str, version: &str) -> BTreeMap<String, (String, Vec<u8>)> {
    let large = large();
    let cases: Vec<(String, &[u8])> = vec![
        ("<aws-sm:app/json#user>".into(), b"CANARY u"),
        ("<aws-sm:app/json#nested.password>".into(), b"p@ss:CANARY"),
        ("<aws-sm:app/json#port>".into(), b"5432"),
        ("<aws-sm:app/json#on>".into(), b"true"),
        ("<aws-sm:app/json#float>".into(), b"1.10"),
        ("<aws-sm:app/json#big>".into(), b"1234567890123456789012"),
        ("<aws-sm:app/json#a.b>".into(), b"dotted"),
        ("<aws-sm:app/json>".into(), JSON.as_bytes()),
        (
            "postgresql://<aws-sm:app/json#user | urlencode>:<aws-sm:app/json#nested.password | urlencode>@db:<aws-sm:app/json#port>/x"
                .into(),
            b"postgresql://CANARY%20u:p%40ss%3ACANARY@db:5432/x",
        ),
        (format!("<aws-sm:{arn}#user>"), b"CANARY u"),
        ("<aws-us:app/json#user>".into(), b"CANARY us"),
        ("<aws-role:app/json#port>".into(), b"5432"),
        ("<aws-sm:app/properties>".into(), PROPERTIES.as_bytes()),
        ("<aws-sm:app/binary>".into(), BINARY),
        ("<aws-sm:app/large>".into(), large.as_bytes()),
        ("<aws-sm:app/utf8>".into(), UTF8.as_bytes()),
        ("<aws-sm:app/text>".into(), TEXT.as_bytes()),
        ("<aws-sm:app/versions>".into(), b"CANARY new"),
        ("<aws-sm:app/versions##AWSCURRENT>".into(), b"CANARY new"),
        ("<aws-sm:app/versions##AWSPREVIOUS>".into(), b"CANARY old"),
        (format!("<aws-sm:app/versions##{version}>"), b"CANARY old"),
        ("<aws-ssm:/app/string>".into(), b"CANARY string\n"),
        ("<aws-ssm:/app/secure>".into(), TEXT.as_bytes()),
        ("<aws-ssm:/app/list>".into(), b"CANARY a,b,c"),
        ("<aws-ssm:/app/json#nested.password>".into(), b"p@ss:CANARY"),
        ("<aws-ssm:/app/versions>".into(), b"CANARY two"),
        ("<aws-ssm:/app/versions##1>".into(), b"CANARY one"),
        ("<aws-ssm:/app/versions##blue>".into(), b"CANARY one"),
        ("<aws-sm:app/missing | default \"none\">".into(), b"none"),
    ];
    let number =
        |(index, (text, value)): (usize, (String, &[u8]))| (format!("i{index}"), (text, value.to_vec()));
    cases.into_iter().enumerate().map(number).collect()
}

fn app(endpoint: &str) -> SmallApp {
    let app = SmallApp::new();
    app.write("aws/config", "[profile moto]\nregion = eu-west-1\n[profile us]\nregion = us-east-1\n");
    let keys = "aws_access_key_id = AKIACANARY\naws_secret_access_key = CANARY\n";
    app.write("aws/credentials", &format!("[moto]\n{keys}[us]\n{keys}"));
    app.write(
        "operator/operator.yaml",
        &format!(
            "apiVersion: sealwave.dev/v1alpha1
kind: Operator
sealKeyFile: seal-key
audit: {{file: audit.jsonl}}
clusters: {{dev: {{certificate: {{file: dev.pem, allowExpired: true}}}}}}
providers:
  aws-sm: {{kind: aws-sm, profile: moto, endpointUrl: '{endpoint}'}}
  aws-ssm: {{kind: aws-ssm, profile: moto, endpointUrl: '{endpoint}'}}
  aws-us: {{kind: aws-sm, profile: us, endpointUrl: '{endpoint}'}}
  aws-role:
    kind: aws-sm
    region: eu-west-1
    profile: moto
    endpointUrl: '{endpoint}'
    assumeRole: {{roleArn: 'arn:aws:iam::123456789012:role/reader', externalId: shop-1, endpointUrl: '{endpoint}'}}
policy: [{{projects: ['*'], allow: ['aws-*:**']}}]
"
        ),
    );
    app
}

fn generate(app: &SmallApp) -> (bool, Vec<u8>, String) {
    let output = sealwave()
        .args(app.args())
        .env("AWS_CONFIG_FILE", app.path("aws/config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", app.path("aws/credentials"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("RUST_LOG", "trace")
        .output()
        .unwrap();
    for bytes in [&output.stdout, &output.stderr] {
        assert_eq!(find_marker(bytes, MARKER), None, "{}", String::from_utf8_lossy(bytes));
    }
    (output.status.success(), output.stdout, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn values_are_exact_with_the_real_sdk() {
    let Some(endpoint) = endpoint() else { return };
    let runtime =
        sealwave_testkit::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (arn, [old, new]) = runtime.block_on(fill(&endpoint));
    let expected = expectations(&arn, &old);
    let app = app(&endpoint);
    let items: Vec<String> = expected
        .iter()
        .map(|(key, (text, _))| format!("  {key}: {}\n", serde_json::to_string(text).unwrap()))
        .collect();
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: aws, namespace: shop}}\nstringData:\n{}",
        items.concat()
    );
    app.write("app/base/secrets.yaml", &secret);
    let (success, stdout, stderr) = generate(&app);
    assert!(success, "{stderr}");

    let objects = objects(std::str::from_utf8(&stdout).unwrap());
    let pem = fs_err::read_to_string(root().join("testdata/sealed-secrets/rsa2048.key")).unwrap();
    let key = DangerPrivateKey::from_pem(&pem).unwrap();
    for (name, (text, value)) in &expected {
        let opened =
            danger_unseal(&key, &SealingScope::Strict.label("shop", "aws"), &item(&objects, "aws", name))
                .unwrap();
        assert!(
            opened.expose() == value.as_slice(),
            "{text}: {:?}",
            opened.expose_str().map(|text| text.get(..80))
        );
    }

    // The audit contains the version of each secret, whether it was requested or not.
    let fetched = fetched_versions(&app);
    for (reference, version) in [
        ("aws-sm:app/versions", new.as_str()),
        ("aws-sm:app/versions##AWSCURRENT", &new),
        ("aws-sm:app/versions##AWSPREVIOUS", &old),
        (&format!("aws-sm:app/versions##{old}"), &old),
        ("aws-ssm:/app/versions", "2"),
        ("aws-ssm:/app/versions##1", "1"),
        ("aws-ssm:/app/versions##blue", "1"),
    ] {
        assert_eq!(fetched[reference].as_deref(), Some(version), "{reference}");
    }
    assert!(fetched["aws-sm:app/binary"].is_some() && fetched["aws-sm:app/missing"].is_none());

    // All errors are reported in one run.
    let wrong = [
        "<aws-sm:app/none>",
        "<aws-sm:app/json#none>",
        "<aws-sm:app/binary#a>",
        "<aws-sm:app/versions##none>",
        "<aws-ssm:/app/none>",
        "<aws-ssm:/app/versions##9>",
        "<aws-ssm:/app/string#a>",
    ];
    let items: Vec<String> =
        wrong.iter().enumerate().map(|(n, text)| format!("  i{n}: \"{text}\"\n")).collect();
    app.write(
        "app/base/secrets.yaml",
        &format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: aws, namespace: shop}}\nstringData:\n{}",
            items.concat()
        ),
    );
    let (success, stdout, stderr) = generate(&app);
    assert!(!success && stdout.is_empty(), "{stderr}");
    for text in wrong {
        assert!(stderr.contains(text.trim_matches(['<', '>'])), "{text} is not in:\n{stderr}");
    }
    assert_eq!(stderr.matches("is not found").count(), 5, "{stderr}");
}

/// Returns the fetched version of each reference from the audit.
fn fetched_versions(app: &SmallApp) -> BTreeMap<String, Option<String>> {
    let audit = fs_err::read_to_string(app.path("operator/audit.jsonl")).unwrap();
    assert_eq!(find_marker(audit.as_bytes(), MARKER), None, "{audit}");
    let versions = audit.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| line[field].as_str().map(str::to_owned);
        (text("reference").unwrap(), text("fetchedVersion"))
    });
    versions.collect()
}

/// The secrets of the scenarios' teams.
const SCENARIO_REGION: &str = "ap-northeast-2";

#[test]
fn scenarios_have_their_expected_output_with_aws() {
    let Some(endpoint) = endpoint() else { return };
    let runtime =
        sealwave_testkit::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut sealed = BTreeMap::new();
    for scenario in cases("scenario-") {
        let environments = needs_aws(&scenario);
        if !environments.is_empty() {
            runtime.block_on(create_secrets(&endpoint, &scenario.join("aws-secrets")));
        }
        for environment in environments {
            let found = generate_scenario(&endpoint, &scenario, &environment);
            check_golden(&scenario, &format!("{environment}.json"), &found);
            assert_eq!(found, generate_scenario(&endpoint, &scenario, &environment), "two runs differ");
            sealed.insert((scenario.file_name().unwrap().to_owned(), environment), objects(&found));
        }
    }
    assert_eq!(sealed.len(), 2);
    let pem = fs_err::read_to_string(root().join("testdata/sealed-secrets/rsa2048.key")).unwrap();
    let key = DangerPrivateKey::from_pem(&pem).unwrap();
    for (scenario, environment, expected) in
        [("scenario-1-mlops", "aws", platform_values()), ("scenario-3-spring", "sealed", backend_values())]
    {
        let objects = &sealed[&(scenario.into(), environment.to_owned())];
        assert_eq!(opened(&key, objects), expected, "{scenario} {environment}");
    }
}

/// Values by the namespace, name and key of a Secret.
type SealedValues = BTreeMap<(String, String, String), String>;

/// Returns one AWS secret in three forms and namespaces: variables, an INI file and a URI.
fn platform_values() -> SealedValues {
    let environment = [
        ("AWS_ACCESS_KEY_ID", "AKIACANARYS1AWSKEY"),
        ("AWS_SECRET_ACCESS_KEY", "CANARY/s1/aws/aws+secret/wJalrXUtnFEMI"),
        ("MLFLOW_S3_ENDPOINT_URL", "https://s3.ap-northeast-2.amazonaws.com"),
    ];
    let ini = "[default]\naws_access_key_id = AKIACANARYS1AWSKEY\n\
               aws_secret_access_key = CANARY/s1/aws/aws+secret/wJalrXUtnFEMI\nregion = ap-northeast-2\n";
    let uri = "postgresql://airflow_user:CANARY-s1-aws-p%40ss%2Fw%3Ard%231%25%20%C3%A4@192.168.18.142:5432/airflow_db";
    let mut values = vec![
        ("airflow", "airflow-db-secret", "connection", uri),
        ("airflow", "aws-credentials-secret", "credentials", ini),
        ("mlflow", "mlflow-db-secret", "password", "CANARY-s1-aws-\"mlflow\" $HOME {{ 5f2c }}"),
        ("mlflow", "mlflow-db-secret", "username", "mlflow_CANARY_s1_aws"),
    ];
    for namespace in ["fastapi", "mlflow"] {
        values.extend(environment.map(|(key, value)| (namespace, "aws-credentials-secret", key, value)));
    }
    let owned = |(namespace, name, key, value): (&str, &str, &str, &str)| {
        ((namespace.to_owned(), name.to_owned(), key.to_owned()), value.to_owned())
    };
    values.into_iter().map(owned).collect()
}

/// Returns the whole properties file, including its trailing line break.
fn backend_values() -> SealedValues {
    let path = "testdata/scenario-3-spring/aws-secrets/onthetop/backend/secrets-properties";
    let text = fs_err::read_to_string(root().join(path)).unwrap();
    assert!(text.ends_with('\n'));
    let item = ["onthetop-backend", "onthetop-backend-secrets", "secrets.properties"].map(str::to_owned);
    BTreeMap::from([(item.into(), text)])
}

/// Unseals all values.
fn opened(key: &DangerPrivateKey, objects: &[serde_json::Value]) -> SealedValues {
    let mut values = SealedValues::new();
    for object in objects.iter().filter(|object| object["kind"] == "SealedSecret") {
        let text = |field: &str| object["metadata"][field].as_str().unwrap().to_owned();
        let (namespace, name) = (text("namespace"), text("name"));
        for (item, sealed) in object["spec"]["encryptedData"].as_object().unwrap() {
            let label = SealingScope::Strict.label(&namespace, &name);
            let value = danger_unseal(key, &label, sealed.as_str().unwrap()).unwrap();
            let value = value.expose_str().unwrap().to_owned();
            values.insert((namespace.clone(), name.clone(), item.clone()), value);
        }
    }
    values
}

/// Creates a secret for each file below `dir`, with the file's path as its name and its bytes as the value.
async fn create_secrets(endpoint: &str, dir: &Path) {
    let client =
        sealwave_testkit::aws_sdk_secretsmanager::Client::new(&config(endpoint, SCENARIO_REGION).await);
    let mut made = 0;
    for entry in walkdir::WalkDir::new(dir).into_iter().map(Result::unwrap) {
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(dir).unwrap().to_str().unwrap();
            let text = fs_err::read_to_string(entry.path()).unwrap();
            assert!(find_marker(text.as_bytes(), MARKER).is_some(), "{name} has no marker");
            client.create_secret().name(name).secret_string(text).send().await.unwrap();
            made += 1;
        }
    }
    assert!(made > 0, "{} contains no secret", dir.display());
}

/// Returns the output of the team's sidecar, with another address for AWS.
fn generate_scenario(endpoint: &str, scenario: &Path, environment: &str) -> String {
    let operator = tempfile::TempDir::new().unwrap();
    copy_tree(&scenario.join("operator"), operator.path());
    let file = operator.path().join("operator.yaml");
    let text = fs_err::read_to_string(&file).unwrap();
    let (before, after) = ("kind: aws-sm, ", format!("kind: aws-sm, endpointUrl: '{endpoint}', "));
    assert_eq!(text.matches(before).count(), 1, "{text}");
    fs_err::write(&file, text.replace(before, &after)).unwrap();
    let project = fs_err::read_to_string(scenario.join("project")).unwrap();
    let output = sealwave()
        .arg("generate")
        .arg(scenario.join("app"))
        .args(["--env", environment, "--project", project.trim(), "--operator"])
        .arg(&file)
        .env("AWS_ACCESS_KEY_ID", "AKIACANARY")
        .env("AWS_SECRET_ACCESS_KEY", "CANARY")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("RUST_LOG", "trace")
        .output()
        .unwrap();
    for bytes in [&output.stdout, &output.stderr] {
        assert_eq!(find_marker(bytes, MARKER), None, "{}", String::from_utf8_lossy(bytes));
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
