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

use super::{behind, defined, is_empty, size_of, undefined};
use crate::pipeline::render::engine::State;
use crate::pipeline::render::errors::TemplateFault;
use crate::pipeline::render::instrument::{BASE, ENTER, GIVEN, ITEMS, LEAVE, MARK, MERGED, PRINT, TEST};
use crate::pipeline::render::{scope, written};

/// Makes them known to a registry.
pub(super) fn register(registry: &mut Handlebars<'static>, state: &Arc<State>) {
    for (name, role) in [
        ("lookup", Role::Lookup),
        (BASE, Role::Base),
        (ENTER, Role::Enter),
        (GIVEN, Role::Given),
        (ITEMS, Role::Items),
        (LEAVE, Role::Leave),
        (MARK, Role::Mark),
        (MERGED, Role::Merged),
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
    Enter,
    /// What a partial gets: it stays undefined where it is.
    Given,
    /// What a loop goes through.
    Items,
    Leave,
    Lookup,
    Mark,
    /// The context of a partial that gets values by name as well.
    Merged,
    Print,
    /// The condition of a block.
    Test,
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
            Role::Base | Role::Given | Role::Items | Role::Merged | Role::Test => {
                return self.argument(helper, context);
            }
            Role::Enter => self.enter(helper, run)?,
            Role::Leave => self.state.leave(),
            Role::Lookup => return self.looked_up(helper, context),
            Role::Mark => self.mark(helper, context, run)?,
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
        self.state.charge(number(helper, 0))?;
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
        let index = |at| usize::try_from(number(helper, at)).unwrap_or(usize::MAX);
        let counts = helper.param(2).and_then(|param| param.value().as_bool()).unwrap_or(false);
        self.state.mark(index(0), index(1), counts);
        if let Some(tracer) = &self.state.tracer {
            let made_of = helper.params().get(4..).unwrap_or_default();
            let made_of = tracer.scopes().made_of(made_of, context, run);
            tracer.mark(index(3), made_of);
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
            Role::Merged | Role::Test if is_scalar => ScopedJson::Derived(read.clone()),
            Role::Test => ScopedJson::Derived((!is_empty(read)).into()),
            Role::Items if is_scalar && is_empty(read) => ScopedJson::Derived(Json::Array(Vec::new())),
            Role::Items if is_scalar => return Err(not_items(param).into()),
            Role::Base if is_scalar && is_empty(read) => ScopedJson::Derived(read.clone()),
            Role::Given if param.is_value_missing() => {
                ScopedJson::Derived(written::undefined(param.relative_path().map_or("this", String::as_str)))
            }
            _ => return self.handed_on(param, context).map_err(RenderError::from),
        })
    }

    /// An argument as it is, with its place in the context where it has one; a copy of it costs what it is large.
    fn handed_on<'rc>(
        &self,
        param: &PathAndJson<'rc>,
        context: &'rc Context,
    ) -> Result<ScopedJson<'rc>, TemplateFault> {
        if let Some(constant) = param.try_get_constant_value() {
            return Ok(ScopedJson::Constant(constant));
        }
        let path = param.context_path().cloned();
        if let Some(known) =
            path.and_then(|path| Some(ScopedJson::Context(scope::navigate(context, &path)?, path)))
        {
            return Ok(known);
        }
        self.state.charge(1 + size_of(param.value()) / 64)?;
        Ok(ScopedJson::Derived(param.value().clone()))
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
        let Some(tracer) = &self.state.tracer else { return Ok(ScopedJson::Derived(found.clone())) };
        let path = collection.context_path().map(|path| {
            let step = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            path.iter().cloned().chain([step]).collect::<Vec<_>>()
        });
        let known = path.and_then(|path| Some(ScopedJson::Context(scope::navigate(context, &path)?, path)));
        let result = known.unwrap_or_else(|| ScopedJson::Derived(found.clone()));
        tracer.made(helper.params().iter().map(PathAndJson::value), result.as_json(), tracer.entry(found));
        Ok(result)
    }
}

fn number(helper: &Helper<'_>, index: usize) -> u64 {
    helper.param(index).and_then(|param| param.value().as_u64()).unwrap_or(0)
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
