//! Each test of a promise fails if the promise is broken. A sealwave that breaks it runs through the story of the test.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

use super::{checksums, difference, order, plaintext, pruning, rotation, secret_writers};
use crate::harness::{Break, SmallApp, Stack, TestApp};

pub fn ciphertext_checksum(stack: &Arc<Stack>) {
    let app = SmallApp::broken(stack, "ciphertext-checksum", Break::CiphertextChecksum);
    must_fail(|| rotation::restarts_no_pod(&app), "\"Pod/use-alpha\"");
}

pub fn constant_checksum_key(stack: &Arc<Stack>) {
    let app = SmallApp::broken(stack, "constant-checksum-key", Break::ConstantChecksumKey);
    must_fail(|| checksums::depend_on_the_key(&app), "checksum/secret does not depend on the key");
}

pub fn hashed_checksum(stack: &Arc<Stack>) {
    let app = SmallApp::broken(stack, "hashed-checksum", Break::HashedChecksum);
    must_fail(|| checksums::depend_on_the_key(&app), "checksum/secret is the sha256sum of `CANARY-alpha-1`");
}

pub fn leaked_error(stack: &Arc<Stack>) {
    leaks(stack, "leaked-error", Break::LeakedError, "a failing run");
}

pub fn leaked_value(stack: &Arc<Stack>) {
    leaks(stack, "leaked-value", Break::LeakedValue, "good runs");
}

/// Only the value that no other app has leaks, so that the test of the promise itself may run at the same time.
fn leaks(stack: &Arc<Stack>, name: &str, fault: Break, after: &str) {
    let app = TestApp::broken(stack, name, fault);
    must_fail(|| plaintext::stay_in_secrets(stack, &app), &format!("leaks of [\"own value\"] after {after}"));
}

pub fn no_checksum(stack: &Arc<Stack>) {
    let app = SmallApp::broken(stack, "no-checksum", Break::NoChecksum);
    must_fail(
        || rotation::restarts_exactly_the_users(&app),
        "left: [\"SealedSecret/alpha\", \"Secret/alpha\"]",
    );
}

pub fn no_prune_last(stack: &Arc<Stack>) {
    let app = SmallApp::broken(stack, "no-prune-last", Break::NoPruneLast);
    must_fail(|| pruning::stay_until_users_moved(&app), "sealedsecrets alpha was deleted");
}

pub fn no_prune_last_and_a_failing_wave(stack: &Arc<Stack>) {
    let app = SmallApp::broken(stack, "no-prune-last-failing", Break::NoPruneLast);
    must_fail(|| pruning::keeps_the_old_secret(&app), "the old SealedSecret was deleted");
}

pub fn no_waves(stack: &Arc<Stack>) {
    let app = SmallApp::broken(stack, "no-waves", Break::NoWaves);
    must_fail(|| order::is_ordered(&app), "precedes Secret alpha");
}

pub fn plaintext_secret(stack: &Arc<Stack>) {
    let app = SmallApp::broken(stack, "plaintext-secret", Break::PlaintextSecret);
    must_fail(|| secret_writers::leaves_secrets_to_the_controller(&app), "wrote Secret");
}

pub fn random_sealing(stack: &Arc<Stack>) {
    let app = SmallApp::broken(stack, "random-sealing", Break::RandomSealing);
    must_fail(|| difference::stays_synced(&app), "Hard refresh 1 found a difference");
}

pub fn wide_checksum(stack: &Arc<Stack>) {
    let app = SmallApp::broken(stack, "wide-checksum", Break::WideChecksum);
    must_fail(|| rotation::restarts_exactly_the_users(&app), "\"Pod/use-beta\"");
}

/// Runs a story, which has to fail with a message.
fn must_fail(story: impl FnOnce(), expected: &str) {
    let Err(panic) = quietly(story) else {
        panic!("the test passed, although its promise was broken");
    };
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).expect("a message");
    assert!(message.contains(expected), "the test failed for another reason than `{expected}`: {message}");
}

thread_local! {
    static EXPECTS_PANIC: Cell<bool> = const { Cell::new(false) };
}

/// Catches a panic without printing it, because a reader of the log would take it for a failure.
fn quietly(run: impl FnOnce()) -> Result<(), Box<dyn Any + Send>> {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !EXPECTS_PANIC.get() {
                usual(panic);
            }
        }));
    });
    EXPECTS_PANIC.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    EXPECTS_PANIC.set(false);
    result
}
