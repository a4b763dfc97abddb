//! Where a log is kept: in a file that no other process uses, or in memory.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Where a log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In a file, and what SQLite puts beside it.
    File(PathBuf),
    /// In memory: it ends with the process.
    Memory,
}

impl Storage {
    /// The same, by the one name that it has whichever link leads to it, and that SQLite does not
    /// take for a URI. Its folder is created if there is none.
    pub(crate) fn resolved(&self) -> Result<Self, StorageError> {
        let Self::File(path) = self else { return Ok(Self::Memory) };
        let resolve = || {
            let absolute = std::path::absolute(path)?;
            let Some((folder, name)) = absolute.parent().zip(absolute.file_name()) else {
                return Ok(absolute);
            };
            std::fs::create_dir_all(folder)?;
            match absolute.canonicalize() {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    Ok(folder.canonicalize()?.join(name))
                }
                resolved => resolved,
            }
        };
        resolve().map(Self::File).map_err(|error| StorageError::unusable(path, &error))
    }
}

/// Why a file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another process uses it.
    #[error("{path} is in use by another hub{process}: stop that one, or choose another file", process = named(.process))]
    InUse {
        /// The file.
        path: String,
        /// The other process's id, if it is known.
        process: Option<u32>,
    },
    /// It cannot be read or written.
    #[error("{path} cannot be used: {reason}")]
    Unusable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl StorageError {
    fn unusable(path: &Path, error: &std::io::Error) -> Self {
        Self::Unusable { path: path.display().to_string(), reason: error.to_string() }
    }
}

fn named(process: &Option<u32>) -> String {
    process.map(|id| format!(" (process {id})")).unwrap_or_default()
}

/// Keeps other hubs away from a file for as long as it lives: two that numbered the updates of one
/// log would break each other. In a file of its own, because SQLite's locks are lost when anything
/// else in this process closes the database's.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "closed, it is unlocked")] File);

impl Lock {
    /// Locks the file of a log, by its [resolved](Storage::resolved) name.
    pub(crate) fn take(path: &Path) -> Result<Self, StorageError> {
        let unusable = |error| StorageError::unusable(path, &error);
        let mut name = OsString::from(path);
        name.push(".lock");
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(name).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(unusable)?;
                write!(file, "{}", std::process::id()).map_err(unusable)?;
                Ok(Self(file))
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(unusable)?;
                let (path, process) = (path.display().to_string(), holder.trim().parse().ok());
                Err(StorageError::InUse { path, process })
            }
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}
