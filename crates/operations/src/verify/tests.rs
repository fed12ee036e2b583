//! Verification against a stub of the API server: what is right, what is wrong, and what this user may not ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};

use sealwave_testkit::stub_server::{RecordedRequest, StubReply};

use super::*;
use crate::progress::HiddenProgress;
use crate::testing::StubCluster;

const RENDERED: &str = r#"
{"apiVersion":"bitnami.com/v1alpha1","kind":"SealedSecret","metadata":{"name":"db","namespace":"shop"},"spec":{"encryptedData":{"password":"AgC="},"template":{"data":{"url":"x"}}}}
{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"template":{"metadata":{"annotations":{"checksum/secret":"c1"}},"spec":{"containers":[{"name":"web"}]}}}}
"#;

/// The objects of a cluster by their paths.
type Objects = BTreeMap<String, Json>;

fn path(group: &str, plural: &str, name: &str) -> String {
    let start = if group.is_empty() { "/api/v1" } else { "/apis/" };
    format!("{start}{group}/namespaces/shop/{plural}{name}")
}

/// A cluster in which everything is as rendered.
fn right() -> Objects {
    let condition = |kind: &str| json!([{"type": kind, "status": "True"}]);
    let owner = |uid: &str| json!([{"uid": uid}]);
    Objects::from([
        (
            path("bitnami.com/v1alpha1", "sealedsecrets", "/db"),
            json!({
                "kind": "SealedSecret", "metadata": {"generation": 3}, "spec": {"encryptedData": {"password": "AgC="}},
                "status": {"observedGeneration": 3, "conditions": condition("Synced")},
            }),
        ),
        (
            path("", "/secrets", "/db").replace("//", "/"),
            json!({"kind": "PartialObjectMetadata", "metadata": {"name": "db", "managedFields": [
                {"manager": "controller", "fieldsV1": {"f:data": {".": {}, "f:password": {}, "f:url": {}}}},
                {"manager": "other", "fieldsV1": {"f:metadata": {}}},
            ]}}),
        ),
        (
            path("apps/v1", "deployments", "/web"),
            json!({
                "kind": "Deployment",
                "metadata": {"uid": "d", "generation": 7, "annotations": {"deployment.kubernetes.io/revision": "2"}},
                "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
                    "template": {"metadata": {"annotations": {"checksum/secret": "c1"}}}},
                "status": {"observedGeneration": 7, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
            }),
        ),
        (
            path("apps/v1", "replicasets", ""),
            json!({"kind": "ReplicaSetList", "items": [
                {"metadata": {"uid": "r2", "annotations": {"deployment.kubernetes.io/revision": "2"}, "ownerReferences": owner("d")}},
                {"metadata": {"uid": "r1", "annotations": {"deployment.kubernetes.io/revision": "1"}, "ownerReferences": owner("d")}},
                {"metadata": {"uid": "foreign", "annotations": {"deployment.kubernetes.io/revision": "2"}, "ownerReferences": owner("x")}},
            ]}),
        ),
        (
            path("", "/pods", "").replace("//", "/"),
            json!({"kind": "PodList", "items": [pod("a", "r2"), pod("b", "r2"), pod("c", "foreign")]}),
        ),
        (
            "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop".to_owned(),
            json!({"kind": "Application", "status": {
                "sync": {"status": "Synced", "revision": "0123456789abcdef0123456789abcdef01234567"},
                "health": {"status": "Healthy"},
            }}),
        ),
    ])
}

