//! The places that `validate` reports, through templates, partials, helpers, values and patches.
//!
//! Each case is a small app whose `ConfigMap` has a number instead of a text, and the exact place of the finding.

use std::collections::BTreeMap;

use crate::support::validating::Tree;
use serde_json::Value;

const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n";

/// Keys and their places.
type Places<'a> = &'a [(&'a str, &'a str)];

/// Returns `path:line:column:width`.
fn shown(place: &Value) -> String {
    let name = place["path"].as_str().unwrap();
    format!("{name}:{}:{}:{}", place["line"], place["column"], place["width"])
}

/// Returns the place of each faulty value, and the places of the values behind it.
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

/// Checks the places in an app with a template; `T` stands for the path of the template, `V` for that of the values.
#[track_caller]
fn check(template: &str, values: &str, wanted: Places<'_>) {
    check_with(template, values, &[], wanted);
}

/// Like [`check`], with more files; `P` stands for the partial `p`.
#[track_caller]
fn check_with(template: &str, values: &str, more: &[(&str, &str)], wanted: Places<'_>) {
    let text = format!("{HEAD}{template}");
    let mut files = vec![("base/t.yaml.hbs", text.as_str()), ("values.yaml", values)];
    files.extend(more);
    let short = |place: String| {
        let place = place.replace("base/t.yaml.hbs:", "T:").replace("partials/p.hbs:", "P:");
        place.replace(" < values.yaml:", " < V:")
    };
    let found: BTreeMap<String, String> =
        found(&files).into_iter().map(|(key, place)| (key, short(place))).collect();
    let wanted: BTreeMap<String, String> =
        wanted.iter().map(|(key, place)| ((*key).to_owned(), (*place).to_owned())).collect();
    assert_eq!(found, wanted, "\n{template}");
}

// Text and expressions. The template's lines start at 5.

#[test]
fn each_expression_of_a_line_has_its_column() {
    check(
        "  a: {{ x }} # {{ z }}\n  b: 8\n",
        "x: 7\nz: 8\n",
        &[("a", "T:5:6:7 < V:1:4:1"), ("b", "T:6:6:1")],
    );
    check("  {{ k }}: {{ x }}\n", "k: a\nx: 7\n", &[("a", "T:5:12:7 < V:2:4:1")]);
    check(
        "  {{#if x}}a: 5{{/if}}\n  c: {{#unless x}}1{{else}}{{x}}{{/unless}}\n",
        "x: 7\n",
        &[("a", "T:5:15:1"), ("c", "T:6:28:5 < V:1:4:1")],
    );
    check("  a: [{{ x }}, {{ x }}]\n", "x: 7\n", &[("a", "T:5:3:1")]);
}

#[test]
fn a_span_of_several_expressions_covers_first_to_last() {
    check("  a: {{ x }}{{ z }}\n", "x: 7\nz: 8\n", &[("a", "T:5:6:14 < V:1:4:1 < V:2:4:1")]);
    check("  a: {{ x }}.{{ z }}\n", "x: 7\nz: 8\n", &[("a", "T:5:6:15 < V:1:4:1 < V:2:4:1")]);
    check("  a: 1{{ x }}2\n", "x: 7\n", &[("a", "T:5:7:7 < V:1:4:1")]);
    check("  a: {{ x }}{{#if x}}\n  {{~ x }}{{/if}}\n", "x: 7\n", &[("a", "T:5:6:7 < V:1:4:1")]);
    // Only the first of many values are listed.
    check(
        "  a: {{#each l}}{{ this }}{{/each}}\n",
        "l: [1, 2, 3, 4, 5]\n",
        &[("a", "T:5:17:10 < V:1:5:1 < V:1:8:1 < V:1:11:1 < V:1:14:1")],
    );
}

