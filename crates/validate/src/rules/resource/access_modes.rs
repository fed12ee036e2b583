//! Access modes of volumes and claims.

use crate::facts::fields::{items, key_origin};
use crate::field_checks::FieldChecker;
use sealwave_core::document::Node;

/// Checks that `ReadWriteOncePod` is the only access mode.
pub(super) fn check_access_modes(spec: &Node, checker: &mut FieldChecker<'_>) {
    let is_single = |mode: &&Node| mode.as_str() == Some("ReadWriteOncePod");
    let modes = items(spec, "accessModes");
    if modes.iter().any(|mode| is_single(&mode)) && !modes.iter().all(|mode| is_single(&mode)) {
        let message = "`ReadWriteOncePod` is not allowed with other access modes";
        checker.report(key_origin(spec, "accessModes"), message, "keep only `ReadWriteOncePod`");
    }
}
