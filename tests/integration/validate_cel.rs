//! CEL rules of custom resource definitions and of admission policies.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::support::validating::{Report, Tree};
use serde_json::Value;

const DEFINITION: &str = include_str!("../../testdata/cel/definition.yaml");

/// Returns a definition of kind `Widget` with a schema of `spec`, in JSON or YAML on one line.
fn definition(spec: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: widgets.example.com}}\n\
         spec:\n  group: example.com\n  names: {{kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}}\n  \
         scope: Namespaced\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      \
         openAPIV3Schema:\n        type: object\n        properties:\n          spec: {spec}\n"
    )
}

fn widget(spec: &str) -> String {
    format!(
        "---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: a, namespace: shop}}\nspec: {spec}\n"
    )
}

fn report(text: &str) -> Report {
    Tree::new(&[("all.yaml", text)]).run(&["all.yaml"]).report()
}

fn messages(report: &Report, rule: &str) -> Vec<String> {
    report.of(rule).iter().map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
}

/// The places are those reported by `apiextensions-apiserver` 0.36.1.
#[test]
fn objects_are_rejected_where_the_api_server_rejects_them() {
    let mut wrong = Vec::new();
    let cases: Vec<Value> = include_str!("../../testdata/cel/objects.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let all: Vec<String> = cases.iter().map(|case| format!("---\n{}\n", case["object"])).collect();
    let all = all.concat();
    let tree = Tree::new(&[("crd/raft.yaml", DEFINITION), ("all.yaml", &all)]);
    let report = tree.run(&["all.yaml", "--crds", "crd", "--namespace", "sea"]).report();
    for case in &cases {
        let name = &case["object"]["metadata"]["name"];
        let found = report.of("schema/cel").into_iter().filter(|finding| finding["object"]["name"] == *name);
        let mut found: Vec<String> =
            found.map(|finding| field(finding["pointer"].as_str().unwrap())).collect();
        found.sort();
        let wanted: Vec<&str> =
            case["refused_at"].as_array().unwrap().iter().map(|at| at.as_str().unwrap()).collect();
        // `spec: null` is a separate finding here.
        if found != wanted && case["object"]["spec"] != Value::Null {
            wrong.push(format!("{case}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(messages(&report, "schema/unevaluated-rules"), [""; 0]);
}

/// Returns a pointer in the API server's notation.
fn field(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1).fold(String::new(), |path, step| {
        if step.bytes().all(|byte| byte.is_ascii_digit()) && !step.is_empty() {
            return format!("{path}[{step}]");
        }
        if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") }
    });
    if steps.is_empty() { "<nil>".to_owned() } else { steps }
}

#[test]
fn messages_are_those_of_the_rule_and_quote_no_value() {
    let text = definition(
        "{type: object, properties: {a: {type: string}}, x-kubernetes-validations: [{rule: \"self.a != 'hunter2-value'\", \
         messageExpression: \"'got ' + self.a\"}, {rule: \"self.a == ''\", message: must be empty}, \
         {rule: \"int(self.a) > 1\"}]}",
    ) + &widget("{a: hunter2-value}");
    let report = report(&text);
    let mut found = messages(&report, "schema/cel");
    found.sort();
    assert_eq!(
        found,
        [
            "must be empty (rule `self.a == ''`)",
            "rule `int(self.a) > 1` cannot be evaluated: value cannot be converted",
            "rule `self.a != 'hunter2-value'` does not hold",
        ]
    );
    assert!(!found.iter().any(|message| message.contains("got ")));
}

#[test]
fn messages_of_a_hostile_definition_are_limited_and_printable() {
    let message = format!("\\u001b[31m::error::{}", "x".repeat(5000));
    let text = definition(&format!(
        "{{type: object, x-kubernetes-validations: [{{rule: \"false\", message: \"{message}\"}}, {{rule: \"'{}' == ''\"}}]}}",
        "y".repeat(5000)
    )) + &widget("{}");
    for message in messages(&report(&text), "schema/cel") {
        assert!(message.chars().count() < 500 && !message.contains('\u{1b}'), "{message}");
    }
}

#[test]
fn rules_that_are_not_implemented_are_counted_and_not_guessed() {
    let rules = [
        "url(self.a).getHost() == 'x'",
        "self.a.format(['x']) == 'x'",
        "semver(self.a).major() == 1",
        "self.a != ''",
    ];
    let rules: Vec<String> = rules.iter().map(|rule| format!("{{rule: \"{rule}\"}}")).collect();
    let schema = format!(
        "{{type: object, properties: {{a: {{type: string}}}}, x-kubernetes-validations: [{}]}}",
        rules.join(", ")
    );
    let report = report(&(definition(&schema) + &widget("{a: \"https://x\"}")));
    assert_eq!(messages(&report, "schema/cel"), [""; 0]);
    assert_eq!(
        messages(&report, "schema/unevaluated-rules"),
        ["3 of 4 validation rules of kind `Widget` are not evaluated"]
    );
}

#[test]
fn rules_are_evaluated_only_for_otherwise_valid_objects() {
    let schema =
        "{type: object, properties: {a: {type: integer}}, x-kubernetes-validations: [{rule: self.a > 5}]}";
    let report = report(&(definition(schema) + &widget("{a: \"3\"}")));
    assert_eq!(messages(&report, "schema/cel"), [""; 0]);
    report.one("schema/type");
}

#[test]
fn c62_a_rule_with_a_field_that_is_not_declared() {
    for (rule, wanted) in [
        ("self.nope > 1", Some("CEL rule uses the field `nope`, which is not declared")),
        ("self.a >", Some("CEL rule is not valid: expression ends too early (column 9 of the rule)")),
        ("a > 1", Some("CEL rule uses the name `a`, which is not declared")),
        ("self.list.all(x, x.nope == 1)", Some("CEL rule uses the field `nope`, which is not declared")),
        ("self.list[0].nope == 1", Some("CEL rule uses the field `nope`, which is not declared")),
        (
            "self.map.all(k, self.map[k].nope == 1)",
            Some("CEL rule uses the field `nope`, which is not declared"),
        ),
        ("self.free.nope == 1", Some("CEL rule uses the field `nope`, which is not declared")),
        ("has(self.nope)", Some("CEL rule uses the field `nope`, which is not declared")),
        ("self.b-c > 1", Some("CEL rule uses the field `b`, which is not declared")),
        // Since Kubernetes 1.31.
        ("self.namespace == ''", None),
        ("self.a > 1", None),
        ("self.b__dash__c > 1", None),
        ("self.__namespace__ == ''", None),
        ("self.list.all(x, x.a == 1)", None),
        ("self.list.filter(x, x.a == 1).all(x, x.a == 1)", None),
        ("self.map.all(k, self.map[k].a == 1)", None),
        ("oldSelf.a == self.a", None),
        ("has(self.free) && self.any == 1", None),
    ] {
        let text = definition(&format!(
            "{{type: object, x-kubernetes-validations: [{{rule: \"{rule}\"}}], properties: {{a: {{type: integer}}, \
             b-c: {{type: integer}}, namespace: {{type: string}}, any: {{x-kubernetes-preserve-unknown-fields: true}}, \
             free: {{type: object, x-kubernetes-preserve-unknown-fields: true}}, \
             list: {{type: array, items: {{type: object, properties: {{a: {{type: integer}}}}}}}}, \
             map: {{type: object, additionalProperties: {{type: object, properties: {{a: {{type: integer}}}}}}}}}}}}"
        ));
        let found = messages(&report(&text), "schema/definition");
        assert_eq!(found, wanted.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{rule}");
    }
}

#[test]
fn a_rule_without_an_expression_is_rejected() {
    for rule in ["{message: x}", "{rule: ''}", "{rule: \"true\", messageExpression: \"'a' +\"}"] {
        let text = definition(&format!("{{type: object, x-kubernetes-validations: [{rule}]}}"));
        assert_eq!(messages(&report(&text), "schema/definition").len(), 1, "{rule}");
    }
}

/// Definitions whose evaluation would never end.
#[test]
fn hostile_definitions_terminate() {
    let list: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let list = list.join(",");
    let deep = "(".repeat(10_000);
    let nested = "self.l.all(a, self.l.all(b, self.l.all(c, self.l.all(d, a + b + c + d >= 0))))";
    let words = "self.l.map(a, self.l.map(b, string(a) + string(b))).size() > 0";
    let doubling = (0..40).fold("'aaaaaaaa'".to_owned(), |text, _| format!("[{text}].map(s, s + s)[0]"));
    let flat = vec!["self.l.all(x, x >= 0)"; 500].join(" && ");
    let many = format!("{{rule: \"{nested}\"}}, ").repeat(2000);
    let start = Instant::now();
    for rules in [
        format!("{{rule: \"{deep}\"}}"),
        format!("{{rule: \"{nested}\"}}"),
        format!("{{rule: \"{words}\"}}"),
        format!("{{rule: \"size({doubling}) > 0\"}}"),
        format!("{{rule: \"{flat}\"}}"),
        many,
    ] {
        let schema = format!(
            "{{type: object, properties: {{l: {{type: array, items: {{type: integer}}}}}}, x-kubernetes-validations: [{rules}]}}"
        );
        let text = definition(&schema) + &widget(&format!("{{l: [{list}]}}"));
        let report = report(&text);
        assert_eq!(messages(&report, "schema/cel"), [""; 0]);
    }
    // Much less in an optimized build.
    assert!(start.elapsed() < Duration::from_mins(2), "{:?}", start.elapsed());
}

#[test]
fn defaults_within_defaults_do_not_multiply() {
    let mut schema = "{type: object, properties: {z: {type: integer, default: 1}}}".to_owned();
    for _ in 0..30 {
        schema = format!(
            "{{type: object, properties: {{a: {{type: object, default: {{}}, properties: {{x: {{type: integer}}}}}}, b: {schema}}}}}"
        );
    }
    // Each level sets two defaults of the next.
    let mut wide = "{type: object, default: {}, properties: {z: {type: integer, default: 1}}}".to_owned();
    for _ in 0..14 {
        wide = format!("{{type: object, default: {{}}, properties: {{a: {wide}, b: {{type: object}}}}}}");
    }
    for spec in [schema, wide] {
        let spec = spec.replacen('{', "{x-kubernetes-validations: [{rule: has(self.a)}], ", 1);
        let ran = Tree::new(&[("all.yaml", &(definition(&spec) + &widget("{}")))]).run(&["all.yaml"]);
        assert!(ran.code < 2, "{}", ran.stderr);
    }
}

/// Validates a policy for Deployments with a body below `spec`, a binding to it, and a Deployment.
fn policy(body: &str, binding: &str, deployment: &str) -> Report {
    report(&format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: p}}\nspec:\n  \
         matchConstraints:\n    resourceRules: [{{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: \
         [deployments]}}]\n{body}\n---\napiVersion: admissionregistration.k8s.io/v1\nkind: \
         ValidatingAdmissionPolicyBinding\nmetadata: {{name: b}}\nspec: {binding}\n---\napiVersion: apps/v1\nkind: \
         Deployment\nmetadata: {{name: web, namespace: shop, labels: {{app: web}}}}\nspec:\n  {deployment}\n  selector: \
         {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec: {{containers: \
         [{{name: web, image: \"example.org/web:1\"}}]}}\n"
    ))
}

const DENY: &str = "{policyName: p, validationActions: [Deny]}";

#[test]
fn b29_a_policy_with_an_expression_that_does_not_parse() {
    for (body, wanted) in [
        (
            "  validations: [{expression: 'object.spec.replicas <= '}]",
            Some("CEL expression is not valid: expression ends too early (column 25 of the expression)"),
        ),
        ("  validations: [{expression: 'object.spec.replicas <= 5'}]", None),
        ("  auditAnnotations: [{key: a, valueExpression: \"'x'\"}]", None),
        (
            "  auditAnnotations: [{key: a, valueExpression: \"'x\"}]",
            Some("CEL expression is not valid: string is not closed (column 1 of the expression)"),
        ),
        (
            "  validations: [{expression: 'objct.spec.replicas <= 5'}]",
            Some("CEL expression uses the name `objct`, which is not declared"),
        ),
        (
            "  validations: [{expression: 'variables.a'}]",
            Some("CEL expression uses the variable `a`, which is not declared"),
        ),
        ("  variables: [{name: a, expression: 'true'}]\n  validations: [{expression: variables.a}]", None),
        (
            "  variables: [{name: a, expression: variables.b}, {name: b, expression: 'true'}]\n  validations: [{expression: \
             variables.a}]",
            Some("CEL expression uses the variable `b`, which is not declared"),
        ),
        (
            "  validations: [{expression: 'params.x == 1'}]",
            Some("CEL expression uses the name `params`, which is not declared"),
        ),
        (
            "  paramKind: {apiVersion: v1, kind: ConfigMap}\n  validations: [{expression: \"params.data.x == '1'\"}]",
            None,
        ),
        (
            "  validations: [{expression: \"authorizer.group('').resource('pods').check('get').allowed()\"}]",
            None,
        ),
    ] {
        let found = messages(
            &policy(body, "{policyName: other, validationActions: [Deny]}", ""),
            "policy/definition",
        );
        assert_eq!(found, wanted.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{body}");
    }
}

#[test]
fn an_object_is_checked_by_bound_policies() {
    let body = "  validations: [{expression: 'object.spec.replicas <= 5', message: too many}]";
    for (binding, deployment, severity) in [
        (DENY, "replicas: 9", Some("warning")),
        ("{policyName: p, validationActions: [Warn]}", "replicas: 9", Some("warning")),
        ("{policyName: p, validationActions: [Audit]}", "replicas: 9", Some("note")),
        ("{policyName: p, validationActions: [Audit, Deny]}", "replicas: 9", Some("warning")),
        ("{policyName: p, validationActions: []}", "replicas: 9", None),
        ("{policyName: other, validationActions: [Deny]}", "replicas: 9", None),
        (DENY, "replicas: 5", None),
        (DENY, "replicas: 0", None),
        (
            "{policyName: p, validationActions: [Deny], matchResources: {objectSelector: {matchLabels: {app: other}}}}",
            "replicas: 9",
            None,
        ),
        (
            "{policyName: p, validationActions: [Deny], matchResources: {objectSelector: {matchLabels: {app: web}}}}",
            "replicas: 9",
            Some("warning"),
        ),
        (
            "{policyName: p, validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}}",
            "replicas: 9",
            Some("warning"),
        ),
        (
            "{policyName: p, validationActions: [Deny], matchResources: {namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [shop]}]}}}",
            "replicas: 9",
            None,
        ),
        (
            "{policyName: p, validationActions: [Deny], matchResources: {excludeResourceRules: [{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*']}]}}",
            "replicas: 9",
            None,
        ),
    ] {
        let report = policy(body, binding, deployment);
        let found: Vec<_> =
            report.of("policy/admission").iter().map(|finding| finding["severity"].clone()).collect();
        assert_eq!(
            found,
            severity.map(Value::from).into_iter().collect::<Vec<_>>(),
            "{binding} {deployment}"
        );
    }
}

#[test]
fn in_an_app_a_denial_is_an_error() {
    let policy = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: p}\nspec:\n  \
                  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: \
                  [configmaps]}]}\n  validations: [{expression: object.data.theme != 'dark'}]\n---\napiVersion: \
                  admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: b}\nspec: \
                  {policyName: p, validationActions: [Deny]}\n";
    let report = Tree::app(&[("base/policy.yaml", policy)]).run(&["."]).report();
    let found = report.one("policy/admission");
    assert_eq!((&found["severity"], &found["path"]), (&Value::from("error"), &Value::from("base/good.yaml")));
}

#[test]
fn defaults_of_the_api_server_are_not_guessed() {
    let note = "policy is not evaluated for all objects that it may match";
    for (expression, wanted) in [
        ("object.spec.replicas <= 5", vec![note]),
        ("has(object.spec.replicas)", vec![note]),
        ("object.spec.template.spec.restartPolicy == 'Always'", vec![note]),
        ("object.spec.template.spec.containers.all(c, c.imagePullPolicy == 'Always')", vec![note]),
        ("has(object.spec.template.spec.securityContext)", vec![note]),
        ("object.metadata.creationTimestamp == null", vec![note]),
        ("request.userInfo.username == 'x'", vec![note]),
        ("authorizer.group('').resource('pods').check('get').allowed()", vec![note]),
        ("namespaceObject.metadata.labels.x == 'y'", vec![note]),
        ("oldObject == null && request.operation == 'CREATE' && request.namespace == 'shop'", vec![]),
        ("!('team' in object.metadata.labels)", vec![]),
        (
            "has(object.metadata.annotations)",
            vec!["admission policy `p`: expression `has(object.metadata.annotations)` does not hold"],
        ),
        (
            "object.metadata.annotations.x == 'y'",
            vec![
                "admission policy `p`: expression `object.metadata.annotations.x == 'y'` cannot be evaluated: no such key",
            ],
        ),
        (
            "object.spec.template.spec.containers.exists(c, has(c.securityContext))",
            vec![
                "admission policy `p`: expression `object.spec.template.spec.containers.exists(c, has(c.securityContext))` does not hold",
            ],
        ),
        ("object.spec.template.spec.containers.all(c, c.image.startsWith('example.org/'))", vec![]),
    ] {
        let report = policy(&format!("  validations: [{{expression: \"{expression}\"}}]"), DENY, "");
        assert_eq!(messages(&report, "policy/admission"), wanted, "{expression}");
    }
}

#[test]
fn failure_policy_and_conditions_are_respected() {
    let fails = "  validations: [{expression: \"object.metadata.annotations.x == 'y'\"}]";
    assert_eq!(messages(&policy(fails, DENY, ""), "policy/admission").len(), 1);
    let ignores = format!("  failurePolicy: Ignore\n{fails}");
    assert_eq!(messages(&policy(&ignores, DENY, ""), "policy/admission"), [""; 0]);
    let condition =
        format!("  matchConditions: [{{name: a, expression: \"object.metadata.name != 'web'\"}}]\n{fails}");
    assert_eq!(messages(&policy(&condition, DENY, ""), "policy/admission"), [""; 0]);
}

#[test]
fn a_policy_cannot_read_a_secret_into_a_message() {
    let text = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: p}\nspec:\n  \
                matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: ['*']}]}\n  \
                validations:\n  - {expression: \"object.stringData.a == 'x'\", messageExpression: object.stringData.a}\n  \
                - {expression: \"!object.stringData.a.startsWith('h')\"}\n  - {expression: \"'a' in object.data\"}\n---\n\
                apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: b}\n\
                spec: {policyName: p, validationActions: [Deny]}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, \
                namespace: shop}\nstringData: {a: hunter2-value}\n";
    let ran = Tree::new(&[("all.yaml", text)]).run(&["all.yaml"]);
    assert!(!ran.stdout.contains("hunter2"), "{}", ran.stdout);
    assert_eq!(
        messages(&ran.report(), "policy/admission"),
        ["policy is not evaluated for all objects that it may match"]
    );
}

#[test]
fn hostile_policies_terminate() {
    let rules =
        vec!["{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: [x]}"; 2000].join(", ");
    let list: Vec<String> = (0..300).map(|number| number.to_string()).collect();
    let list = format!("[{}]", list.join(","));
    let mut text = String::new();
    for number in 0..20 {
        write!(
            text,
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: p{number}}}\n\
             spec:\n  matchConstraints: {{resourceRules: [{rules}, {{apiGroups: ['*'], apiVersions: ['*'], operations: \
             ['*'], resources: ['*']}}]}}\n  validations: [{{expression: \"{list}.all(a, {list}.all(b, {list}.all(c, a + b + c \
             >= 0)))\"}}]\n---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\n\
             metadata: {{name: b{number}}}\nspec: {{policyName: p{number}, validationActions: [Deny]}}\n---\n"
        )
        .unwrap();
    }
    for number in 0..200 {
        write!(
            text,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}, namespace: shop}}\n---\n"
        )
        .unwrap();
    }
    let start = Instant::now();
    let ran = Tree::new(&[("all.yaml", &text)]).run(&["all.yaml"]);
    assert_eq!(
        ran.report().of("policy/admission").iter().filter(|finding| finding["severity"] == "error").count(),
        0
    );
    assert!(start.elapsed() < Duration::from_mins(2), "{:?}", start.elapsed());
}
