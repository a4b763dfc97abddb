//! The pages that are written for people.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::machine::workspace;

/// Folders, wherever they are, whose pages are not ours, or were made.
const OTHERS: [&str; 4] = ["build", "dist", "node_modules", "target"];

/// A page, by its path in the repository, and its text.
pub(super) struct Page {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Every page, but those of other people's packages, and of what is built.
pub(super) fn pages() -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    read(Path::new(""), &mut pages)?;
    Ok(pages)
}

fn read(folder: &Path, pages: &mut Vec<Page>) -> Result<()> {
    let top = workspace::path("");
    for entry in fs::read_dir(top.join(folder))? {
        let entry = entry?;
        let name = entry.file_name();
        let path = folder.join(&name);
        let is_others =
            name.to_string_lossy().starts_with('.') || OTHERS.iter().any(|it| name == *it);
        if entry.file_type()?.is_dir() && !is_others {
            read(&path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let text = fs::read_to_string(top.join(&path));
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            pages.push(Page { path, text });
        }
    }
    Ok(())
}