fn pod(name: &str, owner: &str) -> Json {
    json!({
        "metadata": {"name": name, "ownerReferences": [{"uid": owner}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    })
}

fn serve(objects: Objects) -> StubCluster {
    StubCluster::start(move |asked, _| answer(&objects, asked))
}

fn answer(objects: &Objects, asked: &RecordedRequest) -> StubReply {
    let path = asked.target.split('?').next().unwrap_or_default();
    if path.contains("/secrets/") {
        assert!(asked.header("accept").is_some_and(|accept| accept.contains("as=PartialObjectMetadata")));
    }
    assert_eq!(asked.method, "GET", "nothing is changed");
    match objects.get(path) {
        Some(Json::Number(status)) => {
            let status = u16::try_from(status.as_u64().expect("a status")).expect("a status");
            StubReply::json(status, "CANARY").header("Retry-After", "0")
        }
        Some(object) => StubReply::json(200, object.to_string()),
        None => StubReply::json(404, "CANARY"),
    }
}

fn options() -> VerifyOptions {
    let application =
        ApplicationName { namespace: "argocd".to_owned(), name: "shop".to_owned(), revision: None };
    VerifyOptions { application: Some(application), ..VerifyOptions::default() }
}

fn report_of(rendered: &str, objects: Objects, from: RenderedFrom) -> VerificationReport {
    let expected = ExpectedState::read("test", rendered.as_bytes(), from).expect("manifests");
    let stub = serve(objects);
    let report = verify(&stub.connect(), &expected, &options(), &HiddenProgress).expect("a report");
    assert!(!report.human().contains("CANARY"), "{}", report.human());
    report
}

fn report(objects: Objects) -> VerificationReport {
    report_of(RENDERED, objects, RenderedFrom::Generated)
}

/// Changes one object of a cluster that is right otherwise, and returns the checks that are wrong then.
fn wrong_after(path: &str, change: impl Fn(&mut Json)) -> Vec<(String, &'static str, String, String)> {
    let mut objects = right();
    let path = objects.keys().find(|key| key.ends_with(path)).expect("an object").clone();
    change(objects.get_mut(&path).expect("an object"));
    let report = report(objects);
    assert!(!report.is_right());
    let wrong = report.wrong().map(|check| {
        let next = check.next.clone().unwrap_or_default();
        assert!(!next.is_empty(), "each fault names the next action");
        (check.object.clone(), check.aspect, check.detail.clone(), next)
    });
    wrong.collect()
}

#[test]
fn a_cluster_as_rendered_is_right() {
    let report = report(right());
    assert!(report.is_right(), "{}", report.human());
    assert_eq!(report.count(CheckVerdict::NotChecked), 0, "{}", report.human());
    let human = report.human();
    for line in [
        "SealedSecret shop/db\n  right       contents    it has the rendered ciphertexts\n",
        "  right       unsealed    the controller unsealed its present generation\n",
        "Secret shop/db\n  right       exists      it exists\n  right       keys        `password`, `url`\n",
        "Deployment shop/web\n",
        "  right       checksum    `checksum/secret` is as rendered\n",
        "  right       pods        2 run the present template and are ready\n",
        "Application argocd/shop\n  right       synced      at 0123456789abcdef0123456789abcdef01234567\n",
        "9 right, 0 wrong, 0 not checked; server `http://127.0.0.1:",
    ] {
        assert!(human.contains(line), "{line}\n---\n{human}");
    }
    let json: Json = serde_json::from_slice(&report.json()).expect("JSON");
    assert_eq!(json["right"], true);
    assert_eq!(json["checks"][0]["verdict"], "right");
}

#[test]
fn a_preview_leaves_checksums_and_ciphertexts_open() {
    let report = report_of(RENDERED, right(), RenderedFrom::Preview);
    assert!(report.is_right());
    let open: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.verdict == CheckVerdict::NotChecked)
        .map(|check| check.aspect)
        .collect();
    assert_eq!(open, ["contents", "checksum"]);
}

#[test]
fn each_fault_is_found_where_it_is() {
    type Change = fn(&mut Json);
    let cases: [(&str, Change, &str, &str); 15] = [
        ("sealedsecrets/db", |object| *object = json!(404), "exists", "it does not exist"),
        (
            "sealedsecrets/db",
            |object| object["spec"]["encryptedData"]["password"] = "AgX=".into(),
            "contents",
            "its ciphertexts are not those that were rendered",
        ),
        (
            "sealedsecrets/db",
            |object| object["metadata"]["generation"] = 4.into(),
            "unsealed",
            "the controller has not seen its present generation",
        ),
        (
            "sealedsecrets/db",
            |object| object["status"] = Json::Null,
            "unsealed",
            "the controller has not reported about it",
        ),
        (
            "sealedsecrets/db",
            |object| {
                object["status"]["conditions"] = json!([{"type": "Synced", "status": "False", "message": "no key could decrypt secret (CANARY)"}]);
            },
            "unsealed",
            "no key of the controller can decrypt it: it was sealed for another key, name, namespace or scope",
        ),
        ("secrets/db", |object| *object = json!(404), "exists", "it does not exist"),
        (
            "secrets/db",
            |object| object["metadata"]["managedFields"][0]["fieldsV1"]["f:data"] = json!({"f:url": {}}),
            "keys",
            "missing: `password`",
        ),
        (
            "deployments/web",
            |object| object["spec"]["template"]["metadata"]["annotations"]["checksum/secret"] = "c0".into(),
            "checksum",
            "`checksum/secret` is not as rendered",
        ),
        (
            "deployments/web",
            |object| object["spec"]["template"] = json!({}),
            "checksum",
            "`checksum/secret` is missing",
        ),
        (
            "deployments/web",
            |object| object["metadata"]["generation"] = 8.into(),
            "rollout",
            "the controller has not seen its present generation",
        ),
        (
            "deployments/web",
            |object| object["status"]["updatedReplicas"] = Json::Null,
            "rollout",
            "0 of 2 pods with the present template",
        ),
        (
            "deployments/web",
            |object| object["status"]["replicas"] = 3.into(),
            "rollout",
            "1 pod of an older template left",
        ),
        (
            "deployments/web",
            |object| object["status"]["availableReplicas"] = 1.into(),
            "rollout",
            "1 of 2 pods available",
        ),
        (
            "pods",
            |object| object["items"][0] = pod("old", "r1"),
            "pods",
            "pods of an older template run: `old`",
        ),
        (
            "pods",
            |object| {
                object["items"][1]["status"] = json!({"containerStatuses": [{"state": {"waiting": {"reason": "CreateContainerConfigError", "message": "CANARY"}}}]});
            },
            "pods",
            "not ready: `b`: a Secret, a ConfigMap or a key that it uses does not exist",
        ),
    ];
    for (object, change, aspect, detail) in cases {
        let wrong = wrong_after(object, change);
        let found: Vec<_> = wrong.iter().map(|(_, aspect, detail, _)| (*aspect, detail.as_str())).collect();
        assert_eq!(found, [(aspect, detail)], "{object}");
    }
}

#[test]
fn an_application_that_is_not_right_is_a_fault() {
    for (field, status, detail) in [
        ("sync", "OutOfSync", "it is OutOfSync"),
        ("sync", "CANARY", "Argo CD has not compared it"),
        ("health", "Degraded", "it is Degraded"),
        ("health", "Progressing", "it is Progressing"),
        ("health", "", "its health is unknown"),
    ] {
        let wrong =
            wrong_after("applications/shop", |object| object["status"][field]["status"] = status.into());
        assert_eq!(wrong[0].2, detail);
    }
    let mut options = options();
    for (revision, is_right) in [("0123456", true), ("abc", false), ("", false)] {
        options.application.as_mut().expect("one").revision = Some(revision.to_owned());
        let expected = ExpectedState::read("test", RENDERED.as_bytes(), RenderedFrom::Generated);
        let report =
            verify(&serve(right()).connect(), &expected.expect("manifests"), &options, &HiddenProgress);
        assert_eq!(report.expect("a report").is_right(), is_right, "{revision}");
    }
}

#[test]
fn what_this_user_may_not_read_is_not_checked() {
    let mut objects = right();
    for (path, object) in &mut objects {
        if path.contains("/secrets/") || path.contains("/applications/") {
            *object = json!(403);
        }
    }
    let report = report(objects);
    assert!(report.is_right(), "{}", report.human());
    let denied: Vec<_> =
        report.checks.iter().filter(|check| check.verdict == CheckVerdict::NotChecked).collect();
    assert_eq!(denied.len(), 2);
    assert_eq!(denied[0].detail, "this user is not allowed to `get` Secret `db` in namespace `shop` (403)");
    let rule = "grant `get` on `secrets` with a Role in namespace `shop`: \
                `- {apiGroups: [\"\"], resources: [\"secrets\"], verbs: [\"get\"]}`";
    assert_eq!(denied[0].next.as_deref(), Some(rule));
}

#[test]
fn a_cluster_that_tells_nothing_is_not_right() {
    let objects = right().into_keys().map(|path| (path, json!(403))).collect();
    assert!(!report(objects).is_right());
}

#[test]
fn keys_that_no_manager_owns_are_not_checked() {
    let mut objects = right();
    let secret =
        objects.iter_mut().find(|(path, _)| path.ends_with("secrets/db") && !path.contains("sealed"));
    secret.expect("a Secret").1["metadata"]["managedFields"] = Json::Null;
    let report = report(objects);
    assert!(report.is_right());
    assert_eq!(report.count(CheckVerdict::NotChecked), 1);
}

#[test]
fn a_failing_api_is_an_error_without_its_text() {
    for (status, text) in [
        (500, "the cluster's API failed (500)"),
        (429, "too many requests (429)"),
        (401, "rejected the credentials"),
    ] {
        let objects = right().into_keys().map(|path| (path, json!(status))).collect();
        let expected = ExpectedState::read("test", RENDERED.as_bytes(), RenderedFrom::Generated);
        let error =
            verify(&serve(objects).connect(), &expected.expect("manifests"), &options(), &HiddenProgress);
        let error = error.expect_err("an error").to_string();
        assert!(error.contains(text) && !error.contains("CANARY"), "{error}");
    }
}

#[test]
fn a_cluster_that_does_not_respond_ends_at_the_deadline() {
    let stub = StubCluster::start(|_, _| StubReply::json(200, "{}").after(Duration::from_secs(5)));
    let expected = ExpectedState::read("test", RENDERED.as_bytes(), RenderedFrom::Generated);
    let client = stub.connect_for(Duration::from_millis(400));
    let error =
        verify(&client, &expected.expect("manifests"), &options(), &HiddenProgress).expect_err("late");
    let message = "cannot `get` SealedSecret `db` in namespace `shop`: the cluster did not respond before the deadline; server `";
    assert!(error.to_string().starts_with(message), "{error}");
}

#[test]
fn it_waits_until_everything_is_right() {
    let looks = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&looks);
    let stub = StubCluster::start(move |asked, before| {
        let mut objects = right();
        if asked.target.ends_with("deployments/web") {
            *seen.lock().expect("not poisoned") += 1;
            if before == 0 {
                let web = objects.get_mut(&asked.target).expect("a Deployment");
                web["status"]["updatedReplicas"] = 0.into();
            }
        }
        answer(&objects, asked)
    });
    let expected = ExpectedState::read("test", RENDERED.as_bytes(), RenderedFrom::Generated);
    let options = VerifyOptions { wait: Duration::from_secs(30), ..options() };
    let report = verify(&stub.connect(), &expected.expect("manifests"), &options, &HiddenProgress);
    assert!(report.expect("a report").is_right());
    assert_eq!(*looks.lock().expect("not poisoned"), 2);
}

