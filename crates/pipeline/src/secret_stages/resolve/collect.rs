//! The first pass: parses the items of every Secret and collects the distinct references. Pure.
//!
//! * Only `data` and `stringData` of a core `Secret` may hold placeholders. A Secret must not have fields beyond those
//!   of the API, since unknown fields would be printed.
//! * `stringData` holds strings. A number or a boolean is an error and is not converted: YAML's reading of `0123` is
//!   not what the author wrote. `stringData` overrides `data` under the same key, as in Kubernetes.
//! * `data` holds base64, in which Kubernetes accepts newlines but no spaces. Placeholders are searched in the decoded
//!   value if it is UTF-8. An unencoded placeholder is accepted only if it is the whole value and ends in `| base64`,
//!   so that it always yields base64: anything else could be a password that happens to decode. With `compatibility:
//!   avp`, a placeholder that is the whole value and ends otherwise refers to base64, as it does in
//!   argocd-vault-plugin.
//! * A Secret without items is passed on as a plain object.
//! * Each secret of `sealwave.dev/string-data-from` is a pending item; its items are known after it is fetched.

use std::collections::BTreeMap;

use base64::Engine as _;
use compact_str::CompactString;
use memchr::memchr;
use zeroize::Zeroizing;

use super::compat::{self, AvpAnnotations};
use super::evidence::with_evidence;
use super::literal::LiteralItem;
use super::names::ProviderResolver;
use super::problem::{ReferencePlaces, ResolveError, line_and_column, place_in, printable_key};
use super::{scan, string_data_from};
use crate::secret_stages::resolved::{ItemValue, ResolvedItem, ResolvedObject, ResolvedSecret};
use sealwave_core::diagnostic::{Note, Problem, ProblemKind};
use sealwave_core::document::{Manifest, MappingEntry, Node, Origin};
use sealwave_core::encoding::GO_BASE64;
use sealwave_core::names::{self, is_item_key, item_label};
use sealwave_kube::undecrypted_sops_block;
use sealwave_providers::FetchResult;
use sealwave_secrets::placeholder::KeySource;
use sealwave_secrets::placeholder::{
    DEFAULT_PROVIDER, Decoder, Encoder, GrammarError, Placeholder, PlaceholderText, SecretReference, TextPart,
};
use sealwave_secrets::policy::has_parent_segment;
use sealwave_secrets::settings::PlaceholderSettings;
use sealwave_secrets::values::SecretValue;

/// The result of the first pass.
pub(super) struct CollectedSecrets {
    pub(super) objects: Vec<PendingObject>,
    pub(super) references: BTreeMap<SecretReference, ReferencePlaces>,
}

/// An object before substitution.
pub(super) enum PendingObject {
    Plain(Manifest),
    /// A Secret for a backend that stores references; it needs no values.
    Referred(Manifest, Vec<PendingItem>),
    Secret(Manifest, Vec<PendingItem>),
}

/// An item before substitution.
pub(super) struct PendingItem {
    pub(super) key: CompactString,
    pub(super) origin: Origin,
    pub(super) unresolved: SecretValue,
    pub(super) content: ItemContent,
    /// Whether the item is left out if a reference of it is not found.
    pub(super) is_optional: bool,
}

/// The content of an item.
pub(super) enum ItemContent {
    /// All keys of a secret, which become any number of items.
    AllKeys(Box<KeySource>),
    /// Bytes that are used as they are.
    Bytes,
    /// Text whose references name their providers.
    Text(PlaceholderText),
}

impl PendingObject {
    /// Returns the object without its values.
    pub(super) fn without_value(self) -> ResolvedObject {
        match self {
            Self::Plain(manifest) => ResolvedObject::Plain(manifest),
            Self::Referred(manifest, items) | Self::Secret(manifest, items) => {
                let mut secret = ResolvedSecret { manifest, items: Vec::new(), sources: Vec::new() };
                for item in items {
                    match item.content {
                        ItemContent::AllKeys(source) => secret.sources.push(*source),
                        ItemContent::Bytes | ItemContent::Text(_) => secret.items.push(item.without_value()),
                    }
                }
                ResolvedObject::Secret(secret)
            }
        }
    }
}

