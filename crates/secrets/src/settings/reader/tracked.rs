//! Deserializes with the YAML crate, and observes it: errors are values instead of texts, they have the path of their
//! field, no mapping has a key twice, and all keys and scalars that were read are kept for comparison with our reader.
//!
//! The YAML crate's own messages quote the input and are never read. What they would say is known without them: serde
//! passes the kind of an error and the expectation to [`de::Error`], and the YAML crate asks the visitor for the latter.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, IgnoredAny, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::expectation::{Expectation, one_of};
use super::trace::Trace;
use super::unknown_field::UnknownField;
use super::{ContentError, dialect};
use sealwave_core::text::closest_choice;

/// The value of a file, and what was read.
pub(super) struct TrackedValue<T> {
    /// The value.
    pub(super) value: T,
    /// The trace of what was read.
    pub(super) trace: Trace,
    /// Whether our reader might disagree on a key or scalar unless it is quoted.
    pub(super) has_unclear_scalar: bool,
}

/// An error, its path and its place; nothing in it quotes a value.
pub(super) struct TrackedError {
    pub(super) content: ContentError,
    /// The path of the value that was read.
    pub(super) path: Vec<PathStep>,
    /// Line and column, from 1; 0 if unknown.
    pub(super) place: (usize, usize),
}

/// A step from a collection to one of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathStep {
    Item(usize),
    Key(String),
}

/// Deserializes a text with one document.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<TrackedValue<T>, TrackedError> {
    let tracker = Tracker::default();
    let parser = yaml_serde::Deserializer::from_str(text);
    let result = T::deserialize(TrackedAdapter { inner: parser, tracker: &tracker, role: Role::Value });
    let state = tracker.0.into_inner();
    match result {
        Ok(value) => {
            let TrackerState { last, has_unclear_scalar, .. } = state;
            Ok(TrackedValue { value, trace: last.unwrap_or(Trace::Unread), has_unclear_scalar })
        }
        Err(error) => Err(state.into_error(error, text)),
    }
}

/// The observations so far.
#[derive(Default)]
struct Tracker(RefCell<TrackerState>);

#[derive(Default)]
struct TrackerState {
    /// The open collections, outermost first; on an error they remain and are its path.
    open: Vec<OpenCollection>,
    /// The last value that was read.
    last: Option<Trace>,
    /// The last key that was read.
    key: Option<String>,
    /// The error of one of our types, on its way through the YAML crate.
    error: Option<ContentError>,
    /// The expectation that the YAML crate asked for, which it only does for an error.
    expected: Option<Expectation>,
    /// The expectation of an enum that has not been visited.
    expected_enum: Option<Expectation>,
    /// The fields of the struct that is about to be read.
    fields: Option<&'static [&'static str]>,
    has_unclear_scalar: bool,
}

enum OpenCollection {
    Mapping { entries: Vec<(String, Trace)>, keys: BTreeSet<String>, current: Option<String> },
    Sequence { items: Vec<Trace>, in_item: bool },
}

impl TrackerState {
    fn into_error(mut self, error: TypedError<yaml_serde::Error>, text: &str) -> TrackedError {
        let (own, place) = match error {
            TypedError::Own(error) => (Some(error), None),
            TypedError::Parser(error) => (self.error.take(), error.location()),
        };
        let wrong_type = |expected: &Expectation| ContentError::WrongType(expected.clone());
        // Only for an enum it is unknown whether the YAML crate failed because of the type or of the syntax.
        let expected_enum = self.expected_enum.as_ref();
        let expected_enum =
            expected_enum.filter(|_| yaml_serde::from_str::<IgnoredAny>(text).is_ok()).map(wrong_type);
        let expected = own.or_else(|| self.expected.as_ref().map(wrong_type)).or(expected_enum);
        let content = expected.unwrap_or(ContentError::NotYaml).with_fields(self.fields);
        let place = place.map_or((0, 0), |place| (place.line(), place.column()));
        TrackedError { content, path: self.path(), place }
    }

    /// Returns the path of the value that was read when the error occurred.
    fn path(&self) -> Vec<PathStep> {
        let steps = self.open.iter().filter_map(|collection| match collection {
            OpenCollection::Mapping { current, .. } => Some(PathStep::Key(current.clone()?)),
            OpenCollection::Sequence { items, in_item } => in_item.then_some(PathStep::Item(items.len())),
        });
        steps.collect()
    }
}

