//! The requirements of the specification, and what shows each: `tests/requirements.toml`.
//!
//! Every MUST, MUST NOT, SHALL and REQUIRED has a row there, which names the tests that show it,
//! or says why there are none. So that the file stays true, it is checked that no row is without
//! the one or the other, that the rows of a section are as many as its keywords, and that every
//! test exists that is named ([`check`]). The README's protocol table is made of it ([`table`]).
//!
//! | a test's name begins with | and goes on with |
//! |---|---|
//! | `case:` | a black-box case, as `cinnabar-conformance --list` names it |
//! | `vector:` | a file of `core/tests/vectors` without `.json`, `/`, and the name of a vector |
//! | `unit:` | a test inside `core/src`, as `cargo test --lib -- --list` names it |
//! | `simulation:` | a test of `core/tests/simulation`, the same way |

mod existing;
mod specification;
mod table;
mod test_name;

use anyhow::{Result, bail};

use self::specification::{FILE, Specification};
pub(crate) use self::table::table;

/// Fails where a requirement names a test that does not exist. The tests must be built already,
/// or this takes long.
pub(crate) fn check() -> Result<()> {
    let specification = Specification::read()?;
    let names = existing::names()?;
    let missing: Vec<String> = specification
        .tests()
        .filter(|test| !names[&test.kind].contains(&test.name))
        .map(|test| format!("  {test}"))
        .collect();
    if !missing.is_empty() {
        bail!("{FILE} names tests that do not exist:\n{}", missing.join("\n"));
    }
    Ok(())
}
