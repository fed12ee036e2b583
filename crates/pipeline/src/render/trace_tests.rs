//! Tests of tracing: it does not change the output, and its records are correct.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value as Json, json};

use super::engine::{RenderedText, TemplateEngine};
use super::tags;
use super::tracer::EntryOrigins;
use crate::load::PartialTemplate;
use sealwave_core::document::{Node, NodeValue, Origin, SourceId, Sources};

/// Renders a template, or returns its problems. All templates have the same values and partials.
fn render_text(text: &str, traced: bool) -> Result<String, String> {
    let mut sources = Sources::default();
    let source = sources.add("t");
    let new_partial = |text: &str| PartialTemplate { source, text: text.to_owned() };
    let partials = [
        ("p", "{{#each this}}{{@key}}={{#if (eq @index 0)}}{{toJson this}}{{/if}};{{/each}}{{x}}"),
        ("q", "{{a}} {{this.a}} {{../x}} {{#with m}}{{k}} {{@key}}{{../../x}}{{/with}}"),
        ("r", "{{> r}}"),
    ];
    let partials = partials.into_iter().map(|(name, text)| (name.to_owned(), new_partial(text))).collect();
    let values = json!({
        "x": 1, "a": "A", "l": [[1], [2, 3]], "m": {"k": {"z": [-0.0, 1.0]}, "e": {}}, "n": null, "empty": "",
    });
    let node = Node::from_json(&values, Origin::point(source, 1, 1));
    let entries = traced.then_some(|data: &Json| {
        let mut entries = EntryOrigins::default();
        entries.add(data, &node, None);
        entries
    });
    let mut engine =
        TemplateEngine::new(partials, values.clone(), entries).map_err(|failure| failure.to_string())?;
    let prepared = engine.prepare(source, text).map_err(|problems| format!("{problems:?}"))?;
    let rendered = engine.render(prepared, text);
    rendered.map(|rendered| rendered.text).map_err(|problem| format!("{problem:?}"))
}

#[test]
fn tracing_does_not_change_output_or_messages() {
    for text in [
        "{{x}} {{{a}}} {{& a}} {{~ x ~}} \\{{x}} \\\\{{x}} {{{{raw}}}}{{x}}{{{{/raw}}}}",
        "{{n}}|{{empty}}|{{toYaml m}}|{{toJson l}}|{{nindent 2 (toYaml (default m n))}}",
        "{{#each l}}{{#each this}}{{this}}{{@index}}{{@../index}}{{../../x}}{{@root.x}}{{/each}}{{/each}}",
        "{{#each m as |v k|}}{{k}}{{toJson v}}{{#with v as |w|}}{{toJson w}}{{@key}}{{/with}}{{/each}}",
        "{{> p}} {{> p m}} {{> p m x=x}} {{> p l}} {{> p a}} {{> p (lookup m \"k\") x=(default 1 n)}}",
        "{{> q}}",
        "{{> q x=a a=x m=m}}",
        "{{> q a=\"lit\" m=(get m \"k\")}}",
        "{{#each l}}{{> p x=@index}}{{/each}}",
        "{{#with (default m n)}}{{toJson k}}{{../x}}{{/with}}{{#each (or n l)}}{{toJson this}}{{../x}}{{/each}}",
        "{{#with (get m \"k\") as |g|}}{{toJson g.z}}{{toJson z}}{{/with}}{{#each (first l)}}{{this}}{{/each}}",
        "{{#each (coalesce n empty m)}}{{@key}}{{@first}}{{@last}}{{else}}none{{/each}}",
        "{{#*inline \"i\"}}{{x}}{{y}}{{/inline}}{{> i y=a}}{{#each l}}{{> i y=this.[0] x=1}}{{/each}}",
        "{{lookup l 1}}",
        "{{lookup m \"none\"}}",
        "{{lookup l}}",
        "{{lookup}}",
        "{{toJson (lookup l 1)}}",
        "{{#if (lookup m \"e\")}}e{{else}}f{{/if}}{{#if n}}{{else if x}}{{#each l}}{{len this}}{{/each}}{{/if}}",
        "{{nope}}",
        "{{m}}",
        "{{quote nope}}",
        "{{#each nope}}{{/each}}",
        "{{#each a}}x{{/each}}",
        "{{l.x}}",
        "{{> p l.x}}",
        "{{> p nope}}",
        "{{> nope}}",
        "{{> r}}",
        "{{required \"s\" n}}",
        "{{required \"\" nope.x}}",
        "{{#with n}}{{/with}}",
        "{{#each l as |i|}}{{i.x}}{{/each}}",
        "{{../x}}{{../../a}}",
        "{{@key}}",
        "{{@root.a}}",
        "  {{> q}}\n\t{{> p m}}\n{{#if x}}\n  y\n{{/if}}\n",
    ] {
        assert_eq!(render_text(text, false), render_text(text, true), "{text}");
    }
}

