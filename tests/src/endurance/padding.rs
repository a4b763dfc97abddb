//! Data of any size.

/// Data of this size that begins with a name, all of it characters that a form leaves as they are.
pub(super) fn padded(name: &str, size: usize) -> String {
    let padding = ".".repeat(size.saturating_sub(name.len()));
    format!("{name}{padding}")
}
