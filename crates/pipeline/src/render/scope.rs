//! Finds the entry of the values behind an argument if the engine no longer knows it.
//!
//! The engine knows the path of a value in the context. But a partial gets a copy of its context, and blocks in it work
//! on copies. The helper that enters a partial or a block therefore records the source of the copy and stores the
//! number of this record in the block, as a local variable. Names are then resolved as in the engine, and a result
//! counts only if it equals the engine's value.

use std::collections::{BTreeMap, VecDeque};

use handlebars::{BlockContext, BlockParamHolder, Context, Path, PathAndJson, PathSeg, RenderContext};
use serde_json::Value as Json;

use super::price::OpenBlocks;
use super::private_names::{EACH, SCOPE};

/// The value of the context behind an argument.
pub struct FoundArgument<'rc> {
    pub(super) value: &'rc Json,
    /// Whether the argument is the key of that value.
    pub(super) is_key: bool,
}

/// The source of the context of a partial or a block.
#[derive(Debug, Default)]
pub(super) struct ScopeSource {
    /// The path of its context; for a loop, that of the list or the mapping.
    base: Option<Vec<String>>,
    /// The paths of its named arguments.
    names: BTreeMap<String, Vec<String>>,
}

/// The record of an open block.
#[derive(Debug)]
struct OpenScope {
    number: u64,
    /// The number of blocks including it and those around it.
    depth: usize,
    made_of: ScopeSource,
    is_each: bool,
    item: Option<String>,
    key: Option<String>,
}

/// The records of the open blocks, the innermost last.
#[derive(Debug, Default)]
pub(super) struct ScopeStack {
    open: Vec<OpenScope>,
    count: u64,
}

/// Calls a function with the open blocks, the innermost first.
pub(super) fn with_blocks<'rc, T>(
    run: &mut RenderContext<'_, 'rc>,
    look: impl FnOnce(&mut OpenBlocks<'rc>) -> T,
) -> T {
    let mut blocks = run.replace_blocks(VecDeque::new());
    let result = look(&mut blocks);
    run.replace_blocks(blocks);
    result
}

impl ScopeStack {
    /// Returns the source of a partial or a block from its context and its named arguments.
    pub(super) fn find_source<'rc>(
        &self,
        arguments: &[PathAndJson<'rc>],
        root: &'rc Context,
        run: &mut RenderContext<'_, 'rc>,
    ) -> Option<ScopeSource> {
        let (context, names) = arguments.split_first()?;
        Some(with_blocks(run, |blocks| {
            let given = names.chunks(2).filter_map(|pair| {
                let [name, value] = pair else { return None };
                Some((name.value().as_str()?.to_owned(), self.path_of(value, root, blocks)?))
            });
            ScopeSource { base: self.path_of(context, root, blocks), names: given.collect() }
        }))
    }

    /// Records the source of a block that was just entered; `item` and `key` are its parameters.
    pub(super) fn enter(
        &mut self,
        run: &mut RenderContext<'_, '_>,
        made_of: Option<ScopeSource>,
        is_each: bool,
        [item, key]: [&Json; 2],
    ) {
        with_blocks(run, |blocks| {
            let depth = blocks.len();
            let (Some(block), Some(made_of)) = (blocks.front_mut(), made_of) else { return };
            // Blocks of the same depth are closed by now.
            self.open.retain(|scope| scope.depth < depth);
            self.count = self.count.saturating_add(1);
            let to_name = |name: &Json| name.as_str().map(str::to_owned);
            let (item, key) = (to_name(item), to_name(key));
            self.open.push(OpenScope { number: self.count, depth, made_of, is_each, item, key });
            block.set_local_var(SCOPE, self.count.into());
            if is_each {
                block.set_local_var(EACH, depth.into());
            }
        });
    }

