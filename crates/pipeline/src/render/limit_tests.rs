//! Tests of template limits: excessive templates are refused, and allowed ones cost what they should.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::engine::{RenderedText, TemplateEngine};
use super::price::MAX_LIVE;
use super::tracer::EntryOrigins;
use crate::load::PartialTemplate;
use sealwave_core::document::Sources;

/// The result of a template, with the work units and copied bytes that it took.
struct TemplateRun {
    result: Result<RenderedText, String>,
    work: u64,
    copies: u64,
}

impl TemplateRun {
    fn new(text: &str, values: Json, partials: &[(&str, &str)], traced: bool) -> Self {
        let mut sources = Sources::default();
        let source = sources.add("t");
        let new_partial = |text: &str| PartialTemplate { source, text: text.to_owned() };
        let partials: BTreeMap<_, _> =
            partials.iter().map(|(name, text)| ((*name).to_owned(), new_partial(text))).collect();
        let entries = traced.then_some(|_: &Json| EntryOrigins::default());
        match TemplateEngine::new(partials, values, entries) {
            Ok(mut engine) => {
                let result = engine.prepare(source, text).map_err(|problems| problems[0].message.clone());
                let result = result
                    .and_then(|prepared| engine.render(prepared, text).map_err(|problem| problem.message));
                let (work, copies) = engine.usage();
                Self { result, work, copies }
            }
            Err(failure) => Self { result: Err(failure.problems()[0].message.clone()), work: 0, copies: 0 },
        }
    }

    fn plain(text: &str, values: Json) -> Self {
        Self::new(text, values, &[], false)
    }

    fn message(self) -> String {
        self.result.err().unwrap_or_default()
    }
}

/// Returns a value that takes about two megabytes of memory.
fn large() -> Json {
    let new_entry = |index: usize| (format!("k{index}"), json!({"a": [1, 2, 3], "b": "text"}));
    (0..2500).map(new_entry).collect::<serde_json::Map<_, _>>().into()
}

const LIVE_LIMIT_MESSAGE: &str = "bytes of copied values at once";

#[test]
fn values_of_the_context_are_not_copied() {
    let nest = |open: &str, close: &str| open.repeat(60) + "x" + &close.repeat(60);
    for picked in [
        "lookup @root.values \"large\"",
        "get @root.values \"large\"",
        "default \"x\" @root.large",
        "first @root.list",
        "or \"\" @root.large",
        "required \"it\" @root.large",
        "ternary @root.large \"\" true",
    ] {
        let text = nest(&format!("{{{{#with ({picked})}}}}"), "{{/with}}");
        let run = TemplateRun::plain(
            &text,
            json!({"large": large(), "list": [large()], "values": {"large": large()}}),
        );
        assert_eq!(run.result.map(|rendered| rendered.text), Ok("x".to_owned()), "{picked}");
        assert_eq!(run.copies, 0, "{picked}");
    }
    let run = TemplateRun::plain(
        &nest("{{#with (lookup @root.values \"large\")}}", "{{/with}}"),
        json!({"values": {"large": large()}}),
    );
    assert!(run.work < 1000, "{} units", run.work);
}

#[test]
fn copies_are_refused_in_advance() {
    let values = || json!({"large": large(), "text": "a".repeat(1 << 20), "m": {"k": "v"}});
    let partials =
        [("r", "{{> s x=this}}"), ("s", "{{> r y=this}}"), ("t", "{{> u}}"), ("u", "{{> t}}"), ("p", "x")];
    for text in [
        "{{> r}}",
        "{{> t}}",
        "{{> r large}}",
        // A text is split into characters if a named argument is beside it.
        "{{> p text x=1}}",
        "{{> p (cat text) x=1}}",
        "{{> p (lookup this \"text\") x=1}}",
        "{{> p (default \"\" text) x=1}}",
        &format!(
            "{{{{> p {}}}}}",
            (0..60).fold(String::new(), |all, n| all + &format!(" n{n}=(lookup this \"large\")"))
        ),
        &format!("{{{{> p {}}}}}", (0..60).fold(String::new(), |all, n| all + &format!(" n{n}=this"))),
        &format!("{{{{len (list {})}}}}", "(split \"\" (repeat 90000 \"a\")) ".repeat(20)),
        &format!(
            "{{{{#each (list large)}}}}{}{{{{/each}}}}",
            "{{#if this}}".repeat(60) + &"{{/if}}".repeat(60)
        ),
        "{{#each (split \"\" (repeat 350000 \"a\"))}}{{/each}}",
    ] {
        for traced in [false, true] {
            let run = TemplateRun::new(text, values(), &partials, traced);
            assert!(run.copies <= MAX_LIVE, "{text}: {}", run.copies);
            let message = run.message();
            assert!(message.contains(LIVE_LIMIT_MESSAGE), "{text} ({traced}): {message}");
        }
    }
}

