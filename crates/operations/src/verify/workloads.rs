//! Checks workloads: the checksums of their pods' template, and the rollout.

use sealwave_core::text::counted;
use serde_json::Value as Json;

use sealwave_providers::{ApiResource, ClusterError};

use super::expected::{ExpectedState, ExpectedWorkload, RenderedFrom};
use super::live::{LiveReader, is_observed, number, text};
use super::next_command::kubectl;
use super::pods;
use super::report::{ObjectChecks, VerificationReport};

/// A kind of workload, and how its status tells that its rollout is complete.
struct WorkloadKind {
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    template: &'static str,
    rollout: Option<fn(&Json) -> RolloutState>,
}

/// The progress of a rollout.
pub(super) struct RolloutState {
    wanted: u64,
    updated: u64,
    available: u64,
    /// All pods, also those of older templates.
    total: u64,
}

const TEMPLATE: &str = "/spec/template";

const KINDS: [WorkloadKind; 6] = [
    WorkloadKind {
        group: "batch",
        kind: "CronJob",
        plural: "cronjobs",
        template: "/spec/jobTemplate/spec/template",
        rollout: None,
    },
    WorkloadKind {
        group: "apps",
        kind: "DaemonSet",
        plural: "daemonsets",
        template: TEMPLATE,
        rollout: Some(daemon_set),
    },
    WorkloadKind {
        group: "apps",
        kind: "Deployment",
        plural: "deployments",
        template: TEMPLATE,
        rollout: Some(replicated),
    },
    WorkloadKind { group: "batch", kind: "Job", plural: "jobs", template: TEMPLATE, rollout: None },
    WorkloadKind {
        group: "apps",
        kind: "ReplicaSet",
        plural: "replicasets",
        template: TEMPLATE,
        rollout: None,
    },
    WorkloadKind {
        group: "apps",
        kind: "StatefulSet",
        plural: "statefulsets",
        template: TEMPLATE,
        rollout: Some(replicated),
    },
];

pub(super) fn check(
    reader: &LiveReader<'_>,
    expected: &ExpectedState,
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    for workload in &expected.workloads {
        let kind = KINDS.iter().find(|kind| kind.kind == workload.kind && kind.group == workload.group);
        let name = &workload.id.name;
        let (Some(kind), Some(namespace)) = (kind, reader.namespace_of(&workload.id)) else {
            let mut checks = report.object(format!("{} {name}", workload.kind));
            let (why, next) = match kind {
                None => ("rollouts of this kind are not known", None),
                Some(_) => ("it has no namespace", Some("set it with `--namespace`".to_owned())),
            };
            checks.unknown("rollout", why, next);
            continue;
        };
        check_workload(reader, namespace, workload, kind, expected.rendered, report)?;
    }
    Ok(())
}

fn check_workload(
    reader: &LiveReader<'_>,
    namespace: &str,
    workload: &ExpectedWorkload,
    kind: &WorkloadKind,
    rendered: RenderedFrom,
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    let name = &workload.id.name;
    let resource = ApiResource { group: kind.group, version: "v1", plural: kind.plural, kind: kind.kind };
    let mut checks = report.object(format!("{} {namespace}/{name}", kind.kind));
    let answer = reader.get(resource, namespace, name);
    let next = "sync the Application";
    let Some(live) = checks.readable("exists", answer, "it does not exist", next)? else { return Ok(()) };
    checksums(&mut checks, workload, live.pointer(kind.template), rendered);
    let Some(rollout) = kind.rollout else {
        checks.unknown("rollout", "its pods read Secrets when they start, and it restarts none", None);
        return Ok(());
    };
    let is_complete = check_rollout(&mut checks, &live, &rollout(&live), kind, namespace, name);
    pods::check(reader, namespace, workload, &live, is_complete, report)
}

fn checksums(
    checks: &mut ObjectChecks<'_>,
    workload: &ExpectedWorkload,
    template: Option<&Json>,
    rendered: RenderedFrom,
) {
    if workload.checksums.is_empty() {
        checks.unknown("checksum", "it was rendered without a checksum", None);
        return;
    }
    if rendered == RenderedFrom::Preview {
        let next = "pass `--operator FILE`, or the output of `sealwave generate` with `--rendered FILE`";
        checks.unknown("checksum", "the checksums were not rendered", Some(next.to_owned()));
        return;
    }
    let annotations = template.and_then(|template| template.pointer("/metadata/annotations"));
    for (annotation, wanted) in &workload.checksums {
        let live = annotations.and_then(|annotations| annotations.get(annotation)?.as_str());
        match live {
            Some(live) if live == wanted => checks.right("checksum", format!("`{annotation}` is as rendered")),
            Some(_) => checks.wrong(
                "checksum",
                format!("`{annotation}` is not as rendered"),
                "sync the Application; if it is Synced, render with the operator's keys, the project and the app that Argo CD uses",
            ),
            None => checks.wrong("checksum", format!("`{annotation}` is missing"), "sync the Application"),
        }
    }
}

/// Adds the state of the rollout, and returns whether it is complete.
fn check_rollout(
    checks: &mut ObjectChecks<'_>,
    live: &Json,
    state: &RolloutState,
    kind: &WorkloadKind,
    namespace: &str,
    name: &str,
) -> bool {
    let next = kubectl(namespace, "rollout status", &format!("{}/{name}", kind.kind.to_lowercase()));
    let RolloutState { wanted, updated, available, total } = *state;
    let detail = if !is_observed(live) {
        "the controller has not seen its present generation".to_owned()
    } else if updated < wanted {
        format!("{updated} of {} with the present template", counted(wanted, "pod"))
    } else if total > updated {
        format!("{} of an older template left", counted(total - updated, "pod"))
    } else if available < wanted {
        format!("{available} of {} available", counted(wanted, "pod"))
    } else {
        checks.right(
            "rollout",
            format!("{available} of {} available, all with the present template", counted(wanted, "pod")),
        );
        return true;
    };
    checks.wrong("rollout", detail, next);
    false
}

/// Reads the status of a Deployment or `StatefulSet`. Go leaves out zeros.
fn replicated(live: &Json) -> RolloutState {
    let status = |field: &str| number(live, &format!("/status/{field}")).unwrap_or(0);
    let updated = status("updatedReplicas");
    let (current, update) = (text(live, "/status/currentRevision"), text(live, "/status/updateRevision"));
    // A StatefulSet that is complete counts its pods as current ones.
    let updated = if !update.is_empty() && current == update {
        updated.max(status("currentReplicas"))
    } else {
        updated
    };
    RolloutState {
        wanted: number(live, "/spec/replicas").unwrap_or(1),
        updated,
        available: status("availableReplicas"),
        total: status("replicas"),
    }
}

fn daemon_set(live: &Json) -> RolloutState {
    let status = |field: &str| number(live, &format!("/status/{field}")).unwrap_or(0);
    RolloutState {
        wanted: status("desiredNumberScheduled"),
        updated: status("updatedNumberScheduled"),
        available: status("numberAvailable"),
        total: status("updatedNumberScheduled"),
    }
}
