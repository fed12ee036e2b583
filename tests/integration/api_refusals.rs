//! Errors that were missed in real inputs, and similar ones: the API server refuses each, and a flagged rule reports it.
//!
//! Test names start with the number of the error: `m_fn_` from well-known repositories, `f8_` from a real API server, `r` from
//! public bug reports.

use crate::support::examined;
use sealwave_core::diagnostic::Severity;
use sealwave_validate::Finding;

fn findings(text: &str) -> Vec<Finding> {
    examined::text(text, &examined::with_app(&examined::decided(&[]), None))
}

/// Returns the rules of the errors in a manifest.
fn errors(text: &str) -> Vec<&'static str> {
    let found = findings(text).into_iter().filter(|finding| finding.severity == Severity::Error);
    found.map(|finding| finding.rule.id).collect()
}

/// Asserts that each manifest has an error of a rule for objects that the API server refuses.
fn refused(rule: &str, texts: &[String]) {
    assert!(sealwave_validate::rules::rule(rule).unwrap().is_refused(), "{rule}");
    for text in texts {
        assert!(errors(text).contains(&rule), "{rule} does not report:\n{text}\n{:?}", errors(text));
    }
}

/// Asserts that no manifest has an error.
fn accepted(texts: &[String]) {
    for text in texts {
        assert!(errors(text).is_empty(), "{:?}:\n{text}", errors(text));
    }
}

fn pod(spec: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {{{spec}}}\n")
}

/// Returns a Pod whose only container has these fields.
fn container(fields: &str) -> String {
    pod(&format!("containers: [{{name: web, image: \"web:1\", {fields}}}]"))
}

fn with_pod(fields: &str) -> String {
    pod(&format!("containers: [{{name: web, image: \"web:1\"}}], {fields}"))
}

fn object(api_version: &str, kind: &str, spec: &str) -> String {
    format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: web}}\nspec: {spec}\n")
}

fn deployment(fields: &str) -> String {
    let spec = format!(
        "{{selector: {{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: \
         [{{name: web, image: \"web:1\"}}]}}}}{fields}}}"
    );
    object("apps/v1", "Deployment", &spec)
}

fn all<const N: usize>(make: impl Fn(&str) -> String, parts: [&str; N]) -> Vec<String> {
    parts.into_iter().map(make).collect()
}

#[test]
fn m_fn_02_a_container_needs_an_image() {
    let image = |image: &str| pod(&format!("containers: [{{name: web, image: {image}}}]"));
    refused("image/missing", &all(image, ["\"\"", "\" web:1\"", "\"web:1 \""]));
    refused("schema/required", &all(image, [""]));
    accepted(&all(image, ["web:1", "\"${IMAGE}\""]));
}

#[test]
fn m_fn_03_05_objects_need_their_spec() {
    let bare = |kind: &str| {
        let (api_version, kind) = kind.rsplit_once('/').unwrap();
        format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: web}}\n")
    };
    for kind in [
        "apps/v1/Deployment",
        "apps/v1/StatefulSet",
        "batch/v1/Job",
        "v1/Pod",
        "v1/Service",
        "networking.k8s.io/v1/Ingress",
    ] {
        let found = errors(&bare(kind));
        assert!(
            matches!(found.as_slice(), ["resource/incomplete" | "schema/required"]),
            "{kind} is reported once: {found:?}"
        );
    }
    accepted(&all(bare, ["networking.k8s.io/v1/NetworkPolicy", "v1/ConfigMap", "v1/ServiceAccount"]));
}