#[test]
fn a_partial_is_charged_for_its_context_until_it_ends() {
    let partials = [("p", "{{x}}{{#if large.k1}}y{{/if}}")];
    let one = TemplateRun::new("{{> p x=1}}", json!({"large": large()}), &partials, false);
    let many = TemplateRun::new(&"{{> p x=1}}".repeat(100), json!({"large": large()}), &partials, false);
    assert_eq!(many.result.map(|rendered| rendered.text), Ok("1y".repeat(100)));
    assert!(one.copies > 1 << 20 && many.copies < one.copies * 2, "{} and {}", one.copies, many.copies);
    assert!(many.work > 50 * one.work && one.work > 3000, "{} and {}", one.work, many.work);
}

#[test]
fn results_are_refused_before_they_are_built() {
    for (text, helper) in [
        ("{{len (split \"\" (repeat 8000000 \"a\"))}}", "split"),
        ("{{len (splitList \"\" (repeat 8000000 \"a\"))}}", "splitList"),
        ("{{len (fromJson (cat \"[\" (repeat 1000000 \"1, \") \"1]\"))}}", "fromJson"),
        ("{{len (fromJson (cat \"[\" (repeat 300000 \"{},\") \"1]\"))}}", "fromJson"),
        ("{{repeat 9000000 \"a\"}}", "repeat"),
        ("{{indent 100 (repeat 1000000 nl)}}", "indent"),
        ("{{nindent 100 (repeat 1000000 nl)}}", "nindent"),
        ("{{replace \"\" (repeat 1000 \"a\") (repeat 10000 \"a\")}}", "replace"),
        ("{{join (repeat 1000 \"a\") (split \"\" (repeat 10000 \"a\"))}}", "join"),
        ("{{quote (repeat 4000000 bell)}}", "quote"),
        ("{{squote (repeat 5000000 \"'\")}}", "squote"),
        ("{{printf \"%q\" (repeat 4000000 bell)}}", "printf"),
        ("{{toJson (repeat 4000000 bell)}}", "toJson"),
        ("{{toPrettyJson (repeat 4000000 bell)}}", "toPrettyJson"),
        ("{{toYaml (repeat 4000000 bell)}}", "toYaml"),
        ("{{cat (repeat 5000000 \"a\") (repeat 5000000 \"a\")}}", "cat"),
        ("{{keys many}}", "keys"),
        ("{{sortAlpha items}}", "sortAlpha"),
    ] {
        let many: serde_json::Map<_, _> = (0..400_000).map(|n| (n.to_string(), Json::Null)).collect();
        let many = if helper == "keys" { many } else { serde_json::Map::new() };
        let items = if helper == "sortAlpha" { vec![json!(""); 450_000] } else { Vec::new() };
        let values = json!({"nl": "\n", "bell": "\u{7}", "many": many, "items": items});
        let run = TemplateRun::plain(text, values);
        assert!(run.copies <= MAX_LIVE, "{text}: {}", run.copies);
        let message = run.message();
        assert!(
            message.contains(&format!("`{helper}` takes")) && message.contains("at most"),
            "{text}: {message}"
        );
    }
    let run = TemplateRun::plain("{{len (fromYaml (cat \"[\" (repeat 200000 \"1, \") \"1]\"))}}", json!({}));
    assert!(run.message().contains("not valid YAML, or too large"));
}

