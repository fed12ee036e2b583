//! Tests of the binary with an AWS stub: the number of calls, and that no output contains values or credentials.

use std::process::Output;

use crate::support::small_app::SmallApp;
use crate::support::{MARKER, find_marker, objects, sealwave};
use sealwave_testkit::aws_stub::{AwsReply, AwsRequest, AwsStub, answer_with};
use serde_json::Value;

/// Returns the small app with AWS instead of files, and credentials that contain the marker.
fn app(endpoint: &str) -> SmallApp {
    let app = SmallApp::new();
    app.write(
        "operator/operator.yaml",
        &format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\ndeadlineSeconds: 20\n\
             clusters: {{dev: {{certificate: {{file: dev.pem, allowExpired: true}}}}}}\n\
             providers:\n  aws-sm: {{kind: aws-sm, region: eu-west-1, endpointUrl: '{endpoint}'}}\n  \
             aws-ssm: {{kind: aws-ssm, region: eu-west-1, endpointUrl: '{endpoint}'}}\n\
             policy: [{{projects: ['*'], allow: ['aws-sm:**', 'aws-ssm:**']}}]\n"
        ),
    );
    let items: Vec<String> = (0..300)
        .map(|n| format!("  s{n}: \"<aws-sm:db-{:02}#password> <aws-ssm:/p-{}>\"\n", n % 20, n % 10))
        .collect();
    app.write(
        "app/base/secrets.yaml",
        &format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: api, namespace: shop}}\nstringData:\n{}",
            items.concat()
        ),
    );
    app
}

fn generate(app: &SmallApp, variables: &[(&str, &str)]) -> Output {
    let output = sealwave()
        .args(app.args())
        .current_dir(app.path("app"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    for bytes in [&output.stdout, &output.stderr] {
        assert_eq!(find_marker(bytes, MARKER), None, "{}", String::from_utf8_lossy(bytes));
    }
    output
}

const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIACANARY"),
    ("AWS_SECRET_ACCESS_KEY", "CANARY-secret"),
    ("AWS_SESSION_TOKEN", "CANARY-token"),
];

fn canary(asked: &AwsRequest) -> AwsReply {
    answer_with(|name| format!("{{\"password\": \"CANARY {name}\"}}"), asked)
}

#[test]
fn six_hundred_placeholders_need_one_call_per_service() {
    let stub = AwsStub::start(|asked, _| canary(asked));
    let app = app(&stub.endpoint);
    app.replace(
        "operator/operator.yaml",
        "deadlineSeconds: 20\n",
        "deadlineSeconds: 20\naudit: {file: audit.jsonl}\n",
    );
    let output = generate(&app, &KEYS);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!objects(std::str::from_utf8(&output.stdout).unwrap()).is_empty());
    let mut operations = stub.operations();
    operations.sort();
    assert_eq!(operations, ["BatchGetSecretValue", "GetParameters"]);
    // One line for each reference, with the version that AWS reports.
    let audit = fs_err::read_to_string(app.path("operator/audit.jsonl")).unwrap();
    assert_eq!(find_marker(audit.as_bytes(), MARKER), None, "{audit}");
    let lines: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 30);
    for line in lines {
        let secret = line["reference"].as_str().unwrap().starts_with("aws-sm:");
        let expected = if secret { "11111111-2222-3333-4444-555555555555" } else { "1" };
        assert_eq!((&line["version"], &line["fetchedVersion"]), (&Value::Null, &expected.into()), "{line}");
    }
}

