//! Checks Secrets: whether they exist, their keys, and the objects that they are made from.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use sealwave_core::text::quoted_list;
use sealwave_providers::{ApiObject, ApiResource, ClusterError};

use super::expected::{ExpectedSecret, ExpectedState, SecretSource};
use super::live::LiveReader;
use super::next_command::kubectl;
use super::report::VerificationReport;
use super::secret_sources;

pub(super) fn check(
    reader: &LiveReader<'_>,
    expected: &ExpectedState,
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    for secret in &expected.secrets {
        let Some(namespace) = reader.namespace_of(&secret.id) else {
            let mut checks = report.object(format!("Secret {}", secret.id.name));
            checks.unknown("namespace", "it has no namespace", Some("set it with `--namespace`".to_owned()));
            continue;
        };
        secret_sources::check(reader, namespace, secret, expected.rendered, report)?;
        check_secret(reader, namespace, secret, report)?;
    }
    Ok(())
}

fn check_secret(
    reader: &LiveReader<'_>,
    namespace: &str,
    secret: &ExpectedSecret,
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    let name = &secret.id.name;
    let mut checks = report.object(format!("Secret {namespace}/{name}"));
    let answer = reader.client.metadata(&ApiObject::named(ApiResource::SECRETS, namespace, name));
    let next = describe_source(namespace, secret);
    let Some(live) = checks.readable("exists", answer, "it does not exist", &next)? else { return Ok(()) };
    checks.right("exists", "it exists");
    if secret.keys.is_empty() {
        checks.unknown("keys", "the keys are not known before the values are fetched", None);
        return Ok(());
    }
    let Some(keys) = managed_keys(&live) else {
        let why = "no field manager is recorded for its data, and values are not read";
        checks.unknown("keys", why, Some(kubectl(namespace, "describe secret", name)));
        return Ok(());
    };
    let missing: Vec<&String> = secret.keys.difference(&keys).collect();
    if missing.is_empty() {
        checks.right("keys", quoted_list(&secret.keys.iter().collect::<Vec<_>>()));
    } else {
        checks.wrong("keys", format!("missing: {}", quoted_list(&missing)), next);
    }
    Ok(())
}

/// Returns the command that shows why a Secret is not as expected.
fn describe_source(namespace: &str, secret: &ExpectedSecret) -> String {
    let name = &secret.id.name;
    match &secret.source {
        SecretSource::External { name, .. } => kubectl(namespace, "describe externalsecret", name),
        SecretSource::Plain => "sync the Application".to_owned(),
        SecretSource::ProviderClass { .. } => format!(
            "the CSI driver creates it only while a pod mounts the volume: {}, then describe the pod that waits",
            kubectl(namespace, "get", "pods")
        ),
        SecretSource::Sealed { .. } => kubectl(namespace, "describe sealedsecret", name),
    }
}

/// Returns the keys of a Secret's data by the fields that its managers own; `None` if no manager owns any.
fn managed_keys(live: &Json) -> Option<BTreeSet<String>> {
    let managers = live.pointer("/metadata/managedFields")?.as_array()?;
    let fields = managers.iter().filter_map(|manager| {
        // Fields of subresources are not data.
        manager.pointer("/fieldsV1/f:data")?.as_object()
    });
    let mut keys = BTreeSet::new();
    let mut is_known = false;
    for fields in fields {
        is_known = true;
        keys.extend(fields.keys().filter_map(|field| field.strip_prefix("f:")).map(str::to_owned));
    }
    is_known.then_some(keys)
}
