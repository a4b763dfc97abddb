//! One function: the invocations that wait, the environments that are idle, and their limits.
//!
//! An invocation goes to an idle environment. If there is none it waits, and as many environments
//! are started as all invocations need. Above the reserved concurrency it is refused.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot, watch};
use uuid::Uuid;

use crate::invocation::{Invocation, Reply};
use crate::settings::Settings;

pub(crate) struct Function {
    pub(crate) settings: Settings,
    /// Starts an environment, which then asks for invocations with [`Function::next`].
    launch: fn(Arc<Self>),
    permits: Arc<Semaphore>,
    queues: Mutex<Queues>,
    /// Becomes true when all must end.
    ending: watch::Sender<bool>,
}

#[derive(Default)]
struct Queues {
    /// Invocations without an environment, oldest first.
    waiting: VecDeque<Invocation>,
    /// Environments without an invocation. The last to become idle is the first to be used, as on
    /// AWS, so that few requests keep few environments warm.
    idle: Vec<oneshot::Sender<Invocation>>,
    /// How many environments are running or starting.
    environments: usize,
}

/// The function has as many invocations as it may have.
#[derive(Debug)]
pub(crate) struct Throttled;

impl Function {
    pub(crate) fn new(settings: Settings, launch: fn(Arc<Self>)) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(settings.concurrency));
        let ending = watch::Sender::new(false);
        Arc::new(Self { settings, launch, permits, queues: Mutex::default(), ending })
    }

    /// Ends all environments, and waits until they have ended.
    pub(crate) async fn shut_down(&self) {
        self.ending.send_replace(true);
        // Each environment is one of its receivers.
        self.ending.closed().await;
    }

    /// Tells an environment when all must end; it holds this until it has ended.
    pub(crate) fn ending(&self) -> watch::Receiver<bool> {
        self.ending.subscribe()
    }

    /// Hands an event to the function.
    pub(crate) fn invoke(
        self: &Arc<Self>,
        id: Uuid,
        trace: String,
        event: Bytes,
    ) -> Result<oneshot::Receiver<Reply>, Throttled> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| Throttled)?;
        let (reply, answer) = oneshot::channel();
        let mut invocation = Invocation { id: id.to_string(), trace, event, reply, permit };
        let mut queues = self.queues();
        while let Some(environment) = queues.idle.pop() {
            match environment.send(invocation) {
                Ok(()) => return Ok(answer),
                // That environment ended while it was idle.
                Err(returned) => invocation = returned,
            }
        }
        queues.waiting.push_back(invocation);
        self.start_environments(&mut queues);
        Ok(answer)
    }

    /// The next invocation if one is waiting, or the channel that will bring it.
    pub(crate) fn next(&self) -> Result<Invocation, oneshot::Receiver<Invocation>> {
        let mut queues = self.queues();
        if let Some(invocation) = queues.waiting.pop_front() {
            return Ok(invocation);
        }
        let (environment, next) = oneshot::channel();
        queues.idle.push(environment);
        Err(next)
    }

    /// An environment has ended; `began`: it had asked for an invocation before.
    pub(crate) fn environment_ended(self: &Arc<Self>, began: bool) {
        let mut queues = self.queues();
        queues.environments -= 1;
        if !began {
            // One waiting invocation fails with it: otherwise a function that cannot start would
            // be started forever.
            queues.waiting.pop_front();
        }
        self.start_environments(&mut queues);
    }

    fn start_environments(self: &Arc<Self>, queues: &mut Queues) {
        if *self.ending.borrow() {
            return;
        }
        // Invocations in progress hold permits as well as those that wait, so both are counted.
        let invocations = self.settings.concurrency - self.permits.available_permits();
        let needed = invocations.div_ceil(self.settings.environment_concurrency);
        while !queues.waiting.is_empty() && queues.environments < needed {
            queues.environments += 1;
            (self.launch)(Arc::clone(self));
        }
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
