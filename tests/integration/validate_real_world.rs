//! Plain manifests from real repositories that used to cause false findings: no false errors are reported, and real
//! faults beside them still are.

use crate::support::validating::{Report, Tree};

/// Returns the rules of all findings of a severity, sorted.
fn rules<'r>(report: &'r Report, severity: &str) -> Vec<&'r str> {
    let mut rules: Vec<&str> = report.at(severity).filter_map(|found| found["rule"].as_str()).collect();
    rules.sort_unstable();
    rules
}

#[track_caller]
fn report(files: &[(&str, &str)]) -> Report {
    Tree::new(files).report(&["."])
}

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {";

fn web(key: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  selector: {{matchLabels: {{app: web}}}}\n  \
         template:\n    metadata: {{labels: {{app: web}}}}\n    spec:\n      containers: [{{name: web, image: \"nginx:1.27\", \
         env: [{{name: X, valueFrom: {{configMapKeyRef: {{name: web, key: {key}}}}}}}]}}]\n"
    )
}

#[test]
fn m_fp_01_a_default_counts_before_one_of() {
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: \
                      boats.sea.example.com}\nspec:\n  group: sea.example.com\n  scope: Namespaced\n  names: {plural: boats, singular: boat, \
                      kind: Boat, listKind: BoatList}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      \
                      openAPIV3Schema:\n        type: object\n        properties:\n          spec:\n            type: object\n            \
                      properties: {kind: {type: string, default: Dock}, place: {type: string}}\n            oneOf: [{properties: {kind: \
                      {enum: [Dock]}}}, {properties: {kind: {not: {enum: [Dock]}}}}]\n";
    let boat = |spec: &str| {
        format!("apiVersion: sea.example.com/v1\nkind: Boat\nmetadata: {{name: a}}\nspec: {spec}\n")
    };
    for spec in ["{place: pier}", "{kind: Dock}", "{kind: Buoy}"] {
        let report = report(&[("crd.yaml", definition), ("boat.yaml", &boat(spec))]);
        assert!(report.findings().is_empty(), "{spec}: {:?}", report.lines());
    }
    let wrong = report(&[("crd.yaml", definition), ("boat.yaml", &boat("{place: 3}"))]);
    assert_eq!(rules(&wrong, "error"), ["schema/type"]);
}

#[test]
fn r11_scalars_of_values_that_yaml_reads_otherwise_are_reported() {
    let odd = ["1.10", "010", "1.20", "2024.10", "3.0", "1_0", "NO", "on", "0x50", "0755", "1e3", "08", "+1"];
    for scalar in odd {
        let app = Tree::app(&[
            ("values.yaml", &format!("tag: {scalar}\n")),
            (
                "base/a.yaml.hbs",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {tag: \"{{ tag }}\"}\n",
            ),
        ]);
        let report = app.report(&["."]);
        let found = report.one("yaml/implicit-type");
        assert_eq!((&found["path"], &found["line"]), (&"values.yaml".into(), &1.into()), "{scalar}");
    }
    for scalar in ["\"1.10\"", "1.27.3", "v1.10", "5432", "true", "20190612073634"] {
        let app = Tree::app(&[
            ("values.yaml", &format!("tag: {scalar}\n")),
            (
                "base/a.yaml.hbs",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {tag: \"{{ tag }}\"}\n",
            ),
        ]);
        assert!(app.report(&["."]).of("yaml/implicit-type").is_empty(), "{scalar}");
    }
}

#[test]
fn m_fp_03_variants_side_by_side_are_one_note() {
    let (a, b) = (web("ka"), web("kb"));
    let (config_a, config_b) = (format!("{CONFIG}ka: x}}\n"), format!("{CONFIG}kb: x}}\n"));
    let files = [
        ("a/web.yaml", a.as_str()),
        ("a/config.yaml", config_a.as_str()),
        ("b/web.yaml", b.as_str()),
        ("b/config.yaml", config_b.as_str()),
    ];
    let report = report(&files);
    assert!(
        rules(&report, "error").is_empty() && rules(&report, "warning").is_empty(),
        "{:?}",
        report.lines()
    );
    let note = report.one("resource/duplicate-id");
    assert_eq!(note["message"], "`a` and `b` have 2 objects in common; this is the first");
}

#[test]
fn m_fp_03_versions_in_one_directory_are_one_warning() {
    let version = |key: &str, names: &[&str]| -> String {
        let one = |name| {
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: a}}\ndata: {{{key}: x}}\n---\n"
            )
        };
        names.iter().map(one).collect()
    };
    let [first, second] = ["k1", "k2"].map(|key| version(key, &["a", "b", "c"]));
    let versions = report(&[("v/1.yaml", &first), ("v/2.yaml", &second)]);
    let warning = versions.one("resource/duplicate-id");
    assert_eq!(warning["message"], "`v/1.yaml` and `v/2.yaml` have 3 objects in common; this is the first");
    assert_eq!(warning["severity"], "warning");
    let pair = report(&[("v/1.yaml", &first), ("v/2.yaml", &version("k2", &["a", "b", "d"]))]);
    assert_eq!(rules(&pair, "error"), ["resource/duplicate-id"; 2]);
    let in_one_file = report(&[("v/1.yaml", &(first + "---\n" + &second))]);
    assert_eq!(rules(&in_one_file, "error"), ["resource/duplicate-id"; 3]);
}

#[test]
fn m_fp_03_twice_in_one_directory_is_still_an_error_and_one_shared_object_a_warning() {
    let config = format!("{CONFIG}ka: x}}\n");
    let in_one = report(&[("a/one.yaml", &config), ("a/two.yaml", &config)]);
    assert_eq!(rules(&in_one, "error"), ["resource/duplicate-id"]);
    let in_one = report(&[("one.yaml", &config), ("two.yaml", &config)]);
    assert_eq!(rules(&in_one, "error"), ["resource/duplicate-id"]);
    let shared = report(&[("a/one.yaml", &config), ("b/two.yaml", &config)]);
    assert_eq!(
        (rules(&shared, "error").len(), rules(&shared, "warning")),
        (0, vec!["resource/duplicate-id"])
    );
    // Each Application sets its namespace.
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
    let namespaces = report(&[("a/ns.yaml", namespace), ("b/ns.yaml", namespace)]);
    assert_eq!(rules(&namespaces, "note"), ["resource/duplicate-id"]);
}

#[test]
fn m_fp_03_a_key_that_only_an_object_of_another_directory_lacks_is_a_warning() {
    let config = format!("{CONFIG}other: x}}\n");
    let apart = report(&[("west/web.yaml", &web("ka")), ("east/config.yaml", &config)]);
    assert_eq!((rules(&apart, "error").len(), rules(&apart, "warning")), (0, vec!["reference/missing-key"]));
    let together = report(&[("web.yaml", &web("ka")), ("config.yaml", &config)]);
    assert_eq!(rules(&together, "error"), ["reference/missing-key"]);
}

#[test]
fn m_fp_04_variables_of_flux_fit_every_field() {
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: \"${APP}\"}\nspec:\n  accessModes: \
                 [\"${MODE:=ReadWriteOnce}\"]\n  resources: {requests: {storage: \"${SIZE:=5Gi}\"}}\n";
    let external = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: \"${APP}-db\"}\nspec:\n  \
                    refreshInterval: ${EVERY:=1h}\n  secretStoreRef: {kind: ClusterSecretStore, name: \"${STORE}\"}\n  target: \
                    {name: \"${APP}-db\"}\n  dataFrom: [{extract: {key: db}}]\n---\napiVersion: \
                    external-secrets.io/v1\nkind: ClusterSecretStore\nmetadata: {name: vault}\nspec: {provider: {fake: {data: []}}}\n";
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: mqtt}\nstringData: {user: \"${MQTT_USER}\"}\n";
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: \"${APP}\", labels: {\"${KEY}\": \"${VALUE} x\"}}\nspec:\n  type: \
                   ${TYPE:=ClusterIP}\n  selector: {app: \"${APP}\"}\n  ports: [{port: \"${PORT:=80}\", targetPort: \"${NAME}\", name: \
                   \"${NAME}\", protocol: \"${PROTOCOL}\"}]\n";
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: \"${APP}\"}\nspec:\n  replicas: ${REPLICAS:=2}\n  \
                      selector: {matchLabels: {app: \"${APP}\"}}\n  template:\n    metadata: {labels: {app: \"${APP}\"}}\n    spec:\n      \
                      restartPolicy: ${RESTART:=Always}\n      containers:\n        - name: \"${APP}\"\n          image: \
                      \"registry.example/${APP}:${TAG}\"\n          imagePullPolicy: ${PULL:=IfNotPresent}\n          resources: \
                      {limits: {cpu: \"${CPU:=1}\", memory: \"${MEMORY}\"}}\n          ports: [{containerPort: \"${PORT:=8080}\"}]\n";
    let ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec:\n  ingressClassName: \"${CLASS}\"\n  \
                   rules: [{host: \"web.${DOMAIN}\", http: {paths: [{path: \"${PATH_:=/}\", pathType: \"${KIND:=Prefix}\", backend: \
                   {service: {name: \"${APP}\", port: {number: \"${PORT:=80}\"}}}}]}}]\n";
    let autoscaler = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec:\n  minReplicas: \
                      ${MIN}\n  maxReplicas: ${MAX}\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: \"${APP}\"}\n";
    let job = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: backup}\nspec:\n  schedule: \"${SCHEDULE:=0 3 * * *}\"\n  timeZone: \
               \"${ZONE}\"\n  concurrencyPolicy: ${POLICY}\n  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: \
               [{name: a, image: \"${IMAGE}\"}]}}}}\n";
    let network = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {}\n  \
                   policyTypes: [Egress]\n  egress: [{to: [{ipBlock: {cidr: \"${CIDR}\"}}], ports: [{port: \"${PORT}\"}]}]\n";
    for (name, text) in [
        ("claim", claim),
        ("external", external),
        ("secret", secret),
        ("service", service),
        ("deployment", deployment),
        ("ingress", ingress),
        ("autoscaler", autoscaler),
        ("job", job),
        ("network", network),
    ] {
        let report = report(&[("all.yaml", text)]);
        assert!(
            rules(&report, "error").is_empty() && rules(&report, "warning").is_empty(),
            "{name}: {:?}",
            report.lines()
        );
    }
}

#[test]
fn m_fp_04_what_no_variable_explains_is_still_an_error() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: \"${APP}\"}\nspec:\n  type: Clusterip\n  ports: [{port: eighty}]\n";
    let errors = report(&[("all.yaml", service)]);
    assert_eq!(rules(&errors, "error"), ["schema/enum", "schema/type"]);
    // In an app, variables are not replaced.
    let app = Tree::app(&[(
        "base/a.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: [{port: \"${PORT:=80}\"}]\n",
    )]);
    let report = app.report(&["."]);
    assert!(rules(&report, "error").contains(&"schema/type"), "{:?}", report.lines());
}

const ROUTE: &str = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: grafana, namespace: monitoring}\n\
                     spec: {rules: [{backendRefs: [{name: grafana, port: 80}]}]}\n";
const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: other, namespace: monitoring}\nspec: {ports: [{port: 80}]}\n";

#[test]
fn m_fp_05_what_a_release_in_the_namespace_may_bring_is_a_note() {
    let releases = [
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: grafana, namespace: monitoring}\n",
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: g, namespace: flux-system}\nspec: \
         {targetNamespace: monitoring}\n",
        "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: g, namespace: kube-system}\nspec: {targetNamespace: \
         monitoring}\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: g, namespace: argocd}\nspec: {destination: {namespace: \
         monitoring}}\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: g, namespace: argocd}\n",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: g, namespace: flux-system}\n",
    ];
    let severity = |release: &str| {
        let report = report(&[("route.yaml", ROUTE), ("service.yaml", SERVICE), ("release.yaml", release)]);
        report.one("reference/dangling-ingress")["severity"].as_str().unwrap().to_owned()
    };
    for release in releases {
        assert_eq!(severity(release), "note", "{release}");
    }
    let elsewhere = releases[0].replace("namespace: monitoring", "namespace: elsewhere");
    assert_eq!(severity(&elsewhere), "warning");
    // A Service in another namespace does not matter.
    let other = SERVICE.replace("namespace: monitoring", "namespace: elsewhere");
    let report = report(&[("route.yaml", ROUTE), ("service.yaml", &other)]);
    assert_eq!(report.one("reference/dangling-ingress")["severity"], "note");
}

