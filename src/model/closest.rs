//! "Did you mean": the known name that is nearest to one that is not known.

/// The nearest of `known` that is near enough for a slip of the keyboard; the first of several in their order.
pub(crate) fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = (name.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .filter(|other| *other != name && other.len().abs_diff(name.len()) <= far * 4)
        .map(|other| (strsim::osa_distance(name, other), other))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn slips_are_seen_and_other_names_are_not() {
        assert_eq!(closest("prdo", ["dev", "prod"]), Some("prod"));
        assert_eq!(closest("imgae", ["image", "images"]), Some("image"));
        assert_eq!(closest("staging", ["dev", "prod"]), None);
    }
}
