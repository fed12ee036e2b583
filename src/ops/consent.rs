//! Asks the person at the terminal whether a plan is to be applied.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use sealwave_core::diagnostic::Explain;

/// The reason why a plan is not applied.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// The answer was not yes.
    #[error("canceled: nothing was changed")]
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

/// Requires that a person can be asked.
///
/// # Errors
/// There is no terminal.
pub fn require_terminal() -> Result<(), ConsentError> {
    let is_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    if is_terminal { Ok(()) } else { Err(ConsentError::NoTerminal) }
}

/// Shows a plan on standard error, unless the terminal has it already, and returns if the person agrees.
///
/// # Errors
/// The person does not agree, or there is no terminal.
pub fn ask_for_consent(plan: Option<&str>) -> Result<(), ConsentError> {
    require_terminal()?;
    let mut answer = String::new();
    let mut ask = || {
        if let Some(plan) = plan {
            writeln!(io::stderr(), "{plan}")?;
        }
        write!(io::stderr(), "Apply this plan? [y/N] ")?;
        io::stderr().flush()?;
        io::stdin().lock().read_line(&mut answer)
    };
    match ask() {
        Ok(_) if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) => Ok(()),
        _ => Err(ConsentError::Denied),
    }
}
