//! "Did you mean": the known name that is closest to an unknown one.

/// Maximum length of the unknown name: a comparison takes as many steps as the product of both lengths.
const MAX_NAME: usize = 100;
/// Maximum number of known names to compare with.
const MAX_KNOWN: usize = 10_000;

/// Returns the closest of `known` that may be meant by a typo; of several, the first.
pub fn closest_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_NAME {
        return None;
    }
    let max_distance = (name.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .take(MAX_KNOWN)
        .filter(|other| *other != name && other.len().abs_diff(name.len()) <= max_distance * 4)
        .map(|other| (strsim::osa_distance(name, other), other))
        .filter(|(distance, _)| *distance <= max_distance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// The shortest part of a name that stands for the whole name.
const MIN_SHARED: usize = 3;

/// Returns the one of a few `choices` that a text probably means: by another case, a typo, or a part of its name that no
/// other choice has (`production` means `prod`, `sealed` means `sealed-secrets`).
#[must_use]
pub fn closest_choice<'a>(text: &str, choices: &[&'a str]) -> Option<&'a str> {
    let lower = text.to_ascii_lowercase();
    let same = choices.iter().find(|choice| choice.eq_ignore_ascii_case(text) && **choice != text);
    let is_long = lower.chars().count() >= MIN_SHARED;
    let close = || closest_name(&lower, choices.iter().copied()).filter(|_| is_long);
    let close = same.copied().or_else(close);
    let shares_start = |choice: &&&str| {
        let shorter = choice.len().min(lower.len());
        shorter >= MIN_SHARED && (choice.starts_with(&lower) || lower.starts_with(**choice))
    };
    let mut sharing = choices.iter().filter(shares_start);
    close.or_else(|| sharing.next().copied().filter(|_| sharing.next().is_none()))
}

#[cfg(test)]
mod tests {
    use super::{MAX_NAME, closest_choice, closest_name};

    #[test]
    fn choices_are_recognized_by_typo_case_and_part() {
        let backends = &["external-secrets", "sealed-secrets", "secrets-store-csi"];
        for (text, expected) in [
            ("sealed-secret", Some("sealed-secrets")),
            ("sealed", Some("sealed-secrets")),
            ("Sealed-Secrets", Some("sealed-secrets")),
            ("se", None),
            ("vault", None),
        ] {
            assert_eq!(closest_choice(text, backends), expected, "{text}");
        }
        assert_eq!(closest_choice("warn", &["error", "note", "off", "warning"]), Some("warning"));
        assert_eq!(closest_choice("production", &["dev", "prod"]), Some("prod"));
        assert_eq!(closest_choice("production", &["prod-eu", "prod-us"]), None);
        assert_eq!(closest_choice("AVP", &["avp"]), Some("avp"));
        assert_eq!(closest_choice("v3", &["v1", "v2"]), None);
        assert_eq!(closest_choice("eu-", &["eu-west-one", "eu-central-one"]), None);
    }

    #[test]
    fn typos_are_recognized_and_other_names_are_not() {
        assert_eq!(closest_name("prdo", ["dev", "prod"]), Some("prod"));
        assert_eq!(closest_name("imgae", ["image", "images"]), Some("image"));
        assert_eq!(closest_name("staging", ["dev", "prod"]), None);
        let long = "a".repeat(MAX_NAME + 1);
        assert_eq!(closest_name(&long, [format!("{long}b").as_str()]), None);
    }
}
