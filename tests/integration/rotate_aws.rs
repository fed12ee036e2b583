//! Tests of the arguments of `rotate aws`, `rotate aws-secret` and `put`, which need no account.

use crate::support::{sealwave, stderr_of_failure};

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
        (&[], "--write <PLACE>"),
    ] {
        refused(&[&ROTATE[..], args, &["--yes"]].concat(), expected);
    }
    refused(&["rotate", "aws", "--user", "a", "--env", "dev", "--write", "aws-sm:a#b,c"], "--backup <PATH>");
    refused(&["put", "aws-sm:a#b#1", "--yes"], "is not a reference to a secret");
    refused(&["put", "aws-sm", "--yes"], "is not a reference to a secret");
    refused(&["put", "aws-sm:a", "--from-file", "/none", "--yes"], "`/none` cannot be read");
    refused(&["put", "aws-sm:a", "--from-file", "/dev/zero", "--yes"], "`/dev/zero` cannot be read");
}
