//! All problems of a Secret of type `kubernetes.io/tls`, with dates and positions but without any text of its items.
//!
//! Messages are the same on every day on which the problem exists, so that a baseline can hold them; what changes from day
//! to day is in the hint.

use super::tls_chain::{ChainCertificate, ChainOrder, ChainValidity, chain, order_problem};
use super::tls_pair::{TlsFault, TlsItem, authority_fault, form_fault, tls_fault, tls_pair};
use sealwave_core::time::Date;

/// The items of a TLS Secret, as far as they are known.
#[derive(Clone, Copy, Default)]
pub struct TlsFiles<'a> {
    /// The item `tls.crt`.
    pub certificate: Option<&'a [u8]>,
    /// The item `tls.key`.
    pub key: Option<&'a [u8]>,
    /// The item `ca.crt`, which is optional.
    pub authority: Option<&'a [u8]>,
}

/// A kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsProblemKind {
    /// The date of a certificate.
    Date,
    /// The format of an item.
    Format(TlsFault),
    /// The order of the certificates.
    Order,
    /// The key is not that of the certificate. Only this is an error: the pair cannot work on any day.
    Pair,
}

/// A problem of a TLS Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsProblem {
    /// The kind of problem.
    pub kind: TlsProblemKind,
    /// The item to look at.
    pub item: TlsItem,
    /// The message, without any text of an item.
    pub message: String,
    /// The remedy.
    pub hint: String,
}

/// Returns all problems of a TLS Secret. Without today's date, the dates are not checked.
#[must_use]
pub fn tls_problems(files: TlsFiles<'_>, today: Option<Date>) -> Vec<TlsProblem> {
    let mut found = Vec::new();
    let (certificate, key) = (files.certificate, files.key);
    if [certificate, key].iter().all(|file| file.is_some_and(|file| file.trim_ascii().is_empty())) {
        // A controller in the cluster fills both, such as cert-manager.
        return found;
    }
    for (item, file) in [(TlsItem::Certificate, certificate), (TlsItem::Key, key)] {
        found.extend(file.and_then(|file| form_fault(item, file)).map(format_problem));
    }
    if let (true, Some(certificate), Some(key)) = (found.is_empty(), certificate, key) {
        let message = tls_pair(certificate, key).message();
        found.extend(message.map(|message| problem(TlsProblemKind::Pair, TlsItem::Key, message)));
        found.extend(tls_fault(certificate, key).map(format_problem));
    }
    let is_unusable = !found.is_empty();
    for (item, file) in [(TlsItem::Certificate, certificate), (TlsItem::Authority, files.authority)] {
        let Some(file) = file else { continue };
        if item == TlsItem::Authority {
            found.extend(form_fault(item, file).or_else(|| authority_fault(file)).map(format_problem));
        }
        let Some(chain) = chain(file) else { continue };
        // The order follows from the key if that is wrong.
        if item == TlsItem::Certificate && !is_unusable {
            found.extend(order_problem(&chain).map(order_message));
        }
        if let Some(today) = today {
            found.extend(date_problems(item, &chain, today));
        }
    }
    found
}

fn problem(
    kind: TlsProblemKind,
    item: TlsItem,
    (message, hint): (impl Into<String>, impl Into<String>),
) -> TlsProblem {
    TlsProblem { kind, item, message: message.into(), hint: hint.into() }
}

fn format_problem(fault: TlsFault) -> TlsProblem {
    problem(TlsProblemKind::Format(fault), fault.item(), fault.message())
}

fn order_message(order: ChainOrder) -> TlsProblem {
    let message = match order {
        ChainOrder::Duplicate(position) => (
            format!("certificate {position} of `tls.crt` is in the file twice"),
            "remove one of the two; servers present the file as it is",
        ),
        ChainOrder::Misplaced(position) => (
            format!("the certificates of `tls.crt` are in the wrong order, from number {position} on"),
            "put the server's certificate first, then the one that issued it, and so on",
        ),
        ChainOrder::Unrelated(position) => (
            format!("certificate {position} of `tls.crt` did not issue any certificate before it"),
            "replace it by the certificate that issued the one before it, or remove it",
        ),
    };
    problem(TlsProblemKind::Order, TlsItem::Certificate, message)
}

fn date_problems(item: TlsItem, chain: &[ChainCertificate], today: Date) -> impl Iterator<Item = TlsProblem> {
    let is_alone = chain.len() == 1;
    chain.iter().enumerate().filter_map(move |(index, certificate)| {
        let key = item.key();
        let name = if index == 0 && (is_alone || item == TlsItem::Certificate) {
            format!("the certificate in `{key}`")
        } else {
            format!("certificate {} of `{key}`", index + 1)
        };
        let message = match certificate.validity(today)? {
            ChainValidity::Expired(end) => {
                (format!("{name} expired on {end}"), "renew it at its source".to_owned())
            }
            ChainValidity::ExpiresSoon(end, days) => {
                (format!("{name} expires on {end}"), format!("renew it at its source; {}", days_left(days)))
            }
            ChainValidity::NotYetValid(start) => (
                format!("{name} is not valid before {start}"),
                "use the previous certificate until then, or check the clock of this machine".to_owned(),
            ),
        };
        Some(problem(TlsProblemKind::Date, item, message))
    })
}

