//! The names of the private helpers and variables that the instrumenter inserts into templates.

/// The first character of the private helpers' names; templates must not call such names.
pub(super) const PRIVATE: char = '\u{10f8f0}';
/// Marks the line of the next element. Arguments: source, line, whether lines continue to count within it, and the
/// index of its price unless it was paid.
pub(super) const MARK: &str = "\u{10f8f0}mark";
/// Pays for what the next element copies. Argument: the index of its price.
pub(super) const PAY: &str = "\u{10f8f0}pay";
/// Enters a nested template or a partial.
pub(super) const ENTER: &str = "\u{10f8f0}enter";
/// Leaves a nested template or a partial.
pub(super) const LEAVE: &str = "\u{10f8f0}leave";
/// The local variable of a block that holds the source of its context.
pub(super) const SCOPE: &str = "\u{10f8f0}scope";
/// The local variable with the depth of the loop block to which `@key` belongs.
pub(super) const EACH: &str = "\u{10f8f0}each";
/// Prints a value.
pub(super) const PRINT: &str = "\u{10f8f0}print";
/// Passes the argument of `if` and `unless`.
pub(super) const TEST: &str = "\u{10f8f0}test";
/// Passes the argument of `each`.
pub(super) const ITEMS: &str = "\u{10f8f0}items";
/// Passes the argument of `with`.
pub(super) const BASE: &str = "\u{10f8f0}base";
/// Passes the context of a partial.
pub(super) const CONTEXT: &str = "\u{10f8f0}context";
/// Passes a named argument of a partial.
pub(super) const GIVEN: &str = "\u{10f8f0}given";
/// Passes the context of a partial that also has named arguments.
pub(super) const MERGED: &str = "\u{10f8f0}merged";

/// The index of the argument of [`MARK`] that is the price.
pub(super) const PRICE_OF_MARK: usize = 3;
