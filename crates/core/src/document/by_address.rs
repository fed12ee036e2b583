//! Map keys that identify a value by its address instead of its content.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ptr;

/// A borrowed value as a key, equal only to a key of the same value.
///
/// It holds the borrow, so the value can neither move nor end while the key exists, and no other value can have its address.
/// Keys have no order, which would depend on the machine.
pub struct ByAddress<'a, T>(pub &'a T);

impl<T> Clone for ByAddress<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ByAddress<'_, T> {}

impl<T> PartialEq for ByAddress<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.0, other.0)
    }
}

impl<T> Eq for ByAddress<'_, T> {}

impl<T> Hash for ByAddress<'_, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ptr::hash(self.0, state);
    }
}

/// Shows neither the value nor its address.
impl<T> fmt::Debug for ByAddress<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByAddress")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_at_two_places_are_two_keys() {
        let values = ["a".to_owned(), "a".to_owned()];
        assert_eq!(ByAddress(&values[0]), ByAddress(&values[0]));
        assert_ne!(ByAddress(&values[0]), ByAddress(&values[1]));
    }
}
