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

#[cfg(test)]
mod tests {
    use super::{MAX_NAME, closest_name};

    #[test]
    fn typos_are_recognized_and_other_names_are_not() {
        assert_eq!(closest_name("prdo", ["dev", "prod"]), Some("prod"));
        assert_eq!(closest_name("imgae", ["image", "images"]), Some("image"));
        assert_eq!(closest_name("staging", ["dev", "prod"]), None);
        let long = "a".repeat(MAX_NAME + 1);
        assert_eq!(closest_name(&long, [format!("{long}b").as_str()]), None);
    }
}
