//! The log in memory, checked against what every log must do.

use std::cell::RefCell;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use cinnabar_core::feed::FollowerId;
use cinnabar_core::testing::{MemoryLog, contract};
use cinnabar_core::{
    Answer, Appended, Fetch, List, Located, Location, Page, Position, Subscribe, Subscriptions,
    Timestamp, Update,
};

struct Memory(RefCell<MemoryLog>);

impl contract::Log for Memory {
    async fn append(&self, update: Update) -> Result<Position, String> {
        Ok(self.0.borrow_mut().append(update, Timestamp::from_millis(1)))
    }

    async fn locate(&self, location: Location) -> Result<Located, String> {
        Ok(self.0.borrow().locate(&location))
    }

    async fn page(&self, fetch: Fetch, subscribe: Arc<Subscribe>) -> Result<Page, String> {
        Ok(self.0.borrow().page(&fetch, &subscribe))
    }

    async fn tail(&self, after: Position) -> Result<Vec<Appended>, String> {
        let log = self.0.borrow();
        Ok(log.between(after, log.end()).collect())
    }

    async fn register(&self, subscriptions: Subscriptions) -> Result<(), String> {
        self.0.borrow_mut().register(&subscriptions, Timestamp::from_millis(1));
        Ok(())
    }

    async fn unregister(&self, subscriptions: Subscriptions) -> Result<(), String> {
        self.0.borrow_mut().unregister(&subscriptions, Timestamp::from_millis(1));
        Ok(())
    }

    async fn register_for(
        &self,
        follower: FollowerId,
        subscriptions: Subscriptions,
    ) -> Result<bool, String> {
        self.0.borrow_mut().register_for(follower, &subscriptions, Timestamp::from_millis(1));
        Ok(true)
    }

    async fn followers(&self) -> Result<Vec<FollowerId>, String> {
        Ok(self.0.borrow().followers().into_iter().collect())
    }

    async fn end_all_of(&self, follower: FollowerId) -> Result<(), String> {
        self.0.borrow_mut().unregister_all_of(follower, Timestamp::from_millis(1));
        Ok(())
    }

    async fn list(&self, list: &List) -> Result<Answer, String> {
        Ok(self.0.borrow().list(list))
    }

    async fn drop_through(&self, last: Position) -> Result<bool, String> {
        self.0.borrow_mut().drop_through(last);
        Ok(true)
    }
}

#[test]
fn the_log_in_memory_keeps_the_contract() {
    let check = pin!(contract::check(async || Ok(Memory(RefCell::default()))));
    // It answers at once, so nothing ever waits.
    let Poll::Ready(outcomes) = check.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("a log in memory never makes anyone wait");
    };
    assert!(!outcomes.is_empty());
    for outcome in outcomes {
        assert_eq!(outcome.broken, None, "{}", outcome.case);
    }
}
