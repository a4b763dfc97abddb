//! The demonstration page, and the smallest server that can serve it.
//!
//! It has an origin of its own, as an application's pages would, so that whatever works here works
//! across origins.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::json;

/// The longest request that is read; a browser's is far shorter.
const MAX_REQUEST: usize = 16 * 1024;

/// How the page uses the hub.
#[derive(Serialize)]
pub(crate) struct Settings<'a> {
    pub(crate) hub: &'a str,
    /// The parameter that names a topic.
    pub(crate) parameter: &'a str,
    /// A publisher's token.
    pub(crate) token: &'a str,
    /// A subscriber's token to be sent in the URL: the one place that an `EventSource` has for it.
    pub(crate) authorization: Option<&'a str>,
}

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

    /// Answers from now on, with a page that uses a hub.
    pub(crate) fn serve(self, settings: &Settings) {
        // `<` would end the script where it stands in `</script>`.
        let settings = json!(settings).to_string().replace('<', "\\u003c");
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
