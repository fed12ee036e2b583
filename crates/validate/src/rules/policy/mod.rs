//! Rules about validating admission policies: whether they are valid, and whether the objects of the set pass them.
//!
//! Messages contain texts of policies, and must never quote a value of an object.

pub(super) mod admission;
pub(super) mod definition;
mod matching;
mod object;

/// API group of admission policies.
const GROUP: &str = "admissionregistration.k8s.io";
const POLICY: &str = "ValidatingAdmissionPolicy";
const BINDING: &str = "ValidatingAdmissionPolicyBinding";

/// Shortens a text of a policy for a message.
fn shorten(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    let mut short: String = text.trim().chars().take(MAX_CHARS).collect();
    if short.len() < text.trim().len() {
        short.push('…');
    }
    sealwave_core::diagnostic::printable(short.replace('\n', " "))
}