impl PendingItem {
    /// Creates the item for all keys of a secret. Its key is not the key of any item.
    fn all_keys(source: KeySource) -> Self {
        Self {
            key: names::STRING_DATA_FROM.into(),
            origin: source.origin,
            unresolved: SecretValue::new(Vec::new()),
            content: ItemContent::AllKeys(Box::new(source)),
            is_optional: false,
        }
    }

    /// Returns the item with its value. Only this function creates items with known values.
    pub(super) fn with_value(
        mut self,
        value: SecretValue,
        fetched: &BTreeMap<&SecretReference, FetchResult>,
    ) -> ResolvedItem {
        let unresolved = std::mem::replace(&mut self.unresolved, SecretValue::new(Vec::new()));
        self.unresolved = with_evidence(unresolved, self.references(), fetched);
        self.finish(ItemValue::Known(value))
    }

    /// Returns the item without a value.
    pub(super) fn without_value(self) -> ResolvedItem {
        self.finish(ItemValue::Withheld)
    }

    fn finish(self, value: ItemValue) -> ResolvedItem {
        let references = self.references().cloned().collect();
        let text = match self.content {
            ItemContent::AllKeys(_) | ItemContent::Bytes => None,
            ItemContent::Text(text) => Some(text),
        };
        ResolvedItem {
            key: self.key,
            origin: self.origin,
            unresolved: self.unresolved,
            references,
            text,
            value,
        }
    }

    pub(crate) fn references(&self) -> impl Iterator<Item = &SecretReference> {
        let (source, text) = match &self.content {
            ItemContent::AllKeys(source) => (Some(&source.reference), None),
            ItemContent::Bytes => (None, None),
            ItemContent::Text(text) => (None, Some(text)),
        };
        source.into_iter().chain(text.into_iter().flat_map(PlaceholderText::references))
    }
}

pub(super) fn collect(
    objects: Vec<Manifest>,
    names: &ProviderResolver<'_>,
    reading: PlaceholderSettings<'_>,
    notes: &mut Vec<Note>,
    problems: &mut Vec<Problem>,
) -> CollectedSecrets {
    let annotations = AvpAnnotations::default();
    let references = BTreeMap::new();
    let patterns_left = string_data_from::MAX_PATTERNS_IN_ALL;
    let mut collector = ReferenceCollector {
        names,
        reading,
        annotations,
        notes,
        problems,
        needs_values: true,
        references,
        patterns_left,
    };
    let objects = objects.into_iter().map(|object| collector.object(object)).collect();
    CollectedSecrets { objects, references: collector.references }
}

struct ReferenceCollector<'a> {
    names: &'a ProviderResolver<'a>,
    reading: PlaceholderSettings<'a>,
    /// The annotations of the current object.
    annotations: AvpAnnotations,
    notes: &'a mut Vec<Note>,
    problems: &'a mut Vec<Problem>,
    /// Whether the values of the current Secret are fetched.
    needs_values: bool,
    references: BTreeMap<SecretReference, ReferencePlaces>,
    /// The number of annotation patterns that are still allowed.
    patterns_left: usize,
}

