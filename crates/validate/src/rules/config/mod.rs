//! Rules about configuration that does not reach the program as its author expects.

pub(super) mod env_duplicate;
pub(super) mod env_from_invalid_key;
pub(super) mod env_order;
pub(super) mod immutable_without_new_name;
pub(super) mod no_rollout_trigger;
pub(super) mod subpath_no_reload;
pub(super) mod too_large;
pub(super) mod unused_value;
