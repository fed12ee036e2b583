//! `validate` on hostile and endless input: it always terminates with a defined exit code.
//!
//! Sizes are small enough for an unoptimized build; `SEALWAVE_TEST_FULL=1` uses realistic sizes.

use std::fmt::Write as _;

use crate::support::validating::{BAD, GOOD, Report, Tree, run_in};

/// Returns the small size, or the full one if requested.
fn size(small: usize, full: usize) -> usize {
    #[expect(clippy::disallowed_methods, reason = "a switch of the test suite")]
    if std::env::var_os("SEALWAVE_TEST_FULL").is_some() { full } else { small }
}

fn documents(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        writeln!(text, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{number}}}\ndata: {{a: b}}")
            .unwrap();
        text
    })
}

#[test]
fn many_small_documents_in_a_file_and_on_standard_input() {
    let count = size(10_000, 100_000);
    let tree = Tree::new(&[("all.yaml", &documents(count))]);
    for ran in [tree.run(&["all.yaml"]), run_in(tree.root(), &["-"], Some("all.yaml"))] {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(ran.report().summary()["lookedAt"]["objects"], count);
    }
}

#[test]
fn duplicates_are_found_in_large_sets() {
    let filler = format!("# {}\n", "x".repeat(9 << 20));
    let ran = Tree::new(&[("all.yaml", &format!("{GOOD}---\n{filler}{GOOD}"))]).run(&["all.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("each object was checked on its own"), "{}", ran.stderr);
    ran.report().one("resource/duplicate-id");
}

/// Directories with examples of rules that check one object at a time in plain manifests.
const ALONE: [&str; 9] = [
    "argocd-annotation",
    "metadata-name",
    "secret-bad-base64",
    "secret-double-base64",
    "secret-encrypted-leftover",
    "secret-invalid-key",
    "secret-plaintext-in-git",
    "secret-shadowed-key",
    "secret-trailing-newline",
];

#[test]
fn per_object_rules_find_the_same_in_a_stream() {
    let example = |rule: &&str| {
        let path = crate::support::root().join("testdata/lints").join(rule).join("bad.yaml");
        fs_err::read_to_string(path).unwrap()
    };
    let text = ALONE.iter().map(example).collect::<Vec<_>>().join("---\n");
    let filler = format!("---\n# {}\n", "x".repeat(9 << 20));
    let tree = Tree::new(&[("few.yaml", &text), ("many.yaml", &(text.clone() + &filler))]);
    let (few, many) = (tree.report(&["few.yaml"]), tree.run(&["many.yaml"]));
    assert!(many.stderr.contains("each object was checked on its own"), "{}", many.stderr);
    let many = many.report();
    for directory in ALONE {
        let rule = directory.replacen('-', "/", 1);
        let places = |report: &Report| -> Vec<_> {
            report
                .of(&rule)
                .iter()
                .map(|finding| (finding["line"].clone(), finding["column"].clone()))
                .collect()
        };
        assert!(!places(&few).is_empty(), "{rule}");
        assert_eq!(places(&few), places(&many), "{rule}");
    }
}

#[test]
fn one_long_document() {
    let line = format!("  k: \"{}\"\n", "x".repeat(1000));
    let mut text = String::from("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n");
    for number in 0..size(5_000, 50_000) {
        text.push_str(&line.replacen('k', &format!("k{number}"), 1));
    }
    let ran = Tree::new(&[("a.yaml", &text)]).run(&["a.yaml"]);
    assert!(ran.code < 2, "{}", ran.stderr);
}

#[test]
fn thousands_of_findings_in_every_format() {
    let count = size(2_000, 20_000);
    let texts: Vec<String> =
        (0..count).map(|number| format!("---\n{}", BAD.replace("bad", &format!("bad{number}")))).collect();
    let text = texts.concat();
    let tree = Tree::new(&[("a.yaml", &text)]);
    let report = tree.run(&["a.yaml"]).report();
    assert_eq!(report.of("schema/type").len(), count);
    for form in ["human", "sarif", "junit", "github", "gitlab"] {
        assert_eq!(tree.plain(&["a.yaml", "-o", form]).code, 1, "{form}");
    }
}

#[test]
fn deep_nesting_and_aliases_are_limited() {
    let deep =
        format!("{}data: {}1{}\n", GOOD.replace("data:", "was:"), "{a: ".repeat(5_000), "}".repeat(5_000));
    let flow = "[".repeat(100_000);
    let mut bomb = String::from("a0: &a0 [x, x]\n");
    for level in 1..40 {
        let before = level - 1;
        writeln!(bomb, "a{level}: &a{level} [*a{before}, *a{before}, *a{before}]").unwrap();
    }
    let cycle = "a: &a [*a]\n";
    for text in [&*deep, &*flow, &*bomb, cycle] {
        let ran = Tree::new(&[("a.yaml", text)]).run(&["a.yaml"]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(!ran.report().findings().is_empty());
    }
}

fn definition(schema: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: jobs.example.org}}\nspec:\n  group: example.org\n  \
         names: {{kind: Job, plural: jobs, singular: job, listKind: JobList}}\n  scope: Namespaced\n  versions:\n  - name: v1\n    served: true\n    \
         storage: true\n    schema: {{openAPIV3Schema: {schema}}}\n---\napiVersion: example.org/v1\nkind: Job\nmetadata: {{name: a}}\nspec: {{a: {}}}\n",
        "a".repeat(2_000)
    )
}

