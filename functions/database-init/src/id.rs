//! Physical ids: the server, and what on it.

use custom_resource::{LONGEST_PHYSICAL_ID, PhysicalId, Scope};

/// Begins the id of a schema.
pub(crate) const SCHEMA: &str = "mysql-schema:";
/// Begins the id of a user.
pub(crate) const USER: &str = "mysql-user:";

/// An id from what identifies the thing. Properties are checked only later; so that even bad ones have an id, control
/// characters are left out and what is too long is cut.
pub(crate) fn physical_id(scope: &Scope, kind: &str, host: &str, port: u16, thing: &str) -> PhysicalId {
    let mut text: String = format!("{kind}{host}:{port}/{thing}")
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    text.truncate(text.floor_char_boundary(LONGEST_PHYSICAL_ID));
    PhysicalId::new(text).unwrap_or_else(|_| PhysicalId::placeholder(scope.stack_id(), scope.logical_id()))
}
