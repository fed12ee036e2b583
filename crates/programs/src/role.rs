//! The entry of the roles that this binary has besides its commands.

use std::ffi::OsString;
use std::process::ExitCode;

#[cfg(target_os = "linux")]
use crate::{
    confine, guard,
    orders::{Role, RunOrders},
};

/// Does the work of a role of this crate, if the arguments of this process, including its name, ask for one. To be called
/// before anything else.
#[must_use]
pub fn enter(args: &[OsString]) -> Option<ExitCode> {
    #[cfg(target_os = "linux")]
    {
        let (role, orders) = RunOrders::parse(args)?;
        Some(match role {
            Role::Confine => confine::start_program(&orders),
            Role::Guard => guard::run(&orders),
        })
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = args;
        None
    }
}
