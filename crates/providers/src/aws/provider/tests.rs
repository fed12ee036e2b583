//! Tests against a stub on loopback that records requests and fails on demand.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::aws::AssumeRole;
use crate::aws::target::VersionSelector;
use crate::testing::{self, BytesResult, LONG, reference};
use sealwave_testkit::aws_stub::{AwsReply, AwsRequest, AwsStub, answer_with, names, secret};

const KEY: &str = "CANARYSECRETACCESSKEY";

fn provider(service: AwsService, endpoint: &str) -> AwsProvider {
    let settings = AwsSettings {
        region: Some("eu-west-1".to_owned()),
        endpoint_url: Some(endpoint.to_owned()),
        ..AwsSettings::default()
    };
    let fixed = Some(Credentials::new("AKIAEXAMPLE", KEY, None, None, "test"));
    AwsProvider { service, settings, environment: Arc::new(|_| None), fixed }
}

fn fetched(aws: &AwsProvider, sources: &[&str], time: Duration) -> Vec<FetchResult> {
    let references: Vec<SecretReference> = sources.iter().map(|source| reference(source)).collect();
    let references: Vec<&SecretReference> = references.iter().collect();
    aws.fetch(&references, Instant::now() + time)
}

fn fetch_within(aws: &AwsProvider, sources: &[&str], time: Duration) -> Vec<BytesResult> {
    testing::bytes(fetched(aws, sources, time))
}

fn fetch(aws: &AwsProvider, sources: &[&str]) -> Vec<BytesResult> {
    fetch_within(aws, sources, LONG)
}

fn secrets(stub: &AwsStub, sources: &[&str]) -> Vec<BytesResult> {
    fetch(&provider(AwsService::SecretsManager, &stub.endpoint), sources)
}

fn parameters(stub: &AwsStub, sources: &[&str]) -> Vec<BytesResult> {
    fetch(&provider(AwsService::ParameterStore, &stub.endpoint), sources)
}

fn canary(name: &str) -> String {
    json!({"password": format!("CANARY-{name}"), "port": 5432}).to_string()
}

fn error(answer: &BytesResult) -> (&'static str, String) {
    (testing::result_kind(answer), answer.as_ref().expect_err("an error").to_string())
}

/// Checks the kind of an error and a word of its text.
fn assert_error(answer: &BytesResult, kind: &str, word: &str) {
    let (is, text) = error(answer);
    assert!(is == kind && text.contains(word), "{is}: {text}");
}

