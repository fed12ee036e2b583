//! Lazy reading of JSON, so that numbers keep the digits that were written.
//!
//! For secret documents: errors contain nothing of the document.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::key_path::{KeyPath, KeyedValue, MissingStep, ValueShape, WalkError};

/// A reason why a text cannot be read as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonTextError {
    /// An object contains the requested key twice.
    Duplicate,
    /// The text is malformed.
    Syntax,
}

/// Checks that a text is one JSON document, with or without a byte order mark. Nothing here recurses, however deeply
/// the document nests.
///
/// # Errors
/// The text is not one JSON document.
pub fn parse(json: &str) -> Result<&RawValue, JsonTextError> {
    let json = json.strip_prefix('\u{feff}').unwrap_or(json);
    serde_json::from_str(json).map_err(|_| JsonTextError::Syntax)
}

/// Returns a field of an object; `None` if this is not an object or has no such field.
///
/// # Errors
/// The object is malformed, or has the field twice.
pub fn member<'a>(value: &'a RawValue, name: &str) -> Result<Option<&'a RawValue>, JsonTextError> {
    if !value.get().starts_with('{') {
        return Ok(None);
    }
    let mut reader = serde_json::Deserializer::from_str(value.get());
    let found = MemberCollector(name).deserialize(&mut reader).map_err(|_| JsonTextError::Syntax)?;
    match found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(JsonTextError::Duplicate),
    }
}

/// Returns an item of an array, counted from its end if `index` is negative.
pub(crate) fn element(value: &RawValue, index: i64) -> Result<Option<&RawValue>, JsonTextError> {
    if !value.get().starts_with('[') {
        return Ok(None);
    }
    let items: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| JsonTextError::Syntax)?;
    let from_start = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    let at = if index < 0 { items.len().checked_sub(from_start) } else { Some(from_start) };
    Ok(at.and_then(|at| items.get(at).copied()))
}

/// Returns a value as text: strings unquoted, numbers and booleans as written, objects and arrays without whitespace;
/// `None` for null.
///
/// # Errors
/// The string is malformed.
pub fn text(value: &RawValue) -> Result<Option<Zeroizing<String>>, JsonTextError> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json)
            .map(|text| Some(Zeroizing::new(text)))
            .map_err(|_| JsonTextError::Syntax),
        Some(b'{' | b'[') => Ok(Some(compact(json))),
        Some(b'n') => Ok(None),
        _ => Ok(Some(Zeroizing::new(json.to_owned()))),
    }
}

/// Returns the value at a path as text. Null counts as missing.
///
/// # Errors
/// The path does not exist, or the document is malformed.
pub fn lookup(json: &str, path: &KeyPath) -> Result<Zeroizing<String>, WalkError<JsonTextError>> {
    found_text(path.walk(parse(json).map_err(WalkError::Structure)?)?)
}

/// Does the same from the given step of the path, in the document that the previous steps lead to.
///
/// # Errors
/// The path does not exist, or the document is malformed.
pub fn lookup_from(
    json: &str,
    path: &KeyPath,
    first: usize,
) -> Result<Zeroizing<String>, WalkError<JsonTextError>> {
    found_text(path.walk_from(first, parse(json).map_err(WalkError::Structure)?)?)
}

fn found_text(value: &RawValue) -> Result<Zeroizing<String>, WalkError<JsonTextError>> {
    let text = text(value).map_err(WalkError::Structure)?;
    text.ok_or_else(|| WalkError::Missing(MissingStep::default()))
}

impl KeyedValue for &RawValue {
    type Error = JsonTextError;

    fn member(self, name: &str) -> Result<Option<Self>, JsonTextError> {
        member(self, name)
    }

    fn item(self, index: usize) -> Result<Option<Self>, JsonTextError> {
        i64::try_from(index).map_or(Ok(None), |index| element(self, index))
    }

    fn shape(self) -> ValueShape {
        match self.get().as_bytes().first() {
            Some(b'{') => ValueShape::Object,
            Some(b'[') => ValueShape::List,
            _ => ValueShape::Scalar,
        }
    }
}

fn compact(json: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(json.len()));
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string || !matches!(c, ' ' | '\t' | '\n' | '\r') {
            out.push(c);
        }
        match c {
            '"' if !escaped => in_string = !in_string,
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            _ => {}
        }
        escaped = false;
    }
    out
}

/// A deserializer that collects the values of an object under one name.
struct MemberCollector<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for MemberCollector<'_> {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MemberCollector<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value::<&'de RawValue>()?;
            if key == self.0 {
                found.push(value);
            }
        }
        Ok(found)
    }
}
