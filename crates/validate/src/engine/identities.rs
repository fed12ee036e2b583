//! Identities of the objects of a long stream; only a digest and a line of each object are kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use super::options::ValidateOptions;
use crate::facts::checked_object::CheckedObject;
use crate::{Finding, ObjectRef, RelatedLabel, RelatedPlace, Span, rules};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{ObjectId, Origin, SourceLocation};
use sealwave_core::text::split_at_byte;

/// The identities of the objects of a window, with their positions.
#[derive(Default)]
pub(super) struct ObjectIdentities {
    /// Version, group, kind, namespace and name of each object, terminated by zero bytes.
    text: String,
    all: Vec<ObjectIdentity>,
}

struct ObjectIdentity {
    /// The end in the text; the start is the end of the previous identity.
    end: usize,
    at: Origin,
}

impl ObjectIdentities {
    pub(super) fn add(&mut self, object: &CheckedObject<'_>) {
        for part in [object.version, object.group, object.kind, object.namespace, object.name] {
            self.text.push_str(part);
            self.text.push('\0');
        }
        self.all.push(ObjectIdentity { end: self.text.len(), at: object.name_origin() });
    }

    /// Returns the texts of the identities with their positions.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Origin)> {
        let starts = std::iter::once(0).chain(self.all.iter().map(|one| one.end));
        starts.zip(&self.all).map(|(start, one)| (self.text.get(start..one.end).unwrap_or_default(), one.at))
    }
}

/// The first position of each identity.
#[derive(Default)]
pub(super) struct SeenIdentities {
    /// Creates digests of identities, keyed per run, so that collisions cannot be constructed.
    digests: RandomState,
    /// File index and line, by digest.
    places: HashMap<u64, (usize, u32), BuildHasherDefault<PassthroughHasher>>,
}

impl SeenIdentities {
    /// Returns the first position of an identity; records the position if it is new.
    pub(super) fn first_seen(&mut self, identity: &str, file: usize, line: u32) -> Option<(usize, u32)> {
        match self.places.entry(self.digest(identity)) {
            Entry::Occupied(seen) => Some(*seen.get()),
            Entry::Vacant(unseen) => {
                unseen.insert((file, line));
                None
            }
        }
    }

    /// Returns the digest of an identity, ignoring the API version.
    fn digest(&self, identity: &str) -> u64 {
        let mut hasher = self.digests.build_hasher();
        hasher.write(split_at_byte(identity, 0).map_or(identity, |(_, rest)| rest).as_bytes());
        hasher.finish()
    }
}

/// A hasher for keys that are digests already.
#[derive(Default)]
struct PassthroughHasher(u64);

impl Hasher for PassthroughHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn object_ref(identity: &str) -> ObjectRef {
    let mut parts = identity.split('\0').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    let (version, group) = (next(), next());
    let api_version = if group.is_empty() { version } else { format!("{group}/{version}") };
    ObjectRef { api_version, kind: next(), namespace: next(), name: next() }
}

pub(super) fn span(path: &str, line: u32, column: u32, width: u32) -> Span {
    Span { place: SourceLocation { path: path.to_owned(), line, column, rendered: None }, width }
}

/// Returns the finding for a duplicate object.
pub(super) fn duplicate_finding(
    options: &ValidateOptions,
    one: &str,
    span: Span,
    first: Span,
) -> Option<Finding> {
    let rule = &rules::resource::duplicate_id::RULE;
    let object = object_ref(one);
    let id = ObjectId {
        group: object.group().into(),
        kind: object.kind.as_str().into(),
        namespace: object.namespace.as_str().into(),
        name: object.name.as_str().into(),
    };
    let set = options.level(&rule.info)?;
    // Objects in two directories may be for two clusters.
    let directory = |path: &str| path.rsplit_once('/').map(|(directory, _)| directory.to_owned());
    let is_other_directory = directory(&span.place.path) != directory(&first.place.path);
    let severity = if is_other_directory { set.min(Severity::Note) } else { set };
    Some(Finding {
        hint: Some("remove one of the two".to_owned()),
        span: Some(span),
        related: vec![RelatedPlace {
            label: RelatedLabel::Text("it is defined here first".to_owned()),
            span: first,
            confidential: true,
        }],
        object: Some(object),
        pointer: "/metadata/name".to_owned(),
        ..Finding::new(&rule.info, severity, format!("{id} is defined twice"))
    })
}
