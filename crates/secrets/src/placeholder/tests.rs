use proptest::prelude::*;

use super::json_path::JsonSelection;
use super::*;
use crate::values::KeyPath;

fn kind(source: &str) -> (usize, GrammarErrorKind) {
    let error = PlaceholderText::parse(source).expect_err("an error");
    (error.offset, error.kind)
}

fn parse_single(source: &str) -> Placeholder {
    match PlaceholderText::parse(source).expect("well formed").parts() {
        [TextPart::Placeholder(placeholder)] => placeholder.clone(),
        _ => panic!("not one placeholder: {source}"),
    }
}

/// Returns the literal parts in brackets and the references in braces.
fn shape(source: &str) -> String {
    let text = PlaceholderText::parse(source).expect("well formed");
    text.parts()
        .iter()
        .map(|part| match part {
            TextPart::Literal(text) => format!("[{}]", text.as_str()),
            TextPart::Placeholder(placeholder) => format!("{{{}}}", placeholder.reference),
        })
        .collect()
}

#[test]
fn placeholders_and_literal_text() {
    for (source, expected) in [
        ("", ""),
        ("plain", "[plain]"),
        ("<html>", "[<html>]"),
        ("a < b", "[a < b]"),
        ("<-", "[<-]"),
        ("</x:y>", "[</x:y>]"),
        ("<Foo:bar>", "[<Foo:bar>]"),
        ("<1:2>", "[<1:2>]"),
        ("<-a:b>", "[<-a:b>]"),
        ("<:b>", "[<:b>]"),
        ("< file:x>", "[< file:x>]"),
        ("<file", "[<file]"),
        ("<file x:y>", "[<file x:y>]"),
        ("<<EOF", "[<<EOF]"),
        ("<http://example.org>", "{http://example.org}"),
        ("<file:x>", "{file:x}"),
        ("<file:x#y>", "{file:x#y}"),
        ("<file:x#y#3>", "{file:x#y#3}"),
        ("<file:x##3>", "{file:x##3}"),
        ("< <file:x>", "[< ]{file:x}"),
        ("<file: a/b.yaml # k y #\tv >", "{file:a/b.yaml#k y#v}"),
        ("<file:x:y>", "{file:x:y}"),
        (
            "<aws-sm:arn:aws:secretsmanager:eu-west-1:1:secret:a-b#u>",
            "{aws-sm:arn:aws:secretsmanager:eu-west-1:1:secret:a-b#u}",
        ),
        ("pg://<a:b#u>:<a:b#p | urlencode>@h/d>", "[pg://]{a:b#u}[:]{a:b#p}[@h/d>]"),
        ("<a:b><c:d>", "{a:b}{c:d}"),
        ("<<file:x#y>", "[<file:x#y>]"),
        ("<<<file:x#y>", "[<]{file:x#y}"),
        ("<<<<file:x#y>", "[<<file:x#y>]"),
        ("<<<<<file:x#y>", "[<<]{file:x#y}"),
        ("a<<file:x b<c:d>e", "[a<file:x b]{c:d}[e]"),
        ("ä€😀<a:ä€😀>ä", "[ä€😀]{a:ä€😀}[ä]"),
    ] {
        assert_eq!(shape(source), expected, "{source}");
    }
}