#[test]
fn columns_count_characters_and_lines_end_in_any_way() {
    // Invalid keys are not named.
    check("  ä: {{ x }} # ü\n", "x: 7\n", &[("/data", "T:5:6:7 < V:1:4:1")]);
    check("  b: ü{{! é }}\n  'éé': 5\n", "x: 7\n", &[("/data", "T:6:9:1")]);
    check(
        "  a: 5\r\n  b: {{ x }}\r\n{{#if x}}\r\n  c: 6\r\n{{/if}}\r\n  d: {{ x }}\r\n",
        "x: 7\r\n",
        &[("a", "T:5:6:1"), ("b", "T:6:6:7 < V:1:4:1"), ("c", "T:8:6:1"), ("d", "T:10:6:7 < V:1:4:1")],
    );
}

#[test]
fn trimmed_blanks_do_not_shift_columns() {
    check("  a: {{~ x ~}}\n\n  # \n  b: 5\n", "x: ' 7'\n", &[("b", "T:8:6:1")]);
    check(
        "  a:\n   {{~#if x}} {{ x }} {{~/if}}\n  b: 5\n",
        "x: 7\n",
        &[("a", "T:6:15:7 < V:1:4:1"), ("b", "T:7:6:1")],
    );
    check(
        "{{#if x}}\n  a: 5\n{{else}}\n  b: 6\n{{/if}}\n\n\n  c: 7\n",
        "x: 7\n",
        &[("a", "T:6:6:1"), ("c", "T:12:6:1")],
    );
    check(
        "{{!-- {{ x }} --}}\n  a: 5 {{! }}\n  b: {{ x }}\n",
        "x: 7\n",
        &[("a", "T:6:6:1"), ("b", "T:7:6:7 < V:1:4:1")],
    );
    check(
        "  a: {{{ x }}}\n  b: {{& x}}\n  c: {{\n x\n}}\n",
        "x: 7\n",
        &[("a", "T:5:6:9 < V:1:4:1"), ("b", "T:6:6:7 < V:1:4:1"), ("c", "T:7:6:2 < V:1:4:1")],
    );
    // Blanks alone have no place, so the null of `a` is reported at its key.
    check("  b: {{ x }}\n  a: {{#if x}}   {{/if}}\n", "x: 7\n", &[("b", "T:5:6:7 < V:1:4:1")]);
}

#[test]
fn escapes_and_raw_blocks_are_text() {
    check(
        "  a: 5 # \\{{ x }}\n  \"\\{{ x }}\": 7\n  b: {{ x }} # \\{{ x }} {{ x }}\n",
        "x: 7\n",
        &[("a", "T:5:6:1"), ("/data", "T:6:15:1"), ("b", "T:7:6:7 < V:1:4:1")],
    );
    check("  s: \"\\\\{{ x }}\"\n  a: 5\n", "x: n\n", &[("a", "T:6:6:1")]);
    check(
        "  s: \"{{{{raw}}}}{{ x }}\"\n  a: 5\n  t: \"{{{{/raw}}}}\"\n  b: {{ x }}\n",
        "x: 7\n",
        &[("a", "T:6:6:1"), ("b", "T:8:6:7 < V:1:4:1")],
    );
}

#[test]
fn multi_line_values_do_not_shift_lines() {
    check(
        "  s: {{ quote s }}\n  a: 5\n  {{ r }}\n  b: 6\n",
        "s: \"l\\nm\"\nr: \"q: 1\\n  r: 2\"\n",
        &[("a", "T:6:6:1"), ("q", "T:7:3:7 < V:2:4:14"), ("r", "T:7:3:7 < V:2:4:14"), ("b", "T:8:6:1")],
    );
}

// Values.

#[test]
fn paths_lead_to_their_values() {
    check(
        "{{#with m}}\n  a: {{ a }}\n  b: {{ ../q }}\n  c: {{ @root.q }}\n  d: {{ this.a }}\n{{/with}}\n",
        "m:\n  a: 1\nq: 9\n",
        &[
            ("a", "T:6:6:7 < V:2:6:1"),
            ("b", "T:7:6:10 < V:3:4:1"),
            ("c", "T:8:6:13 < V:3:4:1"),
            ("d", "T:9:6:12 < V:2:6:1"),
        ],
    );
    check(
        "  a: {{ values.m.a }}\n  b: {{ m.[a b] }}\n  c: {{ l.[1] }}\n  d: {{ l.0 }}\n",
        "m: {a: 1, a b: 2}\nl: [5, 6]\n",
        &[
            ("a", "T:5:6:16 < V:1:8:1"),
            ("b", "T:6:6:13 < V:1:16:1"),
            ("c", "T:7:6:11 < V:2:8:1"),
            ("d", "T:8:6:9 < V:2:5:1"),
        ],
    );
    // A built-in value hides a value of that name, and has no place.
    check(
        "  a: {{ revision }}5\n  b: {{ values.revision }}\n",
        "revision: 7\n",
        &[("a", "T:5:20:1"), ("b", "T:6:6:21 < V:1:11:1")],
    );
}

