//! The log that streams follow, as they see it.

use cinnabar_core::{Fetch, Located, Location, Page, Position, Subscribe};
use worker::Result;

/// A log that streams follow. It may be far away, so each answer may take its time; updates come
/// unasked, by [`Streams::handle_appended`](crate::streams::Streams::handle_appended).
pub(crate) trait Source: 'static {
    /// The newest durable update: whoever subscribes now begins after it, whether or not the holder
    /// has it yet.
    async fn end(&self) -> Result<Position>;

    /// Answers an [`Output::Locate`](cinnabar_core::Output::Locate).
    async fn locate(&self, location: Location) -> Result<Located>;

    /// Reads a page of history, which may leave out what the subscription does not select.
    async fn page(&self, fetch: &Fetch, subscription: &Subscribe) -> Result<Page>;

    /// The newest durable update, if the holder has everything up to now.
    fn handed_over(&self) -> Option<Position>;
}
