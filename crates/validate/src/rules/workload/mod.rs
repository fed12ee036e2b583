//! Rules about workloads that are refused, or do not run as their author expects.

mod cron;
mod plain_pod;

rules! {
    automount_token,
    container_name,
    container_port,
    env_source,
    job,
    missing_volume,
    mount,
    pod_settings,
    probe,
    probe_port,
    resources,
    restart_policy,
    schedule,
    scheduling,
    security_context,
    selector_mismatch,
    strategy,
    volume_source,
}