#[test]
fn loops_lead_to_their_current_item() {
    let each = [("a", "T:6:13:10 < V:2:6:1"), ("b", "T:6:13:10 < V:3:6:1")];
    check("{{#each m}}\n  {{@key}}: {{ this }}\n{{/each}}\n", "m:\n  a: 1\n  b: 2\n", &each);
    check(
        "{{#each m as |v k|}}\n  {{k}}: {{ v }}\n{{/each}}\n",
        "m:\n  a: 1\n  b: 2\n",
        &[("a", "T:6:10:7 < V:2:6:1"), ("b", "T:6:10:7 < V:3:6:1")],
    );
    check(
        "{{#each l as |i|}}\n  {{i.name}}: {{ i.v }} # {{@index}}\n{{/each}}\n",
        "l:\n- {name: a, v: 1}\n- {name: b, v: 2}\n",
        &[("a", "T:6:15:9 < V:2:16:1"), ("b", "T:6:15:9 < V:3:16:1")],
    );
    check(
        "{{#each l}}{{#each this}}\n  {{@key}}{{@../index}}: {{ this }}{{/each}}{{/each}}\n",
        "l:\n- {a: 1}\n- {b: 2}\n",
        &[("a0", "T:6:26:10 < V:2:7:1"), ("b1", "T:6:26:10 < V:3:7:1")],
    );
    check(
        "{{#if nope}}{{else with m}}\n  b: {{x}}\n  c: {{../x}}\n{{/if}}{{#each l}}{{else}}\n  d: {{x}}\n{{/each}}",
        "x: 7\nm: {x: 1}\nl: []\nnope: ~\n",
        &[("b", "T:6:6:5 < V:2:8:1"), ("c", "T:7:6:8 < V:1:4:1"), ("d", "T:9:6:5 < V:1:4:1")],
    );
}

#[test]
fn selecting_helpers_lead_to_the_selected_value() {
    check(
        "  a: {{ default 5 x }}\n  b: {{ default 5 nope }}\n  c: {{ required \"m\" x }}\n  d: {{ coalesce nope x }}\n  e: {{ ternary x 3 true }}\n  f: {{ ternary 3 x true }}\n",
        "x: 7\nnope: ~\n",
        &[
            ("a", "T:5:6:17 < V:1:4:1"),
            ("b", "T:6:6:20"),
            ("c", "T:7:6:20 < V:1:4:1"),
            ("d", "T:8:6:21 < V:1:4:1"),
            ("e", "T:9:6:22 < V:1:4:1"),
            ("f", "T:10:6:22"),
        ],
    );
    check(
        "  a: {{ or nope x }}\n  b: {{ and true x }}\n  c: {{ lookup m \"k\" }}\n  d: {{ get m \"k\" }}\n  e: {{ first l }}\n  f: {{ last l }}\n  g: {{ lookup l 1 }}\n",
        "x: 7\nm: {k: 5}\nl: [1, 2]\nnope: ~\n",
        &[
            ("a", "T:5:6:15 < V:1:4:1"),
            ("b", "T:6:6:16 < V:1:4:1"),
            ("c", "T:7:6:18 < V:2:8:1"),
            ("d", "T:8:6:15 < V:2:8:1"),
            ("e", "T:9:6:13 < V:3:5:1"),
            ("f", "T:10:6:12 < V:3:8:1"),
            ("g", "T:11:6:16 < V:3:8:1"),
        ],
    );
    check(
        "{{#each (default l nope)}}\n  a{{this}}: {{ this }}\n{{/each}}\n{{#with (lookup m \"k\")}}\n  b: {{ b }}\n{{/with}}\n{{#each (first n)}}\n  {{@key}}: {{this}}\n{{/each}}\n",
        "l: [3]\nm: {k: {b: 5}}\n\"n\": [{c: 5}]\nnope: ~\n",
        &[("a3", "T:6:14:10 < V:1:5:1"), ("b", "T:9:6:7 < V:2:12:1"), ("c", "T:12:13:8 < V:3:11:1")],
    );
}

