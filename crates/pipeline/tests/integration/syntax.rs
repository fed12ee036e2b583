//! Tests messages about tags that are not valid: the place, the cause and the tag to write.

use crate::render::App;

const VALUES: &str = "name: web\nenabled: true\nlist: [a]\nitems: [{port: 1}]\n";

fn render(item: &str) -> String {
    let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  k: {item}\n");
    App::new(&[("base/t.yaml.hbs", &text), ("values.yaml", VALUES)]).run().error()
}

#[test]
fn tags_of_helm_have_their_place_and_translation() {
    for (item, message, hint) in [
        (
            "{{ .Values.name }}",
            ":6:6: tag `{{ .Values.name }}` is not valid: names have no leading dot",
            "write `{{name}}`",
        ),
        (
            "a{{ .key }}",
            ":6:7: tag `{{ .key }}` is not valid",
            "write `{{key}}`; for a tag that another tool fills in, write `\\{{ .key }}`",
        ),
        (
            "{{ name | upper }}",
            ":6:6: tag `{{ name | upper }}` is not valid: templates have no pipes",
            "write `{{upper name}}`",
        ),
        ("{{- name }}", "blanks are trimmed with `~`", "write `{{~name}}`"),
        ("{{#if name == \"web\"}}x{{/if}}", "operators are helpers", "write `{{#if (eq name \"web\")}}`"),
        (
            "{{#if (eq list[0] \"a\")}}x{{/if}}",
            ":6:6: tag `{{#if (eq list[0] \"a\")}}` is not valid: an item of a list needs `lookup`",
            "write `{{#if (eq (lookup list 0) \"a\")}}`",
        ),
        ("{{ list[0] }}", "an item of a list needs `lookup`", "write `{{lookup list 0}}`"),
        ("{{ $x := 1 }}", "templates have no variables", "write `{{1}}` where `$x` is used"),
        ("{{ genPassword 16 }}", ":6:9: function `genPassword` is not available in templates", "placeholder"),
        (
            "{{ lookup \"v1\" \"Secret\" \"a\" \"b\" }}",
            "function `lookup` is not available",
            "do not read the cluster",
        ),
        ("{{ uppercase name }}", ":6:9: helper `uppercase` does not exist", "did you mean `upper`?"),
        ("{{ $labels.pod }}", "value `$labels.pod` is not defined", "write `\\{{$labels.pod}}`"),
        ("{{ $.Values.name }}", "names have no `$`", "write `{{name}}`"),
        ("{{ now }}", "value `now` is not defined", "define the date in `values.yaml`"),
        ("{{ \"x\" }}", "tag `{{ \"x\" }}` is not valid", "write the text without a tag"),
        ("{{ name ; x }}", "tag `{{ name ; x }}` is not valid", "a tag is a value (`{{name}}`)"),
        (
            "{% if enabled %}x{% endif %}",
            ":6:6: tag `{% if enabled %}` is not valid: a block is written in `{{ }}`",
            "write `{{#if enabled}}`",
        ),
        ("{{#each list}}{{env}}{{/each}}", ":6:22: value `env` is not defined", "write `@root.env`"),
        ("{{#each items}}{{name}}{{/each}}", "value `name` is not defined", "write `@root.name`"),
    ] {
        let error = render(item);
        assert!(error.contains(message) && error.contains(hint), "{item}: {error}");
    }
}

#[test]
fn open_blocks_and_tags_are_named_at_their_start() {
    for (item, message, hint) in [
        (
            "{{#if enabled}}\n  a: {{name}}",
            ":6:6: block `{{#if}}` is not closed",
            "write `{{/if}}` where the block ends",
        ),
        (
            "{{#each list}}{{#if enabled}}x{{/each}}",
            ":6:20: block `{{#if}}` is not closed",
            "write `{{/if}}`",
        ),
        ("{{#if enabled}}x{{/each}}", ":6:22: block `if` is closed by `each`", "write `{{/if}}`"),
        ("{{#if enabled}}x{{ end }}", ":6:22: tag `{{ end }}` is not valid", "write `{{/if}}`"),
        ("x{{/if}}", ":6:7: `{{/if}}` does not close a block", "remove it"),
        ("x{{ end }}{{#if enabled}}", ":6:7: tag `{{ end }}` is not valid", "no block is open"),
        ("x{{else}}", ":6:7: `{{else}}` is not in a block", "{{#if value}}"),
        (
            "{{#if enabled}}a{{else}}b{{else}}c{{/if}}",
            ":6:31: block has a second `{{else}}`",
            "{{else if value}}",
        ),
        ("{{ name", ":6:6: tag is not closed", "write `}}` at its end"),
        ("{{ name }\n  b: {{name}}", ":6:6: tag is not closed", "write `}}`"),
        ("{{ quote \"x }}", ":6:6: quoted text in the tag is not closed", "write the quote"),
        ("{{!-- x", ":6:6: tag is not closed", "write `}}`"),
    ] {
        let error = render(item);
        assert!(error.contains(message) && error.contains(hint), "{item}: {error}");
    }
}

