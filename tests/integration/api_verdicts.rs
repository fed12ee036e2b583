//! Objects with the verdict of a real API server (1.36.1, server-side dry run, strict decoding): a rule that is flagged
//! accordingly reports an error for each refused object, and accepted objects have no errors.
//!
//! Each exception has a reason, and an exception that no longer applies fails the test.

use crate::support::examined;
use sealwave_core::diagnostic::Severity;
use sealwave_validate::Finding;
use serde::Deserialize;

/// Refused objects in which no flagged rule finds an error.
const NOT_FOUND: &[(&str, &str)] = &[
    ("g19-pod-sidecar", "only the server knows: the namespace has no service account"),
    ("b43-eso-badkind", "schemas: the definition of ExternalSecret does not list the kinds of stores"),
    ("hpa-02", "the API server accepts it with the feature HPAScaleToZero"),
    ("np-02", "versions before 1.36 accept bits after the prefix: a warning"),
    ("svc-08", "versions before 1.36 accept bits after the prefix: a warning"),
    ("vwh-10", "CEL: the fields of `request` are not checked"),
];

/// Accepted objects that have an error of a rule that is not flagged.
const STRICTER: &[(&str, &str)] = &[
    ("c71-image-space", "the API server accepts the image, and the kubelet refuses it"),
    ("g35-sealed", "the controller cannot open a value of this length"),
];

#[derive(Deserialize)]
struct Verdict {
    name: String,
    yaml: String,
    api: String,
    message: String,
}

fn verdicts() -> Vec<Verdict> {
    let read =
        |name: &str| fs_err::read_to_string(crate::support::root().join("testdata").join(name)).unwrap();
    let texts = ["api-verdicts.jsonl", "api-verdicts-more.jsonl"].map(read);
    texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn errors(verdict: &Verdict) -> Vec<Finding> {
    let flags = ["--kube-version".to_owned(), "1.36".to_owned()];
    let checking = examined::with_app(&examined::decided(&flags), None);
    let findings = examined::text(&verdict.yaml, &checking);
    findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect()
}

#[test]
fn errors_match_the_verdicts_of_the_api_server() {
    let mut wrong = Vec::new();
    let (mut not_found, mut stricter) = (Vec::new(), Vec::new());
    for verdict in verdicts() {
        let errors = errors(&verdict);
        let name = verdict.name.clone();
        let flagged: Vec<&str> = errors
            .iter()
            .filter(|finding| finding.rule.is_refused())
            .map(|finding| finding.rule.id)
            .collect();
        match verdict.api.as_str() {
            "refused" if flagged.is_empty() => not_found.push((name, verdict.message)),
            "ok" if !flagged.is_empty() => {
                wrong.push(format!("{name} is accepted, and {flagged:?} report it"));
            }
            "ok" if !errors.is_empty() => {
                let rules: Vec<&str> = errors.iter().map(|finding| finding.rule.id).collect();
                stricter.push((name, format!("{rules:?}")));
            }
            _ => {}
        }
    }
    for (listed, found, problem) in [
        (NOT_FOUND, &not_found, "is refused, and no flagged rule reports it"),
        (STRICTER, &stricter, "is accepted, and has an error"),
    ] {
        let unlisted = found.iter().filter(|(name, _)| listed.iter().all(|(other, _)| other != name));
        wrong.extend(unlisted.map(|(name, why)| format!("{name} {problem}: {why}")));
        let stale = listed.iter().filter(|(name, _)| found.iter().all(|(other, _)| other != name));
        wrong.extend(
            stale.map(|(name, reason)| format!("{name} is listed ({reason}), and that no longer applies")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
