use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::*;

struct NoTypes;

impl TypeSource for NoTypes {
    fn field(&self, _: TypeId, _: &str) -> FieldType {
        FieldType::Unknown
    }

    fn element(&self, _: TypeId) -> Option<TypeId> {
        None
    }

    fn is_list(&self, _: TypeId) -> bool {
        false
    }
}

fn value(json: &Json) -> CelValue {
    match json {
        Json::Null => CelValue::Null,
        Json::Bool(flag) => CelValue::Bool(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(number) => CelValue::Int(number),
            None => CelValue::Double(number.as_f64().unwrap()),
        },
        Json::String(text) => CelValue::text(text.as_str()),
        Json::Array(items) => CelValue::list(items.iter().map(value).collect()),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, entry)| (key.as_str().into(), value(entry)));
            CelValue::map(entries.collect(), MapKind::Data)
        }
    }
}

fn budget() -> CelBudget {
    let mut budget = CelBudget::default();
    budget.start_object();
    budget
}

/// Returns the result in the vocabulary of the vectors.
fn result(source: &str, variables: &[(&str, CelValue)]) -> &'static str {
    let program = match CelProgram::compile(source) {
        Ok(program) => program,
        Err(SyntaxError { problem: Some(_), .. }) => return "refused",
        Err(_) => return "unknown",
    };
    let names: Vec<_> = variables.iter().map(|(name, _)| (*name, None)).collect();
    if program.check_names(&names, &NoTypes).is_some() {
        return "refused";
    }
    match program.evaluate(variables, &mut budget()) {
        Ok(CelValue::Bool(true)) => "true",
        Ok(CelValue::Bool(false)) => "false",
        Ok(_) => "value",
        Err(EvalStop::Fault(_)) => "error",
        Err(EvalStop::TooMuch | EvalStop::Unknown) => "unknown",
    }
}

