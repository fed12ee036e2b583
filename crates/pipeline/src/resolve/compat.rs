//! What annotations on an object say of its texts: `sealwave.dev/literal`, and, where the app file says
//! `compatibility: avp`, those of argocd-vault-plugin. Pure.
//!
//! All of them are taken off every object: nothing reads them in the cluster. Without `compatibility: avp` the latter are errors, since
//! placeholders would stay text that their author did not mean as text.

use super::problem::shown;
use sealwave_core::diagnostic::{Explain, Note, Problem};
use sealwave_core::document::{Entry, Manifest, Node};
use sealwave_core::names;
use sealwave_secrets::placeholder::Generic;
use sealwave_secrets::settings::Compatibility;

/// What one object's annotations ask for.
#[derive(Default)]
pub(super) struct Wishes {
    /// What `<key>` refers to.
    pub(super) generic: Option<Generic>,
    /// Every text of the object stands for itself.
    pub(super) ignore: bool,
    /// Texts that look like placeholders and are none are meant as they are; outside of Secrets, all texts are.
    pub(super) literal: bool,
    /// Items whose reference is not found are left out.
    pub(super) remove_missing: bool,
}

/// Takes the annotations off an object and says what they ask for.
pub(super) fn wishes(
    object: &mut Manifest,
    compatibility: Option<Compatibility>,
    notes: &mut Vec<Note>,
    problems: &mut Vec<Problem>,
) -> Wishes {
    let own = take(object, |entry| entry.key == names::LITERAL);
    let literal = Reader { entries: &own, problems }.flag(names::LITERAL);
    let entries = take(object, is_avp);
    if compatibility.is_none() {
        let needed =
            |entry: &Entry| Problem::at(entry.key_origin, &AvpError::NotCompatible(shown(&entry.key)));
        problems.extend(entries.iter().map(needed));
        return Wishes { literal, ..Wishes::default() };
    }
    let mut reader = Reader { entries: &entries, problems };
    let wishes = Wishes {
        generic: reader.generic(),
        ignore: reader.flag(names::AVP_IGNORE),
        literal,
        remove_missing: reader.flag(names::AVP_REMOVE_MISSING),
    };
    reader.unknown();
    if let Some(entry) = reader.kv_version() {
        notes.push(Note::remark(Problem::at(entry.key_origin, &KvVersion)));
    }
    wishes
}

/// Whether an annotation is in argocd-vault-plugin's domain.
fn is_avp(entry: &Entry) -> bool {
    entry.key.split_once('/').is_some_and(|(domain, _)| domain.eq_ignore_ascii_case(names::AVP_DOMAIN))
}

/// Takes those annotations off an object that are wanted; without any other, `metadata.annotations` goes as well.
pub(super) fn take(object: &mut Manifest, wanted: fn(&Entry) -> bool) -> Vec<Entry> {
    let root = object.root_mut();
    let Some(annotations) = root.at_mut(&["metadata", "annotations"]).and_then(Node::as_mapping_mut) else {
        return Vec::new();
    };
    if !annotations.entries().iter().any(wanted) {
        return Vec::new();
    }
    let (taken, kept): (Vec<_>, Vec<_>) =
        std::mem::take(annotations).into_entries().into_iter().partition(wanted);
    if kept.is_empty() {
        if let Some(metadata) = root.at_mut(&["metadata"]).and_then(Node::as_mapping_mut) {
            metadata.remove("annotations");
        }
    } else {
        for entry in kept {
            annotations.push_new(entry);
        }
    }
    taken
}

struct Reader<'a> {
    entries: &'a [Entry],
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn entry(&self, name: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == name)
    }

    fn generic(&mut self) -> Option<Generic> {
        let path = self.text(names::AVP_PATH, PATH)?;
        let version = self.text(names::AVP_SECRET_VERSION, VERSION);
        match Generic::new(path, version) {
            Ok(generic) => Some(generic),
            Err("path") => self.fault(names::AVP_PATH, PATH),
            Err(_) => self.fault(names::AVP_SECRET_VERSION, VERSION),
        }
    }

    /// As Go's `strconv.ParseBool`, but what is neither is no `false`.
    fn flag(&mut self, name: &'static str) -> bool {
        match self.text(name, FLAG) {
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => true,
            None | Some("0" | "f" | "F" | "false" | "FALSE" | "False") => false,
            Some(_) => self.fault::<bool>(name, FLAG).unwrap_or(false),
        }
    }

    fn kv_version(&mut self) -> Option<&'a Entry> {
        match self.text(names::AVP_KV_VERSION, KV_VERSION)? {
            "1" | "2" => self.entry(names::AVP_KV_VERSION),
            _ => self.fault(names::AVP_KV_VERSION, KV_VERSION),
        }
    }

    fn unknown(&mut self) {
        for entry in self.entries.iter().filter(|entry| !KNOWN.contains(&entry.key.as_str())) {
            let error = AvpError::Unknown(shown(&entry.key));
            self.problems.push(Problem::at(entry.key_origin, &error));
        }
    }

    fn text(&mut self, name: &'static str, wanted: &'static str) -> Option<&'a str> {
        let entry = self.entry(name)?;
        entry.value.as_str().or_else(|| self.fault(name, wanted))
    }

    fn fault<T>(&mut self, name: &'static str, wanted: &'static str) -> Option<T> {
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

/// What is wrong with an annotation.
#[derive(Debug, thiserror::Error)]
enum AvpError {
    #[error("annotation `{0}` is argocd-vault-plugin's, and the app does not say that it is compatible")]
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
                sealwave_secrets::placeholder::list(&KNOWN)
            )),
            Self::Value { .. } => {
                Some("write it as it is, or from values; never as a placeholder".to_owned())
            }
        }
    }
}

/// An annotation without effect.
#[derive(Debug, thiserror::Error)]
#[error(
    "annotation `{}` has no effect: the operator's provider knows the version of its mount",
    names::AVP_KV_VERSION
)]
struct KvVersion;

impl Explain for KvVersion {
    fn hint(&self) -> Option<String> {
        Some("remove it once argocd-vault-plugin does not read this file any more".to_owned())
    }
}
