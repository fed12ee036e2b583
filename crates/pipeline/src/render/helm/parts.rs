//! The parts of a tag: its braces, the blanks that it trims, its sigil and the rest.

/// The parts of a tag.
#[derive(Debug)]
pub(super) struct TagParts<'t> {
    pub(super) body: &'t str,
    /// `#`, `/`, `>`, `^`, `&` or `*`.
    pub(super) sigil: Option<char>,
    /// Whether it trims the blanks before and after it.
    trims: [bool; 2],
    /// Whether it does so in Go's way.
    pub(super) has_minus: bool,
    braces: usize,
}

impl<'t> TagParts<'t> {
    /// Splits a tag; `None` if it is a comment.
    pub(super) fn new(tag: &'t str) -> Option<Self> {
        let braces = (tag.len() - tag.trim_start_matches('{').len()).min(4);
        let inner = tag.trim_start_matches('{').trim_end_matches('}');
        if inner.starts_with('!') {
            return None;
        }
        let start = inner
            .strip_prefix(['~', '-'])
            .filter(|rest| inner.starts_with('~') || !rest.starts_with(|c: char| c.is_ascii_digit()));
        let rest = start.unwrap_or(inner);
        let is_end_minus = rest.ends_with('-') && !rest.ends_with("--");
        let end = rest.strip_suffix(['~', '-']).filter(|_| rest.ends_with('~') || is_end_minus);
        let has_minus = start.is_some() && inner.starts_with('-') || end.is_some() && is_end_minus;
        let body = end.unwrap_or(rest).trim();
        let sigil = body.chars().next().filter(|c| matches!(c, '#' | '/' | '>' | '^' | '&' | '*'));
        let body = sigil.map_or(body, |sigil| body.get(sigil.len_utf8()..).unwrap_or_default().trim_start());
        Some(Self { body, sigil, trims: [start.is_some(), end.is_some()], has_minus, braces })
    }

    /// Writes a tag with the same braces and blanks. A block's tag that is alone on its line needs no trimming.
    pub(super) fn write(&self, content: &str, is_untrimmed: bool) -> String {
        let tilde = |trims: bool| if trims && !is_untrimmed { "~" } else { "" };
        let braces = if self.braces == 3 { 3 } else { 2 };
        let [before, after] = self.trims.map(tilde);
        format!("{}{before}{content}{after}{}", "{".repeat(braces), "}".repeat(braces))
    }
}
