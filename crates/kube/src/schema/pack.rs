//! The pack: schemas of Kubernetes' own types, in the format that `scripts/schemas` writes and documents.
//!
//! A node is decoded when a walk first reaches it. Every access is checked, so that corrupt bytes can at worst produce
//! a node that accepts any value; a test checks that the bytes are sound.

use std::sync::OnceLock;

use super::node::{
    ExtraFields, ListKey, ListTopology, NodeId, SchemaField, SchemaFields, SchemaNode, ValueFormat, ValueType,
};
use super::version::{KubeVersion, MINORS};
use sealwave_core::document::NodeValue;

const BYTES: &[u8] = include_bytes!("pack.bin");
const MAGIC: usize = 4;
const HEADER: usize = 8;
const KIND_WORDS: usize = 5;
const VARIANT_WORDS: usize = 2;

/// The top bit of a reference marks a definition; the top bit of a field's name marks a required field.
const FLAG: u16 = 0x8000;

const NULLABLE: u8 = 1;
const CLOSED: u8 = 2;
const MERGE: u8 = 8;
const LIST_TYPE: u8 = 96;
const SET: u8 = 64;
const MAP: u8 = 96;

/// A kind of object: group, kind and version, the node of its schema, and the minors that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KindEntry {
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
    pub(super) version: &'static str,
    pub(super) id: NodeId,
    /// Bit 0 is the oldest minor.
    pub(super) minors: u16,
}

/// A pack and the byte offsets of its tables.
#[derive(Debug)]
pub(super) struct SchemaPack {
    bytes: &'static [u8],
    strings: usize,
    definitions: usize,
    variants: usize,
    kinds: usize,
    starts: usize,
    stream: usize,
    text: usize,
}

/// The embedded pack.
pub(super) static EMBEDDED: SchemaPack = SchemaPack::over(BYTES);

impl SchemaPack {
    const fn over(bytes: &'static [u8]) -> Self {
        const fn count(bytes: &[u8], index: usize) -> usize {
            match word_at(bytes, MAGIC + 2 * index) {
                Some(word) => word as usize,
                None => 0,
            }
        }
        let strings = MAGIC + 2 * HEADER;
        let definitions = strings + 2 * (count(bytes, 2) + 1);
        let variants = definitions + 2 * (count(bytes, 4) + 1);
        let kinds = variants + 2 * VARIANT_WORDS * count(bytes, 5);
        let starts = kinds + 2 * KIND_WORDS * count(bytes, 6);
        let stream = starts + 2 * count(bytes, 3);
        let text = stream + 2 * count(bytes, 7);
        Self { bytes, strings, definitions, variants, kinds, starts, stream, text }
    }

    fn word(&self, table: usize, index: usize) -> Option<u16> {
        word_at(self.bytes, table + 2 * index)
    }