#[test]
fn hostile_names_reach_neither_paths_nor_commands() {
    let rendered = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"../configmaps/x;$(id)\u001b[2J\n","namespace":"shop"},"data":{"a":"b"}}"#;
    let report = report_of(rendered, right(), RenderedFrom::Generated);
    let wrong: Vec<_> = report.wrong().collect();
    assert!(wrong[0].detail.ends_with("does not have a valid name"), "{wrong:?}");
    assert_eq!(wrong[0].next.as_deref(), Some("correct the name"));
    assert!(!report.human().contains('\u{1b}'));
}

#[test]
fn a_secret_from_a_store_leads_to_its_identity() {
    let rendered = r#"{"apiVersion":"external-secrets.io/v1","kind":"ExternalSecret","metadata":{"name":"db","namespace":"shop"},"spec":{"target":{"name":"db"},"data":[{"secretKey":"password"}]}}"#;
    let mut objects = right();
    let condition = |status: &str| json!([{"type": "Ready", "status": status, "reason": "SecretSyncedError", "message": "CANARY"}]);
    objects.insert(
        path("external-secrets.io/v1", "externalsecrets", "/db"),
        json!({
            "kind": "ExternalSecret", "metadata": {"generation": 1},
            "spec": {"secretStoreRef": {"name": "aws", "kind": "SecretStore"}},
            "status": {"conditions": condition("False")},
        }),
    );
    objects.insert(
        path("external-secrets.io/v1", "secretstores", "/aws"),
        json!({
            "kind": "SecretStore", "spec": {"provider": {"aws": {"auth": {"jwt": {"serviceAccountRef": {"name": "reader"}}}}}},
            "status": {"conditions": condition("False")},
        }),
    );
    let account = path("", "/serviceaccounts", "/reader").replace("//", "/");
    objects.insert(account.clone(), json!({"kind": "ServiceAccount", "metadata": {}}));
    let wrong = |objects: Objects| -> Vec<String> {
        let report = report_of(rendered, objects, RenderedFrom::Generated);
        report
            .checks
            .iter()
            .filter(|check| check.verdict != CheckVerdict::Right)
            .map(|check| format!("{} {}", check.object, check.aspect))
            .collect()
    };
    assert_eq!(
        wrong(objects.clone()),
        ["ExternalSecret shop/db ready", "SecretStore shop/aws ready", "ServiceAccount shop/reader role"]
    );
    objects.get_mut(&account).expect("one")["metadata"]["annotations"] =
        json!({"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/reader"});
    assert_eq!(
        wrong(objects),
        [
            "ExternalSecret shop/db ready",
            "SecretStore shop/aws ready",
            "ServiceAccount shop/reader trust",
            "ServiceAccount shop/reader logs",
        ]
    );
}