#[test]
fn writing_helpers_lead_to_the_written_value() {
    check(
        "  a: {{ toYaml x }}\n  b: {{ toJson x }}\n  c: {{ int x }}\n  d: {{ toString (default 1 x) }}\n  e: {{ printf \"%d\" x }}\n  f: {{ replace \"0\" \"1\" (toString x) }}\n",
        "x: 70\n",
        &[
            ("a", "T:5:6:14 < V:1:4:2"),
            ("b", "T:6:6:14 < V:1:4:2"),
            ("c", "T:7:6:11 < V:1:4:2"),
            ("d", "T:8:6:28 < V:1:4:2"),
            ("e", "T:9:6:19 < V:1:4:2"),
            ("f", "T:10:6:34 < V:1:4:2"),
        ],
    );
    // A combination of values, or a property of a value, has no source.
    check(
        "  a: {{ add x 1 }}\n  b: {{ len l }}\n  c: {{ printf \"%d%d\" x x }}\n  d: {{ nindent 4 (toYaml (list x)) }}\n",
        "x: 7\nl: [1]\n",
        &[("a", "T:5:6:13"), ("b", "T:6:6:11"), ("c", "T:7:6:23"), ("d", "T:8:3:1")],
    );
}

#[test]
fn dumped_values_lead_to_their_entries() {
    let values = "m:\n  a: 1\n  s: |\n    x\n    y\n  é: 5\n  b: {c: [x, 5]}\nnope: ~\n";
    for (template, at) in [
        ("  {{nindent 2 (toYaml m)}}\n", "T:5:3:24"),
        ("{{indent 2 (toYaml m)}}\n", "T:5:1:23"),
        ("{{nindent 2 (toYaml (default m nope))}}\n", "T:5:1:39"),
    ] {
        check(
            template,
            values,
            &[
                ("a", &format!("{at} < V:2:6:1")),
                ("/data", &format!("{at} < V:6:6:1")),
                ("b", &format!("{at} < V:7:3:1")),
            ],
        );
    }
    // On one line, and in an indented partial.
    check_with(
        "  {{> p}}\n  d: {{toJson m}}\n",
        "m: {a: 1, b: 2}\n",
        &[("partials/p.hbs", "{{toYaml m}}\n")],
        &[("a", "P:1:1:12 < V:1:8:1"), ("b", "P:1:1:12 < V:1:14:1"), ("d", "T:6:6:12 < V:1:4:null")],
    );
    // Text that was changed afterwards differs from the value, so only the whole value is reported.
    check(
        "{{indent 2 (replace \"1\" \"3\" (toYaml m))}}\n",
        "m: {a: 1}\n",
        &[("a", "T:5:1:41 < V:1:4:null")],
    );
    // An alias has its own entries where an environment changes them.
    check_with(
        "{{nindent 2 (toYaml m)}}\n",
        "b: &b\n  a: 5\n  k: 3\nm: *b\n",
        &[("envs/prod/values.yaml", "m: {a: 6}\n")],
        &[("a", "T:5:1:24 < envs/prod/values.yaml:1:8:1"), ("k", "T:5:1:24 < V:3:6:1")],
    );
}