    fn string(&self, index: usize) -> &'static str {
        std::str::from_utf8(self.bytes_of(index)).unwrap_or("")
    }

    /// Returns a string's bytes, for comparisons that need no UTF-8 check.
    fn bytes_of(&self, index: usize) -> &'static [u8] {
        let at = self.strings + 2 * index;
        let Some(&[a, b, c, d]) = self.bytes.get(at..at + 4) else { return &[] };
        let (from, to) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        self.bytes.get(self.text + usize::from(from)..self.text + usize::from(to)).unwrap_or_default()
    }

    /// Returns the kinds, sorted by group, kind and version.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = KindEntry> {
        (0..self.kind_count()).filter_map(move |index| self.kind(index))
    }

    const fn kind_count(&self) -> usize {
        (self.starts - self.kinds) / (2 * KIND_WORDS)
    }

    fn kind(&self, index: usize) -> Option<KindEntry> {
        let word = |offset| self.word(self.kinds, KIND_WORDS * index + offset);
        Some(KindEntry {
            group: self.string(word(0)?.into()),
            kind: self.string(word(1)?.into()),
            version: self.string(word(2)?.into()),
            id: NodeId(u32::from(word(3)? | FLAG)),
            minors: word(4)?,
        })
    }

    /// Returns the versions of a kind in all minors, sorted by name.
    pub(super) fn versions(&'static self, group: &str, kind: &str) -> impl Iterator<Item = KindEntry> {
        let wanted = (group.as_bytes(), kind.as_bytes());
        let (mut low, mut high) = (0, self.kind_count());
        while low < high {
            let middle = low.midpoint(high);
            if self.names_of(middle).is_some_and(|names| names < wanted) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let first = self.names_of(low).filter(|names| *names == wanted);
        (low..self.kind_count())
            .map_while(move |index| (self.names_of(index)? == first?).then(|| self.kind(index))?)
    }

    /// Returns the group and kind of an entry.
    fn names_of(&self, index: usize) -> Option<(&'static [u8], &'static [u8])> {
        let bytes = |offset| Some(self.bytes_of(self.word(self.kinds, KIND_WORDS * index + offset)?.into()));
        Some((bytes(0)?, bytes(1)?))
    }

    /// Returns the node of a reference in this version.
    fn read(&self, reference: u16, version: KubeVersion) -> Option<SchemaNode> {
        self.decode(self.resolve(reference, version)?)
    }

    fn resolve(&self, reference: u16, version: KubeVersion) -> Option<usize> {
        if reference & FLAG == 0 {
            return Some(reference.into());
        }
        let definition = usize::from(reference & !FLAG);
        let first = usize::from(self.word(self.definitions, definition)?);
        let end = usize::from(self.word(self.definitions, definition + 1)?);
        (first..end).find_map(|variant| {
            let mask = self.word(self.variants, VARIANT_WORDS * variant)?;
            let node = self.word(self.variants, VARIANT_WORDS * variant + 1)?;
            (mask & version.bit() != 0).then_some(node.into())
        })
    }

    fn decode(&self, node: usize) -> Option<SchemaNode> {
        let start = usize::from(self.word(self.starts, node)?);
        let word = |offset: usize| self.word(self.stream, start + offset);
        let [code, flags] = word(0)?.to_le_bytes();
        let node = SchemaNode { nullable: flags & NULLABLE != 0, rest: ExtraFields::Free, ..SchemaNode::ANY };
        Some(match code {
            1 => {
                let count = usize::from(word(3)?);
                let topology = match flags & LIST_TYPE {
                    SET => ListTopology::Set,
                    MAP => ListTopology::Map(self.keys(start + 4, count)),
                    _ => ListTopology::Atomic,
                };
                let merge_key = if flags & MERGE == 0 { None } else { Some(self.string(word(2)?.into())) };
                SchemaNode {
                    kind: ValueType::Array,
                    items: Some(NodeId(word(1)?.into())),
                    topology,
                    merge_key,
                    ..node
                }
            }
            2 => SchemaNode { kind: ValueType::Boolean, ..node },
            3 => SchemaNode { kind: ValueType::Integer, format: format(word(1)?), ..node },
            // A port is an `int32`, as in the API server.
            4 => SchemaNode { kind: ValueType::IntOrString, format: ValueFormat::Int32, ..node },
            5 => SchemaNode {
                kind: ValueType::Object,
                rest: ExtraFields::Like(NodeId(word(1)?.into())),
                ..node
            },
            6 => SchemaNode { kind: ValueType::Number, format: format(word(1)?), ..node },
            7 => {
                let fields = SchemaFields::new(self.fields(start + 3, word(1)?.into()));
                let rest = if flags & CLOSED != 0 { ExtraFields::Closed } else { ExtraFields::Free };
                SchemaNode { kind: ValueType::Object, fields, rest, ..node }
            }
            8 => SchemaNode { kind: ValueType::Quantity, ..node },
            9 => {
                let values = self.words(start + 3, word(2)?.into());
                let values = values.map(|word| self.string(usize::from(word & !FLAG))).collect();
                SchemaNode { kind: ValueType::String, format: format(word(1)?), values, ..node }
            }
            _ => node,
        })
    }

    /// Returns up to `count` words of the stream.
    fn words(&self, start: usize, count: usize) -> impl Iterator<Item = u16> {
        (start..start + count).map_while(|index| self.word(self.stream, index))
    }

    /// Reads names with their flag, followed by as many references.
    fn fields(&self, start: usize, count: usize) -> Vec<SchemaField> {
        let field = |(name, target): (u16, u16)| SchemaField {
            required: name & FLAG != 0,
            ..SchemaField::new(self.name(name).into(), NodeId(target.into()))
        };
        self.words(start, count).zip(self.words(start + count, count)).map(field).collect()
    }

    /// Reads names, followed by as many defaults; an empty one means no default.
    fn keys(&self, start: usize, count: usize) -> Vec<ListKey> {
        let key = |(name, default): (u16, u16)| {
            let default = Some(self.string(default.into())).filter(|text| !text.is_empty());
            ListKey {
                name: self.name(name).into(),
                default: default.map(|text| NodeValue::String(text.into())),
            }
        };
        self.words(start, count).zip(self.words(start + count, count)).map(key).collect()
    }

    fn name(&self, word: u16) -> &'static str {
        self.string(usize::from(word & !FLAG))
    }
}

