//! Tips for arguments that other tools have and this one does not, and for missing ones that have alternatives.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands of Helm, Kustomize and others, with the command that does this here.
const COMMANDS: &[(&str, &str)] = &[
    ("adopt", "init"),
    ("build", "render"),
    ("create", "init"),
    ("dry-run", "render"),
    ("decrypt", "unseal"),
    ("encrypt", "seal"),
    ("kubeconform", "validate"),
    ("lint", "validate"),
    ("preview", "render"),
    ("recover", "unseal"),
    ("show", "render"),
    ("template", "render"),
    ("test", "validate"),
];

/// Flags of Helm that set values.
const VALUE_FLAGS: &[&str] = &["--set", "--set-file", "--set-json", "--set-string", "--values", "-f"];

/// Flags of kubeseal, with what does this here.
const KUBESEAL_FLAGS: &[(&str, &str)] = &[
    ("--fetch-cert", "'sealwave cert fetch' fetches the certificate"),
    ("--format", "write '--output yaml' or '--output json'"),
    ("--re-encrypt", "'sealwave reseal' seals committed files for another certificate"),
    ("--recovery-private-key", "'sealwave unseal FILE --key KEY' opens a SealedSecret"),
    ("--recovery-unseal", "'sealwave unseal FILE --key KEY' opens a SealedSecret"),
    ("--sealed-secret-file", "write '--write FILE'"),
    ("--secret-file", "write the file without a flag"),
    ("--validate", "'sealwave reseal --check' finds items of another certificate"),
    ("-f", "write the file without a flag"),
];

/// Flags that are required unless another one is given.
const ALTERNATIVES: &[(&str, &str)] = &[
    ("--backup ", "instead of '--backup', '--no-backup' makes no backup"),
    (
        "--key ",
        "'--key' takes a private key of the controller: a backup, or what kubectl prints of its Secret",
    ),
];

/// Adds a tip to an error of the command line, if it comes from the habits of another tool.
#[must_use]
pub fn with_tip(mut error: clap::Error) -> clap::Error {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = context(ContextKind::InvalidSubcommand);
            let meant = name.and_then(|name| COMMANDS.iter().find(|(other, _)| *other == name));
            if let Some((_, meant)) = meant {
                error.insert(
                    ContextKind::SuggestedSubcommand,
                    ContextValue::Strings(vec![(*meant).to_owned()]),
                );
            }
        }
        ErrorKind::UnknownArgument => {
            let usage = match error.get(ContextKind::Usage) {
                Some(ContextValue::StyledStr(usage)) => usage.to_string(),
                _ => String::new(),
            };
            let command = command_of(&usage);
            let argument = context(ContextKind::InvalidArg);
            if command == "put" && argument.as_ref().is_some_and(|text| !text.starts_with('-')) {
                // It is probably the value.
                error.insert(ContextKind::InvalidArg, ContextValue::String("…".to_owned()));
            }
            if let Some(tip) = argument.and_then(|argument| tip_for_argument(&argument, command)) {
                error.remove(ContextKind::SuggestedArg);
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
            }
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(missing)) => missing.clone(),
                _ => Vec::new(),
            };
            let tips = missing.iter().filter_map(|argument| {
                ALTERNATIVES
                    .iter()
                    .find(|(flag, _)| argument.starts_with(flag))
                    .map(|(_, tip)| StyledStr::from(*tip))
            });
            let tips: Vec<StyledStr> = tips.collect();
            if !tips.is_empty() {
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
            }
        }
        ErrorKind::ArgumentConflict
            if context(ContextKind::InvalidArg).is_some_and(|argument| argument.starts_with("--env ")) =>
        {
            let usage = match error.get(ContextKind::Usage) {
                Some(ContextValue::StyledStr(usage)) => usage.to_string(),
                _ => String::new(),
            };
            if ["generate", "refs", "render"].contains(&command_of(&usage)) {
                let tip = "the command takes one environment; 'sealwave validate' checks all of them";
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
            }
        }
        _ => {}
    }
    error
}

/// Returns the command that a usage line is about. The program in front of it has the name of its file.
fn command_of(usage: &str) -> &str {
    let line = usage.split_once("Usage:").map_or(usage, |(_, line)| line);
    line.split_whitespace().nth(1).unwrap_or_default()
}

/// Returns the tip for an argument that this command does not have.
fn tip_for_argument(argument: &str, command: &str) -> Option<String> {
    if command == "check" {
        let is_file = !argument.starts_with('-') && !argument.contains(char::is_whitespace);
        return is_file.then(|| format!("to name the operator file, write '--operator {argument}'"));
    }
    let flag = argument.split('=').next().unwrap_or(argument);
    if command == "seal" {
        return KUBESEAL_FLAGS.iter().find(|(other, _)| *other == flag).map(|(_, tip)| (*tip).to_owned());
    }
    if command == "put" {
        return (!argument.starts_with('-'))
            .then(|| "write the value to standard input, or '--from-file FILE'".to_owned());
    }
    if ["cert", "rotate", "unseal"].contains(&command) {
        return None;
    }
    if VALUE_FLAGS.contains(&flag) {
        return Some(
            "values are read from 'values.yaml', and for one environment from 'envs/NAME/values.yaml'"
                .to_owned(),
        );
    }
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    let is_environment = !argument.starts_with('-') && argument.chars().all(is_name);
    is_environment.then(|| format!("to select an environment, write '--env {argument}'"))
}

