//! From a template and a topic to whether one expands to the other.
//!
//! ```text
//! topic          / a / b ? p = 1
//! at first      ●
//! after {/x*}   ● ● ● ● ●             x undefined; /  /a  /a/  /a/b
//! after {?p}    ● ● ● ● ●     ● ●     p undefined; ?p=  ?p=1
//! ```
//!
//! Each part of a template takes the set of offsets that the template up to it can reach in the
//! topic, to the set that it can reach itself; the template matches if the last set holds the
//! topic's end. Sets are bits, 64 to a word, and each variable passes over them a few times, so no
//! choice is ever tried twice.

use super::parse::{Expression, Modifier, Operator, Part, Parts, Variable, triplet};

/// Whether a well-formed template expands to a topic.
pub(super) fn matches(template: &str, topic: &Topic<'_>) -> bool {
    let mut reached = topic.nowhere();
    reached.insert(0);
    for part in Parts::of(template) {
        match part {
            Ok(Part::Literal(text)) => topic.pass_literal(&mut reached, text),
            Ok(Part::Expression(expression)) => topic.pass_expression(&mut reached, expression),
            Err(_) => return false,
        }
        if reached.first().is_none() {
            return false;
        }
    }
    reached.holds(topic.text.len())
}

/// A set of offsets into a topic, its end included.
#[derive(Clone)]
struct Offsets(Vec<u64>);

impl Offsets {
    fn holds(&self, offset: usize) -> bool {
        self.0[offset / 64] >> (offset % 64) & 1 != 0
    }

    fn insert(&mut self, offset: usize) {
        self.0[offset / 64] |= 1 << (offset % 64);
    }

    fn first(&self) -> Option<usize> {
        let index = self.0.iter().position(|&word| word != 0)?;
        Some(index * 64 + self.0[index].trailing_zeros() as usize)
    }

    fn add(&mut self, others: &Self) {
        for (word, other) in self.0.iter_mut().zip(&others.0) {
            *word |= other;
        }
    }

    fn remove(&mut self, others: &Self) {
        for (word, other) in self.0.iter_mut().zip(&others.0) {
            *word &= !other;
        }
    }

    /// Passes one byte, from those offsets where it is one of these.
    fn pass_one(&mut self, bytes: &[u64]) {
        let mut carry = 0;
        for (word, byte) in self.0.iter_mut().zip(bytes) {
            let passing = *word & byte;
            (*word, carry) = (passing << 1 | carry, passing >> 63);
        }
    }

    /// Passes no byte, or any number of these.
    ///
    /// In a row of ones, adding to one of them turns it and those after it to zeros, and the bit
    /// behind the row to a one: what changes is what is reached (Cameron et al., "Bitwise Data
    /// Parallelism in Regular Expression Matching", 2014).
    fn pass_any(&mut self, bytes: &[u64]) {
        let mut carry = false;
        for (word, byte) in self.0.iter_mut().zip(bytes) {
            let (sum, overflow) = (*word & byte).carrying_add(*byte, carry);
            *word |= sum ^ byte;
            carry = overflow;
        }
    }
}

/// A topic, and what values can expand to in it: 40 bytes for each of its own. It is made once for
/// all templates.
pub(crate) struct Topic<'t> {
    text: &'t [u8],
    /// Where each of the 256 bytes is, one after the other.
    bytes: Vec<u64>,
    /// The bytes of `unreserved` and `pct-encoded` characters, which any value can expand to
    /// (RFC 6570, section 1.5).
    unreserved: Offsets,
    /// The bytes of `reserved` characters, which `+` and `#` leave as they are.
    reserved: Offsets,
    /// Where `pct-encoded` characters go on: a prefix counts them where they begin.
    continuations: Offsets,
    /// Where triplets go on, so that no value ends.
    triplets: Offsets,
}

