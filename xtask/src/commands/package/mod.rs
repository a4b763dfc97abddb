//! `package`: everything that a release publishes, in `dist/`.
//!
//! | in `dist/` | for whom |
//! |---|---|
//! | `cloudflare/`, and the same as an archive | who deploys to Cloudflare, by the button or `wrangler deploy` |
//! | `aws/`, and the same as an archive | who deploys to AWS, by `sam deploy` |
//! | `cinnabar-hub-*.tgz`, of `npm/` | npm: `npx cinnabar-hub` |
//! | `cinnabar-*-SYSTEM.tar.gz` | who runs one process, on a system like this one |
//!
//! The same commit, built with the same compilers, makes the same bytes: no file has a time or an owner,
//! none names a folder of this machine, and all are in order.

mod archive;
mod aws;
mod cloudflare;
mod native;
mod npm;
mod transform;
mod trial;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::machine::workspace;

pub(crate) use self::trial::{check, check_templates};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Make only this [default: all]
    #[arg(long, value_enum)]
    only: Option<Kind>,

    /// Instead, try the npm package and the folder for Cloudflare as a user without Rust would, and
    /// validate the templates for AWS, as `cargo xtask test` does
    #[arg(long, conflicts_with = "only")]
    check: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// The folder for `wrangler deploy`
    Cloudflare,
    /// The zips of the functions, and the template that refers to them
    Aws,
    /// The npm package
    Npm,
    /// The program for systems like this one
    Native,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.check {
        check()?;
        return check_templates();
    }
    let dist = workspace::path("dist");
    fs::create_dir_all(&dist).context("cannot create dist")?;
    match arguments.only {
        Some(kind) => kind.make(&dist),
        None => Kind::value_variants().iter().try_for_each(|kind| kind.make(&dist)),
    }
}

impl Kind {
    fn make(self, dist: &Path) -> Result<()> {
        match self {
            Self::Cloudflare => cloudflare::make(dist),
            Self::Aws => aws::make(dist),
            Self::Npm => npm::make(dist),
            Self::Native => native::make(dist),
        }
    }
}
