//! The grammar: RFC 6570, section 2.
//!
//! A template is parsed again for each match, by iterators that hold nothing but what is left to
//! read: kept parsed, one like `{a}{b}…` would be dozens of times the size of its text.

/// Why a text is not a URI template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidTemplate {
    /// A `{` without its `}`.
    #[error("opens an expression with `{{` and never closes it")]
    Unclosed,
    /// A character that no literal may hold, such as a `}`.
    #[error("holds {0:?} outside of an expression")]
    Literal(char),
    /// A `%` that begins no triplet.
    #[error("holds a `%` without two hexadecimal digits after it")]
    Percent,
    /// An operator of section 2.2 that is "reserved for future extensions".
    #[error("holds the operator `{0}`, which RFC 6570 reserves")]
    Operator(char),
    /// An expression with something other than a variable's name in its place.
    #[error(
        "holds an expression with something other than names of letters, digits, `_`, `%xx` and `.`"
    )]
    Name,
    /// A `:` without a number from 1 to 9999.
    #[error("holds a prefix modifier that is not a number from 1 to 9999")]
    Prefix,
}

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Part<'t> {
    /// It matches only itself.
    Literal(&'t str),
    /// `{…}`.
    Expression(Expression<'t>),
}

/// What an expression does with its variables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expression<'t> {
    pub(super) operator: &'static Operator,
    variables: &'t str,
}

/// A row of the table in RFC 6570, appendix A.
#[derive(Debug, PartialEq)]
pub(super) struct Operator {
    /// What comes before the first defined variable.
    pub(super) first: &'static str,
    /// What comes before the others, and between the members of an exploded one.
    pub(super) separator: u8,
    /// Whether `name=` comes before values.
    pub(super) named: bool,
    /// Whether even an empty value has a `=` before it.
    pub(super) equals_empty: bool,
    /// Whether values keep their reserved characters and percent-encoded triplets.
    pub(super) reserved: bool,
}

/// A variable of an expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Variable<'t> {
    pub(super) name: &'t str,
    pub(super) modifier: Modifier,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Modifier {
    None,
    /// At most this many characters of the value.
    Prefix(u16),
    /// Each member of the value by itself.
    Explode,
}

/// The parts of a template, from left to right.
pub(super) struct Parts<'t> {
    rest: &'t str,
}

impl<'t> Parts<'t> {
    pub(super) fn of(template: &'t str) -> Self {
        Self { rest: template }
    }
}

impl<'t> Iterator for Parts<'t> {
    type Item = Result<Part<'t>, InvalidTemplate>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some(inner) = self.rest.strip_prefix('{') else {
            let end = self.rest.find('{').unwrap_or(self.rest.len());
            let (literal, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Some(check_literal(literal).map(|()| Part::Literal(literal)));
        };
        let Some((expression, rest)) = inner.split_once('}') else {
            self.rest = "";
            return Some(Err(InvalidTemplate::Unclosed));
        };
        self.rest = rest;
        Some(Expression::parse(expression).map(Part::Expression))
    }
}

impl<'t> Expression<'t> {
    fn parse(text: &'t str) -> Result<Self, InvalidTemplate> {
        let operator = match text.bytes().next() {
            Some(b'+') => &Operator::RESERVED,
            Some(b'#') => &Operator::FRAGMENT,
            Some(b'.') => &Operator::LABEL,
            Some(b'/') => &Operator::PATH,
            Some(b';') => &Operator::PARAMETER,
            Some(b'?') => &Operator::QUERY,
            Some(b'&') => &Operator::QUERY_CONTINUATION,
            Some(operator @ (b'=' | b',' | b'!' | b'@' | b'|')) => {
                return Err(InvalidTemplate::Operator(operator.into()));
            }
            _ => return Ok(Self { operator: &Operator::SIMPLE, variables: text }),
        };
        Ok(Self { operator, variables: &text[1..] })
    }

    /// Its variables, from left to right.
    pub(super) fn variables(self) -> impl Iterator<Item = Result<Variable<'t>, InvalidTemplate>> {
        self.variables.split(',').map(Variable::parse)
    }
}

impl Operator {
    const SIMPLE: Self =
        Self { first: "", separator: b',', named: false, equals_empty: false, reserved: false };
    const RESERVED: Self = Self { reserved: true, ..Self::SIMPLE };
    const FRAGMENT: Self = Self { first: "#", ..Self::RESERVED };
    const LABEL: Self = Self { first: ".", separator: b'.', ..Self::SIMPLE };
    const PATH: Self = Self { first: "/", separator: b'/', ..Self::SIMPLE };
    const PARAMETER: Self = Self { first: ";", separator: b';', named: true, ..Self::SIMPLE };
    const QUERY: Self = Self { first: "?", equals_empty: true, separator: b'&', ..Self::PARAMETER };
    const QUERY_CONTINUATION: Self = Self { first: "&", ..Self::QUERY };
}

impl<'t> Variable<'t> {
    fn parse(text: &'t str) -> Result<Self, InvalidTemplate> {
        let (name, modifier) = if let Some((name, digits)) = text.split_once(':') {
            (name, Modifier::Prefix(prefix_length(digits).ok_or(InvalidTemplate::Prefix)?))
        } else if let Some(name) = text.strip_suffix('*') {
            (name, Modifier::Explode)
        } else {
            (text, Modifier::None)
        };
        if name.split('.').all(is_name) {
            Ok(Self { name, modifier })
        } else {
            Err(InvalidTemplate::Name)
        }
    }
}

