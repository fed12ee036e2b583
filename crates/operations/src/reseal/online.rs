//! Re-sealing by the controller of a cluster, without any private key here.

use sealwave_core::diagnostic::Problem;
use sealwave_secrets::crypto::Certificate;

use super::engine::{EngineFailure, ResealEngine, ResealedItem, ResealedItems, SealedItems};
use super::error::ResealError;
use crate::controller::Controller;
use crate::plan::PlanFact;

/// Seals items through a controller, which publishes the certificate.
pub struct OnlineEngine<'c> {
    controller: &'c Controller<'c>,
    certificate: &'c Certificate,
}

impl<'c> OnlineEngine<'c> {
    /// Creates an engine of a controller and the certificate that it publishes.
    #[must_use]
    pub const fn new(controller: &'c Controller<'c>, certificate: &'c Certificate) -> Self {
        Self { controller, certificate }
    }
}

impl ResealEngine for OnlineEngine<'_> {
    fn reseal(&self, sealed: &SealedItems) -> Result<ResealedItems, EngineFailure> {
        let new = self.controller.reseal(sealed).map_err(|error| Problem::new(&error))?;
        let not_verified = |key: &str| {
            let error = ResealError::NotVerified { object: sealed.shown(), key: key.to_owned() };
            EngineFailure { key: Some(key.to_owned()), problem: Box::new(Problem::new(&error)) }
        };
        // An item for another key than the published one would be recorded wrongly.
        if let Some((key, _)) = new.iter().find(|(_, item)| self.certificate.rules_out(item)) {
            return Err(not_verified(key));
        }
        let checked = SealedItems { items: new, ..sealed.clone() };
        if !self.controller.can_decrypt(&checked).map_err(|error| Problem::new(&error))? {
            let first = checked.items.keys().next();
            return Err(not_verified(first.map_or("", String::as_str)));
        }
        Ok(checked
            .items
            .into_iter()
            .map(|(key, item)| (key, ResealedItem::Sealed { ciphertext: item, opened_by: None }))
            .collect())
    }

    fn facts(&self) -> Vec<PlanFact> {
        let fact = |name: &str, value: String| PlanFact { name: name.to_owned(), value };
        let service = self.controller.service();
        vec![
            fact("controller", service.service.clone()),
            fact("controller namespace", service.namespace.clone()),
            fact("verification", "the controller opens each new item".to_owned()),
        ]
    }
}
