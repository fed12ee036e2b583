//! The rows of the checklist, each with its proof.

use serde_json::Value as Json;

use super::Proof::{self, Run, Tests};
use super::desk::Desk;
use crate::support::aws_user::OLD_KEY;
use crate::support::{MARKER, find_marker, mode};

pub(super) const ROWS: [(&str, Proof); 41] = [
    ("cycle", Run(three_apps_get_the_key)),
    ("reseal-without-interruption", Run(nothing_restarts)),
    ("automatic-or-manual", Run(policies_are_listed)),
    ("operator-decides", Run(consent_is_needed)),
    ("one-environment", Run(other_environments_stay)),
    ("aws-look", Run(keys_are_shown)),
    ("aws-create", Run(backup_is_private)),
    ("aws-renew", Run(three_apps_get_the_key)),
    ("aws-deliver", Run(rotation_is_pushed)),
    ("aws-retire", Run(old_key_is_retired)),
    ("reseal-no-plaintext", Run(values_are_not_shown)),
    ("reseal-dry-run", Run(differences_are_shown)),
    ("reseal-fingerprint", Run(controller_is_found)),
    ("reseal-all", Run(everything_is_sealed_again)),
    ("reseal-deliver", Run(reseal_is_committed)),
    ("guard-controller", Run(controller_is_found)),
    ("guard-paths", Tests(&["tests/integration/reseal.rs::other_files_need_a_flag"])),
    ("guard-clean-tree", Run(unclean_files_are_refused)),
    ("key-backup-renew-verify", Run(controller_gets_a_key)),
    (
        "key-reseal-commit",
        Tests(&[
            "tests/e2e/fast/cluster_commands.rs::controller_key_is_rotated",
            "crates/operations/src/controller_key/tests.rs::files_that_wait_for_a_merge_are_continued",
        ]),
    ),
    (
        "key-watch",
        Tests(&[
            "tests/e2e/fast/cluster_commands.rs::controller_key_is_rotated",
            "crates/operations/src/controller_key/tests.rs::a_sealed_secret_that_is_not_unsealed_is_awaited",
        ]),
    ),
    ("office-hours", Run(team_is_told)),
    ("manual-list", Run(manual_rotations_have_reasons)),
    ("later-eso", Run(next_environment_has_external_secrets)),
    ("later-role", Tests(&["crates/providers/src/aws/provider/tests.rs::a_role_is_assumed_first"])),
    ("later-same-name", Run(names_and_workloads_stay)),
    (
        "check-version",
        Tests(&[
            "tests/e2e/fast/cluster_commands.rs::verify_finds_what_is_right_and_wrong",
            "crates/operations/src/verify/tests.rs::a_cluster_as_rendered_is_right",
        ]),
    ),
    ("check-access", Run(bucket_is_probed)),
    ("check-old-key", Run(old_key_is_retired)),
    ("check-upgrade", Run(stale_items_are_found)),
    ("check-drift", Run(bytes_are_the_same)),
    ("check-rollout", Run(checksums_follow_values)),
    (
        "trouble-two-keys",
        Tests(&[
            "tests/integration/aws_moto_operations.rs::a_second_key_is_explained",
            "crates/operations/src/rotate_aws/tests.rs::two_keys_are_explained_and_only_the_unused_one_can_be_deleted",
        ]),
    ),
    ("trouble-out-of-sync", Run(bytes_are_the_same)),
    (
        "trouble-403",
        Tests(&[
            "tests/e2e/fast/cluster_commands.rs::verify_finds_what_is_right_and_wrong",
            "crates/operations/src/verify/tests.rs::each_fault_is_found_where_it_is",
        ]),
    ),
    ("trouble-decrypt", Run(keys_of_items_are_listed)),
    ("layout", Run(layout_is_the_default)),
    ("waves", Run(waves_are_kept)),
    ("helm-checksum", Run(pods_have_checksums)),
    ("other-secrets", Run(a_secret_is_sealed)),
    ("same-flow", Run(environments_are_treated_alike)),
];

/// Checks that a text has all of these.
fn require(text: &str, all: &[&str]) {
    for wanted in all {
        assert!(text.contains(wanted), "`{wanted}` is not in:\n{text}");
    }
}

