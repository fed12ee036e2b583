use proptest::prelude::*;

use super::*;

fn kind(source: &str) -> (usize, GrammarErrorKind) {
    let error = Text::parse(source).expect_err("an error");
    (error.offset, error.kind)
}

fn only(source: &str) -> Placeholder {
    match Text::parse(source).expect("well formed").parts() {
        [Part::Placeholder(placeholder)] => placeholder.clone(),
        _ => panic!("not one placeholder: {source}"),
    }
}

/// Literal parts in brackets, references in braces.
fn shape(source: &str) -> String {
    let text = Text::parse(source).expect("well formed");
    text.parts()
        .iter()
        .map(|part| match part {
            Part::Literal(text) => format!("[{}]", text.as_str()),
            Part::Placeholder(placeholder) => format!("{{{}}}", placeholder.reference),
        })
        .collect()
}

#[test]
fn what_is_a_placeholder_and_what_is_text() {
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
fn errors_say_what_and_where() {
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
    let many = format!("<a:b{}>", " | trim".repeat(17));
    assert_eq!(kind(&many).1, K::TooManyModifiers(16));
    assert!(kind("<a:b | nope>").1.hint().contains("`jsonPath`"));
    assert!(kind("<a:b").1.hint().contains("<<name:"));
}

#[test]
fn modifiers_and_their_arguments() {
    let modifiers = |source: &str| only(source).modifiers;
    let default = |text: &str| vec![Modifier::Default(text.into())];
    assert!(modifiers("<a:b|base64|base64encode>") == [Modifier::Base64, Modifier::Base64]);
    assert!(modifiers("<a:b | sha256 | sha256sum>") == [Modifier::Sha256, Modifier::Sha256]);
    assert!(
        modifiers("<a:b | base64decode | urlencode | json | trim>")
            == [Modifier::Base64Decode, Modifier::UrlEncode, Modifier::Json, Modifier::Trim]
    );
    assert!(modifiers("<a:b | indent 0 | indent 100>") == [Modifier::Indent(0), Modifier::Indent(100)]);
    assert!(modifiers("<a:b | default x>") == default("x"));
    assert!(modifiers("<a:b | default ''>") == default(""));
    assert!(modifiers(r#"<a:b | default "a | <b:c> \"\\\n\t\r'" >"#) == default("a | <b:c> \"\\\n\t\r'"));
    assert!(modifiers(r"<a:b | default 'it''s \n > |'>") == default(r"it's \n > |"));
    assert!(only("<a:b#k | trim>").reference.key.as_deref() == Some("k"));
}

#[test]
fn json_path_templates_name_one_value() {
    let json = r#"{"a":{"b":"x y","a.b":1},"n":10000000000000000000001,"f":1.10,"t":true,"z":null,
        "items":[{"x":"0"},{"x":"1"}],"o":{ "k" : [ 1, "a b\" c" ] },"d":1,"d":2,"e\u0301":"é"}"#;
    let select =
        |path: &str| JsonPath::parse(path).expect("a template").select(json).map(|text| text.to_string());
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
    let all = JsonPath::parse("{$}").expect("a template");
    assert_eq!(all.select("[ 1 ]").map(|text| text.to_string()).as_deref(), Ok("[1]"));
    assert_eq!(all.select("nope").err(), Some(SelectError::NotJson));
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert_eq!(all.select(&deep).map(|text| text.len()), Ok(200_000));
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
        assert!(JsonPath::parse(path).is_err(), "{path}");
    }
}

#[test]
fn suspects_are_closed_and_known() {
    let known = |name: &str| name == "file" || name == "path";
    let found =
        |text: &str| suspects(text, false, known).map(|range| (range.start, range.end)).collect::<Vec<_>>();
    assert_eq!(found("a <file:x#y> <soap:z> <<file:x>"), [(2, 3), (22, 24)]);
    assert_eq!(found("<file:x"), []);
    assert_eq!(found("<file:x\n>"), []);
    assert_eq!(found("<file: >"), []);
    assert_eq!(found("<file:<file:x>"), [(6, 7)]);
    assert_eq!(found("/users/<path:rest>"), []);
    assert_eq!(found("<path:a#b>"), [(0, 1)]);
}

#[test]
fn hostile_texts_take_linear_time() {
    for unit in ["<", "<a", "<a:b", "<<a:b", "<a:b>", "<a:b|", "<a:b | default '"] {
        let _ = Text::parse(&unit.repeat(200_000));
        let _ = Text::parse_generic(&unit.repeat(200_000), &generic());
        let _ = suspects(&unit.repeat(200_000), true, |_| true).count();
    }
}

fn field() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9äß/._$'\"-]([a-zA-Z0-9ä€ :/._'\"\\\\-]{0,8}[a-zA-Z0-9/.'\"-])?"
}

fn modifier() -> impl Strategy<Value = Modifier> {
    prop_oneof![
        Just(Modifier::Base64),
        Just(Modifier::Base64Decode),
        "[ -~\n\t\rä€]{0,10}".prop_map(Modifier::Default),
        (0usize..=100).prop_map(Modifier::Indent),
        Just(Modifier::Json),
        Just(Modifier::JsonPath(JsonPath::parse("{.a['b \"c|>']}{'x'}").expect("a template"))),
        Just(Modifier::Sha256),
        Just(Modifier::Trim),
        Just(Modifier::UrlEncode),
    ]
}

