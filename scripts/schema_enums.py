"""String fields of Kubernetes' own types that take one of a few values.

The published specifications omit enums (a live API server adds them since KEP-2887), so this table is manual. Its source
is the descriptions of the same definitions ("One of Always, Never, IfNotPresent", "Must be UDP, TCP, or SCTP");
`scripts/schemas --candidates` lists them. It has only fields of stable types, outside of `status`. If a value was added
or removed between minors, all of them are here: it is better to accept an unsupported value than to refuse a valid one.
`name[]` means the items of a list. An optional field may also be empty, which means its default.
"""

OPERATORS = "In NotIn Exists DoesNotExist"
TAINT_EFFECTS = "NoSchedule PreferNoSchedule NoExecute"
ACCESS_MODES = "ReadWriteOnce ReadOnlyMany ReadWriteMany ReadWriteOncePod"
PULL_POLICIES = "Always Never IfNotPresent"
PROTOCOLS = "TCP UDP SCTP"
TERMINATION_POLICIES = "File FallbackToLogsOnError"
# Init containers accept `Always` since 1.28, all containers accept all three since 1.34.
CONTAINER_RESTARTS = "Always OnFailure Never"
VOLUME_MODES = "Filesystem Block"
URI_SCHEMES = "HTTP HTTPS"
PROPAGATIONS = "None HostToContainer Bidirectional"
CACHING_MODES = "None ReadOnly ReadWrite"
WEBHOOK = {
    "failurePolicy": "Ignore Fail",
    "matchPolicy": "Exact Equivalent",
    # `Unknown` and `Some` were valid before admissionregistration.k8s.io/v1, the only version here.
    "sideEffects": "None NoneOnDryRun",
}
RULE = {
    "operations[]": "* CREATE UPDATE DELETE CONNECT",
    "scope": "Cluster Namespaced *",
}
CONTAINER = {
    "imagePullPolicy": PULL_POLICIES,
    "restartPolicy": CONTAINER_RESTARTS,
    "terminationMessagePolicy": TERMINATION_POLICIES,
}

