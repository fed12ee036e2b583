//! The severity of findings about credentials, and that none of them reveals a value.
//!
//! Tokens are assembled at run time, so that nothing in the repository looks like one.

use crate::support::examined;
use sealwave_core::diagnostic::Severity;
use sealwave_validate::Finding;

const PASSWORD: &str = "Tr0ub4dor-3-zebra91";

fn token() -> String {
    format!("gh{}_{}", 'p', "aB3dE5gH7jK9".repeat(3))
}

/// Returns the findings of one rule in a manifest.
fn findings(rule: &str, text: &str) -> Vec<Finding> {
    let all = examined::text(text, &examined::options(&[]));
    all.into_iter().filter(|finding| finding.rule.id == rule).collect()
}

/// Returns the severity of the only finding; checks that it is confidential and reveals no value.
fn severity(rule: &str, text: &str) -> Option<Severity> {
    let found = findings(rule, text);
    assert!(found.len() < 2, "{rule} reported several findings");
    let finding = found.first()?;
    assert!(finding.confidential, "{rule} would show an excerpt");
    let hint = finding.hint.clone().unwrap_or_default();
    let labels = finding.related.iter().map(|related| related.label.as_str());
    for output in [finding.message.as_str(), &hint, &finding.pointer].into_iter().chain(labels) {
        assert!(!output.contains(PASSWORD) && !output.contains(&token()), "{rule} reveals the value");
    }
    Some(finding.severity)
}

fn secret(value: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n  password: {value}\n")
}

fn config_map(key: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  {key}: {value}\n")
}

fn pod(rest: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n  - name: a\n    {rest}\n"
    )
}

#[test]
fn the_severity_of_plaintext_in_a_secret_depends_on_certainty() {
    let rule = "secret/plaintext-in-git";
    assert_eq!(severity(rule, &secret(&token())), Some(Severity::Error));
    assert_eq!(severity(rule, &secret(PASSWORD)), Some(Severity::Warning));
    assert_eq!(severity(rule, &secret("changeme")), Some(Severity::Note));
    assert_eq!(severity(rule, &secret("<vault:a#b>")), None);
    assert_eq!(severity(rule, &secret("\"\"")), None);
}

#[test]
fn the_severity_of_credentials_elsewhere_depends_on_certainty() {
    let uri = format!("postgres://app:{PASSWORD}@db/app");
    let annotated = |value: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: a, annotations: {{password: '{value}'}}}}\n"
        )
    };
    for (rule, certain, likely) in [
        ("secret/in-config-map", config_map("url", &uri), config_map("password", PASSWORD)),
        ("secret/in-config-map", config_map("x", &token()), config_map("url", "amqp://guest:guest@mq")),
        (
            "secret/in-env",
            pod(&format!("env: [{{name: X, value: '{uri}'}}]")),
            pod(&format!("env: [{{name: API_TOKEN, value: {PASSWORD}}}]")),
        ),
        (
            "secret/in-args",
            pod(&format!("args: [--token={}]", token())),
            pod(&format!("args: [--password={PASSWORD}]")),
        ),
        ("secret/in-annotation", annotated(&token()), annotated(PASSWORD)),
    ] {
        assert_eq!(severity(rule, &certain), Some(Severity::Error), "{rule}");
        assert_eq!(severity(rule, &likely), Some(Severity::Warning), "{rule}");
    }
}

#[test]
fn a_browser_key_is_a_warning() {
    let key = format!("AI{}{}", "za", "aB3dE5gH7jK9x".repeat(3).get(..35).unwrap());
    assert_eq!(severity("secret/in-config-map", &config_map("maps", &key)), Some(Severity::Warning));
    assert_eq!(
        severity("secret/in-env", &pod(&format!("env: [{{name: MAPS, value: {key}}}]"))),
        Some(Severity::Warning)
    );
}

#[test]
fn fields_of_other_kinds_are_reported_for_certain_or_random_values() {
    let thing = |value: &str| {
        format!(
            "apiVersion: example.org/v1\nkind: Thing\nmetadata: {{name: a}}\nspec: {{password: {value}}}\n"
        )
    };
    assert_eq!(severity("secret/in-field", &thing(&token())), Some(Severity::Error));
    assert_eq!(severity("secret/in-field", &thing(PASSWORD)), Some(Severity::Warning));
    assert_eq!(severity("secret/in-field", &thing("SuperGeheim")), None);
}

#[test]
fn the_line_of_a_file_in_a_config_map_is_reported() {
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  app.properties: |\n    a=b\n\n    db.password={PASSWORD}\n"
    );
    let found = findings("secret/in-config-map", &text);
    let finding = found.first().unwrap();
    assert_eq!(finding.span.as_ref().map(|span| (span.place.line, span.place.column)), Some((5, 3)));
    assert_eq!(finding.pointer, "/data/app.properties");
    let line: Vec<_> =
        finding.related.iter().map(|related| (related.span.place.line, related.span.place.column)).collect();
    assert_eq!(line, [(8, 5)]);
}

#[test]
fn hooks_without_a_phase_are_errors() {
    let hook = |phases: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: a, annotations: {{argocd.argoproj.io/hook: '{phases}'}}}}\n"
        )
    };
    let severity_for =
        |phases: &str| findings("argocd/annotation", &hook(phases)).first().map(|finding| finding.severity);
    assert_eq!(severity_for("presync"), Some(Severity::Error));
    assert_eq!(severity_for("PreSync,presync"), Some(Severity::Warning));
    assert_eq!(severity_for("PreSync"), None);
}

#[test]
fn many_lines_and_matches_take_linear_time() {
    let line = "password = ${PASSWORD}  user:pass@://x token=AKIA ghp_ eyJ ";
    let text = config_map("a", &format!("'{}'", line.repeat(20_000)));
    assert!(findings("secret/in-config-map", &text).is_empty());
    for line in ["pass=", "passpass", "{password: [", "\"secret\": \"", "name: token\n", "auth\\\\\\\\"] {
        let text = serde_json::to_string(&line.repeat(1_000_000 / line.len())).unwrap();
        assert!(findings("secret/in-config-map", &config_map("a", &text)).is_empty(), "{line}");
    }
}
