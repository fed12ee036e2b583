//! Parses a file into a tree of encrypted values and its `sops` section. As in `sops`, the file's name selects the format:
//! `*.yaml`, `*.yml`, `*.json`, `*.env`, `*.ini`; everything else is binary, stored in JSON.

use super::error::{SopsError, at_line};
use super::ini;
use sealwave_core::diagnostic::{DUPLICATE_KEY, NOT_UTF8};
use sealwave_core::document::{Mapping, MappingBuilder, MappingEntry, Node, NodeValue, Origin, Sources};
use sealwave_core::yaml::{self, MergeKeys, PlainScalars, VerbatimDocument, VerbatimError};

/// The key of the metadata.
const METADATA: &str = "sops";

/// The most metadata names in flat formats; more is an attack.
const MAX_FLAT: usize = 2000;

/// The deepest metadata in flat formats.
const MAX_FLAT_DEPTH: usize = 8;

/// The format of a decrypted file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SopsFormat {
    Binary,
    Dotenv,
    Ini,
    Json,
    Yaml,
}

/// A parsed file that is still encrypted.
pub(super) struct EncryptedFile {
    pub(super) format: SopsFormat,
    /// Nulls and strings in mappings and lists. Sections of an `.ini` file may have the same name.
    pub(super) data: Vec<MappingEntry>,
    pub(super) metadata: Node,
    /// The scalars and keys without quotes, which may be numbers and the like.
    pub(super) plain: PlainScalars,
}

impl SopsFormat {
    pub(super) fn from_path(path: &str) -> Self {
        match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("env") => Self::Dotenv,
            Some("ini") => Self::Ini,
            Some("json") => Self::Json,
            Some("yaml" | "yml") => Self::Yaml,
            _ => Self::Binary,
        }
    }
}

pub(super) fn parse(path: &str, bytes: &[u8]) -> Result<EncryptedFile, SopsError> {
    let format = SopsFormat::from_path(path);
    if format == SopsFormat::Binary && std::str::from_utf8(bytes).is_err() {
        // An unencrypted key or image is not JSON.
        return Err(SopsError::NotEncrypted);
    }
    let text = text(bytes)?;
    let (data, metadata, plain) = match format {
        SopsFormat::Binary => tree(yaml::read_verbatim_json(text)).map_err(|error| match error {
            SopsError::Syntax(_) => SopsError::NotEncrypted,
            error => error,
        })?,
        SopsFormat::Json => tree(yaml::read_verbatim_json(text))?,
        // Merge keys are ordinary keys to SOPS, and values are bound to them.
        SopsFormat::Yaml => tree(yaml::read_verbatim(text, MergeKeys::Keep))?,
        SopsFormat::Dotenv => flat(dotenv(text)?),
        SopsFormat::Ini => flat(ini(text)?),
    };
    Ok(EncryptedFile { format, data, metadata, plain })
}

fn flat((data, metadata): (Vec<MappingEntry>, Node)) -> (Vec<MappingEntry>, Node, PlainScalars) {
    (data, metadata, PlainScalars::default())
}

fn text(bytes: &[u8]) -> Result<&str, SopsError> {
    std::str::from_utf8(bytes).map_err(|_| SopsError::Syntax(format!("it {NOT_UTF8}")))
}

/// Separates the metadata from a YAML or JSON document.
fn tree(
    document: Result<VerbatimDocument, VerbatimError>,
) -> Result<(Vec<MappingEntry>, Node, PlainScalars), SopsError> {
    let document = document.map_err(|why| match why {
        VerbatimError::Duplicate(line) => at_line(line as usize, DUPLICATE_KEY),
        VerbatimError::Empty => SopsError::NotEncrypted,
        VerbatimError::Malformed(line) => at_line(line as usize, "it is not well-formed YAML or JSON"),
        VerbatimError::Several => SopsError::SeveralDocuments,
    })?;
    let (mut root, plain) = document.into_parts();
    let mut data = std::mem::take(root.as_mapping_mut().ok_or(SopsError::NotEncrypted)?);
    let metadata = data.remove(METADATA).ok_or(SopsError::NotEncrypted)?;
    Ok((data.into_entries(), metadata, plain))
}

/// Parses one `NAME=value` per line; nothing is trimmed or unquoted, and `\n` is a newline.
fn dotenv(text: &str) -> Result<(Vec<MappingEntry>, Node), SopsError> {
    let mut data = MappingBuilder::default();
    let mut metadata = Vec::new();
    for (number, line) in (1_usize..).zip(text.split('\n')) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| at_line(number, "a line has no `=`"))?;
        let value = value.replace("\\n", "\n");
        match name.strip_prefix("sops_") {
            Some(name) => metadata.push((name, value)),
            None => {
                if data.set(entry(name, NodeValue::String(value.into()))).is_some() {
                    return Err(at_line(number, DUPLICATE_KEY));
                }
            }
        }
    }
    Ok((data.finish().into_entries(), unflatten(&metadata)?))
}

