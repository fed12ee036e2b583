//! What one object says of another that is not so.

mod missing;

pub(super) mod missing_claim;
pub(super) mod missing_config_map;
pub(super) mod missing_key;
pub(super) mod missing_secret;
pub(super) mod missing_service_account;
