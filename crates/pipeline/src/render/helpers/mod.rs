//! What templates can call, with the names and the order of arguments that people know from Helm.
//!
//! A helper is a function of its arguments: no time, no randomness, no environment, no files. An argument that is not
//! defined is an error, except for the helpers that are about exactly that (`default`, `required`, `hasKey`, …).

mod data;
mod logic;
mod private;
mod text;

use std::borrow::Cow;
use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, JsonTruthy, PathAndJson, RenderContext, RenderError, ScopedJson,
};
use serde_json::Value as Json;

use super::engine::State;
use super::errors::TemplateFault;
use super::price::{MAX_LIVE, Weight, work_of};
use super::tracer::Tracer;
use super::{scope, written};
use sealwave_core::document::Printed;

/// Bytes of text of the arguments of one call, and of its result.
const MAX_BYTES: usize = 8 << 20;
/// Bytes of memory of the result of one call.
const MAX_MEMORY: usize = 32 << 20;

/// A function that templates can call.
#[derive(Clone, Copy)]
struct Function {
    name: &'static str,
    /// How many arguments it takes, at least and at most.
    arity: (usize, usize),
    /// Whether arguments may be undefined.
    lenient: bool,
    run: Run,
}

/// What it does.
#[derive(Clone, Copy)]
enum Run {
    /// Makes something new; of one of its arguments alone, where that is said.
    Make(Make, Option<Source>),
    /// Gives one of its arguments, or a part of one.
    Pick(Pick),
}

/// The argument that something is made of.
#[derive(Clone, Copy)]
struct Source {
    argument: usize,
    /// Whether it is only written in another way.
    is_whole: bool,
}

type Make = fn(&Call<'_>) -> Result<Json, TemplateFault>;
type Pick = for<'a> fn(&Call<'a>) -> Result<&'a Json, TemplateFault>;

const MANY: usize = usize::MAX;

const fn function(name: &'static str, arity: (usize, usize), run: Make) -> Function {
    Function { name, arity, lenient: false, run: Run::Make(run, None) }
}

/// A function that writes one of its arguments in another way.
const fn writes(name: &'static str, arity: (usize, usize), argument: usize, run: Make) -> Function {
    let source = Source { argument, is_whole: true };
    Function { run: Run::Make(run, Some(source)), ..function(name, arity, run) }
}

/// A function that makes something else of one of its arguments, which may hold more.
const fn changes(name: &'static str, arity: (usize, usize), argument: usize, run: Make) -> Function {
    let source = Source { argument, is_whole: false };
    Function { run: Run::Make(run, Some(source)), ..function(name, arity, run) }
}

const fn picks(name: &'static str, arity: (usize, usize), run: Pick) -> Function {
    Function { name, arity, lenient: false, run: Run::Pick(run) }
}

const fn lenient(function: Function) -> Function {
    Function { lenient: true, ..function }
}

/// All of them, by name (in the order of bytes).
static FUNCTIONS: &[Function] = &[
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

/// Names of the helpers beside the engine's own, sorted.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

/// Helpers that are blocks.
const BLOCKS: [&str; 5] = ["each", "if", "raw", "unless", "with"];
/// The arguments of the engine's own helper that is a call.
const LOOKUP: (usize, usize) = (2, 2);

/// Whether there is such a helper.
pub(super) fn is_helper(name: &str) -> bool {
    arity(name).is_some() || is_block(name)
}

/// Whether a helper is written as a block.
pub(super) fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name)
}

/// How many arguments a call takes, at least and at most; `None` where there is no such call.
pub(super) fn arity(name: &str) -> Option<(usize, usize)> {
    if name == "lookup" { Some(LOOKUP) } else { find(name).map(|function| function.arity) }
}

/// Whether arguments of a helper may be undefined, and a template goes on as if they were empty. `required` is none of
/// them: it ends with the message of the author.
pub(super) fn is_lenient(name: &str) -> bool {
    name != "required" && find(name).is_some_and(|function| function.lenient)
}

fn find(name: &str) -> Option<&'static Function> {
    let at = FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok()?;
    FUNCTIONS.get(at)
}

/// The fault of a call with this many arguments, if it is one.
pub(super) fn arity_fault(name: &str, count: usize, has_names: bool) -> Option<TemplateFault> {
    let (least, most) = arity(name)?;
    let fits = (least..=most).contains(&count) && !has_names;
    (!fits).then(|| TemplateFault::Arity { helper: name.to_owned(), wanted: wanted(least, most) })
}

/// Makes the helpers known to a registry. Those of the engine with the same names go: they see neither undefined
/// arguments nor bounds.
pub(super) fn register(registry: &mut Handlebars<'static>, state: &Arc<State>) {
    for function in FUNCTIONS {
        registry.register_helper(function.name, Box::new(Guarded { function, state: Arc::clone(state) }));
    }
    private::register(registry, state);
}

/// The arguments of a call.
pub(super) struct Call<'a> {
    name: &'static str,
    arguments: Vec<&'a Json>,
    /// What the arguments weigh together.
    weight: Weight,
    state: &'a State,
}

