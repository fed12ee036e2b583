//! The charts and overlays of `testdata/sources`, rendered by the real programs alone, and by sealwave.
//!
//! Without the programs (`.ci/run` installs them), each test reports that it was skipped.

mod comparison;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::objects;
use crate::support::renderers::{ObjectKey, Renderers, SourceCase, printed};
use comparison::unexplained_differences;
use sealwave_core::yaml::write_documents;
use sealwave_testkit::{check_file, node};
use values::{expected_values, opened_values};

/// Stands for a text that is another one each time.
const INVENTED: &str = "(invented)";

/// Calls a function for each environment of each case and each set of programs; cases without charts need one set only.
fn for_each_run(mut check: impl FnMut(&SourceCase, &str, &Renderers)) {
    for (index, renderers) in Renderers::all().into_iter().enumerate() {
        for case in SourceCase::all().iter().filter(|case| index == 0 || case.script().contains("helm")) {
            for environment in case.environments() {
                check(case, &environment, &renderers);
            }
        }
    }
}

/// Replaces each text that differs between two renderings, and returns how many there are.
fn replace_invented(first: &mut Value, second: &Value) -> usize {
    match (first, second) {
        (Value::Array(first), Value::Array(second)) if first.len() == second.len() => {
            first.iter_mut().zip(second).map(|(first, second)| replace_invented(first, second)).sum()
        }
        (Value::Object(first), Value::Object(second)) => {
            assert!(first.keys().eq(second.keys()), "the fields differ between two renderings");
            first.iter_mut().map(|(key, first)| replace_invented(first, &second[key])).sum()
        }
        (first, second) if first == second => 0,
        (first, _) => {
            *first = INVENTED.into();
            1
        }
    }
}

/// Returns the expected file of objects: sorted, with what is invented replaced.
fn golden(mut first: Vec<Value>, second: &[Value]) -> (String, usize) {
    let second: BTreeMap<ObjectKey, &Value> =
        second.iter().map(|object| (ObjectKey::of(object), object)).collect();
    first.sort_by_key(ObjectKey::of);
    let keys: BTreeSet<ObjectKey> = first.iter().map(ObjectKey::of).collect();
    assert!(keys.iter().eq(second.keys()), "the objects differ between two renderings");
    assert_eq!(keys.len(), first.len(), "two objects have the same name");
    let pairs = first.iter_mut().map(|object| (second[&ObjectKey::of(object)], object));
    let invented = pairs.map(|(second, first)| replace_invented(first, second)).sum();
    let nodes: Vec<_> = first.iter().map(node).collect();
    let mut text = Vec::new();
    write_documents(&nodes, &mut text);
    (String::from_utf8(text).expect("UTF-8"), invented)
}

#[test]
fn programs_alone_print_the_expected_objects() {
    assert!(SourceCase::all().len() >= 13);
    for_each_run(|case, environment, renderers| {
        let once = || case.alone(environment, renderers);
        let (text, invented) = golden(once(), &once());
        let invents = case.name == "inventing-chart" && environment == "dev";
        assert_eq!(invented > 0, invents, "{} ({environment}): {invented} differences", case.name);
        check_file(&case.directory.join(format!("expected/{environment}.alone.yaml")), &text);
    });
}

#[test]
fn each_expected_file_belongs_to_an_environment() {
    for case in SourceCase::all() {
        let names = case.environments().into_iter().map(|name| format!("{name}.alone.yaml"));
        let found = fs_err::read_dir(case.directory.join("expected")).unwrap();
        let found = found.map(|file| file.unwrap().file_name().into_string().unwrap());
        assert_eq!(found.collect::<BTreeSet<_>>(), names.collect(), "{}", case.name);
    }
}

#[test]
fn kubectl_renders_overlays_as_kustomize_does() {
    let Some(kubectl) = Renderers::kubectl() else { return };
    let mut rendered = 0;
    for case in SourceCase::all().iter().filter(|case| case.script().contains("\nkustomize build overlays")) {
        for environment in case.environments() {
            let script = case.script().replace("kustomize build", "kubectl kustomize");
            let once = || case.run(&script, &environment, &kubectl);
            let (text, _) = golden(once(), &once());
            check_file(&case.directory.join(format!("expected/{environment}.alone.yaml")), &text);
            rendered += 1;
        }
    }
    assert!(rendered >= 7, "{rendered}");
}

/// Returns the objects of a scenario's Handlebars form.
fn objects_of_scenario(case: &SourceCase, environment: &str) -> Option<Vec<Value>> {
    let file = case.scenario()?.join("expected").join(format!("{environment}.json"));
    Some(objects(&fs_err::read_to_string(file).unwrap()))
}

#[test]
fn scenarios_as_charts_and_overlays_have_the_objects_of_the_scenarios() {
    let mut compared = 0;
    for_each_run(|case, environment, renderers| {
        let Some(expected) = objects_of_scenario(case, environment) else { return };
        let alone = case.alone(environment, renderers);
        let what = format!("{} ({environment}, {})", case.name, renderers.name);
        assert_eq!(unexplained_differences(&alone, &expected), [""; 0], "{what}");
        compared += 1;
    });
    assert!(compared == 0 || compared == 15, "{compared}");
}

/// Returns the objects that sealwave makes.
fn made(case: &SourceCase, environment: &str, renderers: &Renderers) -> Vec<Value> {
    let output = case.generate(environment, renderers).output().unwrap();
    let printed = printed(&output, &format!("{} ({environment}, {})", case.name, renderers.name));
    objects(&String::from_utf8(printed).unwrap())
}

#[test]
fn sealwave_changes_nothing_but_its_additions() {
    for_each_run(|case, environment, renderers| {
        if case.name == "inventing-chart" && environment == "dev" {
            return;
        }
        let what = format!("{} ({environment}, {})", case.name, renderers.name);
        let (alone, made) = (case.alone(environment, renderers), made(case, environment, renderers));
        assert_eq!(unexplained_differences(&alone, &made), [""; 0], "{what}");
        // Committed SealedSecrets were sealed with keys that are not here.
        if case.scenario().is_none_or(|scenario| !scenario.ends_with("scenario-2-rotation")) {
            let expected = expected_values(&alone, &case.operator().join("secrets"));
            assert!(!expected.is_empty(), "{what} has no Secret");
            assert_eq!(opened_values(&made, environment), expected, "{what}");
        }
    });
}

#[test]
fn scenarios_as_charts_and_overlays_have_the_same_items_waves_and_checksums() {
    for_each_run(|case, environment, renderers| {
        let Some(expected) = objects_of_scenario(case, environment) else { return };
        let sorted = |objects: Vec<Value>| -> BTreeMap<ObjectKey, Value> {
            objects.into_iter().map(|object| (ObjectKey::of(&object), object)).collect()
        };
        let (expected, made) = (sorted(expected), sorted(made(case, environment, renderers)));
        assert!(expected.keys().eq(made.keys()), "{} ({environment})", case.name);
        for (key, object) in expected {
            assert_eq!(made[&key], object, "{} ({environment}, {}): {key:?}", case.name, renderers.name);
        }
    });
}
