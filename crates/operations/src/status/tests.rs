//! Tests of the verdicts, their order and their texts.

use std::collections::BTreeMap;

use super::*;
use sealwave_core::time::Date;
use sealwave_pipeline::ItemExpiry;
use sealwave_secrets::crypto::ExpiringValue;
use sealwave_secrets::crypto::ValueExpiry;
use sealwave_secrets::settings::RotationPolicy;

fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

fn found(name: &str) -> FoundSecret {
    FoundSecret {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        created_by: vec!["Secret".to_owned()],
        sources: Vec::new(),
        versions: BTreeMap::new(),
        users: Vec::new(),
        certificate: None,
        file: "a.yaml".to_owned(),
        line: 1,
        uncommitted: Vec::new(),
        sealed_items: Vec::new(),
    }
}

fn policy(text: &str) -> RotationPolicy {
    yaml_serde::from_str(text).expect("a policy")
}

fn judged(policy_text: &str, git_date: Option<&str>, expires: Option<&str>) -> SecretStatus {
    let dates: Vec<ItemExpiry> = expires
        .map(|text| ItemExpiry {
            namespace: "shop".to_owned(),
            name: "db".to_owned(),
            key: "token".to_owned(),
            expiry: ValueExpiry { kind: ExpiringValue::JsonWebToken, date: date(text) },
        })
        .into_iter()
        .collect();
    let (place, today) = (("app", "prod"), date("2026-06-30"));
    let known = git_date.map(|text| KnownChange::on(date(text), ChangeSource::Git));
    SecretStatus::new(place, found("db"), &policy(policy_text), known, (&dates, &ActiveKeys::new()), today)
}

const MANUAL: &str = "[{secret: db, rotation: manual, maxAge: 90d, owner: sre, reason: by hand}]";

#[test]
fn verdicts_follow_from_age_policy_and_expiry() {
    use RotationState::{Due, Expired, NoPolicy, Ok, Overdue, Unknown};
    let rotated = |day: &str| format!("[{{secret: db, rotation: manual, maxAge: 90d, rotated: {day}}}]");
    for (policy, git_date, expires, expected) in [
        ("[]", None, None, NoPolicy),
        ("[]", Some("2020-01-01"), None, NoPolicy),
        ("[{secret: db, rotation: automatic}]", None, None, Ok),
        (MANUAL, None, None, Unknown),
        (MANUAL, Some("2026-06-01"), None, Ok),
        // 60 days old: 30 are left.
        (MANUAL, Some("2026-05-01"), None, Due),
        (MANUAL, Some("2026-05-02"), None, Ok),
        (MANUAL, Some("2026-04-01"), None, Due),
        (MANUAL, Some("2026-03-31"), None, Overdue),
        // What a person wrote down counts more than Git.
        (&rotated("2026-06-01"), Some("2020-01-01"), None, Ok),
        (&rotated("2020-01-01"), Some("2026-06-01"), None, Overdue),
        // A date in the future, of a person or of a commit, says nothing; tomorrow is today elsewhere.
        (&rotated("2062-02-03"), Some("2026-06-01"), None, Unknown),
        (MANUAL, Some("2026-07-02"), None, Unknown),
        (MANUAL, Some("2026-07-01"), None, Ok),
        (MANUAL, Some("2026-06-01"), Some("2026-06-29"), Expired),
        (MANUAL, Some("2026-06-01"), Some("2026-06-30"), Due),
        (MANUAL, Some("2026-06-01"), Some("2026-07-30"), Due),
        (MANUAL, Some("2026-06-01"), Some("2026-07-31"), Ok),
        (MANUAL, Some("2026-03-01"), Some("2026-07-30"), Overdue),
        ("[]", None, Some("2026-07-30"), Due),
        ("[]", None, Some("2030-01-01"), NoPolicy),
    ] {
        assert_eq!(judged(policy, git_date, expires).state, expected, "{policy} {git_date:?} {expires:?}");
    }
}