impl<'a> Call<'a> {
    /// An argument, counted from 0; the arity was checked.
    fn value(&self, index: usize) -> &'a Json {
        self.arguments.get(index).copied().unwrap_or(&Json::Null)
    }

    /// An argument as YAML reads it, whatever its text is.
    fn read(&self, index: usize) -> &'a Json {
        written::read(self.value(index))
    }

    fn values(&self) -> &[&'a Json] {
        &self.arguments
    }

    fn wrong(&self, index: usize, reason: &'static str) -> TemplateFault {
        TemplateFault::Argument { helper: self.name, index: index.saturating_add(1), reason }
    }

    /// An argument as text: scalars as they are printed, null as nothing.
    fn text(&self, index: usize) -> Result<String, TemplateFault> {
        written::text(self.value(index))
            .map(Cow::into_owned)
            .ok_or_else(|| self.wrong(index, "it is not a scalar"))
    }

    fn integer(&self, index: usize) -> Result<i64, TemplateFault> {
        let value = self.read(index);
        value
            .as_i64()
            .or_else(|| value.as_str()?.trim().parse().ok())
            .ok_or_else(|| self.wrong(index, "it is not an integer"))
    }

    /// A small count, for widths and repetitions.
    fn count(&self, index: usize) -> Result<usize, TemplateFault> {
        usize::try_from(self.integer(index)?).map_err(|_| self.wrong(index, "it is negative"))
    }

    fn list(&self, index: usize) -> Result<&'a [Json], TemplateFault> {
        self.read(index).as_array().map(Vec::as_slice).ok_or_else(|| self.wrong(index, "it is not a list"))
    }

    fn object(&self, index: usize) -> Result<&'a serde_json::Map<String, Json>, TemplateFault> {
        self.read(index).as_object().ok_or_else(|| self.wrong(index, "it is not an object"))
    }

    fn too_large(&self, needed: usize) -> TemplateFault {
        TemplateFault::Result { helper: self.name, needed: needed as u64, allowed: MAX_BYTES as u64 }
    }

    /// Refuses a text before it is made.
    fn room(&self, bytes: usize) -> Result<(), TemplateFault> {
        fits(self.name, bytes as u64, MAX_BYTES as u64)
    }

    /// Refuses a list or an object that takes so much memory, before it is made.
    fn room_in_memory(&self, memory: u64) -> Result<(), TemplateFault> {
        fits(self.name, memory, MAX_MEMORY as u64)?;
        self.state.charge(work_of(memory))?;
        if self.state.ledger().has_room(memory) { Ok(()) } else { Err(TemplateFault::Memory(MAX_LIVE)) }
    }

    /// Refuses a list of so many texts of so many bytes together, before it is made.
    fn room_for_texts(&self, count: usize, bytes: usize) -> Result<(), TemplateFault> {
        self.room_in_memory(Weight::of_texts(count, bytes))
    }

    /// Refuses a copy of all arguments, before it is made.
    fn room_for_copies(&self) -> Result<(), TemplateFault> {
        self.room_in_memory(self.weight.memory)
    }
}

/// What Helm calls empty: nothing, false, zero, and what holds nothing.
fn is_empty(value: &Json) -> bool {
    match written::read(value) {
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        other => !other.is_truthy(false),
    }
}

/// Whether what a helper handles is small enough.
fn fits(helper: &'static str, needed: u64, allowed: u64) -> Result<(), TemplateFault> {
    if needed > allowed { Err(TemplateFault::Result { helper, needed, allowed }) } else { Ok(()) }
}

struct Guarded {
    function: &'static Function,
    state: Arc<State>,
}

impl HelperDef for Guarded {
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
        fits(name, weight.text, MAX_BYTES as u64)?;
        let arguments = helper.params().iter().map(PathAndJson::value).collect();
        let call = Call { name, arguments, weight, state: &self.state };
        let (result, of) = self.run(&call).map_err(|fault| match fault {
            // The name of what is missing is known here only.
            TemplateFault::Fail(message) if name == "required" && message.is_empty() => {
                helper.param(1).map_or_else(|| undefined(None), missing)
            }
            other => other,
        })?;
        if let Some((value, path)) = in_context(helper, &of, context) {
            // What stands in the context is given on as such, and not copied here.
            let result = ScopedJson::Context(value, path);
            if let Some(tracer) = &self.state.tracer {
                traced(tracer, helper, &result, of, context, run);
            }
            return Ok(result);
        }
        let weight = Weight::of(&result);
        fits(name, weight.text, MAX_BYTES as u64)?;
        self.state.charge(weight.text / 64)?;
        self.state.ledger().take(weight.memory)?;
        let result = ScopedJson::Derived(result.into_owned());
        if let Some(tracer) = &self.state.tracer {
            traced(tracer, helper, &result, of, context, run);
        }
        Ok(result)
    }
}

