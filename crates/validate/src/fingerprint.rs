//! What a finding is known by when the lines around it move.

use std::collections::HashMap;

use super::{Finding, ObjectRef};
use sealwave_core::sha256_hex;

/// Hex digits of a fingerprint.
const LENGTH: usize = 32;

/// A fingerprint for each finding: of its rule, its source, its object and the place in that, not of its line or its words.
///
/// Findings that have all that in common are told apart by their order.
pub(super) fn fingerprints(findings: &[Finding]) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(findings.len());
    let fingerprint = |finding| {
        let number = seen.entry(identity(finding)).or_default();
        let mut identity = identity(finding);
        field(&mut identity, &number.to_string());
        *number += 1;
        digest(&identity)
    };
    findings.iter().map(fingerprint).collect()
}

/// A digest of the length of a fingerprint.
pub(super) fn digest(text: &str) -> String {
    let mut hex = sha256_hex(text.as_bytes());
    hex.truncate(LENGTH);
    hex
}

/// Different for different findings: every part says how long it is.
fn identity(finding: &Finding) -> String {
    let mut out = String::new();
    field(&mut out, finding.rule.id);
    field(&mut out, &finding.app);
    field(&mut out, finding.span.as_ref().map_or("", |span| span.place.path.as_str()));
    match &finding.object {
        Some(object) => {
            let ObjectRef { kind, namespace, name, .. } = object;
            for part in [object.group(), kind, namespace, name, &finding.pointer] {
                field(&mut out, part);
            }
        }
        // Nothing but the words tells two of them apart.
        None => field(&mut out, &finding.message),
    }
    out
}

fn field(out: &mut String, text: &str) {
    out.push_str(&text.len().to_string());
    out.push(':');
    out.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{REF_RULE, finding, object, report};

    #[test]
    fn every_finding_of_a_report_has_its_own() {
        let all = fingerprints(&report().findings);
        let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all.iter().all(|print| print.len() == LENGTH));
    }

    #[test]
    fn lines_words_and_api_versions_do_not_change_it_and_what_it_is_about_does() {
        let of = |finding: Finding| fingerprints(&[finding]).remove(0);
        let at =
            |line| Finding { object: Some(object("Deployment")), ..finding(&REF_RULE, "a.yaml", line, 1, 3) };
        let first = of(at(1));
        assert_eq!(of(at(9)), first);
        assert_eq!(of(Finding { message: "other words".to_owned(), ..at(1) }), first);
        let newer = ObjectRef { api_version: "apps/v2".to_owned(), ..object("Deployment") };
        assert_eq!(of(Finding { object: Some(newer), ..at(1) }), first);
        assert_ne!(of(Finding { pointer: "/spec".to_owned(), ..at(1) }), first);
        assert_ne!(of(Finding { object: Some(object("StatefulSet")), ..at(1) }), first);
        assert_ne!(of(Finding { app: "shop".to_owned(), ..at(1) }), first);
    }

    #[test]
    fn two_of_one_kind_are_told_apart_by_their_order() {
        let twice =
            fingerprints(&[finding(&REF_RULE, "a.yaml", 1, 1, 1), finding(&REF_RULE, "a.yaml", 2, 1, 1)]);
        assert_ne!(twice[0], twice[1]);
        assert_eq!(twice[0], fingerprints(&[finding(&REF_RULE, "a.yaml", 2, 1, 1)])[0]);
    }
}
