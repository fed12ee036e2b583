//! Canary test of operations: every command that seals, reads or replaces secrets outside of Argo CD, in runs that succeed and that
//! fail. The marker, plain or encoded, must be in no output, plan, journal, notification, temporary file or Git object; files that
//! hold secrets are private, and are those of the documentation.

pub(crate) mod place;

use std::collections::BTreeSet;
use std::thread;

use clap::CommandFactory as _;

use crate::support::aws_user::OLD_KEY;
use crate::support::root;
use place::{Place, SECRET};

/// The runs of a command.
type OperationRuns = fn(&Place);

/// The commands of operations, each with its runs.
const OPERATIONS: [(&str, OperationRuns); 15] = [
    ("cert check", cert_check),
    ("cert fetch", cert_fetch),
    ("cert list", cert_list),
    ("cert show", cert_show),
    ("key generate", key_generate),
    ("put", put),
    ("reseal", reseal),
    ("rotate aws", rotate_aws),
    ("rotate aws-secret", rotate_aws_secret),
    ("rotate controller-key", rotate_controller_key),
    ("seal", seal),
    ("status", status),
    ("switch", switch),
    ("unseal", unseal),
    ("verify", verify),
];

/// Commands that other modules run with the marker, with these modules.
const ELSEWHERE: [(&str, &str); 6] = [
    ("check", "check_operator"),
    ("generate", "canary"),
    ("init", "init"),
    ("refs", "canary"),
    ("render", "canary"),
    ("validate", "canary_validate"),
];

/// Commands that read no file that may have a secret in it.
const WITHOUT_SECRETS: [&str; 6] =
    ["completions", "copy", "discover", "parameters", "schemas print", "schemas pull"];

/// Returns all commands without further subcommands.
fn leaf_commands() -> Vec<String> {
    fn add(command: &clap::Command, before: &str, leaves: &mut Vec<String>) {
        let mut children = command.get_subcommands().filter(|child| child.get_name() != "help").peekable();
        if children.peek().is_none() {
            leaves.push(before.trim_start().to_owned());
        }
        for child in children {
            add(child, &format!("{before} {}", child.get_name()), leaves);
        }
    }
    let mut leaves = Vec::new();
    add(&sealwave::cli::Cli::command(), "", &mut leaves);
    leaves.sort();
    leaves
}

#[test]
fn every_command_is_in_a_table() {
    let known = OPERATIONS.iter().map(|(name, _)| *name);
    let known = known.chain(ELSEWHERE.iter().map(|(name, _)| *name)).chain(WITHOUT_SECRETS);
    let mut known: Vec<String> = known.map(str::to_owned).collect();
    known.sort();
    assert_eq!(leaf_commands(), known, "add a new command to a table, with runs that succeed and fail");
    for (command, module) in ELSEWHERE {
        let source = fs_err::read_to_string(root().join(format!("tests/integration/{module}.rs"))).unwrap();
        assert!(source.contains(command) && source.contains("CANARY"), "{command} in {module}");
    }
}

#[test]
fn no_operation_shows_the_marker_and_secret_files_are_those_of_the_documentation() {
    let run = |(command, runs): &(&str, fn(&Place))| {
        let place = Place::new();
        runs(&place);
        place.finish(command)
    };
    let used: BTreeSet<&str> = thread::scope(|scope| {
        let threads: Vec<_> =
            OPERATIONS.iter().map(|operation| scope.spawn(move || run(operation))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("see above")).collect()
    });
    let page = fs_err::read_to_string(root().join("docs/operating/changes.md")).unwrap();
    let (_, section) = page.split_once("## Files that hold secrets\n").expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(rows.collect::<BTreeSet<_>>(), used, "the table of files that hold secrets");
}

