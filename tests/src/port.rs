//! Ports for hubs that are started here, each of one hub of one suite.
//!
//! A port that was found free, by listening on it for a moment, may be another program's by the time
//! that the hub does, or while a hub that was killed is restarted. So these ports are none that the
//! system gives away itself, and other suites on the machine are kept off one for as long as it is
//! wanted: it is held as a port of UDP, which no hub listens on.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below those that systems give to whoever asks for any: on Linux they begin at 32768.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// A port of this machine's loopback address, which no other suite takes while this lives.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _held: UdpSocket,
}

impl Port {
    /// Takes a port that is free.
    pub(crate) fn take() -> Result<Self, String> {
        static TAKEN: AtomicU32 = AtomicU32::new(0);
        for _ in 0..COUNT {
            // Suites begin far from one another, since their processes have neighbouring ids.
            let begin = std::process::id().wrapping_mul(997);
            let next = begin.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
            let Ok(number) = u16::try_from(FIRST + next % COUNT) else { continue };
            let Ok(held) = UdpSocket::bind(("127.0.0.1", number)) else { continue };
            if TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Ok(Self { number, _held: held });
            }
        }
        Err(format!("no port is free between {FIRST} and {}", FIRST + COUNT))
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_port_is_taken_once_and_can_be_listened_on() {
        let ports: Vec<Port> = (0..50).map(|_| Port::take().unwrap()).collect();
        let numbers: BTreeSet<u16> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
        for port in &ports {
            // As another suite would.
            assert!(UdpSocket::bind(("127.0.0.1", port.number())).is_err());
            TcpListener::bind(("127.0.0.1", port.number())).unwrap();
        }
    }
}