#[test]
fn authors_cannot_choose_endpoints_or_credentials() {
    let stub = AwsStub::start(|asked, _| canary(asked));
    let trap = AwsStub::start(|asked, _| canary(asked));
    let endpoint = trap.endpoint.as_str();
    let mut variables = KEYS.to_vec();
    variables.extend([
        ("ARGOCD_APP_NAME", "shop"),
        ("ARGOCD_APP_PROJECT_NAME", "shop"),
        ("ARGOCD_APP_NAMESPACE", "shop"),
        ("ARGOCD_APP_PARAMETERS", r#"[{"name":"env","string":"dev"}]"#),
        ("ARGOCD_ENV_AWS_ENDPOINT_URL", endpoint),
        ("ARGOCD_ENV_AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint),
        ("ARGOCD_ENV_AWS_PROFILE", "evil"),
        ("ARGOCD_ENV_AWS_ACCESS_KEY_ID", "EVIL"),
        ("PARAM_ENDPOINT_URL", endpoint),
    ]);
    let app = app(&stub.endpoint);
    let mut args = app.args();
    args.truncate(args.iter().position(|arg| arg == "--project").unwrap());
    let output = sealwave().args(args).envs(variables).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(trap.asked().is_empty());
    assert!(stub.asked().iter().all(|asked| asked.authorization.contains("Credential=AKIACANARY/")));
}

/// Without `HOME`, the SDK would use a directory `~` of the app as the home directory, and run commands of its profiles.
#[test]
fn a_profile_in_the_app_is_never_read() {
    let stub = AwsStub::start(|asked, _| canary(asked));
    let app = app(&stub.endpoint);
    let trap = app.path("trap");
    let process = format!("[default]\nregion = eu-west-1\ncredential_process = touch {}\n", trap.display());
    for path in ["app/~/.aws/config", "app/.aws/config", "app/config"] {
        app.write(path, &process);
    }
    for variables in [&[][..], &[("HOME", "")], &[("HOME", ".")], &[("AWS_CONFIG_FILE", "config")]] {
        let output = generate(&app, variables);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("no AWS credentials were found"), "{variables:?}: {stderr}");
        assert!(!trap.exists(), "{variables:?}: a command of the app was run");
    }
    // The same command runs if the operator configures it.
    let config = app.path("app/config");
    generate(&app, &[("AWS_CONFIG_FILE", config.to_str().unwrap())]);
    assert!(trap.exists());
}

#[test]
fn errors_contain_no_secrets() {
    let echo = |status: u16| {
        move |asked: &AwsRequest, _: usize| {
            let code = "CANARY";
            AwsReply::Json(
                status,
                serde_json::json!({"__type": code, "message": format!("CANARY {}", asked.body)}),
            )
        }
    };
    let cases: Vec<(AwsStub, &str)> = vec![
        (
            AwsStub::start(|_, _| AwsReply::error(400, "UnrecognizedClientException")),
            "rejected the credentials",
        ),
        (AwsStub::start(|_, _| AwsReply::error(400, "ExpiredTokenException")), "rejected the credentials"),
        (AwsStub::start(|_, _| AwsReply::error(400, "AccessDeniedException")), "is not allowed to call"),
        (
            AwsStub::start(|_, _| {
                AwsReply::ok(serde_json::json!({"SecretValues": [{"Name": {"CANARY": 1}}]}))
            }),
            "incomplete or malformed",
        ),
        (
            AwsStub::start(|_, _| {
                AwsReply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nCANARY".to_vec())
            }),
            "incomplete or malformed",
        ),
        (AwsStub::start(|asked, _| answer_with(|_| "CANARY {".to_owned(), asked)), "not a JSON object"),
        (
            AwsStub::start(|asked, _| answer_with(|_| "{\"password\": CANARY}".to_owned(), asked)),
            "well-formed",
        ),
        (AwsStub::start(echo(400)), "HTTP 400"),
    ];
    for (stub, word) in cases {
        let app = app(&stub.endpoint);
        app.write(
            "app/base/secrets.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: api}\nstringData: {a: '<aws-sm:a#password>', b: '<aws-sm:b#password>'}\n",
        );
        let output = generate(&app, &KEYS);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{word}: {stderr}");
        assert!(output.stdout.is_empty() && stderr.contains(word), "{word}: {stderr}");
        assert!(!stderr.contains("internal error"), "{stderr}");
    }
}

/// IRSA exchanges a token for credentials at STS; Pod Identity gets them from an agent on the node.
#[test]
fn pod_identities_are_found_by_the_sdk() {
    let stub = AwsStub::start(|asked, _| match asked.operation.as_str() {
        "AssumeRoleWithWebIdentity" => {
            let body = "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAIRSA</AccessKeyId>\
                <SecretAccessKey>CANARY</SecretAccessKey><SessionToken>CANARY</SessionToken>\
                <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
                </AssumeRoleWithWebIdentityResponse>";
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            AwsReply::Raw((head + body).into_bytes())
        }
        "" if asked.authorization == "CANARY-agent" => AwsReply::ok(serde_json::json!({
            "AccessKeyId": "ASIAPOD", "SecretAccessKey": "CANARY", "Token": "CANARY", "Expiration": "2099-01-01T00:00:00Z",
        })),
        _ => canary(asked),
    });
    let app = app(&stub.endpoint);
    app.write("token", "CANARY-agent");
    let token = app.path("token");
    let token = token.to_str().unwrap();
    let agent = format!("{}/v1/credentials", stub.endpoint);
    let irsa = [
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/shop"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token),
        ("AWS_ENDPOINT_URL_STS", &stub.endpoint),
    ];
    let pod = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token),
    ];
    for (variables, key) in [(&irsa[..], "ASIAIRSA"), (&pod[..], "ASIAPOD")] {
        let before = stub.asked().len();
        let output = generate(&app, variables);
        assert!(output.status.success(), "{key}: {}", String::from_utf8_lossy(&output.stderr));
        let asked = stub.asked().split_off(before);
        let calls: Vec<_> = asked.iter().filter(|asked| asked.target.contains("GetSecretValue")).collect();
        assert!(calls.len() == 1 && calls[0].authorization.contains(&format!("Credential={key}/")), "{key}");
    }
}

