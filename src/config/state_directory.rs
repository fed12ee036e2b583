//! The directory of journals.

use std::path::{Path, PathBuf};

use super::VariableReader;

/// Returns the directory given by a flag, else the one for the state of programs (XDG Base Directory Specification).
///
/// Returns `None` if the user has no home directory.
pub(crate) fn state_directory(flag: Option<&Path>, variables: VariableReader) -> Option<PathBuf> {
    if let Some(directory) = flag {
        return Some(directory.to_owned());
    }
    // The specification ignores relative paths.
    let absolute = |name: &str| variables(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    Some(state?.join("sealwave"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn the_flag_comes_first_and_relative_variables_do_not_count() {
        let both: VariableReader = |name| match name {
            "XDG_STATE_HOME" => Some(OsString::from("/state")),
            "HOME" => Some(OsString::from("/home/a")),
            _ => None,
        };
        let relative: VariableReader = |name| match name {
            "XDG_STATE_HOME" => Some(OsString::from("state")),
            "HOME" => Some(OsString::from("/home/a")),
            _ => None,
        };
        assert_eq!(state_directory(Some(Path::new("x")), both), Some("x".into()));
        assert_eq!(state_directory(None, both), Some("/state/sealwave".into()));
        assert_eq!(state_directory(None, relative), Some("/home/a/.local/state/sealwave".into()));
        assert_eq!(state_directory(None, |_| None), None);
    }
}
