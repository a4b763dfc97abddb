//! A file of this repository as it is published: the same, but for what does not hold without the
//! source.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use crate::machine::workspace;

/// A file's text with these passages replaced, each of which must be there: whoever changes the file
/// is told that it is published otherwise.
pub(super) fn transformed(path: &str, passages: &[(&str, &str)]) -> Result<String> {
    let text = fs::read_to_string(workspace::path(path)).with_context(|| path.to_owned())?;
    replace(&text, passages).with_context(|| path.to_owned())
}

fn replace(text: &str, passages: &[(&str, &str)]) -> Result<String> {
    passages.iter().try_fold(text.to_owned(), |text, (passage, replacement)| {
        ensure!(
            text.contains(passage),
            "what is published replaces this, which is not there: {passage}"
        );
        Ok(text.replace(passage, replacement))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_that_is_gone_is_missed() {
        assert_eq!(replace("a b a", &[("a", "c"), ("b", "d")]).unwrap(), "c d c");
        let told = replace("a b", &[("x", "y")]).unwrap_err().to_string();
        assert!(told.ends_with(": x"), "{told}");
    }
}
