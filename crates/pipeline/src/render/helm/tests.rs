//! Tests of translations, and of the table against `docs/writing/from-helm.md`.

use super::table::{CONSTRUCTS, FUNCTIONS};
use super::*;
use sealwave_core::document::Sources;

/// Returns the messages and hints about a template.
fn explain(text: &str) -> Vec<(String, String)> {
    let problems = explain_refused(text, Sources::default().add("t"));
    problems.into_iter().map(|problem| (problem.message, problem.hint.unwrap_or_default())).collect()
}

#[test]
fn each_construct_explains_its_own_example() {
    for construct in CONSTRUCTS {
        let source = Sources::default().add("t");
        let mut problems = explain_refused(construct.theirs, source);
        problems
            .extend(explain_accepted(construct.theirs, source, true).into_iter().map(|(_, problem)| problem));
        problems.extend(explain_statements(construct.theirs, source));
        let has_reason = problems.iter().any(|problem| problem.message.contains(construct.reason));
        assert!(has_reason, "{}: {problems:?}", construct.theirs);
    }
}

#[test]
fn tags_are_translated() {
    for (theirs, ours) in [
        ("{{ .Values.a | default .Values.b | quote }}", "{{quote (default b a)}}"),
        ("{{ (.Values.a | first).b }}", "{{lookup (first a) \"b\"}}"),
        ("{{ index .Values.a \"b\" 0 }}", "{{lookup (lookup a \"b\") 0}}"),
        ("{{ .Values.a[0][1] }}", "{{lookup (lookup a 0) 1}}"),
        ("{{ a || b && !c }}", "{{or a (and b (not c))}}"),
        ("{{ a + 1 > 2 }}", "{{gt (add a 1) 2}}"),
        ("{{{ .Values.a }}}", "{{{a}}}"),
        ("{{~ .Values.a ~}}", "{{~a~}}"),
        ("{{ default(.Values.a, \"x\") }}", "{{default a \"x\"}}"),
        ("{{> labels .}}", "{{> labels}}"),
        ("{{> labels name=.Values.name}}", "{{> labels name=name}}"),
        ("{{ .Values.a.env }}", "{{a.env}}"),
        ("{{ printf `a\"b` }}", "{{printf \"a\\\"b\"}}"),
        ("{{ $ | toJson }}", "{{toJson values}}"),
    ] {
        let found = explain(theirs);
        assert!(found.iter().any(|(_, hint)| hint.contains(&format!("`{ours}`"))), "{theirs}: {found:?}");
    }
}

#[test]
fn tags_that_cannot_be_translated_have_the_general_form() {
    for (theirs, hint) in [
        ("{{ if .Values.a ; b }}", "is written"),
        ("{{ .Values.a | 1 }}", "`{{ .Values.name | quote }}` is written `{{quote name}}`"),
        ("{{ range $a, $b, $c := .x }}", "is written `{{#each list}}`"),
        ("{{ include .Values.name . }}", "is written `{{> labels}}`"),
    ] {
        let found = explain(theirs);
        assert!(found.iter().any(|(_, shown)| shown.contains(hint)), "{theirs}: {found:?}");
    }
}

#[test]
fn a_block_tag_alone_on_its_line_is_not_trimmed() {
    let found = explain("a:\n  {{- if .Values.enabled }}\n  b: c\n  {{- else }}\n  {{- end }}\n");
    let hints: Vec<&str> = found.iter().map(|(_, hint)| hint.as_str()).collect();
    assert_eq!(
        hints,
        [
            "write `{{#if enabled}}`",
            "write `{{else}}`: alone on its line, it leaves no blank line",
            "write `{{/if}}`"
        ]
    );
}

#[test]
fn valid_templates_have_no_faults() {
    let text = "{{#each a as |b c|}}{{b}}{{^if c}}y{{else if c}}{{x.[0]}}{{/each}}{{!-- {{ .x }} --}}{{! .y }}\\{{ .z }}\
                {{{{raw}}}}{{ .a }}{{{{/raw}}}}{{#*inline \"p\"}}x{{/inline}}{{> p a=1}}{{{f}}}{{~g~}}";
    assert_eq!(explain(text), []);
    for has_faults in [false, true] {
        assert!(explain_accepted(text, Sources::default().add("t"), has_faults).is_empty());
    }
}

#[test]
fn the_page_lists_all_functions() {
    let rows: Vec<String> = FUNCTIONS
        .iter()
        .map(|functions| {
            let names: Vec<String> =
                functions.names.split_whitespace().map(|name| format!("`{name}`")).collect();
            format!("| {} | {} |", names.join(", "), functions.advice)
        })
        .collect();
    let table = format!("| Helm | instead |\n|---|---|\n{}\n", rows.join("\n"));
    sealwave_testkit::check_page_section("docs/writing/from-helm.md", "functions", &table);
}
