//! Rules about cert-manager objects that get no certificate or overwrite each other's Secret.

mod names;

rules! {
    duplicate_secret,
    missing_issuer,
}
