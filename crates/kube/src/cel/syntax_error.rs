//! Errors of the parser.

use std::fmt;

/// The reason why an expression was not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The position, in bytes.
    pub offset: usize,
    /// The problem; `None` if the expression may be valid, but exceeds this parser.
    pub problem: Option<&'static str>,
}

impl SyntaxError {
    pub(super) const fn at(offset: usize, problem: &'static str) -> Self {
        Self { offset, problem: Some(problem) }
    }

    /// Creates an error for an expression that may be valid, but is not supported.
    pub(super) const fn unsupported(offset: usize) -> Self {
        Self { offset, problem: None }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem.unwrap_or("expression is not supported"))
    }
}