fn three_apps_get_the_key(desk: &Desk) {
    let rotation = desk.aws_rotation();
    let files = ["airflow", "fastapi", "mlflow"]
        .map(|app| format!("app/envs/dev/sealed-secrets/{app}/sealed-aws-credentials-dev-secret.yaml"));
    assert_eq!(rotation.committed, files);
    require(&rotation.applied, &["works"]);
}

fn consent_is_needed(desk: &Desk) {
    let refused = &desk.aws_rotation().refused;
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""));
    require(&refused.stderr, &["--yes"]);
}

fn keys_are_shown(desk: &Desk) {
    require(&desk.aws_rotation().plan, &["airflow", OLD_KEY, "nothing was changed"]);
}

fn backup_is_private(desk: &Desk) {
    let backup = &desk.aws_rotation().backup;
    assert_eq!(mode(backup), 0o600);
    let json: Json = serde_json::from_str(&fs_err::read_to_string(backup).unwrap()).unwrap();
    assert_eq!(json["user"], "airflow");
}

fn rotation_is_pushed(desk: &Desk) {
    let rotation = desk.aws_rotation();
    assert_eq!(rotation.committed.len(), 3, "in the commit of the remote's branch");
}

fn old_key_is_retired(desk: &Desk) {
    let rotation = desk.aws_rotation();
    require(&rotation.deactivated, &["deactivated the old access key", OLD_KEY]);
    require(&rotation.deleted, &["deleted the old access key", OLD_KEY]);
}

fn bucket_is_probed(desk: &Desk) {
    let calls = &desk.aws_rotation().account;
    let position = |wanted: &str| calls.iter().position(|call| call.contains(wanted)).expect(wanted);
    assert!(position("CreateAccessKey") < position("/models?"), "{calls:?}");
}

fn team_is_told(desk: &Desk) {
    let told = desk.aws_rotation().notifications.concat();
    require(&told, &["started", "waiting", "rotate aws (user airflow, environment dev)"]);
}

fn checksums_follow_values(desk: &Desk) {
    let [before, after] = &desk.aws_rotation().checksums;
    assert_eq!(before.len(), 3);
    assert!(before.iter().zip(after).all(|(before, after)| before != after), "{before:?} {after:?}");
    nothing_restarts(desk);
}

fn nothing_restarts(desk: &Desk) {
    let before = desk.checksums("dev");
    desk.reseal(0, "dev", &["--yes"]);
    assert_ne!(desk.git(&["status", "--porcelain"]), "");
    assert_eq!(desk.checksums("dev"), before);
    desk.reset();
}

fn other_environments_stay(desk: &Desk) {
    desk.reseal(0, "dev", &["--yes"]);
    let changed = desk.git(&["diff", "--name-only"]);
    assert_eq!(changed.lines().count(), 8);
    assert!(changed.lines().all(|file| file.starts_with("app/envs/dev/sealed-secrets/")), "{changed}");
    desk.reset();
}

fn values_are_not_shown(desk: &Desk) {
    let printed = desk.reseal(0, "prod", &["--yes", "-o", "json"]);
    assert_eq!(find_marker(printed.as_bytes(), MARKER), None);
    let difference = desk.git(&["diff", "--unified=0"]);
    let is_expected = |line: &str| {
        let line = line.trim_start_matches(['+', '-', ' ']);
        let cipher = line.split_once(": ").is_some_and(|(_, text)| {
            text.starts_with("AQ") || text.starts_with("AY") || text.starts_with("AV") || text.len() > 300
        });
        cipher || line == "annotations:" || line.starts_with("sealwave.dev/")
    };
    let mut lines = difference.lines().filter(|line| {
        line.starts_with(['+', '-']) && !line.starts_with("+++ ") && !line.starts_with("--- ")
    });
    assert!(lines.all(is_expected), "{difference}");
    desk.reset();
}

fn differences_are_shown(desk: &Desk) {
    let plan = desk.reseal(0, "dev", &["--dry-run"]);
    require(
        &plan,
        &["--- a/app/envs/dev/sealed-secrets/mlflow/", "public key SHA-256", "nothing was changed"],
    );
    assert_eq!(desk.git(&["status", "--porcelain"]), "");
}

