//! Whatever the hub says to a client, and the reasons that only its log says, are on one page.
//!
//! Messages are found where they are written: sentences in the core's code, and the texts of its
//! errors (`#[error("…")]`). `{…}` in them is `…` on the page.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::machine::workspace;

const PAGE: &str = "docs/errors.md";

/// Where messages are looked for.
const CORE: &str = "core/src";

/// Where there are texts for others.
const EXEMPT: [&str; 9] = [
    // For owners, who find them with `check`.
    "core/src/config",
    "core/src/terms/hub_url.rs",
    "core/src/trust/weakness.rs",
    "core/src/wire/origin.rs",
    // Between the parts of a hub.
    "core/src/command/mod.rs",
    "core/src/feed",
    // What is no template is a topic.
    "core/src/matching/template",
    // For tests.
    "core/src/testing",
    "core/src/tests",
];

/// Texts for others, where there are messages as well.
const EXEMPT_TEXTS: [&str; 2] = ["a pattern …", "a relative pattern without the URL of a hub"];

/// A fault for each message that is missing from the page.
pub(super) fn faults() -> Result<Vec<String>> {
    let page = fs::read_to_string(workspace::path(PAGE)).context(PAGE)?.replace("\\|", "|");
    let mut faults = Vec::new();
    for file in files(Path::new(CORE))? {
        let text = fs::read_to_string(workspace::path("").join(&file))?;
        let code: TokenStream = text
            .parse()
            .map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", file.display()))?;
        let mut messages = Vec::new();
        collect(code, &mut messages);
        for message in messages {
            if !EXEMPT_TEXTS.contains(&message.as_str()) && !page.contains(&message) {
                faults.push(format!("{PAGE} does not explain `{message}` ({})", file.display()));
            }
        }
    }
    Ok(faults)
}

/// The files of Rust in a folder and below it, but the exempt.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let top = workspace::path("");
    let mut files = Vec::new();
    for entry in fs::read_dir(top.join(folder))? {
        let path = folder.join(entry?.file_name());
        if EXEMPT.iter().any(|exempt| path == Path::new(exempt)) {
            continue;
        }
        if top.join(&path).is_dir() {
            files.extend(self::files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The messages in code, but not those of its tests.
fn collect(code: TokenStream, messages: &mut Vec<String>) {
    let mut tokens = code.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            // An attribute follows, or a macro's own `#`.
            TokenTree::Punct(mark) if mark.as_char() == '#' => match tokens.next() {
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
                    let text = group.stream().to_string();
                    if text.starts_with("cfg") && text.contains("test") {
                        skip_item(&mut tokens);
                    } else if text.starts_with("error") {
                        messages.extend(first_literal(group.stream()).filter(|it| it != "…"));
                    }
                }
                _ => {}
            },
            TokenTree::Group(group) => collect(group.stream(), messages),
            TokenTree::Literal(literal) => {
                messages.extend(text_of(&literal.to_string()).filter(|text| is_sentence(text)));
            }
            _ => {}
        }
    }
}

/// Passes over what a `#[cfg(test)]` is about.
fn skip_item(tokens: &mut impl Iterator<Item = TokenTree>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
            TokenTree::Punct(mark) if mark.as_char() == ';' => return,
            _ => {}
        }
    }
}

/// The text of `error("…", …)`.
fn first_literal(attribute: TokenStream) -> Option<String> {
    let arguments = attribute.into_iter().find_map(|token| match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    match arguments?.into_iter().next()? {
        TokenTree::Literal(literal) => text_of(&literal.to_string()),
        _ => None,
    }
}

/// What a literal of text says, with `…` for what is put into it.
fn text_of(literal: &str) -> Option<String> {
    let literal = literal.strip_prefix('"')?.strip_suffix('"')?;
    let literal = literal.replace("\\\\", "\\").replace("\\\"", "\"");
    let mut text = String::new();
    let mut rest = literal.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        text += &rest[..at];
        rest = &rest[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            text += &rest[..1];
            rest = &rest[2..];
        } else {
            text += "…";
            rest = rest.split_once('}')?.1;
        }
    }
    Some(text + rest)
}

fn is_sentence(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.ends_with('.')
        && text.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(code: &str) -> Vec<String> {
        let mut messages = Vec::new();
        collect(code.parse().unwrap(), &mut messages);
        messages
    }

    #[test]
    fn sentences_and_errors_are_messages() {
        let code = r#"
            //! No message, but a sentence.
            #[derive(thiserror::Error)]
            enum E {
                #[error("holds {0:?} and \\ in {{}}", .0.name())]
                A(char),
                #[error(transparent)]
                B(#[from] C),
                #[error("{0}")]
                D(String),
            }
            fn f() { g(format!("The field `{name}` is {}.", x), "name", "no sentence."); }
            #[cfg(test)]
            mod tests { const X: &str = "A sentence of a test."; }
            const LAST: &str = "It is \"here\".";
        "#;
        let expected = ["holds … and \\ in {}", "The field `…` is ….", "It is \"here\"."];
        assert_eq!(messages(code), expected);
    }

    #[test]
    fn what_is_exempt_exists() {
        for path in EXEMPT {
            assert!(workspace::path(path).exists(), "{path}");
        }
    }
}
