//! The specification's requirements, and what shows that each is met: `tests/requirements.toml`.
//!
//! Every MUST, MUST NOT, SHALL and REQUIRED has a row there, which names the tests that show it, or
//! says why there are none. To keep the file honest, it is checked that each row has one or the
//! other, that a section has as many rows as keywords, and that every test it names exists
//! ([`check`]). The README's protocol table is made from it ([`table`]).
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

/// Fails if a requirement names a test that does not exist. This takes long unless the tests have
/// been built already.
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