ENUMS = {
    "io.k8s.api.admissionregistration.v1.MatchResources": {"matchPolicy": "Exact Equivalent"},
    "io.k8s.api.admissionregistration.v1.MutatingWebhook": WEBHOOK | {"reinvocationPolicy": "Never IfNeeded"},
    "io.k8s.api.admissionregistration.v1.NamedRuleWithOperations": RULE,
    "io.k8s.api.admissionregistration.v1.ParamRef": {"parameterNotFoundAction": "Allow Deny"},
    "io.k8s.api.admissionregistration.v1.RuleWithOperations": RULE,
    "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec": {"validationActions[]": "Deny Warn Audit"},
    "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec": {"failurePolicy": "Ignore Fail"},
    "io.k8s.api.admissionregistration.v1.ValidatingWebhook": WEBHOOK,
    "io.k8s.api.apps.v1.DaemonSetUpdateStrategy": {"type": "RollingUpdate OnDelete"},
    "io.k8s.api.apps.v1.DeploymentStrategy": {"type": "Recreate RollingUpdate"},
    "io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy": {
        "whenDeleted": "Retain Delete",
        "whenScaled": "Retain Delete",
    },
    "io.k8s.api.apps.v1.StatefulSetSpec": {"podManagementPolicy": "OrderedReady Parallel"},
    "io.k8s.api.apps.v1.StatefulSetUpdateStrategy": {"type": "RollingUpdate OnDelete"},
    "io.k8s.api.autoscaling.v2.HPAScalingPolicy": {"type": "Pods Percent"},
    "io.k8s.api.autoscaling.v2.HPAScalingRules": {"selectPolicy": "Max Min Disabled"},
    "io.k8s.api.autoscaling.v2.MetricSpec": {"type": "ContainerResource External Object Pods Resource"},
    "io.k8s.api.autoscaling.v2.MetricTarget": {"type": "Utilization Value AverageValue"},
    "io.k8s.api.batch.v1.CronJobSpec": {"concurrencyPolicy": "Allow Forbid Replace"},
    "io.k8s.api.batch.v1.JobSpec": {
        "completionMode": "NonIndexed Indexed",
        "podReplacementPolicy": "TerminatingOrFailed Failed",
    },
    "io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement": {"operator": "In NotIn"},
    "io.k8s.api.batch.v1.PodFailurePolicyRule": {"action": "FailJob FailIndex Ignore Count"},
    "io.k8s.api.core.v1.AppArmorProfile": {"type": "Localhost RuntimeDefault Unconfined"},
    "io.k8s.api.core.v1.AzureDiskVolumeSource": {"cachingMode": CACHING_MODES, "kind": "Shared Dedicated Managed"},
    "io.k8s.api.core.v1.Container": CONTAINER,
    "io.k8s.api.core.v1.ContainerPort": {"protocol": PROTOCOLS},
    "io.k8s.api.core.v1.ContainerResizePolicy": {
        "resourceName": "cpu memory",
        "restartPolicy": "NotRequired RestartContainer",
    },
    "io.k8s.api.core.v1.EphemeralContainer": CONTAINER,
    "io.k8s.api.core.v1.HTTPGetAction": {"scheme": URI_SCHEMES},
    "io.k8s.api.core.v1.HostPathVolumeSource": {
        "type": "DirectoryOrCreate Directory FileOrCreate File Socket CharDevice BlockDevice",
    },
    "io.k8s.api.core.v1.ImageVolumeSource": {"pullPolicy": PULL_POLICIES},
    "io.k8s.api.core.v1.LimitRangeItem": {"type": "Container Pod PersistentVolumeClaim"},
    "io.k8s.api.core.v1.NodeSelectorRequirement": {"operator": OPERATORS + " Gt Lt"},
    "io.k8s.api.core.v1.PersistentVolumeClaimSpec": {"accessModes[]": ACCESS_MODES, "volumeMode": VOLUME_MODES},
    "io.k8s.api.core.v1.PersistentVolumeSpec": {
        "accessModes[]": ACCESS_MODES,
        "persistentVolumeReclaimPolicy": "Retain Delete Recycle",
        "volumeMode": VOLUME_MODES,
    },
    "io.k8s.api.core.v1.PodOS": {"name": "linux windows"},
    "io.k8s.api.core.v1.PodSecurityContext": {
        "fsGroupChangePolicy": "OnRootMismatch Always",
        "seLinuxChangePolicy": "MountOption Recursive",
        "supplementalGroupsPolicy": "Merge Strict",
    },
    "io.k8s.api.core.v1.PodSpec": {
        "dnsPolicy": "ClusterFirstWithHostNet ClusterFirst Default None",
        "preemptionPolicy": "Never PreemptLowerPriority",
        "restartPolicy": "Always OnFailure Never",
    },
    "io.k8s.api.core.v1.ResourceQuotaSpec": {
        "scopes[]": "Terminating NotTerminating BestEffort NotBestEffort PriorityClass CrossNamespacePodAffinity"
                    " VolumeAttributesClass",
    },
    "io.k8s.api.core.v1.ScopedResourceSelectorRequirement": {
        "operator": OPERATORS,
        "scopeName": "Terminating NotTerminating BestEffort NotBestEffort PriorityClass CrossNamespacePodAffinity"
                     " VolumeAttributesClass",
    },
    "io.k8s.api.core.v1.SeccompProfile": {"type": "Localhost RuntimeDefault Unconfined"},
    "io.k8s.api.core.v1.SecurityContext": {"procMount": "Default Unmasked"},
    "io.k8s.api.core.v1.ServicePort": {"protocol": PROTOCOLS},
    "io.k8s.api.core.v1.ServiceSpec": {
        "externalTrafficPolicy": "Cluster Local",
        "internalTrafficPolicy": "Cluster Local",
        "ipFamilies[]": "IPv4 IPv6",
        "ipFamilyPolicy": "SingleStack PreferDualStack RequireDualStack",
        "sessionAffinity": "ClientIP None",
        "type": "ExternalName ClusterIP NodePort LoadBalancer",
    },
    "io.k8s.api.core.v1.Taint": {"effect": TAINT_EFFECTS},
    "io.k8s.api.core.v1.Toleration": {"effect": TAINT_EFFECTS, "operator": "Exists Equal Lt Gt"},
    "io.k8s.api.core.v1.TopologySpreadConstraint": {
        "nodeAffinityPolicy": "Honor Ignore",
        "nodeTaintsPolicy": "Honor Ignore",
        "whenUnsatisfiable": "DoNotSchedule ScheduleAnyway",
    },
    "io.k8s.api.core.v1.VolumeMount": {"mountPropagation": PROPAGATIONS, "recursiveReadOnly": "Disabled IfPossible Enabled"},
    "io.k8s.api.discovery.v1.EndpointSlice": {"addressType": "IPv4 IPv6 FQDN"},
    "io.k8s.api.flowcontrol.v1.FlowDistinguisherMethod": {"type": "ByUser ByNamespace"},
    "io.k8s.api.flowcontrol.v1.LimitResponse": {"type": "Queue Reject"},
    "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec": {"type": "Exempt Limited"},
    "io.k8s.api.flowcontrol.v1.Subject": {"kind": "Group ServiceAccount User"},
    "io.k8s.api.networking.v1.HTTPIngressPath": {"pathType": "Exact Prefix ImplementationSpecific"},
    "io.k8s.api.networking.v1.IngressClassParametersReference": {"scope": "Cluster Namespace"},
    "io.k8s.api.networking.v1.NetworkPolicyPort": {"protocol": PROTOCOLS},
    "io.k8s.api.networking.v1.NetworkPolicySpec": {"policyTypes[]": "Ingress Egress"},
    "io.k8s.api.policy.v1.PodDisruptionBudgetSpec": {"unhealthyPodEvictionPolicy": "AlwaysAllow IfHealthyBudget"},
    "io.k8s.api.rbac.v1.RoleRef": {"kind": "ClusterRole Role"},
    "io.k8s.api.rbac.v1.Subject": {"kind": "Group ServiceAccount User"},
    "io.k8s.api.scheduling.v1.PriorityClass": {"preemptionPolicy": "Never PreemptLowerPriority"},
    "io.k8s.api.storage.v1.CSIDriverSpec": {
        "fsGroupPolicy": "ReadWriteOnceWithFSType File None",
        "volumeLifecycleModes[]": "Persistent Ephemeral",
    },
    "io.k8s.api.storage.v1.StorageClass": {
        "reclaimPolicy": "Retain Delete Recycle",
        "volumeBindingMode": "Immediate WaitForFirstConsumer",
    },
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion": {"strategy": "None Webhook"},
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec": {"scope": "Cluster Namespaced"},
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement": {"operator": OPERATORS},
}

# Required by the API server, but not by the specifications.
REQUIRED = {
    "io.k8s.api.core.v1.Container": ["image"],
    "io.k8s.api.core.v1.EphemeralContainer": ["image"],
}

# Keys of list maps that have a default.
DEFAULTS = {
    ("io.k8s.api.core.v1.Container", "ports", "protocol"): "TCP",
    ("io.k8s.api.core.v1.EphemeralContainer", "ports", "protocol"): "TCP",
    ("io.k8s.api.core.v1.ServiceSpec", "ports", "protocol"): "TCP",
}
