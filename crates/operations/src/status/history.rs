//! The date of the last commit that changed a file.

use std::path::Path;

use sealwave_core::time::Date;
use sealwave_programs::{GitAccess, git_line, run_git};

/// Returns the day (UTC) of the last commit that changed a file; `None` if Git does not tell.
#[must_use]
pub fn last_change(file: &Path) -> Option<Date> {
    let directory = sealwave_core::reach::directory_of(file);
    let name = Path::new("./").join(file.file_name()?);
    let mut args: Vec<&std::ffi::OsStr> = Vec::new();
    // Names are literal, and signatures are not verified, which would start a program.
    for arg in ["--literal-pathspecs", "log", "-1", "--no-show-signature", "--format=%ct", "--"] {
        args.push(arg.as_ref());
    }
    args.push(name.as_os_str());
    let output = run_git(directory, GitAccess::Read, &args, &[]).ok()?;
    std::str::from_utf8(git_line(&output)).ok()?.parse().ok().and_then(Date::from_unix_seconds)
}