impl ReferenceCollector<'_> {
    fn object(&mut self, mut object: Manifest) -> PendingObject {
        if let Some(block) = undecrypted_sops_block(&object) {
            // All its values are encrypted, and each would be another problem.
            let at = block.key_origin;
            self.problem(at, &ResolveError::EncryptedObject);
            return PendingObject::Plain(object);
        }
        self.annotations =
            compat::take_avp_annotations(&mut object, self.reading.compatibility, self.notes, self.problems);
        self.needs_values =
            self.names.backends.choice_for(object.namespace(), object.name()).kind.needs_values();
        let sources = string_data_from::take_key_sources(
            &mut object,
            &mut self.patterns_left,
            self.notes,
            self.problems,
        );
        let mut items = if object.is_secret() { self.secret(&mut object) } else { Vec::new() };
        items.extend(sources.into_iter().map(|source| self.source(source)));
        if !self.annotations.ignore && !self.is_exempt(&object) {
            scan::scan(&mut object, self.names, self.annotations.generic.is_some(), self.problems);
        }
        match (items.is_empty(), self.needs_values) {
            (true, _) => PendingObject::Plain(object),
            (false, true) => PendingObject::Secret(object, items),
            (false, false) => PendingObject::Referred(object, items),
        }
    }

    /// Reports whether the author declares that texts such as `<file:a.b>` are literal in an object. Never true for a
    /// Secret.
    fn is_exempt(&self, object: &Manifest) -> bool {
        let is_secret = object.kind().eq_ignore_ascii_case("Secret");
        !is_secret && (self.annotations.literal || self.reading.is_literal(object))
    }

    fn secret(&mut self, object: &mut Manifest) -> Vec<PendingItem> {
        self.unknown_fields(object.root());
        let data = self.section(object, "data");
        let string_data = self.section(object, "stringData");
        let winners: BTreeMap<CompactString, Origin> =
            string_data.iter().map(|entry| (entry.key.clone(), entry.key_origin)).collect();
        let mut items = BTreeMap::new();
        for entry in data {
            if let Some(origin) = winners.get(&entry.key) {
                self.note_override(&entry.key, *origin);
            } else if let Some(item) = self.data_item(&entry) {
                items.insert(item.key.clone(), item);
            }
        }
        for entry in string_data {
            if let Some(item) = self.string_item(&entry) {
                items.insert(item.key.clone(), item);
            }
        }
        items.into_values().collect()
    }

    fn unknown_fields(&mut self, root: &Node) {
        const KNOWN: [&str; 7] =
            ["apiVersion", "data", "immutable", "kind", "metadata", "stringData", "type"];
        for entry in root.entries() {
            if !KNOWN.contains(&entry.key.as_str()) {
                self.problem(entry.key_origin, &ResolveError::UnknownField);
            }
        }
    }

    /// Removes `data` or `stringData` from a Secret. An empty section stays removed, as in Kubernetes.
    fn section(&mut self, object: &mut Manifest, field: &'static str) -> Vec<MappingEntry> {
        let Some(node) = object.remove(&[field]) else {
            return Vec::new();
        };
        let (origin, got) = (node.origin, node.type_name());
        match node.value {
            sealwave_core::document::NodeValue::Mapping(mapping) => mapping.into_entries(),
            sealwave_core::document::NodeValue::Null => Vec::new(),
            _ => {
                self.problem(origin, &ResolveError::SectionType { field, got });
                Vec::new()
            }
        }
    }

    fn note_override(&mut self, key: &str, winner: Origin) {
        let note = ShadowedKey(item_label(key));
        self.notes.push(Note::warning(Problem::at(winner, &note)));
    }

    fn string_item(&mut self, entry: &MappingEntry) -> Option<PendingItem> {
        let (key, origin, text) = self.entry("stringData", entry)?;
        let unresolved = SecretValue::new(text.as_bytes().to_vec());
        if self.annotations.ignore {
            return Some(literal(key, origin, unresolved));
        }
        match self.parse(&text) {
            Ok(parsed) => {
                self.check_literal(&key, origin, &text, true);
                Some(self.text_item(key, origin, unresolved, parsed))
            }
            Err(error) => {
                self.grammar(&key, place_in(origin, &text, error.offset), origin, &text, error);
                None
            }
        }
    }

    fn parse(&self, text: &str) -> Result<PlaceholderText, GrammarError> {
        match &self.annotations.generic {
            None => PlaceholderText::parse(text),
            Some(generic) => PlaceholderText::parse_generic(text, generic),
        }
    }

    /// Creates an item with references. If a reference omits the provider or the path, the item depends on more than
    /// its own text. The text with references in full then replaces it, so that another provider or path gives another
    /// text.
    fn text_item(
        &mut self,
        key: CompactString,
        origin: Origin,
        unresolved: SecretValue,
        text: PlaceholderText,
    ) -> PendingItem {
        let in_full = text.references().all(|reference| reference.provider != DEFAULT_PROVIDER);
        let text = self.references(text, origin);
        let unresolved =
            if in_full { unresolved } else { SecretValue::new(text.to_source().as_bytes().to_vec()) };
        let is_optional = self.annotations.remove_missing;
        PendingItem { key, origin, unresolved, content: ItemContent::Text(text), is_optional }
    }

    fn data_item(&mut self, entry: &MappingEntry) -> Option<PendingItem> {
        let (key, origin, text) = self.entry("data", entry)?;
        if !self.annotations.ignore && memchr(b'<', text.as_bytes()).is_some() {
            return self.bare_placeholder(key, origin, &text);
        }
        let packed = Zeroizing::new(text.replace(['\n', '\r'], ""));
        let Ok(bytes) = GO_BASE64.decode(packed.as_bytes()) else {
            self.not_base64(&key, origin, &text);
            return None;
        };
        let unresolved = SecretValue::new(bytes);
        if let Some(decoded) = unresolved.expose_str() {
            self.check_literal(&key, origin, decoded, false);
        }
        let parsed = match unresolved.expose_str() {
            Some(decoded) if !self.annotations.ignore && memchr(b'<', decoded.as_bytes()).is_some() => {
                self.parse(decoded).map_err(|error| self.grammar(&key, None, origin, decoded, error)).ok()?
            }
            _ => return Some(literal(key, origin, unresolved)),
        };
        Some(self.text_item(key, origin, unresolved, parsed))
    }

    /// Parses a `data` value that is not base64 but contains `<`: it must be one placeholder that ends in `| base64`.
    fn bare_placeholder(&mut self, key: CompactString, origin: Origin, text: &str) -> Option<PendingItem> {
        let parsed = match self.parse(text) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.grammar(&key, place_in(origin, text, error.offset), origin, text, error);
                return None;
            }
        };
        let decoded = match parsed.parts() {
            [TextPart::Placeholder(only)] => self.without_base64(only),
            _ => None,
        };
        let Some(decoded) = decoded else {
            if parsed.is_literal() {
                self.not_base64(&key, origin, text);
            } else {
                self.problem(origin, &ResolveError::DataPlaceholder { key: printable_key(&key) });
            }
            return None;
        };
        let unresolved = SecretValue::new(text.as_bytes().to_vec());
        Some(self.text_item(key, origin, unresolved, decoded))
    }

    /// Reports a `data` value that is not base64, or the format that it appears to have.
    fn not_base64(&mut self, key: &str, origin: Origin, text: &str) {
        if !self.check_literal(key, origin, text, true) {
            self.problem(origin, &ResolveError::DataNotBase64 { key: printable_key(key) });
        }
    }

    /// Reports a text that looks like a placeholder but is not one, and returns whether it did. `written` means that
    /// the text is at its origin unencoded.
    fn check_literal(&mut self, key: &str, origin: Origin, text: &str, written: bool) -> bool {
        if self.annotations.ignore || self.annotations.literal {
            return false;
        }
        let item = LiteralItem { key, origin, text, is_verbatim: written };
        let problem = item.check(self.annotations.generic.as_ref(), self.names);
        let found = problem.is_some();
        self.problems.extend(problem);
        found
    }

    /// Returns the text whose base64 a placeholder yields: without its final `base64`, or with one more decoder under
    /// `compatibility`.
    fn without_base64(&self, placeholder: &Placeholder) -> Option<PlaceholderText> {
        let mut placeholder = placeholder.clone();
        let modifiers = &mut placeholder.modifiers;
        match (&modifiers.encoder, &modifiers.default) {
            (Some(Encoder::Base64), _) => modifiers.encoder = None,
            (None, None) => {
                self.reading.compatibility?;
                modifiers.decoders.push(Decoder::Base64Decode).ok()?;
            }
            _ => return None,
        }
        Some(PlaceholderText::from_placeholder(placeholder))
    }

    /// Checks that an entry has a valid key and a string value.
    fn entry(
        &mut self,
        field: &'static str,
        entry: &MappingEntry,
    ) -> Option<(CompactString, Origin, Zeroizing<String>)> {
        if !is_item_key(&entry.key) {
            self.problem(entry.key_origin, &ResolveError::ItemKey);
            return None;
        }
        let Some(text) = entry.value.as_str() else {
            let got = entry.value.type_name();
            self.problem(entry.value.origin, &ResolveError::ValueType { field, got });
            return None;
        };
        Some((entry.key.clone(), entry.value.origin, Zeroizing::new(text.to_owned())))
    }

    /// Resolves the provider of each reference of a text, and records where each is used.
    fn references(&mut self, text: PlaceholderText, origin: Origin) -> PlaceholderText {
        text.map_references(|reference| self.reference(reference, origin))
    }

    fn reference(&mut self, reference: &mut SecretReference, origin: Origin) {
        if let Err(error) = self.names.resolve_provider(reference, self.needs_values) {
            self.problem(origin, &error);
        } else if has_parent_segment(&reference.path) {
            self.problem(origin, &ResolveError::PathClimbs { reference: reference.clone() });
        } else if let Some(places) = self.references.get_mut(reference) {
            places.add();
        } else {
            self.references.insert(reference.clone(), ReferencePlaces::new(origin));
        }
    }

    fn source(&mut self, mut source: KeySource) -> PendingItem {
        self.reference(&mut source.reference, source.origin);
        PendingItem::all_keys(source)
    }

    fn grammar(&mut self, key: &str, exact: Option<Origin>, origin: Origin, text: &str, error: GrammarError) {
        let at = if exact.is_some() { None } else { Some(line_and_column(text, error.offset)) };
        self.problem(exact.unwrap_or(origin), &ResolveError::Grammar { key: printable_key(key), error, at });
    }

    fn problem(&mut self, origin: Origin, error: &ResolveError) {
        self.problems.push(Problem::at(origin, error));
    }
}