#[test]
fn keys_lead_to_keys() {
    for (template, at) in [
        ("{{#each m}}\n{{@key}}: x\n{{/each}}\n", "base/t.yaml.hbs:7:1:8 < values.yaml:2:3:3"),
        ("{{#each m as |v k|}}\n{{k}}: x\n{{/each}}\n", "base/t.yaml.hbs:7:1:5 < values.yaml:2:3:3"),
        (
            "{{#each m}}\n{{#with \"x\"}}\n{{@key}}: {{this}}\n{{/with}}\n{{/each}}\n",
            "base/t.yaml.hbs:8:1:8 < values.yaml:2:3:3",
        ),
        ("{{toYaml m}}\n", "base/t.yaml.hbs:6:1:12 < values.yaml:2:3:3"),
        ("{{k}}: x\n", "base/t.yaml.hbs:6:1:5 < values.yaml:3:4:3"),
        ("{{#each m}}\n{{> p l=1}}\n{{/each}}\n", "partials/p.hbs:1:1:8 < values.yaml:2:3:3"),
        ("{{> q l=1}}\n", "partials/q.hbs:1:21:5 < values.yaml:2:3:3"),
        // The key of a loop differs from that of the outer loop.
        (
            "{{#each (list \"x\")}}{{#each ../m}}{{/each}}{{/each}}foo: {{lookup m k}}\n",
            "base/t.yaml.hbs:6:53:3",
        ),
        ("{{#each (fromJson \"{\\\"foo\\\": 1}\")}}\n{{@key}}: x\n{{/each}}\n", "base/t.yaml.hbs:7:1:8"),
    ] {
        let text =
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  a: x\n{template}");
        let report = Tree::app(&[
            ("base/t.yaml.hbs", &text),
            ("values.yaml", "m:\n  foo: x\nk: foo\n"),
            ("partials/p.hbs", "{{@key}}: x\n"),
            ("partials/q.hbs", "{{#each m as |v k|}}{{k}}: x{{/each}}\n"),
        ])
        .report(&["--env", "prod"]);
        let finding = report.one("schema/unknown-field");
        let related = finding["related"].as_array().unwrap();
        let places: Vec<String> = std::iter::once(finding).chain(related).map(shown).collect();
        assert_eq!(places.join(" < "), at, "{template}");
    }
}

// Partials.

#[test]
fn partials_lead_to_their_own_lines_and_to_the_values_of_their_context() {
    let p = |text: &'static str| [("partials/p.hbs", text)];
    check_with("{{> p}}", "x: 7\n", &p("  a: {{ x }}\n"), &[("a", "P:1:6:7 < V:1:4:1")]);
    check_with(
        "{{> p m}}",
        "m: {x: 7}\n",
        &p("  a: {{ x }}\n  b: {{ this.x }}\n  c: {{ @root.m.x }}\n  d: {{ ../m.x }}\n"),
        &[
            ("a", "P:1:6:7 < V:1:8:1"),
            ("b", "P:2:6:12 < V:1:8:1"),
            ("c", "P:3:6:15 < V:1:8:1"),
            ("d", "P:4:6:12 < V:1:8:1"),
        ],
    );
    check_with(
        "  {{> p}}\n",
        "x: 7\n",
        &p("a: {{ x }} # {{ x }}\nb: 5\n\nc: {{ x }}\n"),
        &[("a", "P:1:4:7 < V:1:4:1"), ("b", "P:2:4:1"), ("c", "P:4:4:7 < V:1:4:1")],
    );
    check_with(
        "{{#each l}}\n{{> p this}}\n{{/each}}\n",
        "l: [{w: a, v: 7}, {w: b, v: 8}]\n",
        &p("  {{w}}: {{ v }}\n"),
        &[("a", "P:1:10:7 < V:1:15:1"), ("b", "P:1:10:7 < V:1:29:1")],
    );
    check(
        "{{#*inline \"i\"}}\n  a: {{ x }}\n{{/inline}}\n{{> i}}\n",
        "x: 7\n",
        &[("a", "T:6:6:7 < V:1:4:1")],
    );
}