fn cert_check(place: &Place) {
    place.ends(0, &["cert", "check", "keys/rsa2048.crt"]);
    place.ends(1, &["cert", "check", "keys/rsa3072.crt", "-o", "json"]);
    place.ends(2, &["cert", "check", "keys/rsa2048.key"]);
    place.ends(2, &["cert", "check", "secret.yaml"]);
    place.ends(2, &["cert", "check", "keys/rsa2048.crt", "--controller-namespace", "none"]);
}

fn cert_fetch(place: &Place) {
    place.ends(0, &["cert", "fetch"]);
    place.ends(0, &["cert", "fetch", "-w", "fetched.pem"]);
    place.ends(2, &["cert", "fetch", "-w", "secret.yaml"]);
    place.ends(2, &["cert", "fetch", "-w", "keys/rsa2048.key", "-o", "json"]);
    place.ends(2, &["cert", "fetch", "--controller-name", "none"]);
}

fn cert_list(place: &Place) {
    place.ends(0, &["cert", "list"]);
    place.ends(0, &["cert", "list", "-o", "json"]);
    place.ends(2, &["cert", "list", "--controller-namespace", "none"]);
}

fn cert_show(place: &Place) {
    place.ends(0, &["cert", "show", "keys/rsa2048.crt"]);
    place.ends(0, &["cert", "show", "--operator", "operator/operator.yaml"]);
    for file in ["keys/rsa2048.key", "secret.yaml", "value"] {
        place.ends(2, &["cert", "show", file]);
    }
}

fn key_generate(place: &Place) {
    let rows = [
        "key generate --output FILE",
        "key generate --checksum-output FILE",
        "key generate --derivation-output FILE",
    ];
    let files = ["seal-key", "checksum-key", "derivation-key"];
    for (row, file) in rows.into_iter().zip(files) {
        place.expect_secret_file(row, file);
    }
    let [seal, checksum, derivation] = files;
    let printed = place.ends(
        0,
        &["key", "generate", "-o", seal, "--checksum-output", checksum, "--derivation-output", derivation],
    );
    assert_eq!(printed, "");
    place.ends(2, &["key", "generate", "-o", seal]);
}

fn put(place: &Place) {
    let put = |code, args: &[&str]| {
        let login = ["--operator", "operator/operator.yaml", "--notify-url-file", "hook"];
        place.ends_with_stdin(code, &[&["put"], args, &login].concat(), "CANARY-put\n")
    };
    for args in [&["aws-sm:shop/db#other"][..], &["aws-sm:shop/db#new", "--create", "-o", "json"]] {
        put(0, &[args, &["--dry-run"]].concat());
        put(0, &[args, &["--yes"]].concat());
    }
    put(0, &["aws-sm:shop/db", "--from-file", "value", "--yes"]);
    put(0, &["aws-ssm:/shop/db", "--create", "--yes"]);
    assert!(place.notifications() >= 8);
    for args in [
        // The document is no JSON any more.
        &["aws-sm:shop/db#other", "--yes"][..],
        &["aws-sm:missing", "--yes"],
        &["aws-sm:denied", "--yes", "-o", "json"],
        &["aws-sm:shop/db", "--from-file", "missing", "--yes"],
        &["aws-ssm:/shop/db", "--yes"],
        &["file:db.yaml", "--yes"],
        &["aws-sm:shop/db"],
    ] {
        put(2, args);
    }
}

