//! What `cargo xtask` and the npm package `cinnabar-hub` share: hubs in development, and the Worker
//! before it is deployed.
//!
//! The package runs this crate's program as WebAssembly, so that nothing of it is written again in
//! JavaScript; that has the files, the ports and the processes.
//!
//! | to find | look in |
//! |---|---|
//! | the variables of a hub in development | [`development`] |
//! | what is printed of it: tokens, and lines to paste | [`welcome`] |
//! | how workerd runs it | [`workerd`] |
//! | the variables of a Worker that is to be deployed | [`deployment`], of which [`dev_vars`] is a part |
//! | whether they are fit for that | [`check`] |
//! | a token for any hub | [`token`] |

pub mod check;
pub mod deployment;
pub mod dev_vars;
pub mod development;
pub mod shell;
pub mod token;
pub mod welcome;
pub mod workerd;

#[path = "../../cloudflare/src/deployment.rs"]
mod cloudflare;

/// Where the Worker runs, and workerd stands in for it.
pub const CLOUDFLARE: cinnabar_core::Platform = cloudflare::PLATFORM;