#[test]
fn one_run_reports_up_to_twenty_tags() {
    let error = render(&"{{ .Values.name }}".repeat(50));
    assert_eq!(error.matches("is not valid").count(), 20, "{error}");
}

#[test]
fn texts_that_may_be_secrets_are_not_shown() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: c\nstringData:\n  k: ";
    for item in [
        "{{ default \"hunter2\" .Values.x }}",
        "{{ .Values.x | default `hunter2` }}",
        "{{ x := \"hunter2\" }}",
        "{{ .x\n  password: hunter2",
        "{{ .x\n  password: hunter2\n  y: {a: {b: c}}",
        "{{ .x }\n  password: hunter2",
        "{{/* hunter2 */}}",
        "{{/* hunter2",
        "{{ f \"hunter2 }}",
        "{% set x = \"hunter2\" %}",
        "{{ if eq x \"hunter2\" }}",
    ] {
        let app = App::new(&[("base/t.yaml.hbs", &format!("{secret}{item}\n")), ("values.yaml", VALUES)]);
        let error = app.run().error();
        assert!(!error.contains("hunter2"), "{item}: {error}");
    }
    for item in
        ["{{ .Values.password | default \"hunter2\" }}", "{{ .Values.x | default \"https://a:hunter2@b\" }}"]
    {
        let error = render(item);
        assert!(!error.contains("hunter2") && error.contains("`{{default \"…\" "), "{item}: {error}");
    }
}

#[test]
fn hostile_tags_end_in_short_messages() {
    let deep = "(a ".repeat(5000);
    for item in [
        format!("{{{{ f \"}}}}\" {deep}b{} }}}}", ")".repeat(5000)),
        format!("{{{{ .a {} }}}}", "x ".repeat(100_000)),
        format!("{{{{ .{} }}}}", "x".repeat(500_000)),
        "{{ .a }}".repeat(50_000),
        "{{#if a}}".repeat(20_000),
        "{{ if .a }}".repeat(20_000),
        "{{ \"".repeat(50_000),
        "{{ `".repeat(50_000),
        "{{".repeat(50_000),
        "{{/* ".repeat(50_000),
        "{{{{ .a ".repeat(20_000),
        "{% if ".repeat(50_000),
        format!("{{{{ !{} }}}}", "!".repeat(1000)),
        format!("{{{{ a[{}0] }}}}", "a[".repeat(100)),
    ] {
        let error = render(&item);
        assert!(error.len() < 20_000, "{}", error.len());
    }
    let error = render("{{ .a\u{1b}[2J\u{202e} | b }}");
    assert!(!error.chars().any(|c| c == '\u{1b}' || c == '\u{202e}'), "{error:?}");
}

#[test]
fn tags_in_other_files_are_the_named_cause() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n";
    for (file, text, hint) in [
        ("base/a.yaml", "  k: {{ name }}\n", "rename the file to `a.yaml.hbs`"),
        ("base/a.hbs.yaml", "  k: {{ name }}\n", "rename the file to `a.yaml.hbs`"),
        ("base/a.yml", "{{#if enabled}}\n  k: v\n{{/if}}\n", "rename the file to `a.yml.hbs`"),
        ("base/a.yaml", "  k: {{ .Values.name }}\n", "render the chart first"),
    ] {
        let error = App::new(&[(file, &format!("{map}{text}"))]).run().error();
        assert!(error.contains("file has template tags, but is not a template"), "{error}");
        assert!(error.contains(hint), "{error}");
    }
    let error = App::new(&[("base/a.yaml", map), ("values.yaml", "a: 1\nk: {{ env }}\n")]).run().error();
    assert!(error.starts_with("values.yaml:2:"), "{error}");
    assert!(error.contains("values have template tags, but are not templates"), "{error}");
}