#[test]
fn m_fn_04_a_service_needs_ports() {
    let service = |spec: &str| object("v1", "Service", spec);
    refused(
        "resource/service",
        &all(
            service,
            [
                "{selector: {app: web}}",
                "{clusterIP: none, ports: [{port: 80}]}",
                "{clusterIP: 10.0.0.300, ports: [{port: 80}]}",
                "{externalTrafficPolicy: Local, ports: [{port: 80}]}",
                "{loadBalancerSourceRanges: [10.0.0.0/8], ports: [{port: 80}]}",
                "{type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0], ports: [{port: 80}]}",
                "{type: ExternalName, externalName: Shop_1}",
                "{type: ExternalName, externalName: a.example.com, clusterIP: None}",
                "{externalIPs: [127.0.0.1], ports: [{port: 80}]}",
                "{ports: [{port: 80, appProtocol: not ok}]}",
                "{clusterIP: 10.0.0.1, clusterIPs: [10.0.0.2], ports: [{port: 80}]}",
            ],
        ),
    );
    accepted(&all(
        service,
        [
            "{clusterIP: None, selector: {app: web}}",
            "{clusterIP: \"\", ports: [{port: 80}]}",
            "{type: ExternalName, externalName: a.example.com.}",
            "{type: NodePort, externalTrafficPolicy: Local, ports: [{port: 80}]}",
            "{externalIPs: [203.0.113.1], externalTrafficPolicy: Local, ports: [{port: 80}]}",
            "{sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}, ports: [{port: 80}]}",
            "{ports: [{port: 80, appProtocol: kubernetes.io/h2c, protocol: \"\"}]}",
        ],
    ));
}

#[test]
fn m_fn_06_09_scheduling() {
    refused("metadata/label", &[with_pod("nodeSelector: {disk: \"not ok!\"}")]);
    refused(
        "workload/scheduling",
        &all(
            with_pod,
            [
                "topologySpreadConstraints: [{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]",
                "topologySpreadConstraints: [{maxSkew: 1, topologyKey: \"\", whenUnsatisfiable: DoNotSchedule}]",
                "tolerations: [{key: a, operator: Exists, value: b}]",
                "tolerations: [{key: a, effect: NoSchedule, tolerationSeconds: 5}]",
                "tolerations: [{value: a}]",
                "tolerations: [{key: a b, operator: Exists}]",
                "affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 101, \
                 podAffinityTerm: {topologyKey: zone}}]}}",
                "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: \"\"}]}}",
                "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}",
                "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: \
                 [{matchExpressions: [{key: a, operator: In}]}]}}}",
                "priorityClassName: Not_Valid",
                "runtimeClassName: Not_Valid",
            ],
        ),
    );
    accepted(&all(
        with_pod,
        [
            "tolerations: [{operator: Exists}]",
            "tolerations: [{key: a, operator: Exists, value: \"\"}]",
            "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]",
            "affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, \
             podAffinityTerm: {topologyKey: zone}}]}}",
            "priorityClassName: \"\"",
        ],
    ));
}

#[test]
fn m_fn_07_08_11_placeholders_for_people() {
    let ingress = |host: &str| {
        let backend = "{service: {name: web, port: {number: 80}}}";
        let path = format!("{{path: /, pathType: Prefix, backend: {backend}}}");
        object(
            "networking.k8s.io/v1",
            "Ingress",
            &format!("{{rules: [{{host: '{host}', http: {{paths: [{path}]}}}}]}}"),
        )
    };
    refused(
        "resource/ingress",
        &all(ingress, ["shop.<your domain>", "$(HOST)", "{host}", "<host>.example.com"]),
    );
    let named = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: '{name}'}}\n");
    refused("metadata/name", &all(named, ["app-<node>", "$(app)-x", "{app}", "a<b", "a$"]));
    let of_container = |name: &str| pod(&format!("containers: [{{name: '{name}', image: \"web:1\"}}]"));
    refused("workload/container-name", &all(of_container, ["we<b", "$(NAME)", ""]));
    accepted(&all(named, ["${APP}", "$APP", "web-{{ env }}", "${APP:=x}"]));
    accepted(&all(ingress, ["shop.${DOMAIN}", "{{ host }}"]));
}

#[test]
fn m_fp_04_and_fn_12_variables_in_plain_manifests_are_accepted() {
    let labeled = |value: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, labels: {{env: '{value}'}}}}\n")
    };
    accepted(&all(labeled, ["${env:=dev}", "${env}", "$ENV"]));
    refused("metadata/label", &all(labeled, ["<env>", "$(ENV)", "5$"]));
    let plugin = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'a-<env>', annotations: {avp.kubernetes.io/path: a}}\n";
    accepted(&[plugin.to_owned()]);
    accepted(&all(
        with_pod,
        [
            "hostname: \"${NAME}\"",
            "tolerations: [{key: \"${KEY}\", value: \"${VALUE:=a b}\"}]",
            "hostAliases: [{ip: \"${IP}\"}]",
            "serviceAccountName: \"${ACCOUNT}\"",
        ],
    ));
    accepted(&[
        object("policy/v1", "PodDisruptionBudget", "{minAvailable: \"${LEAST}\"}"),
        object("v1", "Service", "{clusterIP: \"${IP}\", externalIPs: [\"${IP}\"], ports: [{port: 80}]}"),
        object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "{podSelector: {}, egress: [{to: [{ipBlock: {cidr: \"${CIDR}\"}}]}]}",
        ),
    ]);
}

