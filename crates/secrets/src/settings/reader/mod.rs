//! Reads sealwave's own files: the app file, the operator file and files of `validate --config`.
//!
//! The YAML crate reads a file into its types. Our reader reads it as a tree with positions, once and only when it is
//! needed: to point at something, to explain why a file is not valid, for inline patches, which keep their positions,
//! and for unusual files, which both parsers must read alike ([`dialect`]). It reads those first, because its limits on
//! size, nesting and aliases are stricter.

mod dialect;
mod expectation;
mod trace;
mod tracked;
mod unknown_field;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;

use super::setting_path::{SettingPath, SettingStep};
use dialect::Difference;
use expectation::Expectation;
use sealwave_core::diagnostic::{Explain, Failure, NOT_UTF8, Problem, ProblemPlace};
use sealwave_core::document::{Node, NodeValue, Origin, SourceId, SourceLocation, Sources, WrittenScalars};
use sealwave_core::yaml::{self, Limits, YamlBudget};
use tracked::{PathStep, TrackedError};
use unknown_field::UnknownField;

/// One of sealwave's own files.
#[derive(Clone)]
pub struct SettingsFile<'a> {
    name: String,
    bytes: Cow<'a, [u8]>,
    limits: Limits,
    tree: OnceLock<Arc<Result<SettingsTree, Failure>>>,
}

/// A file as our reader reads it.
struct SettingsTree {
    sources: Sources,
    documents: Vec<Node>,
    written: WrittenScalars,
}

/// A reason why a file is not valid. It never contains a value of the file.
#[derive(Debug, thiserror::Error)]
enum ContentError {
    #[error("key is read as `{read_as}`")]
    AmbiguousKey { read_as: String },
    #[error("value is ambiguous: YAML parsers read it differently")]
    AmbiguousValue,
    /// An error of a conversion that may quote the value.
    #[error("wrong value")]
    Custom,
    #[error("the file holds {0} documents, not one")]
    Documents(usize),
    #[error("duplicate field `{key}`")]
    DuplicateKey { key: String },
    #[error("the file is empty")]
    Empty,
    #[error("`{path}`: {error}")]
    InField { path: String, error: Box<Self> },
    #[error("missing field `{field}`")]
    MissingField { field: &'static str },
    #[error("the file {NOT_UTF8}")]
    NotUtf8,
    #[error("the file cannot be read")]
    NotYaml,
    #[error("value is missing, expected {0}")]
    NoValue(Expectation),
    #[error("unknown field `{}`", .0.field)]
    UnknownField(Box<UnknownField>),
    #[error("unknown value, expected {expected}")]
    UnknownValue { expected: String, closest: Option<&'static str> },
    #[error("wrong type, expected {0}")]
    WrongType(Expectation),
    #[error("wrong value, expected {0}")]
    WrongValue(Expectation),
}

impl Explain for ContentError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::AmbiguousKey { .. } => Some("put the key in quotes".to_owned()),
            Self::AmbiguousValue => Some("put the value in quotes, without tags and merge keys".to_owned()),
            Self::Documents(_) => Some("remove the line `---` and the other document".to_owned()),
            Self::DuplicateKey { .. } => Some("remove one of them".to_owned()),
            Self::Empty => Some("start it with `apiVersion: …` and `kind: …`".to_owned()),
            Self::InField { path, error } => match &**error {
                Self::WrongType(expected) => expected.hint(last_field(path), path.ends_with(']')),
                error => error.hint(),
            },
            Self::MissingField { field } => Some(format!("add `{field}: …`")),
            Self::NotUtf8 => Some("save the file as UTF-8".to_owned()),
            Self::NoValue(_) => Some("write a value, or remove the line".to_owned()),
            Self::NotYaml => Some("write it without tags (`!…`), anchors and merge keys".to_owned()),
            Self::UnknownField(unknown) => Some(unknown.hint().to_owned()),
            Self::UnknownValue { closest, .. } => closest.map(|name| format!("did you mean `{name}`?")),
            Self::Custom | Self::WrongType(_) | Self::WrongValue(_) => None,
        }
    }
}

