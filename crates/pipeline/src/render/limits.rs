//! The limits that several files of this stage keep or report.

/// The number of problems after which rendering stops.
pub(crate) const MAX_PROBLEMS: usize = 200;

/// The maximum nesting of blocks; each branch of an `else if` adds one.
pub(super) const MAX_BLOCKS: usize = 64;
/// The maximum indentation of a partial in bytes: each line of it gets this indentation, and that of the partials
/// around it.
pub(super) const MAX_INDENT: usize = 256;
/// The maximum number of arguments of a call.
pub(super) const MAX_ARGUMENTS: usize = 64;
/// The maximum nesting of calls.
pub(super) const MAX_CALLS: usize = 16;
/// The maximum number of parts of a name; values are not deeper.
pub(super) const MAX_PARTS: usize = 128;
