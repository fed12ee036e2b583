//! `sealwave.dev/string-data-from` on a Secret: all keys of other secrets become its items. Pure.
//!
//! ```yaml
//! sealwave.dev/string-data-from: <vault:secret/shop/db>
//! sealwave.dev/string-data-from: |
//!   - from: <vault:secret/shop/db>
//!     include: ["DB_*"]
//!     exclude: ["*_OLD"]
//!     prefix: APP_
//!   - <sops:secrets/mail.enc.yaml>
//! ```
//!
//! The annotation is removed from every object, since nothing reads it in the cluster. It applies to Secrets only, and
//! a similar name is an error: otherwise the Secret would lack its items without a report.

use super::compat::take_annotations;
use super::problem::printable_key;
use sealwave_core::diagnostic::{Explain, Note, Problem, ProblemPlace};
use sealwave_core::document::{Manifest, MappingEntry, Node, NodeValue, Origin, Sources};
use sealwave_core::names::{self, MAX_ITEM_KEY, is_item_key};
use sealwave_core::text::{closest_name, quoted_list};
use sealwave_core::yaml::{self, Limits};
use sealwave_secrets::placeholder::{KeyPatterns, KeySource, PlaceholderText, SecretReference, TextPart};

/// The maximum size of the annotation's value in bytes.
const MAX_BYTES: usize = 16 << 10;
/// The maximum number of secrets in one annotation.
const MAX_SOURCES: usize = 20;
/// The maximum number of patterns in one annotation.
const MAX_PATTERNS: usize = 64;
/// The maximum number of patterns in all annotations of a run. Compiling a pattern costs far more than writing it.
pub(super) const MAX_PATTERNS_IN_ALL: usize = 2_000;

/// The annotations that sealwave reads.
const READ: [&str; 2] = [names::LITERAL, names::STRING_DATA_FROM];
const FIELDS: [&str; 4] = ["exclude", "from", "include", "prefix"];
const BOUNDS: Limits = Limits {
    alias_bytes: 0,
    alias_nodes: 0,
    depth: 4,
    document_bytes: MAX_BYTES + 4,
    document_nodes: 500,
    duplicate_keys: yaml::DuplicateKeys::Refuse,
    stream_bytes: MAX_BYTES + 4,
};

/// Removes the annotation from an object and returns the secrets that it names.
pub(super) fn take_key_sources(
    object: &mut Manifest,
    patterns_left: &mut usize,
    notes: &mut Vec<Note>,
    problems: &mut Vec<Problem>,
) -> Vec<KeySource> {
    report_misplaced(object, notes, problems);
    let taken = take_annotations(object, |entry| entry.key == names::STRING_DATA_FROM);
    let Some(entry) = taken.into_iter().next() else { return Vec::new() };
    if !object.is_secret() {
        problems.push(Problem::at(entry.key_origin, &AnnotationError::NotASecret(object.id().to_string())));
        return Vec::new();
    }
    parse(&entry.value, patterns_left).unwrap_or_else(|error| {
        problems.push(Problem::at(entry.value.origin, &error));
        Vec::new()
    })
}

/// Reports annotations with names similar to those that sealwave reads, and labels of the same name. Warns about other
/// unread annotations in sealwave's domain on a Secret.
fn report_misplaced(object: &Manifest, notes: &mut Vec<Note>, problems: &mut Vec<Problem>) {
    let annotations = object.annotations().map_or(&[][..], |all| all.entries());
    if object.is_secret() {
        let unread = annotations.iter().filter(|entry| is_unread(&entry.key)).map(|entry| {
            Note::warning(Problem::at(entry.key_origin, &AnnotationError::Unread(printable_key(&entry.key))))
        });
        notes.extend(unread);
    }
    let errors = annotations.iter().filter_map(|entry| {
        Some((
            entry.key_origin,
            AnnotationError::Misspelled(printable_key(&entry.key), similar_annotation(&entry.key)?),
        ))
    });
    let label = object.labels().and_then(|labels| labels.entry(names::STRING_DATA_FROM));
    let label = label.map(|entry| (entry.key_origin, AnnotationError::Label));
    problems.extend(errors.chain(label).map(|(origin, error)| Problem::at(origin, &error)));
}

/// Returns the annotation to which a name is similar: with another case, other separators, or a typo.
fn similar_annotation(name: &str) -> Option<&'static str> {
    if READ.contains(&name) {
        return None;
    }
    let (domain, own) = name.split_once('/')?;
    if !domain.eq_ignore_ascii_case(names::SEALWAVE_DOMAIN) {
        return None;
    }
    let normalize = |text: &str| text.to_ascii_lowercase().replace(['-', '_', '.'], "");
    let own = normalize(own);
    let known = READ.map(|known| normalize(known.rsplit('/').next().unwrap_or_default()));
    let found = known.iter().position(|known| *known == own).or_else(|| {
        let meant = closest_name(&own, known.iter().map(String::as_str))?;
        known.iter().position(|known| known == meant)
    });
    found.and_then(|index| READ.get(index).copied())
}

