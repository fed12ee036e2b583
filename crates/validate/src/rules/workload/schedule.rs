//! `workload/schedule`.

use super::cron;
use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/schedule",
        severity: Severity::Error,
        summary: "a CronJob has an invalid schedule or time zone",
        text: include_str!("schedule.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Names of the IANA time zone database, sorted, as in Go's copy of it.
const ZONES: &str = include_str!("time_zones.txt");

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.is("batch", "CronJob") {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec") else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.check_table(spec, SECTIONS);
    let final_text = |checker: &FieldChecker<'_>, field: &str| {
        let node = spec.get(field)?;
        let text = node.as_str().filter(|text| !checker.may_fill(text))?;
        Some((node.origin, text.to_owned()))
    };
    if let Some((at, text)) = final_text(&checker, "schedule") {
        check_schedule(at, &text, &mut checker);
    }
    if let Some((at, text)) = final_text(&checker, "timeZone").filter(|(_, text)| !is_zone(text)) {
        let message = "the time zone is unknown";
        let hint = match ZONES.lines().find(|zone| zone.eq_ignore_ascii_case(&text)) {
            Some(zone) => format!("did you mean `{zone}`?"),
            None => {
                "write a name of the IANA time zone database, like `Europe/Berlin` or `Etc/UTC`".to_owned()
            }
        };
        checker.report(at, message, hint);
    }
}

/// Fields of a `CronJob`'s spec.
const SECTIONS: &[FieldSection] = &[FieldSection {
    at: "",
    fields: &[
        FieldCheck::at_least("failedJobsHistoryLimit", 0),
        FieldCheck::not_empty("schedule"),
        FieldCheck::at_least("startingDeadlineSeconds", 0),
        FieldCheck::at_least("successfulJobsHistoryLimit", 0),
    ],
}];

fn check_schedule(at: Origin, text: &str, checker: &mut FieldChecker<'_>) {
    if text.is_empty() {
        return;
    }
    if text.contains("TZ") {
        let message = "a schedule cannot contain a time zone";
        checker.report(at, message, "move the time zone to `timeZone`");
    }
    let zoned = text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ="));
    let fields = zoned.map_or(text, |zoned| zoned.split_once(' ').map_or("", |(_, fields)| fields.trim()));
    if let Err(fault) = cron::check_schedule_syntax(fields) {
        let hint = "a schedule is `minute hour day-of-month month day-of-week`, like `0 3 * * 1-5`, or a name like `@daily`";
        checker.report(at, fault, hint);
    }
}

/// Returns whether a time zone with this name exists; case matters.
fn is_zone(text: &str) -> bool {
    ZONES.lines().any(|zone| zone == text)
}

#[cfg(test)]
mod tests {
    use super::is_zone;

    #[test]
    fn zones_are_names_of_the_database() {
        for good in ["UTC", "Europe/Berlin", "Etc/GMT+2", "America/Argentina/Buenos_Aires", "EST5EDT", "GMT0"]
        {
            assert!(is_zone(good), "{good}");
        }
        for bad in [
            "",
            "utc",
            "Local",
            "Europe/ Berlin",
            "UTC+02:00",
            "Europe//Berlin",
            "/UTC",
            "cet",
            "Mars/Olympus",
            "europe/berlin",
        ] {
            assert!(!is_zone(bad), "{bad}");
        }
    }
}
