//! Prints the pages of rules: on a terminal, and in `docs/rules`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use globset::GlobBuilder;

use crate::{RULE_PAGES, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::names::IGNORE_PREFIX;
use sealwave_core::text::{closest_name, indent_code, wrap_prose};

const HEAD: &str = "\
# Rules

The rules that `sealwave validate` checks. `sealwave validate --explain RULE` prints one of them, `--explain all` lists them. \
The [index](#index) below leads to a page for each group.

<!-- A test writes this directory: SEALWAVE_UPDATE_GOLDEN=1 cargo test -p sealwave-validate rules::pages -->

## Severity
An error will not work or is not safe, a warning is probably not intended, and a note is good to know. \
`--rule RULE=off|note|warning|error` changes the severity for a run, and turns on a rule that is off by default. \
`--fail-on` sets the lowest severity that makes the exit code 1.

If a rule is marked *refused by the API server*, the API server refuses an object with an error of this rule when it is \
applied, and `sealwave generate --validate` refuses it too. Some rules make an exception for custom resources (an Argo \
Rollout, an ExternalSecret): the API server accepts them and later refuses what their controllers create from them, so \
`generate --validate` accepts them.

## Suppression
A finding that is intended can be suppressed in its place, with a reason and optionally a last day:

```yaml
replicas: 1 # sealwave: ignore GROUP/NAME until 2030-12-31 -- REASON
# sealwave: ignore GROUP/NAME -- REASON (on its own line, it applies to the next line)
metadata:
  annotations:
    ignore.sealwave.dev/GROUP.NAME: REASON   # for the whole object
```

`validate.ignore` in `sealwave.yaml` suppresses findings of many objects at once. A suppression without a reason is invalid, \
and an unused suppression is a finding itself. `--write-baseline` and `--baseline` suppress all existing findings.
";

/// The maximum number of columns of a page: longer lines are hard to read.
const WIDTH: usize = 100;

/// Returns the rules of a group (`image`), the rules that match a glob (`image/*`), or `all` rules, in order.
#[must_use]
pub fn rules_matching(pattern: &str) -> Vec<&'static RuleInfo> {
    let pattern = match pattern {
        "all" => "*/*".to_owned(),
        group if !group.contains(['/', '*', '?', '[', '{']) => format!("{group}/*"),
        glob => glob.to_owned(),
    };
    let Ok(glob) = GlobBuilder::new(&pattern).build() else { return Vec::new() };
    let glob = glob.compile_matcher();
    super::rules().filter(|rule| glob.is_match(rule.id)).collect()
}

/// Returns the rule or the glob over a group that a name without a rule probably means.
#[must_use]
pub fn closest_rule(name: &str) -> Option<String> {
    let groups: BTreeSet<String> =
        super::rules().filter_map(|rule| Some(format!("{}/*", rule.id.split_once('/')?.0))).collect();
    let ids = super::rules().map(|rule| rule.id);
    // A short glob is near to many names.
    let known: Vec<&str> =
        if name.contains('*') { groups.iter().map(String::as_str).collect() } else { ids.collect() };
    closest_name(name, known).map(str::to_owned)
}

/// Formats rules as a list of severity, id and summary.
#[must_use]
pub fn format_list(rules: &[&RuleInfo]) -> String {
    let id_width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules {
        let (color, name) = (color(rule.severity), rule.severity.name());
        let state = if rule.enabled { "" } else { " (off by default)" };
        let _ = writeln!(out, "{color}{name:7}{color:#}  {:id_width$}  {}{state}", rule.id, rule.summary);
    }
    out
}

const fn color(severity: Severity) -> Style {
    let color = match severity {
        Severity::Error => AnsiColor::BrightRed,
        Severity::Note => AnsiColor::BrightGreen,
        Severity::Warning => AnsiColor::Yellow,
    };
    color.on_default().bold()
}

/// Formats the page of a rule as styled text, in lines of at most `width` columns.
#[must_use]
pub fn explain_rule(rule: &RuleInfo, width: Option<usize>) -> String {
    let width = width.unwrap_or(WIDTH).min(WIDTH);
    let bold = Style::new().bold();
    let color = color(rule.severity);
    let mut out =
        format!("{color}{}{color:#}{bold}[{}]: {}{bold:#}\n", rule.severity.name(), rule.id, rule.summary);
    if !rule.enabled {
        let _ =
            writeln!(out, "off by default; turn it on with `--rule {}={}`", rule.id, rule.severity.name());
    }
    if rule.is_refused() {
        let _ = writeln!(out, "the API server and `generate --validate` refuse objects with its errors");
    }
    let _ = write!(out, "\n{}\n{bold}for example{bold:#}\n", wrap_prose(rule.explanation(), width));
    out.extend(rule.example().lines().map(indent_code));
    let _ = write!(out, "\n{bold}what to do{bold:#}\n{}", wrap_prose(rule.remedy(), width));
    let _ = write!(out, "\n{bold}if it is intended{bold:#}\n{}", wrap_prose(&suppression_help(rule), width));
    out
}

/// Explains how to suppress the findings of a rule.
fn suppression_help(rule: &RuleInfo) -> String {
    if !rule.is_suppressible() {
        return "Its findings cannot be suppressed.".to_owned();
    }
    let annotation = format!("{IGNORE_PREFIX}{}", rule.id.replace('/', "."));
    format!(
        "`# sealwave: ignore {} -- REASON` on its line, or the annotation `{annotation}: REASON`",
        rule.id
    )
}

/// Formats all rules as Markdown pages, each with its path: an index, and one page for each group.
///
/// `rules` must be sorted by id.
#[must_use]
pub fn format_rule_pages(rules: &[&RuleInfo]) -> Vec<(String, String)> {
    let mut index = format!("{HEAD}\n## Index\n");
    let mut pages = Vec::new();
    for rules in rules.chunk_by(|first, second| first.group() == second.group()) {
        let Some(group) = rules.first().map(|rule| rule.group()) else { continue };
        let _ = write!(index, "\n### {group}\n\n| rule | severity | finds |\n|---|---|---|\n");
        let mut page = format!("# Rules: {group}\n\n[All rules](README.md)\n");
        for rule in rules {
            let state = if rule.enabled { "" } else { ", off" };
            let (link, severity) = (rule.page_link(), rule.severity.name());
            let _ = writeln!(
                index,
                "| [{}]({link}) | {severity}{state} | {} |",
                rule.id,
                rule.summary.replace('|', "\\|")
            );
            section(&mut page, rule);
        }
        pages.push((format!("{RULE_PAGES}/{group}.md"), page));
    }
    pages.insert(0, (format!("{RULE_PAGES}/README.md"), index));
    pages
}

/// Returns the note for rules whose errors the API server refuses.
const fn refusal_note(rule: &RuleInfo) -> &'static str {
    match (rule.is_refused(), rule.severity) {
        (true, Severity::Error) => ", refused by the API server",
        (true, _) => ", errors refused by the API server",
        (false, _) => "",
    }
}

