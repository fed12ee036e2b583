//! Tests of Secrets that are hooks, and of their consumers.

use super::*;
use sealwave_core::diagnostic::ProblemKind;

const HOOK: &str = "argocd.argoproj.io/hook";
const HELM: &str = "helm.sh/hook";

fn with(annotations: Json, mut object: Json) -> Json {
    object["metadata"]["annotations"] = annotations;
    object
}

/// Returns the messages about a Secret with these annotations and a consumer.
fn messages_for(annotations: Json, consumer: Json) -> Vec<String> {
    let run = run(&[with(annotations, sealed_secret("db", json!({"a": "x"}))), consumer]);
    let warnings = run.notes.iter().filter(|note| note.level == NoteLevel::Warning);
    warnings.map(|note| note.problem.message.clone()).collect()
}

fn web() -> Json {
    deployment("web", env_from_secret("db"))
}

#[test]
fn r06_secrets_that_are_hooks() {
    let late = |phase| {
        format!(
            "Deployment.apps `shop/web` is applied in the Sync phase, but needs SealedSecret.bitnami.com `shop/db`, which comes in the {phase} phase"
        )
    };
    let again = |phase| {
        format!(
            "SealedSecret.bitnami.com `shop/db` is a hook of the {phase} phase, which Argo CD deletes and creates again at each sync, but \
             Deployment.apps `shop/web` needs it all the time"
        )
    };
    let never = "Deployment.apps `shop/web` needs SealedSecret.bitnami.com `shop/db`, which is a hook of an unknown phase, so Argo CD never applies it";
    for (annotations, expected) in [
        (json!({HOOK: "PreSync"}), again("PreSync")),
        (json!({HOOK: "Sync"}), again("Sync")),
        (json!({HOOK: "PostSync"}), late("PostSync")),
        (
            json!({HOOK: "SyncFail"}),
            "Deployment.apps `shop/web` needs SealedSecret.bitnami.com `shop/db`, which is a hook of the SyncFail phase: Argo CD applies it only after a sync has failed".into(),
        ),
        (
            json!({HOOK: "Skip"}),
            "Deployment.apps `shop/web` needs SealedSecret.bitnami.com `shop/db`, which is a `Skip` hook: Argo CD never applies it".into(),
        ),
        (
            json!({HOOK: "Sync", "argocd.argoproj.io/hook-delete-policy": "HookSucceeded"}),
            "SealedSecret.bitnami.com `shop/db` is a hook of the Sync phase, which Argo CD deletes after each successful sync, but Deployment.apps `shop/web` \
             needs it afterwards"
                .into(),
        ),
        (json!({HELM: "pre-install"}), again("PreSync")),
        (json!({HELM: "pre-install,pre-upgrade"}), again("PreSync")),
        (json!({HELM: "post-install"}), late("PostSync")),
        (json!({HELM: "test"}), never.into()),
        // Similar cases without a report.
        (json!({HELM: "pre-rollback"}), never.into()),
        (json!({HOOK: "Before"}), never.into()),
        (
            json!({HOOK: "PostDelete"}),
            "Deployment.apps `shop/web` needs SealedSecret.bitnami.com `shop/db`, which is a hook that Argo CD applies only when the Application is deleted".into(),
        ),
        (
            json!({HELM: "pre-delete"}),
            "Deployment.apps `shop/web` needs SealedSecret.bitnami.com `shop/db`, which is a hook that Argo CD applies only when the Application is deleted".into(),
        ),
        (json!({HOOK: "PostSync,SyncFail"}), late("PostSync")),
        (json!({HOOK: "PreSync, PostSync"}), again("PreSync")),
    ] {
        assert_eq!(messages_for(annotations.clone(), web()), [expected], "{annotations}");
    }
}

