//! Tests of the whole stage: waves and checksums of sets of objects.

#![expect(clippy::needless_pass_by_value, reason = "`json!` reads better without a borrow")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use sealwave_core::diagnostic::NoteLevel;
use sealwave_core::document::Manifest;
use sealwave_testkit::manifests;

mod hooks;
mod prune_last;
mod resealed;

const WAVE: &str = "argocd.argoproj.io/sync-wave";

/// Values of Secrets that this run seals: `namespace/name` → key → value.
type SealedValues<'a> = &'a [(&'a str, &'a [(&'a str, &'a str)])];

fn annotate_settings(settings: &TestSettings) -> AnnotateSettings<'_> {
    AnnotateSettings {
        kept_checksums: &settings.kept_checksums,
        waves: &settings.waves,
        workloads: &settings.workloads,
        setting_place: &|_| ProblemPlace::Unknown,
    }
}

struct AnnotateRun {
    objects: Vec<Manifest>,
    notes: Vec<Note>,
}

#[derive(Default)]
struct TestSettings {
    kept_checksums: BTreeMap<String, KeptChecksum>,
    waves: WaveSettings,
    workloads: Vec<WorkloadKind>,
}

impl TestSettings {
    fn waves(kinds: &[(&str, i32)]) -> Self {
        let kinds = kinds.iter().map(|(kind, wave)| ((*kind).to_owned(), *wave)).collect();
        Self { waves: WaveSettings { kinds }, ..Self::default() }
    }
}

fn digests(values: SealedValues<'_>) -> SecretDigests {
    let key = ChecksumKey::preview();
    let items = |items: &[(&str, &str)]| -> BTreeMap<_, _> {
        items.iter().map(|(name, value)| ((*name).into(), key.digest("test", &[value.as_bytes()]))).collect()
    };
    let split = |id: &str| {
        let (namespace, name) = id.split_once('/').expect("namespace/name");
        (namespace.into(), name.into())
    };
    values.iter().map(|(id, list)| (split(id), items(list))).collect()
}

fn run_with(objects: &[Json], values: SealedValues<'_>, settings: &TestSettings) -> AnnotateRun {
    let mut objects = manifests(objects);
    let mut notes = Vec::new();
    let settings = annotate_settings(settings);
    let edits =
        plan(&objects, &digests(values), &ChecksumKey::preview(), &settings, &mut notes).expect("a plan");
    write(&edits, &mut objects, &mut notes);
    AnnotateRun { objects, notes }
}

fn run(objects: &[Json]) -> AnnotateRun {
    run_with(objects, &[], &TestSettings::default())
}

impl AnnotateRun {
    fn object(&self, name: &str) -> &Manifest {
        self.objects.iter().find(|object| object.name() == name).expect(name)
    }

    /// Returns the wave written on an object, or `""`.
    fn wave(&self, name: &str) -> &str {
        self.object(name).annotation(WAVE).unwrap_or("")
    }

    fn waves(&self) -> Vec<(&str, &str)> {
        self.objects.iter().map(|object| (object.name(), self.wave(object.name()))).collect()
    }

    /// Returns `checksum/config` and `checksum/secret` of a workload with its template at `spec.template`.
    fn checksums(&self, name: &str) -> [Option<&str>; 2] {
        ["checksum/config", "checksum/secret"].map(|annotation| {
            self.object(name)
                .root()
                .at(&["spec", "template", "metadata", "annotations", annotation])?
                .as_str()
        })
    }

    fn messages(&self) -> Vec<&str> {
        self.notes.iter().map(|note| note.problem.message.as_str()).collect()
    }
}

