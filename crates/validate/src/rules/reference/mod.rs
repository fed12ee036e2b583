//! Rules about references to objects, keys and files that do not exist, and about unused objects.

mod file_options;
mod files;
mod missing;

rules! {
    dangling_gateway,
    dangling_ingress,
    dangling_monitor,
    dangling_network_policy,
    dangling_role,
    dangling_scale_target,
    dangling_service,
    missing_claim,
    missing_config_map,
    missing_file,
    missing_governing_service,
    missing_key,
    missing_secret,
    missing_service_account,
    unused,
}
