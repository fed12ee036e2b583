//! Compares our walk with the crate `jsonschema` on valid and invalid objects of every kind.
//!
//! The objects are generated from the schemas: for each kind the smallest and a large one, and for every part of every
//! type the smallest object that contains it, once valid and once for each way to break it.
//!
//! `SEALWAVE_SCHEMA_DEFINITIONS` names a directory with the upstream definitions (`scripts/schemas --unpack DIR`),
//! which `jsonschema` then uses. Otherwise it uses the pack as JSON Schema, which tests the walk but not the pack.
//!
//! [`DIFFERENCES`] lists intended differences; generated objects avoid them.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests stop at the first surprise, say what they used, and read their own variable"
)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use jsonschema::{Registry, Validator};
use sealwave_core::document::{Node, Origin, Sources};
use sealwave_kube::schema::{CheckOptions, CheckOutcome, KubeVersion, Schemas, ViolationKind};
use serde_json::{Map, Value as Json, json};

/// Checks that only our walk or only JSON Schema has.
const DIFFERENCES: &[(Difference, &str)] = &[
    (Difference::Definition, "what a definition defines must be a schema: those violations do not count"),
    (Difference::Enum, "values that the specifications list in prose: an object takes one of them"),
    (Difference::Format, "formats are annotations to JSON Schema: an object's texts have them"),
    (Difference::Image, "a container needs an image: it has one, which is never taken away"),
    (Difference::ListKeys, "items differ by their keys: a list has one item"),
    (
        Difference::NullOfTwo,
        "null fits both alternatives of an int-or-string, so `oneOf` refuses it: never put there",
    ),
    (
        Difference::Pins,
        "`apiVersion` and `kind` say what an object is: they are not spoiled where they are pinned",
    ),
    (Difference::Quantity, "a quantity has a grammar: an object's quantities follow it"),
    (Difference::Status, "nothing is required in a `status`: nothing is taken away there"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    Definition,
    Enum,
    Format,
    Image,
    ListKeys,
    NullOfTwo,
    Pins,
    Quantity,
    Status,
}

/// Maximum depth of the large object.
const DEPTH: usize = 7;

#[test]
fn both_validators_agree() {
    let middle = KubeVersion::all().nth(KubeVersion::all().len() / 2).unwrap();
    for version in [KubeVersion::OLDEST, middle, KubeVersion::NEWEST] {
        let counts = compare(version);
        eprintln!("{version}: {counts:?}");
        assert!(counts.kinds > 120 && counts.good > 4000 && counts.bad > 10_000, "{version}: {counts:?}");
    }
}

fn compare(version: KubeVersion) -> Counts {
    let schemas = Schemas::new(version);
    let hints = schemas.definitions();
    let truth = std::env::var("SEALWAVE_SCHEMA_DEFINITIONS")
        .ok()
        .filter(|directory| !directory.is_empty())
        .map_or_else(
            || {
                eprintln!("{version}: the pack itself, since SEALWAVE_SCHEMA_DEFINITIONS is not set");
                hints.clone()
            },
            |directory| {
                eprintln!("{version}: upstream's definitions");
                let text = fs_err::read_to_string(format!("{directory}/{version}.json")).unwrap();
                serde_json::from_str(&text).unwrap()
            },
        );
    let registry = Registry::new()
        .add("json-schema:///all", json!({"$defs": truth["$defs"]}))
        .unwrap()
        .prepare()
        .unwrap();
    let (roots, known) = (kinds(&truth), kinds(&hints));
    assert!(roots.keys().eq(known.keys()), "the same kinds are on both sides");
    let mut run = Comparison {
        schemas: &schemas,
        truth: &truth["$defs"],
        hints: &hints["$defs"],
        seen: BTreeSet::new(),
        counts: Counts::default(),
        used: RefCell::default(),
        wrong: Vec::new(),
    };
    for (gvk, name) in &roots {
        let schema = json!({"$ref": format!("json-schema:///all#/$defs/{name}")});
        let validator = jsonschema::options().with_registry(&registry).build(&schema).unwrap();
        run.kind(gvk, name, &known[gvk], &validator);
    }
    assert!(run.wrong.is_empty(), "{version}: {} differ\n{}", run.wrong.len(), run.wrong.join("\n"));
    // The pack does not contain the pins.
    let pins = |difference: &Difference| *difference != Difference::Pins || truth != hints;
    let declared = DIFFERENCES.iter().map(|(difference, _)| *difference).filter(pins);
    assert!(run.used.borrow().iter().copied().eq(declared), "each difference is met, and declared");
    run.counts
}

/// Returns group, version and kind with the definition's name.
fn kinds(definitions: &Json) -> BTreeMap<[String; 3], String> {
    let mut kinds = BTreeMap::new();
    for (name, schema) in definitions["$defs"].as_object().unwrap() {
        for gvk in schema["x-kubernetes-group-version-kind"].as_array().into_iter().flatten() {
            let text = |key: &str| gvk[key].as_str().unwrap().to_owned();
            // Options of requests and events of watches are not objects.
            if !["DeleteOptions", "WatchEvent"].contains(&text("kind").as_str()) {
                kinds.insert([text("group"), text("version"), text("kind")], name.clone());
            }
        }
    }
    kinds
}

#[derive(Debug, Default)]
struct Counts {
    kinds: usize,
    good: usize,
    bad: usize,
}

/// A schema for `jsonschema`, and the pack's for the same position.
#[derive(Clone, Copy)]
struct SchemaPair<'a> {
    truth: &'a Json,
    hint: &'a Json,
    /// The definition that it comes from.
    name: Option<&'a str>,
}

