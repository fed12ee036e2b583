//! Fast operations on the short texts that every object has many of: keys, names, API versions. The standard library's
//! versions are designed for long texts and cost a call each; the results are the same.

/// Reports whether two keys are equal. Nearly all have at most 16 bytes, which are compared without a call.
#[inline]
#[must_use]
pub fn same_key(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    // Two chunks that may overlap.
    let outer_chunks = |bytes: &[u8]| Some((*bytes.first_chunk::<8>()?, *bytes.last_chunk::<8>()?));
    let short_outer_chunks = |bytes: &[u8]| Some((*bytes.first_chunk::<4>()?, *bytes.last_chunk::<4>()?));
    match a.len() {
        8..=16 => outer_chunks(a) == outer_chunks(b),
        4..8 => short_outer_chunks(a) == short_outer_chunks(b),
        _ => a == b,
    }
}

/// Splits at the first occurrence of an ASCII byte.
#[inline]
#[must_use]
pub fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|other| other == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_length_are_compared_correctly() {
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
    fn texts_are_split_like_in_the_standard_library() {
        for text in ["", "/", "a", "a/", "/b", "a/b", "a/b/c", "ä/ö"] {
            assert_eq!(split_at_byte(text, b'/'), text.split_once('/'), "{text}");
        }
    }
}
