//! Rules about values that YAML changes.

pub(super) mod implicit_type;