/// What a result was made of.
#[derive(Clone, Copy)]
enum Of<'a> {
    /// This, which is an argument or within one.
    Part(&'a Json),
    /// One of the arguments.
    Argument(Source),
    Unknown,
}

impl Guarded {
    /// What the arguments weigh together; paid for.
    fn weigh(&self, helper: &Helper<'_>) -> Result<Weight, TemplateFault> {
        let mut all = Weight::default();
        for param in helper.params() {
            let (weight, work) = match param.context_path() {
                Some(_) => self.state.ledger().weight(param.value()),
                None => (Weight::of(param.value()), 0),
            };
            self.state.charge(work)?;
            all = all.and(weight);
        }
        self.state.charge(1 + all.text / 64)?;
        Ok(all)
    }

    fn check(&self, helper: &Helper<'_>) -> Result<(), TemplateFault> {
        if self.function.lenient {
            return Ok(());
        }
        // How many arguments there are was checked before the template ran.
        helper.params().iter().try_for_each(defined)
    }

    fn run<'a>(&self, call: &Call<'a>) -> Result<(Cow<'a, Json>, Of<'a>), TemplateFault> {
        match self.function.run {
            Run::Pick(run) => run(call).map(|part| (Cow::Borrowed(part), Of::Part(part))),
            Run::Make(run, source) => {
                // Made of several, it is of none of them.
                let count = call.values().len();
                let alone = |source: &Source| self.function.arity.1 != MANY || count == source.argument + 1;
                let of = source.filter(alone).map_or(Of::Unknown, Of::Argument);
                Ok((Cow::Owned(run(call)?), of))
            }
        }
    }
}

/// Where in the context a result stands that is an argument or a part of one.
fn in_context<'rc>(
    helper: &Helper<'rc>,
    of: &Of<'_>,
    context: &'rc Context,
) -> Option<(&'rc Json, Vec<String>)> {
    let Of::Part(part) = of else { return None };
    let argument = helper.params().iter().find(|param| std::ptr::eq(param.value(), *part));
    let path = match argument {
        Some(argument) => argument.context_path().cloned()?,
        None => path_of_part(helper.param(0)?, part)?,
    };
    Some((scope::navigate(context, &path)?, path))
}

/// Notes what the result of a function was made of.
fn traced<'rc>(
    tracer: &Tracer,
    helper: &Helper<'rc>,
    result: &ScopedJson<'rc>,
    of: Of<'_>,
    context: &'rc Context,
    run: &mut RenderContext<'_, 'rc>,
) {
    let argument = match of {
        Of::Argument(source) => helper.param(source.argument),
        Of::Part(part) => helper.params().iter().find(|param| std::ptr::eq(param.value(), part)),
        Of::Unknown => None,
    };
    let behind = match (argument, of) {
        (Some(argument), _) => behind(tracer, argument, context, run),
        (None, Of::Part(part)) => tracer.entry(part),
        (None, _) => None,
    };
    let is_whole = !matches!(of, Of::Argument(Source { is_whole: false, .. }));
    let behind = behind.map(|printed| Printed { is_whole: printed.is_whole && is_whole, ..printed });
    tracer.made(helper.params().iter().map(PathAndJson::value), result.as_json(), behind);
}

/// The path of a part of an argument; it costs as much as it took to weigh the argument.
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

/// The entry of the values that an argument is, or was made of.
fn behind<'rc>(
    tracer: &Tracer,
    argument: &PathAndJson<'rc>,
    context: &'rc Context,
    run: &mut RenderContext<'_, 'rc>,
) -> Option<Printed> {
    if argument.context_path().is_some() {
        return tracer.entry(argument.value());
    }
    let found = tracer.scopes().find(argument, context, run);
    match found {
        Some(found) if found.is_key => tracer.key(found.value),
        Some(found) => tracer.entry(found.value),
        None if argument.relative_path().is_none() => tracer.made_of(argument.value()),
        None => None,
    }
}

fn wanted(least: usize, most: usize) -> String {
    let plural = if most == 1 { "" } else { "s" };
    match most {
        MANY => format!("at least {least} arguments, and none by name"),
        _ if least == most => format!("{most} argument{plural}, and none by name"),
        _ => format!("{least} to {most} arguments, and none by name"),
    }
}

/// Refuses an argument that is not defined.
fn defined(param: &PathAndJson<'_>) -> Result<(), TemplateFault> {
    let is_defined = !param.is_value_missing() && written::undefined_name(param.value()).is_none();
    if is_defined { Ok(()) } else { Err(missing(param)) }
}

/// Says that an argument is not defined, by the name that its author wrote.
fn missing(param: &PathAndJson<'_>) -> TemplateFault {
    undefined(written::undefined_name(param.value()).or(param.relative_path().map(String::as_str)))
}

fn undefined(path: Option<&str>) -> TemplateFault {
    TemplateFault::Undefined { path: path.unwrap_or("this").to_owned(), closest: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(names().zip(names().skip(1)).all(|(a, b)| a < b));
    }
}