#[test]
fn errors_have_kind_and_offset() {
    use GrammarErrorKind as K;
    for (source, offset, expected) in [
        ("<file:abc", 0, K::NotClosed),
        ("ä <file:abc", 3, K::NotClosed),
        ("<file:abc\n>", 0, K::NotClosed),
        ("<file:abc\r\n>", 0, K::NotClosed),
        ("<a:b <c:d>", 0, K::NotClosed),
        ("<a:b#c<d>", 0, K::NotClosed),
        ("<a:b | trim", 0, K::NotClosed),
        ("<a:b | default <x>>", 0, K::NotClosed),
        ("<<<file:abc", 2, K::NotClosed),
        ("<a:>", 3, K::Empty("path")),
        ("<a: \t>", 3, K::Empty("path")),
        ("<a:#b>", 3, K::Empty("path")),
        ("<a:b#>", 5, K::Empty("key")),
        ("<a:b# | trim>", 5, K::Empty("key")),
        ("<a:b##>", 6, K::Empty("version")),
        ("<a:b#c# >", 7, K::Empty("version")),
        ("<a:b#c#d#e>", 8, K::TooManyFields),
        ("<a:b\0c>", 4, K::ControlCharacter("path")),
        ("<a:b#\u{85}>", 5, K::ControlCharacter("key")),
        ("<a:b#c#\u{1b}>", 7, K::ControlCharacter("version")),
        ("<a:b | default x\u{7}>", 16, K::ControlCharacter("argument")),
        ("<a:b |>", 6, K::MissingModifier),
        ("<a:b | | trim>", 7, K::MissingModifier),
        ("<a:b | 'x'>", 7, K::MissingModifier),
        ("<a:b | nope>", 7, K::UnknownModifier("nope".into())),
        ("<a:b | Trim>", 7, K::UnknownModifier("Trim".into())),
        ("<a:b | trim x>", 7, K::WrongArgumentCount { modifier: "trim", wanted: "no argument", got: 1 }),
        ("<a:b | default>", 7, K::WrongArgumentCount { modifier: "default", wanted: "one argument", got: 0 }),
        (
            "<a:b | default a b>",
            7,
            K::WrongArgumentCount { modifier: "default", wanted: "one argument", got: 2 },
        ),
        ("<a:b | default \"x>", 15, K::QuoteNotClosed("default".into())),
        ("<a:b | default 'x\n'>", 15, K::QuoteNotClosed("default".into())),
        ("<a:b | default \"\\q\">", 16, K::UnknownEscape("default".into())),
    ] {
        assert_eq!(kind(source), (offset, expected), "{source:?}");
    }
    for source in [
        "<a:b | indent x>",
        "<a:b | indent -1>",
        "<a:b | indent +1>",
        "<a:b | indent 101>",
        "<a:b | indent ''>",
    ] {
        assert!(matches!(kind(source).1, K::BadArgument { modifier: "indent", .. }), "{source}");
    }
    assert!(kind("<a:b | nope>").1.hint().contains("`jsonPath`"));
    assert!(kind("<a:b").1.hint().contains("<<name:"));
}

fn decoders(all: &[Decoder]) -> Decoders {
    let mut decoders = Decoders::default();
    for decoder in all {
        decoders.push(decoder.clone()).expect("one of each");
    }
    decoders
}

