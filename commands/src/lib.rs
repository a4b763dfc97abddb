//! What operators ask for besides a hub: tokens for it, and what its configuration means.
//!
//! Two programs offer these as commands: `cinnabar`, for the hub that it is itself, and `cargo
//! xtask`, for hubs that are deployed elsewhere or run on a developer's machine. What differs is
//! where variables come from, so whoever calls passes them in.
//!
//! | to find | look in |
//! |---|---|
//! | what a token may say, and which key signs it | [`token`] |
//! | whether a configuration is fit for the public, and what a hub makes of it | [`check`] |

pub mod check;
pub mod token;