fn external(name: &str) -> String {
    format!(
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n  \
         refreshInterval: 1h\n  secretStoreRef: {{kind: ClusterSecretStore, name: vault}}\n  target: {{name: db}}\n  data: \
         [{{secretKey: password, remoteRef: {{key: {name}}}}}]\n"
    )
}

#[test]
fn m_fp_06_secrets_of_two_clusters_are_no_conflict() {
    let (east, west) = (external("db-east"), external("db-west"));
    let apart = report(&[("east/es.yaml", &east), ("west/es.yaml", &west)]);
    assert_eq!(apart.one("external-secrets/duplicate-target")["severity"], "note");
    let together = report(&[("east/a.yaml", &east), ("east/b.yaml", &west)]);
    assert_eq!(together.one("external-secrets/duplicate-target")["severity"], "warning");
}

#[test]
fn m_fp_07_waves_of_two_applications_are_not_compared() {
    let store = "apiVersion: external-secrets.io/v1\nkind: ClusterSecretStore\nmetadata: {name: vault, annotations: \
                 {argocd.argoproj.io/sync-wave: \"5\"}}\nspec: {provider: {fake: {data: []}}}\n";
    let wanted = external("db");
    assert!(
        report(&[("platform/store.yaml", store), ("shop/es.yaml", &wanted)])
            .of("wave/late-configuration")
            .is_empty()
    );
    let together = report(&[("shop/store.yaml", store), ("shop/es.yaml", &wanted)]);
    assert_eq!(together.one("wave/late-configuration")["severity"], "warning");
}

