//! Validating admission policies of the set: whether they are valid, and whether the objects of the set pass them.
//!
//! Nothing here may quote a value of an object: messages hold what a policy says, never what it looked at.

pub(super) mod admission;
pub(super) mod definition;
mod matching;
mod object;

/// API group of admission policies.
const GROUP: &str = "admissionregistration.k8s.io";
const POLICY: &str = "ValidatingAdmissionPolicy";
const BINDING: &str = "ValidatingAdmissionPolicyBinding";

/// Shortens what a policy says to what a message can hold.
fn shown(text: &str) -> String {
    const MOST: usize = 200;
    let mut short: String = text.trim().chars().take(MOST).collect();
    if short.len() < text.trim().len() {
        short.push('…');
    }
    sealwave_core::diagnostic::printable(short.replace('\n', " "))
}