impl ProviderResolver<'_> {
    /// Replaces `path` by the default provider, and checks that the provider exists. For references that are not
    /// fetched, only their backend can check it.
    fn resolve_provider(
        &self,
        reference: &mut SecretReference,
        needs_values: bool,
    ) -> Result<(), Box<ResolveError>> {
        let is_default = reference.provider == DEFAULT_PROVIDER;
        if is_default {
            let default = self.default_provider.ok_or_else(|| Box::new(ResolveError::NoDefaultProvider))?;
            reference.provider = default.into();
        }
        let Some(known) = &self.known else { return Ok(()) };
        if !needs_values || known.contains(reference.provider.as_str()) {
            return Ok(());
        }
        Err(Box::new(ResolveError::UnknownProvider {
            provider: printable_key(&reference.provider),
            known: known.iter().cloned().collect(),
            is_default,
        }))
    }
}

/// A key that is in both `data` and `stringData`.
#[derive(Debug, thiserror::Error)]
#[error("{0} is in both `data` and `stringData`; `stringData` takes precedence")]
struct ShadowedKey(String);

impl sealwave_core::diagnostic::Explain for ShadowedKey {
    fn hint(&self) -> Option<String> {
        Some("remove it from one of them".to_owned())
    }

    fn problem_kind(&self) -> Option<ProblemKind> {
        Some(ProblemKind::ShadowedKey)
    }
}

/// Creates an item with literal content.
const fn literal(key: CompactString, origin: Origin, unresolved: SecretValue) -> PendingItem {
    PendingItem { key, origin, unresolved, content: ItemContent::Bytes, is_optional: false }
}
