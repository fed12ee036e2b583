//! Rules about committed sealed values that the controller might be unable to open.

mod sealed_secret;

rules! {
    duplicate_target,
    foreign_certificate,
    renamed,
    reseal_record,
    same_ciphertext,
    scope_mismatch,
    template,
    undecodable,
}
