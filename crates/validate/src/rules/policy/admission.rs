//! `policy/admission`.

use std::collections::BTreeMap;

use super::matching::{MatchResult, PolicyTargets, matches};
use super::names::{BINDING, GROUP, POLICY, shorten};
use super::object::convert_object as converted;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{entries, items, text, value};
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, group_and_version};
use sealwave_kube::catalog::ObjectIndex;
use sealwave_kube::cel::{CelBudget, CelProgram, CelValue, EvalStop, MapKind};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "policy/admission",
        severity: Severity::Error,
        summary: "an object breaks a ValidatingAdmissionPolicy in the manifests",
        text: include_str!("admission.md"),
    },
    RuleCheck::Environment(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Maximum number of comparisons of constraints with objects.
const MAX_COMPARISONS: usize = 2_000_000;
/// Maximum number of variables of a policy; the API server accepts fewer.
const MAX_VARIABLES: usize = 100;

/// A policy that a binding enforces.
struct EnforcedPolicy<'a> {
    environment: &'a CheckedEnvironment<'a>,
    /// Index of the policy in the environment.
    number: ObjectIndex,
    policy: &'a CheckedObject<'a>,
    spec: &'a Node,
    binding: &'a Node,
    severity: Severity,
    /// True if an evaluation error counts as a denial.
    fails_closed: bool,
    programs: PolicyPrograms<'a>,
    /// Number of comparisons per object.
    weight: usize,
}

/// Compiled expressions of a policy; `None` for those that cannot be evaluated.
struct PolicyPrograms<'a> {
    conditions: Vec<Option<CelProgram>>,
    variables: Vec<(&'a str, Option<CelProgram>)>,
    validations: Vec<(&'a Node, Option<CelProgram>)>,
}

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let policies = enforced_policies(environment);
    if policies.is_empty() {
        return;
    }
    let mut budget = CelBudget::for_objects(environment.objects.len());
    let targets = PolicyTargets::new(environment);
    let mut values: BTreeMap<ObjectIndex, CelValue> = BTreeMap::new();
    let mut comparisons = 0_usize;
    for policy in policies {
        let mut is_complete = true;
        for (number, object) in environment.indexed_objects() {
            // Policies do not apply to policies.
            if object.group == GROUP {
                continue;
            }
            comparisons = comparisons.saturating_add(policy.weight);
            let is_match =
                if comparisons > MAX_COMPARISONS { None } else { policy.matches(object, &targets) };
            if is_match == Some(true) {
                let value = values.entry(number).or_insert_with(|| converted(object)).clone();
                is_complete &= policy.evaluate((number, object), value, &targets, &mut budget, reporter);
            }
            is_complete &= is_match.is_some();
        }
        if !is_complete {
            let message = "policy is not evaluated for all objects that it may match";
            let draft =
                FindingDraft::new(&RULE, policy.policy.name_place(), message).severity(Severity::Note);
            reporter.report(draft.about_object(policy.number));
        }
    }
}

/// Returns the number of comparisons of constraints with one object.
fn weight(constraints: Option<&Node>) -> usize {
    let Some(constraints) = constraints else { return 1 };
    let lists = ["resourceRules", "excludeResourceRules"].map(|key| items(constraints, key));
    let keys = ["apiGroups", "apiVersions", "operations", "resources", "resourceNames"];
    let rule_weight = |rule: &Node| 1 + keys.iter().map(|key| items(rule, key).len()).sum::<usize>();
    let selectors = ["namespaceSelector", "objectSelector"].map(|key| constraints.get(key));
    let selector_weight = |selector: &Node| {
        let expressions = items(selector, "matchExpressions");
        expressions.iter().map(|one| 1 + items(one, "values").len()).sum::<usize>()
            + entries(selector, "matchLabels").len()
    };
    1 + lists.into_iter().flatten().map(rule_weight).sum::<usize>()
        + selectors.into_iter().flatten().map(selector_weight).sum::<usize>()
}

fn enforced_policies<'a>(environment: &'a CheckedEnvironment<'a>) -> Vec<EnforcedPolicy<'a>> {
    let find_policy = |name: &str| {
        let number = environment.catalog.find(GROUP, POLICY, "", name)?;
        Some((number, environment.object(number)?))
    };
    let bindings = environment.objects.iter().filter(|object| object.is(GROUP, BINDING));
    bindings
        .filter_map(|binding| {
            let binding = value(binding.manifest.root(), "spec")?;
            let (number, policy) = find_policy(text(binding, "policyName")?)?;
            let spec = value(policy.manifest.root(), "spec")?;
            let actions =
                items(binding, "validationActions").iter().filter_map(|action| match action.as_str()? {
                    "Deny" => Some(Severity::Error),
                    "Warn" => Some(Severity::Warning),
                    "Audit" => Some(Severity::Note),
                    _ => None,
                });
            Some(EnforcedPolicy {
                environment,
                number,
                policy,
                spec,
                binding,
                // Plain manifests may be for several clusters, only one of which has the policy.
                severity: if environment.is_plain() {
                    actions.max()?.min(Severity::Warning)
                } else {
                    actions.max()?
                },
                fails_closed: text(spec, "failurePolicy") != Some("Ignore"),
                programs: PolicyPrograms::compile(spec),
                weight: weight(spec.get("matchConstraints")) + weight(binding.get("matchResources")),
            })
        })
        .collect()
}

