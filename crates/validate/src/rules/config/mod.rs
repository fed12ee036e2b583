//! Rules about configuration that does not reach the program as its author expects.

rules! {
    env_duplicate,
    env_from_invalid_key,
    env_order,
    immutable_without_new_name,
    no_rollout_trigger,
    subpath_no_reload,
    too_large,
    unused_file,
    unused_value,
}