fn section(out: &mut String, rule: &RuleInfo) {
    let state = if rule.enabled { "on by default" } else { "off by default" };
    let refused = refusal_note(rule);
    let _ = write!(
        out,
        "\n## {id}\n{severity}, {state}{refused}: {summary}.\n\n{explanation}\n\n```yaml\n{example}\n```\n\n{remedy}\n\n{suppression}\n",
        id = rule.id,
        severity = rule.severity.name(),
        summary = rule.summary,
        explanation = rule.explanation(),
        example = rule.example(),
        remedy = rule.remedy(),
        suppression = suppression_help(rule),
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use walkdir::WalkDir;

    use super::*;
    use crate::report::samples::assert_golden;
    use crate::rules;

    #[test]
    fn docs_rules_matches_the_rules() {
        let mut rules: Vec<&RuleInfo> = rules::rules().collect();
        rules.sort_by_key(|rule| rule.id);
        let pages = format_rule_pages(&rules);
        for (path, page) in &pages {
            assert_golden(path, page.as_bytes());
        }
        let written: BTreeSet<String> = pages.into_iter().map(|(path, _)| path).collect();
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(RULE_PAGES);
        for file in fs_err::read_dir(directory).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(written.contains(&format!("{RULE_PAGES}/{name}")), "no group has the page {name}");
        }
    }

    #[test]
    fn each_rule_has_its_place_on_its_page() {
        for rule in rules::rules() {
            let place = rule.page_path();
            let (path, anchor) = place.split_once('#').unwrap();
            let page = fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path))
                .unwrap();
            assert!(page.contains(&format!("\n## {}\n", rule.id)), "{place}");
            assert_eq!(anchor, rule.id.replace('/', ""));
        }
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
        let titles: BTreeSet<&str> = pages.iter().map(|(_, title)| title.as_str()).collect();
        let ids: BTreeSet<&str> = rules::rules().map(|rule| rule.id).chain(["report/left-out"]).collect();
        let odd: Vec<_> = titles.symmetric_difference(&ids).collect();
        assert!(odd.is_empty(), "pages without a rule, or rules without a page: {odd:?}");
        assert_eq!(titles.len(), pages.len(), "two pages have the same title");
        for (path, title) in &pages {
            let stem = title.split_once('/').unwrap().1.replace('-', "_");
            assert_eq!(path.file_stem().unwrap().to_str(), Some(stem.as_str()), "{title}");
        }
    }

    #[test]
    fn every_page_has_its_title_and_sections_once() {
        for rule in rules::rules() {
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
    fn explain_prints_summary_example_and_remedy() {
        let rule = rules::rule("config/env-duplicate").unwrap();
        let text = anstream::adapter::strip_str(&explain_rule(rule, None)).to_string();
        assert!(text.starts_with(
            "warning[config/env-duplicate]: a container sets the same environment variable twice\n"
        ));
        for part in [rule.remedy(), "    - {name: LOG_LEVEL, value: debug}\n"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.contains("`ignore.sealwave.dev/config.env-duplicate: REASON`"), "{text}");
    }

    #[test]
    fn explain_fits_the_terminal_without_fences() {
        for rule in rules::rules() {
            let text = anstream::adapter::strip_str(&explain_rule(rule, Some(60))).to_string();
            assert!(!text.contains("```"), "{}", rule.id);
            let prose = text.lines().skip(1).filter(|line| !line.starts_with("    "));
            let long: Vec<&str> =
                prose.filter(|line| line.chars().count() > 60 && line.trim().contains(' ')).collect();
            assert!(long.iter().all(|line| line.contains('`')), "{}: {long:?}", rule.id);
        }
    }

    #[test]
    fn rules_match_by_group_and_glob() {
        let ids = |pattern: &str| rules_matching(pattern).iter().map(|rule| rule.id).collect::<Vec<_>>();
        assert_eq!(ids("image"), ["image/digest", "image/latest", "image/missing", "image/reference"]);
        assert_eq!(ids("image/*"), ids("image"));
        assert_eq!(ids("*/latest"), ["image/latest"]);
        assert_eq!(ids("all").len(), rules::rules().count());
        assert!(ids("imag").is_empty() && ids("[").is_empty());
        let text = anstream::adapter::strip_str(&format_list(&rules_matching("image"))).to_string();
        assert!(text.lines().count() == 4 && text.contains("image/latest  "), "{text}");
    }

    #[test]
    fn explain_reports_off_and_unsuppressible_rules() {
        let off = RuleInfo { enabled: false, ..*rules::rule("app/render").unwrap() };
        let text = anstream::adapter::strip_str(&explain_rule(&off, None)).to_string();
        assert!(text.contains("\noff by default; turn it on with `--rule app/render=error`\n"), "{text}");
        assert!(text.contains("\nIts findings cannot be suppressed.\n"), "{text}");
    }
}