fn reseal(place: &Place) {
    sealed_file(place);
    place.commit();
    let (from, to) = (["--key", "keys/rsa2048.key"], ["--cert", "keys/rsa3072.crt"]);
    let reseal = |code, args: &[&str]| {
        place.ends(
            code,
            &[&["reseal", "repository", "--env", "dev", "--notify-url-file", "hook"], args].concat(),
        )
    };
    reseal(0, &[&from[..], &to, &["--dry-run"]].concat());
    reseal(0, &[&from[..], &to, &["--dry-run", "-o", "json"]].concat());
    reseal(1, &[&to[..], &["--check"]].concat());
    reseal(2, &[&["--key", "keys/rsa3072.key"][..], &to, &["--yes"]].concat());
    reseal(2, &[&["--key", "secret.yaml"][..], &to, &["--yes"]].concat());
    reseal(2, &[&from[..], &["--cert", "keys/rsa2048.key", "--yes"]].concat());
    reseal(2, &[&from[..], &to].concat());
    reseal(0, &[&from[..], &to, &["--yes", "--commit"]].concat());
    let keys = ["--key", "keys/rsa2048.key", "--key", "keys/rsa3072.key"];
    reseal(0, &[&keys[..], &["--map"]].concat());
    reseal(0, &[&keys[..], &["--map", "-o", "json"]].concat());
    reseal(0, &[&to[..], &["--check", "-o", "json"]].concat());
    assert!(place.notifications() >= 2);
    // Nothing of a file that cannot be read is quoted.
    let broken = "repository/envs/dev/sealed-secrets/broken.yaml";
    for text in [
        "kind: SealedSecret\nCANARY: [\n",
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec: {encryptedData: {a: 1, b: {CANARY: []}}}\n",
    ] {
        place.write(broken, &format!("{SECRET}---\n{text}"));
        reseal(2, &[&from[..], &to, &["--yes"]].concat());
    }
}

fn rotate_aws(place: &Place) {
    sealed_file(place);
    place.write("credentials", "[default]\nid = <access-key-id>\nsecret = <secret-access-key>\n");
    place.commit();
    let rotate = |code, user: &str, args: &[&str]| {
        let common = [
            "rotate",
            "aws",
            "--user",
            user,
            "--env",
            "dev",
            "--operator",
            "operator/operator.yaml",
            "--probe-bucket",
            "models",
            "--write",
            "aws-sm:shop/db#AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY",
            "--notify-url-file",
            "hook",
            "--sealed-files",
            "repository/envs/dev/sealed-secrets",
            "--sealed-template",
            "credentials=credentials",
            "--cert",
            "keys/rsa2048.crt",
        ];
        place.ends(code, &[&common[..], args].concat())
    };
    let backup = ["--backup", "backups/key.json"];
    rotate(0, "airflow", &["--print-policy"]);
    rotate(0, "airflow", &[&backup[..], &["--dry-run"]].concat());
    rotate(0, "airflow", &[&backup[..], &["--dry-run", "-o", "json"]].concat());
    rotate(2, "airflow", &backup);
    rotate(2, "denied", &[&backup[..], &["--yes"]].concat());
    rotate(2, "airflow", &["--backup", "value", "--yes"]);
    rotate(2, "airflow", &["--backup", "value", "--yes", "-o", "json"]);
    rotate(2, "airflow", &[&backup[..], &["--yes", "--delete-key", "CANARY/secret/CANARY"]].concat());
    place.expect_secret_file("rotate aws --backup PATH", "backups/key.json");
    rotate(1, "airflow", &[&backup[..], &["--yes", "--commit"]].concat());
    place.wait_days(2);
    rotate(1, "airflow", &[&backup[..], &["--yes", "-o", "json"]].concat());
    place.wait_days(10);
    rotate(1, "airflow", &[&backup[..], &["--yes"]].concat());
    rotate(0, "airflow", &[&backup[..], &["--yes", "--delete-key", OLD_KEY]].concat());
    assert!(place.notifications() >= 8);
}

fn rotate_aws_secret(place: &Place) {
    let rotate = |code, args: &[&str]| {
        let common = ["--operator", "operator/operator.yaml", "--notify-url-file", "hook"];
        place.ends(code, &[&["rotate", "aws-secret"], args, &common].concat())
    };
    rotate(0, &["shop/db", "--dry-run", "-o", "json"]);
    rotate(0, &["shop/db", "--yes"]);
    for name in ["missing", "denied"] {
        rotate(2, &[name, "--yes"]);
    }
    rotate(2, &["shop/db"]);
}

