//! `dist/aws`: the functions as zips, and templates that refer to them.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::archive::{Files, publish};
use super::transform::transformed;
use crate::commands::stack;
use crate::machine::{cargo, process, tools, workspace};

/// A processor on which functions run.
pub(super) struct Processor {
    /// As Lambda calls it.
    name: &'static str,
    /// As Rust does.
    target: &'static str,
    pub(super) template: &'static str,
}

/// The first is the cheaper.
pub(super) const PROCESSORS: [Processor; 2] = [
    Processor { name: "arm64", target: "aarch64-unknown-linux-gnu", template: "template.yaml" },
    Processor {
        name: "x86_64",
        target: "x86_64-unknown-linux-gnu",
        template: "template-x86_64.yaml",
    },
];

pub(super) fn make(dist: &Path) -> Result<()> {
    let mut files = Files::default();
    for processor in &PROCESSORS {
        let mut function = Files::default();
        function.add_program("bootstrap", build(processor)?);
        files.add(&processor.zip(), function.zip()?);
        files.add(processor.template, processor.template()?);
    }
    files.copy("README.md", &workspace::path("kit/aws/README.md"))?;
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        files.copy(licence, &workspace::path(licence))?;
    }
    files.write(&dist.join("aws"))?;
    let name = format!("cinnabar-aws-{}", env!("CARGO_PKG_VERSION"));
    publish(dist, &format!("{name}.tar.gz"), &files.tar_gz(&name)?)
}

/// Compiles the function, and returns its program.
fn build(processor: &Processor) -> Result<Vec<u8>> {
    tools::add_target(processor.target)?;
    let output = workspace::path("target/package").join(processor.name);
    let arguments =
        ["lambda", "build", "--release", "--locked", "--package", "cinnabar-aws", "--bin"];
    process::run(
        stack::command("cargo-lambda", &arguments, &workspace::path(""))?
            .args(["bootstrap", "--target", processor.target, "--flatten", "bootstrap"])
            .arg("--lambda-dir")
            .arg(&output)
            .env("CARGO_TARGET_DIR", cargo::target())
            // It adds the processor's own flags, to this variable alone.
            .env("RUSTFLAGS", cargo::flags_for_publication(None, &[]).replace('\u{1f}', " ")),
    )?;
    let program = output.join("bootstrap");
    fs::read(&program).with_context(|| program.display().to_string())
}

impl Processor {
    fn zip(&self) -> String {
        format!("cinnabar-{}.zip", self.name)
    }

    /// template.yaml, for functions that have been built.
    pub(super) fn template(&self) -> Result<String> {
        let (zip, architectures) =
            (format!("CodeUri: {}", self.zip()), format!("Architectures: [{}]", self.name));
        transformed(
            "template.yaml",
            &[
                ("`sam build && sam deploy --guided`", "`sam deploy --guided`"),
                ("CodeUri: aws", &zip),
                ("Architectures: [arm64]", &architectures),
                (
                    "    Metadata:\n      BuildMethod: rust-cargolambda\n      BuildProperties: { Binary: bootstrap }\n",
                    "",
                ),
            ],
        )
    }
}
