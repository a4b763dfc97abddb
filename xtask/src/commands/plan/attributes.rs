//! What the attributes of an item say of it.

use proc_macro2::{Delimiter, TokenTree};

use super::tokens::{is, list};

#[derive(Default)]
pub(super) struct Attributes {
    /// `#[cfg(test)]`
    pub(super) for_tests: bool,
    /// `#[path = "…"]`
    pub(super) path: Option<String>,
}

impl Attributes {
    pub(super) fn add(&mut self, attribute: &[TokenTree]) {
        match attribute {
            [TokenTree::Ident(name), TokenTree::Group(group)] if name == "cfg" => {
                self.for_tests |= is_for_tests(&list(group.stream()));
            }
            [TokenTree::Ident(name), _, TokenTree::Literal(path)] if name == "path" => {
                self.path = Some(path.to_string().trim_matches('"').to_owned());
            }
            _ => {}
        }
    }
}

/// Whether a condition holds only in tests: `test`, or `all(…, test)`.
fn is_for_tests(condition: &[TokenTree]) -> bool {
    match condition {
        [TokenTree::Ident(name)] => name == "test",
        [TokenTree::Ident(name), TokenTree::Group(group)] if name == "all" => {
            list(group.stream()).split(|token| is(token, ',')).any(is_for_tests)
        }
        _ => false,
    }
}

/// The inside of the attribute that begins here, and how many tokens it has: two, or three of one
/// that is about what is around it (`#![…]`).
pub(super) fn attribute(tokens: &[TokenTree]) -> Option<(Vec<TokenTree>, usize)> {
    let length = match tokens {
        [hash, bang, ..] if is(hash, '#') && is(bang, '!') => 3,
        [hash, ..] if is(hash, '#') => 2,
        _ => return None,
    };
    match tokens.get(length - 1) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
            Some((list(group.stream()), length))
        }
        _ => None,
    }
}
