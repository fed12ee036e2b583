//! The first of two steps that change the backend of a Secret: the old object lets go of the Secret but keeps it current, and
//! no pod restarts.

use serde_json::{Value, json};

use crate::support::sealwave;
use crate::support::small_app::{SmallApp, checksums, find};

/// Settings with which each backend can supply the Secrets of the small app.
const BACKENDS: &str = "\
externalSecrets: {stores: {file: {name: fake, provider: aws-sm}}}
secretsStoreCsi: {providers: {file: {provider: aws-sm, region: eu-west-1}}}
";

/// Returns an app whose Secret `web` has this backend; all others are sealed.
fn app(backend: &str) -> SmallApp {
    let app = SmallApp::new();
    choose(&app, backend, "");
    app
}

fn choose(app: &SmallApp, backend: &str, more: &str) {
    app.write(
        "app/sealwave.yaml",
        &format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n{BACKENDS}\
             environments:\n  dev:\n    secretBackends: {{web: {backend}}}\n{more}"
        ),
    );
    app.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: api, namespace: shop}\nstringData: {password: <file:db.yaml#password>}\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: shop}\nstringData: {token: <file:db.yaml#password>}\n",
    );
}

fn generated(backend: &str) -> Vec<Value> {
    app(backend).generate()
}

fn kinds_of_web(objects: &[Value]) -> Vec<&str> {
    let web = objects.iter().filter(|object| object["metadata"]["name"] == "web");
    let kinds: Vec<&str> = web.filter_map(|object| object["kind"].as_str()).collect();
    kinds.into_iter().filter(|kind| !["ConfigMap", "Deployment"].contains(kind)).collect()
}

fn sync_options(object: &Value) -> &str {
    object["metadata"]["annotations"]["argocd.argoproj.io/sync-options"].as_str().unwrap()
}

