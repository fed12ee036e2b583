//! One node of a schema as the walk sees it, whether it comes from the pack or from a CRD.

use super::crd::{Field, Key, Rules};
use super::pack::Words;
use crate::model::{Node, Number, Value};

/// Where a node of a schema is: a word of the pack, or above those, a node of the CRDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(pub(super) u32);

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    Array,
    Boolean,
    Integer,
    IntOrString,
    Number,
    Object,
    Quantity,
    String,
}

/// What a text or a number must look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    None,
    Byte,
    Cidr,
    Date,
    DateTime,
    Duration,
    Int32,
    Int64,
    Ipv4,
    Ipv6,
    Uri,
    Uuid,
}

/// What fields an object may have besides those that are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// None.
    Closed,
    /// Any.
    Free,
    /// Any with values like this.
    Like(Id),
}

/// What makes the items of a list differ.
#[derive(Clone, Copy)]
pub(super) enum Topology<'a> {
    /// Nothing.
    Atomic,
    /// The values of their keys.
    Map(Keys<'a>),
    /// Their values.
    Set,
}

/// A node of a schema.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    pub(super) format: Format,
    pub(super) fields: Fields<'a>,
    pub(super) rest: Rest,
    pub(super) items: Option<Id>,
    pub(super) topology: Topology<'a>,
    pub(super) values: Texts,
    pub(super) rules: Option<&'a Rules>,
}

impl View<'_> {
    /// A node that takes anything.
    pub(super) const ANY: Self = Self {
        kind: Kind::Any,
        nullable: true,
        format: Format::None,
        fields: Fields::Crd { fields: &[], required: 0 },
        rest: Rest::Free,
        items: None,
        topology: Topology::Atomic,
        values: Texts::NONE,
        rules: None,
    };
}

/// Texts of the pack, in the order of their bytes.
#[derive(Clone, Copy)]
pub(super) struct Texts {
    pub(super) words: Words,
}

impl Texts {
    pub(super) const NONE: Self = Self { words: Words::EMPTY };

    pub(super) fn is_empty(self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'static str> {
        (0..self.words.len()).map(move |index| self.words.text(index))
    }
}

/// The named fields of an object, sorted by name.
#[derive(Clone, Copy)]
pub(super) enum Fields<'a> {
    Crd {
        fields: &'a [Field],
        required: usize,
    },
    /// Names with their flag, and as many references.
    Pack {
        names: Words,
        targets: Words,
        required: usize,
    },
}

/// One named field.
#[derive(Clone, Copy)]
pub(super) struct FieldView {
    pub(super) id: Id,
    pub(super) required: bool,
    /// A null in its place counts as if it were not there.
    pub(super) null_is_absent: bool,
    /// Left out, it gets a value.
    pub(super) has_default: bool,
}

impl<'a> Fields<'a> {
    pub(super) const fn is_empty(self) -> bool {
        match self {
            Self::Crd { fields, .. } => fields.is_empty(),
            Self::Pack { names, .. } => names.is_empty(),
        }
    }

    pub(super) const fn len(self) -> usize {
        match self {
            Self::Crd { fields, .. } => fields.len(),
            Self::Pack { names, .. } => names.len(),
        }
    }

    /// How many of them are required.
    pub(super) const fn required(self) -> usize {
        match self {
            Self::Crd { required, .. } | Self::Pack { required, .. } => required,
        }
    }

    pub(super) fn name(self, index: usize) -> &'a str {
        match self {
            Self::Crd { fields, .. } => fields.get(index).map_or("", |field| &field.name),
            Self::Pack { names, .. } => names.text(index),
        }
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(move |index| self.name(index))
    }

    pub(super) fn field(self, index: usize) -> Option<FieldView> {
        match self {
            Self::Crd { fields, .. } => fields.get(index).map(Field::view),
            Self::Pack { names, targets, .. } => Some(FieldView {
                id: Id(u32::from(targets.word(index)?)),
                required: names.flagged(index),
                null_is_absent: false,
                has_default: false,
            }),
        }
    }

    pub(super) fn find(self, name: &str) -> Option<FieldView> {
        match self {
            Self::Crd { fields, .. } => {
                fields.binary_search_by(|field| (*field.name).cmp(name)).ok().and_then(|at| self.field(at))
            }
            Self::Pack { names, .. } => names.position(name).and_then(|at| self.field(at)),
        }
    }
}

/// The keys of a list map.
#[derive(Clone, Copy)]
pub(super) enum Keys<'a> {
    Crd(&'a [Key]),
    /// Names, and as many defaults; empty ones mean that there is none.
    Pack {
        names: Words,
        defaults: Words,
    },
}

impl<'a> Keys<'a> {
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Crd(keys) => keys.len(),
            Self::Pack { names, .. } => names.len(),
        }
    }

    pub(super) fn name(self, index: usize) -> &'a str {
        match self {
            Self::Crd(keys) => keys.get(index).map_or("", |key| &key.name),
            Self::Pack { names, .. } => names.text(index),
        }
    }

    /// What a key that is left out stands for.
    pub(super) fn default(self, index: usize) -> Option<Scalar<'a>> {
        match self {
            Self::Crd(keys) => keys.get(index)?.default.as_ref().and_then(Scalar::of),
            Self::Pack { defaults, .. } => {
                Some(defaults.text(index)).filter(|text| !text.is_empty()).map(Scalar::Text)
            }
        }
    }
}

/// A scalar that can be compared; `1` and `1.0` are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scalar<'a> {
    Flag(bool),
    Float(u64),
    Int(i128),
    Null,
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    /// `None` for mappings and sequences.
    pub(super) fn of(node: &'a Node) -> Option<Self> {
        match &node.value {
            Value::Bool(flag) => Some(Self::Flag(*flag)),
            Value::Null => Some(Self::Null),
            Value::Number(number) => {
                Some(integer(*number).map_or_else(|| Self::Float(float(*number).to_bits()), Self::Int))
            }
            Value::String(text) => Some(Self::Text(text)),
            Value::Mapping(_) | Value::Sequence(_) => None,
        }
    }
}

/// The number, where it has no fraction: a float is written without one (`1.0` as `1`) before the API server sees it.
pub(super) fn integer(number: Number) -> Option<i128> {
    // Go writes floats from 1e21 on with an exponent, which no integer may have.
    const EXPONENT_FROM: f64 = 1e21;
    match number {
        Number::Int(int) => Some(int.into()),
        Number::Uint(uint) => Some(uint.into()),
        #[expect(clippy::cast_possible_truncation, reason = "it is within the range of i128")]
        Number::Float(float) => {
            (float.fract() == 0.0 && float.abs() < EXPONENT_FROM).then_some(float as i128)
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "bounds of a schema are floats as well")]
pub(super) fn float(number: Number) -> f64 {
    match number {
        Number::Int(int) => int as f64,
        Number::Uint(uint) => uint as f64,
        Number::Float(float) => float,
    }
}