#[test]
fn m_fn_10_disruption_budgets() {
    let budget =
        |value: &str| object("policy/v1", "PodDisruptionBudget", &format!("{{minAvailable: {value}}}"));
    refused(
        "resource/disruption-budget",
        &all(budget, ["\"150%\"", "fifty", "-1", "\"50\"", "\"-5%\"", "\"5.5%\"", "1, maxUnavailable: 1"]),
    );
    accepted(&all(budget, ["\"100%\"", "0", "\"0%\"", "null"]));
}

#[test]
fn m_4_autoscalers() {
    let scaler = |fields: &str| {
        let spec =
            format!("{{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}, {fields}}}");
        object("autoscaling/v2", "HorizontalPodAutoscaler", &spec)
    };
    refused(
        "resource/autoscaler",
        &all(
            scaler,
            [
                "maxReplicas: 0",
                "minReplicas: 0, maxReplicas: 1",
                "maxReplicas: 1, metrics: [{type: Resource}]",
                "maxReplicas: 1, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization}}}]",
                "maxReplicas: 1, metrics: [{type: Pods, pods: {metric: {name: a}, target: {type: Value, value: 1}}}]",
                "maxReplicas: 1, behavior: {scaleDown: {stabilizationWindowSeconds: 3601}}",
                "maxReplicas: 1, behavior: {scaleDown: {policies: [{type: Pods, value: 1, periodSeconds: 1801}]}}",
            ],
        ),
    );
    accepted(&all(
        scaler,
        [
            "maxReplicas: 1",
            "minReplicas: 0, maxReplicas: 1, metrics: [{type: External, external: {metric: {name: a}, target: {type: \
             Value, value: 1}}}]",
            "maxReplicas: 1, behavior: {scaleDown: {stabilizationWindowSeconds: 3600}}",
        ],
    ));
}

#[test]
fn m_4_network_policies() {
    let policy = |rule: &str| {
        object("networking.k8s.io/v1", "NetworkPolicy", &format!("{{podSelector: {{}}, egress: [{rule}]}}"))
    };
    refused(
        "resource/network-policy",
        &all(
            policy,
            [
                "{ports: [{port: 70000}]}",
                "{ports: [{port: 90, endPort: 80}]}",
                "{ports: [{port: http, endPort: 80}]}",
                "{ports: [{endPort: 80}]}",
                "{ports: [{port: \"80\"}]}",
                "{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [192.168.0.0/24]}}]}",
                "{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}",
                "{to: [{ipBlock: {cidr: \"fd00::/8\", except: [10.0.0.0/24]}}]}",
                "{to: [{podSelector: {matchExpressions: [{key: a, operator: In}]}}]}",
            ],
        ),
    );
    accepted(&all(
        policy,
        [
            "{ports: [{port: 80, endPort: 80}, {protocol: UDP}, {port: http}]}",
            "{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 192.168.1.0/24]}}]}",
            "{to: [{ipBlock: {cidr: \"::/0\", except: [\"fd00::/8\"]}}]}",
        ],
    ));
}

#[test]
fn m_4_ingresses() {
    let ingress = |spec: &str| object("networking.k8s.io/v1", "Ingress", spec);
    refused(
        "resource/ingress",
        &all(
            ingress,
            [
                "{defaultBackend: {service: {name: web, port: {}}}}",
                "{defaultBackend: {service: {name: web}}}",
                "{defaultBackend: {}}",
                "{rules: [{http: {paths: []}}]}",
                "{ingressClassName: Not_Valid, defaultBackend: {service: {name: web, port: {number: 80}}}}",
                "{tls: [{secretName: Not_Valid}], defaultBackend: {service: {name: web, port: {number: 80}}}}",
                "{defaultBackend: {service: {name: web, port: {name: UPPER}}}}",
                "{rules: [{http: {paths: [{pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}",
            ],
        ),
    );
    accepted(&all(
        ingress,
        [
            "{defaultBackend: {resource: {kind: Bucket, name: a}}}",
            "{rules: [{host: \"*.example.com\"}]}",
            "{rules: [{http: {paths: [{pathType: ImplementationSpecific, backend: {service: {name: web, port: {name: http}}}}]}}]}",
        ],
    ));
}

