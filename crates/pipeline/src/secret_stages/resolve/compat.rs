//! The annotations that control how an object's texts are read: `sealwave.dev/literal`, and those of
//! argocd-vault-plugin if the app file sets `compatibility: avp`. Pure.
//!
//! They are removed from every object, since nothing reads them in the cluster. Without `compatibility: avp` the latter
//! are errors, since placeholders would remain as literal text.

use super::problem::printable_key;
use sealwave_core::diagnostic::{Explain, Note, Problem};
use sealwave_core::document::{Manifest, MappingEntry, Node};
use sealwave_core::names;
use sealwave_secrets::placeholder::{AvpPath, InvalidAvpPath};
use sealwave_secrets::settings::Compatibility;

/// The settings from one object's annotations.
#[derive(Default)]
pub(super) struct AvpAnnotations {
    /// The path that `<key>` refers to.
    pub(super) generic: Option<AvpPath>,
    /// All texts of the object are literal.
    pub(super) ignore: bool,
    /// Texts that look like placeholders but are not are accepted. Outside of Secrets, all texts are literal.
    pub(super) literal: bool,
    /// Items whose reference is not found are left out.
    pub(super) remove_missing: bool,
}

/// Removes the annotations from an object and returns their settings.
pub(super) fn take_avp_annotations(
    object: &mut Manifest,
    compatibility: Option<Compatibility>,
    notes: &mut Vec<Note>,
    problems: &mut Vec<Problem>,
) -> AvpAnnotations {
    let own = take_annotations(object, |entry| entry.key == names::LITERAL);
    let literal = AnnotationReader { entries: &own, problems }.flag(names::LITERAL);
    let entries = take_annotations(object, is_avp);
    if compatibility.is_none() {
        let not_compatible = |entry: &MappingEntry| {
            Problem::at(entry.key_origin, &AvpError::NotCompatible(printable_key(&entry.key)))
        };
        problems.extend(entries.iter().map(not_compatible));
        return AvpAnnotations { literal, ..AvpAnnotations::default() };
    }
    let mut reader = AnnotationReader { entries: &entries, problems };
    let wishes = AvpAnnotations {
        generic: reader.generic(),
        ignore: reader.flag(names::AVP_IGNORE),
        literal,
        remove_missing: reader.flag(names::AVP_REMOVE_MISSING),
    };
    reader.unknown();
    if let Some(entry) = reader.kv_version() {
        notes.push(Note::info(Problem::at(entry.key_origin, &UnusedKvVersion)));
    }
    wishes
}

/// Reports whether an annotation is in argocd-vault-plugin's domain.
fn is_avp(entry: &MappingEntry) -> bool {
    entry.key.split_once('/').is_some_and(|(domain, _)| domain.eq_ignore_ascii_case(names::AVP_DOMAIN))
}

/// Removes the matching annotations from an object, and `metadata.annotations` if it is then empty.
pub(super) fn take_annotations(
    object: &mut Manifest,
    wanted: fn(&MappingEntry) -> bool,
) -> Vec<MappingEntry> {
    const ANNOTATIONS: [&str; 2] = ["metadata", "annotations"];
    let Some(annotations) = object.field_mut(&ANNOTATIONS).and_then(Node::as_mapping_mut) else {
        return Vec::new();
    };
    if !annotations.entries().iter().any(wanted) {
        return Vec::new();
    }
    let taken = annotations.take(wanted);
    if annotations.is_empty() {
        object.remove(&ANNOTATIONS);
    }
    taken
}

struct AnnotationReader<'a> {
    entries: &'a [MappingEntry],
    problems: &'a mut Vec<Problem>,
}