/// Reports whether a name is in sealwave's domain but is not read or written by sealwave, and not similar to such a
/// name.
fn is_unread(name: &str) -> bool {
    const WRITTEN: [&str; 4] = [names::DERIVATION, names::RESEALED, names::SEALED_FOR, names::SEAL_KEY_ID];
    let is_own =
        name.split_once('/').is_some_and(|(domain, _)| domain.eq_ignore_ascii_case(names::SEALWAVE_DOMAIN));
    // The annotation `sealwave.dev/literal` was removed before.
    is_own && similar_annotation(name).is_none() && !READ.contains(&name) && !WRITTEN.contains(&name)
}

fn parse(value: &Node, left_in_all: &mut usize) -> Result<Vec<KeySource>, AnnotationError> {
    let text = value.as_str().ok_or(AnnotationError::NotText(value.type_name()))?;
    if text.len() > MAX_BYTES {
        return Err(AnnotationError::TooLarge { what: "bytes", limit: MAX_BYTES });
    }
    let mut documents = read(text)?;
    let (Some(root), true) = (documents.pop(), documents.is_empty()) else {
        return Err(AnnotationError::Empty);
    };
    let entries = match &root.value {
        NodeValue::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(&root),
    };
    if entries.is_empty() {
        return Err(AnnotationError::Empty);
    }
    if entries.len() > MAX_SOURCES {
        return Err(AnnotationError::TooLarge { what: "secrets", limit: MAX_SOURCES });
    }
    let mut left = PatternBudget { here: MAX_PATTERNS, in_all: left_in_all };
    entries.iter().map(|entry| source(entry, value.origin, &mut left)).collect()
}

/// Reads the value as YAML. The added line allows YAML flow mappings: a document that starts with `{` would have to be
/// JSON.
fn read(text: &str) -> Result<Vec<Node>, AnnotationError> {
    let text = format!("---\n{text}");
    yaml::read(text.as_bytes(), Sources::default().add(""), &BOUNDS).map_err(|failure| {
        AnnotationError::Yaml(failure.problems().iter().find_map(|problem| match problem.at {
            ProblemPlace::Origin(origin) => origin.line.checked_sub(1),
            _ => None,
        }))
    })
}

/// The number of patterns that are still allowed.
struct PatternBudget<'a> {
    here: usize,
    in_all: &'a mut usize,
}

impl PatternBudget<'_> {
    fn take(&mut self, count: usize) -> Result<(), AnnotationError> {
        let too_many = AnnotationError::TooLarge { what: "patterns", limit: MAX_PATTERNS };
        self.here = self.here.checked_sub(count).ok_or(too_many)?;
        *self.in_all = self.in_all.checked_sub(count).ok_or(AnnotationError::TooManyInAll)?;
        Ok(())
    }
}

fn source(entry: &Node, origin: Origin, left: &mut PatternBudget<'_>) -> Result<KeySource, AnnotationError> {
    let fields = match &entry.value {
        NodeValue::String(text) => return with_reference(text, origin),
        NodeValue::Mapping(mapping) => mapping,
        _ => return Err(AnnotationError::EntryType(entry.type_name())),
    };
    let from = fields.get("from").ok_or(AnnotationError::NoFrom)?;
    let mut source = with_reference(from.as_str().ok_or(AnnotationError::FieldType("from"))?, origin)?;
    for MappingEntry { key, value, .. } in fields.entries() {
        match key.as_str() {
            "from" => {}
            "include" => source.include = patterns("include", value, left)?,
            "exclude" => source.exclude = patterns("exclude", value, left)?,
            "prefix" => source.prefix = prefix(value)?,
            other => return Err(AnnotationError::UnknownField(printable_key(other))),
        }
    }
    Ok(source)
}

/// Creates the source for one placeholder, taking all keys.
fn with_reference(text: &str, origin: Origin) -> Result<KeySource, AnnotationError> {
    let parsed = PlaceholderText::parse(text.trim())
        .map_err(|error| AnnotationError::Grammar(error.kind.to_string()))?;
    let [TextPart::Placeholder(placeholder)] = parsed.parts() else {
        return Err(AnnotationError::NotAReference);
    };
    if placeholder.modifiers.names().next().is_some() {
        return Err(AnnotationError::Modifiers);
    }
    if placeholder.reference.key.is_some() {
        return Err(AnnotationError::HasKey(placeholder.reference.to_string()));
    }
    Ok(KeySource {
        reference: SecretReference { all_keys: true, ..placeholder.reference.clone() },
        origin,
        include: KeyPatterns::default(),
        exclude: KeyPatterns::default(),
        prefix: String::new(),
    })
}

fn patterns(
    field: &'static str,
    value: &Node,
    left: &mut PatternBudget<'_>,
) -> Result<KeyPatterns, AnnotationError> {
    let items = match &value.value {
        NodeValue::Sequence(items) if !items.is_empty() => items.as_slice(),
        NodeValue::String(_) => std::slice::from_ref(value),
        _ => return Err(AnnotationError::FieldType(field)),
    };
    left.take(items.len())?;
    let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
    let texts = texts.ok_or(AnnotationError::FieldType(field))?;
    KeyPatterns::new(texts)
        .map_err(|pattern| AnnotationError::Pattern { field, pattern: printable_key(&pattern) })
}