#[test]
fn m_4_webhooks() {
    let hook = |fields: &str| {
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: a}}\nwebhooks:\n\
             - {{name: a.example.org, sideEffects: None, admissionReviewVersions: [v1], {fields}}}\n"
        )
    };
    refused(
        "resource/webhook",
        &all(
            hook,
            [
                "clientConfig: {}",
                "clientConfig: {url: \"https://a\", service: {name: a, namespace: b}}",
                "clientConfig: {url: \"http://a\"}",
                "clientConfig: {url: \"https://a?b=c\"}",
                "clientConfig: {service: {name: \"\", namespace: b}}",
                "clientConfig: {url: \"https://a\"}, rules: [{operations: [\"*\", CREATE], apiGroups: [\"\"], apiVersions: \
                 [v1], resources: [pods]}]",
                "clientConfig: {url: \"https://a\"}, rules: [{operations: [CREATE], apiGroups: [\"\"], apiVersions: [v1]}]",
            ],
        ),
    );
    accepted(&all(
        hook,
        [
            "clientConfig: {url: \"https://a:8443/b\"}",
            "clientConfig: {service: {name: a, namespace: b, path: /c}}, rules: [{operations: [\"*\"], apiGroups: [\"\"], \
             apiVersions: [v1], resources: [\"*\", pods/exec]}]",
        ],
    ));
}

#[test]
fn f8_names_and_sources_of_variables() {
    refused(
        "workload/env-source",
        &all(
            container,
            [
                "env: [{name: \"\", value: a}]",
                "env: [{name: A=B, value: a}]",
                "envFrom: [{configMapRef: {name: Not_Valid}}]",
                "env: [{name: A, valueFrom: {configMapKeyRef: {name: a, key: a/b}}}]",
                "env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.gpu}}}]",
                "env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['a b']\"}}}]",
            ],
        ),
    );
    accepted(&all(
        container,
        [
            "env: [{name: a.b-c, value: a}, {name: 1A, value: a}]",
            "env: [{name: A, valueFrom: {resourceFieldRef: {resource: requests.hugepages-2Mi}}}]",
            "env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['app.kubernetes.io/name']\"}}}]",
        ],
    ));
}

#[test]
fn f8_volumes_and_mounts() {
    let volume = |source: &str| with_pod(&format!("volumes: [{{name: a, {source}}}]"));
    refused(
        "workload/volume-source",
        &all(
            volume,
            [
                "secret: {secretName: a, defaultMode: 1000}",
                "secret: {secretName: a, defaultMode: 644}",
                "configMap: {name: a, items: [{key: a, path: ../a}]}",
                "configMap: {name: a, items: [{key: a, path: ..a}]}",
                "csi: {driver: \"\"}",
                "emptyDir: {sizeLimit: -1}",
                "hostPath: {path: /a/../b}",
                "nfs: {server: a, path: b}",
                "persistentVolumeClaim: {claimName: \"\"}",
                "downwardAPI: {items: [{path: a}]}",
                "projected: {sources: [{serviceAccountToken: {path: a, expirationSeconds: 60}}]}",
                "projected: {sources: [{secret: {name: a, items: [{key: a, path: x}]}}, {secret: {name: b, items: [{key: b, path: x}]}}]}",
            ],
        ),
    );
    accepted(&all(
        volume,
        [
            "secret: {secretName: a, defaultMode: 0644}",
            "secret: {secretName: a, defaultMode: 511}",
            "emptyDir: {sizeLimit: 0}",
            "projected: {sources: []}",
            "downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.labels}}]}",
        ],
    ));
    let mount = |fields: &str| {
        pod(&format!(
            "containers: [{{name: web, image: \"web:1\", volumeMounts: [{{name: a, {fields}}}]}}], volumes: [{{name: a, emptyDir: {{}}}}]"
        ))
    };
    refused(
        "workload/mount",
        &all(
            mount,
            [
                "mountPath: \"\"",
                "mountPath: /a, subPath: ../b",
                "mountPath: /a, subPath: /b",
                "mountPath: /a, mountPropagation: Bidirectional",
            ],
        ),
    );
    accepted(&all(
        mount,
        ["mountPath: a", "mountPath: /a, subPath: b/..c", "mountPath: /a, subPathExpr: $(NAME)"],
    ));
}

