//! What a rule says of itself: on a terminal, and in docs/rules.md.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use globset::GlobBuilder;

use crate::diagnostic::report::wrap::{indented, prose};
use crate::diagnostic::{RuleInfo, Severity};
use crate::model::names::IGNORE_PREFIX;

const HEAD: &str = "\
# Rules

What `sealwave validate` looks for. `sealwave validate --explain RULE` shows one of these on a terminal, `--explain all` lists them. This page is made \
from the rules themselves: after a change, `SEALWAVE_UPDATE_GOLDEN=1 cargo test --lib lints::pages` writes it anew.

## Severity
An error means that something will not work or is not safe, a warning that it is probably not what its author wants, a note \
is good to know. `--rule RULE=off|note|warning|error` changes that for a run; a rule that is off by default is turned on so. \
`--fail-on` says which severity makes the exit code 1.

Where a rule says *refused by the API server*, its errors are what the API server refuses when the object is applied, and \
`sealwave generate --validate` refuses the same. Of a custom resource (an Argo Rollout, an ExternalSecret), its controller is \
refused later what it makes of it, and `generate --validate` lets that pass.

## Suppression
A finding that is wanted as it is can be silenced where it stands, with a reason and perhaps a last day:

```yaml
replicas: 1 # sealwave: ignore GROUP/NAME until 2030-12-31 -- REASON
# sealwave: ignore GROUP/NAME -- REASON (alone on its line, it is for the next one)
metadata:
  annotations:
    ignore.sealwave.dev/GROUP.NAME: REASON   # for the whole object
```

`validate.ignore` in `sealwave.yaml` does the same for many objects at once. A suppression without a reason does not count, \
and one that silences nothing is a finding itself. `--write-baseline` and `--baseline` are for all that was there before.
";

/// Columns of a page at most: longer lines are hard to read.
const WIDTH: usize = 100;

/// The rules of a group (`image`), those that a glob means (`image/*`), or `all`; in order.
#[must_use]
pub fn matching(pattern: &str) -> Vec<&'static RuleInfo> {
    let pattern = match pattern {
        "all" => "*/*".to_owned(),
        group if !group.contains(['/', '*', '?', '[', '{']) => format!("{group}/*"),
        glob => glob.to_owned(),
    };
    let Ok(glob) = GlobBuilder::new(&pattern).build() else { return Vec::new() };
    let glob = glob.compile_matcher();
    super::rules().filter(|rule| glob.is_match(rule.id)).collect()
}

/// Rules as a list: severity, id, what they find.
#[must_use]
pub fn list(rules: &[&RuleInfo]) -> String {
    let id_width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules {
        let (colour, name) = (colour(rule.severity), rule.severity.name());
        let state = if rule.enabled { "" } else { " (off by default)" };
        let _ = writeln!(out, "{colour}{name:7}{colour:#}  {:id_width$}  {}{state}", rule.id, rule.summary);
    }
    out
}

const fn colour(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Error => AnsiColor::BrightRed,
        Severity::Note => AnsiColor::BrightGreen,
        Severity::Warning => AnsiColor::Yellow,
    };
    colour.on_default().bold()
}

/// The page of a rule as styled text, in lines of at most `width` columns.
#[must_use]
pub fn explain(rule: &RuleInfo, width: Option<usize>) -> String {
    let width = width.unwrap_or(WIDTH).min(WIDTH);
    let bold = Style::new().bold();
    let colour = colour(rule.severity);
    let mut out =
        format!("{colour}{}{colour:#}{bold}[{}]: {}{bold:#}\n", rule.severity.name(), rule.id, rule.summary);
    if !rule.enabled {
        let _ = writeln!(out, "off unless `--rule {}={}` asks for it", rule.id, rule.severity.name());
    }
    if rule.is_refused() {
        let _ = writeln!(out, "its errors are refused by the API server, and by `generate --validate`");
    }
    let _ = write!(out, "\n{}\n{bold}for example{bold:#}\n", prose(rule.explanation(), width));
    out.extend(rule.example().lines().map(indented));
    let _ = write!(out, "\n{bold}what to do{bold:#}\n{}", prose(rule.remedy(), width));
    let _ = write!(out, "\n{bold}where it is wanted{bold:#}\n{}", prose(&suppression(rule), width));
    out
}

/// How its findings are silenced.
fn suppression(rule: &RuleInfo) -> String {
    if !rule.is_suppressible() {
        return "Its findings cannot be suppressed.".to_owned();
    }
    let annotation = format!("{IGNORE_PREFIX}{}", rule.id.replace('/', "."));
    format!(
        "`# sealwave: ignore {} -- REASON` on its line, or the annotation `{annotation}: REASON`",
        rule.id
    )
}

/// The page of all rules, as Markdown.
#[must_use]
pub fn page<'a>(rules: impl Iterator<Item = &'a RuleInfo>) -> String {
    let mut out = HEAD.to_owned();
    let mut last = "";
    for rule in rules {
        let group = rule.id.split('/').next().unwrap_or_default();
        if group != last {
            let _ = write!(out, "\n## {group}\n");
            last = group;
        }
        section(&mut out, rule);
    }
    out
}

/// Says at the end of a list whether the API server refuses what a rule reports.
const fn refused(rule: &RuleInfo) -> &'static str {
    match (rule.is_refused(), rule.severity) {
        (true, Severity::Error) => ", refused by the API server",
        (true, _) => ", errors refused by the API server",
        (false, _) => "",
    }
}

