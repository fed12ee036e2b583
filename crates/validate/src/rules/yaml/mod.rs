//! What YAML makes of a text.

pub(super) mod implicit_type;