fn placeholder() -> impl Strategy<Value = Part> {
    let reference =
        ("[a-z][a-z0-9-]{0,5}", field(), prop::option::of(field()), prop::option::of(field())).prop_map(
            |(provider, path, key, version)| Reference { provider: provider.into(), path, key, version },
        );
    (reference, prop::collection::vec(modifier(), 0..4))
        .prop_map(|(reference, modifiers)| Part::Placeholder(Placeholder { reference, modifiers }))
}

fn text() -> impl Strategy<Value = Text> {
    let literal = prop_oneof![".{1,6}", "(<|<<|a|b:|f:|>|\n| ){1,8}"];
    prop::collection::vec((prop::option::of(literal), placeholder()), 0..4).prop_flat_map(|pairs| {
        prop::option::of("(<|<<|a:b|>|x){1,8}").prop_map(move |last| {
            let mut parts = Vec::new();
            for (literal, placeholder) in pairs.clone() {
                parts.extend(literal.map(|text| Part::Literal(Zeroizing::new(text))));
                parts.push(placeholder);
            }
            parts.extend(last.map(|text| Part::Literal(Zeroizing::new(text))));
            Text { parts }
        })
    })
}

proptest! {
    #[test]
    fn writing_and_parsing_is_the_identity(text in text()) {
        let source = text.to_source();
        let parsed = Text::parse(&source);
        prop_assert!(parsed.is_ok_and(|parsed| parsed == text), "{}", source.as_str());
    }

    #[test]
    fn what_is_written_is_canonical(text in text()) {
        let source = text.to_source().to_string();
        let again = Text::parse(&source).ok().map(|text| text.to_source().to_string());
        prop_assert_eq!(again, Some(source));
    }

    #[test]
    fn no_text_panics(source in "(<|<<|>|#|\\||'|\"|\\\\|[a-z]{1,3}:| |\n|ä|😀|trim|default|jsonPath|\\{|\\}|\\[|\\]|\\.|\\PC){0,30}") {
        match Text::parse(&source) {
            Ok(text) => {
                let again = Text::parse(&text.to_source());
                prop_assert!(again.is_ok_and(|again| again == text));
            }
            Err(error) => prop_assert!(source.is_char_boundary(error.offset)),
        }
        let _ = suspects(&source, true, |_| true).count();
    }

    #[test]
    fn no_json_path_panics(path in "[{}\\[\\].'\"\\\\a0$@*-]{0,20}", json in "[{}\\[\\]:,\"a0]{0,20}") {
        if let Ok(path) = JsonPath::parse(&path) {
            let _ = path.select(&json);
            let _ = path.select(r#"{"a":[{"a":0}]}"#);
        }
    }
}

// Proptest shows what failed. Outside of tests these have no `Debug`.
impl fmt::Debug for Modifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Text { parts: vec![self.clone()] }.to_source())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_source())
    }
}

fn generic() -> Generic {
    Generic::new("team/db", Some("2")).expect("a path")
}

#[test]
fn in_an_object_with_a_path_keys_are_placeholders() {
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
        let text = Text::parse_generic(source, &generic()).expect("well formed");
        let shape: String = text
            .parts()
            .iter()
            .map(|part| match part {
                Part::Literal(text) => format!("[{}]", text.as_str()),
                Part::Placeholder(placeholder) => format!("{{{}}}", placeholder.reference),
            })
            .collect();
        assert_eq!(shape, expected, "{source}");
        assert!(Text::parse(&text.to_source()).expect("well formed") == text, "{source}");
    }
}

#[test]
fn what_is_no_key_is_not_quoted() {
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
        let error = Text::parse_generic(source, &generic()).expect_err("an error");
        assert_eq!((error.offset, error.kind), (offset, expected), "{source:?}");
    }
    for (path, version) in
        [("", None), ("a#b", None), ("<a>", None), ("a\n", None), ("a", Some("")), ("a", Some("b|c"))]
    {
        assert!(Generic::new(path, version).is_err(), "{path:?} {version:?}");
    }
}

#[test]
fn bare_json_paths_hold_spaces() {
    for (source, expected) in [
        ("<a:b | jsonPath {.a} \t {.b}>", "{.a} {.b}"),
        ("<a:b | jsonPath {.a}{' '}{.b} | trim>", "{.a}{' '}{.b}"),
        ("<a:b | jsonPath \"{.a}{'  '}{.b}\">", "{.a}{'  '}{.b}"),
        ("<a:b | jsonParse>", "{@}"),
    ] {
        match &only(source).modifiers[0] {
            Modifier::JsonPath(path) => assert_eq!(path.source(), expected, "{source}"),
            other => panic!("{} in {source}", other.name()),
        }
    }
    assert_eq!(kind("<a:b | jsonParse x>").0, 7);
    assert!(JsonPath::parse(&"{.a}".repeat(32)).is_ok() && JsonPath::parse(&"{.a}".repeat(33)).is_err());
    assert!(JsonPath::parse(&format!("{{{}}}", ".a".repeat(33))).is_err());
}

proptest! {
    #[test]
    fn generic_texts_make_the_round_trip(source in "(<|>|a|b:|path:x#y|\\|| |trim|\n|#|\"|'|jsonPath|\\{\\.a\\}|\u{e4}){0,16}") {
        if let Ok(text) = Text::parse_generic(&source, &generic()) {
            prop_assert!(Text::parse(&text.to_source()).ok() == Some(text));
        }
    }
}