fn controller_is_found(desk: &Desk) {
    let printed = desk.prints(0, &["cert", "fetch", "-w", "../fetched.pem"]);
    require(
        &printed,
        &["Service `sealed-secrets` in namespace `kube-system`", "public key SHA-256", "not after"],
    );
    let other = desk.run(&["cert", "fetch", "--controller-name", "other"]);
    assert_eq!(other.code, Some(2));
    require(&other.stderr, &["other"]);
}

fn everything_is_sealed_again(desk: &Desk) {
    require(&desk.reseal(0, "dev", &["--yes"]), &["replaced 13 ciphertexts in 8 files"]);
    desk.reset();
}

fn reseal_is_committed(desk: &Desk) {
    desk.reseal(0, "dev", &["--yes", "--commit"]);
    assert_eq!(desk.git(&["show", "--format=", "--name-only"]).lines().count(), 8);
    assert_eq!(desk.git(&["status", "--porcelain"]), "", "the tree is clean after the commit");
    desk.reset();
}

fn unclean_files_are_refused(desk: &Desk) {
    let file = "repository/app/envs/dev/sealed-secrets/airflow/sealed-airflow-db-dev-secret.yaml";
    let text = fs_err::read_to_string(desk.path(file)).unwrap();
    desk.write(file, &format!("{text}# edited\n"));
    desk.reseal(2, "dev", &["--yes"]);
    desk.reset();
    reseal_is_committed(desk);
}

fn controller_gets_a_key(desk: &Desk) {
    let args =
        ["rotate", "controller-key", "--yes", "--key-size", "2048", "--backup", "../backups/keys.json"];
    let printed = desk.prints(0, &[&args[..], &["--write", "../new.pem"]].concat());
    assert_eq!(mode(&desk.path("backups/keys.json")), 0o600);
    let shown = desk.prints(0, &["cert", "show", "../new.pem"]);
    let fingerprint =
        shown.lines().find_map(|line| line.trim().strip_prefix("public key SHA-256")).expect("shown").trim();
    require(&printed, &[&fingerprint[..12]]);
}

fn status(desk: &Desk, environment: &str) -> Vec<Json> {
    let printed = desk.prints(0, &["status", "app", "--env", environment, "-o", "json"]);
    let report: Json = serde_json::from_str(&printed).unwrap();
    report["secrets"].as_array().unwrap().clone()
}

fn policies_are_listed(desk: &Desk) {
    for environment in ["dev", "prod"] {
        let secrets = status(desk, environment);
        let with = |kind: &str| secrets.iter().filter(|one| one["policy"]["rotation"] == kind).count();
        assert_eq!((with("automatic"), with("manual"), secrets.len()), (3, 5, 8), "{environment}");
    }
}

fn manual_rotations_have_reasons(desk: &Desk) {
    let secrets = status(desk, "prod");
    for name in [
        "airflow-slack-secret",
        "fastapi-jwt-secret",
        "airflow-git-ssh-secret",
        "airflow-db-secret",
        "mlflow-db-secret",
    ] {
        let policy = &secrets.iter().find(|one| one["name"] == name).expect(name)["policy"];
        assert_eq!(policy["rotation"], "manual", "{name}");
        for field in ["owner", "reason", "runbook"] {
            assert!(policy[field].as_str().is_some_and(|text| !text.is_empty()), "{name}: {field}");
        }
    }
    let text = desk.prints_after(200, 1, &["status", "app", "--env", "prod"]);
    require(
        &text,
        &[
            "overdue    fastapi/fastapi-jwt-secret: manual, at most 180 days, owner api team",
            "reason: all sessions end",
            "https://wiki.example.com/jwt-secret",
        ],
    );
}

/// Returns namespace and name of all objects of a kind.
fn names(objects: &[Json], kind: &str) -> Vec<String> {
    let found = objects.iter().filter(|object| object["kind"] == kind);
    let mut names: Vec<_> = found
        .map(|object| format!("{}/{}", object["metadata"]["namespace"], object["metadata"]["name"]))
        .collect();
    names.sort();
    names
}

fn next_environment_has_external_secrets(desk: &Desk) {
    let next = desk.generate("next");
    assert_eq!(names(&next, "ExternalSecret").len(), 8);
    assert!(names(&next, "SealedSecret").is_empty());
}

