//! The Worker: from Rust to what Cloudflare runs.
//!
//! cargo compiles with `panic=unwind`, so that a panic costs one request rather than every stream
//! in the isolate; wasm-bindgen writes the glue; esbuild bundles the glue, the JavaScript snippets
//! and the entry into one module. `worker-build` does the same, but it has its own lock file, needs
//! OpenSSL's headers and minutes of compilation, and uses whatever nightly is the newest.
//!
//! ```text
//! cloudflare/src/*.rs ─ cargo ─▶ .wasm ─ wasm-bindgen ─▶ index_bg.wasm, index.js, snippets/
//! cloudflare/src/entry.js ───────────────────────────────── esbuild ─▶ cloudflare/build/index.js
//! ```
//!
//! The contract of its log is built the same way, into a folder of its own.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::hubs::door;
use crate::machine::{cargo, process, tools, workspace};

/// The largest wasm allowed, in bytes once compressed: a third of the free plan's limit.
const MAX_COMPRESSED: usize = 1_000_000;

/// One program made of the crate.
struct Program {
    /// The features of the crate that it is compiled with.
    features: &'static str,
    /// What the runtime calls.
    entry: &'static str,
    /// Where it ends up.
    folder: &'static str,
}

/// The Worker.
const HUB: Program = Program { features: "", entry: "entry.js", folder: "cloudflare/build" };

/// Its log, held to the contract that every log keeps.
const CONTRACT: Program =
    Program { features: "contract", entry: "contract.js", folder: "target/worker/contract" };

/// The Worker's files, as wrangler and workerd read them.
pub(crate) fn folder() -> PathBuf {
    workspace::path(HUB.folder)
}

/// Builds the Worker, and says how large it is.
pub(crate) fn build_and_report() -> Result<()> {
    build()?;
    door::require_none(&fs::read_to_string(folder().join("index.js"))?)?;
    let size = compressed_size()?;
    println!("cloudflare/build/index_bg.wasm: {} kB gzipped", size.div_ceil(1000));
    if size > MAX_COMPRESSED {
        bail!(
            "the wasm is {size} bytes gzipped, and at most {MAX_COMPRESSED} are allowed: find out what made it grow"
        );
    }
    Ok(())
}

/// Builds the Worker.
pub(crate) fn build() -> Result<()> {
    make(&HUB)
}

/// Builds the log's contract. Returns the folder of its files.
pub(crate) fn build_contract() -> Result<PathBuf> {
    make(&CONTRACT)?;
    Ok(workspace::path(CONTRACT.folder))
}

fn make(program: &Program) -> Result<()> {
    tools::nightly()?;
    tools::npm_packages()?;
    // Two builds at once (`dev` in one terminal, wrangler in another) would write the same files.
    fs::create_dir_all(workspace::path("target"))?;
    let turn = File::create(workspace::path("target/worker.lock"))?;
    turn.lock().context("cannot lock target/worker.lock")?;
    let wasm = compile(program)?;
    bundle(program, &bind(&wasm)?)
}

/// Compiles the Rust, and returns the wasm file.
fn compile(program: &Program) -> Result<PathBuf> {
    // In a separate folder: sharing one between compilers and flags would make cargo start over.
    let target = workspace::path("target/worker");
    process::run(
        Command::new("rustup")
            .args(["run", tools::NIGHTLY, "cargo", "build", "--package", "cinnabar-cloudflare"])
            .args(["--lib", "--release", "--target", tools::WASM])
            .args(["--features", program.features])
            .args(["-Z", "build-std=std,panic_unwind", "--target-dir"])
            .arg(&target)
            .env(
                "CARGO_ENCODED_RUSTFLAGS",
                cargo::flags_for_publication(Some(tools::NIGHTLY), &["-Cpanic=unwind"]),
            )
            // As with worker-build, the macros of `worker` generate code for js-sys's futures.
            .env("WASM_BINDGEN_USE_JS_SYS", "1")
            .current_dir(workspace::path("")),
    )?;
    Ok(target.join(tools::WASM).join("release/cinnabar_cloudflare.wasm"))
}

/// Writes wasm and glue into a fresh folder, and returns it.
fn bind(wasm: &Path) -> Result<PathBuf> {
    let folder = workspace::path("target/worker/glue");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    wasm_bindgen_cli_support::Bindgen::new()
        .module(true)?
        .input_path(wasm)
        .out_name("index")
        .typescript(false)
        // `worker` asks for a new instance after any trap other than a panic.
        .reset_state_function(true)
        .generate(&folder)
        .context("wasm-bindgen failed")?;
    // In Cloudflare's runtime an ordinary import yields a compiled wasm module.
    let glue = folder.join("index.js");
    let text = fs::read_to_string(&glue)?.replace("import source ", "import ");
    fs::write(&glue, text)?;
    Ok(folder)
}

/// Bundles the entry with the glue into the program's folder.
fn bundle(program: &Program, glue: &Path) -> Result<()> {
    let source = workspace::path("cloudflare/src").join(program.entry);
    fs::copy(source, glue.join("entry.js"))?;
    process::run(
        Command::new(tools::esbuild()?)
            .args(["entry.js", "--bundle", "--format=esm", "--minify", "--log-level=error"])
            .args(["--external:./index_bg.wasm", "--external:cloudflare:*"])
            .arg("--outfile=bundle/index.js")
            .current_dir(glue),
    )?;
    // Renamed into place, so that nothing that runs or deploys it meanwhile sees half a file.
    let folder = workspace::path(program.folder);
    fs::create_dir_all(&folder)?;
    for (from, name) in [("bundle/index.js", "index.js"), ("index_bg.wasm", "index_bg.wasm")] {
        fs::rename(glue.join(from), folder.join(name))?;
    }
    Ok(())
}

fn compressed_size() -> Result<usize> {
    let wasm = fs::read(folder().join("index_bg.wasm"))?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&wasm)?;
    Ok(encoder.finish()?.len())
}
