//! Where connections come in: no more of them at a time than the process can serve.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cinnabar_core::Sampler;
use cinnabar_runtime::machine;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tracing::warn;

/// How many open files are left for everything that is no connection: the log, the certificate, what
/// the runtime itself needs.
const OTHER_FILES: usize = 64;

/// How many connections there may be besides those of streams, at least.
const OTHER_CONNECTIONS: usize = 1_000;

/// How long to rest when no connection can be accepted: most likely too many files are open.
const REST: Duration = Duration::from_millis(100);

/// Listens for connections, and bounds their number: whoever comes while all places are taken waits
/// in the system's queue, unaccepted, until a connection ends.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    places: Arc<Semaphore>,
    /// How many places there are.
    most: usize,
    /// For lines that every client can cause.
    sampler: Sampler,
}

/// A connection's place, which is free again once this is dropped.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "dropped, it is free")] OwnedSemaphorePermit);

impl Listener {
    /// Listens at an address, for at most so many connections at a time.
    ///
    /// # Errors
    ///
    /// The system refuses the address.
    pub async fn bind(address: SocketAddr, most: usize) -> io::Result<Self> {
        let most = most.min(Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(most));
        let socket = TcpListener::bind(address).await?;
        Ok(Self { socket, places, most, sampler: Sampler::default() })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The next connection, once there is a place for it.
    pub(crate) async fn accept(&mut self) -> (TcpStream, Place) {
        if self.places.available_permits() == 0 {
            self.warn(format!(
                "all {} connections are in use; more are accepted as these end (raise the limit of open files, or --max-connections)",
                self.most
            ));
        }
        // It fails only once it is closed, and it never is.
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
            return pending().await;
        };
        loop {
            match self.socket.accept().await {
                Ok((stream, _)) => return (stream, Place(place)),
                Err(error) => {
                    self.warn(format!("no connection can be accepted: {error}"));
                    sleep(REST).await;
                }
            }
        }
    }

    /// Writes a line to the log, unless there were several like it a moment ago.
    fn warn(&mut self, line: String) {
        if let Some(line) = self.sampler.sample(line, machine::now()) {
            warn!("{line}");
        }
    }
}

/// Raises the limit on open files as far as the system lets this process, since every connection is
/// one, and shells commonly start with a thousand. Returns that limit.
#[must_use]
pub fn raise_open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // Some systems refuse to raise it; then the hub serves as many connections as it may.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let limit = getrlimit(Resource::Nofile).current;
    limit.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
}

/// How many connections to serve at a time, where this many files may be open and this many streams:
/// as many as are `asked` for, else twice the streams and some more, as far as the files allow.
///
/// # Errors
///
/// Too few files may be open.
pub fn most_connections(
    asked: Option<usize>,
    open_files: usize,
    streams: usize,
) -> Result<usize, String> {
    let possible = open_files.saturating_sub(OTHER_FILES);
    let raise = "raise that limit (`ulimit -n`, or LimitNOFILE in a unit of systemd)";
    match asked {
        _ if possible == 0 => Err(format!(
            "this process may open no more than {open_files} files, and needs {OTHER_FILES} besides its connections: {raise}"
        )),
        Some(asked) if asked > possible => Err(format!(
            "--max-connections {asked} is more than this process can serve, which may open no more than {open_files} files and needs {OTHER_FILES} itself: {raise}, or ask for {possible} at most"
        )),
        Some(asked) => Ok(asked),
        None => Ok(streams.saturating_mul(2).saturating_add(OTHER_CONNECTIONS).min(possible)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_more_connections_than_files_and_twice_the_streams() {
        assert_eq!(most_connections(None, 1_000_000, 20_000), Ok(41_000));
        assert_eq!(most_connections(None, 1_024, 20_000), Ok(960));
        assert_eq!(most_connections(None, usize::MAX, usize::MAX), Ok(usize::MAX - 64));
        assert_eq!(most_connections(Some(960), 1_024, 20_000), Ok(960));
        assert_eq!(most_connections(Some(50_000), 1_000_000, 20_000), Ok(50_000));
        let told = most_connections(Some(961), 1_024, 20_000).unwrap_err();
        assert!(told.contains("--max-connections 961") && told.contains("960 at most"), "{told}");
        for asked in [None, Some(1)] {
            assert!(most_connections(asked, 64, 20_000).unwrap_err().contains("ulimit -n"));
        }
    }
}
