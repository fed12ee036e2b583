//! Tests of patches: their types, their effect on objects, and their errors.
//!
//! Expected results of strategic merge patches are those of `kubectl patch --local`, except where a test says otherwise.

#![allow(clippy::format_collect, clippy::unwrap_used, reason = "tests stop at the first surprise")]

use crate::support::sealwave;
use crate::support::validating::Tree;
use serde_json::{Value as Json, json};

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, finalizers: [a.io/x, a.io/y]}
spec:
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: server
        image: nginx:1.27
        args: [-a, -b]
        env: [{name: A, value: a}, {name: B, value: b}]
        ports: [{containerPort: 53, protocol: TCP}, {containerPort: 53, protocol: UDP}]
      - name: proxy
        image: envoy:1
      volumes:
      - {name: data, emptyDir: {}}
      - {name: cache, emptyDir: {}}
";

const OTHER: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: b}\n";

/// Creates an app whose `prod` has one patch, in a file `p.yaml`, and the given objects.
fn app(target: &str, kind: &str, patch: &str, objects: &str) -> Tree {
    let stated = if kind.is_empty() { String::new() } else { format!("type: {kind}, ") };
    let entry = format!("{{target: {target}, {stated}file: p.yaml}}");
    let app = format!(
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments:\n  dev: {{}}\n  prod:\n    patches:\n    - {entry}\n"
    );
    Tree::app(&[
        ("sealwave.yaml", &app),
        ("base/a.yaml", objects),
        ("p.yaml", patch),
        ("base/good.yaml", OTHER),
    ])
}

/// Returns standard output or the error of `render`.
fn render(tree: &Tree) -> Result<Vec<Json>, String> {
    let output = sealwave()
        .current_dir(tree.root())
        .args(["render", "--env", "prod", "--output", "json"])
        .output()
        .unwrap();
    if output.status.success() {
        let text = String::from_utf8(output.stdout).unwrap();
        return Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect());
    }
    assert!(output.stdout.is_empty());
    Err(String::from_utf8(output.stderr).unwrap())
}