impl ContentError {
    /// Adds the field to an error about its value, and its unit to the expectation.
    fn in_field(self, path: String) -> Self {
        let field = last_field(&path).to_owned();
        let error = match self {
            Self::NoValue(expected) => Self::NoValue(expected.of_field(&field)),
            Self::WrongType(expected) => Self::WrongType(expected.of_field(&field)),
            Self::WrongValue(expected) => Self::WrongValue(expected.of_field(&field)),
            other => other,
        };
        Self::InField { path, error: Box::new(error) }
    }

    /// Adds the fields of the mapping that is expected.
    fn with_fields(self, fields: Option<&'static [&'static str]>) -> Self {
        match (self, fields) {
            (Self::WrongType(expected), Some(fields)) => Self::WrongType(expected.with_fields(fields)),
            (other, _) => other,
        }
    }

    /// Replaces the error by a missing value if that is the cause.
    fn without_value(self) -> Self {
        match self {
            Self::UnknownValue { expected, .. } => Self::NoValue(Expectation::Text(expected)),
            Self::WrongType(expected) | Self::WrongValue(expected) => Self::NoValue(expected),
            other => other,
        }
    }
}

/// Returns the last field of a path, without indices.
fn last_field(path: &str) -> &str {
    let last = path.rsplit('.').next().unwrap_or(path);
    last.split('[').next().unwrap_or(last)
}

/// Shows the name only: a file may hold a value that does not belong there.
impl fmt::Debug for SettingsFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SettingsFile").field(&self.name).finish()
    }
}

