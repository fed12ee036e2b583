//! Changes of single keys in a JSON secret. Everything else in the document stays as it is, byte for byte.
//!
//! Errors name keys and contain nothing of the document.

use sealwave_core::diagnostic::{DUPLICATE_KEY, Explain};
use sealwave_secrets::values::json_text::{self, JsonTextError};
use sealwave_secrets::values::{KeyPath, KeyPathError, SecretBuffer, SecretValue, WalkError};
use zeroize::Zeroizing;

/// A reason why a key of a document cannot be read or replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The key is malformed.
    #[error("key `{key}` {error}")]
    BadKey {
        /// The key.
        key: String,
        /// The cause.
        error: KeyPathError,
    },
    /// A key occurs twice in an object.
    #[error("{DUPLICATE_KEY}")]
    Duplicate,
    /// The document has no such key.
    #[error("the document has no key `{0}`")]
    Missing(String),
    /// The value under the key is an object or a list.
    #[error("key `{0}` holds an object or a list")]
    NotAScalar(String),
    /// The document is not JSON, or not an object.
    #[error("the present value is not a JSON object, so it has no keys")]
    NotAnObject,
    /// The new value is not text.
    #[error("the value for key `{0}` is not UTF-8 text")]
    NotText(String),
}

impl Explain for DocumentError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::BadKey { .. } => "write `#key`, or `#\"a.b\".c` for a path".to_owned(),
            Self::Duplicate => "remove one of them from the document".to_owned(),
            Self::Missing(_) => {
                "check the spelling; `sealwave put --create` adds a key to the document".to_owned()
            }
            Self::NotAScalar(_) => "name a key inside of it".to_owned(),
            Self::NotAnObject => "omit the key to replace the whole value".to_owned(),
            Self::NotText(_) => "JSON holds only text: encode the value, for example as base64".to_owned(),
        })
    }
}

/// Returns the text under a key; `None` if the key is missing or null.
///
/// # Errors
/// The document is not a JSON object, or has a key twice.
pub fn read_key(document: &SecretValue, key: &str) -> Result<Option<Zeroizing<String>>, DocumentError> {
    let text = object_text(document)?;
    match json_text::lookup(text, &parse_key(key)?) {
        Ok(found) => Ok(Some(found)),
        Err(WalkError::Missing(_)) => Ok(None),
        Err(WalkError::Structure(error)) => Err(structure(error)),
    }
}

/// Returns the document with other text under some keys. With `create`, a missing key is added at the end.
///
/// # Errors
/// The document is not a JSON object, a key is missing, or a value is not text.
pub fn replace_keys(
    document: &SecretValue,
    changes: &[(&str, &SecretValue)],
    create: bool,
) -> Result<SecretValue, DocumentError> {
    let mut document = document.clone();
    for (key, value) in changes {
        document = replace_key(&document, key, value, create)?;
    }
    Ok(document)
}

/// Requires that a value is a JSON object without a key twice.
///
/// # Errors
/// It is not.
pub fn require_object(value: &SecretValue) -> Result<(), DocumentError> {
    json_text::parse(object_text(value)?).map(drop).map_err(structure)
}

/// Returns a document with one key.
///
/// # Errors
/// The key is a path, or the value is not text.
pub fn new_document(key: &str, value: &SecretValue) -> Result<SecretValue, DocumentError> {
    replace_key(&SecretValue::new(b"{}".to_vec()), key, value, true)
}

fn replace_key(
    document: &SecretValue,
    key: &str,
    value: &SecretValue,
    create: bool,
) -> Result<SecretValue, DocumentError> {
    let text = object_text(document)?;
    let quoted = quoted(key, value)?;
    let path = parse_key(key)?;
    let root = json_text::parse(text).map_err(structure)?;
    match path.walk(root) {
        Ok(found) if found.get().starts_with(['{', '[']) => Err(DocumentError::NotAScalar(key.to_owned())),
        Ok(found) => {
            let start = found.get().as_ptr() as usize - text.as_ptr() as usize;
            Ok(spliced(text, start..start + found.get().len(), &[&quoted]))
        }
        Err(WalkError::Missing(_)) => match path.single().filter(|_| create) {
            Some(name) => Ok(appended(text, name, &quoted)),
            None => Err(DocumentError::Missing(key.to_owned())),
        },
        Err(WalkError::Structure(error)) => Err(structure(error)),
    }
}

/// Adds a member at the end of an object, spaced like its first one.
fn appended(text: &str, name: &str, quoted: &str) -> SecretValue {
    let name = serde_json::to_string(name).unwrap_or_default();
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let open = text.find('{').map_or(0, |at| at + 1);
    let close = text.rfind('}').unwrap_or(text.len());
    let inside = text.get(open..close).unwrap_or("");
    let members = inside.trim_end_matches(is_space);
    if members.is_empty() {
        return spliced(text, open..close, &[&name, ":", quoted]);
    }
    let indent = members.len() - members.trim_start_matches(is_space).len();
    let indent = members.get(..indent).unwrap_or("");
    let colon = if first_colon_is_spaced(members) { ": " } else { ":" };
    let end = open + members.len();
    spliced(text, end..end, &[",", indent, &name, colon, quoted])
}

/// Reports whether a space follows the first colon between a key and a value.
fn first_colon_is_spaced(members: &str) -> bool {
    let (mut in_string, mut escaped) = (false, false);
    for (at, byte) in members.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b':' if !in_string => return members.as_bytes().get(at + 1) == Some(&b' '),
            _ => {}
        }
    }
    false
}