impl<'t> Topic<'t> {
    pub(crate) fn scan(text: &'t str) -> Self {
        let text = text.as_bytes();
        let words = text.len() / 64 + 1;
        let none = Offsets(vec![0; words]);
        let mut topic = Self {
            text,
            bytes: vec![0; 256 * words],
            unreserved: none.clone(),
            reserved: none.clone(),
            continuations: none.clone(),
            triplets: none,
        };
        // Where the character that was read last ends.
        let mut end = 0;
        for (offset, &byte) in text.iter().enumerate() {
            topic.bytes[usize::from(byte) * words + offset / 64] |= 1 << (offset % 64);
            match byte {
                _ if offset < end => topic.unreserved.insert(offset),
                b'%' => {
                    end = offset + encoded_length(&text[offset..]);
                    for inside in offset + 1..end {
                        topic.continuations.insert(inside);
                        if (inside - offset) % 3 > 0 {
                            topic.triplets.insert(inside);
                        }
                    }
                    if end > offset {
                        topic.unreserved.insert(offset);
                    }
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    topic.unreserved.insert(offset);
                }
                _ if b":/?#[]@!$&'()*+,;=".contains(&byte) => topic.reserved.insert(offset),
                _ => {}
            }
        }
        topic
    }

    fn nowhere(&self) -> Offsets {
        Offsets(vec![0; self.text.len() / 64 + 1])
    }

    /// Where a byte is.
    fn places(&self, byte: u8) -> &[u64] {
        let words = self.text.len() / 64 + 1;
        &self.bytes[usize::from(byte) * words..][..words]
    }

    fn pass_literal(&self, reached: &mut Offsets, literal: &str) {
        for character in literal.chars() {
            let encoded = (!character.is_ascii()).then(|| self.after_encoded(reached, character));
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                reached.pass_one(self.places(byte));
            }
            if let Some(encoded) = encoded {
                reached.add(&encoded);
            }
        }
    }

    /// Where a character leads as percent-encoded triplets, with digits of either case.
    fn after_encoded(&self, from: &Offsets, character: char) -> Offsets {
        let mut reached = from.clone();
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            reached.pass_one(self.places(b'%'));
            for digit in [byte >> 4, byte & 15] {
                let (upper, lower) = (b"0123456789ABCDEF", b"0123456789abcdef");
                let mut other = reached.clone();
                other.pass_one(self.places(lower[usize::from(digit)]));
                reached.pass_one(self.places(upper[usize::from(digit)]));
                reached.add(&other);
            }
        }
        reached
    }

    /// RFC 6570, section 3.2.1.
    fn pass_expression(&self, reached: &mut Offsets, expression: Expression<'_>) {
        let operator = expression.operator;
        let mut first = reached.clone();
        self.pass_literal(&mut first, operator.first);
        let mut defined = self.nowhere();
        // No error is left in a template that is well-formed.
        for variable in expression.variables().flatten() {
            let mut begin = defined.clone();
            begin.pass_one(self.places(operator.separator));
            begin.add(&first);
            defined.add(&self.after_variable(begin, operator, variable));
        }
        // All variables may be undefined, and then this is where it was.
        reached.add(&defined);
    }

    /// Where a variable leads that is defined.
    fn after_variable(
        &self,
        mut from: Offsets,
        operator: &Operator,
        variable: Variable<'_>,
    ) -> Offsets {
        if variable.modifier == Modifier::Explode && operator.named {
            // `name=value` for each member of a list is what some array expands to.
            return self.after_pairs(&from, operator);
        }
        if !operator.named {
            return self.after_value(&from, operator, variable.modifier);
        }
        self.pass_literal(&mut from, variable.name);
        let mut equals = from.clone();
        equals.pass_one(self.places(b'='));
        let mut value = self.after_value(&equals, operator, variable.modifier);
        if !operator.equals_empty {
            // An empty value has no `=`, and none that is longer ends at one.
            value.remove(&equals);
            value.add(&from);
        }
        value
    }

    /// Where a value leads without its name.
    fn after_value(&self, from: &Offsets, operator: &Operator, modifier: Modifier) -> Offsets {
        let mut allowed = self.unreserved.clone();
        if operator.reserved {
            // Among them are the separators of lists and arrays.
            allowed.add(&self.reserved);
        }
        let separator = match modifier {
            Modifier::Prefix(most) => return self.after_prefix(from, &allowed, most),
            Modifier::None => b',',
            Modifier::Explode => operator.separator,
        };
        for (word, separator) in allowed.0.iter_mut().zip(self.places(separator)) {
            *word |= separator;
        }
        let mut reached = from.clone();
        reached.pass_any(&allowed.0);
        reached.remove(&self.triplets);
        if modifier == Modifier::Explode && !operator.reserved {
            reached.add(&self.after_pairs(from, operator));
        }
        reached
    }

    /// Where up to so many characters lead.
    fn after_prefix(&self, from: &Offsets, allowed: &Offsets, most: u16) -> Offsets {
        let mut reached = self.nowhere();
        // How many more may come here, if any value leads here.
        let mut left = None;
        for offset in from.first().unwrap_or(self.text.len())..=self.text.len() {
            let begins = from.holds(offset);
            if begins || left.is_some() {
                reached.insert(offset);
            }
            let goes_on = self.continuations.holds(offset);
            let before = left.and_then(|left: u16| left.checked_sub(u16::from(!goes_on)));
            // What begins inside of an encoded character counts the rest of that as one.
            left = begins.then(|| most - 1).or(before).filter(|_| allowed.holds(offset));
        }
        reached.remove(&self.triplets);
        reached
    }

    /// Where `name=value` leads, or several of them with separators in between.
    fn after_pairs(&self, from: &Offsets, operator: &Operator) -> Offsets {
        const NAME: u8 = 1;
        const EQUALS: u8 = 2;
        const VALUE: u8 = 4;
        let complete =
            if operator.named && !operator.equals_empty { NAME | VALUE } else { EQUALS | VALUE };
        let mut reached = self.nowhere();
        let mut states = 0;
        for offset in from.first().unwrap_or(self.text.len())..=self.text.len() {
            if from.holds(offset) {
                states |= NAME;
            }
            let is_complete = states & complete != 0;
            if is_complete {
                reached.insert(offset);
            }
            let mut next = 0;
            if self.unreserved.holds(offset) {
                next |= states & NAME;
                next |= if states & (EQUALS | VALUE) == 0 { 0 } else { VALUE };
            }
            match self.text.get(offset) {
                Some(b'=') if states & NAME != 0 => next |= EQUALS,
                Some(byte) if is_complete && *byte == operator.separator => next |= NAME,
                _ => {}
            }
            states = next;
        }
        reached.remove(&self.triplets);
        reached
    }
}

