//! `.dev.vars`, read as wrangler reads it: by the rules of dotenv, which are not a shell's.
//!
//! ```text
//! # a comment
//! export NAME=value        # the rest of the line, without the white space around it
//! NAME: value
//! NAME="of several lines,
//! or with \n for their breaks"
//! NAME='$as it is\n' NAME=`the same`
//! ```
//!
//! wrangler says nothing of lines that are none of these; here they are told.

use std::collections::BTreeMap;

const QUOTES: [char; 3] = ['\'', '"', '`'];

/// What such a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DevVars {
    /// Of several values for a name, the last.
    pub variables: BTreeMap<String, String>,
    /// The numbers of the lines that give no value to a name.
    pub passed_over: Vec<usize>,
}

/// Reads the text of such a file.
#[must_use]
pub fn read(text: &str) -> DevVars {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut read = DevVars::default();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        match assignment(rest) {
            Some(Assignment { name, value, after }) => {
                read.variables.insert(name.to_owned(), value);
                rest = after;
            }
            None if rest.starts_with('#') => {}
            None => {
                read.passed_over.push(text[..text.len() - rest.len()].matches('\n').count() + 1)
            }
        }
        let next_line = rest.split_once('\n').map_or("", |(_, next)| next);
        rest = next_line.trim_start_matches(is_space);
    }
    read
}

struct Assignment<'a> {
    name: &'a str,
    value: String,
    /// Begins on the line on which the value ends, and may hold a comment there.
    after: &'a str,
}

fn assignment(text: &str) -> Option<Assignment<'_>> {
    let exported = text.strip_prefix("export").filter(|rest| rest.starts_with(is_space));
    // A variable may be called `export`.
    exported.and_then(|rest| pair(rest.trim_start_matches(is_space))).or_else(|| pair(text))
}

fn pair(text: &str) -> Option<Assignment<'_>> {
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let rest = text.trim_start_matches(is_in_name);
    let name = &text[..text.len() - rest.len()];
    if name.is_empty() {
        return None;
    }
    let rest = match rest.trim_start_matches(is_space).strip_prefix('=') {
        Some(rest) => rest,
        None => rest.strip_prefix(':')?.strip_prefix(is_space)?,
    };
    let (value, after) = quoted(rest).unwrap_or_else(|| plain(rest));
    Some(Assignment { name, value, after })
}

/// A value in quotes, which may begin on a later line, and what is behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches(is_space);
    let quote = text.chars().next().filter(|first| QUOTES.contains(first))?;
    let inside = &text[1..];
    let mut escaped = Vec::new();
    let mut closing = None;
    let mut characters = inside.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character == quote {
            closing = Some(at);
            break;
        }
        if character == '\\'
            && let Some((at, _)) = characters.next_if(|(_, next)| *next == quote)
        {
            escaped.push(at);
        }
    }
    // A quote ends the value even behind a backslash, as in 'C:\', where it alone makes sense.
    let ends = |at: &usize| is_end_of_line(&inside[at + 1..]);
    let end = closing.into_iter().chain(escaped.into_iter().rev()).find(ends)?;
    Some((unescaped(&inside[..end], quote), &inside[end + 1..]))
}

/// Whether nothing is left of this line but a comment.
fn is_end_of_line(text: &str) -> bool {
    let rest = text.trim_start_matches(is_space);
    let space = &text[..text.len() - rest.len()];
    rest.is_empty() || rest.starts_with('#') || space.contains('\n')
}

/// A value that ends with its line or before a comment, and what is behind it.
fn plain(text: &str) -> (String, &str) {
    let (value, after) = text.split_at(text.find(['\n', '#']).unwrap_or(text.len()));
    let value = value.trim_matches(is_space);
    let Some(quote) = value.chars().next().filter(|first| QUOTES.contains(first)) else {
        return (value.to_owned(), after);
    };
    // Such as "a" b "c", of which no quote but the last ends the line.
    let inside = value[1..].strip_suffix(quote);
    (unescaped(inside.unwrap_or(value), quote), after)
}

fn unescaped(value: &str, quote: char) -> String {
    match quote {
        '"' => value.replace("\\n", "\n").replace("\\r", "\r"),
        _ => value.to_owned(),
    }
}

/// White space as in JavaScript, where a byte order mark is some, too.
fn is_space(character: char) -> bool {
    character == '\u{feff}' || character.is_whitespace() && character != '\u{85}'
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        text: String,
        variables: BTreeMap<String, String>,
        #[serde(default)]
        passed_over: Vec<usize>,
    }

    #[test]
    fn dev_vars_are_read_as_wrangler_reads_them() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("dev_vars.json")).unwrap();
        for Case { text, variables, passed_over } in cases {
            assert_eq!(read(&text), DevVars { variables, passed_over }, "{text}");
        }
    }
}
