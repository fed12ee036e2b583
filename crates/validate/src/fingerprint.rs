//! Fingerprints that identify findings when lines move.

use std::collections::HashMap;

use super::{Finding, ObjectRef};
use sealwave_core::sha256_hex;

/// Hex digits of a fingerprint.
const LENGTH: usize = 32;

/// Returns a fingerprint for each finding, from its rule, source, object and pointer; line and wording do not count.
///
/// Findings that are equal in all of these are numbered in order.
pub(super) fn fingerprints(findings: &[Finding]) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(findings.len());
    let fingerprint = |finding| {
        let number = seen.entry(identity(finding)).or_default();
        let mut identity = identity(finding);
        push_part(&mut identity, &number.to_string());
        *number += 1;
        digest(&identity)
    };
    findings.iter().map(fingerprint).collect()
}

/// Returns a digest with the length of a fingerprint.
pub(super) fn digest(text: &str) -> String {
    let mut hex = sha256_hex(text.as_bytes());
    hex.truncate(LENGTH);
    hex
}

/// Returns an unambiguous text that identifies a finding: every part is prefixed by its length.
fn identity(finding: &Finding) -> String {
    let mut out = String::new();
    push_part(&mut out, finding.rule.id);
    push_part(&mut out, &finding.app);
    push_part(&mut out, finding.span.as_ref().map_or("", |span| span.place.path.as_str()));
    match &finding.object {
        Some(object) => {
            let ObjectRef { kind, namespace, name, .. } = object;
            for part in [object.group(), kind, namespace, name, &finding.pointer] {
                push_part(&mut out, part);
            }
        }
        // Without an object, only the message distinguishes two findings.
        None => push_part(&mut out, &finding.message),
    }
    out
}

fn push_part(out: &mut String, text: &str) {
    out.push_str(&text.len().to_string());
    out.push(':');
    out.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{REF_RULE, finding, object, report};

    #[test]
    fn fingerprints_of_a_report_are_unique() {
        let all = fingerprints(&report().findings);
        let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all.iter().all(|print| print.len() == LENGTH));
    }

    #[test]
    fn only_rule_source_object_and_pointer_matter() {
        let fingerprint = |finding: Finding| fingerprints(&[finding]).remove(0);
        let at =
            |line| Finding { object: Some(object("Deployment")), ..finding(&REF_RULE, "a.yaml", line, 1, 3) };
        let first = fingerprint(at(1));
        assert_eq!(fingerprint(at(9)), first);
        assert_eq!(fingerprint(Finding { message: "other words".to_owned(), ..at(1) }), first);
        let newer = ObjectRef { api_version: "apps/v2".to_owned(), ..object("Deployment") };
        assert_eq!(fingerprint(Finding { object: Some(newer), ..at(1) }), first);
        assert_ne!(fingerprint(Finding { pointer: "/spec".to_owned(), ..at(1) }), first);
        assert_ne!(fingerprint(Finding { object: Some(object("StatefulSet")), ..at(1) }), first);
        assert_ne!(fingerprint(Finding { app: "shop".to_owned(), ..at(1) }), first);
    }

    #[test]
    fn identical_findings_are_numbered() {
        let twice =
            fingerprints(&[finding(&REF_RULE, "a.yaml", 1, 1, 1), finding(&REF_RULE, "a.yaml", 2, 1, 1)]);
        assert_ne!(twice[0], twice[1]);
        assert_eq!(twice[0], fingerprints(&[finding(&REF_RULE, "a.yaml", 2, 1, 1)])[0]);
    }
}