#[cfg(test)]
mod tests {
    use super::with_tip;
    use crate::cli::Cli;
    use clap::Parser as _;

    fn message(args: &[&str]) -> String {
        message_of("sealwave", args)
    }

    fn message_of(program: &str, args: &[&str]) -> String {
        let args = std::iter::once(program).chain(args.iter().copied());
        with_tip(Cli::try_parse_from(args).unwrap_err()).to_string()
    }

    #[test]
    fn commands_of_other_tools_lead_to_ours() {
        assert!(message(&["template", "app"]).contains("a similar subcommand exists: 'render'"));
        assert!(message(&["lint"]).contains("'validate'"));
        assert!(!message(&["nonsense"]).contains("tip:"));
    }

    #[test]
    fn flags_of_helm_lead_to_values_files() {
        for args in [&["render", "--set", "a=b"][..], &["render", "--set=a=b"], &["render", "-f", "x.yaml"]] {
            let message = message(args);
            assert!(message.contains("tip: values are read from 'values.yaml'"), "{message}");
            assert!(!message.contains("as a value"), "{message}");
        }
    }

    #[test]
    fn flags_of_kubeseal_lead_to_ours() {
        for (flag, expected) in [
            ("--fetch-cert", "'sealwave cert fetch'"),
            ("--recovery-unseal", "'sealwave unseal FILE --key KEY'"),
            ("--secret-file=CANARY", "without a flag"),
            ("-f", "without a flag"),
        ] {
            let message = message(&["seal", flag]);
            assert!(message.contains("tip: ") && message.contains(expected), "{message}");
            assert!(!message.contains("CANARY"), "{message}");
        }
        assert!(!message(&["seal", "--from-litral=CANARY"]).contains("CANARY"));
        assert!(message(&["encrypt"]).contains("'seal'"));
        assert!(message(&["decrypt"]).contains("'unseal'"));
    }

    #[test]
    fn tips_do_not_depend_on_the_name_of_the_program() {
        let message = message_of("/opt/kubectl-sealwave", &["seal", "--re-encrypt"]);
        assert!(message.contains("'sealwave reseal'"), "{message}");
        let message = message_of("sw", &["put", "aws-sm:db#password", "canary"]);
        assert!(!message.contains("canary"), "{message}");
    }

    #[test]
    fn a_value_among_the_arguments_of_put_is_not_shown() {
        let message = message(&["put", "aws-sm:db#password", "canary"]);
        assert!(message.contains("write the value to standard input"), "{message}");
        assert!(!message.contains("canary"), "{message}");
    }

    #[test]
    fn commands_without_one_environment_do_not_suggest_it() {
        for args in [&["unseal", "a.yaml", "b.yaml", "--key", "k"][..], &["cert", "list", "prod"]] {
            let message = message(args);
            assert!(message.contains("unexpected argument") && !message.contains("--env"), "{message}");
        }
    }

    #[test]
    fn an_argument_of_check_is_the_operator_file() {
        let message = message(&["check", "operator.yaml"]);
        assert!(message.contains("write '--operator operator.yaml'"), "{message}");
    }

    #[test]
    fn a_command_takes_one_environment() {
        for command in ["render", "refs", "generate"] {
            let message = message(&[command, "app", "--env", "dev", "--env", "prod"]);
            assert!(message.contains("tip: the command takes one environment"), "{message}");
        }
        let message = message(&["verify", "app", "--env", "dev", "--rendered", "objects.json"]);
        assert!(message.contains("cannot be used with") && !message.contains("tip:"), "{message}");
    }

    #[test]
    fn a_second_argument_is_an_environment() {
        assert!(
            message(&["render", "app", "prod"]).contains("tip: to select an environment, write '--env prod'")
        );
        assert!(!message(&["render", "app", "PROD x"]).contains("--env PROD"));
        assert!(message(&["render", "--enviroment", "prod"]).contains("--env"));
    }

    #[test]
    fn missing_arguments_name_their_alternatives() {
        let rotate = ["rotate", "aws", "--user", "a", "--env", "dev"];
        let text = message(&rotate);
        assert!(text.contains("'--no-backup' makes no backup"), "{text}");
        assert!(message(&["rotate", "controller-key"]).contains("'--no-backup'"));
        assert!(message(&["unseal", "a.yaml"]).contains("a private key of the controller"));
        assert!(!message(&["put"]).contains("tip:"));
    }
}
