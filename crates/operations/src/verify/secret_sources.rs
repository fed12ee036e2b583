//! Checks the objects that Secrets are made from: `SealedSecret`, `ExternalSecret`, `SecretProviderClass`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use sealwave_core::text::shell_quoted;
use sealwave_providers::{ApiObject, ApiResource, ClusterError};

use super::expected::{ExpectedSecret, RenderedFrom, SecretSource};
use super::identity;
use super::live::{LiveReader, condition, is_observed, is_true, number, text};
use super::next_command::kubectl;
use super::report::{ObjectChecks, VerificationReport};

const SYNC: &str = "sync the Application";

pub(super) fn check(
    reader: &LiveReader<'_>,
    namespace: &str,
    secret: &ExpectedSecret,
    rendered: RenderedFrom,
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    match &secret.source {
        SecretSource::Plain => Ok(()),
        SecretSource::Sealed { items } => {
            let items = (rendered == RenderedFrom::Generated).then_some(items);
            sealed(reader, namespace, &secret.id.name, items, report)
        }
        SecretSource::External { version, name } => external(reader, namespace, version, name, report),
        SecretSource::ProviderClass { version, name } => {
            let resource = provider_classes(version);
            let mut checks = report.object(format!("SecretProviderClass {namespace}/{name}"));
            let answer = reader.get(resource, namespace, name);
            if checks.readable("exists", answer, "it does not exist", SYNC)?.is_some() {
                checks.right("exists", "it exists");
            }
            Ok(())
        }
    }
}

pub(super) fn provider_classes(version: &str) -> ApiResource<'_> {
    let (plural, kind) = ("secretproviderclasses", "SecretProviderClass");
    ApiResource { group: "secrets-store.csi.x-k8s.io", version, plural, kind }
}

fn sealed(
    reader: &LiveReader<'_>,
    namespace: &str,
    name: &str,
    items: Option<&BTreeMap<String, String>>,
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    let mut checks = report.object(format!("SealedSecret {namespace}/{name}"));
    let answer = reader.get(ApiResource::SEALED_SECRETS, namespace, name);
    let Some(live) = checks.readable("exists", answer, "it does not exist", SYNC)? else { return Ok(()) };
    match items {
        None => checks.unknown(
            "contents",
            "the ciphertexts were not rendered",
            Some(
                "pass `--operator FILE`, or the output of `sealwave generate` with `--rendered FILE`"
                    .to_owned(),
            ),
        ),
        Some(items) if has_items(&live, items) => checks.right("contents", "it has the rendered ciphertexts"),
        Some(_) => checks.wrong("contents", "its ciphertexts are not those that were rendered", SYNC),
    }
    let describe = kubectl(namespace, "describe sealedsecret", name);
    match is_true(&live, "Synced") {
        None => checks.wrong(
            "unsealed",
            "the controller has not reported about it",
            "check that the controller runs, watches this namespace, and has `--update-status`",
        ),
        Some(_) if !is_observed(&live) => {
            checks.wrong("unsealed", "the controller has not seen its present generation", describe);
        }
        Some(false) => {
            let (detail, next) = unseal_failure(&live, namespace, name, &describe);
            checks.wrong("unsealed", detail, next);
        }
        Some(true) => checks.right("unsealed", "the controller unsealed its present generation"),
    }
    Ok(())
}

fn has_items(live: &Json, items: &BTreeMap<String, String>) -> bool {
    let live = live.pointer("/spec/encryptedData").and_then(Json::as_object);
    live.is_some_and(|live| {
        live.len() == items.len()
            && items.iter().all(|(key, text)| live.get(key).and_then(Json::as_str) == Some(text))
    })
}

/// Returns the cause that the controller's message stands for. The message itself is not shown.
fn unseal_failure(live: &Json, namespace: &str, name: &str, describe: &str) -> (&'static str, String) {
    let message = condition(live, "Synced").map(|found| text(found, "/message")).unwrap_or_default();
    if message.contains("no key could decrypt") {
        (
            "no key of the controller can decrypt it: it was sealed for another key, name, namespace or scope",
            "compare the certificates: `sealwave cert check`; for committed files: `sealwave reseal --check`"
                .to_owned(),
        )
    } else if message.contains("already exists and is not managed") {
        (
            "a Secret of this name exists, and the controller does not manage it",
            format!("{} sealedsecrets.bitnami.com/managed=true", kubectl(namespace, "annotate secret", name)),
        )
    } else if message.contains("illegal base64") {
        ("an item is not valid base64", "seal the item again: `sealwave seal --merge-into FILE`".to_owned())
    } else if message.contains("immutable") {
        (
            "the Secret is immutable",
            format!("{}, which restarts nothing", kubectl(namespace, "delete secret", name)),
        )
    } else {
        ("the controller failed to unseal it", describe.to_owned())
    }
}

