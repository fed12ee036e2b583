//! Tests against a stub of Secrets Manager.

use std::sync::Arc;

use sealwave_providers::aws_account::AwsLogin;
use sealwave_testkit::aws_stub::{AwsReply, AwsRequest, AwsStub};
use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;
use crate::progress::HiddenProgress;

/// Answers the login, which is a form.
fn login() -> AwsReply {
    let body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ops</Arn><UserId>x</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let length = body.len();
    AwsReply::Raw(format!("HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").into_bytes())
}

/// Describes a secret with these versions.
fn description(stages: &Value) -> AwsReply {
    AwsReply::ok(
        json!({"Name": "prod/db", "RotationEnabled": true, "LastRotatedDate": 1.796e9, "VersionIdsToStages": stages}),
    )
}

/// Starts a stub that describes the secret differently each time; the last description stays.
fn stub(descriptions: Vec<Value>, rotate: fn() -> AwsReply) -> AwsStub {
    let described = std::sync::Mutex::new(0);
    AwsStub::start(move |asked: &AwsRequest, _| match asked.operation.as_str() {
        "GetCallerIdentity" => login(),
        "RotateSecret" => rotate(),
        "DescribeSecret" => {
            let mut number = described.lock().expect("not poisoned");
            let stages = descriptions.get(*number).or_else(|| descriptions.last()).expect("a description");
            *number += 1;
            description(stages)
        }
        _ => AwsReply::error(400, "UnknownOperationException"),
    })
}

fn rotated() -> AwsReply {
    AwsReply::ok(json!({"Name": "prod/db", "VersionId": "v2"}))
}

/// Plans and runs a rotation, with a clock that does not take time.
fn run(stub: &AwsStub) -> (Plan, Result<String, SecretRotationError>) {
    let directory = tempfile::tempdir().expect("a directory");
    let (config, credentials) = (directory.path().join("config"), directory.path().join("credentials"));
    fs_err::write(&config, "[profile test]\nregion = eu-west-1\n").expect("written");
    fs_err::write(&credentials, "[test]\naws_access_key_id = AKIACANARY\naws_secret_access_key = CANARY\n")
        .expect("written");
    let environment = move |name: &str| match name {
        "AWS_CONFIG_FILE" => Some(config.clone().into()),
        "AWS_SHARED_CREDENTIALS_FILE" => Some(credentials.clone().into()),
        _ => None,
    };
    let login =
        AwsLogin::default().with_profile("test").with_region("eu-west-1").with_endpoint(&stub.endpoint);
    let account = login.open(&(Arc::new(environment) as _)).expect("logged in");
    let clock = ManualClock::at(1_796_100_000);
    let rotation = SecretRotation {
        account: &account,
        name: "prod/db",
        wait: Duration::from_mins(5),
        clock: &clock,
        progress: &HiddenProgress,
    };
    let plan = rotation.plan();
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => return (Plan::default(), Err(error)),
    };
    (plan, rotation.run())
}

fn current(version: &str) -> Value {
    json!({version: ["AWSCURRENT"]})
}

fn rotating() -> Value {
    json!({"v1": ["AWSCURRENT"], "v2": ["AWSPENDING"]})
}

fn done() -> Value {
    json!({"v1": ["AWSPREVIOUS"], "v2": ["AWSCURRENT", "AWSPENDING"]})
}

#[test]
fn a_rotation_is_followed_until_its_version_is_current() {
    let stub = stub(vec![current("v1"), current("v1"), rotating(), rotating(), done()], rotated);
    let (plan, result) = run(&stub);
    assert!(plan.human(false).contains("rotated  2026-11-30T00:53:20Z"), "{}", plan.human(false));
    assert_eq!(result.expect("rotated"), "rotated `prod/db`: version `v1` before, `v2` now");
    assert_eq!(stub.operations().iter().filter(|operation| *operation == "RotateSecret").count(), 1);
}

#[test]
fn a_rotation_in_progress_is_followed_and_not_started_again() {
    let stub = stub(vec![rotating(), rotating(), rotating(), done()], rotated);
    let (plan, result) = run(&stub);
    assert!(plan.human(false).contains("follow the rotation that is in progress, with version `v2`"));
    result.expect("rotated");
    assert!(!stub.operations().iter().any(|operation| operation == "RotateSecret"));
}

#[test]
fn a_rotation_that_does_not_end_is_explained() {
    let (_, result) = run(&stub(vec![rotating()], rotated));
    let error = result.expect_err("pending");
    assert!(error.to_string().contains("not complete after 5 minutes: version `v2` is pending"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("`kms:Decrypt`")));
    let (_, result) = run(&stub(vec![current("v1"), current("v1"), rotating(), current("v1")], rotated));
    assert!(matches!(result, Err(SecretRotationError::GivenUp(_))), "{result:?}");
}

#[test]
fn a_rotation_that_aws_does_not_start_is_explained() {
    for (rotate, hint) in [
        ((|| AwsReply::error(400, "AccessDeniedException")) as fn() -> AwsReply, "`lambda:InvokeFunction`"),
        (|| AwsReply::error(400, "InvalidRequestException"), "an earlier rotation may be incomplete"),
        (|| AwsReply::error(400, "KMSAccessDeniedException"), "`kms:Decrypt`"),
        (|| AwsReply::error(400, "ResourceNotFoundException"), "each region has its own"),
    ] {
        let (_, result) = run(&stub(vec![current("v1")], rotate));
        let error = result.expect_err(hint);
        assert!(error.to_string().contains("AWS does not start the rotation of secret `prod/db`"), "{error}");
        assert!(error.hint().is_some_and(|found| found.contains(hint)), "{hint}: {:?}", error.hint());
        assert!(!format!("{error} {error:?}").contains("CANARY"));
    }
}

#[test]
fn secrets_without_rotation_and_deleted_ones_are_refused() {
    for (field, value, expected) in [
        ("RotationEnabled", json!(false), "has no rotation"),
        ("DeletedDate", json!(1.7e9), "is marked for deletion"),
    ] {
        let stub = AwsStub::start(move |asked, _| {
            if asked.operation == "GetCallerIdentity" {
                return login();
            }
            let mut body = json!({"Name": "prod/db", "RotationEnabled": true, "VersionIdsToStages": {}});
            body[field] = value.clone();
            AwsReply::ok(body)
        });
        let (_, result) = run(&stub);
        let error = result.expect_err(expected);
        assert!(error.to_string().contains(expected) && error.hint().is_some(), "{error}");
        assert!(!stub.operations().iter().any(|operation| operation == "RotateSecret"));
    }
}
