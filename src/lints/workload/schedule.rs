//! `workload/schedule`.

use super::cron;
use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::metadata::syntax::is_unfinished;
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "workload/schedule",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "a CronJob has a schedule or a time zone that Kubernetes cannot read",
        explanation: "A schedule has five fields: minute (0-59), hour (0-23), day of the month (1-31), month (1-12 or names), \
                      day of the week (0-6 or names; 0 is Sunday, 7 is not); or it is a name like `@daily`. Seconds, years, \
                      `H`, `L`, `W` and `#` are other programs'. A time zone has its own field, with a name of the IANA \
                      database. The API server refuses the object. `TZ=` in a schedule is a warning: versions before 1.29 \
                      take it.",
        example: "spec:\n  schedule: \"0 0 3 * * *\"   # six fields\n  timeZone: cet\n",
        remedy: "```yaml\nspec:\n  schedule: \"0 3 * * *\"\n  timeZone: Europe/Berlin\n```",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    if !object.is("batch", "CronJob") {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec") else { return };
    if let Some((node, text)) = finished(spec.get("schedule")) {
        schedule(spec, node, text, reporter);
    }
    if let Some((node, text)) = finished(spec.get("timeZone"))
        && !may_be_zone(text)
    {
        let draft = Draft::new(&RULE, node.origin, "there is no time zone of this name");
        reporter.report(draft.hint("write a name of the IANA database, like `Europe/Berlin` or `Etc/UTC`"));
    }
}

fn schedule(spec: &Node, node: &Node, text: &str, reporter: &mut Reporter) {
    let zoned = text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ="));
    if zoned.is_some() {
        let draft =
            Draft::new(&RULE, node.origin, "a schedule with a time zone is refused from Kubernetes 1.29 on");
        let draft = draft.hint("write the time zone into `timeZone`");
        reporter.report(if spec.get("timeZone").is_some() {
            draft
        } else {
            draft.severity(Severity::Warning)
        });
    }
    let fields = zoned.map_or(text, |zoned| zoned.split_once(' ').map_or("", |(_, fields)| fields.trim()));
    if let Err(fault) = cron::check(fields) {
        let hint = "a schedule is `minute hour day-of-month month day-of-week`, like `0 3 * * 1-5`, or a name like `@daily`";
        reporter.report(Draft::new(&RULE, node.origin, fault).hint(hint));
    }
}

fn finished(node: Option<&Node>) -> Option<(&Node, &str)> {
    let node = node?;
    node.as_str().filter(|text| !is_unfinished(text)).map(|text| (node, text))
}

/// Whether a text has the form of a zone's name; in lower case there are none.
fn may_be_zone(text: &str) -> bool {
    let part = |part: &str| {
        (1..=14).contains(&part.len())
            && !matches!(part, "." | "..")
            && !part.starts_with('-')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte))
    };
    text.split('/').all(part)
        && text.bytes().any(|byte| byte.is_ascii_uppercase())
        && !text.eq_ignore_ascii_case("local")
}

#[cfg(test)]
mod tests {
    use super::may_be_zone;

    #[test]
    fn zones_have_names_of_the_database() {
        for good in ["UTC", "Europe/Berlin", "Etc/GMT+2", "America/Argentina/Buenos_Aires", "EST5EDT", "GMT0"]
        {
            assert!(may_be_zone(good), "{good}");
        }
        for bad in
            ["", "utc", "Local", "local", "Europe/ Berlin", "UTC+02:00", "Europe//Berlin", "/UTC", "cet"]
        {
            assert!(!may_be_zone(bad), "{bad}");
        }
    }
}
