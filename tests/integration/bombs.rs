//! Tests of small apps that would take gigabytes: each ends within the memory limit of a run, prints little and no
//! manifests.

use crate::support::peak::{Measured, measure};
use crate::support::small_app::SmallApp;
use crate::support::{is_message_line, sealwave};

/// The maximum resident memory of a process in MiB.
const MOST_MIB: u64 = 420;
const MOST_STDERR: usize = 64 << 10;
const MOST_STDOUT: usize = 90 << 20;

struct Bomb {
    name: &'static str,
    files: Vec<(String, String)>,
}

fn config_map(name: &str, data: &str) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata:\n{data}")
}

/// Creates a template whose only value is an expression.
fn expression(name: &'static str, expression: &str) -> Bomb {
    template(name, &config_map("c", &format!("  a: \"{expression}\"\n")), "{}\n")
}

fn template(name: &'static str, template: &str, values: &str) -> Bomb {
    let files = [("base/bomb.yaml.hbs", template), ("values.yaml", values)];
    Bomb { name, files: files.map(|(path, text)| (path.to_owned(), text.to_owned())).into() }
}

fn manifest(name: &'static str, text: String) -> Bomb {
    Bomb { name, files: vec![("base/bomb.yaml".to_owned(), text)] }
}

/// Creates a text that many aliases refer to.
fn aliases(name: &'static str, documents: usize, each: usize, bytes: usize) -> Bomb {
    let text = "x".repeat(bytes);
    let again: Vec<String> = (0..each).map(|index| format!("  k{index}: *a\n")).collect();
    let again = again.concat();
    let document = |index: usize| config_map(&format!("c{index}"), &format!("  a: &a {text}\n{again}"));
    // A file may have 10 MiB.
    let per_file = ((9 << 20) / (bytes + again.len() + 100)).max(1);
    let files = (0..documents).collect::<Vec<_>>();
    let file = |(index, part): (usize, &[usize])| {
        (format!("base/bomb-{index}.yaml"), part.iter().map(|index| document(*index)).collect())
    };
    Bomb { name, files: files.chunks(per_file).enumerate().map(file).collect() }
}

fn copies() -> Bomb {
    let text = "x".repeat(9 << 20);
    let mut patch = format!("- {{op: add, path: /data/a, value: {text}}}\n");
    patch.extend((0..999).map(|index| format!("- {{op: copy, from: /data/a, path: /data/b{index}}}\n")));
    let app = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments:\n  dev:\n    patches:\n      \
               - {target: {kind: ConfigMap, name: api}, file: envs/dev/patches/p.yaml}\n";
    let files = [("envs/dev/patches/p.yaml", patch), ("sealwave.yaml", app.to_owned())];
    Bomb {
        name: "a large text that patches copy",
        files: files.map(|(path, text)| (path.to_owned(), text)).into(),
    }
}

/// Creates a strategic merge patch that orders very many items.
fn ordered_list() -> Bomb {
    let items = "{name: a}, ".repeat(850_000);
    let patch = format!("spec: {{template: {{spec: {{$setElementOrder/containers: [{items}]}}}}}}\n");
    let app = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments:\n  dev:\n    patches:\n      \
               - {target: {kind: Deployment}, type: strategic, file: envs/dev/patches/p.yaml}\n";
    let files = [("envs/dev/patches/p.yaml", patch), ("sealwave.yaml", app.to_owned())];
    let files = files.map(|(path, text)| (path.to_owned(), text)).into();
    Bomb { name: "an order of very many items", files }
}

fn bombs() -> Vec<Bomb> {
    let values = format!("big: [{}]\n", "some value or other, ".repeat(80_000));
    let aliased = "a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n\
                   c: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c]\n";
    let recursive = |call: &str, values: &str| {
        let files = [
            ("base/bomb.yaml.hbs", config_map("c", "  a: b\n") + "# {{> p}}\n"),
            ("partials/p.hbs", call.to_owned()),
            ("values.yaml", values.to_owned()),
        ];
        files.map(|(path, text)| (path.to_owned(), text)).into()
    };
    let lookups = "{{#with (lookup @root.values \"big\")}}".repeat(60) + "x" + &"{{/with}}".repeat(60);
    let newlines = (0..4).map(|index| {
        let text = config_map(&format!("c{index}"), "  a: b\n") + &"{{repeat 4000000 nl}}\n".repeat(4);
        (format!("base/bomb-{index}.yaml.hbs"), text)
    });
    let newlines = newlines.chain([("values.yaml".to_owned(), "nl: \"\\n\"\n".to_owned())]);
    vec![
        Bomb {
            name: "a partial that includes itself with arguments",
            files: recursive("{{> p x=d y=values}}", aliased),
        },
        Bomb {
            name: "a partial that includes itself with large values",
            files: recursive("{{> p x=big y=values}}", &values),
        },
        Bomb { name: "a partial that includes itself", files: recursive("{{> p}}", &values) },
        template("lookup of a large value", &(config_map("c", "  a: b\n") + "# " + &lookups + "\n"), &values),
        expression("fromYaml", "{{len (fromYaml (cat \"[\" (repeat 2600000 \"1, \") \"1]\"))}}"),
        expression("fromJson", "{{len (fromJson (cat \"[\" (repeat 2600000 \"1, \") \"1]\"))}}"),
        expression("split", "{{len (split \"\" (repeat 8000000 \"a\"))}}"),
        expression("split at each character", "{{len (split \"a\" (repeat 8000000 \"a\"))}}"),
        Bomb { name: "millions of lines", files: newlines.collect() },
        aliases("aliases of small texts", 100, 1_000, 16 << 10),
        aliases("aliases of large texts", 54, 15, 1_000_000),
        manifest("documents that are not objects", "a: 1\n---\n".repeat(1_050_000)),
        template(
            "millions of empty lists",
            &config_map("c", "  a: b\n"),
            &format!("a: [{}[]]\n", "[], ".repeat(2_300_000)),
        ),
        copies(),
        ordered_list(),
        expression("a message of megabytes", "{{fail (repeat 8000000 \"x\")}}"),
    ]
}

