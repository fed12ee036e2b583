//! Parser for schedules that accepts what Kubernetes does: the standard parser of `robfig/cron`.

use sealwave_core::time::duration::nanos;

/// A field of a schedule.
struct ScheduleField {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const FIELDS: [ScheduleField; 5] = [
    ScheduleField { name: "minute", least: 0, most: 59, names: &[] },
    ScheduleField { name: "hour", least: 0, most: 23, names: &[] },
    ScheduleField { name: "day of the month", least: 1, most: 31, names: &[] },
    ScheduleField {
        name: "month",
        least: 1,
        most: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    ScheduleField {
        name: "day of the week",
        least: 0,
        most: 6,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

const NAMED: &[&str] = &["@annually", "@daily", "@hourly", "@midnight", "@monthly", "@weekly", "@yearly"];

/// Checks a schedule.
///
/// # Errors
/// The schedule is not valid. The message must never quote it.
pub(super) fn check_schedule_syntax(schedule: &str) -> Result<(), String> {
    if schedule.starts_with('@') {
        let interval =
            schedule.strip_prefix("@every ").map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
        let fits =
            NAMED.contains(&schedule) || interval.is_some_and(|text| text == "0" || nanos(text).is_some());
        return if fits { Ok(()) } else { Err("the schedule name is unknown".to_owned()) };
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let (count, noun) = (fields.len(), if fields.len() == 1 { "field" } else { "fields" });
        return Err(format!("the schedule has {count} {noun}, not 5"));
    }
    FIELDS.iter().zip(fields).try_for_each(|(field, text)| {
        text.split(',').filter(|range| !range.is_empty()).try_for_each(|range| field.check_range(range))
    })
}

impl ScheduleField {
    fn check_range(&self, text: &str) -> Result<(), String> {
        let mut parts = text.split('/');
        let range = parts.next().unwrap_or_default();
        let step = parts.next();
        let bounds: Vec<&str> = range.split('-').collect();
        let (mut first, mut last) = (self.least, self.most);
        let is_star = matches!(bounds.first(), Some(&"*" | &"?"));
        if !is_star {
            first = self.number(bounds.first().copied().unwrap_or_default())?;
            last = match bounds.get(1) {
                Some(bound) => self.number(bound)?,
                None if step.is_some() => self.most,
                None => first,
            };
        }
        if !is_star && bounds.len() > 2 || parts.next().is_some() {
            return Err(self.unreadable());
        }
        if first < self.least || last > self.most {
            let Self { name, least, most, .. } = self;
            return Err(format!("the {name} is not between {least} and {most}"));
        }
        if first > last {
            return Err(format!("a range of the {} ends before it begins", self.name));
        }
        match step.map(natural) {
            Some(None) => Err(self.unreadable()),
            Some(Some(0)) => Err(format!("a step of the {} is zero", self.name)),
            _ => Ok(()),
        }
    }

    /// Parses a number, or a name that stands for one.
    fn number(&self, text: &str) -> Result<u32, String> {
        let lower = text.to_lowercase();
        let named = self.names.iter().zip(self.least..).find(|(name, _)| **name == lower);
        named.map(|(_, number)| number).or_else(|| natural(text)).ok_or_else(|| self.unreadable())
    }

    fn unreadable(&self) -> String {
        format!("the {} cannot be read", self.name)
    }
}

fn natural(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    // Saturate: the number is out of bounds anyway.
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::check_schedule_syntax;

    #[test]
    fn schedules_are_parsed_like_robfig() {
        for good in [
            "* * * * *",
            "*/5 0-23/2 1,15 JAN-mar ?",
            "5/15 * * * *",
            "0 3 * * mon-fri",
            "  0  3 * * 0 ",
            "@daily",
            "@every 1h30m",
            "*/61 * * * *",
            "1,,2 * * * *",
            "0 0 31 2 *",
            "*-5 * * * *",
        ] {
            assert_eq!(check_schedule_syntax(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", "0 fields"),
            ("@reboot", "schedule name is unknown"),
            ("@every day", "schedule name is unknown"),
            ("@Daily", "schedule name is unknown"),
            ("0 0 3 * * *", "6 fields"),
            ("H 3 * * *", "the minute cannot be read"),
            ("0 24 * * *", "the hour is not between 0 and 23"),
            ("60 * * * *", "the minute is not between"),
            ("0 0 0 * *", "the day of the month is not between"),
            ("0 0 * 13 *", "the month is not between"),
            ("0 0 * * 7", "the day of the week is not between 0 and 6"),
            ("0 0 L * *", "the day of the month cannot be read"),
            ("0 0 * * 1#2", "the day of the week cannot be read"),
            ("0 0 * * monday", "the day of the week cannot be read"),
            ("5-1 * * * *", "ends before it begins"),
            ("*/0 * * * *", "a step of the minute is zero"),
            ("*/x * * * *", "the minute cannot be read"),
            ("1-2-3 * * * *", "the minute cannot be read"),
            ("1/2/3 * * * *", "the minute cannot be read"),
            ("-1 * * * *", "the minute cannot be read"),
            ("99999999999 * * * *", "the minute is not between"),
        ] {
            let found = check_schedule_syntax(bad).expect_err(bad);
            assert!(found.contains(why), "{bad}: {found}");
        }
    }
}