#[test]
fn a_mount_that_waits_leads_to_the_provider() {
    let rendered = r#"
{"apiVersion":"secrets-store.csi.x-k8s.io/v1","kind":"SecretProviderClass","metadata":{"name":"vault","namespace":"shop"},"spec":{"provider":"aws","secretObjects":[{"secretName":"db","data":[{"key":"password"}]}]}}
{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"template":{"spec":{"serviceAccountName":"web","containers":[{"name":"web"}],"volumes":[{"csi":{"volumeAttributes":{"secretProviderClass":"vault"}}}]}}}}
"#;
    let mut objects = right();
    let class = json!({"kind": "SecretProviderClass", "spec": {"provider": "aws"}});
    objects.insert(path("secrets-store.csi.x-k8s.io/v1", "secretproviderclasses", "/vault"), class);
    objects.insert(
        path("secrets-store.csi.x-k8s.io/v1", "secretproviderclasspodstatuses", ""),
        json!({"kind": "SecretProviderClassPodStatusList", "items": [
            {"status": {"podName": "a", "secretProviderClassName": "vault", "mounted": true}},
        ]}),
    );
    let web = path("apps/v1", "deployments", "/web");
    objects.get_mut(&web).expect("one")["status"]["availableReplicas"] = 1.into();
    let pods = path("", "/pods", "").replace("//", "/");
    objects.get_mut(&pods).expect("pods")["items"][1]["status"] =
        json!({"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]});
    let report = report_of(rendered, objects, RenderedFrom::Generated);
    let wrong: Vec<_> =
        report.wrong().map(|check| format!("{} {}: {}", check.object, check.aspect, check.detail)).collect();
    assert_eq!(
        wrong,
        [
            "Deployment shop/web rollout: 1 of 2 pods available",
            "Deployment shop/web pods: not ready: `b`: a volume is not mounted yet",
            "SecretProviderClass shop/vault mounted: pods that do not mount it: `b`",
            "ServiceAccount shop/web exists: it does not exist",
        ]
    );
}

#[test]
fn other_workloads_have_rollouts_of_their_own() {
    let workload = |kind: &str| {
        format!(
            r#"{{"apiVersion":"apps/v1","kind":"{kind}","metadata":{{"name":"w","namespace":"shop"}},"spec":{{"template":{{"spec":{{"containers":[{{"name":"w"}}]}}}}}}}}"#
        )
    };
    let objects = |plural: &str, kind: &str, status: Json| {
        let mut objects = right();
        let live = json!({
            "kind": kind, "metadata": {"uid": "w", "generation": 1}, "status": status,
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "w"}}},
        });
        objects.insert(path("apps/v1", plural, "/w"), live);
        let mut pods = json!({"kind": "PodList", "items": [pod("w-0", "w"), pod("w-1", "w")]});
        pods["items"][0]["metadata"]["labels"] = json!({"controller-revision-hash": "new"});
        pods["items"][1]["metadata"]["labels"] = json!({"controller-revision-hash": "new"});
        objects.insert(path("", "/pods", "").replace("//", "/"), pods);
        objects
    };
    let wrong = |kind: &str, objects: Objects| -> Vec<String> {
        let report = report_of(&workload(kind), objects, RenderedFrom::Generated);
        report.wrong().map(|check| check.detail.clone()).collect()
    };
    let complete = json!({
        "observedGeneration": 1, "replicas": 2, "currentReplicas": 2, "availableReplicas": 2,
        "currentRevision": "new", "updateRevision": "new",
    });
    assert_eq!(wrong("StatefulSet", objects("statefulsets", "StatefulSet", complete.clone())), [""; 0]);
    let mut half = complete;
    half["currentRevision"] = "old".into();
    half["updatedReplicas"] = 1.into();
    half["updateRevision"] = "newer".into();
    assert_eq!(
        wrong("StatefulSet", objects("statefulsets", "StatefulSet", half)),
        ["1 of 2 pods with the present template", "pods of an older template run: `w-0`, `w-1`"]
    );
    let complete = json!({
        "observedGeneration": 1, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2,
    });
    assert_eq!(wrong("DaemonSet", objects("daemonsets", "DaemonSet", complete)), [""; 0]);
    let waiting = json!({
        "observedGeneration": 1, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1,
    });
    assert_eq!(wrong("DaemonSet", objects("daemonsets", "DaemonSet", waiting)), ["1 of 2 pods available"]);
    // Rollouts of other kinds are not judged.
    let report = report_of(&workload("Rollout"), right(), RenderedFrom::Generated);
    assert_eq!(report.checks[0].detail, "rollouts of this kind are not known");
    // The next action names the deletion where nothing replaces pods.
    let next = |strategy: Json| -> Vec<String> {
        let mut objects =
            objects("statefulsets", "StatefulSet", json!({"observedGeneration": 1, "replicas": 2}));
        objects.get_mut(&path("apps/v1", "statefulsets", "/w")).expect("it")["spec"]["updateStrategy"] =
            strategy;
        let report = report_of(&workload("StatefulSet"), objects, RenderedFrom::Generated);
        report.wrong().filter_map(|check| check.next.clone()).collect()
    };
    assert!(next(json!({"type": "OnDelete"}))[0].contains("is OnDelete, so delete its old pods"));
    assert!(next(json!({"rollingUpdate": {"partition": 1}}))[0].contains("stops at partition 1"));
    assert_eq!(next(json!({"rollingUpdate": "x"}))[0], "kubectl -n shop rollout status statefulset/w");
}

