//! The report for people: a block per app and environment, and a line per secret with what follows from its policy.
//!
//! Texts of a repository are printed without control characters.

use std::fmt::Write as _;

use super::access_keys::UserKeysStatus;
use super::report::{
    BrokenApp, CertificateStatus, ChangeSource, LastChange, RotationState, SecretStatus, StatusReport,
};
use sealwave_core::diagnostic::printable;
use sealwave_core::text::counted;

impl StatusReport {
    /// Returns the report for people.
    #[must_use]
    pub fn human(&self) -> String {
        write(self)
    }
}

fn write(report: &StatusReport) -> String {
    let mut out = String::new();
    let mut block = None;
    for secret in &report.secrets {
        let this = (&secret.app, &secret.environment);
        if block != Some(this) {
            let separator = if block.is_some() { "\n" } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{separator}{}, environment `{}`", printable(this.0), printable(this.1));
            block = Some(this);
        }
        write_secret(&mut out, secret);
    }
    if report.secrets.is_empty() {
        out.push_str("no secrets\n");
    }
    for BrokenApp { app, errors } in &report.broken_apps {
        let _ = writeln!(out, "\n{}", printable(app));
        for error in errors {
            let _ = writeln!(out, "  error      {}", printable(error));
        }
    }
    if !report.certificates.is_empty() {
        out.push_str("\nsealing certificates\n");
    }
    for certificate in &report.certificates {
        let CertificateStatus { cluster, date, days, .. } = certificate;
        let state = certificate.state().name();
        let _ = writeln!(
            out,
            "  {state:<9}  cluster `{}`: {}",
            printable(cluster),
            expiry(*days, &date.to_string())
        );
    }
    let count = |state: RotationState| report.secrets.iter().filter(|secret| secret.state == state).count();
    let broken = match report.broken_apps.len() {
        0 => String::new(),
        count => format!("; without the secrets of {} with errors", counted(count, "app")),
    };
    let _ = writeln!(
        out,
        "\n{} on {}: {} expired, {} overdue, {} due, {} with `maxAge` but of unknown age, {} without a policy, \
         {} ok{broken}",
        counted(report.secrets.len(), "secret"),
        report.today,
        count(RotationState::Expired),
        count(RotationState::Overdue),
        count(RotationState::Due),
        count(RotationState::Unknown),
        count(RotationState::NoPolicy),
        count(RotationState::Ok),
    );
    out
}

fn write_secret(out: &mut String, secret: &SecretStatus) {
    let id = format!("{}/{}", secret.secret.namespace, secret.secret.name);
    let _ = writeln!(out, "  {:<9}  {}: {}", secret.state.name(), printable(id), printable(summary(secret)));
    let mut line = |title: &str, text: String| {
        if !text.is_empty() {
            let _ = writeln!(out, "             {title}: {}", printable(text));
        }
    };
    let sources = secret.secret.sources.iter().map(|source| match secret.secret.versions.get(source) {
        Some(version) => format!("{source} (version {version})"),
        None => source.clone(),
    });
    line("sources", sources.collect::<Vec<_>>().join(", "));
    line("users", secret.secret.users.join(", "));
    let uncommitted: Vec<String> =
        secret.secret.uncommitted.iter().map(|key| format!("`{}`", printable(key))).collect();
    line("access keys", secret.access_keys.as_ref().map_or_else(String::new, UserKeysStatus::line));
    line("not committed yet", uncommitted.join(", "));
    line("sealed with", secret.secret.certificate.clone().unwrap_or_default());
    for one in &secret.expiries {
        line(
            &format!("item `{}`", printable(&one.item)),
            format!("{} {}", one.kind, expiry(one.days, &one.date.to_string())),
        );
    }
    // What to do is only of interest when something is to be done.
    if let Some(policy) = secret.policy.as_ref().filter(|_| secret.state < RotationState::NoPolicy) {
        line("reason", policy.reason.clone().unwrap_or_default());
        line("runbook", policy.runbook.clone().unwrap_or_default());
    }
}

/// Returns the policy and the age in one line.
fn summary(secret: &SecretStatus) -> String {
    let mut parts = Vec::new();
    if let Some(policy) = &secret.policy {
        parts.push(policy.rotation.to_owned());
        parts.extend(policy.max_age_days.map(|days| format!("at most {}", counted(days, "day"))));
        parts.extend(policy.owner.as_ref().map(|owner| format!("owner {owner}")));
    }
    match (&secret.changed, &secret.future) {
        (Some(changed), _) => parts.push(age(changed)),
        (None, Some(future)) => parts.push(format!("age unknown: {} is in the future", future.date)),
        (None, None) if secret.secret.uncommitted.is_empty() => parts.push("age unknown".to_owned()),
        (None, None) => parts.push("not committed yet".to_owned()),
    }
    parts.push(format!("created by {}", secret.secret.created_by.join(", ")));
    parts.join(", ")
}

/// Returns the age with the origin of its date.
fn age(changed: &LastChange) -> String {
    let subject = match &changed.item {
        Some(item) => format!("its oldest item, `{}`", printable(item)),
        None => "its value".to_owned(),
    };
    let LastChange { date, days, .. } = changed;
    let days = counted(*days, "day");
    match changed.source {
        ChangeSource::Policy => format!("{days} old ({date} as written in the policy)"),
        ChangeSource::Source => format!("{days} old ({date} by its source)"),
        ChangeSource::AccessKey => format!("{days} old ({date} by its oldest active access key)"),
        ChangeSource::Git if changed.is_minimum => {
            format!("at least {days} old ({date} by the oldest known commit, which has {subject})")
        }
        ChangeSource::Git => format!("{days} old ({date} by the first commit with {subject})"),
    }
}

fn expiry(days: i64, date: &str) -> String {
    match days {
        ..0 => format!("expired on {date}"),
        0 => format!("expires today, on {date}"),
        _ => format!("expires on {date}, in {}", counted(days, "day")),
    }
}