impl<'a> AnnotationReader<'a> {
    fn entry(&self, name: &str) -> Option<&'a MappingEntry> {
        self.entries.iter().find(|entry| entry.key == name)
    }

    fn generic(&mut self) -> Option<AvpPath> {
        let path = self.text(names::AVP_PATH, PATH)?;
        let version = self.text(names::AVP_SECRET_VERSION, VERSION);
        match AvpPath::new(path, version) {
            Ok(generic) => Some(generic),
            Err(InvalidAvpPath::Path) => self.report_invalid(names::AVP_PATH, PATH),
            Err(InvalidAvpPath::Version) => self.report_invalid(names::AVP_SECRET_VERSION, VERSION),
        }
    }

    /// Parses a flag like Go's `strconv.ParseBool`, but reports other texts.
    fn flag(&mut self, name: &'static str) -> bool {
        match self.text(name, FLAG) {
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => true,
            None | Some("0" | "f" | "F" | "false" | "FALSE" | "False") => false,
            Some(_) => self.report_invalid::<bool>(name, FLAG).unwrap_or(false),
        }
    }

    fn kv_version(&mut self) -> Option<&'a MappingEntry> {
        match self.text(names::AVP_KV_VERSION, KV_VERSION)? {
            "1" | "2" => self.entry(names::AVP_KV_VERSION),
            _ => self.report_invalid(names::AVP_KV_VERSION, KV_VERSION),
        }
    }

    fn unknown(&mut self) {
        for entry in self.entries.iter().filter(|entry| !KNOWN.contains(&entry.key.as_str())) {
            let error = AvpError::Unknown(printable_key(&entry.key));
            self.problems.push(Problem::at(entry.key_origin, &error));
        }
    }

    fn text(&mut self, name: &'static str, wanted: &'static str) -> Option<&'a str> {
        let entry = self.entry(name)?;
        entry.value.as_str().or_else(|| self.report_invalid(name, wanted))
    }

    fn report_invalid<T>(&mut self, name: &'static str, wanted: &'static str) -> Option<T> {
        let entry = self.entry(name)?;
        self.problems.push(Problem::at(entry.value.origin, &AvpError::Value { name, wanted }));
        None
    }
}

const FLAG: &str = "\"true\" or \"false\", in quotes";
const KV_VERSION: &str = "\"1\" or \"2\", in quotes";
const PATH: &str = "a path, which holds no `#`, `|`, `<` or `>`";
const VERSION: &str = "a version in quotes, which holds no `#`, `|`, `<` or `>`";

const KNOWN: [&str; 5] = [
    names::AVP_IGNORE,
    names::AVP_KV_VERSION,
    names::AVP_PATH,
    names::AVP_REMOVE_MISSING,
    names::AVP_SECRET_VERSION,
];

/// A problem with an annotation.
#[derive(Debug, thiserror::Error)]
enum AvpError {
    #[error("annotation `{0}` is argocd-vault-plugin's, but the app does not set `compatibility: avp`")]
    NotCompatible(String),
    #[error("annotation `{0}` is unknown")]
    Unknown(String),
    #[error("annotation `{name}` must be {wanted}")]
    Value { name: &'static str, wanted: &'static str },
}

impl Explain for AvpError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotCompatible(_) => {
                Some("set `compatibility: avp` in sealwave.yaml, or remove the annotation".to_owned())
            }
            Self::Unknown(_) => Some(format!(
                "argocd-vault-plugin's annotations are {}",
                sealwave_core::text::quoted_list(&KNOWN)
            )),
            Self::Value { .. } => Some("write it literally or from values, not as a placeholder".to_owned()),
        }
    }

    fn needs_commit(&self) -> bool {
        true
    }
}

/// An annotation without effect.
#[derive(Debug, thiserror::Error)]
#[error(
    "annotation `{}` has no effect: the operator's provider determines the version of its mount",
    names::AVP_KV_VERSION
)]
struct UnusedKvVersion;

impl Explain for UnusedKvVersion {
    fn hint(&self) -> Option<String> {
        Some("remove it when argocd-vault-plugin no longer reads this file".to_owned())
    }
}