/// A Rollout with two pods, whose status is changed.
fn rollout(change: impl Fn(&mut Json)) -> Objects {
    let mut live = json!({
        "kind": "Rollout", "metadata": {"name": "web", "uid": "ro", "generation": 12},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"annotations": {"checksum/secret": "c1"}}}},
        "status": {
            "observedGeneration": "12", "phase": "Healthy", "currentPodHash": "new", "stableRS": "new",
            "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "message": "CANARY",
        },
    });
    change(&mut live);
    let mut objects = right();
    objects.insert(path("argoproj.io/v1alpha1", "rollouts", "/web"), live);
    let set = |uid: &str, hash: &str, owner: &str| json!({"metadata": {"uid": uid, "labels": {"rollouts-pod-template-hash": hash}, "ownerReferences": [{"uid": owner}]}});
    let sets = json!([set("s1", "old", "ro"), set("s2", "new", "ro"), set("s3", "new", "other")]);
    objects.insert(path("apps/v1", "replicasets", ""), json!({"kind": "ReplicaSetList", "items": sets}));
    let pods = json!([pod("a", "s2"), pod("b", "s2"), pod("c", "s3")]);
    objects.insert(path("", "/pods", "").replace("//", "/"), json!({"kind": "PodList", "items": pods}));
    objects
}

