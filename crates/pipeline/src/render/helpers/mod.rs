//! The helpers of templates, with the names and the argument order of Helm.
//!
//! A helper is a pure function of its arguments and of the app's files, which only `file` reads: it uses no time,
//! randomness or environment. An undefined argument is an error, except for helpers such as `default`, `required` and
//! `hasKey`.

mod argument;
mod call;
mod data;
mod logic;
mod private;
mod text;

use std::borrow::Cow;
use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, PathAndJson, RenderContext, RenderError, ScopedJson,
};
use serde_json::Value as Json;

use super::fault::RenderFault;
use super::price::ValueWeight;
use super::scope;
use super::state::RenderState;
use super::tracer::OutputTracer;
use argument::{check_defined, find_traced_value, undefined_argument, undefined_fault};
pub(super) use call::line_writer;
use call::{HelperCall, MAX_BYTES, check_fits};
use sealwave_core::document::ValueRef;

/// A helper function.
#[derive(Clone, Copy)]
struct HelperFunction {
    name: &'static str,
    /// The minimum and maximum number of arguments.
    arity: (usize, usize),
    /// Whether arguments may be undefined.
    lenient: bool,
    run: HelperKind,
}

/// The kind of a helper.
#[derive(Clone, Copy)]
enum HelperKind {
    /// Creates a new value, possibly from only one of its arguments.
    Make(MakeFn, Option<SourceArgument>),
    /// Returns an argument or a part of one.
    Pick(PickFn),
}

/// The argument from which a result is created.
#[derive(Clone, Copy)]
struct SourceArgument {
    argument: usize,
    /// Whether the result only rewrites the argument.
    is_whole: bool,
}

type MakeFn = fn(&HelperCall<'_>) -> Result<Json, RenderFault>;
type PickFn = for<'a> fn(&HelperCall<'a>) -> Result<&'a Json, RenderFault>;

const MANY: usize = usize::MAX;

const fn function(name: &'static str, arity: (usize, usize), run: MakeFn) -> HelperFunction {
    HelperFunction { name, arity, lenient: false, run: HelperKind::Make(run, None) }
}

/// Creates a helper that rewrites one of its arguments.
const fn writes(name: &'static str, arity: (usize, usize), argument: usize, run: MakeFn) -> HelperFunction {
    let source = SourceArgument { argument, is_whole: true };
    HelperFunction { run: HelperKind::Make(run, Some(source)), ..function(name, arity, run) }
}

/// Creates a helper that derives its result from one of its arguments, possibly adding to it.
const fn changes(name: &'static str, arity: (usize, usize), argument: usize, run: MakeFn) -> HelperFunction {
    let source = SourceArgument { argument, is_whole: false };
    HelperFunction { run: HelperKind::Make(run, Some(source)), ..function(name, arity, run) }
}

const fn picks(name: &'static str, arity: (usize, usize), run: PickFn) -> HelperFunction {
    HelperFunction { name, arity, lenient: false, run: HelperKind::Pick(run) }
}

const fn lenient(function: HelperFunction) -> HelperFunction {
    HelperFunction { lenient: true, ..function }
}

/// All helpers, sorted by the bytes of their names.
static FUNCTIONS: &[HelperFunction] = &[
    function("add", (2, MANY), logic::add),
    lenient(picks("and", (1, MANY), logic::and)),
    changes("b64dec", (1, 1), 0, text::b64dec),
    changes("b64enc", (1, 1), 0, text::b64enc),
    function("cat", (1, MANY), text::cat),
    lenient(picks("coalesce", (1, MANY), logic::coalesce)),
    function("contains", (2, 2), text::contains),
    lenient(picks("default", (2, 2), logic::default)),
    function("dict", (0, MANY), data::dict),
    function("div", (2, 2), logic::div),
    lenient(function("empty", (1, 1), logic::empty)),
    function("eq", (2, MANY), logic::eq),
    function("fail", (1, 1), logic::fail),
    function("file", (1, 1), data::file),
    picks("first", (1, 1), data::first),
    function("fromJson", (1, 1), data::from_json),
    function("fromYaml", (1, 1), data::from_yaml),
    function("ge", (2, 2), logic::ge),
    picks("get", (2, 2), data::get),
    function("gt", (2, 2), logic::gt),
    function("gte", (2, 2), logic::ge),
    lenient(function("hasKey", (2, 2), data::has_key)),
    function("hasPrefix", (2, 2), text::has_prefix),
    function("hasSuffix", (2, 2), text::has_suffix),
    writes("indent", (2, 2), 1, text::indent),
    changes("int", (1, 1), 0, logic::int),
    changes("join", (2, 2), 1, data::join),
    function("keys", (1, 1), data::keys),
    picks("last", (1, 1), data::last),
    function("le", (2, 2), logic::le),
    function("len", (1, 1), data::len),
    function("list", (0, MANY), data::list),
    writes("lower", (1, 1), 0, text::lower),
    function("lt", (2, 2), logic::lt),
    function("lte", (2, 2), logic::le),
    function("mod", (2, 2), logic::modulo),
    function("mul", (2, MANY), logic::mul),
    function("ne", (2, 2), logic::ne),
    writes("nindent", (2, 2), 1, text::nindent),
    lenient(function("not", (1, 1), logic::not)),
    lenient(picks("or", (1, MANY), logic::or)),
    changes("printf", (1, MANY), 1, text::printf),
    writes("quote", (1, MANY), 0, text::quote),
    changes("repeat", (2, 2), 1, text::repeat),
    changes("replace", (3, 3), 2, text::replace),
    lenient(picks("required", (2, 2), logic::required)),
    function("sortAlpha", (1, 1), data::sort_alpha),
    function("split", (2, 2), data::split),
    function("splitList", (2, 2), data::split),
    writes("squote", (1, MANY), 0, text::squote),
    function("sub", (2, 2), logic::sub),
    picks("ternary", (3, 3), logic::ternary),
    writes("toJson", (1, 1), 0, data::to_json),
    writes("toPrettyJson", (1, 1), 0, data::to_pretty_json),
    writes("toString", (1, 1), 0, text::to_string),
    writes("toYaml", (1, 1), 0, data::to_yaml),
    writes("trim", (1, 1), 0, text::trim),
    changes("trimPrefix", (2, 2), 1, text::trim_prefix),
    changes("trimSuffix", (2, 2), 1, text::trim_suffix),
    changes("trunc", (2, 2), 1, text::trunc),
    writes("upper", (1, 1), 0, text::upper),
];