fn object<'o>(objects: &'o [Json], kind: &str) -> &'o Json {
    objects.iter().find(|object| object["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

/// Returns the Deployment after a patch of this type.
fn patch_deployment(kind: &str, patch: &str) -> Json {
    let objects = render(&app("{kind: Deployment}", kind, patch, DEPLOYMENT)).unwrap();
    object(&objects, "Deployment").clone()
}

/// Returns part of the pod's specification after a strategic merge patch.
fn patch_pod(patch: &str) -> Json {
    let indented: String = patch.lines().flat_map(|line| ["      ", line, "\n"]).collect();
    patch_deployment("strategic", &format!("spec:\n  template:\n    spec:\n{indented}"))["spec"]["template"]["spec"]
        .clone()
}

fn refusal(kind: &str, patch: &str) -> String {
    let error = render(&app("{kind: Deployment}", kind, patch, DEPLOYMENT)).unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
    error
}

fn names(list: &Json) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

const CONTAINERS: &str = "spec:\n  template:\n    spec:\n      containers:\n      - name: server\n        env: [{name: A, value: z}]\n";

#[test]
fn m_render_02_a_map_with_a_merged_list_must_state_its_type() {
    let error = refusal("", CONTAINERS);
    for part in [
        "p.yaml:4:7",
        "patch without a type sets the list `spec.template.spec.containers`, which Kubernetes merges by `name`",
        "to replace the whole list, add `type: merge`",
        "to merge it by `name`, add `type: strategic`",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let error = refusal("", "metadata: {finalizers: [a.io/z]}\n");
    assert!(error.contains("`metadata.finalizers`, which Kubernetes merges by value"), "{error}");
    assert!(
        refusal("", "spec: {template: {spec: {volumes: []}}}\n").contains("`spec.template.spec.volumes`")
    );
    // Changes that both types make alike need no type.
    let object = patch_deployment(
        "",
        "metadata: {labels: {a: b}}\nspec: {replicas: 2, template: {spec: {volumes: null}}}\n",
    );
    assert_eq!(object["spec"]["replicas"], 2);
    assert_eq!(object["spec"]["template"]["spec"]["volumes"], Json::Null);
    let lists = "spec: {template: {spec: {tolerations: [{key: a}], containers: null}}}\n";
    assert_eq!(patch_deployment("", lists)["spec"]["template"]["spec"]["tolerations"], json!([{"key": "a"}]));
}

#[test]
fn custom_resources_have_no_merge_keys() {
    let custom = "apiVersion: example.com/v1\nkind: Rollout\nmetadata: {name: r}\nspec: {containers: [{name: a}, {name: b}]}\n";
    let patch = "spec: {containers: [{name: a, image: x}]}\n";
    for kind in ["", "merge"] {
        let objects = render(&app("{kind: Rollout}", kind, patch, custom)).unwrap();
        assert_eq!(object(&objects, "Rollout")["spec"]["containers"], json!([{"name": "a", "image": "x"}]));
    }
    let error = render(&app("{kind: Rollout}", "strategic", patch, custom)).unwrap_err();
    assert!(error.contains("p.yaml:1:1"), "{error}");
    assert!(
        error.contains("kind Rollout has no merge keys, so it does not support strategic merge patches"),
        "{error}"
    );
    // A list of patches is a value of such a kind.
    let patches = "spec: {patchesStrategicMerge: [{kind: Pod, $patch: delete}]}\n";
    let objects = render(&app("{kind: Rollout}", "", patches, custom)).unwrap();
    assert_eq!(object(&objects, "Rollout")["spec"]["patchesStrategicMerge"][0]["$patch"], "delete");
    let objects = render(&app("{kind: Rollout}", "strategic", "$patch: delete\n", custom)).unwrap();
    assert_eq!(objects.len(), 1, "a whole object of any kind can be deleted");
}

#[test]
fn a_patch_must_have_the_form_of_its_type() {
    for (kind, patch, wanted) in [
        ("json", "a: b\n", "patch is of type object; it must be a list of operations"),
        ("merge", "- {op: remove, path: /a}\n", "patch is of type array; it must be an object"),
        ("strategic", "- {op: remove, path: /a}\n", "patch is of type array; it must be an object"),
        ("", "hunter2\n", "patch is of type string; it must be a list of operations or an object"),
        ("kustomize", "a: b\n", "expected one of `json`, `merge`, `strategic`"),
        ("", "spec: {$patch: replace, replicas: 1}\n", "p.yaml:1:8"),
        ("", "spec: {$retainKeys: [replicas]}\n", "`$retainKeys` is a directive of strategic merge patches"),
        (
            "merge",
            "spec: {$setElementOrder/containers: []}\n",
            "`$setElementOrder` is a directive of strategic merge patches",
        ),
        ("", "$patch: delete\n", "add `type: strategic` to the entry in `sealwave.yaml`"),
    ] {
        let error = refusal(kind, patch);
        assert!(error.contains(wanted), "{kind} {patch}: {error}");
    }
    assert_eq!(
        patch_deployment("json", "- {op: remove, path: /spec/strategy}\n")["spec"]["strategy"],
        Json::Null
    );
    let replaced = patch_deployment("merge", CONTAINERS)["spec"]["template"]["spec"]["containers"].clone();
    assert_eq!(replaced, json!([{"name": "server", "env": [{"name": "A", "value": "z"}]}]));
    // Keys with a dollar sign that are not directives are fields.
    assert_eq!(
        patch_deployment("", "metadata: {annotations: {$patches: a, $setElementOrder: b}}\n")["metadata"]["annotations"]
            ["$patches"],
        "a"
    );
}

#[test]
fn strategic_patches_merge_lists_by_their_keys() {
    let containers = patch_pod("containers:\n- {name: proxy, image: \"envoy:2\"}\n- {name: log, image: \"log:1\"}\n- name: server\n  args: [-c]\n  env: [{name: B, value: x}, {name: C, value: c}]\n  image: null\n")["containers"].clone();
    assert_eq!(names(&containers), ["proxy", "log", "server"]);
    assert_eq!(containers[0]["image"], "envoy:2");
    assert_eq!(containers[2]["args"], json!(["-c"]), "a list without merge key is replaced");
    assert_eq!(
        containers[2]["env"],
        json!([{"name": "A", "value": "a"}, {"name": "B", "value": "x"}, {"name": "C", "value": "c"}])
    );
    assert_eq!(containers[2].get("image"), None);
    let new_first = patch_pod("containers: [{name: log, image: \"log:1\"}]\n");
    assert_eq!(names(&new_first["containers"]), ["log", "server", "proxy"], "as the API server has it");
    assert_eq!(
        patch_deployment("strategic", "metadata: {finalizers: [a.io/z, a.io/y]}\n")["metadata"]["finalizers"],
        json!(["a.io/z", "a.io/x", "a.io/y"])
    );
}

#[test]
fn directives_delete_replace_and_merge() {
    let deleted = patch_pod(
        "containers:\n- {name: proxy, $patch: delete}\n- name: server\n  env: [{name: A, $patch: delete}]\n",
    );
    assert_eq!(names(&deleted["containers"]), ["server"]);
    assert_eq!(deleted["containers"][0]["env"], json!([{"name": "B", "value": "b"}]));
    let replaced = patch_pod("containers:\n- $patch: replace\n- {name: only, image: a}\n");
    assert_eq!(replaced["containers"], json!([{"name": "only", "image": "a"}]));
    assert_eq!(
        patch_pod("containers:\n- $patch: merge\n- {name: server, image: a}\n")["containers"][0]["image"],
        "a"
    );
    assert_eq!(patch_pod("volumes: [{$patch: delete}]\n").get("volumes"), None);
    let map = patch_deployment("strategic", "spec: {strategy: {$patch: replace, type: Recreate}}\n");
    assert_eq!(map["spec"]["strategy"], json!({"type": "Recreate"}));
    let map = patch_deployment("strategic", "spec: {strategy: {$patch: merge, type: Recreate}}\n");
    assert_eq!(map["spec"]["strategy"]["rollingUpdate"], json!({"maxSurge": 1}));
    // Like Kustomize: the API server would leave `{}`, and would drop an item with `$patch: replace`.
    assert_eq!(
        patch_deployment("strategic", "spec: {strategy: {$patch: delete}}\n")["spec"].get("strategy"),
        None
    );
    let item = patch_pod("containers: [{name: server, image: a, $patch: replace}]\n");
    assert_eq!(item["containers"][0], json!({"name": "server", "image": "a"}));
    assert_eq!(names(&item["containers"]), ["server", "proxy"]);
    // A value that is new to the object keeps no directives.
    let new = patch_pod(
        "initContainers:\n- $patch: replace\n- {name: i, image: a, env: [{name: X, $patch: delete}], securityContext: {$patch: delete}}\n- {name: j, $patch: delete}\n",
    );
    assert_eq!(new["initContainers"], json!([{"name": "i", "image": "a", "env": []}]));
    assert_eq!(
        patch_pod("securityContext: {$patch: replace, runAsUser: 1, fsGroup: null}\n")["securityContext"],
        json!({"runAsUser": 1})
    );
    let both = patch_pod("containers:\n- {name: server, image: new}\n- {name: server, $patch: delete}\n");
    assert_eq!(both["containers"][0], json!({"name": "server", "image": "new"}), "deletions come first");
}

#[test]
fn keys_are_retained_and_items_put_in_order() {
    let volume = patch_pod("volumes: [{name: data, configMap: {name: c}, $retainKeys: [name, configMap]}]\n");
    assert_eq!(volume["volumes"][0], json!({"name": "data", "configMap": {"name": "c"}}));
    let strategy = patch_deployment("strategic", "spec: {strategy: {$retainKeys: [type], type: Recreate}}\n");
    assert_eq!(strategy["spec"]["strategy"], json!({"type": "Recreate"}));
    let order = patch_pod(
        "$setElementOrder/containers: [{name: proxy}, {name: log}, {name: server}]\ncontainers: [{name: log, image: a}]\n",
    );
    assert_eq!(names(&order["containers"]), ["proxy", "log", "server"]);
    let order = patch_pod("$setElementOrder/volumes: [{name: cache}, {name: data}]\n");
    assert_eq!(names(&order["volumes"]), ["cache", "data"]);
    let finalizers = "metadata:\n  $setElementOrder/finalizers: [a.io/z, a.io/y]\n  finalizers: [a.io/z]\n  $deleteFromPrimitiveList/finalizers: [a.io/x]\n";
    assert_eq!(
        patch_deployment("strategic", finalizers)["metadata"]["finalizers"],
        json!(["a.io/z", "a.io/y"])
    );
    assert_eq!(
        patch_pod("$setElementOrder/ephemeralContainers: [{name: a}]\n").get("ephemeralContainers"),
        None
    );
}

#[test]
fn items_that_share_a_merge_key_are_distinguished() {
    let ports = |patch: &str| {
        patch_pod(&format!("containers: [{{name: server, ports: [{patch}]}}]\n"))["containers"][0]["ports"]
            .clone()
    };
    assert_eq!(
        ports("{containerPort: 53, protocol: UDP, hostPort: 5353}"),
        json!([{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP", "hostPort": 5353}])
    );
    assert_eq!(ports("{containerPort: 53, name: dns}")[0]["name"], "dns", "the default is TCP");
    assert_eq!(ports("{containerPort: 53, protocol: SCTP}").as_array().unwrap().len(), 3);
    assert_eq!(
        ports("{containerPort: 53, protocol: UDP, $patch: delete}"),
        json!([{"containerPort": 53, "protocol": "TCP"}])
    );
    assert_eq!(ports("{containerPort: 53, $patch: delete}"), json!([]));
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {a: b}, ports: [{name: w, port: 80}, {name: m, port: 90}]}\n";
    let patch = "spec: {ports: [{port: 90, targetPort: 9090}, {port: 443, name: t}]}\n";
    let objects = render(&app("{kind: Service}", "strategic", patch, service)).unwrap();
    let wanted = json!([{"name": "w", "port": 80}, {"name": "m", "port": 90, "targetPort": 9090}, {"port": 443, "name": "t"}]);
    assert_eq!(object(&objects, "Service")["spec"]["ports"], wanted);
}

#[test]
fn a_budget_selector_is_replaced() {
    let budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\nspec: {minAvailable: 1, selector: {matchLabels: {a: b}}}\n";
    let patch = "spec: {selector: {matchLabels: {c: d}}}\n";
    let of = |kind: &str| {
        let objects = render(&app("{kind: PodDisruptionBudget}", kind, patch, budget)).unwrap();
        object(&objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"].clone()
    };
    assert_eq!(of("strategic"), json!({"c": "d"}));
    assert_eq!(of("merge"), json!({"a": "b", "c": "d"}));
}

#[test]
fn m_render_02_a_patch_can_delete_an_object() {
    let whole = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n$patch: delete\n";
    let objects = render(&app("{kind: Deployment, name: web}", "strategic", whole, DEPLOYMENT)).unwrap();
    assert_eq!(objects.len(), 1);
    assert_eq!(objects[0]["kind"], "ConfigMap");
    // A target that matches more than the patch names deletes nothing.
    for (target, patch, field) in [
        ("{}", whole, "kind"),
        ("{}", "metadata: {name: hunter2}\n$patch: delete\n", "metadata.name"),
        ("{kind: Deployment}", "apiVersion: apps/v2\n$patch: delete\n", "apiVersion"),
        ("{kind: Deployment}", "metadata: {namespace: elsewhere}\n$patch: delete\n", "metadata.namespace"),
    ] {
        let error = render(&app(target, "strategic", patch, DEPLOYMENT)).unwrap_err();
        assert!(
            error.contains(&format!("has a different `{field}` than")) || error.contains("`apiVersion`"),
            "{error}"
        );
        assert!(error.contains("p.yaml:"), "{error}");
    }
    let error = render(&app("{}", "strategic", "$patch: delete\n", DEPLOYMENT)).unwrap_err();
    assert!(error.contains("renders no object"), "{error}");
    // References to it are found like any other.
    let user = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: a, envFrom: [{configMapRef: {name: other}}]}]}\n";
    let tree = app("{kind: ConfigMap, name: other}", "strategic", "$patch: delete\n", user);
    let report = tree.report(&["--env", "prod"]);
    assert_eq!(report.of("reference/missing-config-map").len(), 1, "{:?}", report.lines());
}

#[test]
fn a_deleted_definition_still_defines_the_scope() {
    let objects = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: nodes.example.com}\nspec: {group: example.com, scope: Cluster, names: {kind: Node, plural: nodes}, versions: []}\n---\napiVersion: example.com/v1\nkind: Node\nmetadata: {name: node}\n";
    let rendered =
        render(&app("{kind: CustomResourceDefinition}", "strategic", "$patch: delete\n", objects)).unwrap();
    assert_eq!(object(&rendered, "Node")["metadata"], json!({"name": "node"}));
}

#[test]
fn malformed_directives_are_refused_at_their_place() {
    for (patch, place, wanted) in [
        ("$patch: hunter2\n", "p.yaml:1:9", "`$patch` must be `delete`, `merge` or `replace`"),
        ("spec: {strategy: {$patch: 1}}\n", "p.yaml:1:27", "`$patch` must be"),
        ("spec: {$retainKeys: hunter2}\n", "p.yaml:1:8", "`$retainKeys` must be a list of field names"),
        ("spec: {$retainKeys: [1]}\n", "p.yaml:1:8", "`$retainKeys` must be a list of field names"),
        (
            "spec: {strategy: {$retainKeys: [type], rollingUpdate: {}}}\n",
            "p.yaml:1:40",
            "patch sets a field that `$retainKeys` does not name",
        ),
        (
            "metadata: {$deleteFromPrimitiveList/finalizers: hunter2}\n",
            "p.yaml:1:12",
            "`$deleteFromPrimitiveList` must be a list",
        ),
        (
            "metadata: {$setElementOrder/finalizers: {a: b}}\n",
            "p.yaml:1:12",
            "`$setElementOrder` must be a list",
        ),
        ("metadata: {$setElementOrder/finalizers: [{a: b}]}\n", "p.yaml:1:42", "item is of type object"),
        (
            "metadata: {$setElementOrder/finalizers: [a.io/x], finalizers: [a.io/z]}\n",
            "p.yaml:1:64",
            "not in the order of `$setElementOrder`",
        ),
        ("spec: {template: {spec: {$setElementOrder/tolerations: []}}}\n", "", ""),
        (
            "spec: {template: {spec: {tolerations: [], $setElementOrder/tolerations: []}}}\n",
            "p.yaml:1:43",
            "a list that Kubernetes does not merge",
        ),
        (
            "spec: {template: {spec: {containers: [{image: hunter2}]}}}\n",
            "p.yaml:1:39",
            "item does not have the merge key `name`",
        ),
        (
            "spec: {template: {spec: {containers: [{name: {a: b}}]}}}\n",
            "p.yaml:1:39",
            "item does not have the merge key `name`",
        ),
        (
            "spec: {template: {spec: {containers: [hunter2]}}}\n",
            "p.yaml:1:39",
            "item is of type string, but Kubernetes merges this list by `name`",
        ),
        (
            "metadata: {finalizers: [[a]]}\n",
            "p.yaml:1:25",
            "item is of type array, but Kubernetes merges this list by value",
        ),
    ] {
        if wanted.is_empty() {
            patch_deployment("strategic", patch);
            continue;
        }
        let error = refusal("strategic", patch);
        assert!(error.contains(wanted) && error.contains(place), "{patch}: {error}");
    }
}

#[test]
fn m_loc_01_a_finding_about_a_patched_value_points_at_the_patch() {
    let place = |kind: &str, patch: &str| {
        let report = app("{kind: Deployment}", kind, patch, DEPLOYMENT).report(&["--env", "prod"]);
        let found: Vec<String> = report
            .of("schema/required")
            .iter()
            .chain(&report.of("schema/type"))
            .map(|found| format!("{}:{}", found["path"].as_str().unwrap(), found["line"]))
            .collect();
        assert_eq!(found.len(), 1, "{patch} {:?}", report.lines());
        found[0].clone()
    };
    for (kind, patch, wanted) in [
        ("merge", CONTAINERS, "p.yaml:5"),
        (
            "json",
            "- op: replace\n  path: /spec/template/spec/containers/0\n  value:\n    name: server\n",
            "p.yaml:4",
        ),
        (
            "json",
            "- op: replace\n  path: /spec/template/spec/containers\n  value:\n  - name: server\n",
            "p.yaml:4",
        ),
        ("json", "- op: add\n  path: /spec/template/spec/containers/0\n  value: {name: x}\n", "p.yaml:3"),
        // The removal of a required field is only in the patch.
        (
            "json",
            "- op: test\n  path: /kind\n  value: Deployment\n- op: remove\n  path: /spec/template/spec/containers/1/image\n",
            "p.yaml:4",
        ),
        ("merge", "spec:\n  selector: null\n", "p.yaml:2"),
        (
            "strategic",
            "spec:\n  template:\n    spec:\n      containers:\n      - name: server\n        image: null\n",
            "p.yaml:6",
        ),
        ("strategic", "spec:\n  template:\n    spec:\n      containers:\n      - name: new\n", "p.yaml:5"),
        (
            "strategic",
            "spec:\n  template:\n    spec:\n      containers:\n      - {name: server, env: [{name: NEW,\n          value: 7}]}\n",
            "p.yaml:6",
        ),
        ("strategic", "spec:\n  replicas: a\n", "p.yaml:2"),
        ("strategic", "spec:\n  strategy:\n    $patch: replace\n    type: 5\n", "p.yaml:4"),
    ] {
        assert_eq!(place(kind, patch), wanted, "{kind} {patch}");
    }
    // The rest of a merged item keeps its place.
    let faulty = DEPLOYMENT.replace("image: envoy:1", "image: 5");
    let tree = app(
        "{kind: Deployment}",
        "strategic",
        "spec: {template: {spec: {containers: [{name: proxy, args: [a]}]}}}\n",
        &faulty,
    );
    assert_eq!(tree.report(&["--env", "prod"]).one("schema/type")["path"], "base/a.yaml");
}

#[test]
fn m_render_01_a_written_namespace_stays() {
    let kinds =
        ["ClusterLogPipe", "ClusterLogging", "ClusterClass", "ClusterDeployment", "ClusterGroup", "LogPipe"];
    let list: String = kinds
        .iter()
        .map(|kind| format!("- apiVersion: logs.example.com/v1\n  kind: {kind}\n  metadata: {{name: a, namespace: logging}}\n"))
        .collect();
    let rest = "---\napiVersion: logs.example.com/v1\nkind: ClusterLogPipe\nmetadata: {name: b}\n---\napiVersion: logs.example.com/v1\nkind: LogPipe\nmetadata: {name: b}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r, namespace: shop}\n";
    let objects = format!("apiVersion: v1\nkind: List\nitems:\n{list}{rest}");
    let namespaces = |tree: &Tree| -> Vec<String> {
        let objects = render(tree).unwrap();
        let of = |name: &str, kind: &str| {
            let found =
                objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
            found.unwrap()["metadata"]["namespace"].as_str().unwrap_or("-").to_owned()
        };
        kinds
            .iter()
            .map(|kind| of("a", kind))
            .chain([of("b", "ClusterLogPipe"), of("b", "LogPipe"), of("r", "ClusterRole")])
            .collect()
    };
    let plain = app("{kind: ConfigMap}", "", "data: {a: c}\n", &objects);
    let wanted = ["logging", "logging", "logging", "logging", "logging", "logging", "-", "shop", "-"];
    assert_eq!(namespaces(&plain), wanted);
    let report = plain.report(&["--env", "prod", "--rule", "resource/missing-namespace=note"]);
    assert_eq!(report.of("resource/missing-namespace").len(), 0, "{:?}", report.lines());
    assert_eq!(
        report.of("resource/cluster-scoped-with-namespace").len(),
        1,
        "the ClusterRole: {:?}",
        report.lines()
    );
    // A patch may set a namespace, and a definition decides the scope.
    let patch_deployment =
        app("{kind: ClusterLogPipe, name: b}", "merge", "metadata: {namespace: elsewhere}\n", &objects);
    assert_eq!(namespaces(&patch_deployment)[6], "elsewhere");
    let definition = |scope: &str| {
        format!(
            "{objects}---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: clusterlogpipes.logs.example.com}}\nspec: {{group: logs.example.com, scope: {scope}, names: {{kind: ClusterLogPipe, plural: clusterlogpipes}}, versions: []}}\n"
        )
    };
    let of = |scope: &str| namespaces(&app("{kind: ConfigMap}", "", "data: {a: c}\n", &definition(scope)));
    assert_eq!([&of("Cluster")[0], &of("Cluster")[6]], ["-", "-"]);
    assert_eq!([&of("Namespaced")[0], &of("Namespaced")[6]], ["logging", "shop"]);
}

#[test]
fn strategic_patches_are_bounded() {
    let many =
        |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(", ");
    let ports = |count: usize| many(count, &|n| format!("{{containerPort: {}, name: \"p{n}\"}}", n % 60_000));
    let one = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: a, image: a, ports: [{}]}}]}}\n",
        ports(8_000)
    );
    let start = std::time::Instant::now();
    let patch = format!("spec: {{containers: [{{name: a, ports: [{}]}}]}}\n", ports(8_000));
    render(&app("{kind: Pod}", "strategic", &patch, &one)).unwrap();
    let order = format!(
        "spec: {{$setElementOrder/containers: [{}]}}\n",
        many(150_000, &|n| format!("{{name: a{n}}}"))
    );
    let error = render(&app("{kind: Pod}", "strategic", &order, &one)).unwrap_err();
    assert!(error.contains("patch makes the object too large or too deep"), "{error}");
    // All items have one merge key: each must be found without visiting the others.
    let same = many(8_000, &|n| format!("{{containerPort: 1, protocol: \"P{n}\"}}"));
    let equal = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: a, image: a, ports: [{same}]}}]}}\n"
    );
    let patch = format!("spec: {{containers: [{{name: a, ports: [{same}]}}]}}\n");
    render(&app("{kind: Pod}", "strategic", &patch, &equal)).unwrap();
    let keys = many(30_000, &|n| format!("k{n}: v"));
    let map = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata: {{{keys}}}\n");
    let removals = many(15_000, &|n| format!("$deleteFromPrimitiveList/k{n}: []"));
    render(&app("{name: m}", "strategic", &format!("data: {{{removals}}}\n"), &map)).unwrap();
    // Ten objects, and patches that each add megabytes.
    let maps: String = (0..60)
        .map(|n| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{n}}}\n"))
        .collect();
    let large = format!("data: {{x: {}}}\n", "y".repeat(1_000_000));
    let error = render(&app("{kind: ConfigMap}", "strategic", &large, &maps)).unwrap_err();
    assert!(error.contains("patches add more than 50331648 bytes"), "{error}");
    let deep = format!("spec: {}1{}\n", "{a: ".repeat(120), "}".repeat(120));
    let error = render(&app("{kind: Pod}", "strategic", &deep, &one)).map(|_| ());
    assert!(error.is_ok() || error.unwrap_err().contains("too deep"));
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn strategic_patches_cannot_expose_a_plain_secret() {
    for (patch, wanted) in [
        (
            "kind: List\nitems: [{apiVersion: v1, kind: Secret, metadata: {name: x}, stringData: {a: hunter2}}]\n",
            "into a list",
        ),
        (
            "items: [{apiVersion: v1, kind: Secret, metadata: {name: x}, stringData: {a: hunter2}}]\n",
            "into a list",
        ),
        ("kind: secret\nstringData: {a: hunter2}\n", "holds `stringData` of a Secret"),
        (
            "$patch: replace\nkind: Deployment\n",
            "result of the patch is not a Kubernetes object: `apiVersion` is missing",
        ),
    ] {
        let error = refusal("strategic", patch);
        assert!(error.contains(wanted), "{patch}: {error}");
    }
}