/// How many bytes of triplets encode the character that a `%` begins, or 0 if none follows. A byte
/// that is not UTF-8 counts for itself.
fn encoded_length(text: &[u8]) -> usize {
    let mut bytes = [0; 4];
    let mut rest = text;
    for index in 0..bytes.len() {
        let Some((byte, after)) = triplet(rest) else { break };
        (bytes[index], rest) = (byte, after);
        if std::str::from_utf8(&bytes[..=index]).is_ok() {
            return 3 * (index + 1);
        }
    }
    if triplet(text).is_some() { 3 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::super::Template;

    #[test]
    fn the_drawing_is_right() {
        let reached = |template: &str| {
            let template = Template::parse(template).unwrap();
            (0..=8).filter(|end| template.matches(&"/a/b?p=1"[..*end])).collect::<Vec<_>>()
        };
        assert_eq!(reached("{/x*}"), [0, 1, 2, 3, 4]);
        assert_eq!(reached("{/x*}{?p}"), [0, 1, 2, 3, 4, 7, 8]);
    }

    /// Sets are words of 64 bits: what one holds must go on in the next.
    #[test]
    fn long_topics_match_as_short_ones_do() {
        for length in [1, 62, 63, 64, 65, 127, 128, 129, 4000] {
            let text = "x".repeat(length);
            for (template, topic, expected) in [
                ("{a}", text.clone(), true),
                ("{a}", format!("{text}/"), false),
                ("{a}/{b}", format!("{text}/{text}"), true),
                ("{/a*}", format!("/{text}%C3%A9/{text}"), true),
                ("{?a*}", format!("?{text}=1&{text}={text}"), true),
                ("{?a*}", format!("?{text}=1&{text}"), false),
                ("{a:4000}b", format!("{text}b"), true),
                (&text, text.clone(), true),
                (&text, format!("{text}x"), false),
                ("{+a}é", format!("{text}%c3%A9"), true),
            ] {
                let template = Template::parse(template).unwrap();
                assert_eq!(template.matches(&topic), expected, "{length}: {template:?}");
            }
            let prefix = Template::parse(&format!("{{a:{length}}}")).unwrap();
            assert!(prefix.matches(&text) && !prefix.matches(&format!("{text}x")));
        }
    }
}