#[test]
fn modifiers_and_their_arguments() {
    let modifiers = |source: &str| parse_single(source).modifiers;
    let encoder = |encoder: Encoder| Modifiers { encoder: Some(encoder), ..Modifiers::default() };
    let default = |text: &str| Modifiers { default: Some(text.into()), ..Modifiers::default() };
    assert!(modifiers("<a:b|base64encode>") == encoder(Encoder::Base64));
    assert!(modifiers("<a:b | sha256sum>") == encoder(Encoder::Sha256));
    let all = Modifiers {
        decoders: decoders(&[Decoder::Base64Decode, Decoder::YamlParse, Decoder::Trim]),
        default: Some("x".into()),
        encoder: Some(Encoder::UrlEncode),
    };
    assert!(modifiers("<a:b | base64decode | yamlParse | trim | default x | urlencode>") == all);
    assert!(modifiers("<a:b | indent 0>") == encoder(Encoder::Indent(0)));
    assert!(modifiers("<a:b | indent 100>") == encoder(Encoder::Indent(100)));
    assert!(modifiers("<a:b | default x>") == default("x"));
    assert!(modifiers("<a:b | default ''>") == default(""));
    assert!(modifiers(r#"<a:b | default "a | <b:c> \"\\\n\t\r'" >"#) == default("a | <b:c> \"\\\n\t\r'"));
    assert!(modifiers(r"<a:b | default 'it''s \n > |'>") == default(r"it's \n > |"));
    assert!(parse_single("<a:b#k | trim>").reference.key.as_deref() == Some("k"));
}

#[test]
fn pipelines_have_one_fixed_form() {
    use Misplacement as M;

    for allowed in [
        "trim | base64decode",
        "base64decode | trim",
        "jsonPath {.a} | base64decode | trim | default x | json",
        "jsonParse | jsonPath {.a}",
        "yamlParse | jsonPath {.a} | default x | indent 2",
        "default x | jsonPath {.a}{':'}{.b}",
        "base64decode | sha256",
    ] {
        assert!(PlaceholderText::parse(&format!("<a:b | {allowed}>")).is_ok(), "{allowed}");
    }
    let after = M::AfterEncoder;
    for (refused, modifier, why) in [
        // The attacks that free composition would allow: hashing a value and measuring the hash repeatedly.
        ("sha256 | base64decode | urlencode", "base64decode", after("sha256")),
        ("sha256 | sha256", "sha256", after("sha256")),
        ("sha256 | urlencode", "urlencode", after("sha256")),
        // A document built around the value, and a guess looked up in it.
        (
            "json | jsonPath '{\"{\\\"\"}{$}{\"\\\":1}\"}' | jsonPath {.x} | default no",
            "jsonPath",
            after("json"),
        ),
        ("jsonPath '{\"{\"}{$}{\":1}\"}' | jsonPath {.x} | default no", "jsonPath", after("jsonPath")),
        ("jsonPath x{.a} | trim", "trim", after("jsonPath")),
        ("jsonPath {.a}{.b} | default x", "default", after("jsonPath")),
        ("jsonPath {.a}{.b} | jsonPath {.a}{.b}", "jsonPath", after("jsonPath")),
        // An encoder that is not last, and two encoders.
        ("base64 | base64decode", "base64decode", after("base64")),
        ("base64 | default x", "default", after("base64")),
        ("urlencode | json", "json", after("urlencode")),
        ("json | trim", "trim", after("json")),
        ("indent 2 | yamlParse", "yamlParse", after("indent")),
        // The result of `default` is not decoded.
        ("default x | trim", "trim", M::AfterDefault),
        ("default x | base64decode", "base64decode", M::AfterDefault),
        ("default '{}' | jsonPath {.a}", "jsonPath", M::AfterDefault),
        ("default a | default b", "default", M::Repeated),
        // Each repetition would reveal one more bit about the value.
        ("base64decode | base64decode", "base64decode", M::Repeated),
        ("base64decode | trim | base64decode", "base64decode", M::Repeated),
        ("trim | trim", "trim", M::Repeated),
        ("yamlParse | yamlParse", "yamlParse", M::Repeated),
        ("jsonPath {.a} | jsonPath {.b}", "jsonPath", M::Repeated),
        ("jsonParse | jsonPath {$}", "jsonParse", M::Repeated),
    ] {
        let (_, error) = kind(&format!("<a:b | {refused}>"));
        assert_eq!(error, GrammarErrorKind::Misplaced { modifier, why }, "{refused}");
        assert!(error.hint().contains("then `default`, then one encoder"), "{}", error.hint());
        let generic = PlaceholderText::parse_generic(&format!("<b | {refused}>"), &generic());
        assert!(
            generic.is_err_and(|error| matches!(error.kind, GrammarErrorKind::Misplaced { .. })),
            "{refused}"
        );
    }
}

#[test]
fn json_path_templates_select_one_value() {
    let json = r#"{"a":{"b":"x y","a.b":1},"n":10000000000000000000001,"f":1.10,"t":true,"z":null,
        "items":[{"x":"0"},{"x":"1"}],"o":{ "k" : [ 1, "a b\" c" ] },"d":1,"d":2,"e\u0301":"é"}"#;
    let select = |path: &str| {
        select_in(&json_path::parse(path).expect("a template"), json).map(|text| text.to_string())
    };
    for (path, expected) in [
        ("{.a.b}", "x y"),
        ("{.n}", "10000000000000000000001"),
        ("{.f}", "1.10"),
        ("{.t}", "true"),
        ("{.items[0].x}{':'}{.items[-1].x}", "0:1"),
        ("{['a']['a.b']}", "1"),
        ("{.a.a\\.b}", "1"),
        ("{.o}", r#"{"k":[1,"a b\" c"]}"#),
        ("{.o.k}", r#"[1,"a b\" c"]"#),
        ("{$.a.b}", "x y"),
        ("{@.a.b}", "x y"),
        ("v={ .t } ", "v=true "),
        ("{.['t']}", "true"),
    ] {
        assert_eq!(select(path).as_deref(), Ok(expected), "{path}");
    }
    for path in ["{.q}", "{.a.q}", "{.t.x}", "{.items[2]}", "{.items[-3]}", "{.z}", "{.t[0]}", "{.items.x}"] {
        assert_eq!(select(path), Err(SelectError::Missing), "{path}");
    }
    assert_eq!(select("{.d}"), Err(SelectError::Ambiguous));
    let all = json_path::parse("{$}").expect("a template");
    assert_eq!(select_in(&all, "[ 1 ]").map(|text| text.to_string()).as_deref(), Ok("[1]"));
    assert_eq!(select_in(&all, "nope").err(), Some(SelectError::NotJson));
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert_eq!(select_in(&all, &deep).map(|text| text.len()), Ok(200_000));
    for path in [
        "",
        "a",
        "a.b",
        "{",
        "{}",
        "{.a",
        "{a}",
        "{.a..b}",
        "{.*}",
        "{.a[*]}",
        "{.a[0:1]}",
        "{.a[?(@.b)]}",
        "{range .a[*]}",
        "{'x'}",
        "{.a[}",
        "{.a['}",
        "{.a['x'}",
        "{.a[99999999999999999999]}",
        "{..a}",
        "{.a.}",
    ] {
        assert!(json_path::parse(path).is_err(), "{path}");
    }
}

fn select_in(selection: &JsonSelection, json: &str) -> Result<Zeroizing<String>, SelectError> {
    match selection {
        JsonSelection::Path(path) => path.select(json),
        JsonSelection::Template(template) => template.select(json),
    }
}

#[test]
fn suspects_are_closed_and_have_a_known_provider() {
    let known = |name: &str| name == "file" || name == "path";
    let found = |text: &str| {
        suspected_placeholders(text, false, known).map(|range| (range.start, range.end)).collect::<Vec<_>>()
    };
    assert_eq!(found("a <file:x#y> <soap:z> <<file:x.y>"), [(2, 3), (22, 24)]);
    assert_eq!(found("<file:x"), []);
    assert_eq!(found("<file:x\n>"), []);
    assert_eq!(found("<file: >"), []);
    assert_eq!(found("<file:<file:x.y>"), [(6, 7)]);
    assert_eq!(found("/users/<path:rest>"), []);
    assert_eq!(found("<path:a#b>"), [(0, 1)]);
}

#[test]
fn outside_of_secrets_only_the_form_of_a_reference_counts() {
    let known = |name: &str| ["file", "env", "path", "vault-eu"].contains(&name);
    for text in [
        "<file:shop/db.yaml#password>",
        "x <file:shop/db.yaml> y",
        "<file:db.yaml>",
        "<file:db#password>",
        "<file: db # password >",
        "<file:db##3>",
        "<file:my files/db.yaml#pass word>",
        "<env:DB_PASSWORD>",
        "<vault-eu:shop/db#p | trim>",
        "<path:shop#p>",
        "<<<file:a#b>",
    ] {
        let odd = suspected_placeholders(text, false, known).any(|range| range.len() % 2 == 1);
        assert!(odd, "{text}");
    }
    for text in [
        "<env:Body>",
        "<env:DB PASSWORD>",
        "<env:Body/>",
        "<file:inbound-channel-adapter directory=\"/a/b\" filter=\"#x\"/>",
        "<file:LINE>",
        "<file:line>",
        "<file:line:column>",
        "<file:read the manual. really>",
        "<file:read the # sign>",
        "<file:///etc/hosts>",
        "<path:rest>",
        "<path:rest/of/it>",
        "<path:>",
        "<file:#anchor>",
        "<vault:shop/db#p>",
        "<soap:a/b#c>",
        "<file:a/b",
        "<File:a/b#c>",
        "< file:a/b#c>",
    ] {
        assert_eq!(suspected_placeholders(text, false, known).count(), 0, "{text}");
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    for unit in ["<", "<a", "<a:b", "<<a:b", "<a:b>", "<a:b|", "<a:b | default '"] {
        let _ = PlaceholderText::parse(&unit.repeat(200_000));
        let _ = PlaceholderText::parse_generic(&unit.repeat(200_000), &generic());
        let _ = suspected_placeholders(&unit.repeat(200_000), true, |_| true).count();
    }
}

fn field() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9äß/._$'\"-]([a-zA-Z0-9ä€ :/._'\"\\\\-]{0,8}[a-zA-Z0-9/.'\"-])?"
}

/// Canonical keys, with and without quoted names.
fn key() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        field(),
        "(\"[a-z.\\\\]{1,4}\"|[a-z0-9]{1,3})(\\.(\"[a-z0-9. ]{1,4}\"|[a-z0-9]{1,2})){0,3}",
    ];
    text.prop_filter_map("a key", |text| KeyPath::parse(&text).ok().map(KeyPath::into_canonical))
}

fn decoder() -> impl Strategy<Value = Decoder> {
    let path = |path: &str| match json_path::parse(path) {
        Ok(JsonSelection::Path(path)) => Decoder::JsonPath(path),
        _ => panic!("one path"),
    };
    prop_oneof![
        Just(Decoder::Base64Decode),
        Just(path("{.a['b \"c|>']}")),
        Just(path("{@}")),
        Just(Decoder::Trim),
        Just(Decoder::YamlParse),
    ]
}

fn encoder() -> impl Strategy<Value = Encoder> {
    let template = match json_path::parse("{.a['b \"c|>']}{'x'}") {
        Ok(JsonSelection::Template(template)) => Encoder::JsonTemplate(template),
        _ => panic!("several pieces"),
    };
    prop_oneof![
        Just(Encoder::Base64),
        (0usize..=100).prop_map(Encoder::Indent),
        Just(Encoder::Json),
        Just(template),
        Just(Encoder::Sha256),
        Just(Encoder::UrlEncode),
    ]
}

fn modifiers() -> impl Strategy<Value = Modifiers> {
    let default = prop::option::of("[ -~\n\t\rä€]{0,10}");
    (prop::collection::vec(decoder(), 0..6), default, prop::option::of(encoder())).prop_map(
        |(all, default, encoder)| {
            let mut decoders = Decoders::default();
            for decoder in all {
                // A decoder of this kind may exist already.
                let _ = decoders.push(decoder);
            }
            Modifiers { decoders, default, encoder }
        },
    )
}

fn placeholder() -> impl Strategy<Value = TextPart> {
    let reference = ("[a-z][a-z0-9-]{0,5}", field(), prop::option::of(key()), prop::option::of(field()))
        .prop_map(|(provider, path, key, version)| SecretReference {
            provider: provider.into(),
            path,
            key,
            version,
            all_keys: false,
        });
    (reference, modifiers())
        .prop_map(|(reference, modifiers)| TextPart::Placeholder(Placeholder { reference, modifiers }))
}

fn text() -> impl Strategy<Value = PlaceholderText> {
    let literal = prop_oneof![".{1,6}", "(<|<<|a|b:|f:|>|\n| ){1,8}"];
    prop::collection::vec((prop::option::of(literal), placeholder()), 0..4).prop_flat_map(|pairs| {
        prop::option::of("(<|<<|a:b|>|x){1,8}").prop_map(move |last| {
            let mut parts = Vec::new();
            for (literal, placeholder) in pairs.clone() {
                parts.extend(literal.map(|text| TextPart::Literal(Zeroizing::new(text))));
                parts.push(placeholder);
            }
            parts.extend(last.map(|text| TextPart::Literal(Zeroizing::new(text))));
            PlaceholderText { parts }
        })
    })
}

proptest! {
    #[test]
    fn writing_and_parsing_is_the_identity(text in text()) {
        let source = text.to_source();
        let parsed = PlaceholderText::parse(&source);
        prop_assert!(parsed.is_ok_and(|parsed| parsed == text), "{}", source.as_str());
    }

    #[test]
    fn written_texts_are_canonical(text in text()) {
        let source = text.to_source().to_string();
        let again = PlaceholderText::parse(&source).ok().map(|text| text.to_source().to_string());
        prop_assert_eq!(again, Some(source));
    }

    #[test]
    fn no_text_panics(source in "(<|<<|>|#|\\||'|\"|\\\\|[a-z]{1,3}:| |\n|ä|😀|trim|default|jsonPath|\\{|\\}|\\[|\\]|\\.|\\PC){0,30}") {
        match PlaceholderText::parse(&source) {
            Ok(text) => {
                let again = PlaceholderText::parse(&text.to_source());
                prop_assert!(again.is_ok_and(|again| again == text));
            }
            Err(error) => prop_assert!(source.is_char_boundary(error.offset)),
        }
        let _ = suspected_placeholders(&source, true, |_| true).count();
    }

    #[test]
    fn no_json_path_panics(path in "[{}\\[\\].'\"\\\\a0$@*-]{0,20}", json in "[{}\\[\\]:,\"a0]{0,20}") {
        if let Ok(path) = json_path::parse(&path) {
            let _ = select_in(&path, &json);
            let _ = select_in(&path, r#"{"a":[{"a":0}]}"#);
        }
    }
}

// For proptest's failure messages. Outside tests, these have no `Debug`.
impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Modifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl fmt::Debug for TextPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&PlaceholderText { parts: vec![self.clone()] }.to_source())
    }
}

