//! Rules about references to objects, keys and files that do not exist, and about unused objects.

mod file_options;
mod files;
mod missing;

pub(super) mod dangling_gateway;
pub(super) mod dangling_ingress;
pub(super) mod dangling_monitor;
pub(super) mod dangling_network_policy;
pub(super) mod dangling_role;
pub(super) mod dangling_scale_target;
pub(super) mod dangling_service;
pub(super) mod missing_claim;
pub(super) mod missing_config_map;
pub(super) mod missing_file;
pub(super) mod missing_governing_service;
pub(super) mod missing_key;
pub(super) mod missing_secret;
pub(super) mod missing_service_account;
pub(super) mod unused;
