//! Argo CD's sync options of an object, parsed like in Argo CD: entries separated by commas, with blanks around them;
//! within an entry, every character is significant.

/// Keeps an object that is no longer in the output until all other objects of a sync are healthy.
pub const PRUNE_LAST: &str = "PruneLast";

/// Keeps an object that is no longer in the output.
pub const NO_PRUNING: &str = "Prune=false";

/// Reports whether the list contains exactly this entry, for example `PruneLast=true`.
#[must_use]
pub fn has_entry(list: &str, entry: &str) -> bool {
    entries(list).any(|one| one == entry)
}

/// Returns the list with `option=true` appended; `None` if the list already has that entry, or if its author disabled
/// the option. A spelling of "off" that Argo CD does not accept still counts as the author's decision.
#[must_use]
pub fn with_option(list: &str, option: &str) -> Option<String> {
    let is_decided = entries(list).any(|entry| {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        let is_off = name.trim() == option && value.trim().eq_ignore_ascii_case("false");
        is_off || (name == option && value == "true")
    });
    if is_decided {
        return None;
    }
    let kept = list.trim_end_matches(|c: char| c == ',' || c.is_whitespace());
    let comma = if kept.is_empty() { "" } else { "," };
    Some(format!("{kept}{comma}{option}=true"))
}

/// Returns the list with `Prune=false` instead of another decision about pruning; `None` if Argo CD reads that from it already.
#[must_use]
pub fn without_pruning(list: &str) -> Option<String> {
    // Argo CD reads the first entry about an option.
    if entries(list).find(|entry| entry.starts_with("Prune=")) == Some(NO_PRUNING) {
        return None;
    }
    let mut kept: Vec<&str> = entries(list).filter(|entry| !entry.starts_with("Prune=")).collect();
    kept.push(NO_PRUNING);
    Some(kept.join(","))
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_appended_unless_the_author_decided() {
        for (list, expected) in [
            ("", Some("PruneLast=true")),
            (" , ", Some("PruneLast=true")),
            ("Prune=false", Some("Prune=false,PruneLast=true")),
            ("Validate=false, Prune=confirm ,", Some("Validate=false, Prune=confirm,PruneLast=true")),
            ("PruneLast=true", None),
            (" PruneLast=true , Replace=true", None),
            ("PruneLast=false", None),
            ("Replace=true,PruneLast = False", None),
            // Argo CD does not accept these, so they decide nothing.
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
    fn entries_are_found_like_in_argo_cd() {
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

    #[test]
    fn pruning_is_disabled_whatever_the_author_decided() {
        for (list, expected) in [
            ("", Some("Prune=false")),
            ("Prune=false", None),
            (" Prune=false ,Replace=true", None),
            ("PruneLast=true, Delete=false", Some("PruneLast=true,Delete=false,Prune=false")),
            ("Prune=confirm,Replace=true,Prune=false", Some("Replace=true,Prune=false")),
            ("Prune = false", Some("Prune = false,Prune=false")),
        ] {
            assert_eq!(without_pruning(list).as_deref(), expected, "{list}");
        }
    }
}