impl fmt::Debug for PlaceholderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_source())
    }
}

fn generic() -> AvpPath {
    AvpPath::new("team/db", Some("2")).expect("a path")
}

#[test]
fn generic_keys_are_placeholders_in_objects_with_a_path() {
    for (source, expected) in [
        ("<a>", "{path:team/db#a#2}"),
        ("< a b >", "{path:team/db#a b#2}"),
        ("x<a|trim>y<b | default \"<c>\">", "[x]{path:team/db#a#2}[y]{path:team/db#b#2}"),
        ("<path:x#y>< file:z>", "{path:x#y}{file:z}"),
        ("a < b <c>", "[a < b ]{path:team/db#c#2}"),
        ("<a\n>", "[<a\n>]"),
        ("<> < > <", "[<> < > <]"),
        ("<<a> <<<a>", "[<a> <]{path:team/db#a#2}"),
        ("<<EOF\nx", "[<<EOF\nx]"),
        ("<Foo:bar>", "{path:team/db#Foo:bar#2}"),
    ] {
        let text = PlaceholderText::parse_generic(source, &generic()).expect("well formed");
        let shape: String = text
            .parts()
            .iter()
            .map(|part| match part {
                TextPart::Literal(text) => format!("[{}]", text.as_str()),
                TextPart::Placeholder(placeholder) => format!("{{{}}}", placeholder.reference),
            })
            .collect();
        assert_eq!(shape, expected, "{source}");
        assert!(PlaceholderText::parse(&text.to_source()).expect("well formed") == text, "{source}");
    }
}