/// The embedded pack for one version of Kubernetes. Each node is decoded on first use, once per process.
#[derive(Debug)]
pub(super) struct DecodedPack {
    version: KubeVersion,
    /// By the numbers of the references.
    definitions: Box<[LazyNode]>,
    nodes: Box<[LazyNode]>,
}

type LazyNode = OnceLock<Box<SchemaNode>>;

impl DecodedPack {
    /// Returns the pack for a version; for an unknown version, every node accepts any value.
    pub(crate) fn for_version(version: KubeVersion) -> &'static Self {
        static VERSIONS: [OnceLock<DecodedPack>; MINORS as usize] =
            [const { OnceLock::new() }; MINORS as usize];
        static UNKNOWN: OnceLock<DecodedPack> = OnceLock::new();
        let slot = VERSIONS.get(version.bit().trailing_zeros() as usize).unwrap_or(&UNKNOWN);
        slot.get_or_init(|| {
            let slots = |count: usize| (0..count).map(|_| LazyNode::new()).collect();
            Self {
                version,
                definitions: slots((EMBEDDED.variants - EMBEDDED.definitions) / 2),
                nodes: slots((EMBEDDED.stream - EMBEDDED.starts) / 2),
            }
        })
    }

    /// Returns the node of a reference.
    pub(super) fn node(&'static self, id: NodeId) -> &'static SchemaNode {
        let Ok(reference) = u16::try_from(id.0) else { return const { &SchemaNode::ANY } };
        let slots = if reference & FLAG == 0 { &self.nodes } else { &self.definitions };
        let slot = slots.get(usize::from(reference & !FLAG));
        slot.map_or(const { &SchemaNode::ANY }, |slot| {
            slot.get_or_init(|| Box::new(EMBEDDED.read(reference, self.version).unwrap_or(SchemaNode::ANY)))
        })
    }
}

const fn word_at(bytes: &[u8], at: usize) -> Option<u16> {
    if at + 1 < bytes.len() { Some(u16::from_le_bytes([bytes[at], bytes[at + 1]])) } else { None }
}

