//! Whether a template expands to a topic.
//!
//! ```text
//! topic          / a / b ? p = 1
//! at the start  ●
//! after {/x*}   ● ● ● ● ●             x undefined; /  /a  /a/  /a/b
//! after {?p}    ● ● ● ● ●     ● ●     p undefined; ?p=  ?p=1
//! ```
//!
//! Each part of a template turns the set of offsets in the topic that the parts before it can reach
//! into the set that it can reach; the template matches if the last set holds the topic's end. Sets
//! are bits, 64 to a word, and each variable passes over them a few times, so no choice is ever
//! tried twice.

use super::offsets::Offsets;
use super::parse::{Expression, Modifier, Operator, Part, Parts, Variable};
use super::scan::Scan;

/// Whether a well-formed template expands to a topic.
pub(super) fn matches(template: &str, topic: &Scan<'_>) -> bool {
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

impl Scan<'_> {
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

    /// Where a character leads when it is percent-encoded, with digits in either case.
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
        // Any of the variables may be undefined. So each begins either at the start of the
        // expression, after the operator's first character, or after any earlier variable and a
        // separator. (A well-formed template has no errors left to flatten.)
        for variable in expression.variables().flatten() {
            let mut begin = defined.clone();
            begin.pass_one(self.places(operator.separator));
            begin.add(&first);
            defined.add(&self.after_variable(begin, operator, variable));
        }
        // If all variables are undefined, the expression expands to nothing.
        reached.add(&defined);
    }

    /// Where a defined variable leads.
    fn after_variable(
        &self,
        mut from: Offsets,
        operator: &Operator,
        variable: Variable<'_>,
    ) -> Offsets {
        if variable.modifier == Modifier::Explode && operator.named {
            // A list expands to `name=value` for each of its members, as does the array of pairs
            // that all have this name. So arrays cover lists.
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
            // An empty value has no `=`. No other value ends right after one, as none holds a `=`.
            value.remove(&equals);
            value.add(&from);
        }
        value
    }

    /// Where a value leads, without its name.
    fn after_value(&self, from: &Offsets, operator: &Operator, modifier: Modifier) -> Offsets {
        let mut allowed = self.unreserved.clone();
        if operator.reserved {
            // These include the separators of lists and arrays.
            allowed.add(&self.reserved);
        }
        let separator = match modifier {
            Modifier::Prefix(most) => return self.after_prefix(from, &allowed, most),
            Modifier::None => b',',
            Modifier::Explode => operator.separator,
        };
        // A list is values with separators between them, and any value may be empty. So it is a run
        // of characters and separators, and need not be taken apart.
        allowed.add_words(self.places(separator));
        let mut reached = from.clone();
        reached.pass_any(allowed.words());
        // A value may end after a triplet, not within it.
        reached.remove(&self.triplets);
        // An exploded variable may be an array, whose pairs hold a `=`. If reserved characters are
        // allowed, the run above has covered those.
        if modifier == Modifier::Explode && !operator.reserved {
            reached.add(&self.after_pairs(from, operator));
        }
        reached
    }

    /// Where up to `most` characters lead.
    fn after_prefix(&self, from: &Offsets, allowed: &Offsets, most: u16) -> Offsets {
        // Values of several lengths may lead to one offset. The one with the most characters left
        // goes furthest, so it alone needs to be tracked.
        let mut reached = self.nowhere();
        // How many more characters may follow, if any value leads here.
        let mut left = None;
        for offset in from.first().unwrap_or(self.text.len())..=self.text.len() {
            let begins = from.holds(offset);
            if begins || left.is_some() {
                reached.insert(offset);
            }
            let goes_on = self.continuations.holds(offset);
            let before = left.and_then(|left: u16| left.checked_sub(u16::from(!goes_on)));
            // A value that begins inside an encoded character counts the rest of that as one.
            left = begins.then(|| most - 1).or(before).filter(|_| allowed.holds(offset));
        }
        reached.remove(&self.triplets);
        reached
    }

    /// Where one `name=value` leads, or several with separators between them.
    fn after_pairs(&self, from: &Offsets, operator: &Operator) -> Offsets {
        // An automaton whose states are bits, so that all are followed at once: within a name,
        // after its `=`, within a value.
        const NAME: u8 = 1;
        const EQUALS: u8 = 2;
        const VALUE: u8 = 4;
        // After `;`, a pair with an empty value is just its name.
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

    /// Sets are words of 64 bits: a match must carry over from one to the next.
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
