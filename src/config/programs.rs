//! The programs that a run may start to render sources.

use std::ffi::OsString;
use std::path::PathBuf;

use sealwave_programs::{RunHost, Toolbox};

use super::{Caller, OperatorFile, VariableReader};

/// Returns the programs of a run: those of the operator file, and outside of the sidecar those on `PATH`.
///
/// In the sidecar, `PATH` is not used: the operator decides which programs see repositories.
#[must_use]
pub fn toolbox(caller: &Caller, operator: Option<&OperatorFile>, variables: VariableReader) -> Toolbox {
    let settings = operator.map(OperatorFile::tools).unwrap_or_default();
    let search_path = match caller {
        Caller::ArgoCd(_) => None,
        Caller::Local => variables("PATH"),
    };
    let temporary = variables("TMPDIR").filter(|path| !path.is_empty()).unwrap_or_else(default_temporary);
    Toolbox::new(settings, search_path, RunHost { temporary: PathBuf::from(temporary), guard: None })
}

fn default_temporary() -> OsString {
    OsString::from("/tmp")
}