impl<'a> SettingsFile<'a> {
    /// Creates a file from its content; `name` appears in messages.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: impl Into<Cow<'a, [u8]>>, limits: Limits) -> Self {
        Self { name: name.into(), bytes: bytes.into(), limits, tree: OnceLock::new() }
    }

    /// Returns the name of the file in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads the file into a type.
    ///
    /// # Errors
    /// The file is not UTF-8, not YAML, or does not match the type; the error has line and column, but no value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        // Like manifests, the file may start with a byte order mark.
        let bytes = self.bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.bytes);
        let text = std::str::from_utf8(bytes).map_err(|_| self.problem(&ContentError::NotUtf8, (0, 0)))?;
        let is_plain = dialect::is_plain(text);
        if !is_plain {
            self.parsed().map_err(Clone::clone)?;
        }
        let tracked = tracked::parse(text);
        let tracked::TrackedValue { value, trace, has_unclear_scalar } =
            tracked.map_err(|error| self.explain(error))?;
        if !is_plain || has_unclear_scalar {
            let tree = self.parsed().map_err(Clone::clone)?;
            let root = tree.root();
            if let Some(difference) =
                root.and_then(|root| dialect::first_difference(&trace, root, &tree.written))
            {
                let (at, error) = match difference {
                    Difference::Key { at, read_as } => (at, ContentError::AmbiguousKey { read_as }),
                    Difference::Value { at } => (at, ContentError::AmbiguousValue),
                };
                return Err(Failure::from(Problem::at(at, &error)).located(&tree.sources));
            }
        }
        Ok(value)
    }

    /// Returns the documents of the file as trees with positions, for [`Self::location`].
    ///
    /// # Errors
    /// All problems, with line and column.
    pub fn documents(&self) -> Result<&[Node], Failure> {
        self.parsed().map(|tree| tree.documents.as_slice()).map_err(Clone::clone)
    }

    /// Returns the tree of the file with positions in `source`; null if it is not valid.
    #[must_use]
    pub fn tree_in(&self, source: SourceId) -> Node {
        let root = self.root().cloned();
        let mut root = root.unwrap_or_else(|| Node::new(NodeValue::Null, Origin::whole(source)));
        root.set_source(source);
        root
    }

    /// Returns the position of a node of [`Self::documents`].
    #[must_use]
    pub fn location(&self, origin: Origin) -> SourceLocation {
        self.parsed().map_or_else(|_| self.place(0, 0), |tree| tree.sources.location(origin))
    }

    /// Returns the position of a setting, by its keys and the index in its list, or that of the file if it is absent.
    #[must_use]
    pub fn locate_setting(&self, keys: &[&str], item: Option<usize>) -> SourceLocation {
        let parent = keys.split_last().and_then(|(last, parents)| Some((last, self.root()?.at(parents)?)));
        let entry = parent.and_then(|(last, parent)| parent.as_mapping()?.entry(last));
        let origin = entry.map(|entry| {
            let item = item.and_then(|item| entry.value.items().get(item));
            item.map_or(entry.key_origin, |item| item.origin)
        });
        origin.map_or_else(|| self.place(0, 0), |origin| self.location(origin))
    }

    /// Returns the position of a setting. If it is absent, returns that of the closest setting around it.
    #[must_use]
    pub fn locate(&self, path: &SettingPath) -> SourceLocation {
        let (mut node, mut found) = (self.root(), None);
        for step in path.steps() {
            let next = node.and_then(|node| match step {
                SettingStep::Item(index) => node.items().get(*index).map(|item| (item, item.origin)),
                SettingStep::Key(key) => {
                    node.as_mapping()?.entry(key).map(|entry| (&entry.value, entry.key_origin))
                }
            });
            let Some((value, origin)) = next else { break };
            (node, found) = (Some(value), Some(origin));
        }
        found.map_or_else(|| self.place(0, 0), |origin| self.location(origin))
    }

    fn root(&self) -> Option<&Node> {
        self.parsed().ok()?.root()
    }

    fn parsed(&self) -> Result<&SettingsTree, &Failure> {
        let read = || {
            let mut sources = Sources::default();
            let source = sources.add(&self.name);
            let budget = YamlBudget::default();
            match yaml::read_with_texts(&self.bytes, source, &self.limits, &budget) {
                Ok((documents, written)) => Ok(SettingsTree { sources, documents, written }),
                Err(failure) => Err(failure.located(&sources)),
            }
        };
        self.tree.get_or_init(|| Arc::new(read())).as_ref().as_ref()
    }

    /// Returns the problem of a file that the YAML crate cannot read into its type.
    fn explain(&self, error: TrackedError) -> Failure {
        let TrackedError { content, path, place } = error;
        let tree = match self.parsed() {
            Ok(tree) => tree,
            // Our reader explains better what is not YAML.
            Err(unreadable) => return unreadable.clone(),
        };
        match tree.documents.as_slice() {
            [] => return self.problem(&ContentError::Empty, (0, 0)),
            [_] => {}
            [_, second, ..] => {
                let error = ContentError::Documents(tree.documents.len());
                return Failure::from(Problem::at(second.display_origin(), &error)).located(&tree.sources);
            }
        }
        let found = tree.root().and_then(|root| find_value(root, &path));
        let content = match found {
            Some((node, _)) if node.value == NodeValue::Null => content.without_value(),
            _ => content,
        };
        let origin = found.map(|(node, origin)| match &content {
            ContentError::UnknownField(unknown) => {
                let entry = node.as_mapping().and_then(|mapping| mapping.entry(&unknown.field));
                entry.map_or(origin, |entry| entry.key_origin)
            }
            _ => origin,
        });
        let content = match tracked::display_path(&path) {
            Some(path) => content.in_field(path),
            None => content,
        };
        match origin {
            Some(origin) => Failure::from(Problem::at(origin, &content)).located(&tree.sources),
            None => self.problem(&content, place),
        }
    }

    fn problem(&self, error: &ContentError, (line, column): (usize, usize)) -> Failure {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let at = ProblemPlace::Place(self.place(number(line), number(column)));
        Problem { at, ..Problem::new(error) }.into()
    }

    fn place(&self, line: u32, column: u32) -> SourceLocation {
        SourceLocation { path: self.name.clone(), line, column, rendered: None }
    }
}

