//! Tests of the steps, their lines, and the live states that allow them.

use std::collections::BTreeMap;

use super::*;
use sealwave_providers::ClusterError;
use sealwave_secrets::settings::{App, BackendKind, ChecksumText, EnvironmentBackends, KeptChecksum};

use BackendKind::{ExternalSecrets, SealedSecrets, SecretsStoreCsi};

fn backends(environment: &str) -> EnvironmentBackends {
    let text = format!("apiVersion: a\nkind: App\nenvironments: {{prod: {environment}}}\n");
    let app = app_file(&text);
    EnvironmentBackends::decide(&app, &app.environments["prod"]).expect("valid settings")
}

fn app_file(text: &str) -> App {
    yaml_serde::from_str(text).expect("an app file")
}

fn secrets() -> [SecretName; 2] {
    [("shop", "db"), ("shop", "cache")].map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
}

fn switch_of(environment: &str, scope: SwitchScope, to: BackendKind) -> Result<Switch, SwitchError> {
    let request = SwitchRequest { environment: "prod".to_owned(), scope, to };
    Switch::new(request, &backends(environment), secrets())
}

fn entry(environment: &str, to: BackendKind) -> Switch {
    switch_of(environment, SwitchScope::Entry("db".to_owned()), to).expect("a plan")
}

#[test]
fn steps_follow_the_app_file() {
    for (environment, to, step) in [
        ("{}", ExternalSecrets, SwitchStep::Release),
        ("{}", SealedSecrets, SwitchStep::Complete),
        (
            "{secretBackends: {db: {from: sealed-secrets, to: external-secrets}}}",
            ExternalSecrets,
            SwitchStep::TakeOver,
        ),
        (
            "{secretBackends: {db: {from: sealed-secrets, to: external-secrets}}}",
            SealedSecrets,
            SwitchStep::Cancel,
        ),
        ("{secretBackends: {shop/db: external-secrets}}", ExternalSecrets, SwitchStep::Complete),
        ("{backend: {from: secrets-store-csi, to: external-secrets}}", ExternalSecrets, SwitchStep::TakeOver),
    ] {
        assert_eq!(entry(environment, to).step, step, "{environment} {to}");
    }
}

#[test]
fn requests_that_cannot_be_planned() {
    let db = || SwitchScope::Entry("db".to_owned());
    let under_way = "{secretBackends: {db: {from: sealed-secrets, to: secrets-store-csi}}}";
    assert_eq!(
        switch_of(under_way, db(), ExternalSecrets).err(),
        Some(SwitchError::OtherSwitch(SecretsStoreCsi))
    );
    let hidden = switch_of("{secretBackends: {shop/db: sealed-secrets}}", db(), ExternalSecrets);
    assert_eq!(hidden.err(), Some(SwitchError::OtherEntry("db".to_owned())));
    let unknown = switch_of("{}", SwitchScope::Entry("other/db".to_owned()), ExternalSecrets);
    assert!(matches!(unknown.err(), Some(SwitchError::NoSuchSecret { .. })));
    let own = "{secretBackends: {db: external-secrets, cache: external-secrets}}";
    let none = switch_of(own, SwitchScope::Environment, ExternalSecrets);
    assert_eq!(none.err(), Some(SwitchError::NoSecrets("prod".to_owned())));
}

#[test]
fn an_environment_leaves_secrets_with_an_entry_alone() {
    let switch =
        switch_of("{secretBackends: {db: sealed-secrets}}", SwitchScope::Environment, ExternalSecrets);
    assert_eq!(switch.expect("a plan").secrets, [("shop".to_owned(), "cache".to_owned())]);
}

