//! From bytes to a tree of encrypted values and the `sops` part beside it, by the file's name as `sops` itself does it:
//! `*.yaml`, `*.yml`, `*.json`, `*.env`, `*.ini`; everything else is binary, held in JSON.

use std::collections::BTreeSet;

use super::error::SopsError;
use crate::diagnostic::At;
use crate::model::{Entry, Mapping, Node, Origin, Sources, Value};
use crate::yaml;

/// Key of the metadata.
const METADATA: &str = "sops";

/// Names of metadata in flat formats; more is an attack.
const MAX_FLAT: usize = 2000;

/// Levels of metadata in flat formats.
const MAX_FLAT_DEPTH: usize = 8;

/// What a file holds once it is decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Binary,
    Dotenv,
    Ini,
    Json,
    Yaml,
}

/// A file taken apart, still encrypted.
pub(super) struct Parsed {
    pub(super) format: Format,
    pub(super) data: Mapping,
    pub(super) metadata: Node,
}

impl Format {
    pub(super) fn of(path: &str) -> Self {
        match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("env") => Self::Dotenv,
            Some("ini") => Self::Ini,
            Some("json") => Self::Json,
            Some("yaml" | "yml") => Self::Yaml,
            _ => Self::Binary,
        }
    }
}

pub(super) fn parse(path: &str, bytes: &[u8]) -> Result<Parsed, SopsError> {
    let format = Format::of(path);
    let (data, metadata) = match format {
        Format::Binary => tree(bytes).map_err(|error| match error {
            // A key or a picture that nobody encrypted is no JSON.
            SopsError::Syntax(_) => SopsError::NotEncrypted,
            error => error,
        })?,
        Format::Json | Format::Yaml => tree(bytes)?,
        Format::Dotenv => dotenv(text(bytes)?)?,
        Format::Ini => ini(text(bytes)?)?,
    };
    Ok(Parsed { format, data, metadata })
}

fn text(bytes: &[u8]) -> Result<&str, SopsError> {
    std::str::from_utf8(bytes).map_err(|_| SopsError::Syntax("it is not UTF-8".to_owned()))
}

/// YAML and JSON; the reader tells them apart.
fn tree(bytes: &[u8]) -> Result<(Mapping, Node), SopsError> {
    let source = Sources::default().add("");
    let mut documents = yaml::read(bytes, source, &yaml::Limits::default()).map_err(|failure| {
        let line = failure.problems().iter().find_map(|problem| match problem.at {
            At::Origin(origin) => Some(origin.line as usize),
            _ => None,
        });
        at_line(line.unwrap_or(0), "it is not well formed, or gives a key twice")
    })?;
    let document = match (documents.pop(), documents.is_empty()) {
        (Some(document), true) => document,
        (None, _) => return Err(SopsError::NotEncrypted),
        (Some(_), false) => return Err(SopsError::Syntax("it holds several documents".to_owned())),
    };
    let Value::Mapping(mut data) = document.value else { return Err(SopsError::NotEncrypted) };
    let metadata = data.remove(METADATA).ok_or(SopsError::NotEncrypted)?;
    Ok((data, metadata))
}

fn at_line(line: usize, why: &str) -> SopsError {
    SopsError::Syntax(if line == 0 { why.to_owned() } else { format!("{why} (line {line})") })
}

/// `NAME=value` by line; nothing is trimmed or unquoted, and `\n` is a newline.
fn dotenv(text: &str) -> Result<(Mapping, Node), SopsError> {
    let mut data = Collector::default();
    let mut metadata = Vec::new();
    for (number, line) in (1_usize..).zip(text.split('\n')) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| at_line(number, "a line has no `=`"))?;
        let value = value.replace("\\n", "\n");
        match name.strip_prefix("sops_") {
            Some(name) => metadata.push((name, value)),
            None => data.add(name, Value::String(value.into()), number)?,
        }
    }
    Ok((data.mapping, unflatten(&metadata)?))
}

/// Sections of `name = value`; what stands before the first one is in `DEFAULT`.
fn ini(text: &str) -> Result<(Mapping, Node), SopsError> {
    let mut metadata = Vec::new();
    let mut sections = Collector::default();
    let mut open = ("DEFAULT", Collector::default());
    for (number, line) in (1_usize..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let (closed, entries) = std::mem::replace(&mut open, (name.trim(), Collector::default()));
            sections.add_section(closed, entries, number)?;
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| at_line(number, "a line has no `=`"))?;
        let (name, value) = (name.trim(), ini_value(value.trim(), number)?);
        if open.0 == METADATA {
            metadata.push((name, value.replace("\\n", "\n")));
        } else {
            open.1.add(name, Value::String(value.into()), number)?;
        }
    }
    sections.add_section(open.0, open.1, 0)?;
    Ok((sections.mapping, unflatten(&metadata)?))
}