#[test]
fn parameters_of_partials_lead_to_their_source() {
    let text = "  a: {{ x }}\n  b: {{ k.v }}\n  c: {{ lit }}\n  d: {{ this.x }}\n  e: {{ ../q.v }}\n{{#with k}}\n  f: {{ v }}\n  g: {{ lit }}\n  h: {{ ../x }}\n{{/with}}\n{{#each k}}\n  i: {{this}}\n{{/each}}\n  j: {{ default 1 k.v }}\n";
    check_with(
        "{{> p m k=q lit=3}}",
        "m: {x: 7, r: 1}\nq: {v: 8}\n",
        &[("partials/p.hbs", text)],
        &[
            ("a", "P:1:6:7 < V:1:8:1"),
            ("b", "P:2:6:9 < V:2:8:1"),
            ("c", "P:3:6:9"),
            ("d", "P:4:6:12 < V:1:8:1"),
            ("e", "P:5:6:12 < V:2:8:1"),
            ("f", "P:7:6:7 < V:2:8:1"),
            ("g", "P:8:6:9"),
            ("h", "P:9:6:10 < V:1:8:1"),
            ("i", "P:12:6:8 < V:2:8:1"),
            ("j", "P:14:6:19 < V:2:8:1"),
        ],
    );
    // A parameter hides the context's value, and a literal has no source, even if it equals a value.
    let text = "  a: {{ x }}\n  b: {{ this.x }}\n";
    check_with(
        "{{> p x=q}}",
        "x: 7\nq: 8\n",
        &[("partials/p.hbs", text)],
        &[("a", "P:1:6:7 < V:2:4:1"), ("b", "P:2:6:12 < V:2:4:1")],
    );
    check_with("{{> p x=8}}", "x: 8\n", &[("partials/p.hbs", text)], &[("a", "P:1:6:7"), ("b", "P:2:6:12")]);
    // A combination of both has no source.
    check_with(
        "{{> p m z=1}}",
        "m: {x: 8}\n",
        &[("partials/p.hbs", "{{#each this}}\n  {{@key}}: {{this}}\n{{/each}}\n")],
        &[("x", "P:2:13:8"), ("z", "P:2:13:8")],
    );
}

#[test]
fn blocks_in_partials_have_their_places() {
    let values = "l: [{w: a, v: 7}, {w: b, v: 8}]\nm: {c: 1, d: {e: 5}}\n";
    let text = "{{#each l}}\n  {{w}}: {{ v }}\n{{/each}}\n{{#each m}}\n  {{@key}}: {{#if (eq this 1)}}{{this}}{{else}}{{e}}{{/if}}\n{{/each}}\n";
    check_with(
        "{{> p z=1}}\n",
        values,
        &[("partials/p.hbs", text)],
        &[
            ("a", "P:2:10:7 < V:1:15:1"),
            ("b", "P:2:10:7 < V:1:29:1"),
            ("c", "P:5:32:8 < V:2:8:1"),
            ("d", "P:5:48:5 < V:2:18:1"),
        ],
    );
    let text = "{{#each l as |i number|}}\n{{#with i.v as |w|}}\n  a{{number}}: {{ w }}\n{{/with}}\n{{> q i z=2}}{{/each}}\n";
    check_with(
        "{{> p z=1}}\n",
        values,
        &[("partials/p.hbs", text), ("partials/q.hbs", "  {{w}}: {{v}}\n")],
        &[
            ("a0", "P:3:16:7 < V:1:15:1"),
            ("a1", "P:3:16:7 < V:1:29:1"),
            ("a", "partials/q.hbs:1:10:5 < V:1:15:1"),
            ("b", "partials/q.hbs:1:10:5 < V:1:29:1"),
        ],
    );
    // A skipped block does not affect the next one.
    let text = "{{#each m.d}}{{#each ../none}}{{/each}}{{/each}}{{#each l}}\n{{#each ../none}}x{{/each}}  {{w}}: {{ v }}\n{{/each}}\n";
    check_with(
        "{{> p z=1 none=n}}\n",
        &format!("{values}\"n\": []\n"),
        &[("partials/p.hbs", text)],
        &[("a", "P:2:37:7 < V:1:15:1"), ("b", "P:2:37:7 < V:1:29:1")],
    );
}

// Environments.

