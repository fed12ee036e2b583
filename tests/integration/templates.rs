//! Tests that templates and values never cause a silently wrong manifest: a template is applied as written, or it is an
//! error.

use crate::support::sealwave;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n";

/// An app with the environments `dev` and `prod`, and one template.
struct App(TempDir);

impl App {
    /// Creates an app with a template that has this item.
    fn of(item: &str, values: &str) -> Self {
        let app = Self(TempDir::new().unwrap());
        app.write("sealwave.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n");
        app.write("values.yaml", values);
        app.write("envs/dev/values.yaml", "{}\n");
        app.write("envs/prod/values.yaml", "{}\n");
        app.write("base/t.yaml.hbs", &format!("{HEAD}  k: {item}\n"));
        app
    }

    fn write(&self, relative: &str, text: &str) -> &Self {
        let path = self.0.path().join(relative);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
        self
    }

    /// Returns the exit code, standard output and standard error.
    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = sealwave().current_dir(self.0.path()).args(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    fn objects(&self, environment: &str) -> Vec<Json> {
        let (code, out, error) = self.run(&["render", ".", "--env", environment, "--output", "json"]);
        assert_eq!(code, Some(0), "{error}");
        crate::support::objects(&out)
    }

    /// Returns the item in an environment.
    fn item(&self, environment: &str) -> Json {
        self.objects(environment)[0]["data"]["k"].clone()
    }

    /// Returns the error of `render` for an environment.
    fn error(&self, environment: &str) -> String {
        let (code, out, error) = self.run(&["render", ".", "--env", environment]);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{error}");
        error
    }

    /// Returns the findings of `validate` for a rule: file, line, column and text.
    fn found(&self, rule: &str) -> Vec<String> {
        let (_, out, error) = self.run(&["validate", ".", "--output", "json"]);
        let report: Json = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
        let all = report["findings"].as_array().unwrap().iter();
        all.filter(|finding| finding["rule"] == rule).map(describe).collect()
    }
}

fn describe(finding: &Json) -> String {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let (file, message, hint) = (text(&finding["path"]), text(&finding["message"]), text(&finding["hint"]));
    format!("{file}:{}:{} {message} | {hint}", finding["line"], finding["column"])
}

#[test]
fn tags_with_ignored_parts_are_errors_that_show_the_right_form() {
    let values = "country: de\na: 1\nb: 1\nhosts: [x]\nlist: [1]\n";
    for (tag, message, form) in [
        (
            "{{#if eq env \"prod\"}}x{{/if}}",
            "`#if` takes one argument, but has 3",
            "{{#if (eq env \"prod\")}}",
        ),
        (
            "{{#if env eq \"prod\"}}x{{/if}}",
            "`#if` takes one argument, but has 3",
            "{{#if (eq env \"prod\")}}",
        ),
        (
            "{{#unless eq env 'a'}}x{{/unless}}",
            "`#unless` takes one argument, but has 3",
            "{{#unless (eq env \"a\")}}",
        ),
        ("{{#if not env}}x{{/if}}", "`#if` takes one argument, but has 2", "{{#if (not env)}}"),
        ("{{#if and a b}}x{{/if}}", "`#if` takes one argument, but has 3", "{{#if (and a b)}}"),
        ("{{#if a and b}}x{{/if}}", "`#if` takes one argument, but has 3", "{{#if (and a b)}}"),
        ("{{#if a b}}x{{/if}}", "`#if` takes one argument, but has 2", "{{#if (and a b)}}"),
        ("{{#if not eq env \"x\" and a}}x{{/if}}", "has 6", "{{#if (and (not (eq env \"x\")) a)}}"),
        ("{{#if eq (lower env) \"x\"}}x{{/if}}", "has 3", "{{#if (eq (lower env) \"x\")}}"),
        ("{{#if}}x{{/if}}", "`#if` takes one argument, but has none", "{{#if value}}"),
        ("{{#with @root}}{{a}}{{/with}}", "`@root` is not a value", "@root.values"),
        ("{{#if (eq 1 (len (keys @root)))}}x{{/if}}", "`@root` is not a value", "@root.values"),
        ("{{@root}}", "`@root` is not a value", "@root.values"),
        ("{{#if not}}x{{/if}}", "value `not` is not defined in any environment", "`(not …)`"),
        (
            "{{#each hosts host}}x{{/each}}",
            "`#each` takes one argument, but has 2",
            "{{#each hosts as |host|}}",
        ),
        ("{{#each host in hosts}}x{{/each}}", "has 3", "{{#each hosts as |host|}}"),
        ("{{#each split \",\" country}}x{{/each}}", "has 3", "{{#each (split \",\" country)}}"),
        ("{{#with a b}}x{{/with}}", "`#with` takes one argument, but has 2", "{{#with a as |b|}}"),
        (
            "{{#if a}}x{{else if eq env \"prod\"}}y{{/if}}",
            "`else if` takes one argument, but has 3",
            "{{else if (eq env \"prod\")}}",
        ),
        (
            "{{#if a}}x{{else eq env \"prod\"}}y{{/if}}",
            "helper `eq` is not a block",
            "{{else if (eq env \"prod\")}}",
        ),
        ("{{#if a}}x{{^if not b}}y{{/if}}", "`else if` takes one argument, but has 2", "{{else if (not b)}}"),
        ("{{#eq env \"prod\"}}x{{/eq}}", "helper `eq` is not a block", "{{#if (eq env \"prod\")}}"),
        ("{{#lookup hosts 0}}x{{/lookup}}", "helper `lookup` is not a block", "{{#if (lookup hosts 0)}}"),
        ("{{#hosts}}x{{/hosts}}", "block helper `hosts` does not exist", "{{#each hosts}}"),
        ("{{if a}}", "`if` is a block helper and needs `#`", "{{#if a}}"),
        ("{{quote (if a b)}}", "`if` is a block helper and needs `#`", "(ternary yes no condition)"),
        ("{{env eq \"prod\"}}", "helper `env` does not exist", "{{eq env \"prod\"}}"),
        ("{{quote (env eq \"prod\")}}", "helper `env` does not exist", "`(eq env \"prod\")`"),
        ("{{> p a b}}", "partial `p` takes one context, but has 2 arguments", "{{> p context name=value}}"),
        ("{{#if a includeZer0=true}}x{{/if}}", "`#if` does not take an argument `includeZer0=`", ""),
        ("{{#each hosts limit=1}}x{{/each}}", "`#each` does not take an argument `limit=`", ""),
        (
            "{{#if a as |b|}}x{{/if}}",
            "`#if` does not support these block parameters",
            "{{#each items as |item key|}}",
        ),
        ("{{#with a as |b c|}}x{{/with}}", "`#with` does not support these block parameters", ""),
        ("{{{{raw a}}}}x{{{{/raw}}}}", "`#raw` takes no argument, but has 1", ""),
        ("{{upper}}", "helper `upper` takes 1 argument", "`this.upper`"),
        ("{{list}}", "result of helper `list` is of type array and cannot be printed", ""),
        ("{{first (list hosts)}}", "result of helper `first` is of type array and cannot be printed", ""),
        ("{{quote upper country}}", "value `upper` is not defined", "`(upper …)`"),
        ("{{#if (or a (and not b))}}x{{/if}}", "value `not` is not defined", "`(not …)`"),
        ("{{#each country}}x{{/each}}", "`country` is of type string", ""),
    ] {
        let app = App::of(tag, values);
        app.write("partials/p.hbs", "x");
        let error = app.error("dev");
        assert!(error.contains(message) && error.contains(form), "{tag}: {error}");
        assert!(error.contains("base/t.yaml.hbs:5:"), "{tag}: {error}");
    }
}

#[test]
fn branches_that_are_not_taken_are_checked_and_located() {
    let text = "  {{#if no}}\n  a: {{#if eq env \"x\"}}1{{/if}}\n  {{else if no}}\n  b: 1\n  {{else if eq env \"y\"}}\n  c: 1\n  {{/if}}\n";
    let app = App::of("1", "no: false\n");
    app.write("base/t.yaml.hbs", &format!("{HEAD}{text}"));
    app.write("partials/unused.hbs", "{{#unless and a b}}{{/unless}}");
    let error = app.error("dev");
    assert!(error.contains("partials/unused.hbs:1:1"), "{error}");
    app.write("partials/unused.hbs", "");
    let error = app.error("dev");
    for place in ["base/t.yaml.hbs:6:6", "base/t.yaml.hbs:9:3"] {
        assert!(error.contains(place), "{place}: {error}");
    }
}

#[test]
fn valid_forms_are_accepted() {
    let values = "a: 1\nz: 0\nlist: [1]\nhosts: [x, v]\nm: {list: [1, 2], first: q}\n";
    for (tag, wanted) in [
        ("{{#if (eq env \"dev\")}}1{{else}}2{{/if}}", json!(1)),
        ("{{#if z includeZero=true}}1{{else}}2{{/if}}", json!(1)),
        ("{{#each hosts as |host index|}}{{host}}{{index}}{{/each}}", json!("x0v1")),
        ("{{#each hosts as |first|}}{{#if first}}{{cat first}}{{/if}}{{/each}}", json!("xv")),
        ("{{#each m.list}}{{this}}{{/each}}{{#each list}}{{this}}{{/each}}", json!(121)),
        ("{{#with m}}{{#each this.list}}{{this}}{{/each}}{{this.first}}{{/with}}", json!("12q")),
        ("{{#if false}}1{{else if (eq env \"prod\")}}2{{else if a}}3{{else}}4{{/if}}", json!(3)),
        ("{{#unless a}}1{{else}}2{{/unless}}", json!(2)),
        ("{{{{raw}}}}{{#if eq a}}{{{{/raw}}}}", json!("{{#if eq a}}")),
        ("a\\{{#if eq a}}", json!("a{{#if eq a}}")),
    ] {
        let item =
            if tag.contains("raw") || tag.contains('\\') { format!("'{tag}'") } else { tag.to_owned() };
        assert_eq!(App::of(&item, values).item("dev"), wanted, "{tag}");
    }
}

#[test]
fn a_name_that_no_environment_defines_is_an_error_in_every_context() {
    let values = "ingress: {enabled: true, host: h}\nports: [{name: a, port: 1}]\nm: {k: {v: 1}}\n";
    for (tag, message, hint) in [
        ("{{#if ingres.enabled}}x{{/if}}", "value `ingres.enabled`", "did you mean `ingress.enabled`?"),
        ("{{#if ingress.enabledd}}x{{/if}}", "value `ingress.enabledd`", "did you mean `ingress.enabled`?"),
        ("{{#unless values.ingres}}x{{/unless}}", "value `values.ingres`", "did you mean `values.ingress`?"),
        ("{{#if @root.ingres}}x{{/if}}", "value `@root.ingres`", "did you mean `@root.ingress`?"),
        ("{{#each prots}}x{{else}}y{{/each}}", "value `prots`", "did you mean `ports`?"),
        ("{{#with ingres}}x{{else}}y{{/with}}", "value `ingres`", "did you mean `ingress`?"),
        ("{{#if false}}x{{else if ingres}}y{{/if}}", "value `ingres`", "did you mean `ingress`?"),
        ("{{#if false}}{{#if (not ingres)}}y{{/if}}{{/if}}", "value `ingres`", "did you mean `ingress`?"),
        ("{{default hostt \"x\"}}", "value `hostt`", "define it in `values.yaml`"),
        ("{{default \"x\" ingress.hots}}", "value `ingress.hots`", "did you mean `ingress.host`?"),
        ("{{coalesce ingres \"x\"}}", "value `ingres`", "did you mean `ingress`?"),
        ("{{#if (and ingress (or ingres 1))}}x{{/if}}", "value `ingres`", "did you mean `ingress`?"),
        ("{{#if (empty ingres)}}x{{/if}}", "value `ingres`", "did you mean `ingress`?"),
        ("{{#if (hasKey ingres \"a\")}}x{{/if}}", "value `ingres`", "did you mean `ingress`?"),
        ("{{ternary \"a\" \"b\" ingres}}", "value `ingres` is not defined", "did you mean `ingress`?"),
        ("{{#each ports}}{{#if nmae}}x{{/if}}{{/each}}", "value `nmae`", "did you mean `name`?"),
        ("{{#each ports as |p|}}{{#if p.prot}}x{{/if}}{{/each}}", "value `p.prot`", "did you mean `p.port`?"),
        ("{{#each m}}{{#if w}}x{{/if}}{{/each}}", "value `w`", ""),
        (
            "{{#each ports}}{{#if ../ingres}}x{{/if}}{{/each}}",
            "value `../ingres`",
            "did you mean `../ingress`?",
        ),
        ("{{#each ports}}{{#if ingress}}x{{/if}}{{/each}}", "value `ingress`", "write `@root.ingress`"),
        ("{{#with ingress}}{{#if hots}}x{{/if}}{{/with}}", "value `hots`", "did you mean `host`?"),
        ("{{> p ingres}}", "value `ingres`", "did you mean `ingress`?"),
        ("{{> p x=ingres}}", "value `ingres`", "did you mean `ingress`?"),
        ("{{> q}}", "value `ingres`", "did you mean `ingress`?"),
    ] {
        let app = App::of(tag, values);
        app.write("partials/p.hbs", "x").write("partials/q.hbs", "{{#if ingres}}x{{/if}}");
        for environment in ["dev", "prod"] {
            let error = app.error(environment);
            assert!(error.contains(message) && error.contains(hint), "{tag}: {error}");
        }
        let found = app.found("app/render");
        assert!(found.iter().any(|found| found.contains(message)), "{tag}: {found:?}");
    }
}

#[test]
fn a_value_of_one_environment_is_empty_in_the_others() {
    for (tag, dev, prod) in [
        ("a{{#if tls.enabled}}b{{/if}}", "a", "ab"),
        ("a{{#each hosts}}b{{/each}}", "a", "abb"),
        ("a{{#with tls}}b{{/with}}", "a", "ab"),
        ("a{{default \"d\" tls.name}}", "ad", "anm"),
        ("a{{#if (or tls.enabled false)}}b{{/if}}", "a", "ab"),
        ("a{{> p tls=tls.enabled}}", "a", "ay"),
        ("a{{#each ports}}{{#if extra}}b{{/if}}{{/each}}", "a", "ab"),
        ("a{{#if (hasKey tls \"name\")}}b{{/if}}", "a", "ab"),
        ("a{{> r}}{{> r opt=1}}", "aN1", "aN1"),
    ] {
        let app = App::of(tag, "ports: [{name: x}]\nopen: {}\n");
        app.write(
            "envs/prod/values.yaml",
            "tls: {enabled: true, name: nm}\nhosts: [x, y]\nports: [{extra: 1}]\n",
        );
        app.write("partials/p.hbs", "{{#if tls}}y{{/if}}");
        app.write("partials/r.hbs", "{{#if opt}}{{opt}}{{else}}N{{/if}}");
        assert_eq!((app.item("dev"), app.item("prod")), (dev.into(), prod.into()), "{tag}");
    }
    // A collection that is empty everywhere may hold anything, and so may a value that is a scalar somewhere.
    let app = App::of(
        "a{{#if open.x}}b{{/if}}{{#if s.x}}b{{/if}}{{#if namespace}}n{{/if}}",
        "open: {}\ns: false\n",
    );
    app.write("envs/prod/values.yaml", "s: {y: 1}\n");
    assert_eq!(app.item("dev"), "an");
}

#[test]
fn an_undefined_value_stays_undefined_in_a_partial() {
    let app = App::of("a{{> p name=tls.name}}", "{}\n");
    app.write("envs/prod/values.yaml", "tls: {name: n}\n").write("partials/p.hbs", "{{name}}");
    assert_eq!(app.item("prod"), "an");
    let error = app.error("dev");
    assert!(error.contains("value `tls.name` is not defined"), "{error}");
}

#[test]
fn unreadable_values_of_another_environment_have_no_effect_on_this_one() {
    let app = App::of("a{{#if tls}}b{{/if}}", "{}\n");
    app.write("envs/prod/values.yaml", "tls: [\n");
    let (code, out, error) = app.run(&["render", ".", "--env", "dev"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(out.contains("k: a"), "{out}");
    assert!(error.contains("value `tls` is not defined, and `envs/prod/values.yaml`"), "{error}");
}

#[test]
fn scalars_keep_their_spelling() {
    for text in [
        "1.10",
        "1.0",
        "NO",
        "no",
        "True",
        "0755",
        "012345678901",
        "1e3",
        "1_000",
        "+5",
        "0x1F",
        ".5",
        "-0",
        "0b11",
        "123456789012345678901234567890",
        "18446744073709551615",
        "2024-01-01",
        "12:30:45",
        "1",
        "1.5",
        "true",
        "-3",
    ] {
        let app = App::of("\"{{v}}|{{squote v}}\"", &format!("v: {text}\n"));
        assert_eq!(app.item("dev"), format!("{text}|'{text}'"));
    }
    let values =
        "t: &t 1.10\nalias: *t\nm: {tag: 1.10, 'true': [0755, NO]}\nl: [1.10, 2.0]\n'n': NO\nb: 1.50\n";
    for (tag, wanted) in [
        (
            "{{alias}} {{m.tag}} {{values.m.tag}} {{lookup m \"tag\"}} {{get m \"tag\"}}",
            json!("1.10 1.10 1.10 1.10 1.10"),
        ),
        ("{{#each l}}{{this}},{{/each}}", json!("1.10,2.0,")),
        ("{{#each l as |x|}}{{x}},{{/each}}", json!("1.10,2.0,")),
        ("{{#with m}}{{tag}} {{/with}}x", json!("1.10 x")),
        ("{{> p m}} {{> p tag=t}} {{> s t}}", json!("1.10 1.10 1.10")),
        (
            "{{default \"x\" t}} {{coalesce nothing t}} {{or false t}} {{first l}} {{first (list t)}}",
            json!("1.10 1.10 1.10 1.10 1.10"),
        ),
        (
            "{{join \",\" l}} {{cat t b}} {{printf \"%s-%v\" t n}} {{replace \"1\" \"2\" t}}",
            json!("1.10,2.0 1.10 1.50 1.10-NO 2.20"),
        ),
        ("v{{trunc 3 t}} {{lower n}} {{toString t}}", json!("v1.1 no 1.10")),
        ("{{quote (toYaml l)}}", json!("- 1.10\n- 2.0")),
        ("'{{toJson m}}'", json!("{\"tag\":1.10,\"true\":[493,false]}")),
        ("{{b64enc t}}", json!("MS4xMA==")),
        (
            "{{> p tag=1.10}} {{default 2.0 nothing}} {{> p tag=(default 1.50 nothing)}}",
            json!("1.10 2.0 1.50"),
        ),
        ("{{#if (eq t 1.10)}}v{{/if}}{{#if (eq t 1.1)}}w{{/if}}", json!("vw")),
        ("{{#with (fromYaml \"a: 1.10\")}}v{{a}}{{/with}}", json!("v1.10")),
    ] {
        let app = App::of(tag, values);
        app.write("partials/p.hbs", "{{tag}}").write("partials/s.hbs", "{{this}}");
        app.write("envs/prod/values.yaml", "nothing: ''\n");
        assert_eq!(app.item("dev"), wanted, "{tag}");
    }
}

#[test]
fn overriding_values_keep_their_spelling() {
    let app = App::of("'{{a}} {{b}} {{m.c}}'", "a: 1.10\nb: 2\nm: {c: NO}\n");
    app.write("envs/prod/values.yaml", "a: 1.1\nb: 2.0\nm: {c: 'off'}\n");
    assert_eq!((app.item("dev"), app.item("prod")), (json!("1.10 2 NO"), json!("1.1 2.0 off")));
}

#[test]
fn conditions_and_arithmetic_use_the_values_that_yaml_reads() {
    let values = "'no': NO\n'yes': Yes\nzero: 0.0\nmode: 0755\nk: 1e3\ntag: 1.10\nm: {a: 1.0}\n'n': {a: 1}\n";
    for (tag, wanted) in [
        ("{{#if no}}1{{else}}2{{/if}}{{#if yes}}1{{else}}2{{/if}}{{#unless no}}3{{/unless}}", json!(213)),
        ("{{#if zero}}1{{else}}2{{/if}}{{#if zero includeZero=true}}1{{else}}2{{/if}}", json!(21)),
        ("{{#with no}}1{{else}}2{{/with}}{{#each no}}1{{else}}2{{/each}}", json!(22)),
        ("{{ternary 1 2 no}}{{#if (not no)}}3{{/if}}{{#if (and yes no)}}4{{/if}}", json!(23)),
        ("{{add mode 1}} {{int k}} {{printf \"%d\" mode}}", json!("494 1000 493")),
        ("{{#if (eq mode 493)}}1{{/if}}{{#if (gt k 999)}}2{{/if}}{{#if (eq tag 1.1)}}3{{/if}}", json!(123)),
        ("{{#if (eq m n)}}1{{/if}}{{#if (eq no false)}}2{{/if}}{{#if (eq no \"NO\")}}3{{/if}}", json!(12)),
        ("{{default \"d\" no}} {{#if (empty no)}}1{{/if}}", json!("d 1")),
    ] {
        assert_eq!(App::of(tag, values).item("dev"), wanted, "{tag}");
    }
}

#[test]
fn values_that_yaml_reads_otherwise_are_reported_at_their_place() {
    let app =
        App::of("x", "tag: 1.10\ncountry: NO\nok: [1, 1.5, true, null, '1.10']\nmode: 0644\nenabled: yes\n");
    app.write("envs/prod/values.yaml", "account: 012345678901\n");
    let found = app.found("yaml/implicit-type");
    let starts = [
        "values.yaml:1:6 ",
        "values.yaml:2:10 YAML reads this word as the boolean `false`",
        "envs/prod/values.yaml:1:10 ",
    ];
    assert_eq!(found.len(), starts.len(), "{found:?}");
    for start in starts {
        assert!(found.iter().any(|found| found.starts_with(start)), "{start}: {found:?}");
    }
}

#[test]
fn an_unused_key_of_an_environment_is_reported() {
    let app = App::of(
        "{{host}}{{#each ports}}{{name}}{{/each}}{{> p web}}",
        "host: a\nports: [{name: x}]\nweb: {port: 1}\n",
    );
    app.write("partials/p.hbs", "{{port}}");
    let prod = "hots: b\nweb: {prot: 2}\nports: [{name: y, naem: z}]\n_x: 1\nx-y: 1\nholder: &h 1\n";
    app.write("envs/prod/values.yaml", prod);
    let found = app.found("config/unused-value");
    let wanted = ["1:1 value `hots` is unused", "2:7 value `prot` is unused", "3:19 value `naem` is unused"];
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for (start, name) in wanted.into_iter().zip(["host", "port", "name"]) {
        let wanted = format!("envs/prod/values.yaml:{start}");
        assert!(
            found.iter().any(
                |found| found.starts_with(&wanted) && found.ends_with(&format!("did you mean `{name}`?"))
            ),
            "{found:?}"
        );
    }
}

#[test]
fn keys_that_are_read_or_in_another_layer_are_not_reported() {
    for (item, prod) in [
        ("{{quote (toJson values)}}", "hots: 1\n"),
        ("{{quote (toJson m)}}", "m: {hots: 1}\n"),
        ("{{lookup m \"hots\"}}", "m: {hots: 1}\n"),
        ("{{#each m}}{{@key}}{{this}}{{/each}}", "m: {hots: 1}\n"),
        ("{{#with m}}{{#if false}}{{hots}}{{/if}}{{/with}}x", "m: {hots: 1}\n"),
        ("{{#if (eq env \"prod\")}}{{hots}}{{/if}}x", "hots: 1\n"),
        ("{{a}}", "a: 1\nshared: 2\n"),
        ("{{a}}", "a: 1\nother: 2\n"),
        ("{{m.x}}", "d: &d {x: 1}\nm: {<<: *d}\n"),
        ("{{> (lookup m \"p\")}}x", "m: {p: p}\nhots: 1\n"),
    ] {
        let app = App::of(item, "a: 1\nm: {p: p, x: 1}\nshared: 1\n");
        app.write("partials/p.hbs", "")
            .write("envs/test/values.yaml", "other: 1\n")
            .write("envs/prod/values.yaml", prod);
        let found: Vec<String> = app
            .found("config/unused-value")
            .into_iter()
            .filter(|found| found.starts_with("envs/prod"))
            .collect();
        assert!(found.is_empty(), "{item}: {found:?}");
    }
}

#[test]
fn hostile_names_and_values_end_in_errors() {
    // Many names, each of which may be in any of many items.
    let names: Vec<String> = (0..2_000).map(|number| format!("{{{{#if a{number}}}}}{{{{/if}}}}")).collect();
    let items: Vec<String> = (0..5_000).map(|number| format!("- {{b{number}: {{c: 1}}}}\n")).collect();
    let (names, items) = (names.concat(), items.concat());
    let app = App::of(&format!("{{{{#each l}}}}{names}{{{{/each}}}}"), &format!("l:\n{items}"));
    let error = app.error("dev");
    assert!(error.contains("value `a0` is not defined in any environment"), "{error}");
    assert!(error.len() < 64 << 10, "{} bytes", error.len());
    // A tag with excessively many words.
    let app = App::of(&format!("{{{{#if {}a}}}}{{{{/if}}}}", "not ".repeat(100_000)), "a: 1\n");
    assert!(app.error("dev").contains("`#if` takes one argument, but has 100001"));
    // Partials that multiply.
    let app = App::of("{{> p}}", "a: 1\n");
    app.write("partials/p.hbs", "{{#if false}}{{> q a}}{{> q b}}{{/if}}x");
    app.write("partials/q.hbs", "{{#if false}}{{> p a}}{{> p b}}{{/if}}y");
    app.write("envs/prod/values.yaml", "a: {a: 1, b: 1}\nb: 1\n");
    assert_eq!(app.item("prod"), "x");
}

#[test]
fn values_of_all_environments_are_bounded() {
    let app = App::of("a{{#if tls}}b{{/if}}", "{}\n");
    let many = format!("l: [{}1]\n", "1,".repeat(450_000));
    let environments = ["a", "b", "c", "d"];
    for name in environments {
        app.write(&format!("envs/{name}/values.yaml"), &many);
    }
    app.write("envs/prod/values.yaml", "tls: true\n");
    let (code, out, error) = app.run(&["render", ".", "--env", "dev"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(out.contains("k: a"), "{out}");
    assert!(error.contains("value `tls` is not defined, and `envs/"), "{error}");
}