const ROLLOUT: &str = r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"Rollout","metadata":{"name":"web","namespace":"shop"},"spec":{"template":{"metadata":{"annotations":{"checksum/secret":"c1"}},"spec":{"containers":[{"name":"web"}]}}}}"#;

#[test]
fn a_rollout_of_argo_is_checked_like_a_deployment() {
    let whole = report_of(ROLLOUT, rollout(|_| {}), RenderedFrom::Generated);
    assert!(whole.is_right() && whole.count(CheckVerdict::NotChecked) == 0, "{}", whole.human());
    for line in [
        "Rollout shop/web\n  right       checksum    `checksum/secret` is as rendered\n",
        "  right       rollout     2 of 2 pods available, all with the present template\n",
        "  right       pods        2 run the present template and are ready\n",
    ] {
        assert!(whole.human().contains(line), "{line}\n---\n{}", whole.human());
    }
    let status = |field: &'static str, value: Json| {
        let objects = rollout(move |live| live["status"][field] = value.clone());
        let report = report_of(ROLLOUT, objects, RenderedFrom::Generated);
        let mut found =
            report.wrong().map(|check| (check.detail.clone(), check.next.clone().unwrap_or_default()));
        found.next().unwrap_or_default()
    };
    let describe = "kubectl -n shop describe rollout web";
    let promote = "look at its step, then: kubectl argo rollouts promote web -n shop";
    let unseen = "the controller has not seen its present generation";
    for (field, value, detail, next) in [
        ("observedGeneration", json!("11"), unseen, describe),
        ("observedGeneration", Json::Null, unseen, describe),
        ("observedGeneration", json!(12), unseen, describe),
        (
            "phase",
            json!("Degraded"),
            "it is Degraded: it was aborted, did not progress in time, or is not valid",
            describe,
        ),
        ("phase", json!("Paused"), "it is paused, so pods of the old template run on", promote),
        ("phase", json!("Progressing"), "it is Progressing: a step or an analysis is not complete", describe),
        ("phase", json!("\u{1b}[2J"), "it is in a phase that is not known", describe),
        ("updatedReplicas", json!(1), "1 of 2 pods with the present template", describe),
        ("updatedReplicas", json!("2"), "0 of 2 pods with the present template", describe),
        ("availableReplicas", json!(-1), "0 of 2 pods available", describe),
        ("replicas", json!(3), "1 pod of an older template left", describe),
        ("currentPodHash", json!("old"), "pods of an older template run: `a`, `b`", describe),
        ("currentPodHash", json!(7), "pods of an older template run: `a`, `b`", describe),
    ] {
        assert_eq!(status(field, value.clone()), (detail.to_owned(), next.to_owned()), "{field}: {value}");
    }
    // A hash of an old release tells nothing about the generation.
    assert_eq!(status("observedGeneration", json!("58c975674b")), Default::default());
    let other =
        rollout(|live| live["spec"]["template"]["metadata"]["annotations"]["checksum/secret"] = "c2".into());
    let report = report_of(ROLLOUT, other, RenderedFrom::Generated);
    assert_eq!(report.wrong().next().expect("wrong").detail, "`checksum/secret` is not as rendered");
    // A cluster without Argo Rollouts.
    let report = report_of(ROLLOUT, right(), RenderedFrom::Generated);
    assert_eq!(report.wrong().next().expect("wrong").detail, "it does not exist");
}

