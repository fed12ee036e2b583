//! Keys of a Secret's or a ConfigMap's items: which there may be, and what of them a message may show.

/// Bytes of a key.
pub const MAX_ITEM_KEY: usize = 253;

/// What stands for keys that are not known, in a preview: no item can be called so.
pub const UNKNOWN_KEYS: &str = "*";

/// Whether Kubernetes takes a key, as its `IsConfigMapKey` has it.
pub fn is_item_key(key: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=MAX_ITEM_KEY).contains(&key.len()) && key.bytes().all(inside) && key != "." && !key.starts_with("..")
}

/// What a message calls an item. A key that is none may be a value that slipped into its place, and is not shown.
pub fn item_called(key: &str) -> String {
    if is_item_key(key) { format!("item `{key}`") } else { "an item whose key is not valid".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_that_kubernetes_takes() {
        for key in ["a", "tls.crt", ".dockerconfigjson", "A-b_c.9", ".a", "a..b", &"k".repeat(253)] {
            assert!(is_item_key(key), "{key}");
            assert_eq!(item_called(key), format!("item `{key}`"));
        }
        for key in ["", ".", "..", "..a", "a b", "a/b", "ä", "a\n", "hunter2!", &"k".repeat(254)] {
            assert!(!is_item_key(key), "{key}");
            assert_eq!(item_called(key), "an item whose key is not valid");
        }
    }
}
