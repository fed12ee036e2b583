//! Checks workloads: the checksums of their pods' template, and the rollout.

use sealwave_core::text::counted;
use serde_json::Value as Json;

use sealwave_providers::{ApiResource, ClusterError};

use super::expected::{ExpectedState, ExpectedWorkload, RenderedFrom};
use super::live::{LiveReader, generation_text, is_observed, number, text};
use super::next_command::rollout_command;
use super::pods;
use super::report::{ObjectChecks, VerificationReport};

/// A kind of workload, and how its status tells that its rollout is complete.
struct WorkloadKind {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    template: &'static str,
    rollout: RolloutKind,
}

/// The way in which a kind replaces its pods.
enum RolloutKind {
    /// It does not; this says what its pods do.
    None(&'static str),
    /// Its status tells how far it is.
    Status(fn(&Json) -> RolloutState),
}

/// The progress of a rollout.
pub(super) struct RolloutState {
    /// The obstacle that its controller reports.
    problem: Option<&'static str>,
    wanted: u64,
    updated: u64,
    available: u64,
    /// All pods, also those of older templates.
    total: u64,
}

const TEMPLATE: &str = "/spec/template";
/// A pod has the annotations of a template itself.
const WHOLE: &str = "";
const REPLACES_NONE: &str = "it replaces no pods: those that run keep what they read when they started";
const STARTS_LATER: &str = "each of its jobs reads Secrets when it starts";

const KINDS: [WorkloadKind; 8] = [
    kind("batch", "CronJob", "cronjobs", "/spec/jobTemplate/spec/template", RolloutKind::None(STARTS_LATER)),
    kind("apps", "DaemonSet", "daemonsets", TEMPLATE, RolloutKind::Status(daemon_set)),
    kind("apps", "Deployment", "deployments", TEMPLATE, RolloutKind::Status(replicated)),
    kind("batch", "Job", "jobs", TEMPLATE, RolloutKind::None(REPLACES_NONE)),
    kind("", "Pod", "pods", WHOLE, RolloutKind::None("a pod keeps what it read when it started")),
    kind("apps", "ReplicaSet", "replicasets", TEMPLATE, RolloutKind::None(REPLACES_NONE)),
    WorkloadKind {
        version: "v1alpha1",
        ..kind("argoproj.io", "Rollout", "rollouts", TEMPLATE, RolloutKind::Status(argo_rollout))
    },
    kind("apps", "StatefulSet", "statefulsets", TEMPLATE, RolloutKind::Status(replicated)),
];

const fn kind(
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    template: &'static str,
    rollout: RolloutKind,
) -> WorkloadKind {
    WorkloadKind { group, version: "v1", kind, plural, template, rollout }
}

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
    let resource =
        ApiResource { group: kind.group, version: kind.version, plural: kind.plural, kind: kind.kind };
    let mut checks = report.object(format!("{} {namespace}/{name}", kind.kind));
    let answer = reader.get(resource, namespace, name);
    let next = "sync the Application";
    let Some(live) = checks.readable("exists", answer, "it does not exist", next)? else { return Ok(()) };
    if workload.template_of.is_none() {
        checksums(&mut checks, workload, live.pointer(kind.template), rendered);
    }
    let rollout = match kind.rollout {
        RolloutKind::None(detail) => {
            checks.unknown("rollout", detail, None);
            return Ok(());
        }
        RolloutKind::Status(rollout) => rollout,
    };
    if let Some((kind, name)) = &workload.template_of {
        check_reference(reader, namespace, (kind, name), &live, &mut checks)?;
    }
    let is_complete = check_rollout(&mut checks, &live, &rollout(&live), namespace, name);
    pods::check(reader, namespace, workload, &live, is_complete, report)
}

/// Checks that a Rollout has seen the present template of the workload that it names. That template itself is checked there.
fn check_reference(
    reader: &LiveReader<'_>,
    namespace: &str,
    (kind, name): (&str, &str),
    live: &Json,
    checks: &mut ObjectChecks<'_>,
) -> Result<(), ClusterError> {
    let known = KINDS.iter().find(|known| known.kind == kind && known.group == "apps");
    let Some(known) = known else {
        checks.unknown("template", "the workload that it names is of a kind that is not known", None);
        return Ok(());
    };
    let resource =
        ApiResource { group: known.group, version: known.version, plural: known.plural, kind: known.kind };
    let answer = reader.get(resource, namespace, name);
    let next = "correct `spec.workloadRef`, or sync the Application";
    let Some(named) =
        checks.readable("template", answer, "the workload that it names does not exist", next)?
    else {
        return Ok(());
    };
    let observed = generation_text(live, "/status/workloadObservedGeneration");
    match (observed, number(&named, "/metadata/generation")) {
        (Some(observed), Some(generation)) if observed >= generation => {
            checks.right("template", format!("it has the present template of {kind} `{name}`"));
        }
        (Some(_), Some(_)) => checks.wrong(
            "template",
            format!("its controller has not seen the present template of {kind} `{name}`"),
            rollout_command(live, namespace, text(live, "/metadata/name")),
        ),
        _ => checks.unknown("template", "its controller does not tell which template it has seen", None),
    }
    Ok(())
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
    namespace: &str,
    name: &str,
) -> bool {
    let next = rollout_command(live, namespace, name);
    let RolloutState { problem, wanted, updated, available, total } = *state;
    let detail = if let Some(problem) = problem {
        problem.to_owned()
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

const UNSEEN: &str = "the controller has not seen its present generation";

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
        problem: (!is_observed(live)).then_some(UNSEEN),
        wanted: number(live, "/spec/replicas").unwrap_or(1),
        updated,
        available: status("availableReplicas"),
        total: status("replicas"),
    }
}

/// Reads the status of a Rollout of Argo, whose phase counts only for the generation that its controller saw.
fn argo_rollout(live: &Json) -> RolloutState {
    let observed = generation_text(live, "/status/observedGeneration");
    let is_old =
        observed.is_some_and(|seen| number(live, "/metadata/generation").is_none_or(|now| seen < now));
    let is_silent = text(live, "/status/observedGeneration").is_empty();
    let problem = match text(live, "/status/phase") {
        _ if is_old || is_silent => Some(UNSEEN),
        "Degraded" => Some("it is Degraded: it was aborted, did not progress in time, or is not valid"),
        "Paused" => Some("it is paused, so pods of the old template run on"),
        // The numbers of pods tell more.
        "" | "Healthy" | "Progressing" => None,
        _ => Some("it is in a phase that is not known"),
    };
    let state = replicated(live);
    let is_complete = state.updated >= state.wanted && state.available >= state.wanted;
    let is_progressing = text(live, "/status/phase") == "Progressing" && is_complete;
    let problem = problem
        .or_else(|| is_progressing.then_some("it is Progressing: a step or an analysis is not complete"));
    RolloutState { problem, ..state }
}

fn daemon_set(live: &Json) -> RolloutState {
    let status = |field: &str| number(live, &format!("/status/{field}")).unwrap_or(0);
    RolloutState {
        problem: (!is_observed(live)).then_some(UNSEEN),
        wanted: status("desiredNumberScheduled"),
        updated: status("updatedNumberScheduled"),
        available: status("numberAvailable"),
        total: status("updatedNumberScheduled"),
    }
}
