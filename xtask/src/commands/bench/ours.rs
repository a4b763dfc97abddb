//! A hub that is started for a load, and ends with it.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use cinnabar_kit::development::{self, DEVELOPMENT_ISSUER, Variables};

use crate::commands::{dev, suite};
use crate::hubs::{aws, native, worker};
use crate::machine::process::Running;
use crate::machine::{environment, workspace};

/// A hub that this program can build and start.
#[derive(Clone, Copy)]
pub(super) enum Variant {
    Worker,
    Aws,
    Native,
}

impl Variant {
    /// Builds what [`Ours::start`] starts.
    pub(super) fn build(self) -> Result<()> {
        match self {
            Self::Worker => worker::build(),
            Self::Aws => aws::build(),
            Self::Native => native::build(native::Purpose::Service),
        }
    }

    /// Serves it, in a process that becomes the hub.
    fn command(self, port: u16, data: &Path, variables: &Variables) -> Result<Command> {
        if let Self::Native = self {
            return native::command(native::Purpose::Service, port, data, variables);
        }
        let mut command = environment::bare(std::env::current_exe()?);
        command.args(["serve", "--prebuilt", "--port", &port.to_string(), "--data"]);
        command.arg(data).envs(variables);
        if let Self::Aws = self {
            command.args(["--aws", "--environment-concurrency", &suite::MANY.to_string()]);
        }
        Ok(command)
    }
}

/// A running hub with nothing in its log.
pub(super) struct Ours {
    pub(super) url: String,
    process: Running,
    _data: Folder,
}

impl Ours {
    /// Starts it, with room for so many streams, and with the keys of publishers and subscribers.
    /// The rest of its configuration is that of the environment.
    pub(super) fn start(variant: Variant, streams: usize, keys: [&str; 2]) -> Result<Self> {
        let data = Folder::new()?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let url = development::hub_url(port);
        let mut variables = development::environment();
        let [publisher, subscriber] = keys;
        variables.remove("MERCURE_PUBLISHER_JWT_ALG");
        variables.remove("MERCURE_SUBSCRIBER_JWT_ALG");
        for (name, value) in [
            ("HUB_URL", url.as_str()),
            ("MERCURE_PUBLISHER_JWT_KEY", publisher),
            ("MERCURE_SUBSCRIBER_JWT_KEY", subscriber),
            ("MERCURE_TRUSTED_ISSUERS", DEVELOPMENT_ISSUER),
        ] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        variables
            .entry("MAX_STREAMS".to_owned())
            .or_insert_with(|| streams.max(LEAST_MAX_STREAMS).to_string());
        let mut command = variant.command(port, &data.0, &variables)?;
        // Only what was measured goes to standard output.
        command.stdout(std::io::stderr());
        let mut process = Running::start(&mut command)?;
        dev::wait_until_it_answers(&mut process, port)?;
        Ok(Self { url, process, _data: data })
    }

    /// The id of its process.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }
}

/// What a hub is given at least, which is its default.
const LEAST_MAX_STREAMS: usize = 4_000;

/// A folder that is removed when this is dropped. It is in the workspace and not among the system's
/// temporary files, which may be kept in memory, where no write waits for a disk.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let path = workspace::path(".cinnabar").join(format!("bench-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is in nobody's way.
        let _ = fs::remove_dir_all(&self.0);
    }
}
