//! What is written for users: its links lead somewhere, and no message of the hub is unexplained.
//!
//! | to find | look in |
//! |---|---|
//! | links and their anchors | [`links`] |
//! | the hub's messages, and the page that explains them | [`messages`] |
//! | which pages there are | [`pages`] |

mod links;
mod messages;
mod pages;

use anyhow::{Result, bail};

use crate::machine::workspace;

/// Fails if a link is broken, or a message of the hub is on no page.
pub(crate) fn check() -> Result<()> {
    let pages = pages::pages()?;
    let mut faults = links::faults(&pages, |path| workspace::path("").join(path).exists());
    faults.extend(messages::faults()?);
    if !faults.is_empty() {
        bail!("the documentation is not whole\n\n{}", faults.join("\n"));
    }
    Ok(())
}