fn secret(items: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n{items}")
}

#[test]
fn m_fp_08_values_that_are_base64_by_nature_are_not_encoded_twice() {
    let right = [
        "  1password-credentials.json: eyJ2ZXJzaW9uIjoiMiIsImRldmljZVV1aWQiOiJ4In0=\n",
        "  key: QVFCMTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3A9PQ==\n",
        "  key: QVFDMVRkRmpBQUFBQUJBQTl6MVJ0ZzNPcUpYSHh3cVdVWGtjOGc9PQ==\n",
        // The secret from the Dex documentation.
        "  client-secret: ZXhhbXBsZS1hcHAtc2VjcmV0\n",
    ];
    for items in right {
        assert!(report(&[("a.yaml", &secret(items))]).of("secret/double-base64").is_empty(), "{items}");
    }
    let realm = "apiVersion: v1\nkind: Secret\nmetadata: {name: realm}\ntype: kubernetes.io/rook\nstringData: {access-key: \
                 V1c4Ym1WVE1IYlYzVVA=}\n";
    assert!(report(&[("a.yaml", realm)]).of("secret/double-base64").is_empty());
    let wrong = secret("  password: Y29ycmVjdC1ob3JzZS1iYXR0\n");
    report(&[("a.yaml", &wrong)]).one("secret/double-base64");
}

