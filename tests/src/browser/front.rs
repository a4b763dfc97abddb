//! One origin for a hub and for a page that drives its debugger.
//!
//! A page can touch another only within one origin, and the debugger's policy lets no script in but its
//! own. So this proxy answers the driver's path itself, and hands everything else on to the hub: one
//! request a connection, so that it sees each of them.

use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;

/// The path of the page that drives others.
pub(super) const DRIVER: &str = "/driver";

/// A proxy on a free port of loopback, for as long as the process lives.
pub(super) struct Front {
    port: u16,
}

impl Front {
    /// Starts one in front of a hub's loopback port.
    pub(super) fn start(hub_port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A connection that fails has ended, and its client will notice.
                thread::spawn(move || _ = pass(&client, hub_port));
            }
        });
        Ok(Self { port })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

fn pass(client: &TcpStream, hub_port: u16) -> io::Result<()> {
    let mut request = BufReader::new(client);
    let head = head(&mut request)?;
    if head.starts_with(format!("GET {DRIVER}?").as_bytes()) {
        return drive(client);
    }
    let hub = TcpStream::connect((Ipv4Addr::LOCALHOST, hub_port))?;
    (&hub).write_all(&head)?;
    let (hub_back, client_back) = (hub.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        // Whichever side has gone, the other is told by the end.
        _ = copy(&hub_back, &client_back);
        _ = client_back.shutdown(Shutdown::Write);
    });
    let sent = copy(request, &hub);
    // A stream goes on for as long as the page is there, which sends nothing more.
    hub.shutdown(Shutdown::Both)?;
    sent
}

/// The head of a request, which asks for the connection to be closed behind the answer.
fn head(request: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    loop {
        let mut line = Vec::new();
        request.read_until(b'\n', &mut line)?;
        if line.trim_ascii().is_empty() {
            head.extend_from_slice(b"Connection: close\r\n\r\n");
            return Ok(head);
        }
        if !line.to_ascii_lowercase().starts_with(b"connection:") {
            head.extend_from_slice(&line);
        }
    }
}

fn copy(mut from: impl io::Read, mut to: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            length => to.write_all(&buffer[..length])?,
        }
    }
}

fn drive(mut client: &TcpStream) -> io::Result<()> {
    let page = include_str!("pages/driver.html");
    write!(
        client,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{page}",
        page.len(),
    )
}