#[test]
fn hostile_definitions_terminate() {
    let nested =
        format!("{}{{type: string}}{}", "{type: object, properties: {a: ".repeat(40), "}}".repeat(40));
    let wide: Vec<String> =
        (0..size(5_000, 50_000)).map(|number| format!("f{number}: {{type: string}}, ")).collect();
    let wide = wide.concat();
    let any: String = "{anyOf: [{type: string}, ".repeat(30) + "{type: string}" + &"]}".repeat(30);
    let schemas = [
        nested,
        format!("{{type: object, properties: {{{wide}}}}}"),
        "{type: object, properties: {spec: {type: object, properties: {a: {type: string, pattern: '((a{1,1000}){1,1000}){1,1000}'}}}}}".to_owned(),
        "{type: object, properties: {spec: {type: object, properties: {a: {type: string, pattern: '^(a+)+$'}}}}}".to_owned(),
        "{type: object, properties: {spec: {$ref: '#'}}}".to_owned(),
        format!("{{type: object, properties: {{spec: {any}}}}}"),
    ];
    for schema in schemas {
        let ran = Tree::new(&[("a.yaml", &definition(&schema))]).run(&["a.yaml"]);
        assert!(ran.code < 2, "{}", ran.stderr);
        ran.report();
    }
}

#[test]
fn many_files_and_cyclic_links() {
    let count = size(2_000, 20_000);
    let tree = Tree::new(&[]);
    for number in 0..count {
        tree.write(
            &format!("all/d{}/a{number}.yaml", number % 50),
            GOOD.replace("good", &format!("a{number}")),
        );
    }
    std::os::unix::fs::symlink(tree.root().join("all"), tree.root().join("all/d0/circle")).unwrap();
    std::os::unix::fs::symlink("self", tree.root().join("all/self")).unwrap();
    let ran = tree.run(&["all"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.report().summary()["lookedAt"]["objects"], count);
}

#[test]
fn pipes_and_devices_are_rejected() {
    let tree = Tree::new(&[("dir/good.yaml", GOOD)]);
    let fifo = tree.root().join("dir/fifo.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for path in [fifo.to_str().unwrap(), "/dev/zero"] {
        let ran = tree.run(&[path]);
        assert_eq!(ran.code, 2, "{path}: {}", ran.stdout);
        assert!(ran.stderr.contains("neither a file nor a directory"), "{}", ran.stderr);
    }
    let ran = tree.run(&["dir"]);
    assert_eq!((ran.code, &ran.report().summary()["lookedAt"]["files"]), (1, &serde_json::json!(1)));
    let found = ran.report().one("yaml/syntax").clone();
    assert_eq!(
        (&found["message"], &found["path"]),
        (&"file is not a regular file".into(), &"dir/fifo.yaml".into())
    );
}

#[test]
fn bytes_that_are_not_text() {
    let tree = Tree::new(&[]);
    let binary: Vec<u8> =
        (0..100_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let files: [(&str, &[u8], i32); 5] = [
        ("latin.yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: caf\xe9}\n", 1),
        ("binary.yaml", &binary, 1),
        ("nul.yaml", &[0; 1000], 1),
        ("empty.yaml", b"", 0),
        ("bom.yaml", b"\xef\xbb\xbfapiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", 0),
    ];
    for (name, bytes, code) in files {
        tree.write(name, bytes);
        let ran = tree.run(&[name]);
        assert_eq!(ran.code, code, "{name}: {}{}", ran.stdout, ran.stderr);
        ran.report();
        for form in ["human", "sarif", "junit", "github", "gitlab"] {
            assert_eq!(tree.plain(&[name, "-o", form]).code, code, "{name} {form}");
        }
    }
}

#[test]
fn many_findings_of_one_object_have_the_pointers_of_their_items() {
    let count = size(5_000, 100_000);
    let mut text = String::from("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n");
    (0..count).for_each(|number| writeln!(text, "  key-{number}: hunter2").unwrap());
    let report = Tree::new(&[("a.yaml", &text)]).report(&["a.yaml"]);
    let found = report.of("secret/plaintext-in-git");
    assert_eq!(found.len(), count.min(found.len()), "all, or as many as a report holds");
    assert!(found.len() >= count.min(19_000), "{}", found.len());
    for one in found {
        let line = one["line"].as_u64().unwrap();
        assert_eq!(one["pointer"], format!("/stringData/key-{}", line - 5));
    }
}

#[test]
fn many_suppressions_apply_to_their_lines() {
    let count = size(5_000, 60_000);
    let of = |entry: &dyn Fn(usize) -> String| -> String {
        let head = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n".to_owned();
        (0..count).fold(head, |text, number| text + &entry(number))
    };
    let ignore = "# sealwave: ignore secret/plaintext-in-git -- known";
    let at_ends = of(&|number| format!("  k{number}: hunter2 {ignore}\n"));
    let before = of(&|number| format!("  {ignore}\n  k{number}: hunter2\n"));
    for text in [at_ends, before] {
        let report = Tree::new(&[("a.yaml", &text)]).report(&["a.yaml"]);
        assert_eq!(report.summary()["suppressed"], count, "{:?}", report.lines().first());
        assert_eq!(report.of("suppression/unused").len(), 0);
    }
    // In text, or without a following line, they have no effect.
    let lines = format!("    x {ignore}\n").repeat(count);
    let block = format!("{GOOD}  text: |\n{lines}").replace("data: {theme: dark}", "data:");
    let quoted = format!("{GOOD}  text: \"\n{lines}    \"\n").replace("data: {theme: dark}", "data:");
    for text in [block, quoted] {
        let report = Tree::new(&[("a.yaml", &text)]).report(&["a.yaml"]);
        assert_eq!(report.summary()["suppressed"], 0);
        assert!(
            report.findings().iter().all(|found| found["rule"] == "config/too-large"),
            "{:?}",
            report.lines()
        );
    }
    let one_line = Tree::new(&[("a.yaml", &format!("{GOOD}# {}", ignore.repeat(count)))]).report(&["a.yaml"]);
    assert!(one_line.findings().len() < 10, "{}", one_line.findings().len());
}

#[test]
fn many_findings_are_limited_and_fail_in_every_format() {
    let count = 25_000;
    let texts: Vec<String> =
        (0..count).map(|number| format!("---\n{}", BAD.replace("bad", &format!("bad{number}")))).collect();
    let tree = Tree::new(&[("a.yaml", &texts.concat())]);
    let forms = ["github", "gitlab", "human", "json", "junit", "sarif"];
    let mut args = vec!["a.yaml".to_owned()];
    args.extend(forms.iter().map(|form| format!("--output={form}={form}.out")));
    let ran = tree.plain(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for form in forms {
        let text = tree.read(&format!("{form}.out"));
        assert!(text.len() < 64 << 20, "{form}: {}", text.len());
        assert!(text.contains("more findings than a report holds: 5000 errors left out"), "{form}");
    }
    let report: serde_json::Value = serde_json::from_str(&tree.read("json.out")).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 20_001);
    assert_eq!(report["summary"]["failed"], true);
    // The baseline contains all of them.
    let written = tree.plain(&["a.yaml", "--write-baseline", "known.json", "--fail-on", "never"]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    assert_eq!(tree.plain(&["a.yaml", "--baseline", "known.json"]).code, 0);
}

#[test]
fn names_in_a_report_are_never_ci_commands() {
    let name = "::error file=x::##[group]##vso[task.complete]##teamcity[a]";
    let app = format!("{name}/app");
    let tree = Tree::new(&[
        (&format!("{app}/sealwave.yaml"), crate::support::validating::APP),
        (&format!("{app}/envs/dev/values.yaml"), "{}\n"),
        (&format!("{app}/base/a.yaml"), &format!("{BAD}'k##[error]': 1 # ##[error]x\n")),
        (&format!("{app}/base/b\n::error::.yaml"), BAD),
    ]);
    for form in ["github", "gitlab", "human", "json", "junit", "sarif"] {
        let ran = tree.plain(&["--all", ".", "--output", form]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let lines = || ran.stdout.lines().chain(ran.stderr.lines());
        for command in ["##[", "##vso[", "##teamcity["] {
            assert!(!lines().any(|line| line.contains(command)), "{form}: {command}: {}", ran.stdout);
        }
        // The GitHub format writes such lines itself.
        let commands = lines().filter(|line| line.trim_start().starts_with("::"));
        let forged = commands.filter(|line| form != "github" || line.contains("title=schema/no"));
        assert_eq!(forged.count(), 0, "{form}: {}", ran.stdout);
    }
}