impl<'a> PolicyPrograms<'a> {
    fn compile(spec: &'a Node) -> Self {
        let program = |node: &Node| CelProgram::compile(text(node, "expression")?).ok();
        Self {
            conditions: items(spec, "matchConditions").iter().map(program).collect(),
            variables: items(spec, "variables")
                .iter()
                .filter_map(|variable| Some((text(variable, "name")?, program(variable))))
                .collect(),
            validations: items(spec, "validations").iter().map(|one| (one, program(one))).collect(),
        }
    }
}

impl EnforcedPolicy<'_> {
    fn matches(&self, object: &CheckedObject<'_>, targets: &PolicyTargets<'_>) -> MatchResult {
        let constraints = [self.spec.get("matchConstraints"), self.binding.get("matchResources")];
        let mut result = Some(true);
        for constraints in constraints.into_iter().flatten() {
            match matches(constraints, object, targets) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => result = None,
            }
        }
        result
    }

    /// Evaluates the policy for one object. Returns whether everything that applies could be evaluated.
    fn evaluate(
        &self,
        (number, object): (ObjectIndex, &CheckedObject<'_>),
        value: CelValue,
        targets: &PolicyTargets<'_>,
        budget: &mut CelBudget,
        reporter: &mut Reporter,
    ) -> bool {
        budget.restart_object();
        let mut variables = vec![
            ("object", value),
            ("oldObject", CelValue::Null),
            ("request", request(object)),
            ("params", self.params(object, targets)),
            ("namespaceObject", namespace(object, targets)),
            ("authorizer", CelValue::Unknown),
        ];
        for condition in &self.programs.conditions {
            match condition.as_ref().map(|condition| condition.evaluate_condition(&variables, budget)) {
                Some(Ok(true)) => {}
                Some(Ok(false)) => return true,
                _ => return false,
            }
        }
        let mut own = BTreeMap::new();
        for (name, program) in self.programs.variables.iter().take(MAX_VARIABLES) {
            variables.push(("variables", CelValue::map(own.clone(), MapKind::Partial(&[]))));
            let value = program.as_ref().and_then(|program| program.evaluate(&variables, budget).ok());
            variables.pop();
            own.insert((*name).into(), value.unwrap_or(CelValue::Unknown));
        }
        variables.push(("variables", CelValue::map(own, MapKind::Partial(&[]))));
        let mut is_complete = true;
        for (validation, program) in &self.programs.validations {
            let Some(program) = program else { return false };
            match program.evaluate_condition(&variables, budget) {
                Ok(false) => self.report(number, object, validation, None, reporter),
                Err(EvalStop::Fault(fault)) if self.fails_closed => {
                    self.report(number, object, validation, Some(fault.describe()), reporter);
                }
                Ok(true) | Err(EvalStop::Fault(_)) => {}
                Err(EvalStop::TooMuch | EvalStop::Unknown) => is_complete = false,
            }
        }
        is_complete
    }

    fn report(
        &self,
        number: ObjectIndex,
        object: &CheckedObject<'_>,
        validation: &Node,
        fault: Option<&str>,
        reporter: &mut Reporter,
    ) {
        let expression = text(validation, "expression").unwrap_or_default();
        let message = match (text(validation, "message"), fault) {
            (_, Some(fault)) => format!("expression `{}` cannot be evaluated: {fault}", shorten(expression)),
            (Some(message), None) => shorten(message),
            (None, None) => format!("expression `{}` does not hold", shorten(expression)),
        };
        let message = format!("admission policy `{}`: {message}", shorten(self.policy.name));
        // A policy in another directory may be for another cluster.
        let is_apart = self.environment.may_be_apart(self.policy.name_origin(), object.name_origin());
        let severity = if is_apart { Severity::Note } else { self.severity };
        let draft = FindingDraft::new(&RULE, object.name_place(), message).severity(severity);
        reporter.report(draft.about_object(number).related(validation.origin, "the validation is here"));
    }

    /// Returns the parameter object of the binding, or an unknown value if it is not in the set.
    fn params(&self, object: &CheckedObject<'_>, targets: &PolicyTargets<'_>) -> CelValue {
        let find = || {
            let kind = value(self.spec, "paramKind")?;
            let (group, _) = group_and_version(text(kind, "apiVersion")?);
            let kind = text(kind, "kind")?;
            let reference = value(self.binding, "paramRef")?;
            let name = text(reference, "name")?;
            let namespace = text(reference, "namespace").unwrap_or(object.namespace);
            let found = targets.find(group, kind, namespace, name);
            found.or_else(|| targets.find(group, kind, "", name)).map(converted)
        };
        find().unwrap_or(CelValue::Unknown)
    }
}

/// Returns the known part of the request.
fn request(object: &CheckedObject<'_>) -> CelValue {
    let kind = [("group", object.group), ("version", object.version), ("kind", object.kind)];
    let kind = kind.map(|(key, text)| (key.into(), CelValue::text(text)));
    let mut all = BTreeMap::from([
        ("kind".into(), CelValue::map(BTreeMap::from(kind), MapKind::Partial(&[]))),
        ("operation".into(), CelValue::text("CREATE")),
    ]);
    for (key, text) in [("name", object.name), ("namespace", object.namespace)] {
        if !text.is_empty() {
            all.insert(key.into(), CelValue::text(text));
        }
    }
    CelValue::map(all, MapKind::Partial(&[]))
}

/// Returns the namespace of an object, or an unknown value if it is not in the set.
fn namespace(object: &CheckedObject<'_>, targets: &PolicyTargets<'_>) -> CelValue {
    if targets.is_cluster_scoped(object) {
        return CelValue::Null;
    }
    targets.find("", "Namespace", "", object.namespace).map_or(CelValue::Unknown, converted)
}