struct Comparison<'a> {
    schemas: &'a Schemas,
    truth: &'a Json,
    hints: &'a Json,
    seen: BTreeSet<String>,
    counts: Counts,
    used: RefCell<BTreeSet<Difference>>,
    wrong: Vec<String>,
}

/// The object around the tested part.
struct EnclosingObject<'v> {
    object: Json,
    validator: &'v Validator,
    path: Vec<String>,
}

impl EnclosingObject<'_> {
    fn pointer(&self) -> String {
        self.path
            .iter()
            .fold(String::new(), |pointer, step| pointer + "/" + &step.replace('~', "~0").replace('/', "~1"))
    }

    fn part(&mut self) -> &mut Json {
        let pointer = self.pointer();
        self.object.pointer_mut(&pointer).unwrap()
    }

    fn in_status(&self) -> bool {
        self.path.first().is_some_and(|step| step == "status")
    }
}

impl<'a> Comparison<'a> {
    fn kind(&mut self, gvk: &[String; 3], name: &'a str, hint: &'a str, validator: &Validator) {
        self.counts.kinds += 1;
        let root = SchemaPair { truth: &self.truth[name], hint: &self.hints[hint], name: Some(name) };
        let [group, version, kind] = gvk;
        let api_version = if group.is_empty() { version.clone() } else { format!("{group}/{version}") };
        let named = |mut object: Json| {
            object["apiVersion"] = api_version.as_str().into();
            object["kind"] = kind.as_str().into();
            object
        };
        let large = named(self.make(root, DEPTH));
        let mut around = EnclosingObject { object: large, validator, path: Vec::new() };
        self.agree(&around, Some(true), "large");
        around.object = named(self.make(root, 0));
        self.seen.insert(name.to_owned());
        self.part(root, &mut around);
    }

    /// Tests one part of an object: valid, broken, and part by part.
    fn part(&mut self, place: SchemaPair<'a>, around: &mut EnclosingObject<'_>) {
        let place = self.resolve(place);
        self.agree(around, Some(true), "good");
        self.spoil(place, around);
        if let Some(name) = place.name
            && !around.path.is_empty()
            && !self.seen.insert(name.to_owned())
        {
            return;
        }
        if let Some(properties) = place.truth["properties"].as_object() {
            for name in properties.keys() {
                let child = self.child(place, name);
                let is_name = around.path.is_empty() && ["apiVersion", "kind"].contains(&name.as_str());
                if !is_name {
                    let value = self.make(child, 0);
                    self.with(name, value, child, around);
                }
            }
            self.without_required(place, around);
        }
        if place.truth["additionalProperties"].is_object() {
            let child = SchemaPair {
                truth: &place.truth["additionalProperties"],
                hint: &place.hint["additionalProperties"],
                name: None,
            };
            let value = self.make(child, 0);
            self.with("a/b~c", value, child, around);
        }
        if place.truth["items"].is_object() {
            let child = SchemaPair { truth: &place.truth["items"], hint: &place.hint["items"], name: None };
            let before = around.part().clone();
            *around.part() = json!([self.make(child, 0)]);
            around.path.push("0".to_owned());
            self.part(child, around);
            around.path.pop();
            *around.part() = before;
        }
    }