#[test]
fn r06_a_pre_sync_job_and_a_secret_of_a_later_phase() {
    let migrate = || with(json!({HOOK: "PreSync"}), job("migrate", env_from_secret("db")));
    let expected = |phase| {
        [format!(
            "Job.batch `shop/migrate` runs in the PreSync phase, but needs SealedSecret.bitnami.com `shop/db`, which comes in the {phase} phase"
        )]
    };
    for (annotations, phase, kind) in [
        (json!({HOOK: "PostSync"}), "PostSync", ProblemKind::SecretIsHook),
        (json!({HELM: "post-upgrade"}), "PostSync", ProblemKind::SecretIsHook),
        (json!({HOOK: "Sync"}), "Sync", ProblemKind::SecretIsHook),
        (json!({}), "Sync", ProblemKind::PreSyncNeedsLater),
    ] {
        let run = run(&[with(annotations.clone(), sealed_secret("db", json!({"a": "x"}))), migrate()]);
        assert_eq!(run.messages(), expected(phase), "{annotations}");
        assert_eq!(run.notes[0].problem.kind, Some(kind), "{annotations}");
    }
}

#[test]
fn r06_hooks_with_served_consumers_are_not_reported() {
    let migrate = |hook| with(json!({HOOK: hook}), job("migrate", env_from_secret("db")));
    let optional = json!({"containers": [{"envFrom": [{"secretRef": {"name": "db", "optional": true}}]}]});
    for (annotations, consumer) in [
        (json!({HOOK: "PreSync"}), migrate("PreSync")),
        (
            json!({HOOK: "PreSync", "argocd.argoproj.io/hook-delete-policy": "HookSucceeded"}),
            migrate("PostSync"),
        ),
        (json!({HOOK: "SyncFail"}), migrate("SyncFail")),
        (json!({HOOK: "PostDelete"}), migrate("PostDelete")),
        (json!({HOOK: "PostSync"}), migrate("Skip")),
        (json!({HOOK: "Sync"}), job("once", env_from_secret("db"))),
        (json!({HOOK: "Sync", "argocd.argoproj.io/hook-delete-policy": "HookFailed"}), web()),
        (json!({HOOK: "PostSync"}), deployment("web", optional)),
        (json!({HOOK: "PostSync"}), deployment("web", env_from_secret("other"))),
        (json!({HELM: "crd-install"}), web()),
    ] {
        assert_eq!(messages_for(annotations.clone(), consumer), Vec::<String>::new(), "{annotations}");
    }
}

#[test]
fn r06_all_producers_and_consumers_are_checked() {
    let post = |object| with(json!({HOOK: "PostSync"}), object);
    for secret in [
        object("v1", "Secret", "db", json!({})),
        external_secret("db", json!({})),
        external_secret("x", json!({"target": {"name": "db"}})),
    ] {
        let pod = object("v1", "Pod", "pod", json!({"spec": env_from_secret("db")}));
        let found = run(&[post(secret), pod]);
        assert_eq!(found.notes[0].problem.kind, Some(ProblemKind::SecretIsHook), "{:?}", found.messages());
    }
    // One finding per Secret, about the consumer that cannot work.
    let many = run(&[
        with(json!({HOOK: "Sync"}), sealed_secret("db", json!({"a": "x"}))),
        deployment("a", env_from_secret("db")),
        with(json!({HOOK: "PreSync"}), job("z", env_from_secret("db"))),
    ]);
    assert_eq!(
        many.messages(),
        [
            "Job.batch `shop/z` runs in the PreSync phase, but needs SealedSecret.bitnami.com `shop/db`, which comes in the Sync phase"
        ]
    );
    // For a ConfigMap, the rule about late objects applies.
    let config = run(&[post(config_map("c", json!({"a": "b"}))), deployment("web", env_from_config("c"))]);
    assert_eq!(config.notes[0].problem.kind, Some(ProblemKind::LateConfiguration));
    let kept = with(json!({HOOK: "Sync"}), config_map("c", json!({"a": "b"})));
    assert!(run(&[kept, deployment("web", env_from_config("c"))]).notes.is_empty());
}

#[test]
fn r06_waves_count_within_each_phase() {
    let pre = |wave, object| with(json!({HOOK: "PreSync", WAVE: wave}), object);
    let found = run(&[
        pre("2", sealed_secret("db", json!({"a": "x"}))),
        pre("1", job("migrate", env_from_secret("db"))),
    ]);
    assert_eq!(
        found.messages(),
        [
            "SealedSecret.bitnami.com `shop/db` has sync wave 2, later than Job.batch `shop/migrate` in wave 1, which needs it"
        ]
    );
    let early = with(json!({HOOK: "PreSync,Sync", WAVE: "5"}), config_map("c", json!({"a": "b"})));
    assert!(run(&[early, deployment("web", env_from_config("c"))]).notes.is_empty());
}
