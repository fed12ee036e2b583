//! The certificates of a PEM file in the order in which a server presents them: their dates, and which one issued which.
//!
//! Issuers are found by names and key identifiers. Signatures are not verified, and no text of a certificate leaves this
//! module.

use x509_cert::certificate::TbsCertificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, SubjectKeyIdentifier};
use x509_cert::time::Time;

use super::tls_pair::certificate_blocks;
use sealwave_core::time::Date;

/// Maximum number of days before the end of a certificate at which warnings start.
const WARNING_DAYS: i64 = 30;

/// A certificate of the file.
pub(super) struct ChainCertificate {
    der: Vec<u8>,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    subject_key: Option<Vec<u8>>,
    issuer_key: Option<Vec<u8>>,
    not_before: Date,
    not_after: Date,
}

/// A date of a certificate that needs attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChainValidity {
    /// The certificate was valid until this date.
    Expired(Date),
    /// The certificate is valid until this date, for this many more days.
    ExpiresSoon(Date, i64),
    /// The certificate is valid from this date on.
    NotYetValid(Date),
}

/// A problem with the position of a certificate; the number is its position, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChainOrder {
    /// The certificate is in the file twice.
    Duplicate(usize),
    /// The certificate belongs to another position.
    Misplaced(usize),
    /// The certificate issued none of those before it, and none of them issued it.
    Unrelated(usize),
}

/// Returns the certificates of a PEM file; `None` if one of them cannot be parsed.
pub(super) fn chain(file: &[u8]) -> Option<Vec<ChainCertificate>> {
    certificate_blocks(file).iter().map(|block| ChainCertificate::parse(block.der.as_deref()?)).collect()
}

impl ChainCertificate {
    fn parse(der: &[u8]) -> Option<Self> {
        let certificate = x509_cert::Certificate::from_der(der).ok()?;
        let body = certificate.tbs_certificate();
        let (subject_key, issuer_key) = key_identifiers(body);
        Some(Self {
            der: der.to_vec(),
            subject: body.subject().to_der().ok()?,
            issuer: body.issuer().to_der().ok()?,
            subject_key,
            issuer_key,
            not_before: date(body.validity().not_before)?,
            not_after: date(body.validity().not_after)?,
        })
    }

    /// Returns the last day of validity.
    pub(super) const fn last_day(&self) -> Date {
        self.not_after
    }

    /// Compares the dates with today's. Warnings start at the last third of a short validity period.
    pub(super) fn validity(&self, today: Date) -> Option<ChainValidity> {
        let days = today.days_until(self.not_after);
        let warning_days = WARNING_DAYS.min(self.not_before.days_until(self.not_after) / 3);
        if days < 0 {
            Some(ChainValidity::Expired(self.not_after))
        } else if today < self.not_before {
            Some(ChainValidity::NotYetValid(self.not_before))
        } else {
            (days <= warning_days).then_some(ChainValidity::ExpiresSoon(self.not_after, days))
        }
    }

    /// Reports whether this certificate may have issued another one.
    fn may_have_issued(&self, other: &Self) -> bool {
        let same_key = match (&self.subject_key, &other.issuer_key) {
            (Some(own), Some(wanted)) => own == wanted,
            _ => true,
        };
        self.subject == other.issuer && same_key
    }
}

/// Returns the first problem with the order. Each certificate but the first must have issued one before it, so that
/// alternative issuers, which some authorities hand out, are accepted.
pub(super) fn order_problem(chain: &[ChainCertificate]) -> Option<ChainOrder> {
    (1..chain.len()).find_map(|index| {
        let (before, rest) = chain.split_at(index);
        let (one, after) = rest.split_first()?;
        if before.iter().any(|other| other.der == one.der) {
            return Some(ChainOrder::Duplicate(index + 1));
        }
        if before.iter().any(|other| one.may_have_issued(other)) {
            return None;
        }
        let is_related = before.iter().any(|other| other.may_have_issued(one))
            || after.iter().any(|other| one.der != other.der && one.may_have_issued(other));
        Some(if is_related { ChainOrder::Misplaced(index + 1) } else { ChainOrder::Unrelated(index + 1) })
    })
}

fn key_identifiers(body: &TbsCertificate) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let subject = body.get_extension::<SubjectKeyIdentifier>().ok().flatten();
    let issuer = body.get_extension::<AuthorityKeyIdentifier>().ok().flatten();
    let issuer = issuer.and_then(|(_, extension)| extension.key_identifier);
    let bytes = |identifier: &[u8]| identifier.to_vec();
    (
        subject.map(|(_, extension)| bytes(extension.0.as_bytes())),
        issuer.map(|identifier| bytes(identifier.as_bytes())),
    )
}

fn date(time: Time) -> Option<Date> {
    let time = time.to_date_time();
    Date::new(time.year(), time.month(), time.day()).ok()
}