#[test]
fn f8_security_contexts() {
    let context = |fields: &str| container(&format!("securityContext: {{{fields}}}"));
    refused(
        "workload/security-context",
        &all(
            context,
            [
                "privileged: true, allowPrivilegeEscalation: false",
                "runAsUser: -1",
                "runAsGroup: 2147483648",
                "seccompProfile: {type: Localhost}",
                "seccompProfile: {type: RuntimeDefault, localhostProfile: a}",
            ],
        ),
    );
    refused(
        "workload/security-context",
        &[with_pod("securityContext: {sysctls: [{name: Bad Name, value: a}]}")],
    );
    accepted(&all(
        context,
        ["privileged: true", "runAsUser: 0", "seccompProfile: {type: Localhost, localhostProfile: a}"],
    ));
}

#[test]
fn f8_settings_of_pods() {
    refused(
        "workload/pod-settings",
        &all(
            with_pod,
            [
                "dnsPolicy: None",
                "dnsPolicy: None, dnsConfig: {searches: [a]}",
                "hostAliases: [{ip: 999.1.1.1}]",
                "activeDeadlineSeconds: 0",
                "hostname: a.b",
            ],
        ),
    );
    let ports = |ports: &str| {
        pod(&format!("hostNetwork: true, containers: [{{name: web, image: \"web:1\", ports: [{ports}]}}]"))
    };
    refused(
        "workload/pod-settings",
        &all(
            ports,
            [
                "{containerPort: 80, hostPort: 81}",
                "{containerPort: 80, hostPort: 80}, {containerPort: 80, hostPort: 80, name: b}",
            ],
        ),
    );
    accepted(&all(ports, ["{containerPort: 80}", "{containerPort: 80, hostPort: 80}"]));
    // The API server only warns about this.
    accepted(&all(with_pod, ["terminationGracePeriodSeconds: -1", "dnsPolicy: \"\"", "restartPolicy: \"\""]));
}

#[test]
fn f8_probes() {
    let probe = |fields: &str| container(&format!("readinessProbe: {{exec: {{command: [a]}}, {fields}}}"));
    refused(
        "workload/probe",
        &all(probe, ["timeoutSeconds: -1", "periodSeconds: -1", "terminationGracePeriodSeconds: 5"]),
    );
    refused(
        "workload/probe",
        &[container("lifecycle: {preStop: {sleep: {seconds: 31}}}"), container("livenessProbe: {exec: {}}")],
    );
    accepted(&all(probe, ["timeoutSeconds: 0", "successThreshold: 3"]));
    accepted(&[
        container("lifecycle: {preStop: {sleep: {seconds: 30}}}"),
        container("livenessProbe: {httpGet: {port: 80, scheme: \"\"}}"),
    ]);
}

#[test]
fn f8_rollouts() {
    refused(
        "workload/strategy",
        &all(
            deployment,
            [
                ", minReadySeconds: 600",
                ", minReadySeconds: 10, progressDeadlineSeconds: 10",
                ", strategy: {rollingUpdate: {maxUnavailable: \"150%\"}}",
                ", strategy: {rollingUpdate: {maxUnavailable: half}}",
                ", strategy: {rollingUpdate: {maxSurge: -1}}",
            ],
        ),
    );
    accepted(&all(
        deployment,
        [
            ", minReadySeconds: 599",
            ", strategy: {rollingUpdate: {maxSurge: \"150%\"}}",
            ", strategy: {rollingUpdate: {maxUnavailable: 0}}",
        ],
    ));
}

