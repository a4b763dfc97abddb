//! What one stream has got from one publisher: all of it, in order, once?

use std::collections::BTreeSet;

/// The updates that have arrived at a stream from a publisher, by their numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    /// The number of the first that counts: those before it belong to the warm-up.
    first: u32,
    /// The number after the greatest that has arrived.
    next: u32,
    /// Those below `next` that have not arrived.
    missing: BTreeSet<u32>,
    /// How many have arrived after a later one.
    pub(crate) late: u64,
    /// How many have arrived again.
    pub(crate) twice: u64,
}

impl Order {
    /// Begins anew: only this number and those after it count.
    pub(crate) fn begin(&mut self, first: u32) {
        *self = Self { first, next: first, ..Self::default() };
    }

    /// Takes an update; whether it is a delivery that counts.
    pub(crate) fn handle_arrived(&mut self, number: u32) -> bool {
        if number < self.first {
            return false;
        }
        if number < self.next {
            let was_missing = self.missing.remove(&number);
            *(if was_missing { &mut self.late } else { &mut self.twice }) += 1;
            return was_missing;
        }
        self.missing.extend(self.next..number);
        self.next = number + 1;
        true
    }

    /// Whether everything has arrived of what was published before this number.
    pub(crate) fn is_complete(&self, end: u32) -> bool {
        self.next >= end && self.missing.is_empty()
    }

    /// How many of those that were published before this number have not arrived, apart from those
    /// that the hub did not acknowledge.
    pub(crate) fn lost(&self, end: u32, unacknowledged: &BTreeSet<u32>) -> u64 {
        let lost = self.missing.iter().copied().chain(self.next..end);
        lost.filter(|number| !unacknowledged.contains(number)).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(numbers: &[u32]) -> (Order, usize) {
        let mut order = Order::default();
        let counted = numbers.iter().filter(|number| order.handle_arrived(**number)).count();
        (order, counted)
    }

    #[test]
    fn all_in_order() {
        let (order, counted) = after(&[0, 1, 2]);
        assert_eq!((counted, order.late, order.twice), (3, 0, 0));
        assert!(order.is_complete(3) && !order.is_complete(4));
        assert_eq!(order.lost(3, &BTreeSet::new()), 0);
    }

    #[test]
    fn lost_between_and_at_the_end() {
        let (order, counted) = after(&[0, 2, 5]);
        assert_eq!((counted, order.late, order.twice), (3, 0, 0));
        assert!(!order.is_complete(6));
        assert_eq!(order.lost(8, &BTreeSet::new()), 5, "1, 3, 4, 6 and 7");
        assert_eq!(order.lost(8, &BTreeSet::from([3, 7])), 3, "nobody was promised 3 and 7");
    }

    #[test]
    fn late_and_twice() {
        let (order, counted) = after(&[0, 2, 1, 1, 2]);
        assert_eq!((counted, order.late, order.twice), (3, 1, 2));
        assert!(order.is_complete(3));
    }

    #[test]
    fn the_warm_up_does_not_count() {
        let (mut order, _) = after(&[0, 3, 3, 2]);
        order.begin(5);
        assert!(!order.handle_arrived(4) && order.handle_arrived(5));
        assert_eq!((order.late, order.twice), (0, 0));
        assert!(order.is_complete(6));
        assert_eq!(order.lost(7, &BTreeSet::new()), 1);
    }
}