#[test]
fn errors_do_not_quote_invalid_keys() {
    use GrammarErrorKind as K;
    for (source, offset, expected) in [
        ("a<b=\"c\">", 2, K::NotAKey),
        ("<a#b>", 1, K::NotAKey),
        ("</a>x<!-- -->", 6, K::NotAKey),
        ("< a\0 >", 2, K::NotAKey),
        ("p<w|s3cret>", 4, K::MissingModifier),
        ("sort <in | uniq", 11, K::MissingModifier),
        ("<a | trim", 0, K::NotClosed),
    ] {
        let error = PlaceholderText::parse_generic(source, &generic()).expect_err("an error");
        assert_eq!((error.offset, error.kind), (offset, expected), "{source:?}");
    }
    for (path, version) in
        [("", None), ("a#b", None), ("<a>", None), ("a\n", None), ("a", Some("")), ("a", Some("b|c"))]
    {
        assert!(AvpPath::new(path, version).is_err(), "{path:?} {version:?}");
    }
}

#[test]
fn bare_json_paths_may_contain_spaces() {
    for (source, expected) in [
        ("<a:b | jsonPath {.a} \t {.b}>", "{.a} {.b}"),
        ("<a:b | jsonPath {.a}{' '}{.b} >", "{.a}{' '}{.b}"),
        ("<a:b | jsonPath \"{.a}{'  '}{.b}\">", "{.a}{'  '}{.b}"),
        ("<a:b | jsonParse>", "{@}"),
        ("<a:b | jsonPath { .a } | trim>", "{ .a }"),
    ] {
        let modifiers = parse_single(source).modifiers;
        let found = match (modifiers.decoders.as_slice(), &modifiers.encoder) {
            ([Decoder::JsonPath(path), ..], _) => path.source(),
            (_, Some(Encoder::JsonTemplate(template))) => template.source(),
            _ => panic!("no template in {source}"),
        };
        assert_eq!(found, expected, "{source}");
    }
    assert_eq!(kind("<a:b | jsonParse x>").0, 7);
    assert!(json_path::parse(&"{.a}".repeat(32)).is_ok() && json_path::parse(&"{.a}".repeat(33)).is_err());
    assert!(json_path::parse(&format!("{{{}}}", ".a".repeat(33))).is_err());
}

