//! The engine of regular expressions that the parser of patterns is given.

use urlpattern::RegexSyntax;

use super::node::Node;
use super::program::Program;
use super::regexp::{self, InvalidRegexp};

/// What the parser of patterns is given as its engine: it keeps why an expression was refused,
/// which the trait's error has no room for.
#[derive(Debug)]
pub(super) struct Regexp(pub(super) Result<Node, InvalidRegexp>);

impl urlpattern::regexp::RegExp for Regexp {
    /// Anything else, and each expression would be compiled once more for each of its groups.
    fn syntax() -> RegexSyntax {
        RegexSyntax::Rust
    }

    fn parse(pattern: &str, _flags: &str, _force_eval: bool) -> Result<Self, ()> {
        Ok(Self(regexp::parse(pattern)))
    }

    /// Asked while a pattern is parsed, of its protocol and the six special schemes.
    fn matches<'a>(&self, text: &'a str) -> Option<Vec<Option<&'a str>>> {
        let program = Program::new(self.0.as_ref().ok()?).ok()?;
        program.matches(text.as_bytes()).then(Vec::new)
    }

    fn pattern_string(&self) -> &str {
        ""
    }
}
