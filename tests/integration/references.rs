//! Tests of `validate` for references: severities and hints.

use crate::support::examined;
use crate::support::validating::Tree;
use sealwave_core::diagnostic::Severity;
use sealwave_validate::Finding;
use sealwave_validate::engine::{RunSuppressions, ValidateOptions};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec:\n  containers:\n  - name: web\n    \
                   image: web:1\n    env:\n    - {name: A, valueFrom: {secretKeyRef: {name: db, key: password}}}\n";
const OTHER_SECRET: &str = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: other, namespace: shop}\nstringData: {a: '<env:A>'}\n";

fn plain(text: &str, options: &ValidateOptions) -> Vec<Finding> {
    examined::text(text, options)
}

/// Validates an app with the environments `dev` and `prod`, and this text in `base/`.
fn app(text: &str, options: &ValidateOptions) -> Vec<Finding> {
    let tree = Tree::app(&[("base/good.yaml", text)]);
    examined::app(tree.root(), "app", options, &RunSuppressions::default())
}

/// Returns the findings of a rule.
fn findings_of(rule: &str, findings: Vec<Finding>) -> Vec<Finding> {
    findings.into_iter().filter(|finding| finding.rule.id == rule).collect()
}

/// Returns the only finding of a rule.
fn only_finding(rule: &str, findings: Vec<Finding>) -> Finding {
    let mut own = findings_of(rule, findings);
    assert_eq!(own.len(), 1, "{own:?}");
    own.remove(0)
}

#[test]
fn an_object_of_the_other_kind_is_mentioned() {
    let made =
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: db, namespace: shop}\ndata: {password: a}\n";
    let finding =
        only_finding("reference/missing-secret", plain(&format!("{POD}{made}"), &examined::options(&[])));
    let hint = finding.hint.unwrap();
    assert!(hint.starts_with("a ConfigMap of this name exists"), "{hint}");
}

#[test]
fn the_severity_of_a_missing_object_depends_on_what_is_known() {
    let options = examined::options(&[]);
    let finding = only_finding("reference/missing-secret", app(POD, &options));
    assert_eq!(finding.severity, Severity::Error);
    assert_eq!(finding.message, "Secret `db` does not exist");
    assert_eq!(finding.environments, ["dev", "prod"]);
    let hint = finding.hint.unwrap();
    assert!(hint.contains("`validate.external: [Secret/shop/db]` in `sealwave.yaml`"), "{hint}");

    let finding = only_finding("reference/missing-secret", plain(&format!("{POD}{OTHER_SECRET}"), &options));
    assert_eq!(finding.severity, Severity::Warning);
    let hint = finding.hint.unwrap();
    assert!(hint.contains("`--external Secret/shop/db`") && !hint.contains("sealwave.yaml"), "{hint}");

    let finding = only_finding("reference/missing-secret", plain(POD, &options));
    assert_eq!(finding.severity, Severity::Note);
}

#[test]
fn objects_that_exist_elsewhere_are_not_missing() {
    for text in ["Secret/shop/db", "Secret/*/db", "*/shop/*"] {
        let options = examined::options(&["--external", text]);
        assert!(findings_of("reference/missing-secret", app(POD, &options)).is_empty(), "{text}");
    }
    let options = examined::options(&["--external", "ConfigMap/shop/db"]);
    assert_eq!(findings_of("reference/missing-secret", app(POD, &options)).len(), 1);
}

#[test]
fn a_credential_for_images_is_a_warning() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  imagePullSecrets: [{name: registry}]\n  \
               containers: [{name: web, image: 'web:1'}]\n";
    let finding = only_finding("reference/missing-secret", app(pod, &examined::options(&[])));
    assert_eq!(finding.severity, Severity::Warning);
}

#[test]
fn an_app_that_may_create_secrets_gets_a_warning() {
    let role = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: maker}\n\
                rules: [{apiGroups: [''], resources: [secrets], verbs: [create]}]\n";
    let finding =
        only_finding("reference/missing-secret", app(&format!("{POD}{role}"), &examined::options(&[])));
    assert_eq!(finding.severity, Severity::Warning);
}

#[test]
fn the_closest_name_is_suggested() {
    let options = examined::options(&[]);
    let hint = |text: &str| only_finding("reference/missing-secret", app(text, &options)).hint.unwrap();
    let near = OTHER_SECRET.replace("other", "dbs");
    assert!(hint(&format!("{POD}{near}")).starts_with("did you mean `dbs`?"));
    let elsewhere = OTHER_SECRET.replace("other", "db").replace("shop", "payments");
    assert!(hint(&format!("{POD}{elsewhere}")).starts_with("one exists in namespace `payments`"));
}

#[test]
fn the_closest_key_is_suggested_and_no_value_is_shown() {
    let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\n";
    let options = examined::options(&[]);
    let found =
        |data: &str| only_finding("reference/missing-key", plain(&format!("{POD}{secret}{data}"), &options));
    let finding = found("stringData: {pasword: '<env:A>'}\n");
    assert_eq!(finding.message, "Secret `db` has no key `password`");
    assert_eq!(finding.hint.as_deref(), Some("did you mean `pasword`?"));
    assert_eq!(finding.related.first().map(|related| related.span.place.line), Some(13));
    assert!(!finding.confidential);
    // A text that looks like a key may be a misplaced value.
    let finding = found("stringData: {passw0rd: {hunter2: x}}\n");
    assert!(!finding.hint.unwrap().contains("passw0rd"));
    // The excerpt around the name would show the value.
    let inline = POD.to_owned()
        + "---\n{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}, stringData: {a: hunter2}}\n";
    assert!(only_finding("reference/missing-key", plain(&inline, &options)).confidential);
}

#[test]
fn one_finding_is_reported_per_referring_object() {
    let twice = POD.to_owned() + "    - {name: B, valueFrom: {secretKeyRef: {name: db, key: user}}}\n";
    assert_eq!(findings_of("reference/missing-secret", app(&twice, &examined::options(&[]))).len(), 1);
}

#[test]
fn malformed_objects_are_ignored() {
    for spec in ["null", "[]", "{containers: 5}", "{containers: [{envFrom: [{secretRef: {name: 5}}]}]}", "x"]
    {
        for kind in [
            "v1\nkind: Pod",
            "v1\nkind: Service",
            "apps/v1\nkind: StatefulSet",
            "networking.k8s.io/v1\nkind: Ingress",
            "external-secrets.io/v1\nkind: ExternalSecret",
            "cert-manager.io/v1\nkind: Certificate",
            "policy/v1\nkind: PodDisruptionBudget",
            "isindir.github.com/v1alpha3\nkind: SopsSecret",
        ] {
            let text = format!("apiVersion: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n");
            assert!(
                plain(&text, &examined::options(&[]))
                    .iter()
                    .all(|finding| !finding.rule.id.starts_with("reference/")),
                "{text}"
            );
        }
    }
}
