//! What a hub gets of the user's environment.

use std::ffi::OsStr;
use std::process::Command;

/// What programs need to be found and to run, and what developers see their logs with.
const INHERITED: [&str; 9] = [
    "HOME",
    "JAVA_HOME",
    "LANG",
    "LD_LIBRARY_PATH",
    "PATH",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "TMPDIR",
    "USER",
];

/// What programs reach registries with, and trust: a proxy, certificates.
pub(crate) fn network() -> impl Iterator<Item = (String, String)> {
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];
    std::env::vars().filter(move |(name, _)| names.contains(&name.to_uppercase().as_str()))
}

/// A command that gets none of the user's variables but those.
///
/// Others could change what a hub does behind its configuration: `AWS_SESSION_TOKEN` or
/// `AWS_PROFILE` would reach the function on AWS, as would a variable's older name beside today's.
pub(crate) fn bare(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    for name in INHERITED {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_inherited_stays_behind() {
        // It stands for any of the user's variables: cargo sets it for every test.
        let of_the_users = "CARGO_PKG_NAME";
        assert!(std::env::var_os(of_the_users).is_some(), "run by cargo");
        let printed = bare("env").env("HEARTBEAT", "20s").output().unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        let has = |name: &str| printed.lines().any(|line| line.starts_with(&format!("{name}=")));
        assert!(has("HEARTBEAT") && has("PATH"), "{printed}");
        assert!(!has(of_the_users), "{printed}");
    }
}
