//! Rules about deprecated and removed API versions. [`crate::schema`] finds them; this module only holds their pages.

use super::{Check, Rule};
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};

/// A deprecated API: Kubernetes still serves it.
pub(crate) static DEPRECATED: Rule = Rule {
    info: RuleInfo {
        id: "api/deprecated",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an object is written in a deprecated version of its API",
        explanation: "The API server of a version that is checked against still takes the object, and warns of it. Beta versions \
                      are removed three releases after they are deprecated, or sooner; then the object cannot be applied, and \
                      an upgrade of the cluster turns every app that has one OutOfSync. For custom resources it is their \
                      definition that says so.",
        example: "apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\n",
        remedy: "Write the version that the hint names, and compare the fields: a newer version may have renamed some. The object \
                 in the cluster need not be made anew, since every version reads the same one.",
    },
    check: Check::Stage,
};

/// A removed API: Kubernetes no longer serves it.
pub(crate) static REMOVED: Rule = Rule {
    info: RuleInfo {
        id: "api/removed",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::EveryKind,
        summary: "an object is written in a version of its API that Kubernetes has no more",
        explanation: "The API server of a version that is checked against does not know this `apiVersion`: `no matches for kind`. \
                      Argo CD stops the whole sync there. Say which versions your clusters have with `--kube-version`, or \
                      `validate.kubeVersions` in `sealwave.yaml`; without one, the newest known version counts. For custom \
                      resources that only a built-in definition defines, it is a warning that its release does not serve the \
                      version: your cluster may run an older one.",
        example: "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n",
        remedy: "Write the version that the hint names, and compare the fields: a newer version may have renamed some. Where there \
                 is no successor (PodSecurityPolicy), remove the object.",
    },
    check: Check::Stage,
};