#[test]
fn equal_findings_are_merged_with_the_values_of_each_environment() {
    let text = format!("{{{{#each more}}}}\n# {{{{this}}}}\n{{{{/each}}}}\n{HEAD}  a: {{{{ x }}}}\n");
    let report = Tree::app(&[
        ("base/t.yaml.hbs", &text),
        ("values.yaml", "x: 7\nmore: []\n"),
        ("envs/prod/values.yaml", "x: 8\nmore: [1, 2]\n"),
        ("envs/test/values.yaml", "more: [1]\n"),
    ])
    .report(&[]);
    let finding = report.one("schema/type");
    assert_eq!(finding["environments"], serde_json::json!(["dev", "prod", "test"]));
    assert_eq!(shown(finding), "base/t.yaml.hbs:8:6:7");
    assert_eq!(finding["rendered"]["line"], 5);
    let related: Vec<String> = finding["related"].as_array().unwrap().iter().map(shown).collect();
    assert_eq!(related[0], "values.yaml:1:4:1");
    assert!(related.contains(&"envs/prod/values.yaml:1:4:1".to_owned()), "{related:?}");
}

#[test]
fn one_environment_has_as_many_findings_as_objects() {
    let object = "{{#each l}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{this}}\"}\ndata: {a: 7}\n{{/each}}\n";
    let report = Tree::app(&[("base/t.yaml.hbs", object), ("values.yaml", "l: [a, b, c]\n")]).report(&[]);
    assert_eq!(report.of("schema/type").len(), 3);
}

// Patches.

#[test]
fn values_from_a_patch_are_at_the_patch() {
    let base = format!("{HEAD}  a: x\n  b: z\n");
    let app = |patch: &str| {
        format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments:\n  dev: {{}}\n  prod:\n    patches:\n    - target: {{kind: ConfigMap, name: c}}\n{patch}"
        )
    };
    let cases: [(&str, &str, Places<'_>); 7] = [
        (
            "      patch:\n        data:\n          a: 5\n          k: 6\n",
            "",
            &[("a", "sealwave.yaml:11:14:1"), ("k", "sealwave.yaml:12:14:1")],
        ),
        (
            "      file: p.yaml\n",
            "data: {a: 5,\n   k: 6}\n",
            &[("a", "p.yaml:1:11:1"), ("k", "p.yaml:2:7:1")],
        ),
        (
            "      patch:\n      - op: replace\n        path: /data/a\n        value: 5\n      - {op: add, path: /data/k, value: 6}\n",
            "",
            &[("a", "sealwave.yaml:12:16:1"), ("k", "sealwave.yaml:13:41:1")],
        ),
        (
            "      file: p.yaml\n",
            "- op: replace\n  path: /data\n  value:\n    a: 5\n    c:\n      d: 1\n",
            &[("a", "p.yaml:4:8:1"), ("c", "p.yaml:5:5:1")],
        ),
        (
            "      file: p.yaml\n",
            "- {op: add, path: /data/l, value: []}\n- {op: add, path: /data/l/-, value: 1}\n- {op: add, path: /data/l/0, value: 2}\n",
            &[("l", "p.yaml:1:3:null")],
        ),
        // A copied or moved value is at its operation.
        (
            "      file: p.yaml\n",
            "- {op: replace, path: /data/a, value: 5}\n- {op: copy, from: /data/a, path: /data/k}\n- {op: move, from: /data/a, path: /data/l}\n",
            &[("k", "p.yaml:2:3:null"), ("l", "p.yaml:3:3:null")],
        ),
        (
            "      file: p.yaml\n",
            "- {op: copy, from: /metadata, path: /data/k}\n",
            &[("k", "p.yaml:1:3:null")],
        ),
    ];
    for (patch, file, wanted) in cases {
        let app = app(patch);
        let found = found(&[("base/c.yaml", base.as_str()), ("sealwave.yaml", &app), ("p.yaml", file)]);
        let wanted: BTreeMap<String, String> =
            wanted.iter().map(|(key, place)| ((*key).to_owned(), (*place).to_owned())).collect();
        assert_eq!(found, wanted, "\n{patch}\n{file}");
    }
}

#[test]
fn a_patch_does_not_change_places_in_a_template() {
    let app = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments:\n  prod:\n    patches:\n    - {target: {kind: ConfigMap, name: c}, patch: {data: {b: 5}}}\n";
    check_with(
        "  a: {{ x }}\n  b: {{ x }}\n",
        "x: 7\n",
        &[("sealwave.yaml", app)],
        &[("a", "T:5:6:7 < V:1:4:1"), ("b", "sealwave.yaml:7:62:1")],
    );
}