fn rotate_controller_key(place: &Place) {
    let rotate = |code, args: &[&str]| {
        let common = ["rotate", "controller-key", "--key-size", "2048", "--notify-url-file", "hook"];
        place.ends(code, &[&common[..], args].concat())
    };
    let backup = ["--backup", "backups/keys.json"];
    rotate(0, &[&backup[..], &["--dry-run"]].concat());
    rotate(0, &[&backup[..], &["--dry-run", "-o", "json"]].concat());
    rotate(2, &backup);
    rotate(2, &["--backup", "secret.yaml", "--yes"]);
    rotate(2, &[&backup[..], &["--yes", "--age-recipient", "AGE-SECRET-KEY-1CANARY"]].concat());
    rotate(2, &[&backup[..], &["--yes", "--controller-namespace", "none"]].concat());
    for file in ["backups/keys.json", "backups/keys-new.json"] {
        place.expect_secret_file("rotate controller-key --backup PATH", file);
    }
    rotate(0, &[&backup[..], &["--yes", "--write", "pinned.pem"]].concat());
    assert!(place.notifications() >= 2);
}

fn seal(place: &Place) {
    let cert = ["--cert", "keys/rsa2048.crt"];
    let seal = |code, args: &[&str]| place.ends(code, &[&["seal"], args, &cert].concat());
    let names = ["-n", "shop", "--name", "db"];
    seal(0, &["secret.yaml"]);
    seal(0, &["secret.yaml", "-o", "json"]);
    place.ends_with_stdin(0, &[&["seal", "-"][..], &cert].concat(), SECRET);
    place.ends_with_stdin(2, &[&["seal", "-"][..], &cert].concat(), "CANARY: [\n");
    seal(0, &[&names[..], &["--from-file", "password=value"]].concat());
    seal(2, &[&names[..], &["--from-file", "password=CANARY"]].concat());
    seal(0, &[&names[..], &["--from-literal", "password=CANARY-literal"]].concat());
    seal(2, &[&names[..], &["--from-literal", "CANARY"]].concat());
    place.write("env", "A=CANARY\n");
    seal(0, &[&names[..], &["--from-env-file", "env"]].concat());
    seal(2, &[&names[..], &["--from-env-file", "value"]].concat());
    seal(0, &[&["--raw"], &names[..], &["value"]].concat());
    seal(2, &["--raw", "value"]);
    seal(0, &["secret.yaml", "-w", "sealed.yaml"]);
    seal(2, &["broken.yaml", "-w", "sealed.yaml"]);
    let merge = ["--merge-into", "sealed.yaml", "--from-file", "password=value"];
    seal(0, &[&merge[..], &["--dry-run"]].concat());
    seal(0, &merge);
    seal(2, &["--merge-into", "secret.yaml", "--from-literal", "a=CANARY"]);
    seal(2, &["--merge-into", "sealed.yaml", "broken.yaml"]);

    let placeholder = SECRET.replace("CANARY-1", "<file:db.yaml#password | urlencode>");
    place.write("placeholder.yaml", &placeholder);
    let resolve = |code, more: &[&str]| {
        let args = ["seal", "placeholder.yaml", "--operator", "operator/operator.yaml"];
        place.ends(code, &[&args[..], more].concat())
    };
    resolve(0, &["--project", "shop"]);
    resolve(2, &[]);
    place.write("placeholder.yaml", &placeholder.replace("| urlencode", "| base64decode"));
    resolve(2, &["--no-policy"]);
}

fn status(place: &Place) {
    let status = |code, args: &[&str]| place.ends(code, &[&["status", "app"], args].concat());
    let operator = ["--operator", "operator/operator.yaml"];
    status(0, &[]);
    status(0, &[&operator[..], &["--fetch", "--no-policy"]].concat());
    status(0, &[&operator[..], &["--fetch", "--project", "shop", "-o", "json"]].concat());
    // {"alg":"HS256"} and {"sub":"CANARY","exp":1764547200}
    place.write(
        "operator/secrets/web.txt",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDQU5BUlkiLCJleHAiOjE3NjQ1NDcyMDB9.c2ln\n",
    );
    status(1, &[&operator[..], &["--fetch", "--no-policy"]].concat());
    place.write("operator/secrets/db.yaml", "CANARY: [\n");
    status(2, &[&operator[..], &["--fetch", "--no-policy"]].concat());
    status(2, &["--env", "nowhere"]);
}

