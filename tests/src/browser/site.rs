//! The web site that the pages come from.
//!
//! Its origin differs from the hub's (in the port), as a publisher's site would, and it sets the
//! cookies, which all ports of a host share. A page uses `fetch` to report what it sees to the site
//! it came from, so no browser driver is needed.
//!
//! | path | what it is |
//! |---|---|
//! | `/control` | the page a browser is started with |
//! | `/command` | where that page waits for the next tab to open or close |
//! | `/subscriber?visit=N&…` | a page that subscribes, with the cookies of that visit |
//! | `/report?visit=N` | what the page of that visit has seen |

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

/// How long `/command` waits before it says that there is nothing to do.
const POLL: Duration = Duration::from_secs(20);

/// What a page tells the test.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Report {
    /// Its `EventSource` is connected.
    Open,
    /// Its `EventSource` lost the connection, and has given up if that is `final`.
    Error { r#final: bool },
    /// Its `onmessage` got this update.
    Message { id: String, data: String },
    /// Who is here, by name.
    Here { names: Vec<String> },
    /// The status of the answer to its `fetch`.
    Answer { status: u16 },
    /// What its `fetch` read next.
    Text { text: String },
    /// What a page that drives another saw there.
    Seen { text: String },
    /// Its `fetch` failed: refused by CORS, for instance.
    Failure { reason: String },
    /// Its text, which has changed; and whether it was reloaded before.
    Shown { text: String, reloaded: bool },
}

/// One page in one tab.
pub(super) struct Visit {
    /// The number under which its page reports.
    pub(super) number: u64,
    pub(super) reports: Receiver<Report>,
}

/// A web server on a free loopback port, for as long as the process lives.
pub(super) struct Site {
    port: u16,
    state: Arc<State>,
}

impl Site {
    pub(super) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A browser may drop a connection at any time; that is not a failure.
                thread::spawn(move || _ = state.serve(connection));
            }
        });
        Ok(Self { port, state })
    }

    /// The origin of pages that are fetched from this loopback name.
    pub(super) fn origin(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port)
    }

    /// Waits until the control page asks what to do.
    pub(super) fn wait_for_control(&self, deadline: Duration) -> bool {
        let inner = self.state.lock();
        let waiting =
            self.state.changed.wait_timeout_while(inner, deadline, |inner| !inner.started);
        waiting.unwrap_or_else(PoisonError::into_inner).0.started
    }

    /// The port that it listens on.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Opens a tab with the page that `parameters` describe, which sets these cookies.
    pub(super) fn open(&self, host: &str, parameters: &str, cookies: Vec<String>) -> Visit {
        let origin = self.origin(host);
        self.open_tab(cookies, |number| format!("{origin}/subscriber?visit={number}&{parameters}"))
    }

    /// Opens a tab with a page of another server, which learns the visit's number from its query.
    pub(super) fn open_url(&self, url: &str) -> Visit {
        let (page, fragment) = url.split_once('#').unwrap_or((url, ""));
        let separator = if page.contains('?') { '&' } else { '?' };
        self.open_tab(Vec::new(), |number| format!("{page}{separator}visit={number}#{fragment}"))
    }

    /// Opens a tab with a page from elsewhere, which reports as this visit.
    pub(super) fn open_elsewhere(&self, url: impl FnOnce(&str) -> String) -> Visit {
        let origin = self.origin("localhost");
        self.open_tab(Vec::new(), |number| url(&format!("{origin}/report?visit={number}")))
    }

    fn open_tab(&self, cookies: Vec<String>, url: impl FnOnce(u64) -> String) -> Visit {
        let (sender, reports) = channel();
        let mut inner = self.state.lock();
        inner.visits += 1;
        let number = inner.visits;
        inner.tabs.insert(number, Tab { cookies, sender });
        let url = url(number);
        inner.commands.push_back(serde_json::json!({ "visit": number, "url": url }).to_string());
        self.state.changed.notify_all();
        Visit { number, reports }
    }

    /// Closes the tab of a visit.
    pub(super) fn close(&self, number: u64) {
        let mut inner = self.state.lock();
        inner.tabs.remove(&number);
        inner.commands.push_back(serde_json::json!({ "visit": number }).to_string());
        self.state.changed.notify_all();
    }
}

#[derive(Default)]
struct State {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    /// Whether the control page has asked for a command yet.
    started: bool,
    commands: VecDeque<String>,
    visits: u64,
    tabs: HashMap<u64, Tab>,
}

struct Tab {
    cookies: Vec<String>,
    sender: Sender<Report>,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is a single step, so even a panicking case leaves it consistent.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request and closes: enough for pages that ask little.
    fn serve(&self, connection: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(&connection);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut length = 0;
        loop {
            line.clear();
            if reader.read_line(&mut line)? <= 2 {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = Vec::new();
        reader.take(length).read_to_end(&mut body)?;
        self.answer(path, query, &body).write(&connection)
    }

    fn answer(&self, path: &str, query: &str, body: &[u8]) -> Answer {
        match path {
            "/control" => Answer::page(include_str!("pages/control.html"), Vec::new()),
            "/command" => self.next_command().map_or(Answer::NOTHING, Answer::json),
            "/subscriber" => {
                let inner = self.lock();
                let tab = visit(query).and_then(|number| inner.tabs.get(&number));
                let cookies = tab.map(|tab| tab.cookies.clone()).unwrap_or_default();
                Answer::page(include_str!("pages/subscriber.html"), cookies)
            }
            "/report" => self.take_report(query, body),
            _ => Answer { status: "404 Not Found", ..Answer::NOTHING },
        }
    }

    fn next_command(&self) -> Option<String> {
        let mut inner = self.lock();
        inner.started = true;
        self.changed.notify_all();
        let waiting =
            self.changed.wait_timeout_while(inner, POLL, |inner| inner.commands.is_empty());
        waiting.unwrap_or_else(PoisonError::into_inner).0.commands.pop_front()
    }

    fn take_report(&self, query: &str, body: &[u8]) -> Answer {
        let Ok(report) = serde_json::from_slice(body) else {
            return Answer { status: "400 Bad Request", ..Answer::NOTHING };
        };
        if let Some(tab) = visit(query)
            .and_then(|number| self.lock().tabs.get(&number).map(|tab| tab.sender.clone()))
        {
            // A case that has ended no longer reads its page's reports.
            _ = tab.send(report);
        }
        Answer::NOTHING
    }
}

/// The number in `visit=N&…`.
fn visit(query: &str) -> Option<u64> {
    query.split('&').find_map(|pair| pair.strip_prefix("visit="))?.parse().ok()
}

struct Answer {
    status: &'static str,
    content_type: &'static str,
    cookies: Vec<String>,
    body: String,
}

impl Answer {
    const NOTHING: Self = Self {
        status: "204 No Content",
        content_type: "text/plain",
        cookies: Vec::new(),
        body: String::new(),
    };

    fn page(html: &str, cookies: Vec<String>) -> Self {
        Self {
            status: "200 OK",
            content_type: "text/html; charset=utf-8",
            cookies,
            body: html.to_owned(),
        }
    }

    fn json(body: String) -> Self {
        Self { status: "200 OK", content_type: "application/json", cookies: Vec::new(), body }
    }

    fn write(&self, mut connection: &TcpStream) -> io::Result<()> {
        let Self { status, content_type, cookies, body } = self;
        let mut text = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nConnection: close\r\n",
            body.len(),
        );
        for cookie in cookies {
            text += &format!("Set-Cookie: {cookie}\r\n");
        }
        text += "\r\n";
        text += body;
        connection.write_all(text.as_bytes())
    }
}
