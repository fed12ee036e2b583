//! The program that a kubeconfig logs in with: an exec plugin, or the command of the `gcp` auth provider.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use kube::config::{AuthInfo, Kubeconfig};

use super::connection::ClusterLogin;
use crate::ProviderError;
use crate::program::LoginProgram;
use crate::remote::runtime;

/// The time for reading the files of a kubeconfig.
const READ: Duration = Duration::from_secs(10);

/// Checks a kubeconfig and returns the program that a login starts, if any. Starts and contacts nothing.
///
/// # Errors
/// A run could not use the kubeconfig.
pub(crate) fn login_program(
    file: &Path,
    context: Option<&str>,
    search_path: Option<OsString>,
) -> Result<Option<LoginProgram>, ProviderError> {
    let login = ClusterLogin::Operator(file, context);
    runtime::run(Instant::now() + READ, |_| login.config())
        .unwrap_or_else(|_| Err(ProviderError::overdue()))?;
    // The library resolves a relative command against the directory of the kubeconfig, which a run knows by its full path.
    let full = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let Ok(kubeconfig) = Kubeconfig::read_from(full) else { return Ok(None) };
    let Some((user, auth)) = user(&kubeconfig, context) else { return Ok(None) };
    Ok(command(auth).map(|(name, own_path)| LoginProgram {
        name,
        named_by: format!("user `{user}` in kubeconfig `{}`", file.display()),
        deciding_files: vec![file.to_owned()],
        search_path: own_path.or(search_path),
    }))
}

/// Returns the user of a context.
fn user<'a>(kubeconfig: &'a Kubeconfig, context: Option<&str>) -> Option<(&'a str, &'a AuthInfo)> {
    let context = context.or(kubeconfig.current_context.as_deref())?;
    let context = kubeconfig.contexts.iter().find(|named| named.name == context)?.context.as_ref()?;
    let user = kubeconfig.auth_infos.iter().find(|named| Some(&named.name) == context.user.as_ref())?;
    Some((&user.name, user.auth_info.as_ref()?))
}

/// Returns the program and its own `PATH`, if it has one. As in the library, other credentials take precedence over an
/// exec plugin.
fn command(auth: &AuthInfo) -> Option<(String, Option<OsString>)> {
    let gcp = auth.auth_provider.as_ref().filter(|provider| provider.name == "gcp");
    if let Some(command) = gcp.and_then(|provider| provider.config.get("cmd-path")) {
        return Some((command.clone(), None));
    }
    let has_password = auth.username.is_some() && auth.password.is_some();
    if has_password || auth.token.is_some() || auth.token_file.is_some() {
        return None;
    }
    let exec = auth.exec.as_ref()?;
    let variables = exec.env.iter().flatten();
    let mut paths = variables.filter(|variable| variable.get("name").is_some_and(|name| name == "PATH"));
    let own_path = paths.next_back().and_then(|variable| variable.get("value")).map(OsString::from);
    Some((exec.command.clone()?, own_path))
}