#[test]
fn f8_jobs_and_schedules() {
    let cron = |fields: &str| {
        let job =
            "{spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: \"a:1\"}]}}}}";
        object("batch/v1", "CronJob", &format!("{{jobTemplate: {job}, {fields}}}"))
    };
    refused(
        "workload/schedule",
        &all(
            cron,
            [
                "schedule: '@daily', timeZone: Mars/Olympus",
                "schedule: '@daily', timeZone: europe/berlin",
                "schedule: 'TZ=UTC 0 3 * * *'",
                "schedule: ''",
                "schedule: '@daily', startingDeadlineSeconds: -1",
            ],
        ),
    );
    accepted(&all(
        cron,
        ["schedule: '@daily', timeZone: Europe/Berlin", "schedule: '0 3 * * 1-5', timeZone: Etc/GMT+2"],
    ));
    let job = |fields: &str| {
        let template = "{spec: {restartPolicy: Never, containers: [{name: a, image: \"a:1\"}]}}";
        object("batch/v1", "Job", &format!("{{template: {template}, {fields}}}"))
    };
    refused(
        "workload/job",
        &all(
            job,
            [
                "completionMode: Indexed",
                "backoffLimitPerIndex: 1",
                "selector: {matchLabels: {a: b}}",
                "podFailurePolicy: {rules: [{action: FailJob}]}",
                "completions: -1",
            ],
        ),
    );
    accepted(&all(job, ["completionMode: Indexed, completions: 1", "backoffLimit: 0", "selector: {}"]));
}

#[test]
fn f8_claims_and_volumes() {
    let claim = |fields: &str| {
        object(
            "v1",
            "PersistentVolumeClaim",
            &format!("{{resources: {{requests: {{storage: 1Gi}}}}, {fields}}}"),
        )
    };
    refused(
        "resource/claim",
        &all(
            claim,
            [
                "accessModes: [ReadWriteOncePod, ReadWriteOnce]",
                "accessModes: [ReadWriteOnce], storageClassName: Not_Valid",
                "accessModes: [ReadWriteOnce], dataSourceRef: {kind: VolumeSnapshot, name: a}",
            ],
        ),
    );
    accepted(&all(
        claim,
        [
            "accessModes: [ReadWriteOncePod]",
            "accessModes: [ReadWriteOnce], storageClassName: \"\"",
            "accessModes: [ReadWriteOnce, ReadOnlyMany]",
        ],
    ));
}

#[test]
fn f8_quotas_and_classes() {
    refused(
        "resource/quota",
        &[
            object("v1", "ResourceQuota", "{hard: {pods: -1}}"),
            object("v1", "ResourceQuota", "{hard: {pods: 1.5}}"),
            object("v1", "LimitRange", "{limits: [{type: Container, min: {cpu: 2}, max: {cpu: 1}}]}"),
            object(
                "v1",
                "LimitRange",
                "{limits: [{type: Container, default: {cpu: 1}, defaultRequest: {cpu: 2}}]}",
            ),
        ],
    );
    let class = |value: &str| {
        format!(
            "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {{name: a}}\nvalue: {value}\n"
        )
    };
    refused("resource/field", &all(class, ["1000000001"]));
    accepted(&all(class, ["1000000000", "-5", "0"]));
}

#[test]
fn f8_the_hint_about_quotes_is_only_for_quoted_values() {
    let hint = |value: &str| {
        let found = findings(&deployment(&format!(", replicas: {value}")));
        found
            .into_iter()
            .find(|finding| finding.rule.id == "schema/type")
            .and_then(|finding| finding.hint)
            .unwrap_or_default()
    };
    assert_eq!(hint("two"), "write a whole number in digits");
    assert!(hint("\"3\"").starts_with("remove the quotes"), "{}", hint("\"3\""));
    // In plain manifests, another tool may replace it.
    assert_eq!(hint("\"${REPLICAS}\""), "");
}

