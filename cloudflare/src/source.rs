//! The log that streams follow, as they see it.

use std::rc::Rc;
use std::sync::Arc;

use cinnabar_core::{Fetch, Located, Location, Page, Place, Subscribe, Subscriptions};
use worker::Result;

/// A log that streams follow. It may be far away, so each answer may take its time. Updates come
/// unasked: the code that follows the log hands them to the streams.
pub(crate) trait Source: 'static {
    /// The newest durable update, and the time before it was looked up: whoever subscribes now begins
    /// after it, whether or not the holder has it yet.
    async fn end(&self) -> Result<Place>;

    /// Answers an [`Output::Locate`](cinnabar_core::Output::Locate).
    async fn locate(&self, location: Location) -> Result<Located>;

    /// Reads a page of history, which may leave out what the subscription does not select.
    async fn page(&self, fetch: &Fetch, subscription: &Arc<Subscribe>) -> Result<Page>;

    /// Does what an [`Output::Register`](cinnabar_core::Output::Register) says: all of it, or if it
    /// fails, nothing. The streams are told of it by its updates.
    async fn register(&self, subscriptions: Subscriptions) -> Result<()>;

    /// Does what an [`Output::Unregister`](cinnabar_core::Output::Unregister) says. It cannot fail: it
    /// is tried until it is done.
    fn unregister(self: &Rc<Self>, subscriptions: Subscriptions);

    /// How far the log was known to reach at a moment, if the streams have all of it: what
    /// [`Holder::handle_reached`](cinnabar_core::Holder::handle_reached) is told.
    fn reached(&self) -> Option<Place>;

    /// Whether there are streams may have changed: what is needed only while there are some can be let
    /// go, or is needed again.
    fn attend(self: &Rc<Self>) {}
}
