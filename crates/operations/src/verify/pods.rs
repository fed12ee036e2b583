//! Checks the pods of a workload: whether all run its present template and are ready, and where one that waits gets its volumes.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use sealwave_core::text::quoted_list;
use sealwave_providers::{ApiResource, ClusterError};

use super::expected::ExpectedWorkload;
use super::identity;
use super::live::{LiveReader, is_owned_by, is_true, name, owner_uids, text};
use super::next_command::{kubectl, rollout_command};
use super::report::VerificationReport;
use super::secret_sources::provider_classes;

const REPLICA_SETS: ApiResource<'static> =
    ApiResource { group: "apps", version: "v1", plural: "replicasets", kind: "ReplicaSet" };
const REVISION: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";
const ROLLOUT_HASH: &str = "/metadata/labels/rollouts-pod-template-hash";
const REVISION_HASH: &str = "/metadata/labels/controller-revision-hash";
const POD_STATUSES: ApiResource<'static> = ApiResource {
    group: "secrets-store.csi.x-k8s.io",
    version: "v1",
    plural: "secretproviderclasspodstatuses",
    kind: "SecretProviderClassPodStatus",
};
const PROVIDER_LOGS: &str = "kubectl -n kube-system logs -l app=csi-secrets-store-provider-aws --since 1h; \
                             kubectl -n kube-system logs -l app=secrets-store-csi-driver -c secrets-store --since 1h";
/// The most pods in a message.
const MAX_NAMED: usize = 5;

/// The pods of a workload.
struct WorkloadPods {
    /// Those of the present template.
    present: Vec<Json>,
    /// Those of older templates.
    old: Vec<Json>,
}

pub(super) fn check(
    reader: &LiveReader<'_>,
    namespace: &str,
    workload: &ExpectedWorkload,
    live: &Json,
    is_complete: bool,
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    let object = format!("{} {namespace}/{}", workload.kind, workload.id.name);
    let mut checks = report.object(&object);
    let found = pods(reader, namespace, live);
    let Some(found) = checks.readable("pods", found, "its pods do not exist", "kubectl get pods -A")? else {
        return Ok(());
    };
    let unready: Vec<&Json> =
        found.present.iter().filter(|pod| is_true(pod, "Ready") != Some(true)).collect();
    let names =
        |pods: &[&Json]| quoted_list(&pods.iter().take(MAX_NAMED).map(|pod| name(pod)).collect::<Vec<_>>());
    if !found.old.is_empty() {
        let old: Vec<&Json> = found.old.iter().collect();
        let next = rollout_command(live, namespace, &workload.id.name);
        checks.wrong("pods", format!("pods of an older template run: {}", names(&old)), next);
    } else if let Some(first) = unready.first() {
        let (cause, next) = waiting_cause(first, namespace);
        checks.wrong("pods", format!("not ready: {}{cause}", names(&unready)), next);
    } else {
        checks.right("pods", format!("{} run the present template and are ready", found.present.len()));
    }
    let is_waiting = !is_complete || !unready.is_empty();
    for class in &workload.provider_classes {
        mounts(reader, namespace, class, &found.present, report)?;
        if is_waiting {
            provider_identity(reader, namespace, class, workload, report)?;
        }
    }
    Ok(())
}

/// Returns the pods of a workload, without those that are being deleted.
fn pods(reader: &LiveReader<'_>, namespace: &str, live: &Json) -> Result<WorkloadPods, ClusterError> {
    let selector = selector(live);
    let is_alive = |pod: &Json| pod.pointer("/metadata/deletionTimestamp").is_none();
    let uid = text(live, "/metadata/uid");
    let all = reader.list(ApiResource::PODS, namespace, &selector)?.into_iter().filter(is_alive);
    let kind = text(live, "/kind");
    let (present, old) = if ["Deployment", "Rollout"].contains(&kind) {
        let sets = reader.list(REPLICA_SETS, namespace, &selector)?;
        let own: Vec<&Json> = sets.iter().filter(|set| is_owned_by(set, uid)).collect();
        let is_newest = |set: &&&Json| match kind {
            "Deployment" => text(set, REVISION) == text(live, REVISION),
            _ => text(set, ROLLOUT_HASH) == text(live, "/status/currentPodHash"),
        };
        let newest = own.iter().find(is_newest).map(|set| text(set, "/metadata/uid")).unwrap_or_default();
        let own: BTreeSet<&str> = own.iter().map(|set| text(set, "/metadata/uid")).collect();
        all.filter(|pod| owner_uids(pod).any(|owner| own.contains(owner)))
            .partition(|pod| is_owned_by(pod, newest))
    } else {
        let update = text(live, "/status/updateRevision");
        all.filter(|pod| is_owned_by(pod, uid))
            .partition(|pod| update.is_empty() || text(pod, REVISION_HASH) == update)
    };
    Ok(WorkloadPods { present, old })
}