#[test]
fn lines_are_those_that_the_app_file_reader_accepts() {
    let none = BTreeMap::new();
    let release = entry("{}", ExternalSecrets);
    assert_eq!(
        release.lines(&none),
        "environments:\n  prod:\n    secretBackends:\n      db:\n        from: sealed-secrets\n        to: external-secrets\n"
    );
    let checksum = |digit: &str| ChecksumText::parse(&digit.repeat(32)).expect("a checksum");
    let kept = BTreeMap::from([(
        "Deployment/shop/web".to_owned(),
        KeptChecksum { computed: checksum("1"), kept: checksum("2") },
    )]);
    let take_over = switch_of(
        "{backend: {from: sealed-secrets, to: external-secrets}}",
        SwitchScope::Environment,
        ExternalSecrets,
    )
    .expect("a plan");
    let lines = take_over.lines(&kept);
    assert!(lines.starts_with("environments:\n  prod:\n    backend: external-secrets\n"), "{lines}");
    let app = app_file(&format!("apiVersion: a\nkind: App\n{lines}"));
    assert_eq!(app.environments["prod"].kept_checksums, kept);
    assert_eq!(entry("{}", SealedSecrets).lines(&kept), "");
}

#[test]
fn checksums_are_paired_by_workload() {
    let output = |checksum: &str| {
        let template = serde_json::json!({"metadata": {"annotations": {"checksum/secret": checksum}}});
        let deployment = serde_json::json!({
            "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": template},
        });
        let cron = serde_json::json!({
            "kind": "CronJob", "metadata": {"name": "job", "namespace": "shop"},
            "spec": {"jobTemplate": {"spec": {"template": template}}},
        });
        let map = serde_json::json!({"kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "b"}});
        format!("{deployment}\n{cron}\n{map}\n")
    };
    let (one, two) = ("1".repeat(32), "2".repeat(32));
    let present = secret_checksums(output(&one).as_bytes());
    assert_eq!(present.keys().collect::<Vec<_>>(), ["CronJob/shop/job", "Deployment/shop/web"]);
    let kept = kept_checksums(&present, secret_checksums(output(&two).as_bytes()));
    assert_eq!((kept.len(), kept["CronJob/shop/job"].kept.as_str()), (2, one.as_str()));
    assert!(kept_checksums(&present, present.clone()).is_empty());
    assert!(secret_checksums(output("CANARY").as_bytes()).is_empty());
}

/// A cluster with one state for all Secrets.
struct StubState {
    secret: Option<LiveSecret>,
    suppliers: Vec<(BackendKind, bool)>,
}

impl LiveState for StubState {
    fn secret(&self, _: &SecretName) -> Result<Option<LiveSecret>, ClusterError> {
        Ok(self.secret.clone())
    }

    fn supplier(&self, kind: BackendKind, _: &SecretName) -> Result<Option<LiveSupplier>, ClusterError> {
        let found = self.suppliers.iter().find(|(supplier, _)| *supplier == kind);
        Ok(found.map(|(_, is_pruned_last)| LiveSupplier { is_pruned_last: *is_pruned_last }))
    }
}

/// Returns an owner with the name of the Secret, in the group of its kind.
fn owner(kind: &str) -> LiveOwner {
    let group = match kind {
        "ExternalSecret" => "external-secrets.io",
        "SealedSecret" => "bitnami.com",
        _ => "apps",
    };
    LiveOwner {
        group: group.to_owned(),
        kind: kind.to_owned(),
        name: "db".to_owned(),
        is_controller: kind != "ReplicaSet",
    }
}

fn messages(
    switch: &Switch,
    owners: &[&str],
    is_open: bool,
    suppliers: &[(BackendKind, bool)],
) -> Vec<String> {
    let secret = LiveSecret {
        uid: "1".to_owned(),
        owners: owners.iter().map(|kind| owner(kind)).collect(),
        is_open_to_sealed_secrets: is_open,
        ..LiveSecret::default()
    };
    let state = StubState { secret: Some(secret), suppliers: suppliers.to_vec() };
    let found = live_findings(switch, &state, &mut RecordedUids::new()).expect("answers");
    found.into_iter().map(|finding| finding.message).collect()
}

#[test]
fn a_secret_is_taken_over_only_after_its_release() {
    let to_external =
        entry("{secretBackends: {db: {from: sealed-secrets, to: external-secrets}}}", ExternalSecrets);
    let released = [(SealedSecrets, true)];
    assert_eq!(messages(&to_external, &[], true, &released), [""; 0]);
    assert_eq!(
        messages(&to_external, &["SealedSecret"], false, &released),
        ["the Secret is still owned by its SealedSecret"]
    );
    assert_eq!(
        messages(&to_external, &[], true, &[(SealedSecrets, false)]),
        ["the SealedSecret in the cluster lacks the sync option `PruneLast=true`"]
    );
    let to_sealed =
        entry("{secretBackends: {db: {from: external-secrets, to: sealed-secrets}}}", SealedSecrets);
    assert_eq!(messages(&to_sealed, &[], true, &[(ExternalSecrets, true)]), [""; 0]);
    assert_eq!(
        messages(&to_sealed, &["ExternalSecret"], false, &[(ExternalSecrets, true)]),
        [
            "the Secret is still owned by its ExternalSecret",
            "the Secret lacks the annotation `sealedsecrets.bitnami.com/managed`"
        ]
    );
}

#[test]
fn the_drivers_secret_is_joined_or_opened() {
    let joined =
        entry("{secretBackends: {db: {from: secrets-store-csi, to: external-secrets}}}", ExternalSecrets);
    let class = [(SecretsStoreCsi, true)];
    assert_eq!(messages(&joined, &["ReplicaSet", "ExternalSecret"], false, &class), [""; 0]);
    assert_eq!(
        messages(&joined, &["ReplicaSet"], false, &class),
        ["the Secret is not owned by its ExternalSecret yet"]
    );
    let opened =
        entry("{secretBackends: {db: {from: secrets-store-csi, to: sealed-secrets}}}", SealedSecrets);
    assert!(joined.changes_pods() && opened.changes_pods());
    assert_eq!(messages(&opened, &["ReplicaSet"], true, &class), [""; 0]);
    assert_eq!(messages(&opened, &["ReplicaSet"], false, &class).len(), 1);
}

#[test]
fn a_change_is_complete_when_the_old_object_is_gone() {
    let done = entry("{secretBackends: {db: external-secrets}}", ExternalSecrets);
    assert_eq!(messages(&done, &["ExternalSecret"], false, &[(ExternalSecrets, true)]), [""; 0]);
    assert_eq!(
        messages(&done, &["SealedSecret"], false, &[(SealedSecrets, true)]),
        [
            "the Secret is not owned by its ExternalSecret yet",
            "the SealedSecret of the old backend still exists"
        ]
    );
}

#[test]
fn another_uid_and_a_missing_secret_are_reported() {
    let switch = entry("{}", ExternalSecrets);
    let mut uids = RecordedUids::new();
    let state = |uid: Option<&str>| StubState {
        secret: uid.map(|uid| LiveSecret { uid: uid.to_owned(), ..LiveSecret::default() }),
        suppliers: Vec::new(),
    };
    let mut run = |uid: Option<&str>| live_findings(&switch, &state(uid), &mut uids).expect("answers");
    assert_eq!(run(Some("a")), []);
    assert_eq!(run(Some("a")), []);
    assert!(run(Some("b"))[0].message.contains("deleted and created again"));
    assert_eq!(run(Some("b")), []);
    assert_eq!(run(None)[0].message, "the Secret does not exist in the cluster");
    // Without UIDs, nothing is proven.
    assert!(run(Some(""))[0].message.starts_with("the UID of the Secret is not known"));
}

/// Returns the messages about a plain Secret.
fn plain_messages(to: BackendKind, is_released: bool, secret: LiveSecret) -> Vec<String> {
    let request = SwitchRequest { environment: "default".to_owned(), scope: SwitchScope::Environment, to };
    let switch = Switch::of_plain(request, vec![secrets()[0].clone()], is_released);
    let state = StubState { secret: Some(secret), suppliers: Vec::new() };
    let found = live_findings(&switch, &state, &mut RecordedUids::new()).expect("answers");
    found.into_iter().map(|finding| finding.message).collect()
}

#[test]
fn a_plain_secret_is_taken_over_when_argo_cd_keeps_it() {
    let live = |is_never_pruned, is_open_to_sealed_secrets| LiveSecret {
        is_open_to_sealed_secrets,
        is_never_pruned,
        uid: "1".to_owned(),
        ..LiveSecret::default()
    };
    assert_eq!(plain_messages(ExternalSecrets, false, live(false, false)), [""; 0]);
    assert_eq!(plain_messages(ExternalSecrets, true, live(true, false)), [""; 0]);
    assert_eq!(
        plain_messages(ExternalSecrets, true, live(false, false)),
        ["the Secret in the cluster lacks the sync option `Prune=false`"]
    );
    assert_eq!(plain_messages(SealedSecrets, true, live(true, true)), [""; 0]);
    assert_eq!(
        plain_messages(SealedSecrets, true, live(true, false)),
        ["the Secret lacks the annotation `sealedsecrets.bitnami.com/managed`"]
    );
    let owned = LiveSecret { owners: vec![owner("Clust\ner")], ..live(true, true) };
    let [message] = &plain_messages(SealedSecrets, true, owned)[..] else { panic!("one message") };
    assert!(message.starts_with("the Secret is owned by Clust") && !message.contains('\n'), "{message}");
}

#[test]
fn values_in_an_annotation_are_reported_at_the_end() {
    let done = entry("{secretBackends: {db: external-secrets}}", ExternalSecrets);
    let secret = LiveSecret {
        owners: vec![owner("ExternalSecret")],
        repeats_values: true,
        uid: "1".to_owned(),
        ..LiveSecret::default()
    };
    let state = StubState { secret: Some(secret), suppliers: vec![(ExternalSecrets, true)] };
    let found = live_findings(&done, &state, &mut RecordedUids::new()).expect("answers");
    let hints: Vec<&str> = found.iter().map(|finding| finding.hint.as_str()).collect();
    assert_eq!(
        hints,
        ["`kubectl annotate secret --namespace shop db kubectl.kubernetes.io/last-applied-configuration-`"]
    );
}

#[test]
fn only_the_object_of_the_backend_counts_as_owner() {
    let live = |owners: Vec<LiveOwner>| {
        let secret = LiveSecret {
            owners,
            is_open_to_sealed_secrets: true,
            uid: "1".to_owned(),
            ..LiveSecret::default()
        };
        StubState { secret: Some(secret), suppliers: Vec::new() }
    };
    let of = |switch: &Switch, owner: &LiveOwner| -> Vec<String> {
        let found = live_findings(switch, &live(vec![owner.clone()]), &mut RecordedUids::new());
        found.expect("answers").into_iter().map(|finding| finding.message).collect()
    };
    let take_over =
        entry("{secretBackends: {db: {from: sealed-secrets, to: external-secrets}}}", ExternalSecrets);
    let done = entry("{secretBackends: {db: external-secrets}}", ExternalSecrets);
    let right = owner("ExternalSecret");
    assert_eq!(of(&done, &right), [""; 0]);
    assert_eq!(of(&take_over, &right), [""; 0]);
    for (forged, shown) in [
        (LiveOwner { group: "example.com".to_owned(), ..right.clone() }, "ExternalSecret `db`"),
        (LiveOwner { name: "other".to_owned(), ..right.clone() }, "ExternalSecret `other`"),
        (LiveOwner { group: "apps".to_owned(), ..owner("SealedSecret") }, "SealedSecret `db`"),
        (owner("Deployment"), "Deployment `db`"),
    ] {
        assert_eq!(of(&done, &forged), ["the Secret is not owned by its ExternalSecret yet"]);
        assert_eq!(
            of(&take_over, &forged),
            [format!("the Secret is owned by {shown}, not by its SealedSecret")]
        );
    }
    // An owner that is not the controller does not stop the operator.
    let other = LiveOwner { is_controller: false, ..owner("ReplicaSet") };
    assert_eq!(of(&take_over, &other), [""; 0]);
    let lines = LiveOwner { name: "a\nb\u{1b}[31m".to_owned(), ..owner("Pod") };
    assert!(!of(&take_over, &lines)[0].contains(['\n', '\u{1b}']));
}
