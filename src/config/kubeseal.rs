//! The environment variables of kubeseal, which stand for flags that are not given.
//!
//! kubeseal ignores a variable that it cannot read; here, that is an error.

use sealwave_core::diagnostic::{Explain, NOT_UTF8};

use super::{VariableReader, operator_path};
use crate::cli::{
    CertCommand, Command, ControllerArgs, LiveCertificateArgs, RotateCommand, SealArgs, SealCertificateArgs,
};
use clap::ValueEnum;

const CERT: &str = "SEALED_SECRETS_CERT";
const CONTROLLER_NAME: &str = "SEALED_SECRETS_CONTROLLER_NAME";
const CONTROLLER_NAMESPACE: &str = "SEALED_SECRETS_CONTROLLER_NAMESPACE";
const FORMAT: &str = "SEALED_SECRETS_FORMAT";
const SCOPE: &str = "SEALED_SECRETS_SCOPE";

/// A variable of kubeseal that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KubesealVariableError {
    /// Its text is not one of those that its flag takes.
    #[error("`{name}` has an unknown value: expected {expected}")]
    Unknown {
        /// The variable.
        name: &'static str,
        /// The texts that the flag takes.
        expected: String,
    },
    /// It is not text.
    #[error("`{0}` {NOT_UTF8}")]
    NotText(&'static str),
}

impl Explain for KubesealVariableError {
    fn hint(&self) -> Option<String> {
        let (Self::Unknown { name, .. } | Self::NotText(name)) = self;
        Some(format!("correct the variable, or remove it with `unset {name}`"))
    }
}

/// Sets the flags that a command was not given from the variables of kubeseal. A flag takes precedence over its variable, and so
/// does an operator file, which names the certificate of its clusters.
///
/// # Errors
/// A variable cannot be used.
pub(crate) fn apply_kubeseal_variables(
    command: &mut Command,
    variables: VariableReader,
) -> Result<(), KubesealVariableError> {
    let variables = KubesealVariables(variables);
    match command {
        Command::Seal(args) => variables.seal(args),
        Command::Unseal(args) => {
            args.output = args.output.or(variables.one_of(FORMAT)?);
            Ok(())
        }
        Command::Reseal(args) => {
            variables.certificate(&mut args.certificate)?;
            variables.controller(&mut args.controller)
        }
        // The certificate in use is that of the controller: the variable names a pinned one.
        Command::Cert(args) => match &mut args.command {
            Some(CertCommand::Check(args)) => variables.live(&mut args.live),
            Some(CertCommand::Fetch(args)) => variables.live(&mut args.live),
            Some(CertCommand::List(args)) => variables.controller(&mut args.controller),
            Some(CertCommand::Show(_)) | None => Ok(()),
        },
        Command::Check(args) => variables.controller(&mut args.controller),
        Command::Rotate(RotateCommand::Aws(args)) => {
            if !args.sealed_files.is_empty() && args.cert.is_none() {
                args.cert = variables.text(CERT)?;
            }
            variables.controller(&mut args.controller)
        }
        Command::Rotate(RotateCommand::ControllerKey(args)) => variables.controller(&mut args.controller),
        _ => Ok(()),
    }
}

struct KubesealVariables(VariableReader);

impl KubesealVariables {
    fn seal(&self, args: &mut SealArgs) -> Result<(), KubesealVariableError> {
        // A merged item has the scope and the form of its file, and a raw item has no form.
        if args.scope.is_none() && args.merge_into.is_none() {
            args.scope = self.one_of(SCOPE)?;
        }
        if args.output.is_none() && args.merge_into.is_none() && !args.raw {
            args.output = self.one_of(FORMAT)?;
        }
        let names_controller = args.kube.context.is_some()
            || args.kube.kubeconfig.is_some()
            || args.controller.controller_name.is_some()
            || args.controller.controller_namespace.is_some();
        if !names_controller {
            self.certificate(&mut args.certificate)?;
        }
        if names_controller || !self.has_operator(&args.certificate) {
            self.controller(&mut args.controller)?;
        }
        Ok(())
    }

    fn has_operator(&self, args: &SealCertificateArgs) -> bool {
        args.cluster.is_some() || operator_path(args.operator.clone(), self.0).is_some()
    }

    fn certificate(&self, args: &mut SealCertificateArgs) -> Result<(), KubesealVariableError> {
        if args.cert.is_none() && !self.has_operator(args) {
            args.cert = self.text(CERT)?;
        }
        Ok(())
    }

    fn live(&self, args: &mut LiveCertificateArgs) -> Result<(), KubesealVariableError> {
        if args.cert.is_some() { Ok(()) } else { self.controller(&mut args.controller) }
    }

    fn controller(&self, args: &mut ControllerArgs) -> Result<(), KubesealVariableError> {
        if args.controller_name.is_none() {
            args.controller_name = self.text(CONTROLLER_NAME)?;
        }
        if args.controller_namespace.is_none() {
            args.controller_namespace = self.text(CONTROLLER_NAMESPACE)?;
        }
        Ok(())
    }

