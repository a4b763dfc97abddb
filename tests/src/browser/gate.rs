//! A TCP proxy in front of the hub: a network that can fail.
//!
//! A page is cut off at a chosen moment and comes back at a chosen moment: connections made while
//! the gate is shut wait in front of it. So "while the page was away" is an order of events, not a
//! matter of timing.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

/// A proxy on a free port of loopback, for as long as the process lives.
pub(super) struct Gate {
    port: u16,
    state: Arc<State>,
}

impl Gate {
    /// Starts an open gate in front of a loopback port.
    pub(super) fn start(hub_port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A connection that fails has ended, and its client will notice.
                thread::spawn(move || _ = state.pass(client, hub_port));
            }
        });
        Ok(Self { port, state })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// From now on new connections wait; existing ones go on.
    pub(super) fn shut(&self) {
        self.state.lock().shut = true;
    }

    /// Lets in all that are waiting, and all that come.
    pub(super) fn open(&self) {
        self.state.lock().shut = false;
        self.state.opened.notify_all();
    }

    /// Resets every connection, as a failing network would.
    pub(super) fn cut(&self) -> io::Result<()> {
        for passage in self.state.lock().passages.drain(..).filter_map(|passage| passage.upgrade())
        {
            // With a linger time of zero, the close that follows is a reset.
            set_socket_linger(&passage.client, Some(Duration::ZERO))?;
            passage.end();
        }
        Ok(())
    }
}

#[derive(Default)]
struct State {
    inner: Mutex<Inner>,
    opened: Condvar,
}

#[derive(Default)]
struct Inner {
    shut: bool,
    passages: Vec<Weak<Passage>>,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self, client: TcpStream, hub_port: u16) -> io::Result<()> {
        let waiting = self.opened.wait_while(self.lock(), |inner| inner.shut);
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
        let hub = TcpStream::connect((Ipv4Addr::LOCALHOST, hub_port))?;
        let passage = Arc::new(Passage { client, hub });
        self.lock().passages.push(Arc::downgrade(&passage));
        let back = Arc::clone(&passage);
        thread::spawn(move || back.copy(&back.hub, &back.client));
        passage.copy(&passage.client, &passage.hub);
        Ok(())
    }
}

/// One connection through the gate. Its sockets close when both directions have ended.
struct Passage {
    client: TcpStream,
    hub: TcpStream,
}

impl Passage {
    fn copy(&self, mut from: &TcpStream, mut to: &TcpStream) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        self.end();
    }

    /// Wakes both directions. Nothing is sent to the client here: it sees only the close.
    fn end(&self) {
        // Its peer may have closed either already, which is just as well.
        _ = self.client.shutdown(Shutdown::Read);
        _ = self.hub.shutdown(Shutdown::Both);
    }
}
