//! The regular expressions of URL patterns: ECMAScript's, in `v` mode.
//!
//! The standard compiles each component of a pattern to one ("compile a component"), which it
//! generates, except for what the pattern's author wrote between parentheses. The engines of other
//! languages read much of this syntax differently: they accept what ECMAScript refuses (`[^/]`,
//! `a**`, `\m`), and give the same text another meaning (`[[:alpha:]]`, `\<`). So it is parsed
//! here, by ECMAScript's grammar; what cannot be matched in linear time is refused with an error
//! that names it.
//!
//! Two things keep it short. What is matched is ASCII ([`Characters`]) and holds no line
//! terminator, so the flags `m` and `s` change nothing. And captures are never used, so groups are
//! just brackets, and lazy is the same as greedy.

mod class;

use super::characters::Characters;
use super::node::{Look, Node};
use super::property::property;

/// Deepest nesting of groups and classes.
const MAX_DEPTH: usize = 50;

/// Why a regular expression is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidRegexp {
    /// ECMAScript refuses it too.
    #[error("is not valid in ECMAScript's `v` mode")]
    Malformed,
    /// A common mistake: a bare `/`, `-`, `(`, `|` … in a class.
    #[error("holds one of `( ) [ ] {{ }} / - \\ |` bare in a class; put `\\` before it")]
    BareInClass,
    /// `\p{…}` with a name that ECMAScript does not have, or that of a property of strings.
    #[error(
        "names a Unicode property that there is not; they are written as in `\\p{{Lu}}` or `\\p{{Script=Greek}}`"
    )]
    NoProperty,
    /// No linear-time engine can match it.
    #[error("looks around, which cannot be matched in linear time")]
    LookAround,
    /// No linear-time engine can match it.
    #[error("refers back to a group, which cannot be matched in linear time")]
    BackReference,
    /// Where case is ignored, two characters beyond ASCII fold to ASCII letters (`ſ` to `s`, the
    /// Kelvin sign to `k`): rather than special-case them, refuse what may hold them.
    #[error("uses `\\p`, `\\q` or more than ASCII within `(?i:`, which this hub does not support")]
    Unsupported,
    /// Groups nested deeper than [`MAX_DEPTH`].
    #[error("is nested more than {MAX_DEPTH} deep")]
    TooDeep,
}

/// Parses a regular expression.
///
/// # Errors
///
/// For what ECMAScript refuses, and for what this hub cannot match.
pub(super) fn parse(text: &str) -> Result<Node, InvalidRegexp> {
    let mut parser = Parser { rest: text, depth: 0, ignore_case: false };
    let node = parser.disjunction()?;
    if parser.rest.is_empty() { Ok(node) } else { Err(InvalidRegexp::Malformed) }
}

/// ECMA-262, "Patterns": a method for each production, named after it.
struct Parser<'a> {
    rest: &'a str,
    depth: usize,
    ignore_case: bool,
}

