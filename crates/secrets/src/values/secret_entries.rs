//! The top-level entries of a secret. Their values cannot be printed; the keys are names, and not secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{SecretValue, json_text};
use sealwave_core::diagnostic::DUPLICATE_KEY;

/// Maximum number of entries of a secret.
pub const MAX_SECRET_ENTRIES: usize = 2_000;

/// The entries of a secret, by key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretEntries {
    values: BTreeMap<String, SecretValue>,
    /// Keys without a value.
    nulls: BTreeSet<String>,
}

/// A reason why a secret has no entries. It contains nothing of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntriesError {
    /// A key occurs twice.
    #[error("{DUPLICATE_KEY}")]
    Duplicate,
    /// The document is not an object.
    #[error("it is not an object, so it has no keys")]
    NotAnObject,
    /// The document is malformed.
    #[error("it is not well-formed JSON")]
    Syntax,
    /// The secret has too many entries.
    #[error("it has more than {MAX_SECRET_ENTRIES} keys")]
    TooMany,
}

impl SecretEntries {
    /// Parses the fields of a JSON object: strings unquoted, numbers and booleans as written, objects and arrays as
    /// compact JSON. Null counts as missing.
    ///
    /// # Errors
    /// Fails if this is not an object, or has a duplicate key or too many fields.
    pub fn from_json(json: &str) -> Result<Self, EntriesError> {
        let root = json_text::parse(json).map_err(|_| EntriesError::Syntax)?;
        if !root.get().starts_with('{') {
            return Err(EntriesError::NotAnObject);
        }
        let mut entries = Self::default();
        let mut stopped = None;
        let fields = FieldsVisitor { entries: &mut entries, stopped: &mut stopped };
        let read = fields.deserialize(&mut serde_json::Deserializer::from_str(root.get()));
        match (stopped, read) {
            (Some(error), _) => Err(error),
            (None, Err(_)) => Err(EntriesError::Syntax),
            (None, Ok(())) => Ok(entries),
        }
    }

    /// Adds an entry; one without a value counts as missing.
    ///
    /// # Errors
    /// Fails if the key exists already, or if the limit is exceeded.
    pub fn insert(&mut self, key: String, value: Option<SecretValue>) -> Result<(), EntriesError> {
        if self.values.contains_key(&key) || self.nulls.contains(&key) {
            return Err(EntriesError::Duplicate);
        }
        if self.values.len() + self.nulls.len() >= MAX_SECRET_ENTRIES {
            return Err(EntriesError::TooMany);
        }
        match value {
            Some(value) => drop(self.values.insert(key, value)),
            None => drop(self.nulls.insert(key)),
        }
        Ok(())
    }

    /// Returns keys and values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretValue)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }
}

/// A deserializer that adds the fields of an object one by one.
struct FieldsVisitor<'e> {
    entries: &'e mut SecretEntries,
    stopped: &'e mut Option<EntriesError>,
}

impl<'de> DeserializeSeed<'de> for FieldsVisitor<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value::<&'de RawValue>()?;
            let text = json_text::text(value).map_err(|_| A::Error::custom("malformed"))?;
            let value = text.map(|text| SecretValue::new(text.as_bytes().to_vec()));
            if let Err(error) = self.entries.insert(key, value) {
                *self.stopped = Some(error);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<(String, String)>, EntriesError> {
        let text = |value: &SecretValue| value.expose_str().unwrap_or_default().to_owned();
        let entries = SecretEntries::from_json(json)?;
        Ok(entries.iter().map(|(key, value)| (key.to_owned(), text(value))).collect())
    }

    #[test]
    fn values_are_text_as_it_was_written() {
        let json = r#"{"z":"a b","n":1.10,"big":123456789012345678901,"t":true,"o":{"b": [1, "x y"]},"l":[ ],
            "null":null,"":"empty","a.b":"dot","__proto__":"p","é\n":"u","s":"\u0000"}"#;
        let expected = [
            ("", "empty"),
            ("__proto__", "p"),
            ("a.b", "dot"),
            ("big", "123456789012345678901"),
            ("l", "[]"),
            ("n", "1.10"),
            ("o", r#"{"b":[1,"x y"]}"#),
            ("s", "\0"),
            ("t", "true"),
            ("z", "a b"),
            ("é\n", "u"),
        ];
        let expected: Vec<_> =
            expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(read(json), Ok(expected));
    }

    #[test]
    fn other_documents_have_distinct_errors() {
        for (json, error) in [
            ("", EntriesError::Syntax),
            ("{", EntriesError::Syntax),
            (r#"{"a":"\ud800"}"#, EntriesError::Syntax),
            ("[]", EntriesError::NotAnObject),
            ("\"a\"", EntriesError::NotAnObject),
            ("1", EntriesError::NotAnObject),
            (r#"{"a":1,"b":2,"a":1}"#, EntriesError::Duplicate),
            (r#"{"a":null,"a":1}"#, EntriesError::Duplicate),
            (r#"{"a":1,"\u0061":1}"#, EntriesError::Duplicate),
        ] {
            assert_eq!(read(json), Err(error), "{json}");
        }
        assert_eq!(read("{}"), Ok(Vec::new()));
    }

    #[test]
    fn the_number_of_entries_is_limited() {
        let object = |count: usize| {
            let fields: Vec<String> = (0..count).map(|number| format!("\"k{number}\":1")).collect();
            format!("{{{}}}", fields.join(","))
        };
        assert_eq!(read(&object(MAX_SECRET_ENTRIES)).map(|all| all.len()), Ok(MAX_SECRET_ENTRIES));
        assert_eq!(read(&object(MAX_SECRET_ENTRIES + 1)), Err(EntriesError::TooMany));
        assert_eq!(read(&object(100_000)), Err(EntriesError::TooMany));
    }
}