    /// Finds an argument in the context.
    pub(super) fn find<'rc>(
        &self,
        param: &PathAndJson<'rc>,
        root: &'rc Context,
        run: &mut RenderContext<'_, 'rc>,
    ) -> Option<FoundArgument<'rc>> {
        if param.is_value_missing() || param.try_get_constant_value().is_some() {
            return None;
        }
        let name = param.relative_path()?;
        with_blocks(run, |blocks| {
            if name == "@key" {
                return find_key(&self.loop_path(blocks)?, param.value(), root);
            }
            match self.path_of(param, root, blocks) {
                Some(path) => Some(FoundArgument { value: navigate(root, &path)?, is_key: false }),
                None => find_key(&self.named_key(name, blocks)?, param.value(), root),
            }
        })
    }

    /// Returns the path of an argument if its value is the engine's.
    fn path_of(
        &self,
        param: &PathAndJson<'_>,
        root: &Context,
        blocks: &OpenBlocks<'_>,
    ) -> Option<Vec<String>> {
        if let Some(path) = param.context_path() {
            return Some(path.clone());
        }
        let path = self.resolve_path(param.relative_path()?, blocks)?;
        (navigate(root, &path)? == param.value()).then_some(path)
    }

    /// Resolves a name as the engine does: a block parameter of that name in any block, otherwise the context of the
    /// block the given number of levels up.
    fn resolve_path(&self, name: &str, blocks: &OpenBlocks<'_>) -> Option<Vec<String>> {
        let (up, parts) = split_name(name)?;
        if let Some((first, rest)) = parts.split_first()
            && let Some((at, block, holder)) = find_holder(first, blocks)
        {
            let mut path = match holder {
                BlockParamHolder::Path(path) => [block.base_path().as_slice(), path].concat(),
                BlockParamHolder::Value(_) => self.parameter(first, block, blocks.len() - at)?,
            };
            path.extend_from_slice(rest);
            return Some(path);
        }
        let at = if up < blocks.len() { up } else { 0 };
        let mut path = self.base(blocks.get(at)?, blocks.len() - at)?;
        path.extend(parts);
        Some(path)
    }

    /// Returns the path of a block parameter.
    fn parameter(&self, name: &str, block: &BlockContext<'_>, depth: usize) -> Option<Vec<String>> {
        let scope = self.scope(block, depth)?;
        if scope.item.as_deref() == Some(name) {
            return self.base(block, depth);
        }
        scope.made_of.names.get(name).cloned()
    }

    /// Returns the path of the context of a block.
    fn base(&self, block: &BlockContext<'_>, depth: usize) -> Option<Vec<String>> {
        if block.base_value().is_none() {
            return Some(block.base_path().clone());
        }
        let scope = self.scope(block, depth)?;
        let mut path = scope.made_of.base.clone()?;
        if scope.is_each {
            let step = block.get_local_var("key").or_else(|| block.get_local_var("index"))?;
            path.push(step.as_str().map_or_else(|| step.to_string(), str::to_owned));
        }
        Some(path)
    }

    /// Returns the record of a block. Blocks pass their local variables to nested ones, so the record may belong to an
    /// outer block.
    fn scope(&self, block: &BlockContext<'_>, depth: usize) -> Option<&OpenScope> {
        let number = block.get_local_var(SCOPE)?.as_u64()?;
        self.open.iter().rev().find(|scope| scope.number == number && scope.depth == depth)
    }

    /// Returns the path of the current item of the loop to which `@key` belongs.
    fn loop_path(&self, blocks: &OpenBlocks<'_>) -> Option<Vec<String>> {
        let depth = usize::try_from(blocks.front()?.get_local_var(EACH)?.as_u64()?).ok()?;
        self.base(blocks.get(blocks.len().checked_sub(depth)?)?, depth)
    }

    /// Returns the path of the current item of a loop with this second parameter.
    fn named_key(&self, name: &str, blocks: &OpenBlocks<'_>) -> Option<Vec<String>> {
        let (at, block, holder) = find_holder(name, blocks)?;
        let depth = blocks.len() - at;
        let is_value = matches!(holder, BlockParamHolder::Value(_));
        let is_key = is_value && self.scope(block, depth)?.key.as_deref() == Some(name);
        is_key.then(|| self.base(block, depth))?
    }
}

/// Returns the value at a path of the context.
pub(super) fn navigate<'rc>(root: &'rc Context, path: &[String]) -> Option<&'rc Json> {
    path.iter().try_fold(root.data(), |node, step| match node {
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        Json::Object(fields) => fields.get(step),
        _ => None,
    })
}

/// Returns the number of levels that a name goes up, and its parts; `None` for local variables.
fn split_name(name: &str) -> Option<(usize, Vec<String>)> {
    let Ok(Path::Relative((steps, _))) = Path::parse(name) else { return None };
    let up = steps.iter().take_while(|step| !matches!(step, PathSeg::Named(_))).count();
    let name_of = |step: PathSeg| match step {
        PathSeg::Named(name) => Some(name),
        _ => None,
    };
    (!name.contains("@root")).then(|| (up, steps.into_iter().filter_map(name_of).collect()))
}

fn find_holder<'b, 'rc>(
    name: &str,
    blocks: &'b OpenBlocks<'rc>,
) -> Option<(usize, &'b BlockContext<'rc>, &'b BlockParamHolder)> {
    blocks.iter().enumerate().find_map(|(at, block)| Some((at, block, block.get_block_param(name)?)))
}

/// Returns the entry of a mapping at a path if it has this key.
fn find_key<'rc>(path: &[String], key: &Json, root: &'rc Context) -> Option<FoundArgument<'rc>> {
    let (last, parent) = path.split_last()?;
    let is_entry = navigate(root, parent)?.is_object() && key.as_str() == Some(last.as_str());
    let value = navigate(root, path)?;
    is_entry.then_some(FoundArgument { value, is_key: true })
}
