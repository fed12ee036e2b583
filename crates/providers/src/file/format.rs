//! Looks up the value of a key in a file.
//!
//! The file's name determines the format: `*.yaml`, `*.yml`, `*.json`, `*.properties`, `*.env`, `.env`, `.env.*`.
//! YAML is converted to JSON with the spelling of every scalar and key, so that one set of rules applies to both: strings
//! as they are, numbers and booleans as written, objects and lists as compact JSON; null counts as missing. A duplicate
//! key is an error, since it is ambiguous.

use zeroize::Zeroizing;

use super::pairs::{KeyValuePairs, LineError};
use super::{dotenv, properties};
use crate::ProviderError;
use sealwave_core::diagnostic::{DUPLICATE_KEY, NOT_UTF8};
use sealwave_core::yaml::{self, MergeKeys, VerbatimError};
use sealwave_secrets::values::json_text::{self, JsonTextError};
use sealwave_secrets::values::{
    KEY_HINT, KeyPath, KeyedValue, MissingStep, SecretEntries, SecretValue, ValueShape, WalkError,
};

/// A parsed file.
pub(super) enum KeyedFile {
    /// JSON, or YAML as JSON.
    Json(Zeroizing<String>),
    Pairs(KeyValuePairs),
}

enum FileFormat {
    Env,
    Json,
    Properties,
    Yaml,
}

impl KeyedFile {
    pub(super) fn parse(path: &str, content: &SecretValue) -> Result<Self, ProviderError> {
        let format = format_of(path).ok_or_else(|| {
            ProviderError::invalid(
                "a key can only be read from YAML, JSON, .env and .properties files",
                "for the whole file, put the placeholder without a key into an item of `stringData`; otherwise give the file the extension of its format",
            )
        })?;
        let text = content.expose_str().ok_or_else(|| malformed(&format!("it {NOT_UTF8}")))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match format {
            FileFormat::Env => dotenv::parse(text).map(Self::Pairs).map_err(at_line),
            FileFormat::Json => match json_text::parse(text) {
                Ok(_) => Ok(Self::Json(Zeroizing::new(text.to_owned()))),
                Err(_) => Err(malformed("it is not well-formed JSON")),
            },
            FileFormat::Properties => properties::parse(text).map(Self::Pairs).map_err(at_line),
            FileFormat::Yaml => read_yaml(text).map(Self::Json),
        }
    }

    /// Returns all top-level keys, each with its value.
    pub(super) fn entries(&self) -> Result<SecretEntries, ProviderError> {
        let pairs = match self {
            Self::Json(text) => return Ok(SecretEntries::from_json(text)?),
            Self::Pairs(pairs) => pairs,
        };
        let mut entries = SecretEntries::default();
        for (key, text) in pairs {
            entries.insert(key.clone(), Some(SecretValue::new(text.as_bytes().to_vec())))?;
        }
        Ok(entries)
    }

    pub(super) fn value(&self, key: &str) -> Result<SecretValue, ProviderError> {
        let path = KeyPath::parse(key).map_err(ProviderError::bad_key)?;
        let found = match self {
            Self::Json(text) => json_text::lookup(text, &path).map_err(|error| match error {
                WalkError::Missing(step) => missing(&step),
                WalkError::Structure(JsonTextError::Duplicate) => duplicate_key(),
                WalkError::Structure(JsonTextError::Syntax) => malformed("it is not well-formed JSON"),
            })?,
            Self::Pairs(pairs) => match path.walk(FlatValue::All(pairs)) {
                Ok(FlatValue::Value(value)) => value.clone(),
                Ok(FlatValue::All(_)) | Err(WalkError::Structure(())) => return Err(duplicate_key()),
                Err(WalkError::Missing(step)) => return Err(missing(&step)),
            },
        };
        Ok(SecretValue::new(found.as_bytes().to_vec()))
    }
}

fn missing(step: &MissingStep) -> ProviderError {
    ProviderError::not_found(step.message("the file"), KEY_HINT)
}

/// A file without nesting, where a dot is part of a key.
#[derive(Clone, Copy)]
enum FlatValue<'a> {
    All(&'a KeyValuePairs),
    Value(&'a Zeroizing<String>),
}

impl KeyedValue for FlatValue<'_> {
    /// The key is a duplicate.
    type Error = ();

    fn member(self, name: &str) -> Result<Option<Self>, ()> {
        let Self::All(pairs) = self else { return Ok(None) };
        let mut values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(Self::Value)),
            (_, Some(_)) => Err(()),
        }
    }

    fn item(self, _index: usize) -> Result<Option<Self>, ()> {
        Ok(None)
    }

    fn shape(self) -> ValueShape {
        match self {
            Self::All(_) => ValueShape::Object,
            Self::Value(_) => ValueShape::Scalar,
        }
    }
}

