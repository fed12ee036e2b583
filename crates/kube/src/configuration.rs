//! Documents that look like Kubernetes objects, but that programs read from files and no API server stores.

use sealwave_core::document::{Node, group_and_version};

/// Configuration groups and their readers. Groups that an API server also serves are not included.
const READERS: &[(&str, &str)] = &[
    ("abac.authorization.kubernetes.io", API_SERVER),
    ("admission.k8s.io", "an admission webhook"),
    ("apiserver.config.k8s.io", API_SERVER),
    ("apiserver.k8s.io", API_SERVER),
    ("audit.k8s.io", API_SERVER),
    ("cli.kyverno.io", "the command kyverno"),
    ("client.authentication.k8s.io", "kubectl"),
    ("cloudcontrollermanager.config.k8s.io", CONTROLLER_MANAGER),
    ("controllermanager.config.k8s.io", CONTROLLER_MANAGER),
    ("ctlptl.dev", "ctlptl"),
    ("descheduler", "the descheduler"),
    ("eksctl.io", "eksctl"),
    ("eventratelimit.admission.k8s.io", API_SERVER),
    ("imagepolicy.k8s.io", "an image policy webhook"),
    ("k0sctl.k0sproject.io", "k0sctl"),
    ("k3d.io", "k3d"),
    ("kind.x-k8s.io", "kind"),
    ("kpt.dev", "kpt"),
    ("kubeadm.k8s.io", "kubeadm"),
    ("kubecontrollermanager.config.k8s.io", CONTROLLER_MANAGER),
    ("kubectl.config.k8s.io", "kubectl"),
    ("kubelet.config.k8s.io", "the kubelet"),
    ("kubeproxy.config.k8s.io", "kube-proxy"),
    ("kubescheduler.config.k8s.io", "the scheduler"),
    ("kuttl.dev", "kuttl"),
    ("meta.pkg.crossplane.io", "the command crossplane"),
    ("node.eks.aws", "nodeadm"),
    ("pod-security.admission.config.k8s.io", API_SERVER),
    ("podnodeselector.admission.k8s.io", API_SERVER),
    ("podtolerationrestriction.admission.k8s.io", API_SERVER),
    ("resourcequota.admission.k8s.io", API_SERVER),
    ("webhookadmission.config.k8s.io", API_SERVER),
];

const API_SERVER: &str = "the API server";
const CONTROLLER_MANAGER: &str = "the controller manager";

/// Returns the kind of a configuration document, and the program that reads it from a file.
#[must_use]
pub fn configuration_reader(document: &Node) -> Option<(&str, &'static str)> {
    let api_version = document.get("apiVersion")?.as_str()?;
    let (group, version) = group_and_version(api_version);
    let kind = document.get("kind")?.as_str().filter(|kind| !kind.is_empty())?;
    if (group, kind) == ("argoproj.io", "ConfigManagementPlugin") {
        return Some((kind, "the sidecar of Argo CD"));
    }
    if group.is_empty() {
        return (version == "v1" && kind == "Config").then_some((kind, "kubectl"));
    }
    let index = READERS.binary_search_by(|(known, _)| known.cmp(&group)).ok()?;
    Some((kind, READERS[index].1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use sealwave_core::document::{Origin, Sources};

    #[test]
    fn configuration_is_distinguished_from_objects() {
        assert!(READERS.is_sorted_by(|a, b| a.0 < b.0));
        let reader = |api_version: &str, kind: &str| {
            let source = Sources::default().add("a");
            let node =
                Node::from_json(&json!({"apiVersion": api_version, "kind": kind}), Origin::whole(source));
            configuration_reader(&node).map(|(_, reader)| reader)
        };
        for (api_version, kind, expected) in [
            ("apiserver.config.k8s.io/v1", "EncryptionConfiguration", "the API server"),
            ("apiserver.config.k8s.io/v1", "AdmissionConfiguration", "the API server"),
            ("apiserver.k8s.io/v1beta1", "EgressSelectorConfiguration", "the API server"),
            ("audit.k8s.io/v1", "Policy", "the API server"),
            ("kubelet.config.k8s.io/v1beta1", "KubeletConfiguration", "the kubelet"),
            ("kubeadm.k8s.io/v1beta4", "ClusterConfiguration", "kubeadm"),
            ("kubescheduler.config.k8s.io/v1", "KubeSchedulerConfiguration", "the scheduler"),
            ("client.authentication.k8s.io/v1", "ExecCredential", "kubectl"),
            ("kind.x-k8s.io/v1alpha4", "Cluster", "kind"),
            ("k3d.io/v1alpha5", "Simple", "k3d"),
            ("kpt.dev/v1", "Kptfile", "kpt"),
            ("argoproj.io/v1alpha1", "ConfigManagementPlugin", "the sidecar of Argo CD"),
            ("v1", "Config", "kubectl"),
        ] {
            assert_eq!(reader(api_version, kind), Some(expected), "{api_version} {kind}");
        }
        for (api_version, kind) in [
            ("v1", "ConfigMap"),
            ("argoproj.io/v1alpha1", "Application"),
            ("config.kpt.dev/v1", "Kptfile"),
            ("v1", ""),
            ("v2", "Config"),
            ("policy/v1", "Policy"),
            ("config.gatekeeper.sh/v1alpha1", "Config"),
            ("cluster.x-k8s.io/v1beta1", "Cluster"),
            ("authentication.k8s.io/v1", "TokenReview"),
            ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
            ("audit.k8s.io", "Policy"),
            ("xaudit.k8s.io/v1", "Policy"),
        ] {
            assert_eq!(reader(api_version, kind), None, "{api_version} {kind}");
        }
    }
}