fn switch(place: &Place) {
    place.write(
        "app/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n\
         externalSecrets: {stores: {file: {name: fake, provider: aws-sm}}}\n",
    );
    place.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: shop}\nstringData: {token: <file:db.yaml#password>}\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {name: api, namespace: shop}\nstringData: {a: CANARY-literal}\n",
    );
    let switch = |code, args: &[&str]| {
        let app =
            ["switch", "app", "--env", "dev", "--operator", "operator/operator.yaml", "--project", "shop"];
        place.ends(code, &[&app[..], args].concat())
    };
    let to = ["--to", "external-secrets", "--secret", "web"];
    let cluster = ["--context", "c"];
    switch(0, &[&to[..], &["--no-cluster"]].concat());
    switch(0, &[&to[..], &cluster].concat());
    switch(0, &[&to[..], &cluster, &["-o", "json"]].concat());
    switch(2, &to);
    switch(2, &["--to", "external-secrets", "--secret", "CANARX"]);
    switch(2, &[&to[..], &["--context", "none"]].concat());
}

fn unseal(place: &Place) {
    place.ends(0, &["seal", "secret.yaml", "--cert", "keys/rsa2048.crt", "-w", "sealed.yaml"]);
    let key = ["--key", "keys/rsa2048.key"];
    let unseal = |code, args: &[&str]| place.ends(code, &[&["unseal"], args].concat());
    for more in [&["-v"][..], &["-o", "json"]] {
        place.prints_secrets(&[&["unseal", "sealed.yaml"], &key[..], more].concat());
    }
    unseal(2, &[&["sealed.yaml", "--key", "keys/rsa3072.key"][..], &["-w", "none.yaml"]].concat());
    unseal(2, &["sealed.yaml", "--key", "value"]);
    unseal(2, &[&["secret.yaml"], &key[..]].concat());
    unseal(2, &[&["sealed.yaml"], &key[..], &["-w", "secret.yaml"]].concat());
    place.expect_secret_file("unseal --write FILE", "opened.yaml");
    unseal(0, &[&["sealed.yaml"], &key[..], &["-v", "-w", "opened.yaml"]].concat());
}

fn verify(place: &Place) {
    place.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: shop}\nstringData: {token: <file:db.yaml#password>}\n",
    );
    let verify = |code, args: &[&str]| place.ends(code, &[&["verify"], args].concat());
    let operator = ["--operator", "operator/operator.yaml", "--no-policy"];
    verify(1, &["app", "--env", "dev"]);
    verify(1, &[&["app", "--env", "dev", "-o", "json", "--application", "shop"], &operator[..]].concat());
    verify(2, &[&["app", "--env", "none"], &operator[..]].concat());
    verify(2, &["--rendered", "secret.yaml", "--context", "none"]);
    verify(2, &["--rendered", "broken.yaml"]);
    place.write("operator/secrets/db.yaml", "CANARY: [\n");
    verify(2, &[&["app", "--env", "dev"], &operator[..]].concat());
}

/// Writes a SealedSecret with an AWS access key to the repository.
pub(crate) fn sealed_file(place: &Place) {
    place.write(
        "aws.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: aws, namespace: shop}\n\
         stringData: {AWS_ACCESS_KEY_ID: AKIACANARY, AWS_SECRET_ACCESS_KEY: CANARY-old, credentials: CANARY}\n",
    );
    let file = "repository/envs/dev/sealed-secrets/sealed-aws.yaml";
    place.ends(0, &["seal", "aws.yaml", "--cert", "keys/rsa2048.crt", "-w", file]);
    assert!(place.read(file).contains("kind: SealedSecret"));
}
