//! The test's side: an emulator that it starts, and invocations that it controls.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take; a busy machine is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An emulator whose functions are this program.
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
        Self::run(command(arguments, function))
    }

    /// Starts one whose functions register an extension, if `extended`, and keeps what it prints.
    pub(crate) fn start_extended(extended: bool) -> Self {
        let function = std::env::current_exe().unwrap();
        let mut command = command(&[], function.to_str().unwrap());
        if extended {
            command.env("EXTENDED", "1");
        }
        command.stderr(Stdio::piped());
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim_end().rsplit(':').next().unwrap().parse().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { child, port, listener }
    }

    /// A path that makes an invocation ask this test what to do.
    pub(crate) fn path(&self) -> String {
        format!("/.well-known/mercure?control={}", self.listener.local_addr().unwrap().port())
    }

    /// The next invocation that a function gets.
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

    /// Asks it to end, and returns what it printed.
    pub(crate) fn terminate(&mut self) -> String {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.child.wait().unwrap().success());
        log
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn command(arguments: &[&str], function: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cinnabar-lambda-emulator"));
    command.args(["serve", "--port", "0"]).args(arguments).args(["--", function]);
    command.stdout(Stdio::piped());
    command
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An invocation that a function has; when this is dropped, the function asks for the next.
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

    /// Makes the function do this, and returns the status of the request it made, if any.
    pub(crate) fn then(&mut self, command: &str) -> u16 {
        self.start(command);
        let mut line = String::new();
        self.control.read_line(&mut line).unwrap();
        line.trim_end().parse().expect("the function has died")
    }

    /// Makes the function do this, without waiting.
    pub(crate) fn start(&mut self, command: &str) {
        writeln!(self.control.get_mut(), "{command}").unwrap();
    }

    /// Waits until the function's process has ended.
    pub(crate) fn wait_for_death(mut self) {
        // Its connection is closed, or reset if it has not read a command.
        if let Err(error) = self.control.read_to_end(&mut Vec::new()) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "the process is alive");
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