fn spliced(text: &str, range: std::ops::Range<usize>, parts: &[&str]) -> SecretValue {
    let length = text.len() + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut out = SecretBuffer::with_capacity(length);
    out.push(text.get(..range.start).unwrap_or("").as_bytes());
    for part in parts {
        out.push(part.as_bytes());
    }
    out.push(text.get(range.end..).unwrap_or("").as_bytes());
    out.into_value()
}

fn quoted(key: &str, value: &SecretValue) -> Result<Zeroizing<String>, DocumentError> {
    let text = value.expose_str().ok_or_else(|| DocumentError::NotText(key.to_owned()))?;
    // Text is always JSON.
    Ok(Zeroizing::new(serde_json::to_string(text).unwrap_or_default()))
}

fn object_text(document: &SecretValue) -> Result<&str, DocumentError> {
    let text = document.expose_str().ok_or(DocumentError::NotAnObject)?;
    let is_object = text.trim_start_matches(['\u{feff}', ' ', '\t', '\n', '\r']).starts_with('{');
    if is_object { Ok(text) } else { Err(DocumentError::NotAnObject) }
}

fn parse_key(key: &str) -> Result<KeyPath, DocumentError> {
    KeyPath::parse(key).map_err(|error| DocumentError::BadKey { key: key.to_owned(), error })
}

fn structure(error: JsonTextError) -> DocumentError {
    match error {
        JsonTextError::Duplicate => DocumentError::Duplicate,
        JsonTextError::Syntax => DocumentError::NotAnObject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> SecretValue {
        SecretValue::new(text.as_bytes().to_vec())
    }

    fn replaced(document: &str, key: &str, new: &str, create: bool) -> Result<String, DocumentError> {
        let changed = replace_keys(&value(document), &[(key, &value(new))], create)?;
        Ok(changed.expose_str().expect("text").to_owned())
    }

    #[test]
    fn only_the_bytes_of_the_value_change() {
        let odd = "\u{feff} {\r\n\t\"big\" : 12345678901234567890123, \"k\":\"o\\u0041ld\" ,\"n\":{\"k\":null},\"e\":\"\\/\"}\n";
        assert_eq!(replaced(odd, "k", "new", false), Ok(odd.replace("\"o\\u0041ld\"", "\"new\"")));
        assert_eq!(replaced(odd, "n.k", "q\"\\\n", false), Ok(odd.replace("null", "\"q\\\"\\\\\\n\"")));
        assert_eq!(replaced(odd, "big", "", false), Ok(odd.replace("12345678901234567890123", "\"\"")));
        assert_eq!(
            replaced("{\"a\":{\"b\":1},\"a.b\":2}", "a.b", "x", false).as_deref(),
            Ok("{\"a\":{\"b\":1},\"a.b\":\"x\"}")
        );
        assert_eq!(
            replaced("{\"a\":{\"b\":1},\"a.b\":2}", "\"a\".b", "x", false).as_deref(),
            Ok("{\"a\":{\"b\":\"x\"},\"a.b\":2}")
        );
    }

    #[test]
    fn new_keys_are_added_at_the_end_in_the_style_of_the_document() {
        for (document, expected) in [
            ("{}", "{\"k\":\"v\"}"),
            ("{ }\n", "{\"k\":\"v\"}\n"),
            ("{\"a\":1}", "{\"a\":1,\"k\":\"v\"}"),
            ("{\n  \"a\": \"}:\"\n}\n", "{\n  \"a\": \"}:\",\n  \"k\": \"v\"\n}\n"),
        ] {
            assert_eq!(replaced(document, "k", "v", true).as_deref(), Ok(expected), "{document}");
        }
        assert_eq!(replaced("{}", "\"a\".b", "v", true), Err(DocumentError::Missing("\"a\".b".to_owned())));
        assert_eq!(
            new_document("k", &value("v"))
                .ok()
                .and_then(|new| new.expose_str().map(str::to_owned))
                .as_deref(),
            Some("{\"k\":\"v\"}")
        );
    }

    #[test]
    fn documents_that_cannot_be_changed_are_refused_without_their_content() {
        for (document, key, expected) in [
            ("CANARY", "k", DocumentError::NotAnObject),
            ("[\"CANARY\"]", "k", DocumentError::NotAnObject),
            ("{\"k\":\"CANARY", "k", DocumentError::NotAnObject),
            ("{\"a\":\"CANARY\"}", "k", DocumentError::Missing("k".to_owned())),
            ("{\"k\":\"CANARY\",\"k\":1}", "k", DocumentError::Duplicate),
            ("{\"k\":{\"CANARY\":1}}", "k", DocumentError::NotAScalar("k".to_owned())),
        ] {
            let error = replaced(document, key, "v", false).expect_err(document);
            assert_eq!(error, expected);
            assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("CANARY"));
        }
        let binary = replace_keys(&value("{\"k\":1}"), &[("k", &SecretValue::new(vec![0xff]))], false);
        assert!(matches!(binary, Err(DocumentError::NotText(_))));
    }

    #[test]
    fn deep_nesting_is_no_danger() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(replaced(&deep, "k", "v", true).is_ok_and(|text| text.ends_with(",\"k\":\"v\"}")));
    }
}