/// Returns the value at a path, and its position.
fn find_value<'n>(root: &'n Node, path: &[PathStep]) -> Option<(&'n Node, Origin)> {
    path.iter().try_fold((root, root.display_origin()), |(node, _), step| {
        let (value, origin) = match step {
            PathStep::Item(index) => node.items().get(*index).map(|item| (item, item.origin))?,
            PathStep::Key(key) => {
                let entry = node.as_mapping()?.entry(key)?;
                // A missing value has no position of its own.
                let is_null = entry.value.value == NodeValue::Null;
                (&entry.value, if is_null { entry.key_origin } else { entry.value.origin })
            }
        };
        Some((value, origin))
    })
}

impl SettingsTree {
    fn root(&self) -> Option<&Node> {
        self.documents.first()
    }
}

/// Reads one of sealwave's own files; `name` appears in messages.
///
/// # Errors
/// See [`SettingsFile::read`].
pub fn read_config<T: DeserializeOwned>(bytes: &[u8], name: &str) -> Result<T, Failure> {
    SettingsFile::new(name, bytes, Limits::default()).read()
}

#[cfg(test)]
mod dialect_fuzz;

#[cfg(test)]
mod dialect_tests;

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
        #[serde(default)]
        #[expect(dead_code, reason = "only read by serde")]
        names: std::collections::BTreeMap<String, bool>,
        #[serde(default)]
        #[expect(dead_code, reason = "only read by serde")]
        color: Option<ExampleColor>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum ExampleColor {
        Blue,
        Red,
    }

    fn file(text: &str) -> SettingsFile<'_> {
        SettingsFile::new("x.yaml", text.as_bytes(), Limits::default())
    }

    fn problem(text: &str) -> String {
        file(text).read::<ExampleConfig>().unwrap_err().to_string()
    }

    #[test]
    fn errors_name_fields_and_places_but_no_values() {
        for (text, expected) in [
            ("count: 1\ncuont: 2\n", "x.yaml:2:1: unknown field `cuont`"),
            ("count: hunter2\n", "x.yaml:1:8: `count`: wrong type, expected a whole number"),
            (
                "count: 1\ninner: {count: hunter2}\n",
                "x.yaml:2:16: `inner.count`: wrong type, expected a whole number",
            ),
            (
                "count: 1\ninner:\n  count: -1\n",
                "x.yaml:3:10: `inner.count`: wrong type, expected a whole number",
            ),
            ("{}", "x.yaml:1:1: missing field `count`"),
            (
                "count: 1\nnames: {a: hunter2}\n",
                "x.yaml:2:12: `names.a`: wrong type, expected `true` or `false`, without quotes",
            ),
            ("count: 1\ncolor: hunter2\n", "x.yaml:2:8: `color`: unknown value, expected `blue` or `red`"),
            ("count: 1\ncolor: {a: b}\n", "x.yaml:2:8: `color`: wrong type, expected `blue` or `red`"),
            ("[]", "x.yaml:1:1: wrong type, expected a mapping with `count`, `inner`, `names`, `color`"),
            ("count: 5000000000\n", "x.yaml:1:8: `count`: wrong value, expected a whole number"),
        ] {
            assert_eq!(problem(text).lines().next(), Some(expected), "{text}");
        }
        for text in ["count: 'hunter2\n", "count: 1\ncolor: [red\nx: hunter2", "\thunter2: 1"] {
            assert!(!problem(text).contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn debug_output_has_no_content() {
        let file = file("count: 1\ncolor: hunter2\n");
        let tree = file.documents().map(<[Node]>::len).ok();
        assert_eq!((format!("{file:?}").as_str(), tree), (r#"SettingsFile("x.yaml")"#, Some(1)));
    }

    #[test]
    fn hints_say_what_to_write() {
        let hint = |text: &str| file(text).read::<ExampleConfig>().unwrap_err().problems()[0].hint.clone();
        for (text, expected) in [
            ("count: 1\ncuont: 2\n", "did you mean `count`?"),
            ("count: 1\ninner: {count: 1, colr: red}\n", "did you mean `color`?"),
            ("count: 1\nxyz: 2\n", "known fields: `count`, `inner`, `names`, `color`"),
            ("count: 1\ncolor: Red\n", "did you mean `red`?"),
            ("count: 50s\n", "write the digits only, without a unit and without quotes"),
            ("count: 1\nnames: [a]\n", "write `names: {NAME: …}`, or `NAME: …` on an indented line"),
            ("count: 1\ninner: x\n", "write `inner: {count: …}`, or `count: …` on an indented line"),
            ("{}", "add `count: …`"),
        ] {
            assert_eq!(hint(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(hint("count: 'unknown field'\n").as_deref(), hint("count: x\n").as_deref());
    }

    #[test]
    fn missing_values_are_told_from_wrong_ones() {
        for (text, expected) in [
            ("count:\n", "x.yaml:1:1: `count`: value is missing, expected a whole number"),
            (
                "count: 1\nnames:\n  a: ~\n",
                "x.yaml:3:3: `names.a`: value is missing, expected `true` or `false`",
            ),
        ] {
            assert!(problem(text).starts_with(expected), "{}", problem(text));
        }
    }

    #[test]
    fn no_mapping_has_a_key_twice() {
        for text in ["count: 1\ncount: 2\n", "count: 1\nnames:\n  a: true\n  a: true\n"] {
            assert!(problem(text).contains("is already defined on line"), "{}", problem(text));
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert!(file("\u{feff}count: 1\n").read::<ExampleConfig>().is_ok());
    }

    #[test]
    fn our_reader_reads_only_what_is_unusual_or_asked_for() {
        let plain = file("count: 1\nnames: {a: true}\n");
        assert!(plain.read::<ExampleConfig>().is_ok() && plain.tree.get().is_none());
        assert_eq!(plain.locate_setting(&["names", "a"], None).to_string(), "x.yaml:2:9");
        assert!(plain.tree.get().is_some());
        let unusual = file("count: &a 1\n");
        assert!(unusual.read::<ExampleConfig>().is_ok() && unusual.tree.get().is_some());
    }

    #[test]
    fn a_setting_is_found_by_its_keys() {
        let file = file("a:\n  b: [x, y]\n");
        let place = |keys: &[&str], item| file.locate_setting(keys, item).to_string();
        assert_eq!(place(&["a", "b"], None), "x.yaml:2:3");
        assert_eq!(place(&["a", "b"], Some(1)), "x.yaml:2:10");
        assert_eq!(place(&["a", "c"], Some(1)), "x.yaml");
    }

    #[test]
    fn a_path_leads_to_a_setting_or_to_the_closest_one_around_it() {
        let file = file("a:\n- b: [x, y]\n  c: 1\n");
        let place = |path: SettingPath| file.locate(&path).to_string();
        let item = SettingPath::of_keys(&["a"]).item(0);
        assert_eq!(place(item.clone()), "x.yaml:2:3");
        assert_eq!(place(item.clone().key("b").item(1)), "x.yaml:2:10");
        assert_eq!(place(item.clone().key("b").item(7)), "x.yaml:2:3");
        assert_eq!(place(item.key("c").item(0)), "x.yaml:3:3");
        assert_eq!(place(SettingPath::of_keys(&["z"])), "x.yaml");
        assert_eq!(place(SettingPath::default()), "x.yaml");
    }
}