/// Encrypted values hold nothing special. In the clear, quotes and comments are read in too many ways to guess one.
fn ini_value(value: &str, number: usize) -> Result<&str, SopsError> {
    let special = value.starts_with(['"', '\'', '`'])
        || value.ends_with('\\')
        || [" #", " ;", "\t#", "\t;"].iter().any(|comment| value.contains(comment));
    if special {
        Err(at_line(number, "a value has quotes, a comment or a line behind it"))
    } else {
        Ok(value)
    }
}

/// A mapping whose keys are each given once.
#[derive(Default)]
struct Collector {
    mapping: Mapping,
    seen: BTreeSet<String>,
}

impl Collector {
    fn add(&mut self, name: &str, value: Value, number: usize) -> Result<(), SopsError> {
        if !self.seen.insert(name.to_owned()) {
            return Err(at_line(number, "a key is given twice"));
        }
        let origin = nowhere();
        self.mapping.push_new(Entry {
            key: name.into(),
            key_origin: origin,
            value: Node::new(value, origin),
        });
        Ok(())
    }

    fn add_section(&mut self, name: &str, entries: Self, number: usize) -> Result<(), SopsError> {
        if name == METADATA { Ok(()) } else { self.add(name, Value::Mapping(entries.mapping), number) }
    }
}

fn nowhere() -> Origin {
    Origin::whole(Sources::default().add(""))
}

/// Makes a tree of names like `age__list_0__map_recipient`. Lists become mappings with the numbers as keys.
fn unflatten(pairs: &[(&str, String)]) -> Result<Node, SopsError> {
    if pairs.is_empty() {
        return Err(SopsError::NotEncrypted);
    }
    if pairs.len() > MAX_FLAT {
        return Err(SopsError::Metadata("it names too many keys"));
    }
    let origin = nowhere();
    let mut root = Node::new(Value::Mapping(Mapping::default()), origin);
    for (name, value) in pairs {
        let name = name.replace("__list_", "__map_");
        let path: Vec<&str> = name.split("__map_").collect();
        let placed = match path.split_last() {
            Some((last, way)) if way.len() < MAX_FLAT_DEPTH => root
                .mapping_at_mut(way)
                .filter(|mapping| mapping.get(last).is_none())
                .map(|mapping| mapping.insert(*last, origin, Node::string(value.as_str(), origin))),
            _ => None,
        };
        placed.ok_or(SopsError::Metadata("its names do not fit together"))?;
    }
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_format() {
        for (path, format) in [
            ("a.yaml", Format::Yaml),
            ("x/a.enc.yml", Format::Yaml),
            ("a.json", Format::Json),
            (".env", Format::Dotenv),
            ("prod.env", Format::Dotenv),
            ("a.ini", Format::Ini),
            ("key.pem", Format::Binary),
            ("key", Format::Binary),
        ] {
            assert_eq!(Format::of(path), format, "{path}");
        }
    }

    #[test]
    fn what_has_no_metadata_is_not_encrypted() {
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
    fn broken_files_are_named_by_line() {
        for (path, text) in [
            ("a.yaml", "a: 1\na: CANARY\n"),
            ("a.yaml", "a: [CANARY\n"),
            ("a.yaml", "a: 1\n---\nb: 1\n"),
            ("a.json", "{\"a\": CANARY}"),
            ("a.env", "A=1\nCANARY\n"),
            ("a.env", "A=1\nA=CANARY\n"),
            ("a.ini", "[a]\nCANARY\n"),
            ("a.ini", "[a]\nb=\"CANARY\"\n"),
            ("a.ini", "[a]\nb=1\n[a]\nb=2\n"),
        ] {
            let error = parse(path, text.as_bytes()).err().expect(text);
            assert!(matches!(error, SopsError::Syntax(_)), "{text}: {error}");
            assert!(!error.to_string().contains("CANARY"), "{error}");
        }
        assert!(matches!(parse("a.env", b"\xff").err(), Some(SopsError::Syntax(_))));
    }

    proptest::proptest! {
        #[test]
        fn no_file_panics(
            text in "(sops|_|age|mac|__map_|__list_|0|99999999999999999999|=|\n|\\[|\\]|\\{|\\}|:| |\"|,|#|;|&a|\\*a|\\\\n){0,40}",
        ) {
            for path in ["a.yaml", "a.json", "a.env", "a.ini", "a"] {
                if let Ok(parsed) = parse(path, text.as_bytes()) {
                    let _ = super::super::metadata::Metadata::read(&parsed.metadata);
                }
            }
        }
    }
}