proptest! {
    #[test]
    fn generic_texts_round_trip(source in "(<|>|a|b:|path:x#y|\\|| |trim|\n|#|\"|'|jsonPath|\\{\\.a\\}|\u{e4}){0,16}") {
        if let Ok(text) = PlaceholderText::parse_generic(&source, &generic()) {
            prop_assert!(PlaceholderText::parse(&text.to_source()).ok() == Some(text));
        }
    }
}

#[test]
fn r18_keys_have_one_canonical_text_and_malformed_ones_are_errors() {
    let key = |source: &str| -> Result<String, GrammarError> {
        let text = PlaceholderText::parse(source)?;
        let reference = text.references().next().expect("one").clone();
        let again = PlaceholderText::parse(&text.to_source()).expect("well formed");
        assert_eq!(again.references().next(), Some(&reference), "{source}");
        Ok(reference.key.unwrap_or_default())
    };
    for (source, expected) in [
        ("<file:x#a.b>", "a.b"),
        ("<file:x#\"a.b\">", "\"a.b\""),
        ("<file:x# \"a\" >", "a"),
        ("<file:x#\"a\".\"b\"#2>", "\"a\".b"),
        ("<file:x#\"a b\" | trim>", "a b"),
        ("<k8s:x#.dockerconfigjson>", ".dockerconfigjson"),
        ("<file:x#a..b>", "a..b"),
        ("<aws-sm:rds!db-12#password>", "password"),
    ] {
        assert_eq!(key(source).as_deref(), Ok(expected), "{source}");
    }
    let long = format!("<file:x#{}>", "a".repeat(10 << 10));
    let deep = format!("<file:x#\"a\"{}>", ".b".repeat(40));
    for source in [
        "<file:x#\">",
        "<file:x#\"\">",
        "<file:x#\"a>",
        "<file:x#\"a\"b>",
        "<file:x#\"a\".>",
        "<file:x#a.\"b>",
        "<file:x#\"a\\n\">",
        &long,
        &deep,
    ] {
        let error = key(source).expect_err(source);
        assert!(matches!(error.kind, GrammarErrorKind::Key(_)), "{source:.30}: {error}");
        assert!(!error.kind.hint().is_empty());
    }
    // Quotes do not protect the delimiters of a placeholder.
    for source in [
        "<file:x#\"a|b\">",
        "<file:x#\"a>b\">",
        "<file:x#\"a#b\">",
        "<file:x#\"a\nb\">",
        "<file:x#\"a\u{7}\">",
    ] {
        assert!(key(source).is_err(), "{source}");
    }
}

#[test]
fn r18_quoted_keys_are_found_outside_of_secrets() {
    let seen =
        |text: &str| suspected_placeholders(text, false, |name| name == "file" || name == "svg").count();
    for text in ["<file:a.yaml#\"x.y\">", "<file:a.yaml#\"x.y\".z#2>", "<file:a#\"x=y\">"] {
        assert_eq!(seen(text), 1, "{text}");
    }
    for text in ["<svg:use href=\"#a\"/>", "<svg:rect id='a#b'>", "<file:a#\"x\"y>", "<file:a#b=c>"] {
        assert_eq!(seen(text), 0, "{text}");
    }
}
