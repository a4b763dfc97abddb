//! Rust's tokens, taken apart.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// How many tokens `pub`, `pub(crate)` and their like have.
pub(super) fn length_of_visibility(tokens: &[TokenTree]) -> usize {
    match tokens.get(1) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => 2,
        _ => 1,
    }
}

/// How many tokens there are to the end of the item, field, statement or match arm that begins
/// here.
pub(super) fn length_of_item(tokens: &[TokenTree]) -> usize {
    let words = tokens.iter().map_while(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        TokenTree::Group(_) | TokenTree::Literal(_) => Some(String::new()),
        TokenTree::Punct(_) => None,
    });
    let words: Vec<String> = words.collect();
    let is_one_of = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    let is_block = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    let ends = |token: &TokenTree| {
        if is_one_of(&["fn", "impl", "struct", "enum", "union", "trait", "mod", "macro_rules"]) {
            is(token, ';') || is_block(token)
        } else if is_one_of(&["use", "const", "static", "type", "let", "extern"]) {
            is(token, ';')
        } else {
            is(token, ';') || is(token, ',') || is_block(token)
        }
    };
    tokens.iter().position(ends).map_or(tokens.len(), |last| last + 1)
}

pub(super) fn starts_with_colons(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [first, second, ..] if is(first, ':') && is(second, ':'))
}

pub(super) fn is(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

pub(super) fn line(token: &TokenTree) -> usize {
    token.span().start().line
}

pub(super) fn list(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}