#[test]
fn m_fp_09_settings_in_a_secret_are_no_plaintext_secrets() {
    let settings = [
        "  sslmode: require\n",
        "  sslmode: verify-full\n",
        "  admin.passwordMtime: \"2024-05-01T10:00:00Z\"\n",
        "  updated: \"2024-05-01\"\n",
        "  metrics: ENABLED=false\n",
        "  cipher: aes-xts-plain64\n",
        "  ha.broker.properties: |\n    HAPolicyConfiguration=SHARED_STORE\n",
        "  log.level: debug\n",
        "  LOCALE: de_DE\n",
    ];
    for items in settings {
        let report = report(&[("a.yaml", &secret(items))]);
        assert!(
            rules(&report, "warning").is_empty() && rules(&report, "error").is_empty(),
            "{items}{:?}",
            report.lines()
        );
    }
    let secrets = [
        "  password: hunter\n",
        "  anything: Tr0ub4dor3\n",
        "  words: correct horse battery\n",
        "  metrics: TOKEN=Tr0ub4dor3Zebra91x\n",
        "  app.properties: |\n    db.password=Tr0ub4dor3Zebra91x\n",
        "  cipher: f3a9c1d27b\n",
    ];
    for items in secrets {
        let report = report(&[("a.yaml", &secret(items))]);
        assert_ne!(report.one("secret/plaintext-in-git")["severity"], "note", "{items}");
    }
}