#[test]
fn r17_files_of_other_tools_are_named() {
    for (file, text, wanted, remedy) in [
        (
            "kustomization.yaml",
            "resources: [a.yaml]\n",
            "a Kustomize configuration is not a manifest",
            "a source `kustomize` of an app",
        ),
        (
            "kustomization.yml",
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: a}\n",
            "Kustomize",
            "a source `kustomize` of an app",
        ),
        (
            "component.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
            "Kustomize",
            "a source `kustomize` of an app",
        ),
        (
            "Chart.yaml",
            "apiVersion: v2\nname: a\nversion: 1.0.0\n",
            "the metadata of a Helm chart is not a manifest",
            "a source `helm` of an app",
        ),
        ("web/values.yaml", "image: {tag: a}\n", "a Helm values file", "a source `helm` of an app"),
        (
            "cm.yaml",
            "metadata:\n  name: {{ .Values.name }}\n",
            "file has template tags, but is not a template",
            "rename the file to `cm.yaml.hbs`, or render the chart first",
        ),
        (
            "if.yaml",
            "{{- if .Values.a }}\nkind: A\n{{- end }}\n",
            "file has template tags, but is not a template",
            "rename the file to `if.yaml.hbs`, or render the chart first",
        ),
        (
            "dash.json",
            "{\"title\": \"a\", \"panels\": [], \"schemaVersion\": 39}\n",
            "a Grafana dashboard",
            "ConfigMap",
        ),
        ("docker-compose.yml", "services: {a: {image: b}}\n", "a Compose file", "move the file"),
        ("ci.yaml", "on: {push: null}\njobs: {a: {}}\n", "a GitHub Actions workflow", "move the file"),
        (
            "skaffold.yaml",
            "apiVersion: skaffold/v4beta1\nkind: Config\nmetadata: {name: a}\n",
            "a Skaffold configuration",
            "move the file",
        ),
        ("helmfile.yaml", "releases: [{name: a}]\n", "a Helmfile configuration", "render it first"),
        ("all.yaml", "- {apiVersion: v1, kind: Pod}\n", "a list of objects", "`---` between them"),
        ("p.yaml", "- {op: remove, path: /a}\n", "a JSON Patch is not a manifest", "`patches`"),
        (
            "enc.yaml",
            "a: ENC[AES256_GCM,data:x]\nsops: {mac: x, version: 3.9.0}\n",
            "a file encrypted with SOPS",
            "<sops:FILE#KEY>",
        ),
    ] {
        let path = format!("base/{file}");
        let tree = app("{kind: ConfigMap}", "", "data: {a: c}\n", OTHER.replace("other", "more").as_str());
        tree.write(&path, text);
        let error = render(&tree).unwrap_err();
        assert!(error.contains(wanted) && error.contains(remedy) && error.contains(&path), "{file}: {error}");
        let report = tree.report(&["--env", "prod"]);
        let named = report
            .findings()
            .iter()
            .filter(|found| found["message"].as_str().unwrap().contains(wanted))
            .count();
        assert_eq!(named, 1, "{file}: {:?}", report.lines());
    }
    // Flux's kind of the same name is an object.
    let flux =
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {}\n";
    assert!(render(&app("{kind: ConfigMap}", "", "data: {a: c}\n", flux)).is_ok());
}