#[test]
fn r13_fractions_of_a_byte_are_a_warning() {
    let pods_with = |text: &str| {
        let found =
            findings(text).into_iter().filter(|finding| finding.rule.id == "resource/fractional-bytes");
        found.map(|finding| (finding.severity, finding.hint.unwrap_or_default())).collect::<Vec<_>>()
    };
    for (memory, hint) in [("128m", "`Mi`"), ("500m", "`Mi`"), ("0.5", "unit"), ("1.3Ki", "smaller unit")] {
        let found = pods_with(&container(&format!("resources: {{limits: {{memory: {memory}}}}}")));
        assert!(
            matches!(found.as_slice(), [(Severity::Warning, said)] if said.contains(hint)),
            "{memory}: {found:?}"
        );
    }
    for good in [
        "memory: 1.5Gi",
        "cpu: 128m",
        "memory: 128M",
        "memory: 1000m",
        "ephemeral-storage: 1e3",
        "example.com/a: 1",
    ] {
        assert!(pods_with(&container(&format!("resources: {{limits: {{{good}}}}}"))).is_empty(), "{good}");
    }
    let elsewhere = [
        object(
            "v1",
            "PersistentVolumeClaim",
            "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 500m}}}",
        ),
        object("v1", "LimitRange", "{limits: [{type: Container, max: {memory: 128m}}]}"),
        object("v1", "ResourceQuota", "{hard: {requests.memory: 128m}}"),
        with_pod("volumes: [{name: a, emptyDir: {sizeLimit: 500m}}]"),
    ];
    for text in elsewhere {
        assert_eq!(pods_with(&text).len(), 1, "{text}");
    }
}

#[test]
fn hugepages_are_whole_pages_with_memory() {
    let limits = |limits: &str| container(&format!("resources: {{limits: {{{limits}}}}}"));
    refused(
        "workload/resources",
        &all(
            limits,
            ["hugepages-2Mi: 4Mi", "memory: 1Gi, hugepages-2Mi: 3Mi", "nvidia.com/gpu: 0.5", "memory: -1"],
        ),
    );
    accepted(&all(limits, ["memory: 1Gi, hugepages-2Mi: 4Mi", "nvidia.com/gpu: 1", "cpu: 0.5"]));
}

#[test]
fn fields_with_defaults_may_be_missing() {
    accepted(&[
        object("v1", "Service", "{type: \"\", sessionAffinity: \"\", ports: [{port: 80, protocol: \"\", targetPort: 0}]}"),
        pod("dnsPolicy: \"\", containers: [{name: web, image: \"web:1\", imagePullPolicy: \"\", terminationMessagePolicy: \"\", ports: [{containerPort: 80, protocol: \"\"}]}]"),
        container("livenessProbe: {httpGet: {port: 80}, periodSeconds: 0, successThreshold: 0}"),
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\nroleRef: {kind: Role, name: a}\n\
         subjects: [{kind: User, name: a}]\n"
            .to_owned(),
    ]);
}

#[test]
fn findings_of_one_object_are_bounded_and_contain_no_value() {
    let variables: Vec<String> = (0..5_000).map(|_| "{name: A=B, value: CANARY}".to_owned()).collect();
    let mounts: Vec<String> =
        (0..5_000).map(|_| "{name: a, mountPath: /CANARY, subPath: ../CANARY}".to_owned()).collect();
    let text = container(&format!("env: [{}], volumeMounts: [{}]", variables.join(","), mounts.join(",")));
    let found = findings(&text);
    for rule in ["workload/env-source", "workload/mount"] {
        let count = found.iter().filter(|finding| finding.rule.id == rule).count();
        assert!((1..=100).contains(&count), "{rule}: {count}");
    }
    for finding in &found {
        let said = format!("{} {}", finding.message, finding.hint.as_deref().unwrap_or_default());
        assert!(!said.contains("CANARY"), "{}: {said}", finding.rule.id);
    }
}

#[test]
fn an_empty_string_is_not_a_value_of_an_enum_without_a_default() {
    let claim = |mode: &str, access: &str| {
        format!(
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: a}}\nspec: {{volumeMode: {mode}, accessModes: [{access}], \
             resources: {{requests: {{storage: 1Gi}}}}}}\n"
        )
    };
    let service = |field: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{{field}, ports: [{{port: 80}}]}}\n"
        )
    };
    let policy = |types: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: a}}\nspec: {{podSelector: {{}}, policyTypes: \
             [{types}]}}\n"
        )
    };
    for text in [
        claim("\"\"", "ReadWriteOnce"),
        claim("Block", "\"\""),
        service("internalTrafficPolicy: \"\""),
        service("ipFamilyPolicy: \"\""),
        policy("\"\""),
    ] {
        refused("schema/enum", &[text]);
    }
    // Here, an empty string means the default.
    for text in [claim("Block", "ReadWriteOnce"), service("type: \"\""), service("sessionAffinity: \"\"")] {
        accepted(&[text]);
    }
}
