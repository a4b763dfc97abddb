//! A lens in front of an example's own server: it passes everything on, and adds a script to its pages
//! that tells the case what they show.
//!
//! So an example is run as users see it, knows nothing of tests, and needs no browser driver.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

/// A server on a free loopback port, for as long as the process lives.
pub(super) struct Lens {
    port: u16,
}

impl Lens {
    /// A lens in front of the server at this port, which need not run yet. Its pages report to this site.
    pub(super) fn start(server: u16, site: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let script = include_str!("pages/lens.js").replace("SITE_PORT", &site.to_string());
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let script = script.clone();
                // A browser may drop a connection at any time; that is not a failure.
                thread::spawn(move || _ = pass(&connection, server, &script));
            }
        });
        Ok(Self { port })
    }

    /// The origin of pages that are fetched from this loopback name.
    pub(super) fn origin(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port)
    }
}

/// Passes on one request and its answer, and closes.
fn pass(client: &TcpStream, server: u16, script: &str) -> io::Result<()> {
    let (head, body) = read_request(client)?;
    // No answer to it comes in chunks.
    let head = head.replacen(" HTTP/1.1", " HTTP/1.0", 1);
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server))?;
    for line in head.lines().filter(|line| !is_named(line, "connection")) {
        write!(server, "{line}\r\n")?;
    }
    server.write_all(b"Connection: close\r\n\r\n")?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let mut client = client;
    client.write_all(&with_script(answer, script))
}

/// The head of a request, without the blank line at its end, and the body.
fn read_request(connection: &TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let begin = head.len();
        if reader.read_line(&mut head)? <= 2 {
            head.truncate(begin);
            break;
        }
        if is_named(&head[begin..], "content-length") {
            let value = head[begin..].split(':').nth(1).unwrap_or_default();
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    Ok((head, body))
}

/// An answer, with the script at its end if it is a page.
fn with_script(answer: Vec<u8>, script: &str) -> Vec<u8> {
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return answer };
    let head = String::from_utf8_lossy(&answer[..end]);
    let is_page = head.lines().any(|line| is_named(line, "content-type") && line.contains("html"));
    if !is_page {
        return answer;
    }
    let mut page: String = head
        .lines()
        .filter(|line| !is_named(line, "content-length"))
        .fold(String::new(), |it, line| it + line + "\r\n");
    let body = String::from_utf8_lossy(&answer[end + 4..]);
    let added = format!("<script>{script}</script>");
    page += &format!("Content-Length: {}\r\n\r\n{body}{added}", body.len() + added.len());
    page.into_bytes()
}

fn is_named(line: &str, name: &str) -> bool {
    line.split(':').next().is_some_and(|it| it.eq_ignore_ascii_case(name))
}
