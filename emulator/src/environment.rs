//! One execution environment: a process of the function, and the Runtime API that it talks to.
//!
//! Each has its own Runtime API at its own port, which tells environments apart. A process that
//! ends takes its invocations along; [`Function`] starts another when one is needed.

use std::collections::HashMap;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::function::{Function, Settings};
use crate::invocation::{Invocation, Reply};
use crate::{runtime_api, tether};

/// How long a process may take until it asks for its first invocation.
const INIT: Duration = Duration::from_secs(60);

/// How long a process with an extension has to end, once it has been asked to.
const FAREWELL: Duration = Duration::from_secs(5);

/// An environment, as its Runtime API sees it.
pub(crate) struct Environment {
    pub(crate) function: Arc<Function>,
    group: Pid,
    in_hand: Mutex<HashMap<String, InHand>>,
    /// Whether it has asked for an invocation.
    began: AtomicBool,
    /// Whether it has registered an extension.
    extended: AtomicBool,
    first_request: Notify,
    condemned: Notify,
}

/// An invocation that the process has been given.
struct InHand {
    /// Where its answer goes, and what tells the answer that the invocation is over; until it is
    /// answered.
    claim: Option<Claim>,
    _over: oneshot::Sender<Never>,
    deadline: AbortHandle,
    _permit: OwnedSemaphorePermit,
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.deadline.abort();
    }
}

/// What an answer needs.
pub(crate) struct Claim {
    pub(crate) reply: oneshot::Sender<Reply>,
    /// Fails when the invocation is over: its deadline has passed, or the process has ended.
    pub(crate) over: oneshot::Receiver<Never>,
}

/// What is never sent.
pub(crate) enum Never {}

/// Why an answer is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such invocation, or its time is over.
    Unknown,
    /// It has been answered.
    Answered,
}

/// Starts a process, and serves it until it ends.
pub(crate) async fn run(function: Arc<Function>) {
    let began = match start(&function).await {
        Ok((environment, listener, child)) => {
            attend(&environment, listener, child).await;
            environment.began.load(Ordering::Relaxed)
        }
        Err(error) => {
            eprintln!("lambda: {} cannot be started: {error}", function.settings.name);
            false
        }
    };
    function.environment_ended(began);
}

async fn start(
    function: &Arc<Function>,
) -> std::io::Result<(Arc<Environment>, TcpListener, Child)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?.to_string();
    let child = command(&function.settings, &address)?.spawn()?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let group = group.ok_or_else(|| std::io::Error::other("it has ended already"))?;
    let environment = Environment {
        function: Arc::clone(function),
        group,
        in_hand: Mutex::default(),
        began: AtomicBool::new(false),
        extended: AtomicBool::new(false),
        first_request: Notify::new(),
        condemned: Notify::new(),
    };
    Ok((Arc::new(environment), listener, child))
}

