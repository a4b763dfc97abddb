//! One function: invocations that wait, environments that wait, and how many there may be.
//!
//! An invocation goes to an environment that is idle. Without one it waits, and as many
//! environments are started as all invocations need. Above the reserved concurrency it is refused.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};
use uuid::Uuid;

use crate::environment;
use crate::invocation::{Invocation, Reply};

/// How a function is configured.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) name: &'static str,
    pub(crate) command: Vec<OsString>,
    pub(crate) timeout: Duration,
    /// The reserved concurrency: invocations at a time, over all environments.
    pub(crate) concurrency: usize,
    /// Invocations at a time in one environment.
    pub(crate) environment_concurrency: usize,
    /// Whether an environment stands still while it has no invocation.
    pub(crate) freezes: bool,
}

impl Settings {
    /// The ARN that invocations name.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:lambda:us-east-1:000000000000:function:{}", self.name)
    }
}

pub(crate) struct Function {
    pub(crate) settings: Settings,
    permits: Arc<Semaphore>,
    queues: Mutex<Queues>,
}

#[derive(Default)]
struct Queues {
    /// Invocations without an environment, oldest first.
    waiting: VecDeque<Invocation>,
    /// Environments without an invocation; the last to come is the first to go, as on AWS, where
    /// few requests keep few environments warm.
    idle: Vec<oneshot::Sender<Invocation>>,
    /// How many environments live or start.
    environments: usize,
}

/// The function has as many invocations as it may.
#[derive(Debug)]
pub(crate) struct Throttled;

impl Function {
    pub(crate) fn new(settings: Settings) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(settings.concurrency));
        Arc::new(Self { settings, permits, queues: Mutex::default() })
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
                // It has ended while it waited.
                Err(returned) => invocation = returned,
            }
        }
        queues.waiting.push_back(invocation);
        self.start_environments(&mut queues);
        Ok(answer)
    }

    /// The next invocation if one waits, or what will bring it.
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
            // What waited for it fails, or a function that cannot start would be started for ever.
            queues.waiting.pop_front();
        }
        self.start_environments(&mut queues);
    }

    fn start_environments(self: &Arc<Self>, queues: &mut Queues) {
        // Those that are busy or about to ask again count, too: permits are held by both kinds.
        let invocations = self.settings.concurrency - self.permits.available_permits();
        let needed = invocations.div_ceil(self.settings.environment_concurrency);
        while !queues.waiting.is_empty() && queues.environments < needed {
            queues.environments += 1;
            tokio::spawn(environment::run(Arc::clone(self)));
        }
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