#[test]
fn typical_templates_are_allowed() {
    let mut yaml = String::new();
    for index in 0..3000 {
        writeln!(yaml, "key{index}: {{a: [1, 2, \"x, y\"], b: text}}").unwrap();
    }
    let values = json!({"yaml": yaml, "large": large(), "list": vec!["name"; 10_000]});
    for text in [
        "{{len (fromYaml yaml)}}",
        "{{#each (fromYaml yaml)}}{{@key}}{{a.[2]}}{{/each}}",
        "{{#with (fromJson (toJson large)) as |l|}}{{len l}}{{/with}}",
        "{{indent 8 (toYaml large)}}{{toPrettyJson large}}",
        "{{#each list}}{{> p name=this}}{{/each}}",
        "{{#each (split \"\\n\" yaml) as |line|}}{{quote line}}{{/each}}",
        "{{join \",\" (sortAlpha list)}}{{len (keys large)}}",
    ] {
        let run = TemplateRun::new(text, values.clone(), &[("p", "{{name}}")], false);
        assert_eq!(run.result.err(), None, "{text}");
    }
}

#[test]
fn output_lines_are_stored_in_runs() {
    let run = TemplateRun::plain("a\n{{repeat 8000000 \"\\n\"}}{{repeat 8000000 \"\\n\"}}", json!({}));
    let rendered = run.result.map(|rendered| (rendered.text.len(), rendered.lines.memory()));
    assert!(matches!(rendered, Ok((16_000_002, ..1000))), "{rendered:?}");
    // A line with its own origin costs more than the element that writes it.
    let text = "{{#each (split \"\" (repeat 1000 \"a\"))}}x\ny{{#if true}}\nz{{/if}}{{/each}}";
    let run = TemplateRun::plain(text, json!({}));
    assert!(run.work > 1000 * 8, "{}", run.work);
}

#[test]
fn templates_that_take_too_long_to_parse_are_refused() {
    for (text, message) in [
        ("{{a}} ".repeat(60_000), "more than 50000 tags"),
        (format!("{}{}", "x".repeat(900_000), "{{a}}".repeat(3000)), "too many tags for its size"),
        ("\\{{".repeat(45_000) + &"x".repeat(10), "too many tags for its size"),
        ("{{{{raw}}}}x{{{{/raw}}}}".repeat(12_000), "too many tags for its size"),
        (" ".repeat(300) + "{{> p}}\n", "indented by more than 256 bytes"),
        ("{{#*inline (cat \"a\" \"b\")}}x{{/inline}}".to_owned(), "not a quoted text"),
        ("{{#*inline a}}x{{/inline}}".to_owned(), "not a quoted text"),
    ] {
        let run = TemplateRun::new(&text, json!({"a": 1}), &[("p", "x\n")], false);
        let found = run.message();
        assert!(found.contains(message), "{found}");
    }
    // Partials stay compiled, so their tags are counted together.
    let partial = "{{a}}".repeat(3000);
    let names: Vec<String> = (0..20).map(|n| format!("p{n}")).collect();
    let partials: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), partial.as_str())).collect();
    assert!(
        TemplateRun::new("x", json!({"a": 1}), &partials, false).message().contains("more than 50000 tags")
    );
}

/// Builds by hand a value whose spelling differs from what YAML reads.
fn written_by_hand(read: &str, text: &str) -> String {
    format!("(dict \"{}written\" (list {read} {text}))", super::private_names::PRIVATE)
}

