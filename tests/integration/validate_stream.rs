//! `validate` on sets that are too large to be checked as a whole: objects one by one, and the state between them.

use crate::support::validating::{BAD, CommandResult, GOOD, Tree, run_in};

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer}}}
";

fn widget(name: &str, size: &str) -> String {
    format!("apiVersion: example.org/v1\nkind: Widget\nmetadata: {{name: {name}}}\nspec: {{size: {size}}}\n")
}

/// Returns a document that is only a comment, larger than the limit for a whole set.
fn filler() -> String {
    format!("# {}\n", "x".repeat(9 << 20))
}

/// Validates documents in a file and on standard input, and checks that the results are equal.
fn run(documents: &[&str]) -> CommandResult {
    let tree = Tree::new(&[("all.yaml", &documents.join("---\n"))]);
    let (file, stdin) = (tree.run(&["all.yaml"]), run_in(tree.root(), &["-"], Some("all.yaml")));
    assert!(file.stderr.contains("each object was checked on its own"), "{}", file.stderr);
    assert_eq!(file.stdout, stdin.stdout.replace("<stdin>", "all.yaml"));
    file
}

#[test]
fn a_definition_applies_to_later_objects() {
    let ran = run(&[DEFINITION, &filler(), &widget("good", "1"), &widget("bad", "one")]);
    let report = ran.report();
    assert_eq!(report.findings().len(), 1, "{:?}", report.lines());
    let finding = report.one("schema/type");
    assert_eq!((&finding["object"]["name"], &finding["line"]), (&"bad".into(), &28.into()));
}

#[test]
fn a_definition_does_not_apply_to_much_earlier_objects() {
    let ran = run(&[&widget("bad", "one"), &filler(), DEFINITION]);
    let report = ran.report();
    assert_eq!(report.one("schema/unknown-kind")["severity"], "note");
    assert!(report.of("schema/type").is_empty());
}

#[test]
fn a_kind_without_a_schema_is_reported_once() {
    let widgets: Vec<String> = (0..1_000).map(|number| widget(&format!("w{number}"), "1")).collect();
    let report =
        run(&[&widgets.join("---\n"), &filler(), &widgets.join("---\n").replace("name: w", "name: v")])
            .report();
    report.one("schema/unknown-kind");
    assert_eq!(report.findings().len(), 1, "{:?}", report.lines());
}

#[test]
fn suppressions_apply_at_their_places() {
    let annotated = BAD.replace(
        "{name: bad}",
        "{name: annotated, annotations: {ignore.sealwave.dev/schema.type: it is a number}}",
    );
    let commented = BAD.replace("{theme: 7}", "{theme: 7} # sealwave: ignore schema/type -- it is a number");
    let report = run(&[&annotated, &filler(), &commented.replace("bad", "commented"), BAD]).report();
    assert_eq!(report.one("schema/type")["object"]["name"], "bad");
    assert_eq!(report.summary()["suppressed"], 2);
    assert_eq!(report.findings().len(), 1, "{:?}", report.lines());
}

#[test]
fn lists_and_broken_documents_are_handled() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: listed}, data: {a: 1}}\n";
    let report = run(&[list, "a: [\n", "kind: Kustomization\nresources: []\n", &filler(), GOOD]).report();
    assert_eq!(report.one("schema/type")["object"]["name"], "listed");
    report.one("yaml/syntax");
    assert_eq!(report.summary()["lookedAt"]["objects"], 2);
}
