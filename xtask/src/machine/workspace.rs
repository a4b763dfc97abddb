//! Paths in this repository.

use std::path::{Path, PathBuf};

/// A path below the repository's root.
pub(crate) fn path(relative: &str) -> PathBuf {
    // Cargo rebuilds this program if the repository has moved.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .components()
        .fold(PathBuf::new(), |mut path, component| {
            match component {
                std::path::Component::ParentDir => {
                    path.pop();
                }
                other => path.push(other),
            }
            path
        })
        .join(relative)
}
