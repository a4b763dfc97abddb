//! A door through which tests abort the Worker's objects. It is no part of the Worker, whose module it wraps, and
//! only `serve --door` opens it.

use anyhow::{Result, ensure};

/// Whether there is a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Closed,
    Open,
}

/// Its module: the name, and the text.
pub(crate) const MODULE: (&str, &str) = ("door.js", include_str!("door.js"));

/// What its module has, and no other may have.
const MARK: &str = "\"/abort/\"";

/// workerd's configuration for a Worker with a door.
pub(crate) fn opened(configuration: &str) -> String {
    // The first module is the one that the runtime calls.
    let first = "(name = \"index.js\"";
    let door = format!("(name = \"{0}\", esModule = embed \"{0}\"),\n    {first}", MODULE.0);
    configuration.replace(first, &door)
}

/// Fails if a module that is to be deployed has a door.
pub(crate) fn require_none(module: &str) -> Result<()> {
    ensure!(!module.contains(MARK), "the Worker has a door, which is for tests alone");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_found() {
        assert!(require_none(MODULE.1).is_err());
        assert!(require_none("export default { fetch() {} };").is_ok());
    }
}
