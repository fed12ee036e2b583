//! Argo CD's sync options of one object, read as Argo CD reads them: entries separated by commas, with blanks around them;
//! within an entry every character counts.

/// Keeps an object that is no longer in the output until everything else of a sync is healthy.
pub const PRUNE_LAST: &str = "PruneLast";

/// Returns whether the list holds exactly this entry, for example `PruneLast=true`.
pub fn has_entry(list: &str, entry: &str) -> bool {
    entries(list).any(|one| one == entry)
}

/// Returns the list with `option=true` at its end. `None` where the list has that entry already, or where its author
/// switched the option off; another spelling of "off" than Argo CD's is still the author's decision.
pub fn with_option(list: &str, option: &str) -> Option<String> {
    let decided = entries(list).any(|entry| {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        let is_off = name.trim() == option && value.trim().eq_ignore_ascii_case("false");
        is_off || (name == option && value == "true")
    });
    if decided {
        return None;
    }
    let kept = list.trim_end_matches(|c: char| c == ',' || c.is_whitespace());
    let comma = if kept.is_empty() { "" } else { "," };
    Some(format!("{kept}{comma}{option}=true"))
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_added_at_the_end_unless_the_author_decided() {
        for (list, expected) in [
            ("", Some("PruneLast=true")),
            (" , ", Some("PruneLast=true")),
            ("Prune=false", Some("Prune=false,PruneLast=true")),
            ("Validate=false, Prune=confirm ,", Some("Validate=false, Prune=confirm,PruneLast=true")),
            ("PruneLast=true", None),
            (" PruneLast=true , Replace=true", None),
            ("PruneLast=false", None),
            ("Replace=true,PruneLast = False", None),
            // Argo CD does not understand these, so they decide nothing.
            ("PruneLast", Some("PruneLast,PruneLast=true")),
            ("PruneLast=True", Some("PruneLast=True,PruneLast=true")),
            ("PruneLast = true", Some("PruneLast = true,PruneLast=true")),
            ("prunelast=false", Some("prunelast=false,PruneLast=true")),
            ("Prune=true;PruneLast=true", Some("Prune=true;PruneLast=true,PruneLast=true")),
        ] {
            assert_eq!(with_option(list, PRUNE_LAST).as_deref(), expected, "{list}");
        }
    }

    #[test]
    fn an_entry_is_there_when_argo_cd_finds_it() {
        for (list, expected) in [
            ("PruneLast=true", true),
            ("a, PruneLast=true ,b", true),
            ("PruneLast= true", false),
            ("PruneLast=true;b", false),
            ("PruneLast=false", false),
            ("", false),
        ] {
            assert_eq!(has_entry(list, "PruneLast=true"), expected, "{list}");
        }
    }
}
