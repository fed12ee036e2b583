//! The calls that the instrumentation puts into templates, and `lookup`, which has to say what it found.
//!
//! The arguments of blocks and partials pass through here, so that the engine sees what YAML reads where it decides, and
//! the value itself, with its place in the context, where it hands it on.

use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, PathAndJson, RenderContext, RenderError, RenderErrorReason,
    ScopedJson,
};
use serde_json::Value as Json;

use super::{behind, defined, is_empty, undefined};
use crate::render::engine::State;
use crate::render::errors::TemplateFault;
use crate::render::instrument::{
    BASE, CONTEXT, ENTER, GIVEN, ITEMS, LEAVE, MARK, MERGED, PAY, PRICE_OF_MARK, PRINT, TEST,
};
use crate::render::price::{ENTERED, INCLUDED, INCLUDED_WITH_NAMES, LOOPED_OVER, NAMED, Stands, Times};
use crate::render::{scope, written};

/// Makes them known to a registry.
pub(super) fn register(registry: &mut Handlebars<'static>, state: &Arc<State>) {
    for (name, role) in [
        ("lookup", Role::Lookup),
        (BASE, Role::Base),
        (CONTEXT, Role::Context),
        (ENTER, Role::Enter),
        (GIVEN, Role::Given),
        (ITEMS, Role::Items),
        (LEAVE, Role::Leave),
        (MARK, Role::Mark),
        (MERGED, Role::Merged),
        (PAY, Role::Pay),
        (PRINT, Role::Print),
        (TEST, Role::Test),
    ] {
        registry.register_helper(name, Box::new(Private { role, state: Arc::clone(state) }));
    }
}

struct Private {
    role: Role,
    state: Arc<State>,
}

#[derive(Clone, Copy)]
enum Role {
    /// The context of `with`: nothing where it is empty.
    Base,
    /// The context of a partial: it stays undefined where it is.
    Context,
    Enter,
    /// What a partial gets by name: likewise.
    Given,
    /// What a loop goes through.
    Items,
    Leave,
    Lookup,
    Mark,
    /// The context of a partial that gets values by name as well.
    Merged,
    Pay,
    Print,
    /// The condition of a block.
    Test,
}

impl Role {
    /// What the engine makes of the argument that passes.
    const fn times(self) -> &'static Times {
        match self {
            Self::Base => &ENTERED,
            Self::Given => &NAMED,
            Self::Items => &LOOPED_OVER,
            Self::Merged => &INCLUDED_WITH_NAMES,
            _ => &INCLUDED,
        }
    }
}

impl HelperDef for Private {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        run: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        match self.role {
            Role::Base | Role::Context | Role::Given | Role::Items | Role::Merged | Role::Test => {
                return self.argument(helper, context);
            }
            Role::Enter => self.enter(helper, run)?,
            Role::Leave => self.state.leave(),
            Role::Lookup => return self.looked_up(helper, context),
            Role::Mark => self.mark(helper, context, run)?,
            Role::Pay => self.state.next(number(helper, 0), context, run)?,
            Role::Print => {
                let result = printed(helper)?;
                // A call noted itself what its result is made of.
                if let (Some(tracer), [param]) = (&self.state.tracer, helper.params().as_slice()) {
                    tracer.print(behind(tracer, param, context, run));
                }
                return Ok(result);
            }
        }
        Ok(ScopedJson::Derived(Json::String(String::new())))
    }
}

impl Private {
    fn enter(&self, helper: &Helper<'_>, run: &mut RenderContext<'_, '_>) -> Result<(), TemplateFault> {
        self.state.charge(1)?;
        self.state.enter()?;
        if let Some(tracer) = &self.state.tracer {
            let made_of = tracer.take_made_of();
            if let [_, is_each, item, key] = helper.params().as_slice() {
                let names = [item.value(), key.value()];
                tracer.scopes().enter(run, made_of, is_each.value() == true, names);
            }
        }
        Ok(())
    }