fn prefix(value: &Node) -> Result<String, AnnotationError> {
    let text = value.as_str().ok_or(AnnotationError::FieldType("prefix"))?;
    // The prefix must be a valid start of a key.
    if !is_item_key(&format!("{text}k")) {
        return Err(AnnotationError::Prefix(printable_key(text)));
    }
    Ok(text.to_owned())
}

/// An error in the annotation.
#[derive(Debug, thiserror::Error)]
enum AnnotationError {
    #[error("annotation `{NAME}` does not name a secret")]
    Empty,
    #[error("annotation `{NAME}` has an entry of type {0}")]
    EntryType(&'static str),
    #[error("`{0}` of annotation `{NAME}` must be {expected}", expected = expected(.0))]
    FieldType(&'static str),
    #[error("annotation `{NAME}`: {0}")]
    Grammar(String),
    #[error("annotation `{NAME}` takes all keys of a secret, but names the key in `{0}`")]
    HasKey(String),
    #[error("`{NAME}` is a label, which sealwave does not read")]
    Label,
    #[error("annotation `{0}` is unknown")]
    Misspelled(String, &'static str),
    #[error("annotation `{NAME}` has a modifier, but modifiers apply to single values")]
    Modifiers,
    #[error("an entry of annotation `{NAME}` has no `from`")]
    NoFrom,
    #[error("annotation `{NAME}` has a text that is not a single placeholder")]
    NotAReference,
    #[error("annotation `{NAME}` applies only to Secrets, not to {0}")]
    NotASecret(String),
    #[error("annotation `{NAME}` must be a text, not {0}")]
    NotText(&'static str),
    #[error("`{pattern}` in `{field}` of annotation `{NAME}` is not a valid key pattern")]
    Pattern { field: &'static str, pattern: String },
    #[error("`prefix` of annotation `{NAME}` is `{0}`, which is not a valid start of an item key")]
    Prefix(String),
    #[error("annotation `{NAME}` has more than {limit} {what}")]
    TooLarge { what: &'static str, limit: usize },
    #[error("annotations `{NAME}` of this run have more than {MAX_PATTERNS_IN_ALL} patterns in total")]
    TooManyInAll,
    #[error("annotation `{0}` has no effect")]
    Unread(String),
    #[error("`{0}` of annotation `{NAME}` is unknown")]
    UnknownField(String),
    #[error("annotation `{NAME}` is not valid YAML{}", in_value(*.0))]
    Yaml(Option<u32>),
}

const NAME: &str = names::STRING_DATA_FROM;

fn expected(field: &str) -> &'static str {
    match field {
        "from" => "one placeholder, such as `<vault:secret/shop/db>`",
        "prefix" => "a text",
        _ => "a list of at least one pattern",
    }
}

fn in_value(line: Option<u32>) -> String {
    line.map_or_else(String::new, |line| format!(" (line {line} of the value)"))
}

impl Explain for AnnotationError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Empty | Self::EntryType(_) | Self::NoFrom | Self::NotText(_) | Self::NotAReference => {
                "write `<provider:path>`, or a list of entries with `from`, `include`, `exclude` and `prefix`"
            }
            Self::FieldType(_) => "put it in quotes if YAML does not read it as text",
            Self::Grammar(_) => "write `<provider:path>` or `<provider:path##version>`",
            Self::HasKey(_) => "remove `#key`, or put the placeholder in an item of `stringData`",
            Self::Label => "move it to `metadata.annotations`",
            Self::Misspelled(_, meant) => return Some(format!("did you mean `{meant}`?")),
            Self::Modifiers => "remove it, or put the placeholder in an item of `stringData`",
            Self::NotASecret(_) => "write a Secret with the annotation, and refer to it",
            Self::Pattern { .. } => {
                return Some(format!(
                    "a pattern has letters, digits, `-`, `_`, `.`, `*` for any text and `?` for one character, at most {MAX_ITEM_KEY} characters"
                ));
            }
            Self::Prefix(_) => "use letters, digits, `-`, `_` and `.`",
            Self::TooManyInAll => "take all keys if that is acceptable, or split the app",
            Self::TooLarge { .. } => "split the Secret, or name the keys in `stringData`",
            Self::Unread(_) => {
                return Some(format!("sealwave reads the annotations {}", quoted_list(&READ)));
            }
            Self::UnknownField(field) => {
                return Some(match closest_name(field, FIELDS) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("known fields are {}", quoted_list(&FIELDS)),
                });
            }
            Self::Yaml(_) => "put patterns that start with `*` in quotes, as in `include: [\"*_KEY\"]`",
        };
        Some(text.to_owned())
    }

    fn needs_commit(&self) -> bool {
        true
    }
}