    fn with(&mut self, name: &str, value: Json, child: SchemaPair<'a>, around: &mut EnclosingObject<'_>) {
        let before = around.part().clone();
        around.part()[name] = value;
        around.path.push(name.to_owned());
        self.part(child, around);
        around.path.pop();
        *around.part() = before;
    }

    fn spoil(&mut self, place: SchemaPair<'a>, around: &mut EnclosingObject<'_>) {
        let before = around.part().clone();
        let root = around.path.is_empty();
        let types = types(place.truth);
        if !root {
            for wrong in [json!("text"), json!(true), json!(7), json!(7.5), json!({}), json!([])] {
                if !fits(&types, &wrong) {
                    *around.part() = wrong;
                    self.agree(around, Some(types.is_empty()), "type");
                }
            }
            let avoided = if place.truth["oneOf"].is_array() {
                Some(Difference::NullOfTwo)
            } else if place.truth["enum"].is_array() {
                Some(if place.truth == place.hint { Difference::Enum } else { Difference::Pins })
            } else {
                is_image(&around.path).then_some(Difference::Image)
            };
            if !avoided.is_some_and(|difference| self.differs(difference)) {
                *around.part() = Json::Null;
                self.agree(around, None, "null");
            }
        }
        if types.contains("object") {
            *around.part() = before.clone();
            around.part()["unheard"] = json!({"of": 1});
            self.agree(around, None, "unknown");
        }
        *around.part() = before;
    }

    fn without_required(&mut self, place: SchemaPair<'a>, around: &mut EnclosingObject<'_>) {
        let required: Vec<&str> = place.truth["required"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|name| name.as_str().unwrap())
            .collect();
        for name in required {
            let avoided = if around.in_status() {
                Some(Difference::Status)
            } else {
                let path: Vec<String> = around.path.iter().cloned().chain([name.to_owned()]).collect();
                is_image(&path).then_some(Difference::Image)
            };
            if avoided.is_some_and(|difference| self.differs(difference)) {
                continue;
            }
            let before = around.part().clone();
            around.part().as_object_mut().unwrap().remove(name);
            self.agree(around, Some(false), "required");
            *around.part() = before;
        }
    }

    /// Checks that both validators agree, and that they match the expectation if there is one.
    fn agree(&mut self, around: &EnclosingObject<'_>, expected: Option<bool>, what: &str) {
        let theirs = around.validator.is_valid(&around.object);
        let origin = Origin::whole(Sources::default().add("made"));
        let node = Node::from_json(&around.object, origin);
        let mut found = Vec::new();
        let ours = self.schemas.check(&node, CheckOptions::default(), &mut |violation| {
            let is_known = matches!(violation.kind, ViolationKind::Definition(_))
                && self.differs(Difference::Definition);
            if !is_known {
                found.push(violation.to_string());
            }
        });
        *(if theirs { &mut self.counts.good } else { &mut self.counts.bad }) += 1;
        let agree = match ours {
            CheckOutcome::Valid => theirs,
            CheckOutcome::Invalid => found.is_empty() == theirs,
            CheckOutcome::NoSchema => false,
        };
        if (!agree || expected.is_some_and(|expected| expected != theirs)) && self.wrong.len() < 40 {
            let kind = &around.object["kind"];
            let pointer = around.pointer();
            self.wrong.push(format!(
                "{what} at {kind} {pointer}: {ours:?} {found:?}, jsonschema says {theirs}, expected {expected:?}"
            ));
        }
    }

