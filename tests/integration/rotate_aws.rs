//! Tests of the arguments of `rotate aws`, `rotate aws-secret` and `put`, which need no account.

use crate::support::small_app::SmallApp;
use crate::support::{run, sealwave, stderr_of_failure};

const ROTATE: [&str; 7] = ["rotate", "aws", "--user", "airflow", "--env", "dev", "--no-backup"];

fn refused(args: &[&str], expected: &str) {
    let stderr = stderr_of_failure(args);
    assert!(stderr.contains(expected), "{args:?}: {stderr}");
}

#[test]
fn argo_cd_cannot_run_them() {
    let rotate = [&ROTATE[..], &["--write", "aws-sm:a#b,c", "--yes"]].concat();
    for args in [&rotate[..], &["rotate", "aws-secret", "a", "--yes"], &["put", "aws-sm:a", "--yes"]] {
        let output =
            sealwave().args(args).env("ARGOCD_APP_NAME", "shop").output().expect("the binary starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("must not be used when Argo CD runs sealwave"), "{stderr}");
    }
}

#[test]
fn malformed_arguments_are_refused_before_any_login() {
    for (args, expected) in [
        (&["--write", "aws-sm:a"][..], "`aws-sm:a` of `--write` is not a place for an access key"),
        (&["--write", "aws-sm:a#b"], "is not a place for an access key"),
        (&["--write", "nothing"], "is not a place for an access key"),
        (&["--write", "aws-sm:a#b,c", "--probe-bucket", "s3://models"], "is not the name of a bucket"),
        (
            &["--write", "aws-sm:a#b,c", "--probe-bucket", "models", "--probe-region", "x/y"],
            "is not a region",
        ),
        (
            &["--write", "aws-sm:a#b,c", "--probe-bucket", "models", "--probe-endpoint", "http://minio"],
            "`http://minio` of `--probe-endpoint` is not valid",
        ),
        (&["--write", "other:a#b,c"], "provider `other` is unknown: no operator file is given"),
        (&["--write", "aws-sm:a#b,c", "--wait", "soon"], "write a time such as `90s`, `24h` or `7d`"),
        (&["--write", "aws-sm:a#b,c", "--wait", "4000d"], "write a time such as"),
        (&["--write", "aws-sm:a b#c,d"], "the path is not a valid secret name"),
        (&["--write", "aws-sm:a\u{1b}[2J#c,d"], "the path is not a valid secret name"),
        (&["--write", "aws-ssm:/a,/b c"], "the path is not a valid parameter name"),
        (
            &["--write", "aws-sm:arn:aws:iam::123456789012:user/airflow#a,b"],
            "the path is not the ARN of a secret",
        ),
        (&["--write", "aws-sm:a#b,c", "--write", "other:a#b,c"], "provider `other` is unknown"),
        (&["--write", "aws-sm:a#b,c", "--provider", "other"], "provider `other` is unknown"),
        (&["--write", "aws-sm:a#b,c", "--region", "x/y"], "`region` of AWS is not valid"),
        (&["--write", "aws-sm:a#b,c", "--delete-key", "AKIA\n1"], "is not the id of an access key"),
        (&["--write", "aws-sm:a#b,c", "--delete-key=--yes"], "is not the id of an access key"),
        (
            &["--sealed-files", "docs", "--sealed-items", "A"],
            "`A` of `--sealed-items` does not name two items",
        ),
        (&["--sealed-files", "docs", "--sealed-items", "A,A"], "does not name two items"),
        (&["--sealed-files", "docs", "--sealed-items", "A,b c"], "does not name two items"),
        (&["--sealed-files", "docs", "--sealed-template", "a=/none"], "`/none` cannot be read"),
        (&["--sealed-files", "docs", "--allow-path", "["], "`[` is not a valid pattern of paths"),
        (
            &["--sealed-files", "docs", "--cert", "testdata/sealed-secrets/rsa2048.crt", "--dry-run"],
            "AWS_ACCESS_KEY_ID",
        ),
        (&[], "no place for the new access key is given"),
    ] {
        refused(&[&ROTATE[..], args, &["--yes"]].concat(), expected);
    }
    let place = ["--env", "dev", "--write", "aws-sm:a#b,c"];
    let rotate =
        |args: &[&str], expected: &str| refused(&[&["rotate", "aws"], &place[..], args].concat(), expected);
    rotate(&["--user", "a"], "--backup <PATH>");
    rotate(&["--user", "ops/a", "--no-backup"], "`ops/a` is not the name of an IAM user");
    rotate(&["--user", "a\u{7}", "--no-backup"], "is not the name of an IAM user");
    rotate(&["--user", "a", "--backup", "none/key.json"], "/none` does not exist");
    rotate(
        &["--user", "a", "--backup", "key.json", "--age-recipient", "age1"],
        "`age1` is not an age recipient",
    );
    for (args, expected) in [
        (&["rotate", "aws-secret", "a b", "--yes"][..], "the path is not a valid secret name"),
        (&["rotate", "aws-secret", "a\nb", "--yes"], "the path is not a valid secret name"),
        (&["rotate", "aws-secret", "a", "--provider", "aws-ssm", "--yes"], "is not of kind `aws-sm`"),
        (&["rotate", "aws-secret", "a", "--region", "eu", "--yes"], "`region` of AWS is not valid"),
        (&["put", "aws-ssm:/aws/reference/secretsmanager/a", "--yes"], "alias of a Secrets Manager secret"),
    ] {
        refused(args, expected);
    }
    refused(&["put", "aws-sm:a#b#1", "--yes"], "is not a reference to a secret");
    refused(&["put", "aws-sm", "--yes"], "is not a reference to a secret");
    refused(&["put", "aws-sm:a", "--from-file", "/none", "--yes"], "`/none` cannot be read");
    refused(&["put", "aws-sm:a", "--from-file", "/dev/zero", "--yes"], "`/dev/zero` cannot be read");
}

#[test]
fn the_policy_needs_no_login() {
    let place = ["--write", "aws-sm:dev/aws#ID,SECRET", "--print-policy"];
    for (args, resources) in [
        (&place[..], ["arn:aws:iam::*:user/airflow", "arn:aws:secretsmanager:*:*:secret:dev/aws-??????"]),
        (
            &[&place[..], &["--region", "cn-north-1"]].concat(),
            [
                "arn:aws-cn:iam::*:user/airflow",
                "arn:aws-cn:secretsmanager:cn-north-1:*:secret:dev/aws-??????",
            ],
        ),
    ] {
        // There are no credentials, and no address can be reached.
        let output = run(&[&ROTATE[..], args].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let policy: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(policy["Statement"][0]["Resource"], resources[0]);
        assert_eq!(policy["Statement"][1]["Resource"], serde_json::json!([resources[1]]));
        assert!(String::from_utf8_lossy(&output.stderr).contains("replace `*` by the number of the account"));
    }
    let output = run(&[&ROTATE[..], &["--print-policy"]].concat());
    assert!(output.status.success() && serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok());
}

#[test]
fn places_are_suggested_and_never_used() {
    let suggest = |app: &str| stderr_of_failure(&[&ROTATE[..], &["--verify", app, "--yes"]].concat());
    let stderr = suggest("testdata/scenario-2-rotation/app");
    for namespace in ["fastapi", "mlflow"] {
        let file = format!(
            "--sealed-files=testdata/scenario-2-rotation/app/envs/dev/sealed-secrets/{namespace}/sealed-aws-credentials-dev-secret.yaml"
        );
        assert!(stderr.contains(&file), "{stderr}");
    }
    assert!(stderr.contains("check that each one is yours") && !stderr.contains("/prod/"), "{stderr}");

    let app = SmallApp::new();
    let secret = |name: &str, path: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: shop}}\nstringData:\n  \
             AWS_ACCESS_KEY_ID: <{path}#id>\n  AWS_SECRET_ACCESS_KEY: <{path}#secret>\n---\n"
        )
    };
    let composite = "apiVersion: v1\nkind: Secret\nmetadata: {name: file, namespace: shop}\nstringData:\n  credentials: \"<aws-sm:team/file#AWS_ACCESS_KEY_ID>:<aws-sm:team/file#AWS_SECRET_ACCESS_KEY>\"\n";
    app.write(
        "app/base/secrets.yaml",
        &[
            secret("one", "aws-sm:team/aws"),
            secret("two", "aws-sm:rds!team"),
            secret("three", "file:db.yaml"),
            secret("four", "aws-sm:$(id)"),
            composite.to_owned(),
        ]
        .concat(),
    );
    let stderr = suggest(&app.path("app").display().to_string());
    for flag in [
        "--write='aws-sm:team/aws#id,secret'",
        "--write='aws-sm:rds!team#id,secret'",
        "--write='aws-sm:team/file#AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY'",
    ] {
        assert!(stderr.contains(flag), "{flag}: {stderr}");
    }
    assert!(!stderr.contains("$(id)") && !stderr.contains("file:db"), "{stderr}");

    // Names of files are quoted, so that a copied command is what it looks like.
    fs_err::remove_file(app.path("app/base/secrets.yaml")).expect("removed");
    let sealed = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: a, namespace: shop}\n\
                  spec: {encryptedData: {AWS_ACCESS_KEY_ID: AgA=, AWS_SECRET_ACCESS_KEY: AgA=}}\n";
    app.write("app/base/a $(id) 'b.yaml", sealed);
    let stderr = suggest(&app.path("app").display().to_string());
    assert!(stderr.contains(r"base/a $(id) '\''b.yaml'"), "{stderr}");
    fs_err::rename(app.path("app/base/a $(id) 'b.yaml"), app.path("app/base/a\u{202e}b.yaml"))
        .expect("renamed");
    let stderr = suggest(&app.path("app").display().to_string());
    assert!(!stderr.contains('\u{202e}') && !stderr.contains("--sealed-files="), "{stderr}");
    let stderr = suggest("docs");
    assert!(stderr.contains("pass `--write PROVIDER:PATH#ID-KEY,SECRET-KEY`"), "{stderr}");
}

