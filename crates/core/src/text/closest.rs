//! "Did you mean": the known name that is nearest to one that is not known.

/// Bytes of a name that is looked for: comparing two names takes as many steps as their lengths multiplied.
const MAX_NAME: usize = 100;
/// Names that it is compared with.
const MAX_KNOWN: usize = 10_000;

/// The nearest of `known` that is near enough for a slip of the keyboard; the first of several in their order.
pub fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_NAME {
        return None;
    }
    let far = (name.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .take(MAX_KNOWN)
        .filter(|other| *other != name && other.len().abs_diff(name.len()) <= far * 4)
        .map(|other| (strsim::osa_distance(name, other), other))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::{MAX_NAME, closest};

    #[test]
    fn slips_are_seen_and_other_names_are_not() {
        assert_eq!(closest("prdo", ["dev", "prod"]), Some("prod"));
        assert_eq!(closest("imgae", ["image", "images"]), Some("image"));
        assert_eq!(closest("staging", ["dev", "prod"]), None);
        let long = "a".repeat(MAX_NAME + 1);
        assert_eq!(closest(&long, [format!("{long}b").as_str()]), None);
    }
}
