//! The program of the npm package, as WebAssembly: what `npx cinnabar-hub` need not have in JavaScript.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cinnabar_kit::welcome::Tokens;
use cinnabar_kit::{CLOUDFLARE, check, development, token, workerd};
use clap::{Parser, Subcommand};
use serde_json::json;

#[derive(Parser)]
#[command(name = "cinnabar-hub", bin_name = "npx cinnabar-hub", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Mint an access token
    ///
    /// Without --key, for the hub that the environment configures, and whatever it does not say is
    /// that of `npx cinnabar-hub dev`.
    Token(token::Arguments),
    /// Check the configuration of the Worker in this folder before a deploy, reading it as the hub will
    Check,
    /// Fail if what is deployed from this folder may not be meant for strangers
    #[command(hide = true)]
    Deployable,
    /// Print, as JSON, what it takes to serve a hub in development at this port
    #[command(hide = true)]
    Dev { port: u16 },
}

fn main() -> ExitCode {
    let done = enter_folder().and_then(|()| match Arguments::parse().command {
        Command::Token(arguments) => token::run(&arguments),
        Command::Check => check::run(Path::new("")),
        Command::Deployable => check::refuse_debugger(Path::new("")),
        Command::Dev { port } => dev(port),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// WebAssembly has no working directory, so whoever runs it says which one is the user's.
fn enter_folder() -> Result<()> {
    match std::env::var_os("PWD") {
        Some(folder) if cfg!(target_os = "wasi") => std::env::set_current_dir(&folder)
            .with_context(|| format!("cannot enter {}", Path::new(&folder).display())),
        _ => Ok(()),
    }
}

fn dev(port: u16) -> Result<()> {
    let (variables, config) = development::configure(&CLOUDFLARE, port)?;
    if let Some(ignored) = development::ignored_secret() {
        eprintln!("{ignored}");
    }
    let mut again = "npx cinnabar-hub dev".to_owned();
    if port != development::PORT {
        again += &format!(" --port {port}");
    }
    let hub_url = format!("http://localhost:{port}{}", config.path());
    let tokens = Tokens::mint(&variables, &config, &hub_url)?;
    let (cache, text) = workerd::CACHE;
    println!(
        "{}",
        json!({
            "files": {
                "workerd.capnp": workerd::configuration(&variables, |_| false)?,
                cache: text,
            },
            "variables": variables,
            "welcome": tokens.text(&config, &hub_url, &again),
        })
    );
    Ok(())
}