/// Formats a path for messages: `a.b[0]`; `None` for the root, and for a path with keys that are not names of fields.
pub(super) fn display_path(path: &[PathStep]) -> Option<String> {
    let mut shown = String::new();
    for step in path {
        match step {
            PathStep::Key(key) if shown.is_empty() => shown.push_str(key),
            PathStep::Key(key) => shown = format!("{shown}.{key}"),
            PathStep::Item(index) => shown = format!("{shown}[{index}]"),
        }
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/[]*".contains(c);
    (!shown.is_empty() && shown.chars().all(is_plain)).then_some(shown)
}

impl Tracker {
    fn scalar<E: de::Error>(&self, role: Role, trace: Trace) -> Result<(), E> {
        let mut state = self.0.borrow_mut();
        match role {
            Role::Value => {
                state.has_unclear_scalar |= !dialect::is_clear_scalar(&trace);
                state.last = Some(trace);
            }
            Role::Key => {
                let text = match trace {
                    Trace::Bool(value) => value.to_string(),
                    Trace::Float(value) => value.to_string(),
                    Trace::Integer(value) => value.to_string(),
                    Trace::Text(text) => text,
                    Trace::Mapping(_) | Trace::Null | Trace::Sequence(_) | Trace::Unread => "~".to_owned(),
                };
                state.has_unclear_scalar |= !dialect::is_clear_key(&text);
                let is_new = match state.open.last_mut() {
                    Some(OpenCollection::Mapping { keys, .. }) => keys.insert(text.clone()),
                    _ => true,
                };
                if !is_new {
                    state.error = Some(ContentError::DuplicateKey { key: text });
                    return Err(E::custom(ContentError::NotYaml));
                }
                state.key = Some(text);
            }
        }
        Ok(())
    }

    /// Hands an error of our types to the YAML crate, which adds its place.
    fn lower<T, E: de::Error>(&self, result: Result<T, TypedError<E>>) -> Result<T, E> {
        result.map_err(|error| match error {
            TypedError::Parser(error) => error,
            TypedError::Own(error) => {
                self.0.borrow_mut().error = Some(error);
                E::custom(ContentError::NotYaml)
            }
        })
    }

    fn open(&self, collection: OpenCollection) {
        self.0.borrow_mut().open.push(collection);
    }

    fn close(&self) {
        let mut state = self.0.borrow_mut();
        state.last = state.open.pop().map(|collection| match collection {
            OpenCollection::Mapping { entries, .. } => Trace::Mapping(entries),
            OpenCollection::Sequence { items, .. } => Trace::Sequence(items),
        });
    }

    fn begin_value(&self) {
        let mut state = self.0.borrow_mut();
        state.last = None;
        let key = state.key.take();
        match state.open.last_mut() {
            Some(OpenCollection::Mapping { current, .. }) => *current = Some(key.unwrap_or_default()),
            Some(OpenCollection::Sequence { in_item, .. }) => *in_item = true,
            None => {}
        }
    }

    /// Ends a value; `is_absent` after the last item of a sequence.
    fn end_value(&self, is_absent: bool) {
        let mut state = self.0.borrow_mut();
        let trace = state.last.take().unwrap_or(Trace::Unread);
        match state.open.last_mut() {
            Some(OpenCollection::Mapping { entries, current, .. }) => {
                entries.push((current.take().unwrap_or_default(), trace));
            }
            Some(OpenCollection::Sequence { items, in_item }) => {
                *in_item = false;
                if !is_absent {
                    items.push(trace);
                }
            }
            None => {}
        }
    }
}

/// An error of our types, or one of the YAML crate, which passes through unread.
#[derive(Debug)]
enum TypedError<E> {
    Own(ContentError),
    Parser(E),
}

impl<E: de::Error> fmt::Display for TypedError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(error) => fmt::Display::fmt(error, f),
            Self::Parser(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl<E: de::Error> std::error::Error for TypedError<E> {}

impl<E: de::Error> de::Error for TypedError<E> {
    /// Drops the message: it may quote a value.
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self::Own(ContentError::Custom)
    }

    fn invalid_type(_found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Own(ContentError::WrongType(Expectation::of(expected)))
    }

    fn invalid_value(_found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Own(ContentError::WrongValue(Expectation::of(expected)))
    }

    fn invalid_length(_length: usize, expected: &dyn Expected) -> Self {
        Self::Own(ContentError::WrongValue(Expectation::of(expected)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let closest = closest_choice(variant, expected);
        Self::Own(ContentError::UnknownValue { expected: one_of(expected), closest })
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Own(ContentError::UnknownField(Box::new(UnknownField::new(field, expected))))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Own(ContentError::MissingField { field })
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Own(ContentError::DuplicateKey { key: field.to_owned() })
    }
}

/// The role of a value in its collection.
#[derive(Clone, Copy)]
enum Role {
    Key,
    Value,
}

/// A deserializer, visitor, seed or access of serde whose events are observed.
struct TrackedAdapter<'t, X> {
    inner: X,
    tracker: &'t Tracker,
    role: Role,
}

impl<'t, X> TrackedAdapter<'t, X> {
    const fn with<Y>(&self, inner: Y) -> TrackedAdapter<'t, Y> {
        TrackedAdapter { inner, tracker: self.tracker, role: self.role }
    }

    const fn value<Y>(&self, inner: Y) -> TrackedAdapter<'t, Y> {
        TrackedAdapter { inner, tracker: self.tracker, role: Role::Value }
    }
}

