//! Faults of a log, for tests of what becomes of them.

use std::sync::atomic::Ordering;

use cinnabar_core::Position;

use crate::log::Log;

impl Log {
    /// Has the database carry this out, for tests of what happens when it fails.
    pub(crate) async fn execute(&self, statements: &'static str) {
        self.read(|database| Ok(database.connection.execute_batch(statements)?)).await.unwrap();
    }

    /// Has everybody believe that the log ends here, as if what follows were being written.
    pub(crate) fn lag(&self, end: Position) {
        self.durable.store(end.get(), Ordering::Release);
    }
}
