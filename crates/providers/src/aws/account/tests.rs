//! Tests of responses that are not what was requested: from a wrong address, a proxy, or an attacker in between.

use std::sync::Arc;

use sealwave_testkit::aws_stub::{AwsReply, AwsRequest, AwsStub};
use serde_json::{Value, json};

use super::*;
use sealwave_secrets::values::SecretValue;

const OLD: &str = "AKIAEXAMPLEOLD000001";

/// Returns a response with this body.
fn raw(kind: &str, body: &str) -> AwsReply {
    let length = body.len();
    AwsReply::Raw(
        format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
            .into_bytes(),
    )
}

fn xml(action: &str, result: &str) -> AwsReply {
    raw(
        "text/xml",
        &format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"),
    )
}

fn html() -> AwsReply {
    raw("text/html", "<html><body>Sign in to CANARY</body></html>")
}

/// Starts a stub whose other calls than the login get this response, and logs in.
fn account(answer: impl Fn(&AwsRequest) -> AwsReply + Send + Sync + 'static) -> (AwsStub, AwsAccount) {
    let stub = AwsStub::start(move |asked, before| match asked.operation.as_str() {
        "GetCallerIdentity" if before == 0 => xml(
            "GetCallerIdentity",
            "<Arn>arn:aws:iam::123456789012:user/ops</Arn><UserId>x</UserId><Account>123456789012</Account>",
        ),
        _ => answer(asked),
    });
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
    (stub, account)
}

fn member(user: &str, id: &str) -> String {
    format!(
        "<member><UserName>{user}</UserName><AccessKeyId>{id}</AccessKeyId><Status>Active</Status><CreateDate>2026-01-01T00:00:00Z</CreateDate></member>"
    )
}

fn refused<T>(result: Result<T, AwsError>, what: &str) -> String {
    let Err(error) = result else { panic!("{what} is accepted") };
    let text = format!("{error} {error:?}");
    assert!(!text.contains("CANARY") && !text.chars().any(char::is_control), "{what}: {text}");
    error.to_string()
}

#[test]
fn lists_of_keys_are_complete_and_of_the_user() {
    let list = |page: String| account(move |_| xml("ListAccessKeys", &page)).1.access_keys("airflow");
    let page = |members: &str, end: &str| format!("<AccessKeyMetadata>{members}</AccessKeyMetadata>{end}");
    let end = "<IsTruncated>false</IsTruncated>";
    let keys = list(page(&member("airflow", OLD), end)).expect("a list");
    assert_eq!(keys.len(), 1);
    for (what, page) in [
        ("another user", page(&member("other", OLD), end)),
        ("a duplicate", page(&member("airflow", OLD).repeat(2), end)),
        ("a control character", page(&member("airflow", "AKIA&#27;[2JEXAMPLE0001"), end)),
        ("a line break", page(&member("airflow", "AKIAEXAMPLE&#10;OLD000001"), end)),
        ("a short id", page(&member("airflow", "AKIA"), end)),
        ("a long id", page(&member("airflow", &"A".repeat(10_000)), end)),
        ("no id", page("<member><Status>Active</Status></member>", end)),
        ("pages without end", page("", "<IsTruncated>true</IsTruncated><Marker>same</Marker>")),
        (
            "the same page again",
            page(&member("airflow", OLD), "<IsTruncated>true</IsTruncated><Marker>same</Marker>"),
        ),
    ] {
        assert!(refused(list(page), what).contains("malformed"), "{what}");
    }
}

#[test]
fn a_user_is_the_one_that_was_requested() {
    let user = |arn: &str| {
        let body = format!(
            "<User><Path>/</Path><UserName>airflow</UserName><UserId>AIDAEXAMPLE</UserId><Arn>{arn}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></User>"
        );
        account(move |_| xml("GetUser", &body)).1.user_arn("airflow")
    };
    for arn in ["arn:aws:iam::123456789012:user/airflow", "arn:aws-cn:iam::123456789012:user/ops/airflow"] {
        assert_eq!(user(arn).as_deref(), Ok(arn));
    }
    for arn in [
        "arn:aws:iam::123456789012:user/other",
        "arn:aws:iam::123456789012:user/Airflow",
        "arn:aws:iam::123456789012:user/airflow/other",
        "arn:aws:iam::999999999999:user/airflow",
        "arn:aws:iam::123456789012:role/airflow",
        "airflow",
        "arn:aws:iam::123456789012:user/air&#10;flow",
        "arn:aws:iam::123456789012:user/`airflow",
        "",
    ] {
        refused(user(arn), arn);
    }
}

