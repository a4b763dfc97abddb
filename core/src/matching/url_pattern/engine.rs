//! The regular expression engine that the pattern parser is given.

use urlpattern::RegexSyntax;

use super::node::Node;
use super::program::Program;
use super::regexp::{self, InvalidRegexp};
use crate::matching::effort::Effort;

/// What the pattern parser is given as its engine. It keeps why an expression was refused, since
/// the trait's error cannot.
#[derive(Debug)]
pub(super) struct Regexp(pub(super) Result<Node, InvalidRegexp>);

impl urlpattern::regexp::RegExp for Regexp {
    /// With any other, each expression would be compiled again for each of its groups.
    fn syntax() -> RegexSyntax {
        RegexSyntax::Rust
    }

    fn parse(pattern: &str, _flags: &str, _force_eval: bool) -> Result<Self, ()> {
        Ok(Self(regexp::parse(pattern)))
    }

    /// Called while a pattern is parsed, for its protocol and each of the six special schemes.
    fn matches<'a>(&self, text: &'a str) -> Option<Vec<Option<&'a str>>> {
        let program = Program::new(self.0.as_ref().ok()?).ok()?;
        program.matches(text.as_bytes(), &Effort::default()).then(Vec::new)
    }

    fn pattern_string(&self) -> &str {
        ""
    }
}