fn external(
    reader: &LiveReader<'_>,
    namespace: &str,
    version: &str,
    name: &str,
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    let (plural, kind) = ("externalsecrets", "ExternalSecret");
    let resource = ApiResource { group: "external-secrets.io", version, plural, kind };
    let mut checks = report.object(format!("ExternalSecret {namespace}/{name}"));
    let answer = reader.get(resource, namespace, name);
    let Some(live) = checks.readable("exists", answer, "it does not exist", SYNC)? else { return Ok(()) };
    let describe = kubectl(namespace, "describe externalsecret", name);
    let is_ready = is_true(&live, "Ready");
    match is_ready {
        None => checks.wrong(
            "ready",
            "the operator has not reported about it",
            "check that the External Secrets Operator runs and watches this namespace",
        ),
        Some(false) => checks.wrong("ready", external_failure(&live), describe),
        Some(true) if !is_synced_generation(&live) => {
            checks.wrong("ready", "the operator has not synced its present generation", describe);
        }
        Some(true) => checks.right("ready", "the operator synced its present generation"),
    }
    if is_ready == Some(true) {
        return Ok(());
    }
    store(reader, namespace, version, &live, report)
}

fn external_failure(live: &Json) -> &'static str {
    match condition(live, "Ready").map(|ready| text(ready, "/reason")).unwrap_or_default() {
        "SecretSyncedError" => "the operator failed to fetch it or to write the Secret",
        "SecretDeleted" => "the secret no longer exists in the store",
        "SecretMissing" => "the Secret is missing",
        _ => "it is not ready",
    }
}

/// Reports whether the synced version, which starts with a generation, is the present one. Older operators record none.
fn is_synced_generation(live: &Json) -> bool {
    let synced = text(live, "/status/syncedResourceVersion");
    let generation = synced.split('-').next().and_then(|generation| generation.parse().ok());
    synced.is_empty() || generation == number(live, "/metadata/generation")
}

/// Checks the store of an `ExternalSecret` that is not ready.
fn store(
    reader: &LiveReader<'_>,
    namespace: &str,
    version: &str,
    external: &Json,
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    let name = text(external, "/spec/secretStoreRef/name");
    if name.is_empty() {
        return Ok(());
    }
    let is_cluster = text(external, "/spec/secretStoreRef/kind") == "ClusterSecretStore";
    let (plural, kind) = if is_cluster {
        ("clustersecretstores", "ClusterSecretStore")
    } else {
        ("secretstores", "SecretStore")
    };
    let resource = ApiResource { group: "external-secrets.io", version, plural, kind };
    let namespace_of_store = (!is_cluster).then_some(namespace);
    let object = ApiObject { resource, namespace: namespace_of_store, name: Some(name) };
    let mut checks = report.object(match namespace_of_store {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    });
    let next = "create the store that the ExternalSecret names";
    let Some(live) = checks.readable("exists", reader.client.get(&object), "it does not exist", next)? else {
        return Ok(());
    };
    store_readiness(&mut checks, &live, plural, name, namespace_of_store);
    let account = live.pointer("/spec/provider/aws/auth/jwt/serviceAccountRef");
    if let Some(account) = account {
        let account_namespace = text(account, "/namespace");
        let account_namespace = if account_namespace.is_empty() { namespace } else { account_namespace };
        identity::check(reader, account_namespace, text(account, "/name"), OPERATOR_LOGS, report)?;
    }
    Ok(())
}

const OPERATOR_LOGS: &str =
    "kubectl logs --all-namespaces -l app.kubernetes.io/name=external-secrets --since 1h";

fn store_readiness(
    checks: &mut ObjectChecks<'_>,
    live: &Json,
    plural: &str,
    name: &str,
    namespace: Option<&str>,
) {
    match is_true(live, "Ready") {
        Some(true) => checks.right("ready", "the store is ready"),
        Some(false) => {
            let describe = namespace.map_or_else(
                || format!("kubectl describe {plural} {}", shell_quoted(name)),
                |namespace| kubectl(namespace, &format!("describe {plural}"), name),
            );
            checks.wrong(
                "ready",
                "the operator cannot log in to the store",
                format!("{describe}, then {OPERATOR_LOGS}"),
            );
        }
        None => checks.unknown("ready", "the operator has not reported about the store", None),
    }
}