#[test]
fn status_reports_versions_and_ages_as_aws_tells_them() {
    let stub = AwsStub::start(|asked, _| canary(asked));
    let app = app(&stub.endpoint);
    app.write(
        "app/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nrotation: [{secret: api, rotation: automatic, maxAge: 90d, rotated: 2025-12-31}]\n",
    );
    let mut args = app.args();
    args[0] = "status".to_owned();
    let output = sealwave()
        .args(args.iter().filter(|arg| !["--env", "dev"].contains(&arg.as_str())))
        .args(["--fetch", "-o", "json"])
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("SOURCE_DATE_EPOCH", "1767225600")
        .envs(KEYS)
        .output()
        .unwrap();
    for bytes in [&output.stdout, &output.stderr] {
        assert_eq!(find_marker(bytes, MARKER), None, "{}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let api = &report["secrets"][0];
    // What the source tells counts more than what a person wrote.
    assert_eq!(api["state"], "overdue");
    assert_eq!(api["changed"], serde_json::json!({"date": "2023-11-14", "days": 779, "source": "source"}));
    assert_eq!(api["versions"]["aws-sm:db-07#password"], "11111111-2222-3333-4444-555555555555");
    assert_eq!(api["versions"]["aws-ssm:/p-3"], "1");
}

/// Returns a response of a service that speaks XML.
fn xml(status: &str, body: &str) -> AwsReply {
    let head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    AwsReply::Raw((head + body).into_bytes())
}

#[test]
fn status_reports_the_access_keys_of_users_with_one_call_for_each() {
    let lists = std::sync::atomic::AtomicUsize::new(0);
    let stub = AwsStub::start(move |asked, _| match asked.operation.as_str() {
        "GetCallerIdentity" => xml(
            "200 OK",
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/me</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
        ),
        "ListAccessKeys" if lists.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 2 == 1 => xml(
            "403 Forbidden",
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>CANARY</Message></Error></ErrorResponse>",
        ),
        "ListAccessKeys" => {
            let key = |id: &str, status: &str, day: &str| {
                format!(
                    "<member><UserName>airflow</UserName><AccessKeyId>{id}</AccessKeyId><Status>{status}</Status><CreateDate>{day}T00:00:00Z</CreateDate></member>"
                )
            };
            let keys = [
                key("AKIAIOSFODNN7EXAMPL1", "Active", "2025-12-22"),
                key("AKIAIOSFODNN7EXAMPL2", "Active", "2025-06-05"),
                key("AKIAIOSFODNN7EXAMPL3", "Inactive", "2020-01-01"),
            ];
            xml(
                "200 OK",
                &format!(
                    "<ListAccessKeysResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListAccessKeysResult><IsTruncated>false</IsTruncated><AccessKeyMetadata>{}</AccessKeyMetadata></ListAccessKeysResult></ListAccessKeysResponse>",
                    keys.concat()
                ),
            )
        }
        _ => canary(asked),
    });
    let app = app(&stub.endpoint);
    app.write(
        "app/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments: {dev: {}, prod: {cluster: dev}}\nrotation:\n- {secret: api, environments: [dev], rotation: manual, maxAge: 90d, rotated: 2025-12-31, iamUser: airflow}\n- {secret: api, rotation: manual, iamUser: denied}\n",
    );
    let status = |more: &[&str]| {
        let mut args = app.args();
        args[0] = "status".to_owned();
        let output = sealwave()
            .args(args.iter().filter(|arg| !["--env", "dev"].contains(&arg.as_str())))
            .args(more)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("SOURCE_DATE_EPOCH", "1767225600")
            .envs(KEYS)
            .output()
            .unwrap();
        for bytes in [&output.stdout, &output.stderr] {
            assert_eq!(find_marker(bytes, MARKER), None, "{}", String::from_utf8_lossy(bytes));
        }
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr), output.status.code())
    };
    let (text, stderr, code) = status(&["--fetch"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(text.contains("overdue    shop/api: manual, at most 90 days, 210 days old (2025-06-05 by its oldest active access key)"), "{stderr}");
    assert!(text.contains("access keys: user `airflow`: 2 are active: `AKIAIOSFODNN7EXAMPL2` 210 days old, `AKIAIOSFODNN7EXAMPL1` 10 days old\n"), "{text}");
    assert!(
        stderr.contains("access keys of user `denied` are not known: ")
            && stderr.contains("iam:ListAccessKeys"),
        "{stderr}"
    );
    let asked = stub.operations();
    let listed = asked.iter().filter(|operation| *operation == "ListAccessKeys").count();
    assert_eq!(listed, 2, "{asked:?}");
    assert!(
        asked.iter().all(|one| [
            "GetCallerIdentity",
            "ListAccessKeys",
            "BatchGetSecretValue",
            "GetSecretValue",
            "GetParameters"
        ]
        .contains(&one.as_str())),
        "{asked:?}"
    );

    let (text, _, _) = status(&[]);
    assert!(text.contains("access keys: user `airflow`: not known\n"), "{text}");
    assert_eq!(stub.operations().len(), asked.len(), "without `--fetch`, AWS is not asked");
    let (_, stderr, _) = status(&["--fetch", "--aws-provider", "other"]);
    assert!(
        stderr.contains(
            "access keys of user `airflow` are not known: provider `other` is not in the operator file"
        ),
        "{stderr}"
    );
}