#[test]
fn r16_an_object_that_sops_encrypted_is_named() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {p: \"ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\"}\nsops: {mac: x, version: 3.9.0}\n";
    for text in
        [secret.to_owned(), secret.replace("\ndata:", "\nstringData:"), secret.replace("Secret", "ConfigMap")]
    {
        let error = render(&app("{kind: ConfigMap, name: other}", "", "data: {a: c}\n", &text)).unwrap_err();
        assert!(error.contains("base/a.yaml:5:1"), "{error}");
        assert!(error.contains("object is encrypted with SOPS"), "{error}");
        assert!(error.contains("<sops:FILE#KEY>"), "{error}");
        assert_eq!(error.matches("error:").count(), 1, "{error}");
    }
    // A kind that its controller decrypts.
    let custom = "apiVersion: isindir.github.com/v1alpha3\nkind: SopsSecret\nmetadata: {name: s}\nspec: {}\nsops: {mac: x, version: 3.9.0}\n";
    assert!(render(&app("{kind: ConfigMap}", "", "data: {a: c}\n", custom)).is_ok());
}

#[test]
fn utf_16_is_named() {
    let tree = app("{kind: ConfigMap}", "", "data: {a: c}\n", OTHER.replace("other", "more").as_str());
    let bytes: Vec<u8> = "\u{feff}a: b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    tree.write("base/wide.yaml", bytes);
    let error = render(&tree).unwrap_err();
    assert!(error.contains("base/wide.yaml") && error.contains("input is UTF-16, not UTF-8"), "{error}");
}