    fn mark<'rc>(
        &self,
        helper: &Helper<'rc>,
        context: &'rc Context,
        run: &mut RenderContext<'_, 'rc>,
    ) -> Result<(), TemplateFault> {
        self.state.charge(1)?;
        let counts = helper.param(2).and_then(|param| param.value().as_bool()).unwrap_or(false);
        self.state.mark(number(helper, 0), number(helper, 1), counts);
        if helper.param(PRICE_OF_MARK).is_some_and(|price| !price.value().is_null()) {
            self.state.next(number(helper, PRICE_OF_MARK), context, run)?;
        }
        if let Some(tracer) = &self.state.tracer {
            let made_of = helper.params().get(PRICE_OF_MARK + 2..).unwrap_or_default();
            let made_of = tracer.scopes().made_of(made_of, context, run);
            tracer.mark(number(helper, PRICE_OF_MARK + 1), made_of);
        }
        Ok(())
    }

    /// The argument of a block or a partial.
    fn argument<'rc>(
        &self,
        helper: &Helper<'rc>,
        context: &'rc Context,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let param = helper.param(0).ok_or_else(|| undefined(None))?;
        let value = param.value();
        let read = written::read(value);
        let is_scalar = !read.is_array() && !read.is_object();
        Ok(match self.role {
            // `includeZero` asks for the number; nothing else of the value is needed, and so it is not copied.
            Role::Test if read.is_number() => ScopedJson::Derived(read.clone()),
            Role::Test => ScopedJson::Derived((!is_empty(read)).into()),
            Role::Items if is_scalar && is_empty(read) => ScopedJson::Derived(Json::Array(Vec::new())),
            Role::Items if is_scalar => return Err(not_items(param).into()),
            Role::Base if is_scalar && is_empty(read) => ScopedJson::Derived(read.clone()),
            Role::Merged if is_scalar => self.copied(read, &INCLUDED_WITH_NAMES)?,
            Role::Context | Role::Given if param.is_value_missing() => {
                let undefined = written::undefined(param.relative_path().map_or("this", String::as_str));
                self.state.pay_for_given(&undefined, Stands::Copy, self.role.times())?;
                ScopedJson::Derived(undefined)
            }
            role => self.handed_on(param, role.times(), context)?,
        })
    }

    /// An argument as it is, with its place in the context where it has one.
    fn handed_on<'rc>(
        &self,
        param: &PathAndJson<'rc>,
        times: &Times,
        context: &'rc Context,
    ) -> Result<ScopedJson<'rc>, TemplateFault> {
        if let Some(constant) = param.try_get_constant_value() {
            self.state.pay_for_given(constant, Stands::Template, times)?;
            return Ok(ScopedJson::Constant(constant));
        }
        let path = param.context_path().cloned();
        if let Some((value, path)) = path.and_then(|path| Some((scope::navigate(context, &path)?, path))) {
            self.state.pay_for_given(value, Stands::Context, times)?;
            return Ok(ScopedJson::Context(value, path));
        }
        self.copied(param.value(), times)
    }

    /// A copy of a value, paid for before it is made.
    fn copied<'rc>(&self, value: &Json, times: &Times) -> Result<ScopedJson<'rc>, TemplateFault> {
        self.state.pay_for_given(value, Stands::Copy, times)?;
        Ok(ScopedJson::Derived(value.clone()))
    }

    /// `lookup collection key`, as the engine has it; it would not say what it found.
    fn looked_up<'rc>(
        &self,
        helper: &Helper<'rc>,
        context: &'rc Context,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let param =
            |index| helper.param(index).ok_or(RenderErrorReason::ParamNotFoundForIndex("lookup", index));
        let (collection, key) = (param(0)?, param(1)?);
        defined(collection)?;
        defined(key)?;
        let key = written::read(key.value());
        let found = match written::read(collection.value()) {
            Json::Array(items) => key.as_u64().and_then(|index| items.get(usize::try_from(index).ok()?)),
            Json::Object(fields) => key.as_str().and_then(|key| fields.get(key)),
            _ => None,
        };
        let found = found.ok_or(RenderErrorReason::MissingVariable(None))?;
        let path = collection.context_path().map(|path| {
            let step = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            path.iter().cloned().chain([step]).collect::<Vec<_>>()
        });
        let known = path.and_then(|path| Some((scope::navigate(context, &path)?, path)));
        let result = if let Some((found, path)) = known {
            // What stands in the context is given on as such, and not copied here.
            ScopedJson::Context(found, path)
        } else {
            self.state.pay_for_copy(found)?;
            ScopedJson::Derived(found.clone())
        };
        if let Some(tracer) = &self.state.tracer {
            let arguments = helper.params().iter().map(PathAndJson::value);
            tracer.made(arguments, result.as_json(), tracer.entry(found));
        }
        Ok(result)
    }
}

/// An argument that the instrumentation gives, which is a small number.
fn number(helper: &Helper<'_>, index: usize) -> usize {
    let number = helper.param(index).and_then(|param| param.value().as_u64()).unwrap_or(0);
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn printed<'rc>(helper: &Helper<'rc>) -> Result<ScopedJson<'rc>, RenderError> {
    let param = helper.param(0).ok_or_else(|| undefined(None))?;
    defined(param)?;
    if let Some(text) = written::text(param.value()) {
        return Ok(ScopedJson::Derived(text.into()));
    }
    let kind = kind_of(param.value());
    Err(match helper.param(1).and_then(|helper| helper.value().as_str()) {
        Some(helper) => TemplateFault::ResultType { helper: helper.to_owned(), kind },
        None => TemplateFault::Type { path: path_of(param), kind },
    }
    .into())
}

fn not_items(param: &PathAndJson<'_>) -> TemplateFault {
    TemplateFault::Items { path: path_of(param), kind: kind_of(written::read(param.value())) }
}

fn path_of(param: &PathAndJson<'_>) -> String {
    param.relative_path().cloned().unwrap_or_else(|| "this".to_owned())
}

const fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Array(_) => "array",
        Json::Bool(_) => "boolean",
        Json::Null => "null",
        Json::Number(_) => "number",
        Json::Object(_) => "object",
        Json::String(_) => "string",
    }
}
