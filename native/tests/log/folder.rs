//! Folders that go with their tests.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use cinnabar_native::log::Storage;

/// A new folder.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn create() -> Self {
        static FOLDERS: AtomicU64 = AtomicU64::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("cinnabar-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The log in it.
    pub(crate) fn log(&self) -> Storage {
        Storage::File(self.0.join("log.db"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