fn format_of(path: &str) -> Option<FileFormat> {
    let name = path.rsplit('/').next()?;
    if name == ".env" || name.starts_with(".env.") {
        return Some(FileFormat::Env);
    }
    match name.rsplit_once('.')?.1 {
        "env" => Some(FileFormat::Env),
        "json" => Some(FileFormat::Json),
        "properties" => Some(FileFormat::Properties),
        "yaml" | "yml" => Some(FileFormat::Yaml),
        _ => None,
    }
}

/// Reads one YAML document and returns it as JSON.
fn read_yaml(text: &str) -> Result<Zeroizing<String>, ProviderError> {
    let document = yaml::read_verbatim(text, MergeKeys::Apply).map_err(|why| match why {
        VerbatimError::Duplicate(line) => at_line((line as usize, DUPLICATE_KEY)),
        VerbatimError::Empty => malformed("it is empty"),
        VerbatimError::Malformed(line) => at_line((line as usize, "it is not well-formed YAML")),
        VerbatimError::Several => malformed("it contains several documents"),
    })?;
    if document.root().as_str().is_some() {
        // A scalar has no keys.
        return Ok(Zeroizing::new("null".to_owned()));
    }
    Ok(document.to_json())
}

fn malformed(why: &str) -> ProviderError {
    ProviderError::invalid(
        format!("the file cannot be parsed: {why}"),
        "correct the file in the secret store",
    )
}

fn at_line((line, why): LineError) -> ProviderError {
    malformed(&if line == 0 { why.to_owned() } else { format!("{why} (line {line})") })
}

fn duplicate_key() -> ProviderError {
    ProviderError::invalid(DUPLICATE_KEY, "remove one of them")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares a key with `yamlParse | jsonPath` on the whole file.
    #[test]
    fn r04_keys_and_json_paths_agree() {
        let text = "accounts: {no: 0123, on: 1.10, NO: yes, y: [010, ~, 1e3]}\nzip: [02134, 00501]\nd: &d 2001-1-2\ne: *d\n";
        let document = KeyedFile::parse("a.yaml", &SecretValue::new(text.into())).expect("well formed");
        let whole = yaml::read_verbatim(text, MergeKeys::Apply).expect("well formed").to_json();
        for (key, path) in [
            ("accounts", "{.accounts}"),
            ("accounts.no", "{.accounts.no}"),
            ("accounts.on", "{.accounts.on}"),
            ("accounts.NO", "{.accounts.NO}"),
            ("accounts.y", "{.accounts.y}"),
            ("accounts.y.0", "{.accounts.y[0]}"),
            ("zip", "{.zip}"),
            ("zip.1", "{.zip[1]}"),
            ("e", "{.e}"),
        ] {
            let placeholder =
                sealwave_secrets::placeholder::PlaceholderText::parse(&format!("<x:y | jsonPath {path}>"))
                    .expect("well formed");
            let modifiers = &placeholder.placeholders().next().expect("one").modifiers;
            let Some(sealwave_secrets::placeholder::Decoder::JsonPath(path)) =
                modifiers.decoders.as_slice().first()
            else {
                panic!("a path")
            };
            let selected = path.select(&whole).expect("a value");
            assert_eq!(document.value(key).expect("a value").expose(), selected.as_bytes(), "{key}");
        }
    }

    #[test]
    fn r04_a_byte_order_mark_is_not_part_of_a_file() {
        for (name, text) in
            [("a.json", "\u{feff}{\"a\": {\"b\": 1.10}}"), ("a.yaml", "\u{feff}a: {b: 1.10}\n")]
        {
            let document = KeyedFile::parse(name, &SecretValue::new(text.into())).expect("well formed");
            assert_eq!(document.value("a.b").expect("a value").expose(), b"1.10", "{name}");
        }
        let placeholder = sealwave_secrets::placeholder::PlaceholderText::parse("<x:y | jsonPath {.a.b}>")
            .expect("well formed");
        let modifiers = &placeholder.placeholders().next().expect("one").modifiers;
        let Some(sealwave_secrets::placeholder::Decoder::JsonPath(path)) =
            modifiers.decoders.as_slice().first()
        else {
            panic!("a path")
        };
        assert_eq!(path.select("\u{feff}{\"a\": {\"b\": 1.10}}").expect("a value").as_bytes(), b"1.10");
    }

    proptest::proptest! {
        #[test]
        fn parsing_never_panics(
            text in "(A|=|:|'|\"|\\\\|\n|\r|#|!| |\t|\\$|export |\\\\u00e4|\\\\uD83D|\\\\uDE00|\u{e4}|\u{1f600}|\\{|\\}|\\[|\\]|,|1){0,25}",
        ) {
            let content = SecretValue::new(text.into_bytes());
            for name in [".env", "a.json", "a.properties", "a.yaml"] {
                if let Ok(document) = KeyedFile::parse(name, &content) {
                    let _ = document.value("A");
                    let _ = document.value("A.A");
                }
            }
        }
    }
}
