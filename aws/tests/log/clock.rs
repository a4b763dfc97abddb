//! A clock that tests move: it runs like real time, and jumps when it is told to.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cinnabar_aws::log::{Clock, Moment, SystemClock};

#[derive(Clone, Debug)]
pub(crate) struct TestClock {
    real: SystemClock,
    began: Instant,
    ahead: Arc<Mutex<Duration>>,
}

impl TestClock {
    pub(crate) fn new() -> Self {
        Self { real: SystemClock::default(), began: Instant::now(), ahead: Arc::default() }
    }

    /// Jumps.
    pub(crate) fn advance(&self, duration: Duration) {
        *self.ahead.lock().unwrap() += duration;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        let ahead = *self.ahead.lock().unwrap();
        let wall = self.real.now().wall.plus(ahead);
        Moment { wall, monotonic: self.began.elapsed() + ahead }
    }

    /// Jumps instead of waiting, and lets others run.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.advance(duration);
        Box::pin(tokio::time::sleep(Duration::from_millis(1)))
    }
}