fn section(out: &mut String, rule: &RuleInfo) {
    let state = if rule.enabled { "on by default" } else { "off by default" };
    let refused = refused(rule);
    let _ = write!(
        out,
        "\n### {id}\n{severity}, {state}{refused}: {summary}.\n\n{explanation}\n\n```yaml\n{example}\n```\n\n{remedy}\n\n{suppression}\n",
        id = rule.id,
        severity = rule.severity.name(),
        summary = rule.summary,
        explanation = rule.explanation(),
        example = rule.example(),
        remedy = rule.remedy(),
        suppression = suppression(rule),
    );
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use walkdir::WalkDir;

    use super::*;
    use crate::diagnostic::report::samples::assert_golden;
    use crate::lints;

    #[test]
    fn docs_rules_is_what_the_rules_say() {
        let mut rules: Vec<&RuleInfo> = lints::rules().collect();
        rules.sort_by_key(|rule| rule.id);
        assert_golden("docs/rules.md", page(rules.into_iter()).as_bytes());
    }

    /// Returns the Markdown files below `src`, each with its first line without `# `.
    fn page_files() -> Vec<(PathBuf, String)> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let files = WalkDir::new(source).sort_by_file_name().into_iter().map(Result::unwrap);
        let pages = files.filter(|entry| entry.path().extension().is_some_and(|end| end == "md"));
        let title = |path: &Path| {
            let text = fs_err::read_to_string(path).unwrap();
            text.lines().next().unwrap().strip_prefix("# ").unwrap().to_owned()
        };
        pages.map(|entry| (entry.path().to_owned(), title(entry.path()))).collect()
    }

    #[test]
    fn every_page_belongs_to_a_rule() {
        let pages = page_files();
        let mut titles: Vec<&str> = pages.iter().map(|(_, title)| title.as_str()).collect();
        let mut ids: Vec<&str> = lints::rules().map(|rule| rule.id).chain(["report/left-out"]).collect();
        titles.sort_unstable();
        ids.sort_unstable();
        assert_eq!(titles, ids, "files of pages against rules");
        for (path, title) in &pages {
            let stem = title.split_once('/').unwrap().1.replace('-', "_");
            assert_eq!(path.file_stem().unwrap().to_str(), Some(stem.as_str()), "{title}");
        }
    }

    #[test]
    fn every_page_has_its_title_and_sections_once() {
        for rule in lints::rules() {
            let RuleInfo { id, page, .. } = *rule;
            assert_eq!(rule.title(), id);
            for text in [rule.explanation(), rule.example(), rule.remedy()] {
                assert!(!text.is_empty() && text.trim() == text, "{id}: {text:?}");
            }
            let written = format!(
                "# {id}\n\n{}\n\n## Example\n\n```yaml\n{}\n```\n\n## What to do\n\n{}\n",
                rule.explanation(),
                rule.example(),
                rule.remedy(),
            );
            assert_eq!(page, written);
            let headings = page.lines().filter(|line| line.starts_with("## "));
            assert_eq!(headings.collect::<Vec<_>>(), ["## Example", "## What to do"], "{id}");
        }
    }

    #[test]
    fn a_rule_explains_itself_to_people() {
        let rule = lints::rule("config/env-duplicate").unwrap();
        let text = anstream::adapter::strip_str(&explain(rule, None)).to_string();
        assert!(text.starts_with(
            "warning[config/env-duplicate]: a container sets the same environment variable twice\n"
        ));
        for part in [rule.remedy(), "    - {name: LOG_LEVEL, value: debug}\n"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.contains("`ignore.sealwave.dev/config.env-duplicate: REASON`"), "{text}");
    }

    #[test]
    fn a_page_fits_its_terminal_and_shows_no_fences() {
        for rule in lints::rules() {
            let text = anstream::adapter::strip_str(&explain(rule, Some(60))).to_string();
            assert!(!text.contains("```"), "{}", rule.id);
            let prose = text.lines().skip(1).filter(|line| !line.starts_with("    "));
            let long: Vec<&str> =
                prose.filter(|line| line.chars().count() > 60 && line.trim().contains(' ')).collect();
            assert!(long.iter().all(|line| line.contains('`')), "{}: {long:?}", rule.id);
        }
    }

    #[test]
    fn rules_are_found_by_group_and_glob() {
        let ids = |pattern: &str| matching(pattern).iter().map(|rule| rule.id).collect::<Vec<_>>();
        assert_eq!(ids("image"), ["image/digest", "image/latest", "image/missing", "image/reference"]);
        assert_eq!(ids("image/*"), ids("image"));
        assert_eq!(ids("*/latest"), ["image/latest"]);
        assert_eq!(ids("all").len(), lints::rules().count());
        assert!(ids("imag").is_empty() && ids("[").is_empty());
        let text = anstream::adapter::strip_str(&list(&matching("image"))).to_string();
        assert!(text.lines().count() == 4 && text.contains("image/latest  "), "{text}");
    }

    #[test]
    fn what_cannot_be_suppressed_or_is_off_is_said() {
        let off = RuleInfo { enabled: false, ..*lints::rule("app/render").unwrap() };
        let text = anstream::adapter::strip_str(&explain(&off, None)).to_string();
        assert!(text.contains("\noff unless `--rule app/render=error` asks for it\n"), "{text}");
        assert!(text.contains("\nIts findings cannot be suppressed.\n"), "{text}");
    }
}