#[test]
fn a_rollout_may_take_its_template_from_a_deployment() {
    let rendered = r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"Rollout","metadata":{"name":"web","namespace":"shop"},"spec":{"workloadRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"}}}"#;
    let with = |seen: Json| {
        let objects = rollout(move |live| live["status"]["workloadObservedGeneration"] = seen.clone());
        let report = report_of(rendered, objects, RenderedFrom::Generated);
        let found = report.checks.iter().find(|check| check.aspect == "template").expect("a check").clone();
        (found.verdict, found.detail, report.is_right())
    };
    let right = "it has the present template of Deployment `web`".to_owned();
    assert_eq!(with(json!("7")), (CheckVerdict::Right, right, true));
    let old = "its controller has not seen the present template of Deployment `web`".to_owned();
    assert_eq!(with(json!("6")), (CheckVerdict::Wrong, old, false));
    let silent = "its controller does not tell which template it has seen".to_owned();
    assert_eq!(with(json!(7)), (CheckVerdict::NotChecked, silent, true));
    for (from, to, detail) in [
        ("\"name\":\"web\"}}}", "\"name\":\"gone\"}}}", "the workload that it names does not exist"),
        (
            "\"kind\":\"Deployment\"",
            "\"kind\":\"Thing\"",
            "the workload that it names is of a kind that is not known",
        ),
    ] {
        let report = report_of(&rendered.replace(from, to), rollout(|_| {}), RenderedFrom::Generated);
        let found = report.checks.iter().find(|check| check.aspect == "template").expect("a check");
        assert_eq!(found.detail, detail);
    }
}