const fn format(code: u16) -> ValueFormat {
    match code {
        1 => ValueFormat::Byte,
        2 => ValueFormat::DateTime,
        4 => ValueFormat::Int32,
        5 => ValueFormat::Int64,
        _ => ValueFormat::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::version::FIRST_MINOR;

    #[test]
    fn the_pack_is_sound_in_every_version() {
        assert!(BYTES.starts_with(b"SWK1"));
        assert!(BYTES.len() <= 134_000, "{} bytes", BYTES.len());
        assert_eq!(EMBEDDED.word(MAGIC, 0), Some(FIRST_MINOR.into()));
        assert_eq!(EMBEDDED.word(MAGIC, 1), Some(MINORS.into()));
        let strings = usize::from(EMBEDDED.word(MAGIC, 2).unwrap());
        let end = usize::from(EMBEDDED.word(EMBEDDED.strings, strings).unwrap());
        assert_eq!(EMBEDDED.text + end, BYTES.len(), "the text ends the file");
        let texts: Vec<_> = (0..strings).map(|index| EMBEDDED.string(index)).collect();
        assert!(
            texts.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()),
            "each string is there once, in order"
        );
        assert!(texts[1..].iter().all(|text| !text.is_empty()), "each string is UTF-8");
        let names: Vec<_> = EMBEDDED.kinds().map(|entry| (entry.group, entry.kind, entry.version)).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "each kind is there once, in order");
        for version in KubeVersion::all() {
            let mut seen = std::collections::BTreeSet::new();
            for entry in EMBEDDED.kinds().filter(|entry| entry.minors & version.bit() != 0) {
                visit(entry.id, version, &mut seen);
            }
            assert!(seen.len() > 700, "{version}: only {} nodes", seen.len());
        }
    }

    fn visit(id: NodeId, version: KubeVersion, seen: &mut std::collections::BTreeSet<u32>) {
        if !seen.insert(id.0) {
            return;
        }
        let node = EMBEDDED.resolve(id.0.try_into().unwrap(), version).expect("a node in this version");
        let decoded = EMBEDDED.decode(node).expect("a whole node");
        let is_any = EMBEDDED.word(EMBEDDED.stream, EMBEDDED.word(EMBEDDED.starts, node).unwrap().into());
        assert_eq!(
            decoded.kind == ValueType::Any,
            is_any.unwrap().to_le_bytes()[0] == 0,
            "each kind of node is known"
        );
        let names: Vec<_> = decoded.fields.iter().map(SchemaField::name).collect();
        assert!(names.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()), "fields are sorted");
        let written = EMBEDDED.word(EMBEDDED.starts, node).unwrap();
        let count = EMBEDDED.word(EMBEDDED.stream, usize::from(written) + 1).filter(|_| !names.is_empty());
        assert_eq!(names.len(), usize::from(count.unwrap_or(0)), "no field is lost");
        let required = EMBEDDED.word(EMBEDDED.stream, usize::from(written) + 2).filter(|_| !names.is_empty());
        assert_eq!(decoded.fields.required(), usize::from(required.unwrap_or(0)));
        for field in decoded.fields.iter() {
            assert_eq!(decoded.fields.find(field.name()).map(|found| found.id), Some(field.id));
            visit(field.id, version, seen);
        }
        if let ListTopology::Map(keys) = &decoded.topology {
            assert!(!keys.is_empty() && keys.iter().all(|key| !key.name.is_empty()));
        }
        assert!(decoded.format == ValueFormat::None || decoded.kind != ValueType::Object);
        decoded.items.into_iter().for_each(|id| visit(id, version, seen));
        if let ExtraFields::Like(id) = decoded.rest {
            visit(id, version, seen);
        }
    }

    #[test]
    fn corrupt_bytes_never_panic() {
        let mut state = 7_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap()
        };
        for round in 0..40 {
            let mut bytes = BYTES.to_vec();
            for _ in 0..=round {
                let at = random() % if round % 2 == 0 { 24 } else { bytes.len() };
                bytes[at] = random().to_le_bytes()[0];
            }
            if round % 3 == 0 {
                bytes.truncate(random() % bytes.len());
            }
            let pack: &'static SchemaPack =
                Box::leak(Box::new(SchemaPack::over(Box::leak(bytes.into_boxed_slice()))));
            assert!(pack.kinds().take(70_000).count() < 70_000);
            assert!(pack.versions("apps", "Deployment").take(70_000).count() < 70_000);
            for reference in (0..=u16::MAX).step_by(37) {
                let Some(node) = pack.read(reference, KubeVersion::NEWEST) else { continue };
                let _ = (node.fields.find("spec").is_some(), node.values.len());
                if let ListTopology::Map(keys) = &node.topology {
                    assert!(keys.iter().all(|key| key.name.len() < 70_000));
                }
            }
        }
    }
}
