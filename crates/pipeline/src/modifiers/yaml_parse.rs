//! Converts a YAML value to JSON. Errors contain nothing of the value.

use zeroize::Zeroizing;

use sealwave_core::diagnostic::DUPLICATE_KEY;
use sealwave_core::yaml::{self, MergeKeys, VerbatimError};

/// Returns the JSON of one document, preserving the spelling of scalars and keys. A scalar document becomes its text,
/// and null becomes `None`.
pub(super) fn to_json(text: &str) -> Result<Option<Zeroizing<String>>, &'static str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match yaml::read_verbatim(text, MergeKeys::Apply) {
        Ok(document) => Ok(Some(document.to_json())),
        Err(VerbatimError::Empty) => Ok(None),
        Err(VerbatimError::Duplicate(_)) => Err(DUPLICATE_KEY),
        Err(VerbatimError::Malformed(_)) => Err("the value is not well-formed YAML"),
        Err(VerbatimError::Several) => Err("the value holds several documents"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_scalars_keep_their_spelling() {
        let convert = |text| to_json(text).expect("well formed").map(|json| json.to_string());
        assert_eq!(convert("\u{feff}pin: 0123\nno: yes\n").as_deref(), Some(r#"{"pin":"0123","no":"yes"}"#));
        assert_eq!(convert("0123").as_deref(), Some("0123"));
        assert_eq!(convert("null"), None);
        assert_eq!(convert(""), None);
    }

    #[test]
    fn errors_do_not_reveal_the_value() {
        for text in ["a: [CANARY", "a: CANARY\na: CANARY", "CANARY: 1\n---\nb: 2\n", "- \tCANARY: [\n"] {
            let error = to_json(text).expect_err("an error");
            assert!(!error.contains("CANARY"), "{error}");
        }
    }

    #[test]
    fn long_lines_are_read() {
        let text = format!("list: [{}]\n0x1F: 007\n", "010, \u{e4}, ".repeat(20_000));
        let json = to_json(&text).expect("well formed").expect("a document");
        assert!(json.starts_with("{\"list\":[\"010\",\"\u{e4}\",\"010\""));
        assert!(json.ends_with("\"010\",\"\u{e4}\"],\"0x1F\":\"007\"}"));
    }
}
