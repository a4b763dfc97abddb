//! One execution environment: its invocations, their deadlines, and freezing in between.
//!
//! Each environment has a process, and a Runtime API at its own port, which tells environments
//! apart. A process that ends takes its invocations with it; [`Function`] starts another when one
//! is needed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::function::Function;
use crate::invocation::{Invocation, Reply};

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
    /// Where its answer goes, and what tells the answer that the invocation is over; taken by the
    /// first answer.
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

/// What it takes to answer an invocation.
pub(crate) struct Claim {
    pub(crate) reply: oneshot::Sender<Reply>,
    /// Fails when the invocation is over: its deadline has passed, or the process has ended.
    pub(crate) over: oneshot::Receiver<Never>,
}

/// Never sent: only the end of its channel means something.
pub(crate) enum Never {}

/// Why an answer is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such invocation, or its deadline has passed.
    Unknown,
    /// It has been answered already.
    Answered,
}

impl Environment {
    pub(crate) fn new(function: Arc<Function>, group: Pid) -> Self {
        Self {
            function,
            group,
            in_hand: Mutex::default(),
            began: AtomicBool::new(false),
            extended: AtomicBool::new(false),
            first_request: Notify::new(),
            condemned: Notify::new(),
        }
    }

    /// Whether the process has asked for an invocation.
    pub(crate) fn has_begun(&self) -> bool {
        self.began.load(Ordering::Relaxed)
    }

    /// Waits until the process asks for its first invocation.
    pub(crate) async fn first_request(&self) {
        self.first_request.notified().await;
    }

    /// Waits until the process has to be killed, because an invocation has missed its deadline.
    pub(crate) async fn condemned(&self) {
        self.condemned.notified().await;
    }

    /// Asks the process to end; false if it has no extension, and so is not asked.
    pub(crate) fn ask_to_end(&self) -> bool {
        let extended = self.extended.load(Ordering::Relaxed);
        if extended {
            self.send(Signal::CONT);
            self.send(Signal::TERM);
        }
        extended
    }

    /// Kills the process, and whatever it has started.
    pub(crate) fn kill(&self) {
        self.send(Signal::KILL);
    }

    /// Gives up the current invocations: those waiting for an answer learn that there is none.
    pub(crate) fn abandon(&self) {
        self.in_hand().clear();
    }

    /// Notes an extension; false if it is too late for one.
    pub(crate) fn register_extension(&self) -> bool {
        let began = self.has_begun();
        if !began {
            self.extended.store(true, Ordering::Relaxed);
        }
        !began
    }

    /// Waits for an invocation, frozen meanwhile; `None` if it already has as many as it may have.
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
                self.freeze_or_thaw(Signal::STOP);
                let invocation = next.await;
                self.freeze_or_thaw(Signal::CONT);
                invocation.ok()
            }
        }
    }

    fn freeze_or_thaw(&self, signal: Signal) {
        if self.function.settings.freezes {
            self.send(signal);
        }
    }

    fn send(&self, signal: Signal) {
        // It fails only for a group that is gone.
        let _ = kill_process_group(self.group, signal);
    }

    /// Notes that the process has this invocation from now on, and returns its deadline in
    /// milliseconds of Unix time.
    pub(crate) fn begin(
        self: &Arc<Self>,
        id: &str,
        reply: oneshot::Sender<Reply>,
        permit: OwnedSemaphorePermit,
    ) -> u128 {
        let settings = &self.function.settings;
        // The task cannot run before this function returns, since nothing here awaits.
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

    /// What it takes to answer an invocation, which can be answered once.
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