#[test]
fn a_source_knows_better_than_a_person() {
    let policy = policy("[{secret: db, rotation: automatic, maxAge: 90d, rotated: 2026-06-01}]");
    let known = Some(KnownChange::on(date("2026-01-01"), ChangeSource::Source));
    let status = SecretStatus::new(
        ("app", "prod"),
        found("db"),
        &policy,
        known,
        (&[], &ActiveKeys::new()),
        date("2026-06-30"),
    );
    assert_eq!(
        (status.state, status.changed.map(|changed| changed.days)),
        (RotationState::Overdue, Some(180))
    );
}

#[test]
fn reports_are_sorted_and_say_what_is_overdue() {
    let today = date("2026-06-30");
    let overdue = judged(MANUAL, Some("2026-01-01"), None);
    let mut other = judged("[]", None, None);
    other.secret.name = "a\u{1b}[2J".to_owned();
    let certificate = CertificateStatus::new("eks", "sha256:00".to_owned(), date("2026-07-01"), today);
    let report = StatusReport::new(today, vec![overdue, other.clone()], vec![certificate]);
    assert!(report.has_overdue());
    let human = report.human();
    assert!(!human.contains('\u{1b}'));
    let lines: Vec<&str> = human.lines().collect();
    assert_eq!(lines[0], "app, environment `prod`");
    assert!(lines[1].starts_with("  no policy  shop/a"), "{human}");
    assert_eq!(
        lines[2],
        "  overdue    shop/db: manual, at most 90 days, owner sre, 180 days old (2026-01-01 by the first commit with its value), created by Secret"
    );
    assert_eq!(lines[3], "             reason: by hand");
    assert_eq!(lines[6], "  due        cluster `eks`: expires on 2026-07-01, in 1 day");
    let json: serde_json::Value = serde_json::from_slice(&report.json()).expect("JSON");
    assert_eq!(json["secrets"][1]["state"], "overdue");
    assert_eq!(
        json["secrets"][1]["changed"],
        serde_json::json!({"date": "2026-01-01", "days": 180, "source": "git"})
    );
    assert!(!StatusReport::new(today, vec![other], Vec::new()).has_overdue());
}

#[test]
fn the_oldest_active_key_of_a_user_counts() {
    let policy =
        policy("[{secret: db, rotation: manual, maxAge: 90d, rotated: 2026-06-01, iamUser: airflow}]");
    let today = date("2026-06-30");
    let judge = |keys: &ActiveKeys| {
        SecretStatus::new(("app", "prod"), found("db"), &policy, None, (&[], keys), today)
    };
    let line = |status: &SecretStatus| status.access_keys.as_ref().map(UserKeysStatus::line).expect("keys");
    let unasked = judge(&ActiveKeys::new());
    assert_eq!((unasked.state, line(&unasked)), (RotationState::Ok, "user `airflow`: not known".to_owned()));
    let key = |id: &str, day: Option<&str>| ActiveKey::new(id.to_owned(), day.map(date), today);
    let user = || policy.entries()[0].iam_user.clone().expect("a user");
    let keys = vec![key("AKIA1", Some("2026-01-01")), key("AKIA2", Some("2026-06-20"))];
    let both = judge(&ActiveKeys::from([(user(), keys)]));
    assert_eq!(both.state, RotationState::Overdue);
    assert_eq!(line(&both), "user `airflow`: 2 are active: `AKIA1` 180 days old, `AKIA2` 10 days old");
    let none = judge(&ActiveKeys::from([(user(), Vec::new())]));
    assert_eq!((none.state, line(&none)), (RotationState::Ok, "user `airflow`: none is active".to_owned()));
    let unknown = judge(&ActiveKeys::from([(user(), vec![key("AKIA1", None)])]));
    assert_eq!(line(&unknown), "user `airflow`: `AKIA1` of unknown age");
}