impl Parser<'_> {
    fn disjunction(&mut self) -> Result<Node, InvalidRegexp> {
        let mut alternatives = vec![self.alternative()?];
        while self.take("|") {
            alternatives.push(self.alternative()?);
        }
        Ok(match alternatives.len() {
            1 => alternatives.remove(0),
            _ => Node::Either(alternatives),
        })
    }

    fn alternative(&mut self) -> Result<Node, InvalidRegexp> {
        let mut terms = Vec::new();
        while !self.rest.is_empty() && !self.rest.starts_with(['|', ')']) {
            terms.push(self.term()?);
        }
        Ok(Node::Sequence(terms))
    }

    fn term(&mut self) -> Result<Node, InvalidRegexp> {
        for (text, look) in [
            ("^", Look::Start),
            ("$", Look::End),
            ("\\b", Look::WordBoundary),
            ("\\B", Look::NoWordBoundary),
        ] {
            if self.take(text) {
                return Ok(Node::Look(look));
            }
        }
        let atom = self.atom()?;
        self.quantifier(atom)
    }

    fn atom(&mut self) -> Result<Node, InvalidRegexp> {
        match self.next()? {
            '(' => self.deeper(Self::group),
            '[' => self.deeper(Self::class).map(Node::from),
            '.' => Ok(Node::One(Characters::dot())),
            '\\' => self.atom_escape().map(Node::One),
            '*' | '+' | '?' | '{' | '}' | ']' | ')' | '|' => Err(InvalidRegexp::Malformed),
            character => self.literal(character).map(Node::One),
        }
    }

    fn quantifier(&mut self, atom: Node) -> Result<Node, InvalidRegexp> {
        let (least, most) = match self.rest.chars().next() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.next()?;
                let least = self.number()?;
                let most = match (self.take(","), self.rest.starts_with('}')) {
                    (false, _) => Some(least),
                    (true, true) => None,
                    (true, false) => Some(self.number()?),
                };
                if !self.rest.starts_with('}') || most.is_some_and(|most| most < least) {
                    return Err(InvalidRegexp::Malformed);
                }
                (least, most)
            }
            _ => return Ok(atom),
        };
        self.next()?;
        self.take("?");
        Ok(Node::Repeat { node: Box::new(atom), least, most })
    }

    /// A number, capped at the largest `u32`: no program is that long.
    fn number(&mut self) -> Result<u32, InvalidRegexp> {
        let digits =
            self.rest.len() - self.rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        match number {
            "" => Err(InvalidRegexp::Malformed),
            _ => Ok(number.parse().unwrap_or(u32::MAX)),
        }
    }

    fn group(&mut self) -> Result<Node, InvalidRegexp> {
        let outside = self.ignore_case;
        if self.take("?") {
            if ["=", "!", "<=", "<!"].iter().any(|around| self.rest.starts_with(around)) {
                return Err(InvalidRegexp::LookAround);
            }
            if self.take("<") { self.group_name()? } else { self.modifiers()? }
        }
        let node = self.disjunction()?;
        self.ignore_case = outside;
        if self.take(")") { Ok(node) } else { Err(InvalidRegexp::Malformed) }
    }

    /// `name>`. A repeated name is not refused: no match depends on it.
    fn group_name(&mut self) -> Result<(), InvalidRegexp> {
        let (name, rest) = self.rest.split_once('>').ok_or(InvalidRegexp::Malformed)?;
        let first = |c: char| c.is_ascii_alphabetic() || matches!(c, '$' | '_');
        let valid = name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit());
        self.rest = rest;
        if valid { Ok(()) } else { Err(InvalidRegexp::Malformed) }
    }

    /// `:`, or modifiers before it: `i:`, `-i:`, `i-ms:`.
    fn modifiers(&mut self) -> Result<(), InvalidRegexp> {
        let (modifiers, rest) = self.rest.split_once(':').ok_or(InvalidRegexp::Malformed)?;
        self.rest = rest;
        let (add, remove) = modifiers.split_once('-').unwrap_or((modifiers, ""));
        let mut named: Vec<char> = add.chars().chain(remove.chars()).collect();
        let count = named.len();
        named.sort_unstable();
        named.dedup();
        let known = named.iter().all(|modifier| matches!(modifier, 'i' | 'm' | 's'));
        if !known || named.len() < count || modifiers == "-" {
            return Err(InvalidRegexp::Malformed);
        }
        self.ignore_case = (self.ignore_case || add.contains('i')) && !remove.contains('i');
        Ok(())
    }

    fn atom_escape(&mut self) -> Result<Characters, InvalidRegexp> {
        match self.rest.chars().next() {
            Some('1'..='9' | 'k') => Err(InvalidRegexp::BackReference),
            _ => match self.class_escape()? {
                Some(set) => Ok(set),
                None => {
                    let character = self.character_escape()?;
                    self.literal(character)
                }
            },
        }
    }

    /// `\d` and the like, after the `\`.
    fn class_escape(&mut self) -> Result<Option<Characters>, InvalidRegexp> {
        let set = match self.rest.chars().next() {
            Some('d') => Characters::digits(),
            Some('D') => Characters::digits().complement(),
            Some('s') => Characters::space(),
            Some('S') => Characters::space().complement(),
            Some('w') => Characters::word(),
            Some('W') => Characters::word().complement(),
            Some(letter @ ('p' | 'P')) => {
                let set = self.property()?;
                return Ok(Some(if letter == 'P' { set.complement() } else { set }));
            }
            _ => return Ok(None),
        };
        self.next()?;
        Ok(Some(set))
    }

    /// `p{…}`, after the `\`.
    fn property(&mut self) -> Result<Characters, InvalidRegexp> {
        self.next()?;
        let expression = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let (expression, rest) = expression.ok_or(InvalidRegexp::Malformed)?;
        self.rest = rest;
        let set = property(expression).ok_or(InvalidRegexp::NoProperty)?;
        if self.ignore_case { Err(InvalidRegexp::Unsupported) } else { Ok(set) }
    }

    /// An escape for one character, after the `\`.
    fn character_escape(&mut self) -> Result<char, InvalidRegexp> {
        Ok(match self.next()? {
            't' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            '0' if !self.rest.starts_with(|c: char| c.is_ascii_digit()) => '\0',
            'c' => match self.next()? {
                letter if letter.is_ascii_alphabetic() => char::from(letter as u8 % 32),
                _ => return Err(InvalidRegexp::Malformed),
            },
            'x' => self.hexadecimal(2)?,
            'u' if self.take("{") => {
                let digits = self.rest.find('}').ok_or(InvalidRegexp::Malformed)?;
                let character = self.hexadecimal(digits)?;
                self.next()?;
                character
            }
            'u' => self.hexadecimal(4)?,
            // SyntaxCharacter, and `/`.
            same if "^$\\.*+?()[]{}|/".contains(same) => same,
            _ => return Err(InvalidRegexp::Malformed),
        })
    }

    /// The character that this many hexadecimal digits name. A surrogate matches nothing in ASCII,
    /// and neither does its replacement.
    fn hexadecimal(&mut self, digits: usize) -> Result<char, InvalidRegexp> {
        let (text, rest) = self.rest.split_at_checked(digits).ok_or(InvalidRegexp::Malformed)?;
        self.rest = rest;
        if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(InvalidRegexp::Malformed);
        }
        match u32::from_str_radix(text.trim_start_matches('0'), 16) {
            Ok(code) if code > 0x10_FFFF => Err(InvalidRegexp::Malformed),
            Ok(code) => Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
            // All zeros, or too many digits.
            Err(_) if text.bytes().all(|digit| digit == b'0') => Ok('\0'),
            Err(_) => Err(InvalidRegexp::Malformed),
        }
    }

    fn literal(&self, character: char) -> Result<Characters, InvalidRegexp> {
        self.folded(Characters::one(character), character)
    }

    /// The set, with both cases of each letter if case is ignored.
    fn folded(&self, set: Characters, last: char) -> Result<Characters, InvalidRegexp> {
        match self.ignore_case {
            false => Ok(set),
            true if last.is_ascii() => Ok(set.ignoring_case()),
            true => Err(InvalidRegexp::Unsupported),
        }
    }

    fn deeper<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, InvalidRegexp>,
    ) -> Result<T, InvalidRegexp> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(InvalidRegexp::TooDeep);
        }
        let parsed = parse(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn next(&mut self) -> Result<char, InvalidRegexp> {
        let character = self.rest.chars().next().ok_or(InvalidRegexp::Malformed)?;
        self.rest = &self.rest[character.len_utf8()..];
        Ok(character)
    }
}
