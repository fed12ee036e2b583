//! Sources and positions in them, for nodes and for people.
//!
//! A node has an [`Origin`] of 16 bytes; the [`Sources`] of a run turn it into a [`SourceLocation`] with a path. Nothing here
//! contains the text of a source, so no diagnostic can quote one by accident.

use std::fmt;
use std::path::{Component, Path, PathBuf};

/// The number of a source in its [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u32);

/// The start of a node. Lines and columns count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The source.
    pub source: SourceId,
    /// Line, from 1; 0 means the source as a whole.
    pub line: u32,
    /// Column in characters, from 1; 0 means the line as a whole.
    pub column: u32,
    /// Number of characters on that line; 0 if unknown.
    pub width: u32,
}

impl Origin {
    /// Returns the origin of a whole source.
    #[must_use]
    pub const fn whole(source: SourceId) -> Self {
        Self { source, line: 0, column: 0, width: 0 }
    }

    /// Returns the origin of a single point.
    #[must_use]
    pub const fn point(source: SourceId, line: u32, column: u32) -> Self {
        Self { source, line, column, width: 0 }
    }
}

/// A source that was read: a file, or the output of a template.
#[derive(Clone, Debug)]
pub struct SourceInfo {
    name: String,
    rendered_from: LineMap,
}

/// The template line of each line of a rendered text.
///
/// Consecutive lines of a template, and repetitions of one line, are stored as one run: a loop may produce millions of
/// lines.
#[derive(Clone, Debug, Default)]
pub struct LineMap {
    runs: Vec<LineRun>,
    lines: u32,
}

/// Rendered lines that come from one line of a template (`step` 0), or from consecutive lines (`step` 1).
#[derive(Clone, Copy, Debug)]
struct LineRun {
    /// Number of rendered lines before the run.
    before: u32,
    step: u32,
    first: Origin,
}

impl LineRun {
    fn line(&self, index: u32) -> Origin {
        let after = index.saturating_sub(self.before).saturating_mul(self.step);
        Origin { line: self.first.line.saturating_add(after), ..self.first }
    }
}

impl LineMap {
    /// Adds the next line of the rendered text; returns whether that allocated memory.
    pub fn push(&mut self, made_by: Origin) -> bool {
        let index = self.lines;
        self.lines = self.lines.saturating_add(1);
        if let Some(run) = self.runs.last_mut() {
            if index == run.before.saturating_add(1) {
                run.step = u32::from(made_by.line != run.first.line);
            }
            if run.line(index) == made_by {
                return false;
            }
        }
        self.runs.push(LineRun { before: index, step: 0, first: made_by });
        true
    }

    /// Returns the memory used, in bytes.
    #[must_use]
    pub const fn memory(&self) -> usize {
        self.runs.capacity() * size_of::<LineRun>()
    }

    /// Returns the template line of a rendered line, counted from 0.
    fn made_by(&self, index: u32) -> Option<Origin> {
        let after = self.runs.partition_point(|run| run.before <= index);
        let run = self.runs.get(after.checked_sub(1)?)?;
        (index < self.lines).then(|| run.line(index))
    }
}

/// All sources of a run.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    all: Vec<SourceInfo>,
}

impl Sources {
    /// Adds a file (or standard input) under its display name.
    pub fn add(&mut self, name: impl Into<String>) -> SourceId {
        self.push(SourceInfo { name: name.into(), rendered_from: LineMap::default() })
    }

    /// Adds the text that the template `name` rendered to; `lines` maps its lines to the template.
    pub fn add_rendered(&mut self, name: impl Into<String>, lines: LineMap) -> SourceId {
        self.push(SourceInfo { name: name.into(), rendered_from: lines })
    }

    fn push(&mut self, source: SourceInfo) -> SourceId {
        let id = SourceId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(source);
        id
    }

    /// Returns the display name of a source.
    #[must_use]
    pub fn name(&self, id: SourceId) -> &str {
        self.all.get(id.0 as usize).map_or("", |source| source.name.as_str())
    }

    /// Returns the names of all sources, in the order in which they were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|source| source.name.as_str())
    }

    /// Reports whether a source is the output of a template.
    #[must_use]
    pub fn is_rendered(&self, id: SourceId) -> bool {
        self.all.get(id.0 as usize).is_some_and(|source| !source.rendered_from.runs.is_empty())
    }

    /// Returns the template line of a position in rendered text; `None` for other positions.
    #[must_use]
    pub fn template_line(&self, origin: Origin) -> Option<Origin> {
        let source = self.all.get(origin.source.0 as usize)?;
        source.rendered_from.made_by(origin.line.checked_sub(1)?)
    }

    /// Returns the location to show: a position in rendered text becomes that of its template line.
    #[must_use]
    pub fn location(&self, origin: Origin) -> SourceLocation {
        match self.template_line(origin) {
            Some(template) => {
                SourceLocation { rendered: Some((origin.line, origin.column)), ..self.location(template) }
            }
            None => SourceLocation {
                path: self.name(origin.source).to_owned(),
                line: origin.line,
                column: origin.column,
                rendered: None,
            },
        }
    }
}

/// Formats a path for messages: without `./`, with `/` as separator, and `.` if nothing is left.
///
/// The result opens the same file, or none: on Unix, `\\` is an ordinary character.
#[must_use]
pub fn display_path(path: &Path) -> String {
    let parts: PathBuf = path.components().filter(|part| !matches!(part, Component::CurDir)).collect();
    let text = if parts.as_os_str().is_empty() { ".".into() } else { parts.to_string_lossy() };
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

/// A position for messages: `path:line:column`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceLocation {
    /// Path as known to the user.
    pub path: String,
    /// Line, from 1; 0 if only the file is known.
    pub line: u32,
    /// Column in characters, from 1; 0 if only the line is known.
    pub column: u32,
    /// Line and column in the rendered text, if this is a template's position.
    pub rendered: Option<(u32, u32)>,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        if let Some((line, column)) = self.rendered {
            write!(f, " (rendered line {line}, column {column})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_stored_as_runs_and_found_again() {
        let mut sources = Sources::default();
        let (one, other) = (sources.add("one"), sources.add("other"));
        let at = |source, line| Origin::point(source, line, 0);
        let mut all = vec![at(one, 3); 1000];
        all.extend((4..500).map(|line| at(one, line)));
        all.extend([at(other, 500), at(other, 500), at(other, 501), at(one, 502), at(one, 1), at(one, 3)]);
        let mut lines = LineMap::default();
        let grown = all.iter().filter(|line| lines.push(**line)).count();
        assert!(grown < 10 && grown == lines.runs.len(), "{grown}");
        for (index, line) in (0_u32..).zip(&all) {
            assert_eq!(lines.made_by(index), Some(*line), "{index}");
        }
        assert_eq!(lines.made_by(u32::try_from(all.len()).unwrap()), None);
    }
}
