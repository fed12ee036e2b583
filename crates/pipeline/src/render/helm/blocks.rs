//! The open blocks of a template, those of Helm as well.

use super::fault::{SyntaxFault, shorten};
use super::tag::{OpenedBlock, TagRole};
use super::translate::TagScope;

/// A position and a width.
type Place = ((usize, usize), usize);

/// A block that is not closed yet.
#[derive(Debug)]
pub(super) struct OpenBlock {
    pub(super) name: String,
    pub(super) start: (usize, usize),
    pub(super) width: usize,
    pub(super) is_definition: bool,
    is_scope: bool,
    parameters: usize,
    has_else: bool,
}

/// The open blocks, the innermost last.
#[derive(Debug, Default)]
pub(super) struct OpenBlocks {
    open: Vec<OpenBlock>,
    /// The meaning of names within them.
    pub(super) scope: TagScope,
}

impl OpenBlocks {
    /// Returns the number of open blocks.
    pub(super) const fn len(&self) -> usize {
        self.open.len()
    }

    /// Returns the name of the innermost block.
    pub(super) fn innermost(&self) -> Option<&str> {
        self.open.last().map(|block| block.name.as_str())
    }

    /// Closes the innermost block.
    pub(super) fn pop(&mut self) -> Option<OpenBlock> {
        let block = self.open.pop()?;
        self.scope.depth = self.scope.depth.saturating_sub(usize::from(block.is_scope));
        let left = self.scope.parameters.len().saturating_sub(block.parameters);
        self.scope.parameters.truncate(left);
        Some(block)
    }

    /// Applies a tag at a place. Returns its fault, and the place of the fault if it is that of another tag.
    pub(super) fn apply(
        &mut self,
        role: TagRole,
        start: (usize, usize),
        width: usize,
    ) -> Option<(SyntaxFault, Option<Place>)> {
        match role {
            TagRole::Close(name) => self.close(name),
            TagRole::Else { has_condition } => {
                let Some(block) = self.open.last_mut() else { return Some((SyntaxFault::ElseOutside, None)) };
                if block.has_else {
                    return Some((SyntaxFault::ElseTwice, None));
                }
                block.has_else = !has_condition;
                None
            }
            TagRole::Open(block) => {
                self.push(block, start, width);
                None
            }
            TagRole::Other => None,
        }
    }

    fn push(&mut self, block: OpenedBlock, start: (usize, usize), width: usize) {
        let OpenedBlock { name, parameters, is_scope, is_definition } = block;
        self.scope.depth += usize::from(is_scope);
        let count = parameters.len();
        self.scope.parameters.extend(parameters);
        self.open.push(OpenBlock {
            name,
            start,
            width,
            is_definition,
            is_scope,
            parameters: count,
            has_else: false,
        });
    }

    fn close(&mut self, name: Option<String>) -> Option<(SyntaxFault, Option<Place>)> {
        let Some(name) = name else {
            self.pop();
            return None;
        };
        let Some(innermost) = self.open.last() else {
            return Some((SyntaxFault::StrayClose { name: shorten(&name) }, None));
        };
        if innermost.name == name {
            self.pop();
            return None;
        }
        let opened = innermost.name.clone();
        let place = (innermost.start, innermost.width);
        if self.open.iter().any(|block| block.name == name) {
            while self.pop().is_some_and(|block| block.name != name) {}
            return Some((SyntaxFault::BlockOpen { name: shorten(&opened) }, Some(place)));
        }
        self.pop();
        Some((SyntaxFault::Mismatch { opened: shorten(&opened), closed: shorten(&name) }, None))
    }
}
