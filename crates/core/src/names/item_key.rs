//! Keys of items in a Secret or ConfigMap: validity, and how a message may show them.

/// Maximum length of a key.
pub const MAX_ITEM_KEY: usize = 253;

/// The placeholder for unknown keys in a preview; it is not a valid key.
pub const UNKNOWN_KEYS: &str = "*";

/// Reports whether Kubernetes accepts a key, like its `IsConfigMapKey`.
#[must_use]
pub fn is_item_key(key: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=MAX_ITEM_KEY).contains(&key.len())
        && key.bytes().all(is_allowed)
        && key != "."
        && !key.starts_with("..")
}

/// Returns the name of an item for messages. An invalid key may be a misplaced value, so it is not shown.
#[must_use]
pub fn item_label(key: &str) -> String {
    if is_item_key(key) { format!("item `{key}`") } else { "an item whose key is not valid".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_and_invalid_item_keys() {
        for key in ["a", "tls.crt", ".dockerconfigjson", "A-b_c.9", ".a", "a..b", &"k".repeat(253)] {
            assert!(is_item_key(key), "{key}");
            assert_eq!(item_label(key), format!("item `{key}`"));
        }
        for key in ["", ".", "..", "..a", "a b", "a/b", "ä", "a\n", "hunter2!", &"k".repeat(254)] {
            assert!(!is_item_key(key), "{key}");
            assert_eq!(item_label(key), "an item whose key is not valid");
        }
    }
}