    /// Records an intended difference, which must be declared.
    fn differs(&self, difference: Difference) -> bool {
        self.used.borrow_mut().insert(difference);
        true
    }

    fn child(&self, place: SchemaPair<'a>, name: &str) -> SchemaPair<'a> {
        let _ = self;
        SchemaPair {
            truth: &place.truth["properties"][name],
            hint: &place.hint["properties"][name],
            name: None,
        }
    }

    fn resolve(&self, mut place: SchemaPair<'a>) -> SchemaPair<'a> {
        while let Some(reference) = place.truth["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            place.truth = &self.truth[name];
            place.name = Some(name);
        }
        while let Some(reference) = place.hint["$ref"].as_str() {
            place.hint = &self.hints[reference.rsplit('/').next().unwrap()];
        }
        place
    }

    /// Creates a valid value: with all fields down to `depth`, and only required ones below.
    fn make(&self, place: SchemaPair<'a>, depth: usize) -> Json {
        let place = self.resolve(place);
        let first = |schema: &'a Json| schema["enum"].as_array()?.first();
        if let Some(value) = first(place.truth) {
            return value.clone();
        }
        if let Some(value) = first(place.hint).filter(|_| self.differs(Difference::Enum)) {
            return value.clone();
        }
        if place.truth["oneOf"].is_array() && self.differs(Difference::Quantity) {
            return json!("1");
        }
        let types = types(place.truth);
        let Some(name) = types.iter().find(|name| **name != "null") else { return json!({"any": [1, null]}) };
        match *name {
            "array" if depth > 0 && self.differs(Difference::ListKeys) => {
                let child =
                    SchemaPair { truth: &place.truth["items"], hint: &place.hint["items"], name: None };
                json!([self.make(child, depth - 1)])
            }
            "array" => json!([]),
            "boolean" => json!(true),
            "integer" => json!(1),
            "number" => json!(0.5),
            "object" => self.object(place, depth),
            "string" => match place.truth["format"].as_str() {
                Some("byte") if self.differs(Difference::Format) => json!("YQ=="),
                Some("date-time") if self.differs(Difference::Format) => json!("2030-01-31T12:00:00.000000Z"),
                _ => json!("text"),
            },
            name => panic!("type {name}"),
        }
    }

    fn object(&self, place: SchemaPair<'a>, depth: usize) -> Json {
        let mut object = Map::new();
        let required = |schema: &Json, name: &str| {
            schema["required"].as_array().is_some_and(|required| required.iter().any(|field| field == name))
        };
        for name in place.truth["properties"].as_object().into_iter().flat_map(Map::keys) {
            if depth > 0 || required(place.truth, name) || required(place.hint, name) {
                object.insert(name.clone(), self.make(self.child(place, name), depth.saturating_sub(1)));
            }
        }
        if depth > 0 && place.truth["additionalProperties"].is_object() {
            let child = SchemaPair {
                truth: &place.truth["additionalProperties"],
                hint: &place.hint["additionalProperties"],
                name: None,
            };
            object.insert("key".to_owned(), self.make(child, depth - 1));
        }
        Json::Object(object)
    }
}

fn is_image(path: &[String]) -> bool {
    path.last().is_some_and(|name| name == "image") && path.iter().any(|step| step.ends_with("ontainers"))
}

fn types(schema: &Json) -> BTreeSet<&str> {
    match &schema["type"] {
        Json::String(name) => [name.as_str()].into(),
        Json::Array(names) => names.iter().map(|name| name.as_str().unwrap()).collect(),
        _ => {
            let alternatives = schema["oneOf"].as_array().into_iter().flatten();
            alternatives.flat_map(types).collect()
        }
    }
}

fn fits(types: &BTreeSet<&str>, value: &Json) -> bool {
    match value {
        Json::Array(_) => types.contains("array"),
        Json::Bool(_) => types.contains("boolean"),
        Json::Null => types.contains("null"),
        Json::Number(number) => types.contains("number") || number.is_i64() && types.contains("integer"),
        Json::Object(_) => types.contains("object"),
        Json::String(_) => types.contains("string"),
    }
}
