//! The pack: schemas of Kubernetes' own types, as `scripts/schemas` writes them (its text describes the format).
//!
//! Nothing is decoded beforehand: a node is read where a walk meets it. Every access is checked, so that whatever the
//! bytes are, the worst that comes of them is a node that takes anything; a test holds that they are sound.

use std::cell::Cell;

use super::version::KubeVersion;
use super::view::{Fields, Format, Id, Keys, Kind, Rest, Texts, Topology, View};

/// The oldest minor of the pack.
pub(super) const FIRST_MINOR: u8 = 25;
/// How many there are from it on.
pub(super) const MINORS: u8 = 13;

const BYTES: &[u8] = include_bytes!("pack.bin");
const MAGIC: usize = 4;
const HEADER: usize = 8;
const KIND_WORDS: usize = 5;
const VARIANT_WORDS: usize = 2;

/// The top bit of a reference means a definition, that of a field's name a required one.
const FLAG: u16 = 0x8000;

const NULLABLE: u8 = 1;
const CLOSED: u8 = 2;
const LIST_TYPE: u8 = 96;
const SET: u8 = 64;
const MAP: u8 = 96;

/// A kind of object: group, kind and version, where its schema is, and in which minors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KindEntry {
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
    pub(super) version: &'static str,
    pub(super) id: Id,
    /// Bit 0 is the oldest minor.
    pub(super) minors: u16,
}

/// A pack, and where its tables start, in bytes.
#[derive(Debug)]
pub(super) struct Pack {
    bytes: &'static [u8],
    strings: usize,
    definitions: usize,
    variants: usize,
    kinds: usize,
    starts: usize,
    stream: usize,
    text: usize,
}

/// The one that is compiled in.
pub(super) static EMBEDDED: Pack = Pack::over(BYTES);

impl Pack {
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

    /// A string's bytes: whoever only compares has no need to know that they are text.
    fn bytes_of(&self, index: usize) -> &'static [u8] {
        let at = self.strings + 2 * index;
        let Some(&[a, b, c, d]) = self.bytes.get(at..at + 4) else { return &[] };
        let (from, to) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        self.bytes.get(self.text + usize::from(from)..self.text + usize::from(to)).unwrap_or_default()
    }

    /// The kinds, sorted by group, kind and version.
    pub(super) fn kinds(&self) -> impl Iterator<Item = KindEntry> {
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
            id: Id(u32::from(word(3)? | FLAG)),
            minors: word(4)?,
        })
    }

    /// The versions of a group's kind, in the order of their names, of all minors.
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

    /// Group and kind of an entry.
    fn names_of(&self, index: usize) -> Option<(&'static [u8], &'static [u8])> {
        let bytes = |offset| Some(self.bytes_of(self.word(self.kinds, KIND_WORDS * index + offset)?.into()));
        Some((bytes(0)?, bytes(1)?))
    }

    /// The node that a reference means in this version.
    pub(super) fn view(&'static self, id: Id, version: KubeVersion) -> View<'static> {
        u16::try_from(id.0)
            .ok()
            .and_then(|reference| self.resolve(reference, version))
            .and_then(|node| self.decode(node))
            .unwrap_or(View::ANY)
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

    fn decode(&'static self, node: usize) -> Option<View<'static>> {
        let start = usize::from(self.word(self.starts, node)?);
        let word = |offset: usize| self.word(self.stream, start + offset);
        let words = |from: usize, count: u16| Words { pack: self, start: start + from, count: count.into() };
        let [code, flags] = word(0)?.to_le_bytes();
        let view = View { nullable: flags & NULLABLE != 0, rest: Rest::Free, ..View::ANY };
        Some(match code {
            1 => {
                let count = word(3)?;
                let names = words(4, count);
                let topology = match flags & LIST_TYPE {
                    SET => Topology::Set,
                    MAP => {
                        Topology::Map(Keys::Pack { names, defaults: words(4 + usize::from(count), count) })
                    }
                    _ => Topology::Atomic,
                };
                View { kind: Kind::Array, items: Some(Id(word(1)?.into())), topology, ..view }
            }
            2 => View { kind: Kind::Boolean, ..view },
            3 => View { kind: Kind::Integer, format: format(word(1)?), ..view },
            // A port is an `int32`, as the API server reads it.
            4 => View { kind: Kind::IntOrString, format: Format::Int32, ..view },
            5 => View { kind: Kind::Object, rest: Rest::Like(Id(word(1)?.into())), ..view },
            6 => View { kind: Kind::Number, format: format(word(1)?), ..view },
            7 => {
                let count = word(1)?;
                let fields = Fields::Pack {
                    names: words(3, count),
                    targets: words(3 + usize::from(count), count),
                    required: word(2)?.into(),
                };
                let rest = if flags & CLOSED != 0 { Rest::Closed } else { Rest::Free };
                View { kind: Kind::Object, fields, rest, ..view }
            }
            8 => View { kind: Kind::Quantity, ..view },
            9 => {
                let values = Texts { words: words(3, word(2)?) };
                View { kind: Kind::String, format: format(word(1)?), values, ..view }
            }
            _ => view,
        })
    }
}

const fn word_at(bytes: &[u8], at: usize) -> Option<u16> {
    if at + 1 < bytes.len() { Some(u16::from_le_bytes([bytes[at], bytes[at + 1]])) } else { None }
}

const fn format(code: u16) -> Format {
    match code {
        1 => Format::Byte,
        2 => Format::DateTime,
        4 => Format::Int32,
        5 => Format::Int64,
        _ => Format::None,
    }
}

/// Some words of one node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    pack: &'static Pack,
    start: usize,
    count: usize,
}

impl Words {
    pub(super) const EMPTY: Self = Self { pack: &EMBEDDED, start: 0, count: 0 };

    pub(super) const fn is_empty(self) -> bool {
        self.count == 0
    }

    pub(super) const fn len(self) -> usize {
        self.count
    }

    pub(super) fn word(self, index: usize) -> Option<u16> {
        (index < self.count).then(|| self.pack.word(self.pack.stream, self.start + index))?
    }

    /// Whether the top bit is set.
    pub(super) fn flagged(self, index: usize) -> bool {
        self.word(index).is_some_and(|word| word & FLAG != 0)
    }

    /// Where the word is that means this string; the words are in the order of their strings.
    pub(super) fn position(self, text: &str) -> Option<usize> {
        // Only what is compiled in stays as it is for as long as a thread remembers it.
        if !std::ptr::eq(self.pack, &raw const EMBEDDED) {
            return self.search(text.as_bytes());
        }
        let slot = |memo: &Memo| memo.slot(self.start, text.as_bytes()).get();
        let remembered = MEMO.with(slot);
        if remembered.start == self.start && remembered.text == text.as_bytes() {
            return Some(remembered.position);
        }
        let position = self.search(text.as_bytes())?;
        let found = Remembered { start: self.start, position, text: self.bytes(position) };
        MEMO.with(|memo| memo.slot(self.start, text.as_bytes()).set(found));
        Some(position)
    }

    fn search(self, text: &[u8]) -> Option<usize> {
        let at = self.pack.stream + 2 * self.start;
        let words = self.pack.bytes.get(at..at + 2 * self.count)?;
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            let other = self.pack.bytes_of(usize::from(word_at(words, 2 * middle)? & !FLAG));
            // The first bytes tell most names apart, and cost no call.
            match other.first().cmp(&text.first()).then_with(|| other.cmp(text)) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The bytes of the string that a word means, its top bit aside.
    fn bytes(self, index: usize) -> &'static [u8] {
        self.word(index).map_or(&[], |word| self.pack.bytes_of(usize::from(word & !FLAG)))
    }

    /// The string that a word means, its top bit aside.
    pub(super) fn text(self, index: usize) -> &'static str {
        self.word(index).map_or("", |word| self.pack.string(usize::from(word & !FLAG)))
    }
}

