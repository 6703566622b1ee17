//! What `protect` and `lock` changed: whoever maps a page again must do it again.

/// Runs of pages in bytes from the base: sorted, apart from each other, so never more of them than the system has mappings.
pub struct Runs<T>(Vec<(usize, usize, T)>);

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy + PartialEq> Runs<T> {
    /// `from..to` is so from now on.
    pub fn set(&mut self, mut from: usize, mut to: usize, kind: T) {
        // Neighbours count: equal ones become one run.
        let first = self.0.partition_point(|(_, end, _)| *end < from);
        let last = self.0.partition_point(|(start, _, _)| *start <= to);
        let (mut before, mut behind) = (None, None);
        for &(start, end, other) in &self.0[first..last] {
            if other == kind {
                from = from.min(start);
                to = to.max(end);
                continue;
            }
            if start < from {
                before = Some((start, end.min(from), other));
            }
            if end > to {
                behind = Some((start.max(to), end, other));
            }
        }
        let runs = before.into_iter().chain([(from, to, kind)]).chain(behind);
        self.0.splice(first..last, runs);
    }

    /// Nothing is known of what comes from `end` on.
    pub fn cut(&mut self, end: usize) {
        self.0.retain(|(start, _, _)| *start < end);
        if let Some((_, to, _)) = self.0.last_mut() {
            *to = end.min(*to);
        }
    }

    /// What is known of `from..to`.
    pub fn within(&self, from: usize, to: usize) -> impl Iterator<Item = (usize, usize, T)> + '_ {
        let first = self.0.partition_point(move |(_, end, _)| *end <= from);
        self.0[first..]
            .iter()
            .take_while(move |(start, _, _)| *start < to)
            .map(move |&(start, end, kind)| (start.max(from), end.min(to), kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::Protection;

    /// Page by page, from a sequence without a pattern, against the simplest thing that is right.
    #[test]
    fn the_last_word_on_each_page_holds_and_runs_stay_few() {
        const PAGES: usize = 40;
        let kinds = [
            Protection::None,
            Protection::Read,
            Protection::Write,
            Protection::Exec,
        ];
        let mut plain = [None; PAGES];
        let mut runs = Runs::default();
        let mut seed = 1_u32;
        let mut next = |limit: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as usize % limit
        };
        for round in 0..5000 {
            let (from, to) = (next(PAGES), next(PAGES) + 1);
            if from >= to {
                continue;
            }
            if round % 97 == 0 {
                runs.cut(from);
                plain[from..].fill(None);
            } else {
                let kind = kinds[next(kinds.len())];
                runs.set(from, to, kind);
                plain[from..to].fill(Some(kind));
            }
            let mut found = [None; PAGES];
            for (from, to, kind) in runs.within(0, PAGES) {
                assert!(found[from..to].iter().all(Option::is_none));
                found[from..to].fill(Some(kind));
            }
            assert_eq!(found, plain, "round {round}");
            assert!(runs.0.len() <= PAGES);
            let (from, to) = (from.min(3), to);
            let inside: usize = runs.within(from, to).map(|(from, to, _)| to - from).sum();
            assert_eq!(
                inside,
                plain[from..to].iter().filter(|kind| kind.is_some()).count()
            );
        }
    }
}
