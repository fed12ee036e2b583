//! Names and texts of admission policies.

/// API group of admission policies.
pub(super) const GROUP: &str = "admissionregistration.k8s.io";
pub(super) const POLICY: &str = "ValidatingAdmissionPolicy";
pub(super) const BINDING: &str = "ValidatingAdmissionPolicyBinding";

/// Shortens a text of a policy for a message.
pub(super) fn shorten(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    let mut short: String = text.trim().chars().take(MAX_CHARS).collect();
    if short.len() < text.trim().len() {
        short.push('…');
    }
    sealwave_core::diagnostic::printable(short.replace('\n', " "))
}
