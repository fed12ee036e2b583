//! Asks the person at the terminal whether a plan is to be applied.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use sealwave_core::diagnostic::Explain;

/// The reason why a plan is not applied.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// The answer was not yes.
    #[error("nothing was changed")]
    Denied,
    /// There is no terminal to ask at.
    #[error("plan needs consent, and there is no terminal to ask")]
    NoTerminal,
}

impl Explain for ConsentError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Denied => None,
            Self::NoTerminal => {
                Some("`--dry-run` shows the plan; `--yes` applies it without a question".to_owned())
            }
        }
    }
}

/// Shows a plan on standard error, and returns if the person agrees.
///
/// # Errors
/// The person does not agree, or there is no terminal.
pub fn ask_for_consent(plan: &str) -> Result<(), ConsentError> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(ConsentError::NoTerminal);
    }
    let mut answer = String::new();
    let mut ask = || {
        write!(io::stderr(), "{plan}\nApply this plan? [y/N] ")?;
        io::stderr().flush()?;
        io::stdin().lock().read_line(&mut answer)
    };
    match ask() {
        Ok(_) if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) => Ok(()),
        _ => Err(ConsentError::Denied),
    }
}
