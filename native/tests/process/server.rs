//! A server process, and what is said to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _, pipe};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// A publisher's token for every topic: HS256 with [`KEY`].
pub(crate) const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJtZXJjdXJlIjp7InB1Ymxpc2giOlsiKiJdfX0.O2HGEZ0dOuA8tzJCDVkGuaioqM_9EAtwj76Vw_GaecU";
pub(crate) const KEY: &str = "a publisher's key of thirty-two bytes";

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A process that serves a hub, and is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    /// What it says besides where it listens, line by line.
    lines: Receiver<String>,
}

impl Server {
    /// Starts the hub's own program at a free port.
    pub(crate) fn start(data: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = cinnabar(data);
        command.envs(variables.iter().copied());
        Self::announced(command)
    }

    /// Starts a server that says where it listens.
    pub(crate) fn announced(mut command: Command) -> Self {
        let (reader, writer) = pipe().unwrap();
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
        let child = command.spawn().unwrap();
        // Its ends of the pipe would keep it open after the child has ended.
        drop(command);
        let mut lines = BufReader::new(reader).lines();
        let (sender, said) = mpsc::channel();
        let mut before = String::new();
        let address = loop {
            let line = lines.next().unwrap_or_else(|| unreachable!("it ended: {before}")).unwrap();
            if let Some((_, rest)) = line.split_once("://") {
                break rest.split('/').next().unwrap().to_owned();
            }
            before += &line;
            let _ = sender.send(line);
        };
        // Whatever it says later must find a reader.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, address, lines: said }
    }

    /// Waits until it says this, after what it was last waited for.
    pub(crate) fn until_it_says(&self, text: &str) {
        while !self.lines.recv_timeout(PATIENCE).unwrap().contains(text) {}
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// How it ended.
    pub(crate) fn code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Publishes an update. Returns its id.
    pub(crate) fn publish(&self, topic: &str, data: &str) -> String {
        self.publish_with(TOKEN, topic, data)
    }

    /// The same, with another token.
    pub(crate) fn publish_with(&self, token: &str, topic: &str, data: &str) -> String {
        let body = format!("topic={topic}&data={data}");
        let answer = self.send(&format!(
            "POST /.well-known/mercure HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\nHost: hub\r\n\r\n{body}",
            body.len()
        ));
        let (head, id) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        id.to_owned()
    }

    /// Sends a request, and reads until the connection ends.
    pub(crate) fn send(&self, request: &str) -> String {
        let mut connection = self.connect();
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let connection = TcpStream::connect(&self.address).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        connection
    }

    /// Opens a stream, whose head and first comment have been read.
    pub(crate) fn subscribe(&self, query: &str, fields: &str) -> Stream {
        let mut connection = self.connect();
        write!(
            connection,
            "GET /.well-known/mercure?{query} HTTP/1.1\r\nHost: hub\r\n{fields}\r\n"
        )
        .unwrap();
        let mut stream = Stream { connection, read: String::new() };
        stream.until(":\n");
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An open stream.
pub(crate) struct Stream {
    connection: TcpStream,
    pub(crate) read: String,
}

impl Stream {
    /// Reads until it has sent this.
    pub(crate) fn until(&mut self, text: &str) {
        while !self.read.contains(text) {
            assert!(self.more() > 0, "it ended without {text:?}: {}", self.read);
        }
    }

    /// Reads to its end.
    pub(crate) fn rest(mut self) -> String {
        while self.more() > 0 {}
        self.read
    }

    fn more(&mut self) -> usize {
        let mut buffer = [0; 4096];
        let read = self.connection.read(&mut buffer).unwrap();
        self.read += std::str::from_utf8(&buffer[..read]).unwrap();
        read
    }
}

/// The hub's own program, about to serve.
pub(crate) fn cinnabar(data: &Path) -> Command {
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    command
}

/// The hub's own program, with nothing of the user's environment.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cinnabar"));
    command.env_clear().envs([("MERCURE_PUBLISHER_JWT_KEY", KEY), ("ANONYMOUS", "1")]);
    command
}

/// A folder that goes with its test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn create() -> Self {
        static FOLDERS: AtomicU64 = AtomicU64::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("cinnabar-process-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The hub's data in it.
    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("hub.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