/// Returns the names of all helpers except the engine's own, sorted.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

/// Block helpers.
const BLOCKS: [&str; 5] = ["each", "if", "raw", "unless", "with"];
/// The arity of the engine's only helper that is not a block.
const LOOKUP: (usize, usize) = (2, 2);

/// Reports whether a helper exists.
pub(super) fn is_helper(name: &str) -> bool {
    arity(name).is_some() || is_block(name)
}

/// Reports whether a helper is a block.
pub(super) fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name)
}

/// Returns the minimum and maximum number of arguments of a helper, or `None` if it does not exist.
pub(super) fn arity(name: &str) -> Option<(usize, usize)> {
    if name == "lookup" { Some(LOOKUP) } else { find(name).map(|function| function.arity) }
}

/// Reports whether a helper treats undefined arguments as empty. `required` is not one of them: it fails with the
/// author's message.
pub(super) fn is_lenient(name: &str) -> bool {
    name != "required" && find(name).is_some_and(|function| function.lenient)
}

fn find(name: &str) -> Option<&'static HelperFunction> {
    let at = FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok()?;
    FUNCTIONS.get(at)
}

/// Returns the error of a call with this number of arguments, if it is not valid.
pub(super) fn arity_fault(name: &str, count: usize, has_names: bool) -> Option<RenderFault> {
    let (least, most) = arity(name)?;
    let is_valid = (least..=most).contains(&count) && !has_names;
    (!is_valid).then(|| RenderFault::Arity { helper: name.to_owned(), wanted: describe_arity(least, most) })
}

/// Registers all helpers. They replace the engine's helpers of the same names, which neither see undefined arguments
/// nor have limits.
pub(super) fn register(registry: &mut Handlebars<'static>, state: &Arc<RenderState>) {
    for function in FUNCTIONS {
        registry
            .register_helper(function.name, Box::new(CheckedHelper { function, state: Arc::clone(state) }));
    }
    private::register(registry, state);
}

struct CheckedHelper {
    function: &'static HelperFunction,
    state: Arc<RenderState>,
}

impl HelperDef for CheckedHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        run: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        self.check(helper)?;
        let name = self.function.name;
        let weight = self.weigh(helper)?;
        check_fits(name, weight.text, MAX_BYTES as u64)?;
        let arguments = helper.params().iter().map(PathAndJson::value).collect();
        let first = helper.param(0).and_then(PathAndJson::try_get_constant_value);
        let call =
            HelperCall { name, arguments, is_spelled_out: first.is_some(), weight, state: &self.state };
        let (result, provenance) = self.run(&call).map_err(|fault| match fault {
            // Only this code knows the name of the missing value.
            RenderFault::Fail(message) if name == "required" && message.is_empty() => {
                helper.param(1).map_or_else(|| undefined_fault(None), undefined_argument)
            }
            other => other,
        })?;
        if let Some((value, path)) = find_in_context(helper, &provenance, context) {
            // A value in the context is passed on with its path instead of being copied.
            let result = ScopedJson::Context(value, path);
            if let Some(tracer) = &self.state.tracer {
                record_provenance(tracer, helper, &result, provenance, context, run);
            }
            return Ok(result);
        }
        let weight = ValueWeight::from_json(&result);
        check_fits(name, weight.text, MAX_BYTES as u64)?;
        self.state.charge(weight.text / 64)?;
        self.state.ledger().take(weight.memory)?;
        let result = ScopedJson::Derived(result.into_owned());
        if let Some(tracer) = &self.state.tracer {
            record_provenance(tracer, helper, &result, provenance, context, run);
        }
        Ok(result)
    }
}