#[test]
fn a_released_sealed_secret_gives_up_ownership_and_nothing_else_changes() {
    let before = generated("sealed-secrets");
    for to in ["external-secrets", "secrets-store-csi"] {
        let released = generated(&format!("{{from: sealed-secrets, to: {to}}}"));
        assert_eq!(kinds_of_web(&released), ["SealedSecret"]);
        let mut expected = find(&before, "SealedSecret", "web").clone();
        expected["spec"]["template"]["metadata"]["annotations"] = json!({
            "sealedsecrets.bitnami.com/managed": "true",
            "sealedsecrets.bitnami.com/skip-set-owner-references": "true",
        });
        if to == "secrets-store-csi" {
            expected["spec"]["template"]["metadata"]["labels"] =
                json!({"secrets-store.csi.k8s.io/managed": "true"});
        }
        let object = find(&released, "SealedSecret", "web");
        assert!(sync_options(object).contains("PruneLast=true"));
        expected["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] = sync_options(object).into();
        assert_eq!(*object, expected);
        assert_eq!(find(&released, "SealedSecret", "api"), find(&before, "SealedSecret", "api"));
        assert_eq!(checksums(&released, "web"), checksums(&before, "web"));
    }
}

#[test]
fn a_released_external_secret_is_an_orphan_that_keeps_its_template() {
    let before = generated("external-secrets");
    for (to, labels, annotations) in [
        ("sealed-secrets", json!({}), json!({"sealedsecrets.bitnami.com/managed": "true"})),
        ("secrets-store-csi", json!({"secrets-store.csi.k8s.io/managed": "true"}), json!({})),
    ] {
        let released = generated(&format!("{{from: external-secrets, to: {to}}}"));
        assert_eq!(kinds_of_web(&released), ["ExternalSecret"]);
        let mut expected = find(&before, "ExternalSecret", "web").clone();
        expected["spec"]["target"]["creationPolicy"] = "Orphan".into();
        expected["spec"]["target"]["template"]["metadata"] =
            json!({"labels": labels, "annotations": annotations});
        let object = find(&released, "ExternalSecret", "web");
        assert!(sync_options(object).contains("PruneLast=true"));
        expected["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] = sync_options(object).into();
        assert_eq!(*object, expected);
        assert_eq!(checksums(&released, "web"), checksums(&before, "web"));
    }
}

#[test]
fn the_csi_driver_is_joined_by_external_secrets_or_lets_the_controller_in() {
    let released = generated("{from: secrets-store-csi, to: external-secrets}");
    assert_eq!(kinds_of_web(&released), ["ExternalSecret", "SecretProviderClass"]);
    assert_eq!(find(&released, "ExternalSecret", "web")["spec"]["target"]["creationPolicy"], "Owner");
    let pod = &find(&released, "Deployment", "web")["spec"]["template"]["spec"];
    assert!(pod["volumes"][0]["csi"].is_object(), "{pod}");

    let released = generated("{from: secrets-store-csi, to: sealed-secrets}");
    assert_eq!(kinds_of_web(&released), ["SecretProviderClass"]);
    let class = find(&released, "SecretProviderClass", "web");
    assert!(sync_options(class).contains("PruneLast=true"));
    let annotations = &class["spec"]["secretObjects"][0]["annotations"];
    assert_eq!(*annotations, json!({"sealedsecrets.bitnami.com/managed": "true"}));
}

#[test]
fn the_backend_of_an_environment_and_of_an_app_can_be_released() {
    let app = app("sealed-secrets");
    for settings in [
        "backend: {from: sealed-secrets, to: external-secrets}\n",
        "environments: {dev: {backend: {from: sealed-secrets, to: external-secrets}}}\n",
    ] {
        app.write(
            "app/sealwave.yaml",
            &format!("apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n{BACKENDS}{settings}"),
        );
        for name in ["api", "web"] {
            let objects = app.generate();
            let template = &find(&objects, "SealedSecret", name)["spec"]["template"]["metadata"];
            assert_eq!(template["annotations"]["sealedsecrets.bitnami.com/managed"], "true");
        }
    }
}

#[test]
fn a_secret_that_the_next_backend_cannot_supply_is_reported_before_it_is_released() {
    let app = app("{from: sealed-secrets, to: external-secrets}");
    app.replace("app/base/secrets.yaml", "{token: <file:db.yaml#password>}", "{token: plain}");
    let output = sealwave().args(app.args()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(stderr.contains("an ExternalSecret") && stderr.contains("token"), "{stderr}");
}

#[test]
fn a_release_to_the_same_backend_is_an_error_with_its_position() {
    let app = app("{from: sealed-secrets, to: sealed-secrets}");
    let output = sealwave().args(app.args()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("`from` and `to` with different backends"), "{stderr}");
    assert!(stderr.contains("sealwave.yaml:8:"), "{stderr}");
}

#[test]
fn kept_checksums_bridge_the_second_step_until_a_reference_changes() {
    let checksum = |app: &SmallApp| {
        let objects = app.generate();
        let deployment = find(&objects, "Deployment", "web").clone();
        let annotations = &deployment["spec"]["template"]["metadata"]["annotations"];
        annotations["checksum/secret"].as_str().unwrap().to_owned()
    };
    let app = app("sealed-secrets");
    let kept = checksum(&app);
    choose(&app, "external-secrets", "");
    let computed = checksum(&app);
    assert_ne!(computed, kept);
    let entry =
        format!("    keptChecksums: {{Deployment/shop/web: {{computed: {computed}, kept: {kept}}}}}\n");
    choose(&app, "external-secrets", &entry);
    assert_eq!(checksum(&app), kept);

    // Another reference: the pods restart, and the entry is reported.
    app.replace("app/base/secrets.yaml", "{token: <file:db.yaml#password>}", "{token: <file:db.yaml#other>}");
    let changed = checksum(&app);
    assert!(![&kept, &computed].contains(&&changed));
    let output = sealwave().args(app.args()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("`Deployment/shop/web` in `keptChecksums` has no effect"), "{stderr}");
}