#[test]
fn workloads_that_replace_no_pods_are_reported() {
    for (version, kind, group, plural, detail) in [
        (
            "batch/v1",
            "Job",
            "batch/v1",
            "jobs",
            "it replaces no pods: those that run keep what they read when they started",
        ),
        (
            "apps/v1",
            "ReplicaSet",
            "apps/v1",
            "replicasets",
            "it replaces no pods: those that run keep what they read when they started",
        ),
        ("v1", "Pod", "v1", "pods", "a pod keeps what it read when it started"),
    ] {
        let (spec, live_spec) = match kind {
            "Pod" => (r#"{"containers":[{"name":"w"}]}"#.to_owned(), json!({})),
            _ => (
                r#"{"template":{"metadata":{"annotations":{"checksum/secret":"c1"}},"spec":{"containers":[{"name":"w"}]}}}"#.to_owned(),
                json!({"template": {"metadata": {"annotations": {"checksum/secret": "c1"}}}}),
            ),
        };
        let rendered = format!(
            r#"{{"apiVersion":"{version}","kind":"{kind}","metadata":{{"name":"w","namespace":"shop","annotations":{{"checksum/secret":"c1"}}}},"spec":{spec}}}"#
        );
        let mut objects = right();
        let live =
            json!({"kind": kind, "metadata": {"annotations": {"checksum/secret": "c1"}}, "spec": live_spec});
        let start = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{group}") };
        objects.insert(format!("{start}/namespaces/shop/{plural}/w"), live);
        let report = report_of(&rendered, objects, RenderedFrom::Generated);
        let details: Vec<&str> = report.checks.iter().take(2).map(|check| check.detail.as_str()).collect();
        assert_eq!(details, ["`checksum/secret` is as rendered", detail], "{kind}");
    }
}

/// Returns the report of a cluster with this change, which must be short and harmless for a terminal and a CI system.
fn report_after(at: &str, change: impl Fn(&mut Json)) -> VerificationReport {
    let mut objects = right();
    let key = objects.keys().find(|key| key.ends_with(at)).expect("an object").clone();
    change(objects.get_mut(&key).expect("an object"));
    let report = report(objects);
    for text in [report.human(), String::from_utf8(report.json()).expect("UTF-8")] {
        assert!(text.len() < 50_000, "{at}: {}", text.len());
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{at}: {text:?}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{at}: {text}");
        assert!(!text.contains("##["), "{at}: {text}");
    }
    report
}

#[test]
fn hostile_objects_of_a_cluster_are_judged_without_harm() {
    let hostile = || format!("::error::x\n##[error]y\u{1b}[2J{}", "n".repeat(5 << 20));
    let deep = || (0..100).fold(json!({}), |inner, _| json!({"f:x": [inner]}));
    let many: Json =
        (0..20_000).map(|number| json!({"fieldsV1": {"f:metadata": {format!("f:{number}"): {}}}})).collect();
    // Names, owners and revisions are only compared, or shown in part.
    let names = report_after("/pods", |pods| {
        let mut loops = pod(&hostile(), "r2");
        loops["metadata"]["uid"] = "loop".into();
        loops["metadata"]["ownerReferences"] = json!([{"uid": "loop"}, {"uid": "r1"}, {"uid": 7}, "x"]);
        pods["items"].as_array_mut().expect("pods").push(loops);
    });
    assert!(names.wrong().any(|check| check.detail.starts_with("pods of an older template run: ")));
    report_after("/replicasets", |sets| {
        sets["items"][0]["metadata"]["ownerReferences"] = json!([{"uid": "r2"}, {"uid": "d"}]);
        sets["items"][1]["metadata"]["uid"] = hostile().into();
    });
    report_after("/applications/shop", |application| {
        application["status"]["sync"]["revision"] = hostile().into();
        application["status"]["sync"]["revisions"] = (0..100_000).map(|_| "::x").collect();
        application["status"]["conditions"] = json!([{"type": 7}, "x", {"type": hostile()}]);
    });
    // Types that the API does not have.
    for status in [
        json!([]),
        json!("x"),
        json!({"conditions": {"type": "Synced"}}),
        json!({"observedGeneration": "3"}),
        Json::Null,
    ] {
        let report = report_after("/sealedsecrets/db", |sealed| sealed["status"] = status.clone());
        assert!(!report.is_right(), "{status}");
        let report = report_after("/deployments/web", |live| live["status"] = status.clone());
        assert!(!report.is_right(), "{status}");
    }
    for metadata in [json!([]), json!("x"), json!({"uid": [], "generation": "7"})] {
        assert!(!report_after("/deployments/web", |live| live["metadata"] = metadata.clone()).is_right());
    }
    // Fields of managers: many, and as deep as JSON is read.
    let fields = |managed: Json| {
        let report =
            report_after("shop/secrets/db", |secret| secret["metadata"]["managedFields"] = managed.clone());
        let of = |aspect: &str| report.checks.iter().find(|check| check.aspect == aspect);
        (report.is_right(), of("keys").or_else(|| of("exists")).expect("a check").verdict)
    };
    assert_eq!(fields(json!([{"fieldsV1": deep()}])), (true, CheckVerdict::NotChecked));
    assert_eq!(fields(many), (true, CheckVerdict::NotChecked));
    assert_eq!(fields(json!({"fieldsV1": 7})), (true, CheckVerdict::NotChecked));
    assert_eq!(fields(json!([{"fieldsV1": {"f:data": "x"}}, 7])), (true, CheckVerdict::NotChecked));
    let hostile_keys = report_after("shop/secrets/db", |secret| {
        secret["metadata"]["managedFields"] =
            json!([{"fieldsV1": {"f:data": {format!("f:{}", hostile()): {}}}}]);
        secret["metadata"]["annotations"] = json!({"a": "::error::x\n##[error]"});
    });
    assert!(!hostile_keys.is_right(), "the keys are missing");
}

#[test]
fn manifests_of_another_kind_of_text_are_refused() {
    for text in ["", "a: b", "- x"] {
        assert!(ExpectedState::read("test", text.as_bytes(), RenderedFrom::Generated).is_err(), "{text:?}");
    }
    let failure = ExpectedState::read("test", b"a: [", RenderedFrom::Generated).expect_err("not YAML");
    assert!(format!("{failure:?}").contains("test"));
}
