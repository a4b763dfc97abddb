//! As much of WebSocket (RFC 6455) as it takes to say something out of turn: how one begins, and one
//! message.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest as _, Sha1};

use crate::http::{Connection, Head, Request};
use crate::hub::Hub;

/// Any key will do (section 4.1).
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

/// Adds to a request what asks for a WebSocket.
pub(crate) fn asking(request: Request) -> Request {
    request
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", KEY)
}

/// Begins a WebSocket at a path of a hub, shows this token, and says this.
pub(crate) fn say(hub: &Hub, target: &str, token: &str, message: &[u8]) -> io::Result<Head> {
    let mut connection = Connection::open(&hub.endpoint)?;
    let request = asking(hub.request("GET", target).bearer(token));
    connection.write(&request.to_bytes())?;
    let head = connection.head()?;
    // What a client says is masked (section 5.3); this mask leaves it as it is.
    connection.write(&frame(0x80, &[0; 4], message))?;
    // It stays open until the suite ends: the other side is to end it.
    std::mem::forget(connection);
    Ok(head)
}

/// A server that begins a WebSocket with whoever comes, and says this. Returns its port.
pub(crate) fn server(message: &'static [u8]) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            // A hub may go away at any time; that is not a failure.
            thread::spawn(move || _ = greet(connection, message));
        }
    });
    port
}

fn greet(mut connection: TcpStream, message: &[u8]) -> io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let mut key = String::new();
    while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("Sec-WebSocket-Key")
        {
            value.trim().clone_into(&mut key);
        }
    }
    // Section 4.2.2.
    let digest = Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    let accept = BASE64_STANDARD.encode(digest);
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    connection.write_all(head.as_bytes())?;
    connection.write_all(&frame(0, &[], message))?;
    // To its end.
    io::copy(&mut connection, &mut io::sink()).map(|_| ())
}

/// A binary message in one frame (section 5.2).
fn frame(masked: u8, mask: &[u8], message: &[u8]) -> Vec<u8> {
    let length = u8::try_from(message.len()).ok().filter(|length| *length < 126);
    [&[0x82, masked | length.expect("a short message")], mask, message].concat()
}