#[test]
fn many_placeholders_need_few_calls() {
    let stub = AwsStub::start(|asked, _| answer_with(canary, asked));
    let sources: Vec<String> = (0..300).map(|n| format!("aws-sm:db-{:02}#password", n % 20)).collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let values = secrets(&stub, &sources);
    assert_eq!(values.len(), 300);
    assert_eq!(values[27].as_deref().expect("a value"), b"CANARY-db-07");
    assert_eq!(stub.operations(), ["BatchGetSecretValue"]);
    let asked = &stub.asked()[0];
    assert_eq!(asked.target, "secretsmanager.BatchGetSecretValue");
    assert!(asked.authorization.contains("/eu-west-1/secretsmanager/aws4_request"));
    assert_eq!(names(asked), (0..20).map(|n| format!("db-{n:02}")).collect::<Vec<_>>());

    let stub = AwsStub::start(|asked, _| answer_with(canary, asked));
    let sources: Vec<String> = (0..300).map(|n| format!("aws-sm:db-{:02}#port", n % 45)).collect();
    let values = secrets(&stub, &sources.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(values.iter().all(|value| value.as_deref() == Ok(b"5432")));
    assert_eq!(stub.operations(), ["BatchGetSecretValue"; 3]);
}

#[test]
fn parameters_are_requested_in_batches_of_ten() {
    let stub = AwsStub::start(|asked, _| answer_with(|name| format!("CANARY {name}"), asked));
    let sources: Vec<String> = (0..60).map(|n| format!("aws-ssm:/app/p-{:02}", n % 25)).collect();
    let values = parameters(&stub, &sources.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(values[26].as_deref().expect("a value"), b"CANARY /app/p-01");
    assert_eq!(stub.operations(), ["GetParameters"; 3]);
    assert!(stub.asked().iter().all(|asked| asked.target == "AmazonSSM.GetParameters"
        && asked.body["WithDecryption"] == json!(true)
        && names(asked).len() <= 10));
}

#[test]
fn versions_of_a_parameter_are_requested_separately() {
    let stub = AwsStub::start(|asked, _| answer_with(|name| format!("value of {name}"), asked));
    let sources = ["aws-ssm:/a", "aws-ssm:/a##3", "aws-ssm:/a##blue", "aws-ssm:/b##3"];
    let values = parameters(&stub, &sources);
    for (value, expected) in values.iter().zip(["/a", "/a:3", "/a:blue", "/b:3"]) {
        assert_eq!(value.as_deref(), Ok(format!("value of {expected}").as_bytes()));
    }
    let mut asked: Vec<Vec<String>> = stub.asked().iter().map(names).collect();
    asked.sort();
    assert_eq!(asked, [vec!["/a", "/b:3"], vec!["/a:3"], vec!["/a:blue"]]);
}

#[test]
fn versions_of_a_secret_are_classified_by_form() {
    let stub = AwsStub::start(|asked, _| answer_with(canary, asked));
    let id = "11111111-2222-3333-4444-555555555555";
    let terraform = "terraform-20240101123456789000000001";
    let sources: Vec<String> = ["AWSPREVIOUS", "AWSCURRENT", "blue", id, terraform]
        .iter()
        .map(|version| format!("aws-sm:db##{version}"))
        .chain(["aws-sm:db".to_owned(), "aws-sm:db#port".to_owned()])
        .collect();
    let values = secrets(&stub, &sources.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(values.iter().all(Result::is_ok), "{values:?}");
    let asked = stub.asked();
    // Three references request the current version once.
    assert_eq!(asked.len(), 5);
    let versions = |field: &str| {
        let mut all: Vec<String> =
            asked.iter().filter_map(|asked| Some(asked.body[field].as_str()?.to_owned())).collect();
        all.sort();
        all
    };
    assert_eq!(versions("VersionStage"), ["AWSPREVIOUS", "blue"]);
    assert_eq!(versions("VersionId"), [id, terraform]);
}

#[test]
fn the_fetched_version_is_reported() {
    let stub = AwsStub::start(|asked, _| answer_with(canary, asked));
    let id = Some("11111111-2222-3333-4444-555555555555".to_owned());
    let versions = |service, sources: &[&str]| {
        testing::versions(fetched(&provider(service, &stub.endpoint), sources, LONG))
    };
    // From a batch, from a label, and from a secret that a key is read from.
    let sources = ["aws-sm:a", "aws-sm:b#port", "aws-sm:a##AWSPREVIOUS"];
    assert_eq!(versions(AwsService::SecretsManager, &sources), [id.clone(), id.clone(), id]);
    let number = |number: &str| Some(number.to_owned());
    let sources = ["aws-ssm:/a", "aws-ssm:/b##blue"];
    assert_eq!(versions(AwsService::ParameterStore, &sources), [number("1"), number("1")]);
}

#[test]
fn the_day_of_the_fetched_version_is_reported() {
    let stub = AwsStub::start(|asked, _| answer_with(canary, asked));
    let days =
        |service, sources: &[&str]| testing::days(fetched(&provider(service, &stub.endpoint), sources, LONG));
    let day = || Some("2023-11-14".to_owned());
    let sources = ["aws-sm:a", "aws-sm:b#port", "aws-sm:a##AWSPREVIOUS"];
    assert_eq!(days(AwsService::SecretsManager, &sources), [day(), day(), day()]);
    assert_eq!(days(AwsService::ParameterStore, &["aws-ssm:/a"]), [day()]);
}

#[test]
fn an_arn_is_requested_in_its_own_region() {
    let stub = AwsStub::start(|asked, _| answer_with(canary, asked));
    let arn = |region: &str, name: &str| {
        format!("aws-sm:arn:aws:secretsmanager:{region}:123456789012:secret:{name}")
    };
    let sources = [arn("us-east-2", "a/b-AbCdEf"), arn("eu-west-1", "c"), "aws-sm:d#port".to_owned()];
    let values = secrets(&stub, &sources.each_ref().map(String::as_str));
    assert_eq!(values[2].as_deref(), Ok(&b"5432"[..]));
    let mut regions: Vec<String> = stub
        .asked()
        .iter()
        .filter_map(|asked| asked.authorization.split('/').nth(2).map(str::to_owned))
        .collect();
    regions.sort();
    assert_eq!(regions, ["eu-west-1", "eu-west-1", "us-east-2"]);
}

#[test]
fn hostile_paths_are_never_requested() {
    let stub = AwsStub::start(|asked, _| answer_with(canary, asked));
    let long = format!("aws-sm:{}", "a".repeat(3000));
    for source in [
        "aws-sm:a b",
        "aws-sm:a\u{7}b",
        "aws-sm:a\nb",
        "aws-sm:",
        "aws-sm:db*",
        "aws-sm:d%62",
        "aws-sm:ѕhop/db",
        "aws-sm:db:AWSPREVIOUS",
        "aws-sm:db##a b",
        "aws-sm:db##",
        "aws-sm:arn:aws:secretsmanager:evil.example.com/:123456789012:secret:a",
        "aws-sm:arn:aws:secretsmanager:eu-west-1.evil-1:123456789012:secret:a",
        "aws-sm:arn:aws:secretsmanager::123456789012:secret:a",
        "aws-sm:arn:aws:secretsmanager:eu-west-1:1:secret:a",
        "aws-sm:arn:aws:ssm:eu-west-1:123456789012:parameter/a",
        "aws-sm:arn:aws:secretsmanager:eu-west-1:123456789012:secret:a:b",
        "aws-sm:arn:evil:secretsmanager:eu-west-1:123456789012:secret:a",
        "aws-sm:arn:",
        &long,
    ] {
        assert_eq!(error(&secrets(&stub, &[source])[0]).0, "invalid", "{source}");
    }
    for source in
        ["aws-ssm:/a:3", "aws-ssm:/a##3:4", "aws-ssm:/a##1a", "aws-ssm:/a@b", "aws-ssm:/ä", "aws-ssm:/a##"]
    {
        assert_eq!(error(&parameters(&stub, &[source])[0]).0, "invalid", "{source}");
    }
    for source in [
        "aws-ssm:/aws/reference/secretsmanager/db",
        "aws-ssm:aws/reference/secretsmanager/db",
        "aws-ssm://aws/reference//secretsmanager/db",
        "aws-ssm:/AWS/Reference/SecretsManager/db##1",
        "aws-ssm:arn:aws:ssm:eu-west-1:123456789012:parameter/aws/reference/secretsmanager/db",
        "aws-ssm:arn:aws-cn:ssm:cn-north-1:123456789012:parameter//aws/reference/secretsmanager/db",
    ] {
        assert_error(&parameters(&stub, &[source])[0], "denied", "alias");
    }
    assert!(stub.asked().is_empty());
}

#[test]
fn keys_of_json() {
    let document = "{\"a\": {\"b\": \"nested\", \"n\": 1.10}, \"a.b\": \"written\", \"t\": true, \"z\": null, \
                    \"big\": 12345678901234567890123, \"o\": {\"x\": [1, \"ä \"]}, \"d\": 1, \"d\": 2, \"e\": \"\"}";
    let stub = AwsStub::start(move |asked, _| match names(asked).first().map(String::as_str) {
        Some("list") => answer_with(|_| "[1]".to_owned(), asked),
        Some("text") => answer_with(|_| "CANARY".to_owned(), asked),
        Some("broken") => answer_with(|_| "{\"a\": CANARY}".to_owned(), asked),
        Some("binary") => {
            AwsReply::ok(json!({"ARN": "", "Name": "binary", "SecretBinary": "eyJhIjogIkNBTkFSWSJ9AA=="}))
        }
        _ => answer_with(|_| document.to_owned(), asked),
    });
    for (key, expected) in [
        ("a.b", "written"),
        ("a.n", "1.10"),
        ("t", "true"),
        ("big", "12345678901234567890123"),
        ("o", "{\"x\":[1,\"ä \"]}"),
        ("e", ""),
    ] {
        let value = secrets(&stub, &[&format!("aws-sm:db#{key}")]).remove(0);
        assert_eq!(value.as_deref(), Ok(expected.as_bytes()), "{key}");
    }
    for key in ["z", "missing", "a.x", "t.x", "e.x"] {
        assert_error(&secrets(&stub, &[&format!("aws-sm:db#{key}")])[0], "missing", "no such key");
    }
    assert_error(&secrets(&stub, &["aws-sm:db#d"])[0], "invalid", "has a duplicate key");
    assert_error(&secrets(&stub, &["aws-sm:list#a"])[0], "missing", "no such key");
    assert_eq!(secrets(&stub, &["aws-sm:list#0"])[0].as_deref(), Ok(&b"1"[..]));
    assert_error(&secrets(&stub, &["aws-sm:text#a"])[0], "invalid", "not a JSON object");
    assert_error(&secrets(&stub, &["aws-sm:broken#a"])[0], "invalid", "well-formed");
    assert_error(&secrets(&stub, &["aws-sm:binary#a"])[0], "invalid", "binary");
    assert_eq!(secrets(&stub, &["aws-sm:binary"])[0].as_deref(), Ok(&b"{\"a\": \"CANARY\"}\0"[..]));
}

#[test]
fn r01_names_that_aws_manages() {
    let stub = AwsStub::start(|asked, _| answer_with(canary, asked));
    let names = [
        "rds!db-12ab-cd",
        "rds!cluster-12ab",
        "ecs-sc!shop/db",
        "events!connection/hook/11111111-2222",
        "redshift!ns-admin",
        "appflow!eu-west-1-x",
        "databrew!default",
        "opsworks-cm!a+b=c@d.e_f-g",
    ];
    for name in names {
        for source in [format!("aws-sm:{name}"), format!("aws-sm:{name}##AWSPREVIOUS")] {
            assert_eq!(secrets(&stub, &[&source])[0].as_deref(), Ok(canary(name).as_bytes()), "{source}");
        }
    }
    let all: Vec<String> = names.iter().map(|name| format!("aws-sm:{name}")).collect();
    let answers = secrets(&stub, &all.iter().map(String::as_str).collect::<Vec<_>>());
    for (name, answer) in names.iter().zip(&answers) {
        assert_eq!(answer.as_deref(), Ok(canary(name).as_bytes()), "{name}");
    }
    for name in ["rds!db-12ab-cd-AbCdEf", "rds!db-12ab-cd", "events!connection/hook/1-AbCdEf"] {
        let path = format!("arn:aws:secretsmanager:us-east-2:123456789012:secret:{name}");
        let target =
            AwsTarget::new(AwsService::SecretsManager, &reference(&format!("aws-sm:{path}#password")));
        let target = target.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!((target.region.as_deref(), target.id.as_str()), (Some("us-east-2"), path.as_str()));
    }
}

#[test]
fn r01_similar_names_stay_refused() {
    let stub = AwsStub::start(|asked, _| answer_with(canary, asked));
    for source in [
        "aws-sm:rds%21db-12",
        "aws-sm:rds\u{ff01}db-12",
        "aws-sm:rds\u{1c3}db-12",
        "aws-sm:rds!db 12",
        "aws-sm:rds!db*",
        "aws-sm:rds$db",
        "aws-sm:rds:db",
        "aws-sm:rds!db##stage!x",
        "aws-sm:arn:aws:secretsmanager:eu-west-1!:123456789012:secret:rds!db",
    ] {
        assert_eq!(error(&secrets(&stub, &[source])[0]).0, "invalid", "{source}");
    }
    for source in ["aws-ssm:/rds!db", "aws-ssm:arn:aws:ssm:eu-west-1:123456789012:parameter/rds!db"] {
        assert_eq!(error(&parameters(&stub, &[source])[0]).0, "invalid", "{source}");
    }
    assert!(stub.asked().is_empty());
}

#[test]
fn r20_json_in_binary_secrets() {
    use base64::Engine as _;
    let stub = AwsStub::start(|asked, _| {
        let name = names(asked).remove(0);
        let bytes: &[u8] = match name.as_str() {
            "json" => b" {\"a\": {\"b\": 1.10}, \"l\": [\"x\", \"y\"]}\n",
            "latin" => b"{\"a\": \"\xff\"}",
            "cut" => b"{\"a\": \"CANARY",
            _ => b"CANARY\x00",
        };
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        AwsReply::ok(json!({"ARN": "", "Name": name, "SecretBinary": text}))
    });
    for (source, expected) in [("json#a.b", "1.10"), ("json#l.1", "y"), ("json#a", "{\"b\":1.10}")] {
        let value = secrets(&stub, &[&format!("aws-sm:{source}")]).remove(0);
        assert_eq!(value.as_deref(), Ok(expected.as_bytes()), "{source}");
    }
    assert_error(&secrets(&stub, &["aws-sm:json#z"])[0], "missing", "no such key");
    for source in ["aws-sm:latin#a", "aws-sm:cut#a", "aws-sm:bytes#a"] {
        assert_error(&secrets(&stub, &[source])[0], "invalid", "binary");
    }
}

#[test]
fn r18_paths_into_json() {
    let document = r#"{"a":{"b":"deep","x.y":{"0":"key"}},"a.b":"exact","l":["0",{"n":[true]}],"o":{"0":"key"},"":"empty"}"#;
    let stub = AwsStub::start(move |asked, _| answer_with(|_| document.to_owned(), asked));
    let fetched = |key: &str| secrets(&stub, &[&format!("aws-sm:db#{key}")]).remove(0);
    for (key, expected) in [
        ("a.b", "exact"),
        ("\"a.b\"", "exact"),
        ("\"a\".b", "deep"),
        ("a.\"x.y\".0", "key"),
        ("l.0", "0"),
        ("l.1.n.0", "true"),
        ("o.0", "key"),
        ("o.\"0\"", "key"),
    ] {
        assert_eq!(fetched(key).as_deref(), Ok(expected.as_bytes()), "{key}");
        assert_eq!(
            parameters(&stub, &[&format!("aws-ssm:/db#{key}")])[0].as_deref(),
            Ok(expected.as_bytes()),
            "{key}"
        );
    }
    for (key, why) in [
        ("a.x.y", "the object `a` has no key `x`"),
        ("l.2", "the list `l` has no item `2`"),
        ("l.99999999999999999999", "the list `l` has no item"),
        ("l.-1", "the list `l` has no item"),
        ("l.01", "the list `l` has no item"),
        ("l.\"0\"", "the list `l` has no item `0`"),
        ("\"a\".b.c", "is not an object or a list"),
        ("a..b", "no such key"),
        (".a", "no such key"),
        ("a.", "no such key"),
    ] {
        assert_error(&fetched(key), "missing", why);
    }
}

#[test]
fn values_survive_exactly() {
    let values = [
        "trailing newline\n",
        "\u{0}NUL\u{0}",
        "\u{1f512} \u{10ffff}",
        "<aws-sm:x#y> {{ a }} $HOME ${x} %",
        "a: [b\n--- ",
        "",
        &"x".repeat(65536),
    ];
    for text in values {
        let own = text.to_owned();
        let stub = AwsStub::start(move |asked, _| answer_with(|_| own.clone(), asked));
        let answers = secrets(&stub, &["aws-sm:a", "aws-sm:b"]);
        assert!(answers.iter().all(|answer| answer.as_deref() == Ok(text.as_bytes())), "{text:.20}");
        let answers = parameters(&stub, &["aws-ssm:/a"]);
        assert_eq!(answers[0].as_deref(), Ok(text.as_bytes()), "{text:.20}");
    }
}

#[test]
fn each_secret_of_a_batch_has_its_own_answer() {
    let stub = AwsStub::start(|asked, _| {
        let failed =
            |name: &str, code: &str| json!({"SecretId": name, "ErrorCode": code, "Message": "CANARY"});
        match asked.operation.as_str() {
            "BatchGetSecretValue" => AwsReply::ok(json!({
                "SecretValues": [secret("good", "CANARY-good"), {"Name": "empty", "ARN": "x"}],
                "Errors": [
                    failed("missing", "ResourceNotFoundException"),
                    failed("refused", "AccessDeniedException"),
                    failed("key", "DecryptionFailure"),
                    failed("deleted", "InvalidRequestException"),
                    failed("busy", "InternalServiceError"),
                ],
            })),
            _ => answer_with(|name| format!("CANARY-{name}"), asked),
        }
    });
    let sources = ["busy", "deleted", "empty", "good", "key", "left-out", "missing", "refused"]
        .map(|name| format!("aws-sm:{name}"));
    let answers = secrets(&stub, &sources.each_ref().map(String::as_str));
    for (at, expected) in
        [(0, "CANARY-busy"), (2, "CANARY-empty"), (3, "CANARY-good"), (5, "CANARY-left-out")]
    {
        assert_eq!(answers[at].as_deref(), Ok(expected.as_bytes()));
    }
    assert_error(&answers[1], "invalid", "current state");
    assert_error(&answers[4], "denied", "decrypt");
    assert_error(&answers[6], "missing", "ResourceNotFoundException");
    assert_error(&answers[7], "denied", "secretsmanager:GetSecretValue");
    assert_eq!(stub.operations().iter().filter(|name| *name == "GetSecretValue").count(), 3);
}

#[test]
fn without_permission_for_batches_each_secret_is_requested_alone() {
    let stub = AwsStub::start(|asked, _| match asked.operation.as_str() {
        "BatchGetSecretValue" => AwsReply::error(400, "AccessDeniedException"),
        _ if names(asked) == ["b"] => AwsReply::error(400, "ResourceNotFoundException"),
        _ => answer_with(canary, asked),
    });
    let answers = secrets(&stub, &["aws-sm:a#port", "aws-sm:b", "aws-sm:c#port"]);
    assert_eq!(answers[0].as_deref(), Ok(&b"5432"[..]));
    assert_error(&answers[1], "missing", "");
    assert_eq!(stub.operations().len(), 4);

    let stub = AwsStub::start(|asked, _| match names(asked).as_slice() {
        [one] if one == "/b" => AwsReply::error(400, "AccessDeniedException"),
        [_] => answer_with(str::to_owned, asked),
        _ => AwsReply::error(400, "AccessDeniedException"),
    });
    let answers = parameters(&stub, &["aws-ssm:/a", "aws-ssm:/b", "aws-ssm:/c"]);
    assert_eq!(answers[2].as_deref(), Ok(&b"/c"[..]));
    assert_error(&answers[1], "denied", "ssm:GetParameters");
}

#[test]
fn unknown_parameters_are_not_found() {
    let stub = AwsStub::start(|asked, _| {
        let mut invalid = names(asked);
        invalid.retain(|name| name != "/a");
        AwsReply::ok(json!({"Parameters": [{"Name": "/a", "Value": "x"}], "InvalidParameters": invalid}))
    });
    let answers = parameters(&stub, &["aws-ssm:/a", "aws-ssm:/b", "aws-ssm:/c##3"]);
    assert!(answers[0].is_ok());
    assert_error(&answers[1], "missing", "nothing with this name");
    assert_error(&answers[2], "missing", "nothing with this name");
    let stub = AwsStub::start(|_, _| AwsReply::ok(json!({"Parameters": [{"Name": "/a"}]})));
    for answer in parameters(&stub, &["aws-ssm:/a", "aws-ssm:/b"]) {
        assert_error(&answer, "invalid", "form");
    }
}

/// A faulty response, the kind of its error, and a word of the message.
type FaultCase = (fn(&AwsRequest) -> AwsReply, &'static str, &'static str);

#[test]
fn faults_map_to_error_kinds() {
    let faults: &[FaultCase] = &[
        (|_| AwsReply::error(400, "ExpiredTokenException"), "denied", "credentials"),
        (|_| AwsReply::error(403, "UnrecognizedClientException"), "denied", "credentials"),
        (|_| AwsReply::error(403, "CANARY"), "denied", "HTTP 403"),
        (|_| AwsReply::error(400, "DecryptionFailure"), "denied", "decrypt"),
        (|_| AwsReply::error(400, "ResourceNotFoundException"), "missing", "nothing with this name"),
        (|_| AwsReply::error(400, "ValidationException"), "invalid", "does not accept"),
        (|_| AwsReply::error(418, "CANARY"), "unreachable", "HTTP 418"),
        (|_| AwsReply::ok(json!({"SecretValues": 7, "SecretString": {"a": "CANARY"}})), "invalid", "form"),
        (|_| AwsReply::ok(json!(["CANARY"])), "invalid", "form"),
        (|_| AwsReply::ok(json!({"SecretValues": [{"Name": ["CANARY"]}]})), "invalid", "form"),
        (|_| AwsReply::Json(200, Value::Null), "invalid", "form"),
    ];
    for (index, (fault, kind, word)) in faults.iter().enumerate() {
        let stub = AwsStub::start(|asked, _| fault(asked));
        for sources in [&["aws-sm:a"][..], &["aws-sm:a", "aws-sm:b"]] {
            for answer in secrets(&stub, sources) {
                let (is, text) = error(&answer);
                assert!(is == *kind && text.contains(word), "fault {index}: {is}: {text}");
            }
        }
    }
}

#[test]
fn transient_faults_are_retried() {
    for (status, code) in
        [(400, "ThrottlingException"), (500, "InternalServiceError"), (503, "ServiceUnavailable")]
    {
        let stub = AwsStub::start(move |asked, before| match before {
            0 | 1 => AwsReply::error(status, code),
            _ => answer_with(canary, asked),
        });
        assert_eq!(secrets(&stub, &["aws-sm:a#port"])[0].as_deref(), Ok(&b"5432"[..]), "{code}");
        assert_eq!(stub.asked().len(), 3, "{code}");
    }
    // A connection that is closed in the middle of a response.
    let half = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: 900\r\n\r\n{\"Name\": \"CANARY";
    let stub = AwsStub::start(move |asked, before| match before {
        0 => AwsReply::Raw(half.as_bytes().to_vec()),
        _ => answer_with(canary, asked),
    });
    let answer = &secrets(&stub, &["aws-sm:a#port"])[0];
    if stub.asked().len() == 1 {
        assert_error(answer, "invalid", "incomplete");
    } else {
        assert_eq!(answer.as_deref(), Ok(&b"5432"[..]));
    }
}

#[test]
fn lasting_throttling_is_unreachable() {
    let stub = AwsStub::start(|_, _| AwsReply::error(400, "ThrottlingException"));
    let aws = provider(AwsService::SecretsManager, &stub.endpoint);
    let answer = fetch_within(&aws, &["aws-sm:a", "aws-sm:b"], Duration::from_millis(900));
    assert_eq!(error(&answer[0]).0, "unreachable");
    assert!(stub.operations().iter().all(|name| name == "BatchGetSecretValue"));
}

#[test]
fn pending_calls_are_reported_at_the_deadline() {
    let stub = AwsStub::start(|asked, _| match names(asked).first().map(String::as_str) {
        Some("fast") => answer_with(canary, asked),
        _ => AwsReply::Hang,
    });
    let aws = provider(AwsService::SecretsManager, &stub.endpoint);
    let sources = ["aws-sm:fast##blue", "aws-sm:slow", "aws-sm:slower"];
    let answers = fetch_within(&aws, &sources, Duration::from_millis(1500));
    assert!(answers[0].is_ok(), "{:?}", answers[0]);
    assert_error(&answers[1], "unreachable", "`secretsmanager:BatchGetSecretValue` was not answered");
    assert_error(&answers[2], "unreachable", "deadline");
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = AwsStub::start(|asked, _| answer_with(canary, asked));
    for status in [301, 302, 307, 308] {
        let location = elsewhere.endpoint.clone();
        let stub = AwsStub::start(move |_, _| {
            let head =
                format!("HTTP/1.1 {status} Moved\r\nlocation: {location}/\r\ncontent-length: 0\r\n\r\n");
            AwsReply::Raw(head.into_bytes())
        });
        assert_error(&secrets(&stub, &["aws-sm:a"])[0], "unreachable", "elsewhere");
    }
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn a_closed_port_is_unreachable() {
    let aws = provider(AwsService::SecretsManager, "http://127.0.0.1:9");
    let answer = fetch_within(&aws, &["aws-sm:a"], Duration::from_secs(2));
    assert_eq!(error(&answer[0]).0, "unreachable");
}

fn sts(expiry: &str) -> AwsReply {
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>CANARY</SecretAccessKey><SessionToken>CANARY</SessionToken>\
         <Expiration>{expiry}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    );
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n", body.len());
    AwsReply::Raw((head + &body).into_bytes())
}

#[test]
fn a_role_is_assumed_first() {
    let role = |endpoint: &str, external: &str| {
        Some(AssumeRole {
            role_arn: "arn:aws:iam::123456789012:role/reader".to_owned(),
            external_id: Some(external.to_owned()),
            session_name: None,
            endpoint_url: Some(endpoint.to_owned()),
        })
    };
    let stub = AwsStub::start(|asked, _| match asked.operation.as_str() {
        "AssumeRole" if asked.body.to_string().contains("ExternalId=team-1") => sts("2099-01-01T00:00:00Z"),
        "AssumeRole" => AwsReply::error(403, "AccessDenied"),
        _ => answer_with(canary, asked),
    });
    let mut aws = provider(AwsService::SecretsManager, &stub.endpoint);
    aws.settings.assume_role = role(&stub.endpoint, "team-1");
    assert_eq!(fetch(&aws, &["aws-sm:a#port"])[0].as_deref(), Ok(&b"5432"[..]));
    let asked = stub.asked();
    assert!(asked[0].body.to_string().contains("RoleSessionName=sealwave"));
    assert!(asked[1].authorization.contains("Credential=ASIAROLE/"));
    aws.settings.assume_role = role(&stub.endpoint, "other");
    assert_error(&fetch(&aws, &["aws-sm:a"])[0], "denied", "sts:AssumeRole");
}

#[test]
fn a_missing_region_is_an_error() {
    let mut aws = provider(AwsService::SecretsManager, "http://127.0.0.1:9");
    aws.settings.region = None;
    aws.settings.profile = Some("nowhere".to_owned());
    aws.fixed = None;
    let answer = fetch_within(&aws, &["aws-sm:a"], Duration::from_secs(10));
    assert_error(&answer[0], "denied", "AWS");
}

#[test]
fn references_to_the_same_secret_share_a_target() {
    let target =
        |source: &str| AwsTarget::new(AwsService::SecretsManager, &reference(source)).expect("valid");
    assert_eq!(target("aws-sm:a#x"), target("aws-sm:a#y#AWSCURRENT"));
    assert_eq!(target("aws-sm:a##blue").version, Some(VersionSelector::Label("blue".to_owned())));
    assert_ne!(target("aws-sm:a"), target("aws-sm:A"));
}

#[test]
fn all_keys_of_a_secret_are_returned() {
    let document = r#"{"b": {"c": [1, "x"]}, "a": 1.10, "z": null, "": "empty", "\u00e4/": "odd"}"#;
    let stub = AwsStub::start(move |asked, _| match names(asked).first().map(String::as_str) {
        Some("list") => answer_with(|_| "[1]".to_owned(), asked),
        Some("text") => answer_with(|_| "CANARY".to_owned(), asked),
        Some("broken") => answer_with(|_| "{\"a\": CANARY}".to_owned(), asked),
        Some("twice") => answer_with(|_| "{\"a\": \"CANARY\", \"a\": 1}".to_owned(), asked),
        Some("binary") => {
            AwsReply::ok(json!({"ARN": "", "Name": "binary", "SecretBinary": "eyJhIjogInZhbHVlIn0="}))
        }
        _ => answer_with(|_| document.to_owned(), asked),
    });
    let ask = |service, source: &str| {
        let reference = testing::all_keys(source);
        let answers = provider(service, &stub.endpoint).fetch(&[&reference], Instant::now() + testing::LONG);
        testing::entries(answers.into_iter().next().expect("an answer"))
    };
    let expected =
        Ok(testing::pairs(&[("", "empty"), ("a", "1.10"), ("b", r#"{"c":[1,"x"]}"#), ("\u{e4}/", "odd")]));
    assert_eq!(ask(AwsService::SecretsManager, "aws-sm:db"), expected);
    assert_eq!(ask(AwsService::ParameterStore, "aws-ssm:/db"), expected);
    assert_eq!(ask(AwsService::SecretsManager, "aws-sm:binary"), Ok(testing::pairs(&[("a", "value")])));
    for (name, expected) in [
        ("list", "not an object"),
        ("text", "not an object"),
        ("broken", "well-formed"),
        ("twice", "duplicate key"),
    ] {
        let error = ask(AwsService::SecretsManager, &format!("aws-sm:{name}")).expect_err(name);
        assert!(error.contains(expected), "{name}: {error}");
    }
}