#[test]
fn m_fp_10_a_pull_secret_that_carvel_fills_in_may_be_empty() {
    let text = |annotation: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: pull, annotations: {{{annotation}: \"\"}}}}\ntype: \
             kubernetes.io/dockerconfigjson\ndata: {{.dockerconfigjson: e30K}}\n"
        )
    };
    let filled_in = report(&[("a.yaml", &text("secretgen.carvel.dev/image-pull-secret"))]);
    assert!(filled_in.of("secret/type-keys").is_empty());
    report(&[("a.yaml", &text("example.com/other"))]).one("secret/type-keys");
}

#[test]
fn m_fp_11_the_id_of_an_access_key_is_no_secret() {
    let issuer = |field: &str| {
        format!(
            "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {{name: le}}\nspec: {{acme: {{solvers: [{{dns01: {{route53: \
             {{region: eu-west-1, {field}: AKIAQWERTYUIOPASDFGH}}}}}}]}}}}\n"
        )
    };
    for field in ["accessKeyID", "access_key_id", "awsAccessKeyId"] {
        assert!(report(&[("a.yaml", &issuer(field))]).of("secret/in-field").is_empty(), "{field}");
    }
    report(&[("a.yaml", &issuer("accessKey"))]).one("secret/in-field");
}

#[test]
fn m_fp_12_patches_and_configurations_of_a_kustomization_are_skipped() {
    let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [psp.yaml]\ntransformers: \
                         [labels.yaml]\npatches: [{path: patch.yaml}]\n";
    let labels = "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: addLabels}\nlabels: {a: b}\n";
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n";
    let removed = "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: p}\nspec: {}\n";
    let files = [
        ("k/kustomization.yaml", kustomization),
        ("k/labels.yaml", labels),
        ("k/patch.yaml", patch),
        ("k/psp.yaml", removed),
    ];
    let tree = Tree::new(&files);
    let ran = tree.run(&["."]);
    assert!(
        ran.stderr.contains("2 files skipped: kustomization patches or configurations"),
        "{}",
        ran.stderr
    );
    assert_eq!(rules(&ran.report(), "error"), ["api/removed"]);
    // Without the kustomization, or if given itself, it is checked as an object.
    let alone = tree.report(&["k/patch.yaml"]);
    assert_eq!(rules(&alone, "error"), ["schema/required", "schema/required"]);
}

#[test]
fn m_fp_13_sops_files_are_a_note_and_in_an_app_an_error() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {a: \
                \"ENC[AES256_GCM,data:p673w==,iv:YY=,tag:UQ=,type:str]\"}\nsops: {mac: \
                \"ENC[AES256_GCM,data:x,iv:a,tag:b,type:str]\", version: 3.9.0}\n";
    assert_eq!(report(&[("a.yaml", text)]).one("secret/encrypted-leftover")["severity"], "note");
    let app = Tree::app(&[("base/a.yaml", text)]).report(&["."]);
    assert!(app.at("error").count() > 0, "{:?}", app.lines());
}