/// S3 is often elsewhere, for example in the cluster, while the other services are at AWS.
#[cfg(all(feature = "k8s", feature = "sops", unix))]
#[test]
fn the_bucket_is_probed_where_the_aws_configuration_says() {
    use crate::canary_operations::place::Place;
    use sealwave_testkit::stub_server::{StubReply, StubServer};

    let rotate = |configure: &dyn Fn(&mut std::process::Command, &Place, &str)| {
        let s3 = StubServer::start(|_, _| StubReply::json(200, "<ListBucketResult/>"));
        let place = Place::new();
        let args = [
            "--operator",
            "operator/operator.yaml",
            "--write",
            "aws-sm:shop/db#AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY",
            "--probe-bucket",
            "models",
            "--yes",
        ];
        let mut command = place.command(&[&ROTATE[..], &args].concat());
        configure(&mut command, &place, &s3.address);
        let output = command.output().expect("the binary starts");
        let targets: Vec<String> = s3.asked().into_iter().map(|asked| asked.target).collect();
        let texts = [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("UTF-8"));
        (output.status.code(), texts, targets)
    };
    let profile = |command: &mut std::process::Command, place: &Place, text: &str| {
        place.write("config", text);
        command.env("AWS_CONFIG_FILE", place.path("config"));
    };
    for (what, configure) in [
        (
            "variable of the service",
            &(|command: &mut std::process::Command, _: &Place, s3: &str| {
                command.env("AWS_ENDPOINT_URL_S3", s3);
            }) as &dyn Fn(&mut std::process::Command, &Place, &str),
        ),
        ("services of the profile", &|command, place, s3| {
            profile(
                command,
                place,
                &format!("[default]\nservices = local\n[services local]\ns3 =\n  endpoint_url = {s3}\n"),
            );
        }),
        ("flag", &|command, _, s3| {
            command.env("AWS_ENDPOINT_URL_S3", "https://s3.invalid").args(["--probe-endpoint", s3]);
        }),
    ] {
        let (code, [_, stderr], targets) = rotate(configure);
        assert_eq!(code, Some(1), "{what}: {stderr}");
        assert_eq!(targets, ["/models?list-type=2&max-keys=0"; 3], "{what}");
    }
    let (code, [stdout, stderr], targets) = rotate(&|command, _, _| {
        command.env("AWS_ENDPOINT_URL_S3", "http://minio.example.com:9000");
    });
    assert_eq!((code, targets.len(), stdout.as_str()), (Some(2), 0, ""), "{stderr}");
    assert!(stderr.contains("the address of S3 in the AWS configuration is not valid"), "{stderr}");
    assert!(stderr.contains("`AWS_ENDPOINT_URL_S3`"), "{stderr}");
}