/// The expected results come from cel-go 0.26 with the libraries of Kubernetes 1.36.
#[test]
fn results_match_the_api_server() {
    let own = json!({
        "s": "Hello.World-1", "e": "", "i": 5, "n": -3, "d": 2.5, "b": true, "l": [1, 2, 3], "t": ["a", "b", "a"],
        "m": {"a": 1, "b": "x"}, "o": [{"name": "x", "port": 80}, {"name": "y"}],
    });
    let variables = [("self", value(&own))];
    let (mut sure, mut unknown, mut wrong) = (0, 0, Vec::new());
    for line in include_str!("../../../../testdata/cel/expressions.jsonl").lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let (source, wanted) = (case["expression"].as_str().unwrap(), case["result"].as_str().unwrap());
        let found = result(source, &variables);
        match found {
            "unknown" if wanted != "refused" => unknown += 1,
            // Types are not checked, so an expression that the API server refuses may have a result.
            _ if wanted == "refused" || found == wanted => sure += 1,
            _ => wrong.push(format!("{source}: {found}, not {wanted}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(sure > 700 && unknown < 60, "{sure} results, {unknown} unknown");
}

#[test]
fn refused_expressions_are_refused_by_the_api_server() {
    for line in include_str!("../../../../testdata/cel/expressions.jsonl").lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let source = case["expression"].as_str().unwrap();
        if case["result"] != "refused" {
            assert_ne!(result(source, &[("self", CelValue::Unknown)]), "refused", "{source}");
        }
    }
}

#[test]
fn unknown_values_make_the_result_unknown_unless_irrelevant() {
    let entries = [("a", CelValue::Unknown), ("o", CelValue::Opaque), ("t", CelValue::Bool(true))];
    let own =
        CelValue::map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect(), MapKind::Object);
    let open = CelValue::map([("x".into(), CelValue::Int(1))].into(), MapKind::Partial(&[]));
    let partly = CelValue::map([("x".into(), CelValue::Int(1))].into(), MapKind::Partial(&["other"]));
    let variables = [("self", own), ("open", open), ("partly", partly)];
    for (source, wanted) in [
        ("has(self.a)", "unknown"),
        ("!has(self.a)", "unknown"),
        ("self.a == 1", "unknown"),
        ("self.a.b.c", "unknown"),
        ("has(self.o)", "true"),
        ("self.o == 1", "unknown"),
        ("self.o.b", "unknown"),
        ("[self.o].size() == 1", "unknown"),
        ("self.t || self.a", "true"),
        ("self.a || self.t", "true"),
        ("!self.t && self.a", "false"),
        ("self.a && !self.t", "false"),
        ("self.a && self.t", "unknown"),
        ("self.a ? true : true", "unknown"),
        ("[1, 2].all(x, self.a)", "unknown"),
        ("[1, 2].all(x, self.a && x == 3)", "false"),
        ("[1, 2].exists(x, self.a || x == 2)", "true"),
        ("self == self", "unknown"),
        ("self.?a.hasValue()", "unknown"),
        ("self.a == 1 || 1 / 0 == 1", "unknown"),
        ("1 / 0 == 1 || self.a == 1", "unknown"),
        ("has(open.y)", "unknown"),
        ("has(open.x)", "true"),
        ("open.y == 1", "unknown"),
        ("open == open", "unknown"),
        ("open.all(k, true)", "unknown"),
        ("has(partly.replicas)", "unknown"),
        ("has(partly.other)", "false"),
        ("partly.other == 1", "error"),
        ("'replicas' in partly", "unknown"),
        ("unheard(1)", "unknown"),
        ("self.t.unheard()", "unknown"),
        ("authorizer.group('apps').check('get').allowed()", "unknown"),
    ] {
        assert_eq!(result(source, &variables), wanted, "{source}");
    }
}

#[test]
fn only_undeclared_names_are_found() {
    for (source, wanted) in [
        ("self.a == 1", None),
        ("me.a == 1", Some("me")),
        ("self.all(x, x == y)", Some("y")),
        ("self.all(x, x == 1) && x == 2", Some("x")),
        ("self.map(x, [x].map(x, x)) == []", None),
        ("self.all(i, x, i == x)", None),
        ("type(self) == string || type(self) == google.protobuf.Timestamp", None),
        ("sets.contains(self, [1]) && optional.none().hasValue()", None),
        ("math.greatest(1, 2) == 2", None),
        ("f(other)", Some("other")),
        ("{'a': other}.size() == 1", Some("other")),
        ("has(other.a)", Some("other")),
    ] {
        let program = CelProgram::compile(source).unwrap();
        let found = program.check_names(&[("self", None)], &NoTypes);
        assert_eq!(found.map(|error| error.name), wanted, "{source}");
    }
}

#[test]
fn syntax_errors_have_an_offset() {
    for (source, offset) in
        [("self.a <= ", 10), ("self.a <=", 9), ("(1", 2), ("1 1", 2), ("'abc", 0), ("a ? b", 5)]
    {
        assert_eq!(CelProgram::compile(source).unwrap_err().offset, offset, "{source}");
    }
}

/// Expressions that would otherwise never terminate, or exhaust memory or the stack.
#[test]
fn hostile_expressions_terminate() {
    let list = format!("[{}]", (0..500).map(|number| number.to_string()).collect::<Vec<_>>().join(","));
    let nested = |depth: usize| {
        let opened: Vec<String> = (0..depth).map(|number| format!("{list}.all(v{number}, ")).collect();
        format!("{}true{}", opened.concat(), ")".repeat(depth))
    };
    let doubling = (0..60).fold("'aaaaaaaaaaaaaaaa'".to_owned(), |text, number| {
        format!("[{text}].map(s{number}, s{number} + s{number})[0]")
    });
    let growing = format!("{list}.map(a, {list}.map(b, {list})).size() > 0");
    let joined = format!("{list}.map(a, '{}').join('{}').size() > 0", "x".repeat(1000), "y".repeat(1000));
    let replaced = format!(
        "'{}'.replace('a', '{}').replace('b', '{}').size() > 0",
        "a".repeat(2000),
        "b".repeat(2000),
        "c".repeat(2000)
    );
    let matched = format!("'{}'.matches('(a*)*(a*)*(a*)*(a*)*b')", "a".repeat(20_000));
    let patterns = format!("{list}.all(a, 'x'.matches(string(a) + '((a{{50}}){{20}}){{5}}') || true)");
    let sets = format!("sets.equivalent({list}.map(a, {list}), {list}.map(a, {list}))");
    let start = Instant::now();
    for source in
        [nested(2), nested(3), nested(10), doubling, growing, joined, replaced, matched, patterns, sets]
    {
        let found = result(&source, &[]);
        assert!(found == "true" || found == "false" || found == "unknown", "{found}");
    }
    // With optimization it takes less than a second.
    assert!(start.elapsed() < Duration::from_mins(1), "{:?}", start.elapsed());
}

#[test]
fn hostile_texts_terminate() {
    let many = 10_000;
    for (before, middle, after) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{'a': ", "1", "}"),
        ("!", "true", ""),
        ("-", "1", ""),
        ("f(", "1", ")"),
        ("a.f(", "1", ")"),
        ("true ? true : ", "true", ""),
        ("a[", "1", "]"),
        ("", "a", ".b"),
        ("", "a", "[0]"),
        ("", "a", ".f()"),
        ("1 + ", "1", ""),
        ("1 * ", "1", ""),
        ("1 == ", "1", ""),
        ("a.all(x, ", "true", ")"),
        ("has(a.b) && (", "true", ")"),
    ] {
        // On a small stack, as in a thread.
        let source = format!("{}{middle}{}", before.repeat(many), after.repeat(many));
        let short = format!("{}{middle}{}", before.repeat(110), after.repeat(110));
        std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(move || {
                let _ = result(&source, &[]);
                let _ = result(&short, &[("a", CelValue::Unknown)]);
            })
            .unwrap()
            .join()
            .unwrap();
    }
    for source in ["\\".repeat(5000), "\"".repeat(5001), "r'".repeat(5000), "\u{0}é\u{2028}".to_owned()] {
        assert_eq!(result(&source, &[]), "refused");
    }
    // Chains of `&&` and `||` are flat.
    assert_eq!(result(&vec!["true"; 4000].join(" && "), &[]), "true");
}