const CLUSTER_ROLE_BINDING: &str = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: web}\n\
     roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\nsubjects: [{kind: ServiceAccount, name: web}]\n";
const WITHOUT_SELECTOR: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    \
     metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: \"nginx:1.27\"}]}\n";

#[test]
fn fields_that_kustomize_sets_are_notes_in_its_resources_only() {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: _}\n";
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: We_b}\nspec: {ports: [{port: 80}]}\n";
    let files = [
        ("base/binding.yaml", CLUSTER_ROLE_BINDING),
        ("base/web.yaml", WITHOUT_SELECTOR),
        ("base/namespace.yaml", namespace),
    ];
    let mut listed = files.to_vec();
    listed.push((
        "base/kustomization.yaml",
        "namespace: shop\nresources: [binding.yaml, ./web.yaml, namespace.yaml, service.yaml]\n",
    ));
    let kustomized = report(&listed);
    assert_eq!(rules(&kustomized, "error"), [""; 0], "{:?}", kustomized.lines());
    for rule in ["metadata/name", "resource/rbac", "schema/required"] {
        let note = kustomized.one(rule);
        assert_eq!(note["severity"], "note", "{rule}");
        assert!(note["hint"].as_str().unwrap().contains("validate the output of Kustomize"), "{rule}");
    }
    assert_eq!(rules(&report(&files), "error"), ["metadata/name", "resource/rbac", "schema/required"]);
    // Kustomize fixes neither this name nor files that it does not list.
    listed.push(("base/service.yaml", service));
    listed.push(("other/binding.yaml", CLUSTER_ROLE_BINDING));
    assert_eq!(rules(&report(&listed), "error"), ["metadata/name", "resource/rbac"]);
}

#[test]
fn a_field_that_a_flux_kustomization_patches_into_others_is_a_note() {
    let child = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: shop, namespace: flux-system}\n\
                 spec:\n  path: ./shop\n  sourceRef: {kind: GitRepository, name: flux-system}\n";
    let parent = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: cluster, namespace: flux-system}\n\
                  spec:\n  interval: 1h\n  prune: true\n  path: ./apps\n  sourceRef: {kind: GitRepository, name: flux-system}\n  \
                  patches:\n  - patch: |-\n      apiVersion: kustomize.toolkit.fluxcd.io/v1\n      kind: KIND\n      metadata:\n        \
                  name: _\n      spec:\n        interval: 30m\n        prune: true\n    target: {kind: KIND}\n";
    let patched = report(&[("shop.yaml", child), ("cluster.yaml", &parent.replace("KIND", "Kustomization"))]);
    assert_eq!(rules(&patched, "error"), [""; 0], "{:?}", patched.lines());
    assert_eq!(rules(&patched, "note").iter().filter(|rule| **rule == "schema/required").count(), 2);
    let of_releases =
        report(&[("shop.yaml", child), ("cluster.yaml", &parent.replace("KIND", "HelmRelease"))]);
    assert_eq!(rules(&of_releases, "error"), ["schema/required", "schema/required"]);
    let alone = report(&[("shop.yaml", child)]);
    assert_eq!(rules(&alone, "error"), ["schema/required", "schema/required"]);
    let of_one = report(&[
        ("shop.yaml", child),
        ("cluster.yaml", &parent.replace("KIND", "Kustomization").replace("        prune: true\n", "")),
    ]);
    assert_eq!(rules(&of_one, "error"), ["schema/required"]);
}