/// The process: the function, with what Lambda adds to its variables.
fn command(settings: &Settings, address: &str) -> std::io::Result<Command> {
    let mut command = Command::from(tether::tethered(&settings.command)?);
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ] {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    if settings.environment_concurrency > 1 {
        command.env("AWS_LAMBDA_MAX_CONCURRENCY", settings.environment_concurrency.to_string());
    } else {
        command.env_remove("AWS_LAMBDA_MAX_CONCURRENCY");
    }
    command
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("AWS_LAMBDA_FUNCTION_NAME", settings.name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", settings.name))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", address)
        .env("_HANDLER", "bootstrap")
        .env("SERVES", settings.name)
        .stdin(std::process::Stdio::null())
        // Its own group, so that freezing and ending reach whatever it starts.
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

/// Serves the Runtime API until the process has ended, by itself or because it must.
async fn attend(environment: &Arc<Environment>, listener: TcpListener, mut child: Child) {
    let name = environment.function.settings.name;
    let mut ending = environment.function.ending();
    let connections = tokio::spawn(accept(Arc::clone(environment), listener));
    let ended = tokio::select! {
        status = child.wait() => Some(status),
        () = environment.condemned.notified() => None,
        () = environment.takes_too_long_to_begin() => {
            eprintln!("lambda: {name} did not ask for an invocation within {INIT:?}");
            None
        }
        () = async { drop(ending.wait_for(|ending| *ending).await) } => {
            environment.say_farewell(&mut child).await
        }
    };
    let status = match ended {
        Some(status) => status,
        None => {
            // It fails only for a group that is gone.
            let _ = kill_process_group(environment.group, Signal::KILL);
            child.wait().await
        }
    };
    eprintln!("lambda: {name} ended ({})", describe(status));
    connections.abort();
    // Whoever waits for an answer learns that there is none.
    environment.in_hand().clear();
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}

async fn accept(environment: Arc<Environment>, listener: TcpListener) {
    while let Ok((connection, _)) = listener.accept().await {
        // A failure would only delay what is sent.
        let _ = connection.set_nodelay(true);
        let environment = Arc::clone(&environment);
        let service =
            service_fn(move |request| runtime_api::answer(Arc::clone(&environment), request));
        // A connection that breaks is the process's own affair.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
    }
}

impl Environment {
    /// Asks the process to end, which Lambda does with those alone that have an extension; `None`
    /// where it has not ended in time.
    async fn say_farewell(&self, child: &mut Child) -> Option<std::io::Result<ExitStatus>> {
        if !self.extended.load(Ordering::Relaxed) {
            return None;
        }
        // They fail only for a group that is gone.
        let _ = kill_process_group(self.group, Signal::CONT);
        let _ = kill_process_group(self.group, Signal::TERM);
        timeout(FAREWELL, child.wait()).await.ok()
    }

    /// Notes an extension; false where it comes too late.
    pub(crate) fn register_extension(&self) -> bool {
        let began = self.began.load(Ordering::Relaxed);
        if !began {
            self.extended.store(true, Ordering::Relaxed);
        }
        !began
    }

    async fn takes_too_long_to_begin(&self) {
        if timeout(INIT, self.first_request.notified()).await.is_ok() {
            std::future::pending().await
        }
    }

    /// Waits for an invocation, standing still meanwhile; `None` when one is in hand already and
    /// the environment may have one alone.
    pub(crate) async fn next(&self) -> Option<Invocation> {
        if self.in_hand().len() >= self.function.settings.environment_concurrency {
            return None;
        }
        if !self.began.swap(true, Ordering::Relaxed) {
            self.first_request.notify_one();
        }
        match self.function.next() {
            Ok(invocation) => Some(invocation),
            Err(next) => {
                self.signal(Signal::STOP);
                let invocation = next.await;
                self.signal(Signal::CONT);
                invocation.ok()
            }
        }
    }

    fn signal(&self, signal: Signal) {
        if self.function.settings.freezes {
            // It fails only for a group that is gone.
            let _ = kill_process_group(self.group, signal);
        }
    }

    /// Notes that the process has this invocation from now on, and returns its deadline, in
    /// milliseconds of Unix time.
    pub(crate) fn begin(
        self: &Arc<Self>,
        id: &str,
        reply: oneshot::Sender<Reply>,
        permit: OwnedSemaphorePermit,
    ) -> u128 {
        let settings = &self.function.settings;
        // It begins to run when this is over: nothing here waits.
        let deadline = tokio::spawn(Arc::clone(self).keep_deadline(id.to_owned())).abort_handle();
        let (end, over) = oneshot::channel();
        let claim = Some(Claim { reply, over });
        let in_hand = InHand { claim, _over: end, deadline, _permit: permit };
        self.in_hand().insert(id.to_owned(), in_hand);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (now + settings.timeout).as_millis()
    }

    async fn keep_deadline(self: Arc<Self>, id: String) {
        let settings = &self.function.settings;
        sleep(settings.timeout).await;
        if self.in_hand().remove(&id).is_some() {
            eprintln!(
                "lambda: {} {id}: Task timed out after {} seconds",
                settings.name,
                settings.timeout.as_secs()
            );
            if settings.environment_concurrency == 1 {
                self.condemned.notify_one();
            }
        }
    }

    /// What the answer to an invocation needs; there is one answer.
    pub(crate) fn claim(&self, id: &str) -> Result<Claim, Refusal> {
        let mut in_hand = self.in_hand();
        let invocation = in_hand.get_mut(id).ok_or(Refusal::Unknown)?;
        invocation.claim.take().ok_or(Refusal::Answered)
    }

    /// The invocation is over.
    pub(crate) fn finish(&self, id: &str) {
        self.in_hand().remove(id);
    }

    fn in_hand(&self) -> MutexGuard<'_, HashMap<String, InHand>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