#[test]
fn dates_out_of_range_are_no_dates() {
    let used = |date: &str| {
        let body = format!(
            "<UserName>airflow</UserName><AccessKeyLastUsed><LastUsedDate>{date}</LastUsedDate><ServiceName>s3</ServiceName><Region>eu-west-1</Region></AccessKeyLastUsed>"
        );
        account(move |_| xml("GetAccessKeyLastUsed", &body)).1.last_use(OLD)
    };
    assert!(used("2026-01-01T00:00:00Z").expect("a use").is_some());
    assert!(used("9999-12-31T23:59:59Z").expect("a use").is_some());
    // A use without a usable date is a use.
    for date in ["1960-01-01T00:00:00Z", "+292277026596-12-04T15:30:07Z", "soon"] {
        refused(used(date), date);
    }
    let created = |date: &str| {
        let key = member("airflow", OLD).replace("2026-01-01T00:00:00Z", date);
        let body = format!("<AccessKeyMetadata>{key}</AccessKeyMetadata><IsTruncated>false</IsTruncated>");
        account(move |_| xml("ListAccessKeys", &body)).1.access_keys("airflow")
    };
    assert_eq!(created("1960-01-01T00:00:00Z").expect("a list")[0].created, None);
    let never = account(|_| {
        xml(
            "GetAccessKeyLastUsed",
            "<AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed>",
        )
    });
    assert_eq!(never.1.last_use(OLD), Ok(None));
}

#[test]
fn a_new_key_is_of_the_user_and_has_an_id() {
    for (user, id) in [("other", OLD), ("airflow", "AKIA&#27;EXAMPLEOLD0001"), ("airflow", "")] {
        let body = format!(
            "<AccessKey><UserName>{user}</UserName><AccessKeyId>{id}</AccessKeyId><Status>Active</Status><SecretAccessKey>CANARY</SecretAccessKey></AccessKey>"
        );
        let (stub, account) = account(move |_| xml("CreateAccessKey", &body));
        let created = account.create_access_key("airflow");
        assert!(created.as_ref().is_err_and(AwsError::may_have_had_effect), "{user} {id}");
        refused(created.map(drop), id);
        assert_eq!(stub.operations().iter().filter(|name| *name == "CreateAccessKey").count(), 1);
    }
}

#[test]
fn values_are_those_that_were_requested() {
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/aws-AbCdEf";
    let secret = |name: &'static str| {
        let body = json!({"Name": name, "ARN": arn, "VersionId": "v1", "SecretString": "CANARY", "VersionIdsToStages": {}});
        account(move |_| AwsReply::ok(body.clone())).1
    };
    for requested in ["prod/aws", arn, arn.trim_end_matches("-AbCdEf")] {
        assert!(secret("prod/aws").secret(requested, VersionStage::Current).is_ok(), "{requested}");
        assert!(secret("prod/aws").describe_secret(requested).is_ok(), "{requested}");
    }
    refused(secret("prod/other").secret("prod/aws", VersionStage::Current).map(drop), "another name");
    refused(secret("prod/other").describe_secret("prod/aws"), "another name");
    let parameter = |body: Value| account(move |_| AwsReply::ok(body.clone())).1.parameter("/prod/id");
    let found = |name: &str| json!({"Parameters": [{"Name": name, "Value": "CANARY", "Version": 1}], "InvalidParameters": []});
    assert!(parameter(found("/prod/id")).is_ok());
    refused(parameter(found("/prod/other")).map(drop), "another parameter");
    refused(parameter(json!({"Parameters": []})).map(drop), "no parameter");
    let missing = json!({"Parameters": [], "InvalidParameters": ["/prod/id"]});
    assert!(refused(parameter(missing).map(drop), "missing").contains("AWS has nothing with this name"));
}

#[test]
fn a_page_of_a_proxy_is_no_response() {
    let (_stub, account) = account(|_| html());
    let value = SecretValue::new(b"CANARY".to_vec());
    let probe = BucketProbe { bucket: "models".to_owned(), region: None, endpoint: None };
    for (what, error) in [
        ("GetUser", refused(account.user_arn("airflow"), "GetUser")),
        ("ListAccessKeys", refused(account.access_keys("airflow"), "ListAccessKeys")),
        ("GetAccessKeyLastUsed", refused(account.last_use(OLD), "GetAccessKeyLastUsed")),
        ("CreateAccessKey", refused(account.create_access_key("airflow").map(drop), "CreateAccessKey")),
        ("GetCallerIdentity", refused(account.identity_of_key(OLD, &value), "GetCallerIdentity")),
        ("ListBucket", refused(account.probe_bucket(&probe, OLD, &value), "ListBucket")),
        ("GetSecretValue", refused(account.secret("a", VersionStage::Current).map(drop), "GetSecretValue")),
        ("PutSecretValue", refused(account.put_secret("a", &value, false, None), "PutSecretValue")),
        ("DescribeSecret", refused(account.describe_secret("a"), "DescribeSecret")),
        ("RotateSecret", refused(account.rotate_secret("a"), "RotateSecret")),
        ("GetParameters", refused(account.parameter("a").map(drop), "GetParameters")),
    ] {
        assert!(error.contains(what) || error.contains("malformed"), "{what}: {error}");
    }
    for status in [KeyStatus::Active, KeyStatus::Inactive] {
        refused(account.set_key_status("airflow", OLD, status), "UpdateAccessKey");
    }
    refused(account.delete_access_key("airflow", OLD), "DeleteAccessKey");
}

#[test]
fn a_response_without_end_is_given_up() {
    // One attempt reads at most 16 MiB of it.
    let value = "CANARY".repeat(3 << 20);
    let body = json!({"Name": "a", "VersionId": "v1", "SecretString": value}).to_string();
    let (_stub, account) = account(move |_| raw("application/x-amz-json-1.1", &body));
    let error = refused(account.secret("a", VersionStage::Current).map(drop), "18 MiB");
    assert!(error.contains("malformed"), "{error}");
}