#[test]
fn variables_fit_alternatives_and_rules_of_definitions_as_well() {
    let gateway = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: web}\nspec:\n  gatewayClassName: envoy\n  \
                   addresses: [{type: IPAddress, value: \"VALUE\"}]\n  listeners: [{name: http, port: 80, protocol: HTTP}]\n";
    for value in ["${LB_ADDRESS}", "$LB_ADDRESS", "192.0.2.1", "2001:db8::1"] {
        let report = report(&[("all.yaml", &gateway.replace("VALUE", value))]);
        assert_eq!(rules(&report, "error"), [""; 0], "{value}: {:?}", report.lines());
    }
    let wrong = report(&[("all.yaml", &gateway.replace("VALUE", "not an address"))]);
    assert_eq!(rules(&wrong, "error"), ["schema/value"]);
    let route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web}\nspec:\n  rules:\n  - matches: \
                 [{path: {type: PathPrefix, value: \"VALUE\"}}]\n    backendRefs: [{name: web, port: 80}]\n";
    for (value, expected) in [("${PREFIX}", &[][..]), ("/shop", &[]), ("shop", &["schema/cel"])] {
        let report = report(&[("all.yaml", &route.replace("VALUE", value))]);
        assert_eq!(rules(&report, "error"), expected, "{value}: {:?}", report.lines());
    }
}

#[test]
fn rules_name_a_field_by_a_reserved_word_with_and_without_underscores() {
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.org}\nspec:\n  \
        group: example.org\n  scope: Namespaced\n  names: {kind: Thing, plural: things, singular: thing, listKind: ThingList}\n  \
        versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        \
        properties:\n          spec:\n            type: object\n            properties: {target: {type: object, properties: {namespace: \
        {type: string}, const: {type: string}, name: {type: string}}}}\n            x-kubernetes-validations:\n            - \
        {rule: \"RULE\", message: refused}\n";
    let thing = |target: &str| {
        format!(
            "apiVersion: example.org/v1\nkind: Thing\nmetadata: {{name: a}}\nspec: {{target: {{name: a{target}}}}}\n"
        )
    };
    for rule in [
        "!has(self.target.namespace) || size(self.target.namespace) == 0",
        "!has(self.target.__namespace__)",
        "!has(self.target.namespace) || self.target.__namespace__ == self.target.name",
        "!has(self.target.const)",
    ] {
        let field = if rule.contains("const") { ", const: b" } else { ", namespace: b" };
        let definition = definition.replace("RULE", rule);
        let good = report(&[("crd.yaml", &definition), ("thing.yaml", &thing(""))]);
        assert_eq!(rules(&good, "error"), [""; 0], "{rule}: {:?}", good.lines());
        let bad = report(&[("crd.yaml", &definition), ("thing.yaml", &thing(field))]);
        assert_eq!(rules(&bad, "error"), ["schema/cel"], "{rule}");
    }
    let unknown = report(&[("crd.yaml", &definition.replace("RULE", "has(self.target.package)"))]);
    assert_eq!(rules(&unknown, "error"), ["schema/definition"]);
}

#[test]
fn either_channel_of_gateway_api_may_be_installed() {
    let tcp = "apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: TCPRoute\nmetadata: {name: db}\nspec:\n  parentRefs: [{name: web}]\n  \
               rules: [{backendRefs: [{name: db, port: 5432}]}]\n";
    let retrying = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web}\nspec:\n  rules:\n  - retry: \
                    {attempts: 3}\n    backendRefs: [{name: web, port: 80}]\n";
    for (text, warnings) in [(tcp, &["api/deprecated"][..]), (retrying, &[])] {
        let report = report(&[("all.yaml", text)]);
        assert_eq!(rules(&report, "error"), [""; 0], "{:?}", report.lines());
        assert_eq!(rules(&report, "warning"), warnings, "{:?}", report.lines());
    }
}

#[test]
fn patches_are_skipped_in_a_stream_too() {
    let filler = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: {}}}\n",
        "x".repeat(900_000)
    );
    let names: Vec<String> = (0..10).map(|number| format!("b{number}.yaml")).collect();
    let fillers: Vec<String> =
        (0..10).map(|number| filler.replace("name: a", &format!("name: a{number}"))).collect();
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n";
    let mut files: Vec<(&str, &str)> =
        names.iter().zip(&fillers).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.extend([
        ("a/patch.yaml", patch),
        ("a/kustomization.yaml", "patches: [{path: patch.yaml}]\n"),
        ("c/patch.yaml", patch),
        ("c/binding.yaml", CLUSTER_ROLE_BINDING),
        ("c/z/kustomization.yaml", "resources: [../binding.yaml]\npatches: [{path: ../patch.yaml}]\n"),
    ]);
    let kustomized = report(&files);
    assert_eq!(rules(&kustomized, "error"), [""; 0], "{:?}", kustomized.lines());
    assert_eq!(kustomized.one("resource/rbac")["severity"], "note");
    files.push(("d/patch.yaml", patch));
    assert!(rules(&report(&files), "error").contains(&"schema/required"));
}