fn days_left(days: i64) -> String {
    match days {
        0 => "today is its last day".to_owned(),
        1 => "1 day is left".to_owned(),
        _ => format!("{days} days are left"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(names: &[&str]) -> Vec<u8> {
        let directory = sealwave_testkit::repository_root().join("testdata/tls-pairs");
        names.iter().flat_map(|name| fs_err::read(directory.join(name)).unwrap()).collect()
    }

    /// Returns messages and hints for `tls.crt` with `p256.key`.
    fn found(chain: &[&str], today: &str) -> Vec<(String, String)> {
        let (certificate, key) = (file(chain), file(&["p256.key"]));
        let files = TlsFiles { certificate: Some(&certificate), key: Some(&key), authority: None };
        let problems = tls_problems(files, Some(today.parse().unwrap()));
        problems.into_iter().map(|problem| (problem.message, problem.hint)).collect()
    }

    fn messages(chain: &[&str], today: &str) -> Vec<String> {
        found(chain, today).into_iter().map(|(message, _)| message).collect()
    }

    #[test]
    fn chains_in_order_have_no_problem() {
        for chain in [
            &["p256.crt"][..],
            &["leaf.crt"],
            &["leaf.crt", "intermediate.crt"],
            &["leaf.crt", "intermediate.crt", "root.crt"],
            // Two certificates of the same issuer, the second one expired: an alternative chain.
            &["leaf.crt", "intermediate.crt", "root.crt"],
        ] {
            assert_eq!(messages(chain, "2026-01-01"), [""; 0], "{chain:?}");
        }
        let alternative = ["leaf.crt", "intermediate.crt", "expired-intermediate.crt", "root.crt"];
        assert_eq!(messages(&alternative, "2025-02-01"), [""; 0]);
    }

    #[test]
    fn chains_out_of_order() {
        let misplaced = |position| {
            format!("the certificates of `tls.crt` are in the wrong order, from number {position} on")
        };
        let unrelated =
            |position| format!("certificate {position} of `tls.crt` did not issue any certificate before it");
        for (chain, expected) in [
            (&["leaf.crt", "root.crt", "intermediate.crt"][..], misplaced(2)),
            (&["leaf.crt", "intermediate.crt", "other-rsa.crt"], unrelated(3)),
            (&["leaf.crt", "root.crt"], unrelated(2)),
            // The same name as the issuer, with another key.
            (&["leaf.crt", "namesake.crt"], unrelated(2)),
            (
                &["leaf.crt", "intermediate.crt", "intermediate.crt"],
                "certificate 3 of `tls.crt` is in the file twice".to_owned(),
            ),
            (&["leaf.crt", "leaf.crt"], "certificate 2 of `tls.crt` is in the file twice".to_owned()),
        ] {
            assert_eq!(messages(chain, "2026-01-01"), [expected], "{chain:?}");
        }
        // The key shows that the first certificate is not the server's: one message, not two.
        let later =
            "`tls.key` belongs to a later certificate of `tls.crt`, and servers present the first one";
        assert_eq!(messages(&["intermediate.crt", "leaf.crt"], "2026-01-01"), [later]);
    }

    #[test]
    fn an_order_without_a_key() {
        let certificate = file(&["intermediate.crt", "leaf.crt"]);
        let files = TlsFiles { certificate: Some(&certificate), ..TlsFiles::default() };
        let problems = tls_problems(files, None);
        assert_eq!(problems.len(), 1);
        assert_eq!(
            problems[0].message,
            "the certificates of `tls.crt` are in the wrong order, from number 2 on"
        );
    }

    #[test]
    fn dates() {
        let soon = ["soon.crt"];
        for (chain, today, expected) in [
            (&soon[..], "2025-12-20", None),
            (
                &soon,
                "2025-12-21",
                Some(("the certificate in `tls.crt` expires on 2026-01-20", "30 days are left")),
            ),
            (
                &soon,
                "2026-01-19",
                Some(("the certificate in `tls.crt` expires on 2026-01-20", "1 day is left")),
            ),
            (
                &soon,
                "2026-01-20",
                Some(("the certificate in `tls.crt` expires on 2026-01-20", "today is its last day")),
            ),
            (&soon, "2026-01-21", Some(("the certificate in `tls.crt` expired on 2026-01-20", "renew it"))),
            (
                &["future.crt"],
                "2026-05-31",
                Some(("the certificate in `tls.crt` is not valid before 2026-06-01", "clock")),
            ),
            (&["future.crt"], "2026-06-01", None),
            // A validity period of six days: only its last third is near the end.
            (&["short-lived.crt"], "2026-01-01", None),
            (
                &["short-lived.crt"],
                "2026-01-02",
                Some(("the certificate in `tls.crt` expires on 2026-01-04", "2 days are left")),
            ),
            (
                &["leaf.crt", "expired-intermediate.crt"],
                "2026-01-01",
                Some(("certificate 2 of `tls.crt` expired on 2025-06-01", "renew it")),
            ),
        ] {
            let found = found(chain, today);
            match expected {
                None => assert_eq!(found, [], "{chain:?} {today}"),
                Some((message, hint)) => {
                    assert_eq!(found.len(), 1, "{chain:?} {today}");
                    assert_eq!(found[0].0, message);
                    assert!(found[0].1.contains(hint), "{}", found[0].1);
                }
            }
        }
    }

    #[test]
    fn the_item_of_the_authority() {
        let (certificate, key) = (file(&["leaf.crt"]), file(&["p256.key"]));
        for (authority, expected) in [
            (file(&["root.crt"]), None),
            // The authority of clients is unrelated to the server's.
            (file(&["other-rsa.crt", "root.crt"]), None),
            (Vec::new(), None),
            (b"CANARY".to_vec(), Some("`ca.crt` does not contain a PEM certificate")),
            (file(&["root.crt", "p256.key"]), Some("`ca.crt` holds a private key")),
            (file(&["expired.crt"]), Some("the certificate in `ca.crt` expired on 2021-06-01")),
            (file(&["root.crt", "expired.crt"]), Some("certificate 2 of `ca.crt` expired on 2021-06-01")),
        ] {
            let files =
                TlsFiles { certificate: Some(&certificate), key: Some(&key), authority: Some(&authority) };
            let found = tls_problems(files, Some("2026-01-01".parse().unwrap()));
            let messages: Vec<&str> = found.iter().map(|problem| problem.message.as_str()).collect();
            assert_eq!(messages, expected.as_slice());
            assert!(found.iter().all(|problem| problem.item == TlsItem::Authority));
        }
    }

    #[test]
    fn empty_items_and_other_forms_than_pem() {
        let (certificate, key) = (file(&["leaf.crt"]), file(&["p256.key"]));
        let marked = |file: &[u8]| [b"\xef\xbb\xbf", file].concat();
        let wide = [0xff, 0xfe].into_iter().chain(certificate.iter().flat_map(|byte| [*byte, 0])).collect();
        let mark = "starts with a byte order mark, so servers do not find its first block";
        for (certificate, key, expected) in [
            (Vec::new(), key.clone(), vec!["`tls.crt` is empty".to_owned()]),
            (certificate.clone(), b"\n".to_vec(), vec!["`tls.key` is empty".to_owned()]),
            (Vec::new(), Vec::new(), Vec::new()),
            (marked(&certificate), key.clone(), vec![format!("`tls.crt` {mark}")]),
            (certificate.clone(), marked(&key), vec![format!("`tls.key` {mark}")]),
            (wide, key.clone(), vec!["`tls.crt` is UTF-16, not UTF-8".to_owned()]),
            (vec![0x30, 0x82, 1, 2], key.clone(), vec!["`tls.crt` is binary (DER), not PEM".to_owned()]),
            (certificate.clone(), vec![0x30, 0x81, 1], vec!["`tls.key` is binary (DER), not PEM".to_owned()]),
        ] {
            let authority = marked(&file(&["root.crt"]));
            let files = TlsFiles { certificate: Some(&certificate), key: Some(&key), authority: None };
            let messages = |files| tls_problems(files, None).into_iter().map(|problem| problem.message);
            assert_eq!(messages(files).collect::<Vec<_>>(), expected);
            // The other item may be unknown.
            let files = TlsFiles { certificate: None, key: None, authority: Some(&authority) };
            assert_eq!(messages(files).collect::<Vec<_>>(), [format!("`ca.crt` {mark}")]);
        }
    }

    #[test]
    fn hostile_files_end() {
        for certificate in [
            vec![0xff; 1000],
            b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n".to_vec(),
            file(&["leaf.crt"])[..300].to_vec(),
        ] {
            let files = TlsFiles { certificate: Some(&certificate), ..TlsFiles::default() };
            assert_eq!(tls_problems(files, Some("2026-01-01".parse().unwrap())), []);
        }
        // Only the first certificates are read.
        let many = file(&["leaf.crt"]).repeat(3000);
        let files = TlsFiles { certificate: Some(&many), ..TlsFiles::default() };
        assert_eq!(tls_problems(files, None).len(), 1);
    }
}