/// RFC 6570, section 2.4.1: `max-length = %x31-39 0*3DIGIT`.
fn prefix_length(digits: &str) -> Option<u16> {
    let plain = digits.len() <= 4
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && !digits.starts_with('0');
    if plain { digits.parse().ok() } else { None }
}

/// RFC 6570, section 2.3: `1*varchar`, where `varchar = ALPHA / DIGIT / "_" / pct-encoded`.
fn is_name(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = match (byte, triplet(rest)) {
            (_, Some((_, after))) => after,
            (b'_', _) => after,
            (byte, _) if byte.is_ascii_alphanumeric() => after,
            _ => return false,
        };
    }
    !text.is_empty()
}

/// RFC 6570, section 2.1, with erratum 6937, which allows the apostrophe.
fn check_literal(text: &str) -> Result<(), InvalidTemplate> {
    for (offset, character) in text.char_indices() {
        match character {
            '%' if triplet(&text.as_bytes()[offset..]).is_none() => {
                return Err(InvalidTemplate::Percent);
            }
            '!' | '#'..=';' | '=' | '?'..='[' | ']' | '_' | 'a'..='z' | '~' => {}
            _ if is_beyond_ascii(character) => {}
            _ => return Err(InvalidTemplate::Literal(character)),
        }
    }
    Ok(())
}

/// RFC 3987, section 2.2: `ucschar / iprivate`.
fn is_beyond_ascii(character: char) -> bool {
    match character {
        '\0'..='\u{9f}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{fff0}'..='\u{ffff}'
        | '\u{e0000}'..='\u{e0fff}' => false,
        // The last two code points of every plane are noncharacters.
        _ => u32::from(character) & 0xfffe != 0xfffe,
    }
}

/// The byte that the triplet at the start of a text encodes, and what follows it.
pub(super) fn triplet(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16)?).ok();
    let [b'%', high, low, rest @ ..] = text else { return None };
    Some((digit(*high)? << 4 | digit(*low)?, rest))
}

#[cfg(test)]
mod tests {
    use super::super::Template;
    use super::*;

    #[test]
    fn parts_are_read_in_order() {
        let parts: Vec<_> = Parts::of("/a{?x:30,y.z*}{_}b").collect();
        let [
            Ok(Part::Literal("/a")),
            Ok(Part::Expression(query)),
            Ok(Part::Expression(simple)),
            Ok(Part::Literal("b")),
        ] = parts[..]
        else {
            panic!("{parts:?}");
        };
        assert_eq!(query.operator, &Operator::QUERY);
        assert_eq!(
            query.variables().collect::<Vec<_>>(),
            [
                Ok(Variable { name: "x", modifier: Modifier::Prefix(30) }),
                Ok(Variable { name: "y.z", modifier: Modifier::Explode }),
            ]
        );
        assert_eq!(simple.operator, &Operator::SIMPLE);
        assert_eq!(
            simple.variables().collect::<Vec<_>>(),
            [Ok(Variable { name: "_", modifier: Modifier::None })]
        );
    }

    /// The vectors say what is malformed; this is what the errors say.
    #[test]
    fn errors_say_what_is_wrong() {
        for (template, error) in [
            ("/a{x", InvalidTemplate::Unclosed),
            ("/a}", InvalidTemplate::Literal('}')),
            ("a b", InvalidTemplate::Literal(' ')),
            ("a\u{fdd0}", InvalidTemplate::Literal('\u{fdd0}')),
            ("100%{x}", InvalidTemplate::Percent),
            ("%4", InvalidTemplate::Percent),
            ("{|x}", InvalidTemplate::Operator('|')),
            ("{}", InvalidTemplate::Name),
            ("{é}", InvalidTemplate::Name),
            ("{{x}}", InvalidTemplate::Name),
            ("{x,}", InvalidTemplate::Name),
            ("{%4}", InvalidTemplate::Name),
            ("{x:0}", InvalidTemplate::Prefix),
            ("{x:+1}", InvalidTemplate::Prefix),
            ("{x:2*}", InvalidTemplate::Prefix),
        ] {
            assert_eq!(Template::parse(template), Err(error), "{template}");
        }
    }

    #[test]
    fn literals_hold_what_the_erratum_and_rfc_3987_allow() {
        let ascii = (' '..='~').filter(|c| !"%{".contains(*c));
        let refused: String = ascii.filter(|c| check_literal(&c.to_string()).is_err()).collect();
        assert_eq!(refused, " \"<>\\^`|}");
        for character in ['\u{a0}', 'é', '\u{d7ff}', '\u{e000}', '\u{ffef}', '😀', '\u{10fffd}']
        {
            assert_eq!(check_literal(&character.to_string()), Ok(()), "{character:?}");
        }
        for character in
            ['\0', '\u{7f}', '\u{80}', '\u{9f}', '\u{fffd}', '\u{1fffe}', '\u{1ffff}', '\u{e0001}']
        {
            assert!(check_literal(&character.to_string()).is_err(), "{character:?}");
        }
    }
}