fn object(api: &str, kind: &str, name: &str, rest: Json) -> Json {
    let mut object =
        json!({"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "shop"}});
    let (Some(fields), Json::Object(rest)) = (object.as_object_mut(), rest) else { panic!("no object") };
    fields.extend(rest);
    object
}

fn at_wave(wave: &str, object: Json) -> Json {
    annotated(WAVE, wave, object)
}

fn annotated(annotation: &str, text: &str, mut object: Json) -> Json {
    object["metadata"]["annotations"][annotation] = text.into();
    object
}

fn deployment(name: &str, spec: Json) -> Json {
    object("apps/v1", "Deployment", name, json!({"spec": {"template": {"spec": spec}}}))
}

fn job(name: &str, spec: Json) -> Json {
    object("batch/v1", "Job", name, json!({"spec": {"template": {"spec": spec}}}))
}

fn config_map(name: &str, data: Json) -> Json {
    object("v1", "ConfigMap", name, json!({"data": data}))
}

fn sealed_secret(name: &str, data: Json) -> Json {
    object("bitnami.com/v1alpha1", "SealedSecret", name, json!({"spec": {"encryptedData": data}}))
}

fn external_secret(name: &str, spec: Json) -> Json {
    object("external-secrets.io/v1", "ExternalSecret", name, json!({"spec": spec}))
}

fn cluster(api: &str, kind: &str, name: &str, rest: Json) -> Json {
    let mut object = object(api, kind, name, rest);
    object["metadata"].as_object_mut().expect("metadata").remove("namespace");
    object
}

fn env_from_secret(name: &str) -> Json {
    json!({"containers": [{"envFrom": [{"secretRef": {"name": name}}]}]})
}

fn env_from_config(name: &str) -> Json {
    json!({"containers": [{"envFrom": [{"configMapRef": {"name": name}}]}]})
}

fn env_key(field: &str, name: &str, key: &str) -> Json {
    json!({"containers": [{"env": [{"name": "X", "valueFrom": {field: {"name": name, "key": key}}}]}]})
}

// Waves

#[test]
fn configuration_comes_one_wave_before_workloads() {
    let run = run(&[
        deployment(
            "web",
            json!({"serviceAccountName": "sa", "containers": [{"envFrom": [
                {"secretRef": {"name": "sealed"}}, {"configMapRef": {"name": "config"}}, {"secretRef": {"name": "made"}},
            ]}]}),
        ),
        sealed_secret("sealed", json!({"a": "AgB"})),
        config_map("config", json!({"a": "1"})),
        config_map("unused", json!({"a": "1"})),
        external_secret("es", json!({"target": {"name": "made"}})),
        object("v1", "ServiceAccount", "sa", json!({})),
        object("v1", "Service", "svc", json!({})),
    ]);
    assert_eq!(
        run.waves(),
        [
            ("web", ""),
            ("sealed", "-1"),
            ("config", "-1"),
            ("unused", ""),
            ("es", "-1"),
            ("sa", "-1"),
            ("svc", "")
        ]
    );
    assert_eq!(run.messages(), Vec::<&str>::new());
}

#[test]
fn a_platform_has_its_configuration_at_minus_one_and_its_workloads_at_zero_to_one() {
    let run = run_with(
        &[
            sealed_secret("aws-credentials-secret", json!({"k": "AgB"})),
            sealed_secret("mlflow-db-secret", json!({"k": "AgB"})),
            config_map("mlflow-db-config", json!({"host": "db"})),
            deployment("mlflow", env_from_secret("mlflow-db-secret")),
            at_wave("1", deployment("fastapi", env_from_secret("aws-credentials-secret"))),
            job("migrate", env_from_config("mlflow-db-config")),
        ],
        &[],
        &TestSettings::waves(&[("batch/Job", 1)]),
    );
    assert_eq!(
        run.waves(),
        [
            ("aws-credentials-secret", "-1"),
            ("mlflow-db-secret", "-1"),
            ("mlflow-db-config", "-1"),
            ("mlflow", ""),
            ("fastapi", "1"),
            ("migrate", "1"),
        ]
    );
}

#[test]
fn one_extra_wave_is_enough_for_all_configuration() {
    let mut objects = Vec::new();
    for number in 0..20 {
        let name = format!("c{number}");
        objects.push(config_map(&name, json!({"a": "b"})));
        objects.push(at_wave(
            &(number % 4).to_string(),
            deployment(&format!("d{number}"), env_from_config(&name)),
        ));
    }
    let run = run(&objects);
    let waves: std::collections::BTreeSet<&str> = run.waves().into_iter().map(|(_, wave)| wave).collect();
    assert_eq!(waves.into_iter().collect::<Vec<_>>(), ["-1", "0", "1", "2", "3"]);
}

#[test]
fn a_user_before_zero_takes_its_configuration_with_it() {
    let run = run(&[
        at_wave("-10", deployment("early", env_from_config("a"))),
        deployment("late", env_from_config("b")),
        config_map("a", json!({"k": "v"})),
        config_map("b", json!({"k": "v"})),
    ]);
    assert_eq!((run.wave("a"), run.wave("b")), ("-11", "-1"));
}

#[test]
fn authors_waves_stay_and_late_ones_are_reported() {
    let run = run(&[
        deployment("web", env_from_secret("s")),
        at_wave("2", sealed_secret("s", json!({"k": "AgB"}))),
        at_wave("-7", config_map("c", json!({"k": "v"}))),
        deployment("reader", env_from_config("c")),
    ]);
    assert_eq!((run.wave("s"), run.wave("c"), run.wave("web")), ("2", "-7", ""));
    assert_eq!(
        run.messages(),
        [
            "SealedSecret.bitnami.com `shop/s` has sync wave 2, later than Deployment.apps `shop/web` in wave 0, which needs it"
        ]
    );
    assert_eq!(run.notes[0].level, NoteLevel::Warning);
}

#[test]
fn an_optional_reference_is_no_reason_to_warn() {
    let optional = json!({"containers": [{"envFrom": [{"configMapRef": {"name": "c", "optional": true}}]}]});
    let run = run(&[deployment("web", optional), at_wave("2", config_map("c", json!({"k": "v"})))]);
    assert_eq!(run.messages(), Vec::<&str>::new());
}

#[test]
fn an_unreadable_wave_stays_and_is_reported() {
    let run =
        run(&[deployment("web", env_from_config("c")), at_wave("first", config_map("c", json!({"k": "v"})))]);
    assert_eq!(run.wave("c"), "first");
    assert_eq!(run.messages().len(), 1);
}

#[test]
fn suppliers_without_known_consumers_come_before_possible_consumers() {
    let waves = |with: &[Json]| {
        let mut objects = vec![sealed_secret("s", json!({"k": "AgB"})), external_secret("e", json!({}))];
        objects.extend(with.iter().cloned());
        let run = run(&objects);
        (run.wave("s").to_owned(), run.wave("e").to_owned())
    };
    let both = |wave: &str| (wave.to_owned(), wave.to_owned());
    assert_eq!(waves(&[]), both(""));
    assert_eq!(waves(&[object("v1", "Service", "svc", json!({}))]), both(""));
    let unused = object("v1", "ServiceAccount", "sa", json!({"imagePullSecrets": [{"name": "s"}]}));
    assert_eq!(waves(&[unused, deployment("web", json!({}))]), both("-1"));
    assert_eq!(waves(&[object("example.org/v1", "Database", "db", json!({}))]), both("-1"));
    assert_eq!(waves(&[at_wave("-3", deployment("web", json!({})))]), both("-4"));
    assert_eq!(waves(&[at_wave("3", deployment("web", json!({})))]), both("-1"));
}

#[test]
fn a_claim_is_in_the_wave_of_its_first_consumer() {
    let claim = || object("v1", "PersistentVolumeClaim", "data", json!({}));
    let user = || deployment("web", json!({"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]}));
    assert_eq!(run(&[claim(), user()]).wave("data"), "");
    assert_eq!(run(&[claim(), at_wave("3", user())]).wave("data"), "3");
    assert_eq!(run(&[claim(), at_wave("-3", user())]).wave("data"), "-3");
    assert_eq!(run(&[claim()]).wave("data"), "");
}

#[test]
fn a_namespace_comes_with_the_first_object_in_it() {
    let run = run(&[
        cluster("v1", "Namespace", "shop", json!({})),
        cluster("v1", "Namespace", "other", json!({})),
        deployment("web", env_from_config("c")),
        config_map("c", json!({"k": "v"})),
    ]);
    assert_eq!((run.wave("shop"), run.wave("other")), ("-1", ""));
}

#[test]
fn a_definition_comes_before_its_objects() {
    let definition = |group: &str, kind: &str, name: &str| {
        let spec = json!({"spec": {"group": group, "names": {"kind": kind}}});
        cluster("apiextensions.k8s.io/v1", "CustomResourceDefinition", name, spec)
    };
    let run = run(&[
        definition("example.org", "Database", "databases"),
        definition("example.org", "Table", "tables"),
        definition("bitnami.com", "SealedSecret", "sealedsecrets"),
        object("example.org/v1", "Database", "db", json!({})),
        sealed_secret("s", json!({"k": "AgB"})),
        deployment("web", env_from_secret("s")),
    ]);
    assert_eq!(
        ["databases", "tables", "sealedsecrets", "s", "db"].map(|name| run.wave(name)),
        ["-1", "", "-2", "-1", ""]
    );
}

#[test]
fn service_accounts_bring_pull_secrets_bindings_and_roles() {
    let rbac = "rbac.authorization.k8s.io/v1";
    let subjects = json!([{"kind": "ServiceAccount", "name": "sa", "namespace": "shop"}]);
    let role =
        |kind: &str, name: &str| json!({"subjects": subjects, "roleRef": {"kind": kind, "name": name}});
    let run = run(&[
        deployment("web", json!({"serviceAccountName": "sa"})),
        object("v1", "ServiceAccount", "sa", json!({"imagePullSecrets": [{"name": "pull"}]})),
        sealed_secret("pull", json!({".dockerconfigjson": "AgB"})),
        object(rbac, "RoleBinding", "rb", role("Role", "r")),
        object(rbac, "Role", "r", json!({})),
        cluster(rbac, "ClusterRoleBinding", "crb", role("ClusterRole", "cr")),
        cluster(rbac, "ClusterRole", "cr", json!({})),
        object(rbac, "Role", "unused", json!({})),
    ]);
    assert_eq!(
        ["sa", "pull", "rb", "r", "crb", "cr", "unused"].map(|name| run.wave(name)),
        ["-1", "-1", "-1", "-1", "-1", "-1", ""]
    );
    assert!(run.checksums("web")[1].is_some(), "pull secrets of the service account count");
}

#[test]
fn stores_come_before_external_secrets_and_their_credentials_before_them() {
    let run = run(&[
        deployment("web", env_from_secret("db")),
        external_secret(
            "db",
            json!({"secretStoreRef": {"name": "store"}, "target": {"template": {
                "templateFrom": [{"configMap": {"name": "template"}}]
            }}}),
        ),
        object(
            "external-secrets.io/v1",
            "SecretStore",
            "store",
            json!({"spec": {"provider": {"aws": {
                "auth": {"secretRef": {"accessKeyIDSecretRef": {"name": "keys", "key": "id"}}}
            }}}}),
        ),
        sealed_secret("keys", json!({"id": "AgB"})),
        config_map("template", json!({"t": "{{ .x }}"})),
    ]);
    assert_eq!(["db", "store", "keys", "template"].map(|name| run.wave(name)), ["-1", "-2", "-3", "-2"]);
}

#[test]
fn references_of_other_kinds_are_found_by_field_name() {
    for (api, kind, spec) in [
        ("networking.k8s.io/v1", "Ingress", json!({"tls": [{"secretName": "s"}]})),
        (
            "gateway.networking.k8s.io/v1",
            "Gateway",
            json!({"listeners": [{"tls": {"certificateRefs": [{"name": "s"}]}}]}),
        ),
        ("cert-manager.io/v1", "Issuer", json!({"ca": {"secretName": "s"}})),
        (
            "cert-manager.io/v1",
            "Issuer",
            json!({"acme": {"solvers": [{"apiTokenSecretRef": {"name": "s", "key": "k"}}]}}),
        ),
        ("example.org/v1", "Database", json!({"auth": {"passwordSecretKeyRef": {"name": "s"}}})),
        (
            "example.org/v1",
            "Database",
            json!({"pod": {"containers": [{"envFrom": [{"secretRef": {"name": "s"}}]}]}}),
        ),
    ] {
        let user = at_wave("-5", object(api, kind, "user", json!({"spec": spec})));
        let run = run(&[user, deployment("web", json!({})), object("v1", "Secret", "s", json!({}))]);
        assert_eq!(run.wave("s"), "-6", "{kind} {spec}");
    }
    let certificate = object("cert-manager.io/v1", "Certificate", "c", json!({"spec": {"secretName": "s"}}));
    let made = run(&[certificate, object("v1", "Secret", "s", json!({}))]);
    assert_eq!(made.wave("s"), "", "a certificate makes its Secret");
}

#[test]
fn hooks_are_not_annotated() {
    let hook = |phase: &str| annotated("argocd.argoproj.io/hook", phase, job("hook", env_from_secret("s")));
    let with =
        |hook: Json| run(&[hook, object("v1", "Secret", "s", json!({})), deployment("web", json!({}))]);
    assert_eq!(with(hook("Sync")).wave("s"), "-1", "a hook of the Sync phase is a user");
    assert_eq!(with(at_wave("-4", hook("Sync"))).wave("s"), "-5");
    assert_eq!(with(hook("PostSync")).wave("s"), "", "a hook of a later phase is not a user");
    for phase in ["PreSync", "Sync", "PostSync", "Skip"] {
        let run = with(hook(phase));
        assert_eq!(run.wave("hook"), "", "{phase}");
        assert_eq!(run.checksums("hook"), [None, None], "{phase}");
    }
}

#[test]
fn a_pre_sync_hook_that_needs_a_sealed_secret_gets_a_warning() {
    let warned = |hook: Json, supplier: Json| {
        let run = run(&[hook, supplier]);
        run.notes.iter().filter(|note| note.level == NoteLevel::Warning).count()
    };
    let sealed = || sealed_secret("s", json!({"k": "AgB"}));
    let hook = |name: &str, phase: &str| annotated(name, phase, job("hook", env_from_secret("s")));
    let argo = "argocd.argoproj.io/hook";
    assert_eq!(warned(hook(argo, "PreSync"), sealed()), 1);
    assert_eq!(warned(hook("helm.sh/hook", "pre-install,pre-upgrade"), sealed()), 1);
    assert_eq!(warned(hook(argo, "PreSync"), external_secret("s", json!({}))), 1);
    assert_eq!(warned(hook(argo, "PreSync"), annotated(argo, "PreSync", sealed())), 0);
    assert_eq!(warned(hook(argo, "Sync"), sealed()), 0);
    assert_eq!(warned(hook(argo, "PostSync"), sealed()), 0);
    let run = run(&[hook(argo, "PreSync"), sealed()]);
    assert!(run.notes[0].problem.hint.as_ref().is_some_and(|hint| hint.contains("hook: Sync")));
}

#[test]
fn a_cycle_is_broken_and_its_dependencies_come_first() {
    let auth = json!({"tokenSecretRef": {"name": "token"}, "caSecretRef": {"name": "ca"}});
    let mut objects = vec![
        external_secret("token", json!({"secretStoreRef": {"name": "store"}})),
        object("external-secrets.io/v1", "SecretStore", "store", json!({"spec": {"provider": {"x": auth}}})),
        sealed_secret("ca", json!({"k": "AgA"})),
        deployment("web", env_from_secret("token")),
    ];
    let there = annotations(&run(&objects));
    let first = run(&objects);
    assert_eq!(["token", "store", "ca"].map(|name| first.wave(name)), ["-1", "-2", "-3"]);
    for _ in 0..objects.len() {
        objects.rotate_left(1);
        assert_eq!(annotations(&run(&objects)), there);
    }
}

#[test]
fn extreme_waves_do_not_overflow() {
    let run = run(&[
        at_wave("-2147483648", deployment("web", env_from_config("c"))),
        config_map("c", json!({"k": "v"})),
    ]);
    assert_eq!(run.wave("c"), "-2147483648");
}

#[test]
fn invalid_settings_are_errors() {
    let plan_of = |settings: &TestSettings| {
        let settings = annotate_settings(settings);
        plan(&[], &SecretDigests::new(), &ChecksumKey::preview(), &settings, &mut Vec::new()).map(|_| ())
    };
    for kind in ["", "a/b/c", "batch/", " Job"] {
        assert!(plan_of(&TestSettings::waves(&[(kind, 1)])).is_err(), "{kind}");
    }
    for path in ["", "spec..template"] {
        let workload = WorkloadKind { group: String::new(), kind: "X".into(), pod_template: path.into() };
        let settings = TestSettings { workloads: vec![workload], ..TestSettings::default() };
        assert!(plan_of(&settings).is_err(), "{path}");
    }
}

// Checksums

/// Returns workloads that read Secrets and `ConfigMap`s in all ways, with the items that each reads as `object/key`.
fn readers() -> Vec<(Json, &'static [&'static str])> {
    let volume = |volume: Json| json!({"volumes": [volume]});
    let init = json!({"initContainers": [{"env": [
        {"name": "X", "valueFrom": {"secretKeyRef": {"name": "sealed", "key": "b"}}}
    ]}]});
    let ephemeral = json!({"ephemeralContainers": [{"envFrom": [{"configMapRef": {"name": "config"}}]}]});
    let items = |name: &str| json!([{"key": name, "path": "x"}]);
    vec![
        (deployment("sealed-a", env_key("secretKeyRef", "sealed", "a")), &["sealed/a"][..]),
        (deployment("sealed-all", env_from_secret("sealed")), &["sealed/a", "sealed/b"]),
        (deployment("sealed-init-b", init), &["sealed/b"]),
        (deployment("config-a", env_key("configMapKeyRef", "config", "a")), &["config/a"]),
        (deployment("config-all", ephemeral), &["config/a", "config/b"]),
        (
            deployment("volume-all", volume(json!({"secret": {"secretName": "sealed"}}))),
            &["sealed/a", "sealed/b"],
        ),
        (
            deployment("volume-b", volume(json!({"configMap": {"name": "config", "items": items("b")}}))),
            &["config/b"],
        ),
        (
            deployment(
                "projected",
                volume(json!({"projected": {"sources": [
                    {"secret": {"name": "sealed", "items": items("a")}}, {"configMap": {"name": "config"}}
                ]}})),
            ),
            &["sealed/a", "config/a", "config/b"],
        ),
        (deployment("pull", json!({"imagePullSecrets": [{"name": "git"}]})), &["git/a", "git/b"]),
        (deployment("git-a", env_key("secretKeyRef", "git", "a")), &["git/a"]),
        (deployment("asked-a", env_key("secretKeyRef", "asked", "a")), &["asked/a"]),
        (deployment("asked-all", env_from_secret("asked")), &["asked/a", "asked/b"]),
        (deployment("synced-a", env_key("secretKeyRef", "synced", "a")), &["synced/a"]),
        (deployment("elsewhere", env_from_secret("not-here")), &[]),
        (deployment("nothing", json!({})), &[]),
    ]
}

/// Annotates the objects that they read, with the value of one item (`object/key`) changed.
fn annotate_readers(changed: &str) -> AnnotateRun {
    let value = |id: &str| if id == changed { "changed" } else { "value" };
    let asked = |key: &str| json!({"secretKey": key, "remoteRef": {"key": value(&format!("asked/{key}"))}});
    let mut objects = vec![
        sealed_secret("sealed", json!({"a": "AgA", "b": "AgB"})),
        config_map("config", json!({"a": value("config/a"), "b": value("config/b")})),
        sealed_secret("git", json!({"a": value("git/a"), "b": value("git/b")})),
        external_secret("asked", json!({"data": [asked("a"), asked("b")]})),
        object(
            "secrets-store.csi.x-k8s.io/v1",
            "SecretProviderClass",
            "spc",
            json!({"spec": {
                "provider": "aws", "parameters": {"objects": "x"},
                "secretObjects": [{"secretName": "synced", "data": [
                    {"objectName": value("synced/a"), "key": "a"}, {"objectName": value("synced/b"), "key": "b"},
                ]}],
            }}),
        ),
    ];
    objects.extend(readers().into_iter().map(|(reader, _)| reader));
    let items = [("a", value("sealed/a")), ("b", value("sealed/b"))];
    run_with(&objects, &[("shop/sealed", &items[..])], &TestSettings::default())
}

#[test]
fn changing_one_value_changes_the_checksums_of_exactly_its_readers() {
    let before = annotate_readers("");
    for changed in [
        "sealed/a", "sealed/b", "config/a", "config/b", "git/a", "git/b", "asked/a", "asked/b", "synced/a",
        "synced/b",
    ] {
        let after = annotate_readers(changed);
        for (reader, reads) in readers() {
            let name = reader["metadata"]["name"].as_str().expect("a name");
            let differs = before.checksums(name) != after.checksums(name);
            assert_eq!(differs, reads.contains(&changed), "{name} after {changed}");
        }
    }
}

#[test]
fn only_what_is_read_gets_an_annotation() {
    let run = annotate_readers("");
    for (reader, reads) in readers() {
        let name = reader["metadata"]["name"].as_str().expect("a name");
        let config = reads.iter().any(|read| read.starts_with("config/"));
        let secret = reads.iter().any(|read| !read.starts_with("config/"));
        assert_eq!(run.checksums(name).map(|sum| sum.is_some()), [config, secret], "{name}");
        for sum in run.checksums(name).into_iter().flatten() {
            assert!(sum.len() == 32 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()), "{sum}");
        }
    }
}

#[test]
fn ciphertexts_of_this_run_do_not_affect_checksums() {
    let with = |ciphertext: &str| {
        let objects = [sealed_secret("s", json!({"k": ciphertext})), deployment("web", env_from_secret("s"))];
        let run = run_with(&objects, &[("shop/s", &[("k", "v")])], &TestSettings::default());
        run.checksums("web")[1].map(str::to_owned)
    };
    assert_eq!(with("AgA"), with("AgB"));
}

#[test]
fn metadata_and_key_order_do_not_affect_checksums() {
    let with = |config: Json| {
        let run = run(&[config, deployment("web", env_from_config("c"))]);
        run.checksums("web")[0].map(str::to_owned)
    };
    let plain = with(config_map("c", json!({"a": "1", "b": "2"})));
    assert!(plain.is_some());
    assert_eq!(plain, with(config_map("c", json!({"b": "2", "a": "1"}))));
    assert_eq!(plain, with(at_wave("-5", config_map("c", json!({"a": "1", "b": "2"})))));
    let mut labelled = config_map("c", json!({"a": "1", "b": "2"}));
    labelled["metadata"]["labels"] = json!({"x": "y"});
    assert_eq!(plain, with(labelled));
    assert_ne!(plain, with(config_map("c", json!({"a": "2", "b": "1"}))));
    assert_ne!(plain, with(config_map("c", json!({"a": "1", "c": "2"}))));
    let binary = object("v1", "ConfigMap", "c", json!({"data": {"a": "1"}, "binaryData": {"b": "2"}}));
    assert_ne!(plain, with(binary));
}

#[test]
fn a_templated_item_of_a_committed_sealed_secret_depends_on_all_items() {
    let with = |password: &str| {
        let mut sealed = sealed_secret("s", json!({"password": password, "other": "AgX"}));
        sealed["spec"]["template"] = json!({"data": {"url": "db://{{ .password }}"}});
        let run = run(&[
            sealed,
            deployment("url", env_key("secretKeyRef", "s", "url")),
            deployment("other", env_key("secretKeyRef", "s", "other")),
        ]);
        ["url", "other"].map(|name| run.checksums(name)[1].map(str::to_owned))
    };
    let ([url, other], [new_url, new_other]) = (with("AgA"), with("AgB"));
    assert!(url.is_some() && url != new_url);
    assert!(other.is_some() && other == new_other);
}

#[test]
fn the_refresh_interval_does_not_affect_checksums() {
    let with = |interval: &str, template: &str| {
        let spec = json!({
            "refreshInterval": interval, "dataFrom": [{"extract": {"key": "x"}}],
            "target": {"template": {"data": {"k": template}}},
        });
        let run = run(&[external_secret("e", spec), deployment("web", env_key("secretKeyRef", "e", "k"))]);
        run.checksums("web")[1].map(str::to_owned)
    };
    assert!(with("1h", "x").is_some());
    assert_eq!(with("1h", "x"), with("2h", "x"));
    assert_ne!(with("1h", "x"), with("1h", "y"));
}

/// Returns the checksum of a Deployment that reads the key `a` of an `ExternalSecret`.
fn templated(spec: Json) -> Option<String> {
    let run = run(&[external_secret("e", spec), deployment("web", env_key("secretKeyRef", "e", "a"))]);
    run.checksums("web")[1].map(str::to_owned)
}

#[test]
fn a_key_of_a_templated_external_secret_depends_on_its_sources() {
    let plain = json!({
        "secretStoreRef": {"name": "s"},
        "data": [
            {"secretKey": "r0", "remoteRef": {"key": "x"}}, {"secretKey": "r1", "remoteRef": {"key": "y"}},
            {"secretKey": "r2", "remoteRef": {"key": "z"}},
        ],
        "target": {"template": {"mergePolicy": "Replace", "data": {"a": "{{ .r0 }}:{{ .r1 }}", "b": "{{ .r2 }}"}}},
    });
    let changed = |at: &str, value: Json| {
        let mut spec = plain.clone();
        *spec.pointer_mut(at).expect("there") = value;
        templated(spec)
    };
    let before = templated(plain.clone());
    assert!(before.is_some());
    for (at, value) in [
        ("/secretStoreRef/name", "t"),
        ("/data/0/remoteRef/key", "x2"),
        ("/data/1/remoteRef/key", "y2"),
        ("/target/template/mergePolicy", "Merge"),
        ("/target/template/data/a", "{{ .r0 }}/{{ .r1 }}"),
    ] {
        assert_ne!(before, changed(at, value.into()), "{at}");
    }
    for (at, value) in [("/data/2/remoteRef/key", "z2"), ("/target/template/data/b", "{{ .r0 }}")] {
        assert_eq!(before, changed(at, value.into()), "{at}");
    }
}

#[test]
fn a_key_with_unknown_sources_depends_on_everything() {
    for (template, more) in [
        ("{{ range $k, $v := . }}{{ $v }}{{ end }}", json!({})),
        ("{{ .missing }}", json!({})),
        ("{{ .r0 }}", json!({"dataFrom": [{"extract": {"key": "x"}}]})),
    ] {
        let with = |other: &str| {
            let mut spec = more.clone();
            spec["data"] = json!([
                {"secretKey": "r0", "remoteRef": {"key": "x"}}, {"secretKey": "r1", "remoteRef": {"key": other}},
            ]);
            spec["target"] = json!({"template": {"data": {"a": template}}});
            templated(spec)
        };
        assert_ne!(with("y"), with("z"), "{template}");
    }
}

#[test]
fn sources_of_an_external_secrets_template_affect_checksums() {
    let with = |template: &str| {
        let from = json!({"target": {"template": {"templateFrom": [{"configMap": {"name": "t"}}]}}});
        let run = run(&[
            external_secret("e", from),
            config_map("t", json!({"k": template})),
            deployment("web", env_from_secret("e")),
        ]);
        run.checksums("web")[1].map(str::to_owned)
    };
    assert!(with("a").is_some());
    assert_ne!(with("a"), with("b"));
}

#[test]
fn pull_secrets_of_a_service_account_affect_checksums() {
    let with = |value: &str| {
        let objects = [
            object("v1", "ServiceAccount", "default", json!({"imagePullSecrets": [{"name": "pull"}]})),
            sealed_secret("pull", json!({"k": "AgA"})),
            deployment("web", json!({})),
        ];
        let run = run_with(&objects, &[("shop/pull", &[("k", value)])], &TestSettings::default());
        run.checksums("web")[1].map(str::to_owned)
    };
    assert!(with("a").is_some());
    assert_ne!(with("a"), with("b"));
}

#[test]
fn a_mounted_provider_class_counts_as_a_secret() {
    let with = |parameters: &str| {
        let class = object(
            "secrets-store.csi.x-k8s.io/v1",
            "SecretProviderClass",
            "p",
            json!({"spec": {
                "provider": "aws", "parameters": {"objects": parameters}
            }}),
        );
        let csi =
            json!({"driver": "secrets-store.csi.k8s.io", "volumeAttributes": {"secretProviderClass": "p"}});
        let run = run(&[class, deployment("web", json!({"volumes": [{"csi": csi}]}))]);
        assert_eq!(run.wave("p"), "-1");
        run.checksums("web").map(|sum| sum.map(str::to_owned))
    };
    let ([config, secret], [_, changed]) = (with("a"), with("b"));
    assert_eq!(config, None);
    assert!(secret.is_some() && secret != changed);
}

#[test]
fn a_reference_stays_in_its_namespace() {
    let mut elsewhere = config_map("c", json!({"k": "v"}));
    elsewhere["metadata"]["namespace"] = "other".into();
    let run = run(&[elsewhere, deployment("web", env_from_config("c"))]);
    assert_eq!(run.checksums("web"), [None, None]);
    assert_eq!(run.wave("c"), "");
}

#[test]
fn an_authors_checksum_is_replaced_and_reported() {
    let with = |text: &str| {
        let mut web = deployment("web", env_from_config("c"));
        web["spec"]["template"]["metadata"] =
            json!({"annotations": {"checksum/config": text, "checksum/own": "kept"}});
        run(&[web, config_map("c", json!({"k": "v"}))])
    };
    let first = with("old");
    let ours = first.checksums("web")[0].expect("a checksum").to_owned();
    assert_ne!(ours, "old");
    assert_eq!(
        first.messages(),
        ["Deployment.apps `shop/web` already has `checksum/config`; sealwave replaces it"]
    );
    let annotations = ["spec", "template", "metadata", "annotations", "checksum/own"];
    assert_eq!(first.object("web").root().at(&annotations).and_then(Node::as_str), Some("kept"));
    assert_eq!(with(&ours).messages(), Vec::<&str>::new());
}

#[test]
fn jobs_are_not_annotated_and_reported_once() {
    let both = json!({"containers": [{"envFrom": [
        {"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}
    ]}]});
    let run = run(&[
        job("migrate", both),
        job("idle", json!({})),
        config_map("c", json!({"k": "v"})),
        sealed_secret("s", json!({"k": "AgB"})),
    ]);
    assert_eq!(run.checksums("migrate"), [None, None]);
    assert_eq!(
        run.messages(),
        ["Job.batch `shop/migrate` gets no checksums: the pod template of a Job cannot change"]
    );
    assert_eq!(run.wave("s"), "-1");
}

#[test]
fn every_workload_kind_is_annotated_at_its_template() {
    let config = || config_map("c", json!({"k": "v"}));
    let settings = TestSettings {
        workloads: vec![WorkloadKind {
            group: "example.org".into(),
            kind: "App".into(),
            pod_template: "spec.pods".into(),
        }],
        ..TestSettings::default()
    };
    let template = json!({"spec": env_from_config("c")});
    for (api, kind, body, path) in [
        ("apps/v1", "StatefulSet", json!({"spec": {"template": template}}), &["spec", "template"][..]),
        ("apps/v1", "DaemonSet", json!({"spec": {"template": template}}), &["spec", "template"]),
        ("argoproj.io/v1alpha1", "Rollout", json!({"spec": {"template": template}}), &["spec", "template"]),
        ("serving.knative.dev/v1", "Service", json!({"spec": {"template": template}}), &["spec", "template"]),
        (
            "batch/v1",
            "CronJob",
            json!({"spec": {"jobTemplate": {"spec": {"template": template}}}}),
            &["spec", "jobTemplate", "spec", "template"],
        ),
        ("v1", "Pod", template.clone(), &[]),
        ("example.org/v1", "App", json!({"spec": {"pods": template}}), &["spec", "pods"]),
    ] {
        let run = run_with(&[object(api, kind, "w", body), config()], &[], &settings);
        let path = [path, &["metadata", "annotations", "checksum/config"]].concat();
        assert!(run.object("w").root().at(&path).is_some(), "{kind}");
        assert_eq!(run.messages(), Vec::<&str>::new(), "{kind}");
    }
    let stray = object("example.org/v1", "App", "w", json!({"spec": {}}));
    let run = run_with(&[stray], &[], &settings);
    assert_eq!(run.messages(), ["App.example.org `shop/w` has no pod template at `spec.pods`"]);
}

#[test]
fn malformed_annotations_are_reported() {
    let mut web = deployment("web", env_from_config("c"));
    web["spec"]["template"]["metadata"] = json!({"annotations": []});
    let run = run(&[web, config_map("c", json!({"k": "v"}))]);
    assert_eq!(
        run.messages(),
        ["Deployment.apps `shop/web` cannot be given `checksum/config`: its annotations are not an object"]
    );
}

// The whole stage

fn annotations(run: &AnnotateRun) -> BTreeMap<String, Json> {
    run.objects.iter().map(|object| (object.id().to_string(), object.root().to_json())).collect()
}

#[test]
fn the_order_of_objects_does_not_matter() {
    let mut objects: Vec<Json> = readers().into_iter().map(|(reader, _)| reader).collect();
    objects.extend([
        config_map("config", json!({"a": "1", "b": "2"})),
        sealed_secret("sealed", json!({"a": "AgA", "b": "AgB"})),
        external_secret("asked", json!({"secretStoreRef": {"name": "store"}})),
        object(
            "external-secrets.io/v1",
            "SecretStore",
            "store",
            json!({"spec": {
                "provider": {"x": {"tokenSecretRef": {"name": "asked"}}}
            }}),
        ),
        cluster("v1", "Namespace", "shop", json!({})),
    ]);
    let there = annotations(&run(&objects));
    for turn in 1..objects.len() {
        objects.rotate_left(turn);
        assert_eq!(annotations(&run(&objects)), there);
        objects.reverse();
        assert_eq!(annotations(&run(&objects)), there);
    }
}

#[test]
fn the_work_is_linear_in_the_number_of_objects() {
    // Each of these would take minutes if the work were quadratic.
    let mut objects: Vec<Json> = (0..2000)
        .map(|number| external_secret(&format!("e{number}"), json!({"target": {"name": "s"}})))
        .collect();
    let pulls: Vec<Json> = (0..2000).map(|number| json!({"name": format!("e{number}")})).collect();
    let large = "x".repeat(1 << 20);
    objects.push(object("v1", "ServiceAccount", "default", json!({"imagePullSecrets": pulls})));
    objects.push(config_map("large", json!({"k": large})));
    for number in 0..2000 {
        objects.push(deployment(&format!("d{number}"), env_from_secret("s")));
        objects.push(deployment(&format!("k{number}"), env_key("configMapKeyRef", "large", "k")));
    }
    let run = run(&objects);
    assert!(run.checksums("d0")[1].is_some() && run.checksums("k1999")[0].is_some());
}

/// Generates random JSON in the form of objects, with the field names that this stage reads.
fn random_json() -> impl Strategy<Value = Json> {
    let word = prop::sample::select(vec!["a", "b", "", "Secret", "default", "-1", "PreSync", "k"]);
    let field = prop::sample::select(vec![
        "spec",
        "template",
        "metadata",
        "annotations",
        "containers",
        "volumes",
        "env",
        "envFrom",
        "valueFrom",
        "secretKeyRef",
        "configMapRef",
        "secret",
        "secretName",
        "items",
        "key",
        "name",
        "data",
        "encryptedData",
        "projected",
        "sources",
        "csi",
        "volumeAttributes",
        "serviceAccountName",
        "imagePullSecrets",
        "target",
        "secretObjects",
        "names",
        "group",
        "kind",
        "secretStoreRef",
        "subjects",
        "roleRef",
        "jobTemplate",
        WAVE,
        "argocd.argoproj.io/hook",
        "persistentVolumeClaim",
        "claimName",
    ]);
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        word.prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 48, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(field.clone(), inner, 0..5).prop_map(|fields| {
                Json::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

fn random_object() -> impl Strategy<Value = Json> {
    let kinds = vec![
        ("apps/v1", "Deployment"),
        ("v1", "Pod"),
        ("v1", "Secret"),
        ("v1", "ConfigMap"),
        ("v1", "ServiceAccount"),
        ("v1", "Namespace"),
        ("v1", "PersistentVolumeClaim"),
        ("batch/v1", "CronJob"),
        ("batch/v1", "Job"),
        ("bitnami.com/v1alpha1", "SealedSecret"),
        ("external-secrets.io/v1", "ExternalSecret"),
        ("external-secrets.io/v1", "SecretStore"),
        ("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("example.org/v1", "App"),
    ];
    let name = prop::sample::select(vec!["a", "b", "default"]);
    (prop::sample::select(kinds), name, random_json(), random_json(), random_json()).prop_map(
        |((api, kind), name, spec, data, notes)| {
            json!({
                "apiVersion": api, "kind": kind, "metadata": {"name": name, "annotations": notes},
                "spec": spec, "data": data, "subjects": spec, "imagePullSecrets": data,
            })
        },
    )
}

proptest! {
    #[test]
    fn annotating_never_panics_and_is_idempotent(objects in prop::collection::vec(random_object(), 0..12)) {
        let settings = TestSettings {
            workloads: vec![WorkloadKind {
                group: "example.org".into(), kind: "App".into(), pod_template: "spec.template".into(),
            }],
            ..TestSettings::waves(&[("Pod", 3)])
        };
        let first = run_with(&objects, &[], &settings);
        let second = run_with(&objects, &[], &settings);
        prop_assert_eq!(annotations(&first), annotations(&second));
        prop_assert_eq!(first.notes, second.notes);
    }
}

#[test]
fn a_kept_checksum_stays_until_the_workload_reads_something_else() {
    let web = || deployment("web", json!({"containers": [{"envFrom": [{"secretRef": {"name": "db"}}]}]}));
    let settings = |computed: &str| TestSettings {
        kept_checksums: BTreeMap::from([(
            "Deployment/shop/web".to_owned(),
            yaml_serde::from_str(&format!("{{computed: {computed}, kept: {}}}", "ab".repeat(16))).unwrap(),
        )]),
        ..TestSettings::default()
    };
    let values = |value: &'static str| [("shop/db", &*Box::leak(Box::new([("password", value)])) as &[_])];
    let computed = run_with(&[web()], &values("one"), &TestSettings::default());
    let computed = computed.checksums("web")[1].unwrap().to_owned();
    let kept = run_with(&[web()], &values("one"), &settings(&computed));
    assert_eq!(kept.checksums("web")[1], Some("ab".repeat(16).as_str()));
    // Another value: the entry has no effect any more.
    let plain = run_with(&[web()], &values("two"), &TestSettings::default());
    let changed = run_with(&[web()], &values("two"), &settings(&computed));
    assert_eq!(changed.checksums("web"), plain.checksums("web"));
    assert_ne!(changed.checksums("web")[1], Some(computed.as_str()));
}
