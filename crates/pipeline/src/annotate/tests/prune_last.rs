//! Tests of `PruneLast=true` on objects that this stage places in a negative wave.

use super::*;

const OPTIONS: &str = "argocd.argoproj.io/sync-options";

fn options<'a>(run: &'a AnnotateRun, name: &str) -> &'a str {
    run.object(name).annotation(OPTIONS).unwrap_or("")
}

#[test]
fn f1_objects_in_a_negative_wave_are_pruned_last() {
    let run = run(&[
        sealed_secret("sealed", json!({"a": "x"})),
        external_secret("external", json!({})),
        object("v1", "Secret", "empty", json!({})),
        config_map("config", json!({"a": "b"})),
        object("v1", "ServiceAccount", "account", json!({})),
        object(
            "secrets-store.csi.x-k8s.io/v1",
            "SecretProviderClass",
            "class",
            json!({"spec": {"secretObjects": [{"secretName": "csi"}]}}),
        ),
        config_map("unused", json!({"a": "b"})),
        deployment(
            "web",
            json!({"serviceAccountName": "account", "containers": [{"envFrom": [
                {"secretRef": {"name": "sealed"}}, {"secretRef": {"name": "external"}}, {"secretRef": {"name": "csi"}},
                {"secretRef": {"name": "empty"}}, {"configMapRef": {"name": "config"}}]}]}),
        ),
    ]);
    for name in ["sealed", "external", "empty", "config", "account", "class"] {
        assert_eq!((run.wave(name), options(&run, name)), ("-1", "PruneLast=true"), "{name}");
    }
    for name in ["unused", "web"] {
        assert_eq!((run.wave(name), options(&run, name)), ("", ""), "{name}");
    }
    let template = run.object("web").root().at(&["spec", "template", "metadata", "annotations", OPTIONS]);
    assert!(template.is_none(), "pods do not restart");
    assert!(run.notes.is_empty(), "{:?}", run.messages());
}

#[test]
fn f1_early_definitions_and_namespaces_are_pruned_last() {
    let definition = json!({"spec": {"group": "example.org", "names": {"kind": "Thing"}}});
    let run = run(&[
        cluster("apiextensions.k8s.io/v1", "CustomResourceDefinition", "things.example.org", definition),
        object("example.org/v1", "Thing", "thing", json!({})),
        cluster("v1", "Namespace", "shop", json!({})),
        config_map("config", json!({"a": "b"})),
        deployment("web", env_from_config("config")),
    ]);
    for name in ["things.example.org", "shop", "config"] {
        assert_eq!((run.wave(name), options(&run, name)), ("-1", "PruneLast=true"), "{name}");
    }
}

#[test]
fn f1_the_authors_options_stay_and_take_precedence() {
    for (own, expected) in [
        ("Prune=false", "Prune=false,PruneLast=true"),
        ("ServerSideApply=true, Validate=false", "ServerSideApply=true, Validate=false,PruneLast=true"),
        ("PruneLast=true", "PruneLast=true"),
        ("Replace=true, PruneLast=true ", "Replace=true, PruneLast=true "),
        ("PruneLast=false", "PruneLast=false"),
        ("PruneLast=false,Prune=confirm", "PruneLast=false,Prune=confirm"),
        ("", "PruneLast=true"),
    ] {
        let config = annotated(OPTIONS, own, config_map("config", json!({"a": "b"})));
        let run = run(&[config, deployment("web", env_from_config("config"))]);
        assert_eq!((run.wave("config"), options(&run, "config")), ("-1", expected), "{own}");
        assert!(run.notes.is_empty(), "{own}: {:?}", run.messages());
    }
}

#[test]
fn f1_options_that_are_not_a_string_stay_and_are_reported() {
    let mut config = config_map("config", json!({"a": "b"}));
    config["metadata"]["annotations"] = json!({OPTIONS: ["PruneLast=true"]});
    let done = run(&[config.clone(), deployment("web", env_from_config("config"))]);
    assert_eq!(done.wave("config"), "-1");
    assert_eq!(
        done.messages(),
        [
            "ConfigMap `shop/config` cannot be given `PruneLast=true`: its `argocd.argoproj.io/sync-options` is not a string"
        ]
    );
    config["metadata"]["annotations"] = json!({OPTIONS: null});
    let done = run(&[config, deployment("web", env_from_config("config"))]);
    assert_eq!(options(&done, "config"), "PruneLast=true");
}

#[test]
fn f1_waves_of_the_app_file_are_pruned_last_and_authors_waves_are_not() {
    let objects = [
        config_map("config", json!({"a": "b"})),
        at_wave("-3", config_map("own", json!({"a": "b"}))),
        job("job", json!({})),
        annotated("argocd.argoproj.io/hook", "PreSync", job("hook", json!({}))),
    ];
    let run = run_with(&objects, &[], &TestSettings::waves(&[("ConfigMap", -2), ("Job", -1)]));
    for (name, wave, expected) in [
        ("config", "-2", "PruneLast=true"),
        ("own", "-3", ""),
        ("job", "-1", "PruneLast=true"),
        ("hook", "", ""),
    ] {
        assert_eq!((run.wave(name), options(&run, name)), (wave, expected), "{name}");
    }
    let later = run_with(&objects, &[], &TestSettings::waves(&[("ConfigMap", 2)]));
    assert_eq!((later.wave("config"), options(&later, "config")), ("2", ""));
}