/// Returns the labels of the workload's pods as a selector.
fn selector(live: &Json) -> String {
    let labels = live.pointer("/spec/selector/matchLabels").and_then(Json::as_object);
    let pairs =
        labels.into_iter().flatten().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    pairs.collect::<Vec<_>>().join(",")
}

/// Returns why a pod is not ready, and the next command.
fn waiting_cause(pod: &Json, namespace: &str) -> (&'static str, String) {
    let describe = kubectl(namespace, "describe pod", name(pod));
    let logs = kubectl(namespace, "logs --all-containers --tail 50", name(pod));
    let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let reasons = statuses.into_iter().filter_map(|path| pod.pointer(path)?.as_array()).flatten();
    let mut reasons =
        reasons.map(|status| text(status, "/state/waiting/reason")).filter(|reason| !reason.is_empty());
    match reasons.next().unwrap_or_default() {
        "CreateContainerConfigError" => {
            (": a Secret, a ConfigMap or a key that it uses does not exist", describe)
        }
        "ContainerCreating" | "PodInitializing" => (": a volume is not mounted yet", describe),
        "CrashLoopBackOff" => (": a container ends again and again", logs),
        "ErrImagePull" | "ImagePullBackOff" => (": an image cannot be pulled", describe),
        _ if is_true(pod, "PodScheduled") == Some(false) => (": no node takes it", describe),
        _ => ("", describe),
    }
}

/// Checks that the CSI driver mounted a class into all pods.
fn mounts(
    reader: &LiveReader<'_>,
    namespace: &str,
    class: &str,
    pods: &[Json],
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    let mut checks = report.object(format!("SecretProviderClass {namespace}/{class}"));
    let answer = reader.list(POD_STATUSES, namespace, "");
    if matches!(&answer, Err(error) if error.is_not_found()) {
        checks.unknown("mounted", "the cluster does not serve the status of mounts", None);
        return Ok(());
    }
    let Some(statuses) = checks.readable("mounted", answer, "", "")? else { return Ok(()) };
    let mounted = statuses.iter().filter(|status| {
        text(status, "/status/secretProviderClassName") == class
            && status.pointer("/status/mounted") == Some(&Json::Bool(true))
    });
    let mounted: BTreeSet<&str> = mounted.map(|status| text(status, "/status/podName")).collect();
    let missing: Vec<&str> = pods.iter().map(name).filter(|pod| !mounted.contains(pod)).collect();
    if missing.is_empty() {
        checks.right(
            "mounted",
            match pods.len() {
                1 => "1 pod mounts it".to_owned(),
                count => format!("{count} pods mount it"),
            },
        );
    } else {
        let named = quoted_list(&missing.iter().take(MAX_NAMED).collect::<Vec<_>>());
        let first = missing.first().copied().unwrap_or_default();
        checks.wrong(
            "mounted",
            format!("pods that do not mount it: {named}"),
            format!("{}, then {PROVIDER_LOGS}", kubectl(namespace, "describe pod", first)),
        );
    }
    Ok(())
}

/// Checks the identity with which the provider of a class logs in, if it is AWS.
fn provider_identity(
    reader: &LiveReader<'_>,
    namespace: &str,
    class: &str,
    workload: &ExpectedWorkload,
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    match reader.get(provider_classes("v1"), namespace, class) {
        Ok(live) if text(&live, "/spec/provider") == "aws" => {
            identity::check(reader, namespace, &workload.service_account, PROVIDER_LOGS, report)
        }
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() || error.is_denied() => Ok(()),
        Err(error) => Err(error),
    }
}