#[test]
fn arguments_of_blocks_and_partials_are_charged() {
    let values = || json!({"large": large(), "text": "a".repeat(1 << 20), "n": 1});
    let text = "(repeat 1000000 \"a\")";
    for template in [
        // The engine expands the value, whatever holds it.
        format!("{{{{> p {} x=1}}}}", written_by_hand(text, "\"x\"")),
        format!("{{{{> p {} x=1}}}}", written_by_hand("text", "\"x\"")),
        format!("{{{{> p \"{}\" x=1}}}}", "a".repeat(700_000)),
        "{{#with (fromJson (toJson large))}}{{> p this x=1 y=this}}{{> r this z=n}}{{/with}}".to_owned(),
        "{{> q x=(fromJson (toJson large))}}".to_owned(),
        "{{> q (dict \"x\" large)}}".to_owned(),
    ] {
        for traced in [false, true] {
            let partials = [
                ("p", "{{x}}"),
                ("q", "{{> s x=(dict \"a\" x)}}"),
                ("s", "{{> q x=x y=x}}"),
                ("r", "{{> r2 this n=1}}"),
                ("r2", "{{> r this m=1}}"),
            ];
            let run = TemplateRun::new(&template, values(), &partials, traced);
            assert!(run.copies <= MAX_LIVE, "{template:.100}: {}", run.copies);
            let message = run.message();
            assert!(message.contains(LIVE_LIMIT_MESSAGE), "{template:.100} ({traced}): {message}");
        }
    }
}

#[test]
fn conditions_copy_nothing() {
    let values = json!({"text": "a".repeat(1 << 20), "large": large(), "list": [large()]});
    let nest = |name: &str| {
        "{{#if text}}{{#unless list}}{{else}}".repeat(20).replace("list", name)
            + "x"
            + &"{{/unless}}{{/if}}".repeat(20)
    };
    for name in ["list", "large", "text"] {
        let run = TemplateRun::plain(&nest(name), values.clone());
        assert_eq!(run.result.map(|rendered| rendered.text), Ok("x".to_owned()), "{name}");
        assert!(run.copies == 0 && run.work < 1000, "{name}: {} and {}", run.copies, run.work);
    }
}

#[test]
fn parsed_values_and_their_texts_are_bounded() {
    let run = TemplateRun::plain("{{len (fromYaml (repeat 100000 item))}}", json!({"item": "- 0x1\n"}));
    let message = run.message();
    assert!(message.contains("`fromYaml` takes"), "{message}");
    let run = TemplateRun::plain("{{len (fromYaml (repeat 1000 item))}}", json!({"item": "- 0x1\n"}));
    assert_eq!(run.result.map(|rendered| rendered.text), Ok("1000".to_owned()));
}

#[test]
fn values_with_their_original_spelling_are_bounded() {
    // A text of about three megabytes each; a result may have eight.
    let long = || json!({format!("{}written", super::private_names::PRIVATE): [1, format!("1.{}", "0".repeat(2_700_000))]});
    let values = json!({"long": [long(), long()], "short": long()});
    for helper in ["toYaml", "toJson", "toPrettyJson"] {
        let text = format!("{{{{len ({helper} (list short short short short))}}}}");
        let message = TemplateRun::plain(&text, values.clone()).message();
        assert!(message.contains("at most"), "{helper}: {message}");
        let run = TemplateRun::plain(&format!("{{{{len ({helper} long)}}}}"), values.clone());
        assert!(run.result.is_ok_and(|rendered| rendered.text.starts_with("54000")), "{helper}");
    }
}

#[test]
fn long_names_and_many_errors_are_refused() {
    for (text, message) in [
        (format!("{{{{a{}}}}}", ".b".repeat(200)), "name has more than 128 parts"),
        (format!("{{{{#if a{}}}}}{{{{/if}}}}", ".b".repeat(200)), "name has more than 128 parts"),
        (format!("{{{{> p (lookup a{} 1)}}}}", ".b".repeat(200)), "name has more than 128 parts"),
        (format!("{{{{a{}}}}}", ".b".repeat(100)).repeat(4_500), "more than 50000 tags"),
        ("{{#if a b}}{{/if}}".repeat(10_000), "takes one argument"),
        (format!("{{{{#if {}a}}}}{{{{/if}}}}", "not ".repeat(100_000)), "takes one argument"),
        (format!("{{{{a {}}}}}", "eq b ".repeat(100_000)), "helper `a` does not exist"),
    ] {
        let found = TemplateRun::new(&text, json!({"a": 1}), &[("p", "x")], false).message();
        assert!(found.contains(message), "{message}: {found:.300}");
    }
}