#[test]
fn yaml_that_to_yaml_breaks_has_the_right_call() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {{toYaml labels}}\n";
    let values = "labels: {a: x, b: y}\n";
    let error = App::new(&[("base/t.yaml.hbs", text), ("values.yaml", values)]).run().error();
    assert!(error.contains("write `{{nindent 2 (toYaml labels)}}`"), "{error}");
}

/// Returns the app with a ConfigMap that ends with these lines of a template.
fn yaml_app(lines: &str) -> App {
    let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\n{lines}");
    let app = App::new(&[("base/t.yaml.hbs", text.as_str())]);
    app.write(
        "values.yaml",
        "one: {a: x}\ntwo: {a: x, b: z}\nlist: [x, y]\ndeep: {a: {b: x}}\ntext: \"a\\nb\"\n",
    );
    app.write("base/_flat.hbs", "{{toYaml two}}\n");
    app.write("base/_nested.hbs", "k:\n  {{toYaml two}}\n");
    app
}

/// The YAML is valid, but means something else than its author.
#[test]
fn yaml_of_several_lines_within_a_line_is_refused() {
    for (lines, place, call) in [
        ("data:\n  {{toYaml two}}\n", "5:3", "`{{indent 2 (toYaml two)}}` at the start of the line"),
        (
            "data:\n  k: v\n  {{ toYaml two }}\n",
            "6:3",
            "`{{indent 2 (toYaml two)}}` at the start of the line",
        ),
        ("data:\n  {{toYaml deep}}\n", "5:3", "`{{indent 2 (toYaml deep)}}`"),
        ("items:\n  - {{toYaml two}}\n", "5:5", "`{{nindent 4 (toYaml two)}}`"),
        ("data:\n  k: |\n    {{toYaml two}}\n", "6:5", "`{{indent 4 (toYaml two)}}`"),
        ("data:\n  k: |\n    {{toYaml list}}\n", "6:5", "`{{indent 4 (toYaml list)}}`"),
        ("data:\n  k: \"{{toYaml two}}\"\n", "5:7", "`{{nindent 4 (toYaml two)}}`"),
        ("# {{toYaml two}}\n", "4:3", "toYaml two"),
        ("data: {{toYaml list}}\n", "4:7", "`{{nindent 2 (toYaml list)}}`"),
        ("data:\n  k: {{indent 4 (toYaml two)}}\n", "5:6", "`{{nindent 4 (toYaml two)}}`"),
        ("data:\n  k: |\n    {{indent 4 (toYaml two)}}\n", "6:5", "`{{indent 4 (toYaml two)}}` at the start"),
    ] {
        let error = yaml_app(lines).run().error();
        let start = format!("base/t.yaml.hbs:{place}: only the first line of `toYaml` is indented");
        assert!(error.starts_with(&start) && error.contains(call), "{lines}: {error}");
    }
    let error = yaml_app("data:\n  {{> nested}}\n").run().error();
    assert!(error.starts_with("base/_nested.hbs:2:3: only the first line"), "{error}");
    assert!(error.contains("`{{indent 2 (toYaml two)}}` at the start of the line"), "{error}");
}

#[test]
fn yaml_that_is_indented_alike_is_accepted() {
    let two = serde_json::json!({"a": "x", "b": "z"});
    for lines in [
        "data: {{nindent 2 (toYaml two)}}\n",
        "data:{{nindent 2 (toYaml two)}}\n",
        "data:\n{{indent 2 (toYaml two)}}\n",
        "data:\n  {{nindent 2 (toYaml two)}}\n",
        "data:\n  {{> flat}}\n",
        "data:\n{{#with two}}\n{{indent 2 (toYaml this)}}\n{{/with}}\n",
    ] {
        let outcome = yaml_app(lines).run();
        let data = outcome.objects()[0].root().get("data").unwrap().to_json();
        assert_eq!(data, two, "{lines}");
    }
    for (lines, data) in [
        ("data:\n  {{toYaml one}}\n", serde_json::json!({"a": "x"})),
        ("data: {{toYaml text}}\n", serde_json::json!("a\nb")),
        ("data: {{quote (toYaml two)}}\n", serde_json::json!("a: x\nb: z")),
        ("data: {{toJson two}}\n", two),
    ] {
        let outcome = yaml_app(lines).run();
        assert_eq!(outcome.objects()[0].root().get("data").unwrap().to_json(), data, "{lines}");
    }
}