macro_rules! deserialize {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {
        $(fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
            let visitor = self.with(visitor);
            self.inner.$method($($argument,)* visitor).map_err(TypedError::Parser)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for TrackedAdapter<'_, D> {
    type Error = TypedError<D::Error>;

    deserialize! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_i128() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_option() deserialize_unit() deserialize_seq()
        deserialize_map() deserialize_identifier()
        deserialize_unit_struct(name: &'static str) deserialize_newtype_struct(name: &'static str)
        deserialize_tuple(length: usize) deserialize_tuple_struct(name: &'static str, length: usize)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.tracker.0.borrow_mut().fields = Some(fields);
        let visitor = self.with(visitor);
        self.inner.deserialize_struct(name, fields, visitor).map_err(TypedError::Parser)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        // Not observed, so the trace distinguishes ignored values from nulls.
        self.inner.deserialize_ignored_any(visitor).map_err(TypedError::Parser)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.tracker.0.borrow_mut().expected_enum = Some(Expectation::Text(one_of(variants)));
        let visitor = self.with(visitor);
        self.inner.deserialize_enum(name, variants, visitor).map_err(TypedError::Parser)
    }
}

macro_rules! visit_scalar {
    ($($method:ident($type:ty) => $trace:expr;)*) => {
        $(fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.tracker.scalar::<E>(self.role, $trace(value))?;
            self.tracker.lower(self.inner.$method(value))
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for TrackedAdapter<'_, V> {
    type Value = V::Value;

    /// The YAML crate calls this for its own errors only.
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tracker.0.borrow_mut().expected = Some(Expectation::of(&self.inner));
        self.inner.expecting(f)
    }

    visit_scalar! {
        visit_bool(bool) => Trace::Bool;
        visit_i64(i64) => |value| Trace::Integer(i128::from(value));
        visit_i128(i128) => Trace::Integer;
        visit_u64(u64) => |value| Trace::Integer(i128::from(value));
        visit_u128(u128) => |value| i128::try_from(value).map_or(Trace::Unread, Trace::Integer);
        visit_f64(f64) => Trace::Float;
        visit_str(&str) => |value: &str| Trace::Text(value.to_owned());
        visit_borrowed_str(&'de str) => |value: &str| Trace::Text(value.to_owned());
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.tracker.scalar::<E>(self.role, Trace::Null)?;
        self.tracker.lower(self.inner.visit_none())
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.tracker.scalar::<E>(self.role, Trace::Null)?;
        self.tracker.lower(self.inner.visit_unit())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.with(deserializer);
        self.tracker.lower(self.inner.visit_some(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.with(deserializer);
        self.tracker.lower(self.inner.visit_newtype_struct(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.tracker.open(OpenCollection::Sequence { items: Vec::new(), in_item: false });
        let access = self.value(access);
        let value = self.tracker.lower(self.inner.visit_seq(access))?;
        self.tracker.close();
        Ok(value)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let (entries, keys) = (Vec::new(), BTreeSet::new());
        self.tracker.open(OpenCollection::Mapping { entries, keys, current: None });
        let access = self.value(access);
        let value = self.tracker.lower(self.inner.visit_map(access))?;
        self.tracker.close();
        Ok(value)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.tracker.0.borrow_mut().expected_enum = None;
        let access = self.with(access);
        self.tracker.lower(self.inner.visit_enum(access))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for TrackedAdapter<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.with(deserializer);
        self.tracker.lower(self.inner.deserialize(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for TrackedAdapter<'_, A> {
    type Error = TypedError<A::Error>;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Self::Error> {
        let seed = self.value(seed);
        self.tracker.begin_value();
        let item = self.inner.next_element_seed(seed).map_err(TypedError::Parser)?;
        self.tracker.end_value(item.is_none());
        Ok(item)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for TrackedAdapter<'_, A> {
    type Error = TypedError<A::Error>;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        let seed = TrackedAdapter { inner: seed, tracker: self.tracker, role: Role::Key };
        self.inner.next_key_seed(seed).map_err(TypedError::Parser)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Self::Error> {
        let seed = self.value(seed);
        self.tracker.begin_value();
        let value = self.inner.next_value_seed(seed).map_err(TypedError::Parser)?;
        self.tracker.end_value(false);
        Ok(value)
    }
}

impl<'de, 't, A: EnumAccess<'de>> EnumAccess<'de> for TrackedAdapter<'t, A> {
    type Error = TypedError<A::Error>;
    type Variant = TrackedAdapter<'t, A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self::Variant), Self::Error> {
        let TrackedAdapter { inner, tracker, role } = self;
        let seed = TrackedAdapter { inner: seed, tracker, role };
        let (value, variant) = inner.variant_seed(seed).map_err(TypedError::Parser)?;
        Ok((value, TrackedAdapter { inner: variant, tracker, role: Role::Value }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for TrackedAdapter<'_, A> {
    type Error = TypedError<A::Error>;

    fn unit_variant(self) -> Result<(), Self::Error> {
        self.inner.unit_variant().map_err(TypedError::Parser)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Self::Error> {
        let seed = self.with(seed);
        self.inner.newtype_variant_seed(seed).map_err(TypedError::Parser)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Self::Error> {
        let visitor = self.with(visitor);
        self.inner.tuple_variant(length, visitor).map_err(TypedError::Parser)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let visitor = self.with(visitor);
        self.inner.struct_variant(fields, visitor).map_err(TypedError::Parser)
    }
}
