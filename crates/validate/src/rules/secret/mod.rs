//! Rules about credentials outside of Secrets, and about Secrets whose content is not as their author expects.

mod command_lines;
mod credential_drafts;

rules! {
    bad_base64,
    double_base64,
    encrypted_leftover,
    env_instead_of_file,
    in_annotation,
    in_args,
    in_config_map,
    in_env,
    in_field,
    in_file,
    in_values,
    invalid_key,
    one_step_switch,
    plaintext_in_git,
    rotation_policy,
    shadowed_key,
    tls_pair,
    too_large,
    trailing_newline,
    type_keys,
}