    fn one_of<T: ValueEnum>(&self, name: &'static str) -> Result<Option<T>, KubesealVariableError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let value = T::from_str(&text, false).map_err(|_| {
            let all = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
            let all: Vec<String> = all.map(|value| format!("`{}`", value.get_name())).collect();
            KubesealVariableError::Unknown { name, expected: all.join(", ") }
        })?;
        Ok(Some(value))
    }

    /// Returns the text of a variable that is set and not empty.
    fn text(&self, name: &'static str) -> Result<Option<String>, KubesealVariableError> {
        let Some(text) = (self.0)(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        text.into_string().map(Some).map_err(|_| KubesealVariableError::NotText(name))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    /// Variables that are all set.
    fn all(name: &str) -> Option<OsString> {
        let text = match name {
            CERT => "env.pem",
            CONTROLLER_NAME => "env-name",
            CONTROLLER_NAMESPACE => "env-namespace",
            FORMAT => "json",
            SCOPE => "cluster-wide",
            _ => return None,
        };
        Some(text.into())
    }

    fn with_operator(name: &str) -> Option<OsString> {
        if name == super::super::OPERATOR_VARIABLE { Some("operator.yaml".into()) } else { all(name) }
    }

    /// Returns certificate, controller, scope and format of `seal` with these flags.
    fn seal(flags: &[&str], variables: VariableReader) -> String {
        let mut command = Cli::parse_from([&["sealwave", "seal"], flags].concat()).command;
        apply_kubeseal_variables(&mut command, variables).expect("valid variables");
        let Command::Seal(args) = command else { panic!("seal") };
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        format!(
            "{} {}/{} {:?} {:?}",
            text(&args.certificate.cert),
            text(&args.controller.controller_namespace),
            text(&args.controller.controller_name),
            args.scope,
            args.output
        )
    }

    #[test]
    fn a_flag_comes_before_its_variable() {
        assert_eq!(seal(&[], all), "env.pem env-namespace/env-name Some(ClusterWide) Some(Json)");
        assert_eq!(
            seal(&["--cert", "a.pem", "--scope", "strict", "--output", "yaml"], all),
            "a.pem env-namespace/env-name Some(Strict) Some(Yaml)"
        );
        assert_eq!(seal(&["--controller-name", "a"], all), "- env-namespace/a Some(ClusterWide) Some(Json)");
        assert_eq!(seal(&["--context", "a"], all), "- env-namespace/env-name Some(ClusterWide) Some(Json)");
        assert_eq!(seal(&[], |_| None), "- -/- None None");
    }

    #[test]
    fn an_operator_file_comes_before_variables_of_kubeseal() {
        assert_eq!(seal(&[], with_operator), "- -/- Some(ClusterWide) Some(Json)");
        assert_eq!(seal(&["--operator", "o.yaml"], all), "- -/- Some(ClusterWide) Some(Json)");
        assert_eq!(
            seal(&["--context", "a"], with_operator),
            "- env-namespace/env-name Some(ClusterWide) Some(Json)"
        );
    }

    #[test]
    fn a_merged_item_keeps_the_scope_of_its_file_and_a_raw_one_has_no_format() {
        assert_eq!(seal(&["--merge-into", "a.yaml"], all), "env.pem env-namespace/env-name None None");
        assert_eq!(seal(&["--raw"], all), "env.pem env-namespace/env-name Some(ClusterWide) None");
    }

    #[test]
    fn a_pinned_certificate_is_not_compared_with_itself() {
        for args in [&["cert", "fetch"][..], &["cert", "check", "prod.pem"]] {
            let mut command = Cli::parse_from([&["sealwave"], args].concat()).command;
            apply_kubeseal_variables(&mut command, all).expect("valid variables");
            let Command::Cert(args) = command else { panic!("cert") };
            let Some(
                CertCommand::Fetch(crate::cli::CertFetchArgs { live, .. })
                | CertCommand::Check(crate::cli::CertCheckArgs { live, .. }),
            ) = args.command
            else {
                panic!("fetch or check")
            };
            assert_eq!(live.cert, None);
            assert_eq!(live.controller.controller_name.as_deref(), Some("env-name"));
        }
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_an_error() {
        let mut command = Cli::parse_from(["sealwave", "seal"]).command;
        let typo: VariableReader = |name| (name == SCOPE).then(|| "typo\u{1b}".into());
        let error = apply_kubeseal_variables(&mut command, typo).expect_err("an error");
        assert_eq!(
            error.to_string(),
            "`SEALED_SECRETS_SCOPE` has an unknown value: expected `cluster-wide`, `namespace-wide`, `strict`"
        );
        assert_eq!(seal(&[], |_| Some(OsString::new())), "- -/- None None");
    }
}
