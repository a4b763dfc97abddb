//! The test's end: an emulator that it starts, and invocations that it leads.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take; a busy machine is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An emulator, whose functions are this program.
pub(crate) struct Emulator {
    child: Child,
    pub(crate) port: u16,
    listener: TcpListener,
}

impl Emulator {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let function = std::env::current_exe().unwrap();
        Self::start_with(arguments, function.to_str().unwrap())
    }

    pub(crate) fn start_with(arguments: &[&str], function: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cinnabar-lambda-emulator"))
            .args(["serve", "--port", "0"])
            .args(arguments)
            .args(["--", function])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim_end().rsplit(':').next().unwrap().parse().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { child, port, listener }
    }

    /// A path at which an invocation asks this test what to do.
    pub(crate) fn path(&self) -> String {
        format!("/.well-known/mercure?control={}", self.listener.local_addr().unwrap().port())
    }

    /// The next invocation that a function has got.
    pub(crate) fn invocation(&self) -> Invocation {
        let connection = wait_for("an invocation", || self.listener.accept().ok()).0;
        connection.set_nonblocking(false).unwrap();
        connection.set_nodelay(true).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut control = BufReader::new(connection);
        let mut line = String::new();
        control.read_line(&mut line).unwrap();
        Invocation { control, report: serde_json::from_str(&line).unwrap() }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An invocation in a function's hands; when it is dropped, the function asks for the next.
pub(crate) struct Invocation {
    control: BufReader<TcpStream>,
    report: Value,
}

impl Invocation {
    pub(crate) fn process(&self) -> u64 {
        self.report["process"].as_u64().unwrap()
    }

    /// In milliseconds of Unix time.
    pub(crate) fn deadline(&self) -> u64 {
        self.report["deadline"].as_u64().unwrap()
    }

    pub(crate) fn serves(&self) -> &str {
        self.report["serves"].as_str().unwrap()
    }

    pub(crate) fn event(&self) -> &Value {
        &self.report["event"]
    }

    /// Has the function do this, and returns the status of its request, if it made one.
    pub(crate) fn then(&mut self, command: &str) -> u16 {
        self.start(command);
        let mut line = String::new();
        self.control.read_line(&mut line).unwrap();
        line.trim_end().parse().expect("the function has died")
    }

    /// Has the function do this, and does not wait.
    pub(crate) fn start(&mut self, command: &str) {
        writeln!(self.control.get_mut(), "{command}").unwrap();
    }

    /// Waits until the function's process has ended.
    pub(crate) fn wait_for_death(mut self) {
        // Its connection is closed, or reset where it has not read a command.
        if let Err(error) = self.control.read_to_end(&mut Vec::new()) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "it lives");
        }
    }
}

/// Asks until there is an answer.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}
