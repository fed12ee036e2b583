//! Bounds of numbers and lengths.

use std::fmt;

/// A bound of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RangeBound<T> {
    /// More than this.
    Above(T),
    /// This or more.
    AtLeast(T),
    /// This or less.
    AtMost(T),
    /// Less than this.
    Below(T),
}

impl<T: Copy> RangeBound<T> {
    /// Returns the number.
    pub const fn end(&self) -> T {
        match self {
            Self::Above(end) | Self::AtLeast(end) | Self::AtMost(end) | Self::Below(end) => *end,
        }
    }
}

impl<T: fmt::Display> fmt::Display for RangeBound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Above(bound) => write!(f, "more than {bound}"),
            Self::AtLeast(bound) => write!(f, "at least {bound}"),
            Self::AtMost(bound) => write!(f, "at most {bound}"),
            Self::Below(bound) => write!(f, "less than {bound}"),
        }
    }
}