/// Parses each section to a mapping, in order.
fn ini(text: &str) -> Result<(Vec<MappingEntry>, Node), SopsError> {
    let mut metadata = Vec::new();
    let mut data = Vec::new();
    let sections = ini::parse(text)?;
    for section in &sections {
        if section.name == METADATA {
            let entries = section.entries.iter();
            metadata.extend(entries.map(|(name, value)| (name.as_str(), value.replace("\\n", "\n"))));
            continue;
        }
        let values =
            section.entries.iter().map(|(name, value)| entry(name, NodeValue::String(value.as_str().into())));
        data.push(entry(&section.name, NodeValue::Mapping(values.collect())));
    }
    Ok((data, unflatten(&metadata)?))
}

fn entry(name: &str, value: NodeValue) -> MappingEntry {
    let origin = nowhere();
    MappingEntry { key: name.into(), key_origin: origin, value: Node::new(value, origin) }
}

fn nowhere() -> Origin {
    Origin::whole(Sources::default().add(""))
}

/// Builds a tree from names like `age__list_0__map_recipient`. Lists become mappings with numbers as keys.
fn unflatten(pairs: &[(&str, String)]) -> Result<Node, SopsError> {
    if pairs.is_empty() {
        return Err(SopsError::NotEncrypted);
    }
    if pairs.len() > MAX_FLAT {
        return Err(SopsError::Metadata("it has too many keys"));
    }
    let origin = nowhere();
    let mut root = Node::new(NodeValue::Mapping(Mapping::default()), origin);
    for (name, value) in pairs {
        let name = name.replace("__list_", "__map_");
        let path: Vec<&str> = name.split("__map_").collect();
        let placed = match path.split_last() {
            Some((last, parents)) if parents.len() < MAX_FLAT_DEPTH => root
                .mapping_at_mut(parents)
                .filter(|mapping| mapping.get(last).is_none())
                .map(|mapping| mapping.insert(*last, origin, Node::string(value.as_str(), origin))),
            _ => None,
        };
        placed.ok_or(SopsError::Metadata("its names are inconsistent"))?;
    }
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_name_selects_the_format() {
        for (path, format) in [
            ("a.yaml", SopsFormat::Yaml),
            ("x/a.enc.yml", SopsFormat::Yaml),
            ("a.json", SopsFormat::Json),
            (".env", SopsFormat::Dotenv),
            ("prod.env", SopsFormat::Dotenv),
            ("a.ini", SopsFormat::Ini),
            ("key.pem", SopsFormat::Binary),
            ("key", SopsFormat::Binary),
        ] {
            assert_eq!(SopsFormat::from_path(path), format, "{path}");
        }
    }

    #[test]
    fn files_without_metadata_are_not_encrypted() {
        for (path, text) in [
            ("a.yaml", "a: CANARY\n"),
            ("a.yaml", ""),
            ("a.yaml", "- CANARY"),
            ("a.json", "{}"),
            ("a.env", "A=CANARY\n"),
            ("a.ini", "[a]\nb=CANARY\n"),
            ("a.pem", "-----BEGIN CANARY-----"),
            ("a.bin", "\u{0}{CANARY"),
        ] {
            assert_eq!(parse(path, text.as_bytes()).err(), Some(SopsError::NotEncrypted), "{path} {text}");
        }
    }

    #[test]
    fn syntax_errors_name_the_line() {
        for (path, text) in [
            ("a.yaml", "a: 1\na: CANARY\n"),
            ("a.yaml", "a: [CANARY\n"),
            ("a.json", "{\"a\": CANARY}"),
            ("a.env", "A=1\nCANARY\n"),
            ("a.env", "A=1\nA=CANARY\n"),
            ("a.ini", "[a]\nCANARY\n"),
            ("a.ini", "[a]\nb=1\n[a]\nb=2\n"),
        ] {
            let error = parse(path, text.as_bytes()).err().expect(text);
            assert!(matches!(error, SopsError::Syntax(_)), "{text}: {error}");
            assert!(!error.to_string().contains("CANARY"), "{error}");
        }
        assert!(matches!(parse("a.env", b"\xff").err(), Some(SopsError::Syntax(_))));
        assert_eq!(parse("a.yaml", b"a: 1\n---\nb: 1\n").err(), Some(SopsError::SeveralDocuments));
    }

    proptest::proptest! {
        #[test]
        fn parsing_never_panics(
            text in "(sops|_|age|mac|__map_|__list_|0|99999999999999999999|=|\n|\\[|\\]|\\{|\\}|:| |\"|,|#|;|&a|\\*a|\\\\n){0,40}",
        ) {
            for path in ["a.yaml", "a.json", "a.env", "a.ini", "a"] {
                if let Ok(parsed) = parse(path, text.as_bytes()) {
                    let _ = super::super::metadata::SopsMetadata::read(&parsed.metadata);
                }
            }
        }
    }
}