/// The provenance of a result.
#[derive(Clone, Copy)]
enum Provenance<'a> {
    /// An argument, or a value within one.
    Part(&'a Json),
    /// Derived from one of the arguments.
    Argument(SourceArgument),
    Unknown,
}

impl CheckedHelper {
    /// Weighs the arguments and charges for them.
    fn weigh(&self, helper: &Helper<'_>) -> Result<ValueWeight, RenderFault> {
        let mut all = ValueWeight::default();
        for param in helper.params() {
            let (weight, work) = match param.context_path() {
                Some(_) => self.state.ledger().weight(param.value()),
                None => (ValueWeight::from_json(param.value()), 0),
            };
            self.state.charge(work)?;
            all = all.and(weight);
        }
        self.state.charge(1 + all.text / 64)?;
        Ok(all)
    }

    fn check(&self, helper: &Helper<'_>) -> Result<(), RenderFault> {
        if self.function.lenient {
            return Ok(());
        }
        // The number of arguments was checked before the template ran.
        helper.params().iter().try_for_each(check_defined)
    }

    fn run<'a>(&self, call: &HelperCall<'a>) -> Result<(Cow<'a, Json>, Provenance<'a>), RenderFault> {
        match self.function.run {
            HelperKind::Pick(run) => run(call).map(|part| (Cow::Borrowed(part), Provenance::Part(part))),
            HelperKind::Make(run, source) => {
                // A result from several arguments belongs to none of them.
                let count = call.values().len();
                let alone =
                    |source: &SourceArgument| self.function.arity.1 != MANY || count == source.argument + 1;
                let provenance = source.filter(alone).map_or(Provenance::Unknown, Provenance::Argument);
                Ok((Cow::Owned(run(call)?), provenance))
            }
        }
    }
}

/// Returns the path in the context of a result that is an argument or a part of one.
///
/// The result is found by its address: all arguments are borrowed, so no other value can be there. The path counts only if
/// it leads to that very value.
fn find_in_context<'rc>(
    helper: &Helper<'rc>,
    provenance: &Provenance<'_>,
    context: &'rc Context,
) -> Option<(&'rc Json, Vec<String>)> {
    let Provenance::Part(part) = provenance else { return None };
    let argument = helper.params().iter().find(|param| std::ptr::eq(param.value(), *part));
    let path = match argument {
        Some(argument) => argument.context_path().cloned()?,
        None => path_of_part(helper.param(0)?, part)?,
    };
    let value = scope::navigate(context, &path)?;
    std::ptr::eq(value, *part).then_some((value, path))
}

/// Records the provenance of a function's result.
fn record_provenance<'rc>(
    tracer: &OutputTracer,
    helper: &Helper<'rc>,
    result: &ScopedJson<'rc>,
    provenance: Provenance<'_>,
    context: &'rc Context,
    run: &mut RenderContext<'_, 'rc>,
) {
    let argument = match provenance {
        Provenance::Argument(source) => helper.param(source.argument),
        Provenance::Part(part) => helper.params().iter().find(|param| std::ptr::eq(param.value(), part)),
        Provenance::Unknown => None,
    };
    let behind = match (argument, provenance) {
        (Some(argument), _) => find_traced_value(tracer, argument, context, run),
        (None, Provenance::Part(part)) => tracer.entry(part),
        (None, _) => None,
    };
    let is_whole = !matches!(provenance, Provenance::Argument(SourceArgument { is_whole: false, .. }));
    let behind = behind.map(|printed| ValueRef { is_whole: printed.is_whole && is_whole, ..printed });
    tracer.record_result(helper.params().iter().map(PathAndJson::value), result.as_json(), behind);
}

/// Returns the path of a part of an argument. It costs as much as weighing the argument did.
fn path_of_part(whole: &PathAndJson<'_>, part: &Json) -> Option<Vec<String>> {
    let step = match whole.value() {
        Json::Array(items) => items.iter().position(|item| std::ptr::eq(item, part))?.to_string(),
        Json::Object(fields) => fields.iter().find(|(_, field)| std::ptr::eq(*field, part))?.0.clone(),
        _ => return None,
    };
    let mut path = whole.context_path()?.clone();
    path.push(step);
    Some(path)
}

fn describe_arity(least: usize, most: usize) -> String {
    let plural = if most == 1 { "" } else { "s" };
    match most {
        MANY => format!("at least {least} arguments, and no named ones"),
        _ if least == most => format!("{most} argument{plural}, and no named ones"),
        _ => format!("{least} to {most} arguments, and no named ones"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(names().zip(names().skip(1)).all(|(a, b)| a < b));
    }
}