/// Where fields were found: a repository asks for the same few over and over, and this is quicker than a search.
struct Memo([Cell<Remembered>; MEMO_SLOTS]);

#[derive(Clone, Copy)]
struct Remembered {
    start: usize,
    position: usize,
    /// Empty, with a `start` that nothing has, in a slot that nothing was put into.
    text: &'static [u8],
}

const MEMO_SLOTS: usize = 256;

thread_local! {
    static MEMO: Memo = const { Memo([const { Cell::new(Remembered { start: usize::MAX, position: 0, text: &[] }) }; MEMO_SLOTS]) };
}

impl Memo {
    /// The only slot in which a text of these words can be; another that belongs there takes its place.
    fn slot(&self, start: usize, text: &[u8]) -> &Cell<Remembered> {
        let end = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
        let mixed = start.wrapping_mul(7) ^ end(text.first()) ^ (end(text.last()) << 3) ^ (text.len() << 1);
        &self.0[mixed % MEMO_SLOTS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::view::Format;

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

    fn visit(id: Id, version: KubeVersion, seen: &mut std::collections::BTreeSet<u32>) {
        if !seen.insert(id.0) {
            return;
        }
        let node = EMBEDDED.resolve(id.0.try_into().unwrap(), version).expect("a node in this version");
        let view = EMBEDDED.decode(node).expect("a whole node");
        let is_any = EMBEDDED.word(EMBEDDED.stream, EMBEDDED.word(EMBEDDED.starts, node).unwrap().into());
        assert_eq!(
            view.kind == Kind::Any,
            is_any.unwrap().to_le_bytes()[0] == 0,
            "each kind of node is known"
        );
        let names: Vec<_> = view.fields.names().collect();
        assert!(names.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()), "fields are sorted");
        let required = (0..names.len()).filter(|index| view.fields.field(*index).unwrap().required).count();
        assert_eq!(required, view.fields.required());
        for (index, name) in names.iter().enumerate() {
            let field = view.fields.field(index).unwrap();
            assert_eq!(view.fields.find(name).map(|found| found.id), Some(field.id));
            visit(field.id, version, seen);
        }
        if let Topology::Map(keys) = view.topology {
            assert!(keys.len() > 0 && (0..keys.len()).all(|index| !keys.name(index).is_empty()));
        }
        assert!(view.format == Format::None || view.kind != Kind::Object);
        view.items.into_iter().for_each(|id| visit(id, version, seen));
        if let Rest::Like(id) = view.rest {
            visit(id, version, seen);
        }
    }

    #[test]
    fn whatever_the_bytes_are_nothing_panics() {
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
            let pack: &'static Pack = Box::leak(Box::new(Pack::over(Box::leak(bytes.into_boxed_slice()))));
            assert!(pack.kinds().take(70_000).count() < 70_000);
            assert!(pack.versions("apps", "Deployment").take(70_000).count() < 70_000);
            for reference in (0..=u16::MAX).step_by(37) {
                let view = pack.view(Id(reference.into()), KubeVersion::NEWEST);
                let _ = (
                    view.fields.find("spec").is_some(),
                    view.values.iter().count(),
                    view.fields.names().count(),
                );
                if let Topology::Map(keys) = view.topology {
                    assert!(
                        (0..keys.len()).all(|index| keys.name(index).len() < 70_000
                            && keys.default(index).is_none_or(|_| true))
                    );
                }
            }
        }
    }
}
