//! The demonstration page, and the smallest server that can serve it.
//!
//! It has an origin of its own, as an application's pages would, so that whatever works here works
//! across origins.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::json;

/// The longest request that is read; a browser's is far shorter.
const MAX_REQUEST: usize = 16 * 1024;

/// A server that is listening, but does not answer yet.
pub(crate) struct Page {
    listener: TcpListener,
    port: u16,
}

impl Page {
    /// Listens on this port, or on any other if it is taken.
    pub(crate) fn bind(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .or_else(|_| TcpListener::bind(("127.0.0.1", 0)))
            .context("cannot listen for the demonstration page")?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    /// The page's origin.
    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Answers from now on, with a page that uses this hub and publishes with this token.
    pub(crate) fn serve(self, hub_url: &str, publisher_token: &str) {
        // `<` would end the script where it stands in `</script>`.
        let settings =
            json!({"hub": hub_url, "token": publisher_token}).to_string().replace('<', "\\u003c");
        let page = include_str!("demo.html").replace("\"SETTINGS\"", &settings);
        thread::spawn(move || {
            for connection in self.listener.incoming().flatten() {
                let page = page.clone();
                // If the connection breaks, there is nobody to tell.
                thread::spawn(move || answer(connection, &page).ok());
            }
        });
    }
}

fn answer(mut connection: TcpStream, page: &str) -> io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = Vec::new();
    let mut buffer = [0; 2048];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < MAX_REQUEST {
        match connection.read(&mut buffer)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    let (status, body) = if request.starts_with(b"GET / ") || request.starts_with(b"GET /?") {
        ("200 OK", page)
    } else {
        ("404 Not Found", "")
    };
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
