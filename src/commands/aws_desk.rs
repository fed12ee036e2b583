//! AWS accounts for commands at a desk: the addresses of providers in the operator file, the credentials of the operator.
//!
//! Nothing of a repository is read. A provider that a policy allows an app to read is not thereby writable: AWS decides by
//! the permissions of the operator's identity.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::cli::AwsLoginArgs;
use crate::config::{self, OperatorFile, VariableReader};
use sealwave_core::diagnostic::{Explain, Failure, Problem};
use sealwave_operations::aws_store::{AwsStore, StoreKind};
use sealwave_providers::aws_account::{AwsAccount, AwsLogin};
use sealwave_providers::{EnvLookup, ProviderConfig};

#[derive(Debug, thiserror::Error)]
enum DeskError {
    #[error("provider `{name}` is of kind `{kind}`, to which sealwave does not write")]
    OtherKind { name: String, kind: &'static str },
    #[error("provider `{0}` is not in the operator file")]
    UnknownProvider(String),
    #[error("provider `{0}` is unknown: no operator file is given")]
    NoOperatorFile(String),
}

impl Explain for DeskError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::OtherKind { .. } => {
                "use a provider of kind `aws-sm` or `aws-ssm` (`put` also writes to `vault`), or write it with the tools of that source"
                    .to_owned()
            }
            Self::UnknownProvider(_) => {
                "use the name that placeholders have, or add it under `providers`".to_owned()
            }
            Self::NoOperatorFile(_) => format!(
                "pass `--operator FILE` or set `{}`; without one, only `aws-sm` and `aws-ssm` are known, with the defaults of AWS",
                config::OPERATOR_VARIABLE
            ),
        })
    }
}

/// The accounts of a command, each logged in to once.
pub(super) struct AwsDesk<'a> {
    args: &'a AwsLoginArgs,
    file: Option<OperatorFile>,
    environment: EnvLookup,
    accounts: RefCell<BTreeMap<String, Rc<AwsAccount>>>,
}

impl<'a> AwsDesk<'a> {
    /// Reads the operator file, if one is given.
    ///
    /// # Errors
    /// The operator file cannot be read.
    pub(super) fn new(args: &'a AwsLoginArgs, variables: VariableReader) -> Result<Self, Failure> {
        let path = config::operator_path(args.operator.clone(), variables);
        let file = path.map(|path| OperatorFile::read(&path)).transpose()?;
        let environment: EnvLookup = Arc::new(variables);
        Ok(Self { args, file, environment, accounts: RefCell::default() })
    }

    /// Returns the service of a provider, and checks the settings of its login. Sends nothing.
    ///
    /// # Errors
    /// The provider is unknown or of another kind, or a setting is malformed.
    pub(super) fn kind(&self, provider: &str) -> Result<StoreKind, Failure> {
        let (login, kind) = self.provider(provider)?;
        self.with_flags(login).check().map_err(|error| Problem::new(&error))?;
        Ok(kind)
    }

    /// Returns the region of a provider, or without one, that of the flags and variables, if it is known without a login.
    ///
    /// # Errors
    /// The provider is unknown or of another kind.
    pub(super) fn region(&self, provider: Option<&str>) -> Result<Option<String>, Failure> {
        let login = match provider {
            Some(provider) => self.provider(provider)?.0,
            None => AwsLogin::default(),
        };
        let variable = |name: &str| (self.environment)(name).and_then(|value| value.into_string().ok());
        let region = self.with_flags(login).region().map(str::to_owned);
        Ok(region.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION")))
    }

    fn with_flags(&self, mut login: AwsLogin) -> AwsLogin {
        if let Some(profile) = &self.args.profile {
            login = login.with_profile(profile);
        }
        if let Some(region) = &self.args.region {
            login = login.with_region(region);
        }
        login
    }

    /// Logs in to the account of a provider, or without one, to that of the AWS configuration.
    ///
    /// # Errors
    /// The provider is unknown or of another kind, or the login fails.
    pub(super) fn account(&self, provider: Option<&str>) -> Result<Rc<AwsAccount>, Failure> {
        // No provider has an empty name.
        let name = provider.unwrap_or_default();
        if let Some(account) = self.accounts.borrow().get(name) {
            return Ok(Rc::clone(account));
        }
        let login = match provider {
            Some(provider) => self.provider(provider)?.0,
            None => AwsLogin::default(),
        };
        let account =
            Rc::new(self.with_flags(login).open(&self.environment).map_err(|error| Problem::new(&error))?);
        self.accounts.borrow_mut().insert(name.to_owned(), Rc::clone(&account));
        Ok(account)
    }

    /// Opens the store of a provider.
    ///
    /// # Errors
    /// The provider is unknown or of another kind, or the login fails.
    pub(super) fn store(&self, provider: &str) -> Result<AwsStore, Failure> {
        let (_, kind) = self.provider(provider)?;
        Ok(AwsStore::new(self.account(Some(provider))?, kind, provider))
    }

    fn provider(&self, name: &str) -> Result<(AwsLogin, StoreKind), Failure> {
        let Some(file) = &self.file else {
            let kind = match name {
                "aws-sm" => StoreKind::SecretsManager,
                "aws-ssm" => StoreKind::ParameterStore,
                _ => return Err(Problem::new(&DeskError::NoOperatorFile(name.to_owned())).into()),
            };
            return Ok((AwsLogin::default(), kind));
        };
        let config = file.operator().providers.get(name);
        let config = config.ok_or_else(|| Problem::new(&DeskError::UnknownProvider(name.to_owned())))?;
        let kind = match config {
            ProviderConfig::AwsSm(_) => Some(StoreKind::SecretsManager),
            ProviderConfig::AwsSsm(_) => Some(StoreKind::ParameterStore),
            _ => None,
        };
        let login = config.aws_login(file.directory());
        login.zip(kind).ok_or_else(|| {
            Problem::new(&DeskError::OtherKind { name: name.to_owned(), kind: config.kind() }).into()
        })
    }
}