#[test]
fn a_kustomization_needs_neither_a_version_nor_resources_and_a_helmfile_is_called_one() {
    for text in
        ["namespace: shop\nbases: [../rbac]\n", "images: [{name: a, newTag: b}]\n", "namePrefix: a-\n"]
    {
        let report = report(&[
            ("kustomization.yaml", text),
            ("c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"),
        ]);
        assert_eq!(rules(&report, "error"), [""; 0], "{:?}", report.lines());
    }
    let tree = Tree::new(&[
        ("talconfig.yaml", "nodes: []\npatches: ['@./a.yaml']\n"),
        ("apps.yaml", "bases: [default.yaml]\nreleases: [{name: a, chart: b}]\n"),
    ]);
    let talos = tree.report(&["talconfig.yaml"]);
    let message = talos.one("schema/manifest")["message"].as_str().unwrap().to_owned();
    assert!(!message.contains("Kustomize"), "{message}");
    let helmfile = tree.report(&["apps.yaml"]);
    let message = helmfile.one("schema/manifest")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("Helmfile"), "{message}");
}

#[test]
fn a_kind_that_a_distribution_adds_to_a_list_is_a_note() {
    let alert = "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\nmetadata: {name: a, namespace: flux-system}\nspec:\n  \
                 providerRef: {name: a}\n  eventSeverity: SEVERITY\n  eventSources: [{kind: KIND, name: '*'}]\n";
    let reported = |kind: &str, severity: &str| {
        report(&[("alert.yaml", &alert.replace("KIND", kind).replace("SEVERITY", severity))])
    };
    let added = reported("FluxInstance", "error");
    assert_eq!((rules(&added, "error").len(), rules(&added, "warning").len()), (0, 0), "{:?}", added.lines());
    assert_eq!(added.one("schema/enum")["severity"], "note");
    assert_eq!(reported("HelmReleases", "error").one("schema/enum")["severity"], "error");
    assert_eq!(reported("HelmRelease", "loudly").one("schema/enum")["severity"], "warning");
}

#[test]
fn a_token_of_an_account_that_its_consumer_makes_may_come_later() {
    let instance = "apiVersion: dashboards.example.org/v1\nkind: Board\nmetadata: {name: board, annotations: \
                    {argocd.argoproj.io/sync-wave: \"1\"}}\nspec:\n  deployment: {spec: {template: {spec: {containers: [{name: proxy, \
                    env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: board-token, key: token}}}]}]}}}}\n";
    let token = "apiVersion: v1\nkind: Secret\nmetadata: {name: board-token, annotations: {argocd.argoproj.io/sync-wave: \"2\", \
                 kubernetes.io/service-account.name: board}}\ntype: TYPE\n";
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: board}\n";
    let of_account = token.replace("TYPE", "kubernetes.io/service-account-token");
    let late = |files: &[(&str, &str)]| {
        rules(&report(files), "warning").iter().filter(|rule| **rule == "wave/late-configuration").count()
    };
    assert_eq!(late(&[("board.yaml", instance), ("token.yaml", &of_account)]), 0);
    assert_eq!(late(&[("board.yaml", instance), ("token.yaml", &of_account), ("account.yaml", account)]), 1);
    assert_eq!(late(&[("board.yaml", instance), ("token.yaml", &token.replace("TYPE", "Opaque"))]), 1);
}