fn names_and_workloads_stay(desk: &Desk) {
    let (dev, next) = (desk.generate("dev"), desk.generate("next"));
    assert_eq!(names(&dev, "SealedSecret"), names(&next, "ExternalSecret"));
    let containers = |objects: &[Json]| -> Vec<Json> {
        let specs = objects.iter().filter_map(|object| object.pointer("/spec/template/spec"));
        specs.filter(|spec| spec["containers"].is_array()).cloned().collect()
    };
    assert!(containers(&dev).len() >= 3);
    assert_eq!(containers(&dev), containers(&next));
}

fn stale_items_are_found(desk: &Desk) {
    desk.reseal(1, "dev", &["--check"]);
    desk.reseal(0, "dev", &["--yes"]);
    require(&desk.reseal(0, "dev", &["--check"]), &["13 current, 0 stale, 0 unknown"]);
    desk.reset();
}

fn keys_of_items_are_listed(desk: &Desk) {
    let keys = ["rsa2048", "rsa3072", "rsa4096"].map(|name| format!("../keys/{name}.key"));
    let flags = keys.iter().flat_map(|key| ["--key", key]);
    let args: Vec<&str> = ["reseal", "--map", "app"].into_iter().chain(flags).collect();
    require(
        &desk.prints(0, &args),
        &["rsa2048.key): 13 items", "rsa4096.key): 13 items", "rsa3072.key): nothing that was seen needs it"],
    );
}

fn bytes_are_the_same(desk: &Desk) {
    for environment in ["dev", "next", "prod"] {
        assert_eq!(desk.generate(environment), desk.generate(environment));
    }
}

fn layout_is_the_default(desk: &Desk) {
    let files = desk.git(&["ls-files", "app/envs/dev", "app/envs/prod"]);
    let sealed: Vec<&str> = files.lines().filter(|file| file.contains("sealed-secrets")).collect();
    assert_eq!(sealed.len(), 16);
    for file in sealed {
        let parts: Vec<&str> = file.split('/').collect();
        assert!(
            matches!(parts[..], ["app", "envs", _, "sealed-secrets", _, name] if name.starts_with("sealed-")),
            "{file}"
        );
    }
    other_environments_stay(desk);
}

fn waves_are_kept(desk: &Desk) {
    let objects = desk.generate("prod");
    let waves = |kinds: &[&str]| -> Vec<i32> {
        let found =
            objects.iter().filter(|object| object["kind"].as_str().is_some_and(|kind| kinds.contains(&kind)));
        let waves = found.map(|object| {
            object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]
                .as_str()
                .unwrap_or("0")
                .parse()
                .unwrap()
        });
        waves.collect()
    };
    let (first, then) = (waves(&["SealedSecret", "ConfigMap"]), waves(&["Deployment", "StatefulSet"]));
    assert!(first.len() > 8 && first.iter().all(|wave| *wave == -1), "{first:?}");
    assert!(then.len() >= 3 && then.iter().all(|wave| (0..=1).contains(wave)), "{then:?}");
}

fn pods_have_checksums(desk: &Desk) {
    for environment in ["dev", "prod"] {
        assert_eq!(desk.checksums(environment).len(), 3, "{environment}");
    }
}

fn a_secret_is_sealed(desk: &Desk) {
    desk.write("password", "CANARY-new");
    let args =
        ["seal", "--cert", "../operator/certs/prod.pem", "-n", "mlflow", "--name", "mlflow-smtp-secret"];
    let file = [
        "--from-file",
        "password=../password",
        "-w",
        "app/envs/prod/sealed-secrets/mlflow/sealed-mlflow-smtp-prod-secret.yaml",
    ];
    assert_eq!(desk.prints(0, &[&args[..], &file].concat()), "");
    assert!(
        names(&desk.generate("prod"), "SealedSecret")
            .contains(&"\"mlflow\"/\"mlflow-smtp-secret\"".to_owned())
    );
    fs_err::remove_file(desk.path("repository").join(file[3])).unwrap();
}

fn environments_are_treated_alike(desk: &Desk) {
    for environment in ["dev", "prod"] {
        require(&desk.reseal(0, environment, &["--yes"]), &["replaced 13 ciphertexts in 8 files"]);
        desk.reset();
        assert_eq!(desk.checksums(environment).len(), 3);
    }
}