#[test]
fn result_types_are_reported_only_if_certain() {
    for (source, expected) in [
        ("object.spec.replicas", ResultType::Dynamic),
        ("object.spec.list[0].name", ResultType::Dynamic),
        ("object.?spec.replicas", ResultType::Unknown),
        ("object.spec.replicas > 1", ResultType::Bool),
        ("!object.spec.paused", ResultType::Bool),
        ("has(object.spec.x)", ResultType::Bool),
        ("object.spec.list.all(x, x > 1)", ResultType::Bool),
        ("true ? 1 : 2", ResultType::Other),
        ("true ? 'a' : null", ResultType::Unknown),
        ("request.dryRun", ResultType::Unknown),
        ("variables.x", ResultType::Unknown),
        ("'a' + 'b'", ResultType::Unknown),
        ("'a'", ResultType::Text),
        ("string(object.x)", ResultType::Text),
        ("object.x.size()", ResultType::Other),
        ("null", ResultType::Null),
        ("-1", ResultType::Other),
        ("[true]", ResultType::Other),
        ("cel.bind(x, 1, x)", ResultType::Unknown),
    ] {
        let program = CelProgram::compile(source).unwrap();
        assert_eq!(program.result_type(&["object"]), expected, "{source}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(source in "[-\\[\\]{}()!?:.,&|+*/%=<>'\"\\\\rbu0-9a-z_ éin]{0,40}") {
        let _ = result(&source, &[("self", value(&json!({"a": [1, "x"], "b": "text"})))]);
    }

    #[test]
    fn no_sequence_of_words_panics(words in proptest::collection::vec(0_usize..24, 0..14)) {
        const WORDS: [&str; 24] = [
            "self", ".", "a", "b", "(", ")", "[", "]", "{", "}", "1", "'x'", "true", "==", "+", "-", "!", "&&", "?",
            ":", "has(", ".all(x,", ".map(x,", "in",
        ];
        let source: String = words.iter().map(|word| WORDS[*word]).collect::<Vec<_>>().join(" ");
        let _ = result(&source, &[("self", value(&json!({"a": [1, "x"], "b": "text"})))]);
    }
}
