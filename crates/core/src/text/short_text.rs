//! Short texts, of which every object has many: keys, names, API versions. The standard library's ways are made for long
//! ones, and cost a call each; nothing here means anything else than they do.

/// Whether two keys are the same. Nearly all have at most 16 bytes, and comparing these takes no call.
#[inline]
pub fn same_key(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    // Two parts that may overlap.
    let ends = |bytes: &[u8]| Some((*bytes.first_chunk::<8>()?, *bytes.last_chunk::<8>()?));
    let short_ends = |bytes: &[u8]| Some((*bytes.first_chunk::<4>()?, *bytes.last_chunk::<4>()?));
    match a.len() {
        8..=16 => ends(a) == ends(b),
        4..8 => short_ends(a) == short_ends(b),
        _ => a == b,
    }
}

/// What stands before the first of an ASCII character, and what stands behind it.
pub fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|other| other == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_length_are_told_apart() {
        let long = "abcdefghijklmnopqrstuvwxyz";
        for length in 0..=long.len() {
            let key = &long[..length];
            assert!(same_key(key, key), "{length}");
            for at in 0..length {
                let mut other = key.to_owned();
                other.replace_range(at..=at, "-");
                assert!(!same_key(key, &other), "{length}, {at}");
            }
            assert!(!same_key(key, &format!("{key}-")), "{length}");
        }
    }

    #[test]
    fn texts_are_split_as_the_standard_library_splits_them() {
        for text in ["", "/", "a", "a/", "/b", "a/b", "a/b/c", "ä/ö"] {
            assert_eq!(split_at_byte(text, b'/'), text.split_once('/'), "{text}");
        }
    }
}