fn run(bomb: &Bomb, command: &str) -> Measured {
    let app = SmallApp::new();
    for (path, text) in &bomb.files {
        app.write(&format!("app/{path}"), text);
    }
    let mut args = app.args();
    command.clone_into(&mut args[0]);
    measure(sealwave().args(args))
}

/// Checks the properties of every run, and returns its standard error.
fn check(run: &Measured, name: &str) -> String {
    let stderr = run.stderr();
    let start: String = stderr.chars().take(400).collect();
    assert!(matches!(run.status.code(), Some(0 | 2)), "{name}: {}: {start}", run.status);
    assert!(run.stderr.len() <= MOST_STDERR, "{name}: {} bytes of standard error", run.stderr.len());
    assert!(run.stdout.len() <= MOST_STDOUT, "{name}: {} bytes of output", run.stdout.len());
    assert!(run.status.success() || run.stdout.is_empty(), "{name} printed output and failed");
    for line in stderr.lines() {
        assert!(is_message_line(line), "{name}: {line}");
    }
    stderr
}

#[test]
fn each_bomb_stays_within_the_memory_limit() {
    for bomb in bombs() {
        let run = run(&bomb, "generate");
        check(&run, bomb.name);
        assert!(run.peaks.len() >= 2, "{}: the run had no child that was seen", bomb.name);
        assert!(run.peak_mib() <= MOST_MIB, "{}: {} MiB", bomb.name, run.peak_mib());
    }
}

#[test]
fn many_problems_and_long_messages_are_truncated() {
    let documents = manifest("documents", "a: 1\n---\n".repeat(2_000));
    let stderr = check(&run(&documents, "generate"), documents.name);
    let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 51, "50 and the number of the others");
    let last = stderr.lines().last().expect("a line");
    assert!(last.starts_with("error: ") && last.ends_with(" more"), "{last}");
    for command in ["generate", "render"] {
        let long = expression("a long message", "{{fail (repeat 100000 \"x\")}}");
        let stderr = check(&run(&long, command), long.name);
        let message = stderr.lines().next().expect("a line");
        assert!(message.len() < 2_100 && message.contains("truncated"), "{command}: {} bytes", message.len());
    }
    // Fifty messages of maximum length exceed the limit of standard error.
    let long = (0..60).map(|index| {
        let text = config_map("c", "  a: \"{{fail (repeat 1999 text)}}\"\n");
        (format!("base/bomb-{index}.yaml.hbs"), text)
    });
    let values = ("values.yaml".to_owned(), "text: ä\n".to_owned());
    let all = Bomb { name: "long messages", files: long.chain([values]).collect() };
    let stderr = check(&run(&all, "generate"), all.name);
    assert!(stderr.lines().last().is_some_and(|line| line.ends_with(" more")), "{}", stderr.len());
}

#[test]
fn an_app_that_needs_more_than_the_limit_gets_one_error() {
    let app = SmallApp::new();
    for index in 0..6 {
        let data = format!("  a: |\n{}", "    some text or other\n".repeat(400_000));
        app.write(&format!("app/base/large-{index}.yaml"), &config_map(&format!("large-{index}"), &data));
    }
    app.operator("memoryLimitMiB: 192\n");
    let refused = measure(sealwave().args(app.args()));
    let stderr = check(&refused, "a large app");
    let lines: Vec<&str> = stderr.lines().collect();
    let [message, hint] = lines[..] else { panic!("{stderr}") };
    assert_eq!(message, "error: the run reached its memory limit of 192 MiB");
    assert!(hint.contains("`memoryLimitMiB`"), "{hint}");
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.peak_mib() <= 192 + 20, "{} MiB", refused.peak_mib());
    app.operator("");
    let run = measure(sealwave().args(app.args()));
    assert!(run.status.success() && run.stdout.len() > 40 << 20, "{}", run.stderr());
}

/// Argo CD runs it for directories of any repository, and such runs do not wait for each other.
#[test]
fn discovery_is_cheap() {
    let app = SmallApp::new();
    for hostile in ["[],".repeat(300_000), "{a: 1},".repeat(120_000)] {
        let text = format!("apiVersion: sealwave.dev/v1alpha1\nkind: App\nx: [{hostile}]\n");
        app.write("app/sealwave.yaml", &text);
        let run = measure(sealwave().arg("discover").arg(app.path("app")));
        assert_eq!(String::from_utf8_lossy(&run.stdout), "sealwave.yaml\n", "{}", run.stderr());
        assert!(run.peak_mib() <= 40, "{} MiB", run.peak_mib());
        let run = measure(sealwave().arg("parameters").arg(app.path("app")));
        assert!(run.stderr().contains("more than 50000 nodes"), "{}", run.stderr());
    }
}
