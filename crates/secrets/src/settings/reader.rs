//! Reads sealwave's own files (`sealwave.yaml`, the operator file) into types with the plain YAML crate.
//!
//! The crate's error messages quote the input; only the part that describes the expectation leaves this file.

use serde::de::DeserializeOwned;

use crate::settings::ObjectPatternError;
use sealwave_core::diagnostic::{Explain, Failure, NOT_UTF8, Problem, ProblemPlace};
use sealwave_core::document::{Origin, SourceLocation, Sources};
use sealwave_core::time::InvalidDate;

/// The reason why a configuration file is not valid.
#[derive(Debug, thiserror::Error)]
enum ConfigFileError {
    #[error("{0}")]
    Content(String),
    #[error("the file {NOT_UTF8}")]
    NotUtf8,
}

impl Explain for ConfigFileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Content(message) if message.starts_with("unknown field") => {
                Some("unknown fields are errors, to catch misspelled ones".to_owned())
            }
            Self::Content(_) | Self::NotUtf8 => None,
        }
    }
}

/// Reads one of sealwave's own files; `name` appears in messages.
///
/// # Errors
/// The file is not UTF-8, not YAML, or does not match the type; the error has line and column, but no value.
pub fn read_config<T: DeserializeOwned>(bytes: &[u8], name: &str) -> Result<T, Failure> {
    let at = |line: usize, column: usize| {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        ProblemPlace::Place(SourceLocation {
            path: name.to_owned(),
            line: number(line),
            column: number(column),
            rendered: None,
        })
    };
    // Like manifests, the file may start with a byte order mark.
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Problem { at: at(0, 0), ..Problem::new(&ConfigFileError::NotUtf8) })?;
    yaml_serde::from_str(text).map_err(|error| {
        let place = error.location().map_or_else(|| at(0, 0), |found| at(found.line(), found.column()));
        let error = ConfigFileError::Content(without_values(&error.to_string()));
        Problem { at: place, ..Problem::new(&error) }.into()
    })
}

/// Returns the position of a setting, by its keys and the index in its list, or that of the file if it is absent.
#[must_use]
pub fn locate_setting(bytes: &[u8], name: &str, keys: &[&str], item: Option<usize>) -> SourceLocation {
    let mut sources = Sources::default();
    let source = sources.add(name);
    let tree =
        sealwave_core::yaml::read(bytes, source, &sealwave_core::yaml::Limits::default()).unwrap_or_default();
    let parent = keys.split_last().and_then(|(last, parents)| Some((last, tree.first()?.at(parents)?)));
    let entry = parent.and_then(|(last, parent)| parent.as_mapping()?.entry(last));
    let origin = entry.map(|entry| {
        let item = item.and_then(|item| entry.value.items().get(item));
        item.map_or(entry.key_origin, |item| item.origin)
    });
    sources.location(origin.unwrap_or(Origin::whole(source)))
}

/// Keeps field names and types of serde's message, and removes quoted values.
fn without_values(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    let (path, rest) = match message.split_once(": ") {
        Some((path, rest)) if is_path(path) => (Some(path), rest),
        _ => (None, message),
    };
    let text = if rest.starts_with("invalid type: ") || rest.starts_with("invalid value: ") {
        let what = if rest.starts_with("invalid type: ") { "wrong type" } else { "wrong value" };
        rest.rsplit_once(", expected ")
            .map_or(what.to_owned(), |(_, expected)| format!("{what}, expected {expected}"))
    } else if rest.starts_with("unknown variant ") || rest.starts_with("invalid length ") {
        rest.rsplit_once(", expected ")
            .map_or("unknown value".to_owned(), |(_, expected)| format!("unknown value, expected {expected}"))
    } else if ["unknown field ", "missing field ", "duplicate field ", "duplicate entry "]
        .iter()
        .any(|known| rest.starts_with(known))
    {
        rest.to_owned()
    } else if let Some(known) =
        [ObjectPatternError::Secret, ObjectPatternError::Shape].iter().find(|known| rest == known.to_string())
    {
        known.to_string()
    } else if rest == InvalidDate.to_string() {
        format!("not a date, {rest}")
    } else {
        "the file is not valid YAML".to_owned()
    };
    path.map_or_else(|| text.clone(), |path| format!("`{path}`: {text}"))
}

fn is_path(text: &str) -> bool {
    !text.is_empty()
        && !["invalid type", "invalid value", "invalid length"].contains(&text)
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-[]*".contains(c))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct ExampleConfig {
        #[expect(dead_code, reason = "only read by serde")]
        count: u32,
        #[serde(default)]
        #[expect(dead_code, reason = "only read by serde")]
        inner: Option<Box<Self>>,
    }

    fn problem(text: &str) -> String {
        read_config::<ExampleConfig>(text.as_bytes(), "x.yaml").unwrap_err().to_string()
    }

    #[test]
    fn names_fields_and_places_but_no_values() {
        assert_eq!(
            problem("count: 1\ncuont: 2\n"),
            "x.yaml:2:1: unknown field `cuont`, expected `count` or `inner`"
        );
        let text = problem("count: hunter2\n");
        assert!(text.contains("expected u32") && !text.contains("hunter2"), "{text}");
        let text = problem("count: 1\ninner: {count: hunter2}\n");
        assert!(
            text.contains("inner") && text.contains("expected u32") && !text.contains("hunter2"),
            "{text}"
        );
        assert!(!problem("count: 'hunter2\n").contains("hunter2"));
        assert!(problem("{}").contains("missing field `count`"));
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert!(read_config::<ExampleConfig>("\u{feff}count: 1\n".as_bytes(), "x.yaml").is_ok());
    }

    #[test]
    fn a_setting_is_found_by_its_keys() {
        let place =
            |keys: &[&str], item| locate_setting(b"a:\n  b: [x, y]\n", "x.yaml", keys, item).to_string();
        assert_eq!(place(&["a", "b"], None), "x.yaml:2:3");
        assert_eq!(place(&["a", "b"], Some(1)), "x.yaml:2:10");
        assert_eq!(place(&["a", "c"], Some(1)), "x.yaml");
    }
}
