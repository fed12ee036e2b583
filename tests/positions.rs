//! Where `validate` says that a fault is: through templates, partials, helpers, values and patches.
//!
//! Each case is a small app whose `ConfigMap` has a number where a text belongs, and the exact place that is reported.

#![allow(missing_docs, reason = "a test crate has no readers of its documentation")]
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use support::validating::Tree;

const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n";

/// `path:line:column:width`.
fn shown(place: &Value) -> String {
    let name = place["path"].as_str().unwrap();
    format!("{name}:{}:{}:{}", place["line"], place["column"], place["width"])
}

/// For each faulty value, its place and those of the values behind it.
fn found(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    let report = Tree::app(files).report(&["--env", "prod"]);
    let findings = report.of("schema/type");
    let of = |finding: &&Value| {
        let related = finding["related"].as_array().unwrap();
        let places: Vec<String> = std::iter::once(*finding).chain(related).map(shown).collect();
        let pointer = finding["pointer"].as_str().unwrap();
        (pointer.trim_start_matches("/data/").to_owned(), places.join(" < "))
    };
    let found: BTreeMap<String, String> = findings.iter().map(of).collect();
    assert_eq!(found.len(), findings.len(), "{:?}", report.lines());
    assert!(!found.is_empty(), "nothing is wrong: {:?}", report.lines());
    found
}

/// An app whose template is this, and what is found in it.
#[track_caller]
fn check(template: &str, values: &str, wanted: &[(&str, &str)]) {
    check_with(template, values, &[], wanted);
}

#[track_caller]
fn check_with(template: &str, values: &str, more: &[(&str, &str)], wanted: &[(&str, &str)]) {
    let text = format!("{HEAD}{template}");
    let mut files = vec![("base/t.yaml.hbs", text.as_str()), ("values.yaml", values)];
    files.extend(more);
    let found = found(&files);
    let wanted: BTreeMap<String, String> =
        wanted.iter().map(|(key, place)| ((*key).to_owned(), (*place).to_owned())).collect();
    assert_eq!(found, wanted, "\n{template}");
}

const T: &str = "base/t.yaml.hbs";

#[test]
fn x() {
    let cases: &[(&str, &str, &[(&str, &str)])] = &[
        (
            "{{#with (lookup m \"k\")}}\n  a: {{ b }}\n{{/with}}\n{{#with (get m \"k\")}}\n  b: {{ b }}\n{{/with}}\n{{#each (first l)}}\n  {{@key}}: {{this}}\n{{/each}}\n",
            "m: {k: {b: 5}}\nl: [{c: 5}]\n",
            &[],
        ),
        (
            "{{> p m k=q lit=3}}",
            "m: {x: 7, r: 1}\nq: {v: 8}\n",
            &[(
                "partials/p.hbs",
                "  a: {{ x }}\n  b: {{ k.v }}\n  c: {{ lit }}\n  d: {{ this.x }}\n  e: {{ ../q.v }}\n{{#with k}}\n  f: {{ v }}\n  g: {{ lit }}\n  h: {{ ../x }}\n{{/with}}\n{{#each k}}\n  i: {{this}}\n{{/each}}\n{{#each this}}\n  j{{@index}}: {{#if (eq @key \"x\")}}{{this}}{{/if}}\n{{/each}}\n",
            )],
        ),
        (
            "{{#each l}}\n{{> p this}}\n{{/each}}\n",
            "l: [{w: a, v: 7}, {w: b, v: 8}]\n",
            &[("partials/p.hbs", "  {{w}}: {{ v }}\n")],
        ),
        (
            "{{#each l}}\n{{> p z=1}}\n{{/each}}\n",
            "l: [{w: a, v: 7}, {w: b, v: 8}]\n",
            &[("partials/p.hbs", "  {{w}}: {{ v }}\n")],
        ),
        (
            "{{> p z=1}}\n",
            "l: [{w: a, v: 7}, {w: b, v: 8}]\nm: {c: 1, d: {e: 5}}\n",
            &[(
                "partials/p.hbs",
                "{{#each l}}\n  {{w}}: {{ v }}\n{{/each}}\n{{#each m}}\n  {{@key}}: {{#if (eq this 1)}}{{this}}{{else}}{{e}}{{/if}}\n{{/each}}\n",
            )],
        ),
        (
            "{{#each m}}\n{{> p z=1}}\n{{#with this}}\n  {{@key}}1: 4{{z}}\n{{/with}}\n{{/each}}\n",
            "m: {c: {z: 3}, d: {z: 5}}\n",
            &[("partials/p.hbs", "  {{@key}}: 1{{z}}\n")],
        ),
        ("  s: \"{{{{raw}}}}{{ x }} \\\\{{{{{{/raw}}}}\"\n  b: {{ x }}\n", "x: 7\n", &[]),
        (
            "{{> p}}{{> p}}{{#each l}}{{> p}}{{/each}}  d: {{m.x}}\n",
            "x: a\nl: []\nm: {x: 5}\n",
            &[("partials/p.hbs", "# {{ x }}\n")],
        ),
        ("{{#if t}}{{#each l}}{{else}}  a: {{x}}\n{{/each}}{{/if}}", "x: 7\nt: true\nl: []\n", &[]),
        (
            "{{#if nope}}{{else if x}}\n  a: {{x}}\n{{else}}{{/if}}{{#if nope}}{{else with m}}\n  b: {{x}}\n  c: {{../x}}\n{{/if}}",
            "x: 7\nm: {x: 1}\n",
            &[],
        ),
        (
            "{{#each l}}\n  {{#if @first}}a{{else}}b{{/if}}: {{ this }}\n{{/each}}\n",
            "l: &a [1, 2]\nm: *a\n",
            &[],
        ),
        ("{{nindent 2 (toYaml m)}}\n", "m:\n  a: |\n    x\n    z\n  b: 5\n  c: 'é'\n  d: 6\n", &[]),
        (
            "{{nindent 2 (toYaml m)}}\n",
            "b: &b\n  a: 5\n  k: 3\nm: *b\n",
            &[("envs/prod/values.yaml", "m: {a: 6}\n")],
        ),
        ("  {{#if x}}a{{/if}}: {{{ x }}}\n  b: {{~{ x }~}}\n  c: {{& x}}\n", "x: 7\n", &[]),
    ];
    for (template, values, more) in cases {
        let text = format!("{HEAD}{template}");
        let mut files = vec![("base/t.yaml.hbs", text.as_str()), ("values.yaml", *values)];
        files.extend(*more);
        let shown = std::panic::catch_unwind(|| found(&files));
        println!("----\n{template}--\n{values}--{more:?}\n{shown:#?}");
    }
}