/// A generator of random templates: texts, and expressions over values that exist in each scope.
struct RandomTemplate {
    state: u64,
    /// The partials that it may include.
    partials: &'static [&'static str],
}

impl RandomTemplate {
    fn below(&mut self, limit: usize) -> usize {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.state >> 33).unwrap() % limit
    }

    fn pick(&mut self, all: &[&'static str]) -> &'static str {
        all[self.below(all.len())]
    }

    fn template(&mut self, depth: usize) -> String {
        (0..=self.below(4)).map(|_| self.fragment(depth)).collect()
    }

    fn fragment(&mut self, depth: usize) -> String {
        const TEXT: &[&str] = &[
            "a b",
            " ",
            "\n",
            "\n  ",
            "é: ü\n",
            "\\{{x}} ",
            "\\\\{{v}}",
            "{{! c }}",
            "{{!-- }} --}}\n",
            "\r\n",
            "\\",
            "x}}",
        ];
        const VALUES: &[&str] = &[
            "v",
            "this.v",
            "m.v",
            "@root.v",
            "@root.m.v",
            "../v",
            "@key",
            "v",
            "i.v",
            "key",
            "quote v",
            "default \"zz\" v",
            "lookup m \"v\"",
            "get m \"v\"",
            "toJson m",
            "nindent 3 (toYaml m)",
            "upper (quote (default nope m.v))",
            "trunc 2 v",
            "cat v m.v",
            "toYaml (first l)",
            "ternary v m.v true",
            "first l.[0].s",
            "l.[1].v",
            "default \"zz\" i.v",
            "w.v",
            "n",
        ];
        let pick_tilde = |author: &mut Self| author.pick(&["", "", "", "~"]);
        match self.below(if depth == 0 { 5 } else { 9 }) {
            0 | 1 => self.pick(TEXT).to_owned(),
            2..=4 => format!("{{{{{}{}{}}}}}", pick_tilde(self), self.pick(VALUES), pick_tilde(self)),
            5 => {
                let partial = self.pick(self.partials);
                format!(
                    "{}{{{{{}> {partial}{}}}}}{}",
                    self.pick(&["", "\n  ", "\n"]),
                    pick_tilde(self),
                    pick_tilde(self),
                    self.pick(&["", "\n"])
                )
            }
            _ => {
                let (head, end) = *[
                    ("if v", "if"),
                    ("each l", "each"),
                    ("each m", "each"),
                    ("with m", "with"),
                    ("with m as |i|", "with"),
                    ("each l as |i key|", "each"),
                    ("each s as |n key|", "each"),
                    ("each (default l nope)", "each"),
                    ("with (lookup m \"m\")", "with"),
                    ("each (list m m)", "each"),
                    ("unless v", "unless"),
                    ("with w", "with"),
                ]
                .get(self.below(12))
                .unwrap();
                let otherwise = if self.below(3) == 0 {
                    format!("{{{{else}}}}{}", self.template(depth - 1))
                } else {
                    String::new()
                };
                let line = self.pick(&["", "", "\n"]);
                let (open, close) = (pick_tilde(self), pick_tilde(self));
                format!(
                    "{line}{{{{{open}#{head}}}}}{line}{}{otherwise}{{{{/{end}{close}}}}}{line}",
                    self.template(depth - 1)
                )
            }
        }
    }
}

/// Returns values in which each text is unique.
fn values(depth: usize, next: &mut usize) -> Json {
    *next += 1;
    let text = format!("<{next}>");
    if depth == 0 {
        return json!({"v": text, "s": [format!("<{next}s>")]});
    }
    let (m, first, second) = (values(depth - 1, next), values(depth - 1, next), values(depth - 1, next));
    json!({"v": text, "s": [format!("<{text}s>"), format!("<{text}t>")], "m": m, "l": [first, second]})
}

/// Gives each node and each key a line of its own, and records the text of each line.
fn number(node: &mut Node, lines: &mut HashMap<u32, String>) {
    let add_line = |lines: &mut HashMap<u32, String>, text: &str| {
        let line = u32::try_from(lines.len() + 1).unwrap();
        lines.insert(line, text.to_owned());
        line
    };
    node.origin.line = add_line(lines, node.as_str().unwrap_or_default());
    match &mut node.value {
        NodeValue::Mapping(mapping) => {
            for entry in mapping.entries_mut() {
                entry.key_origin.line = add_line(lines, entry.key);
                number(entry.value, lines);
            }
        }
        NodeValue::Sequence(items) => items.iter_mut().for_each(|item| number(item, lines)),
        _ => {}
    }
}

/// Checks each stretch. Counts those that print a value, and those whose value is known.
fn check(
    rendered: &RenderedText,
    texts: &BTreeMap<SourceId, String>,
    lines: &HashMap<u32, String>,
) -> (usize, usize) {
    let (mut printed, mut known) = (0, 0);
    for (number, stretch) in rendered.stretches.iter().enumerate() {
        let to = rendered.stretches.get(number + 1).map_or(rendered.text.len(), |next| next.start);
        let wrote = &rendered.text[stretch.start..to];
        let element = stretch.element.as_ref().unwrap();
        let template = &texts[&element.origin.source];
        let line = template.split('\n').nth(element.origin.line as usize - 1).unwrap();
        let from: String = line.chars().skip((element.origin.column as usize).saturating_sub(1)).collect();
        if let Some(bytes) = &element.text {
            let written = tags::unescape_text(template, bytes.clone());
            let is_indented = |(line, written): (&str, &str)| {
                line.strip_suffix(written).is_some_and(|indent| indent.trim().is_empty())
            };
            assert_eq!(wrote.split('\n').count(), written.split('\n').count(), "{template}");
            assert!(
                wrote.split('\n').zip(written.split('\n')).all(is_indented),
                "{template}\n{wrote:?}\n{written:?}"
            );
            assert!(template[bytes.start..].starts_with(from.as_str()), "{template}\n{from:?}");
        } else if element.origin.column == 0 {
            assert!(wrote.trim().is_empty(), "{template}\n{wrote:?}");
        } else {
            let tag: String = from.chars().take(element.origin.width as usize).collect();
            assert!(tag.starts_with("{{") && tag.ends_with("}}"), "{template}\n{tag:?}");
            printed += usize::from(wrote.contains('<'));
        }
        if let Some(value) = stretch.value {
            let text = &lines[&value.origin.line];
            let text = if value.is_whole { text.as_str() } else { text.get(..2).unwrap_or_default() };
            assert!(wrote.contains(text), "{template}\n{wrote:?} is not of {text:?}");
            known += usize::from(wrote.contains('<'));
        }
    }
    (printed, known)
}

const NONE: &[&str] = &["i v=m.v"];
const P: &[&str] = &["p", "p m", "p this", "p w=m m=this", "p l.[0] v=m.v"];
const BOTH: &[&str] =
    &["p", "p m", "q", "q m=m", "q m w=m", "q l.[0] v=m.v w=@root.m", "q w=this m=m", "i", "i m x=v"];

#[test]
fn records_of_random_templates_are_correct() {
    let mut author = RandomTemplate { state: 1, partials: &[""] };
    let data = values(4, &mut 0);
    let mut sources = Sources::default();
    let names = ["t", "p", "q", "i", "v"].map(|name| sources.add(name));
    let [main, p, q, i, shared] = names;
    let mut node = Node::from_json(&data, Origin::point(shared, 1, 1));
    let mut lines = HashMap::new();
    number(&mut node, &mut lines);
    let (mut printed, mut known, mut ran) = (0, 0, 0);
    for _ in 0..600 {
        let mut texts: BTreeMap<SourceId, String> = [(p, 2, NONE), (q, 2, P), (main, 3, BOTH)]
            .map(|(id, depth, partials)| {
                author.partials = partials;
                (id, author.template(depth))
            })
            .into();
        texts.insert(i, "{{v}} {{#if m}}{{m.v}}{{/if}}\n".to_owned());
        let new_partial = |id: SourceId| PartialTemplate { source: id, text: texts[&id].clone() };
        let partials = BTreeMap::from([
            ("p".to_owned(), new_partial(p)),
            ("q".to_owned(), new_partial(q)),
            ("i".to_owned(), new_partial(i)),
        ]);
        let entries = |data: &Json| {
            let mut entries = EntryOrigins::default();
            entries.add(data, &node, None);
            entries
        };
        let Ok(mut engine) = TemplateEngine::new(partials, data.clone(), Some(entries)) else { continue };
        let Ok(prepared) = engine.prepare(main, &texts[&main]) else { continue };
        let Ok(rendered) = engine.render(prepared, &texts[&main]) else { continue };
        let (more_printed, more_known) = check(&rendered, &texts, &lines);
        (printed, known, ran) = (printed + more_printed, known + more_known, ran + 1);
    }
    assert!(ran > 100 && known * 10 > printed * 5, "{ran} templates, {known} of {printed}");
}
