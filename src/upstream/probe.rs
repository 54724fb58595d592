//! What may be promised to submission clients before login: the EHLO keywords that every mail store offers.
//!
//! Clients do not repeat EHLO after AUTH, so what is listed before has to be true afterwards, at whichever store the
//! mailbox turns out to be (RFC 5321 §4.2.4). Which keywords may pass at all is `smtp::Extensions`' decision.

use crate::smtp::extensions::{size_limit, split};

/// What all lists have in common, in the order of the first; of SIZE the smallest limit (RFC 1870 §3).
pub(super) fn common(lists: &[impl AsRef<[String]>]) -> Vec<String> {
    let Some((first, others)) = lists.split_first() else {
        return Vec::new();
    };
    let common = first.as_ref().iter().filter_map(|line| {
        let keyword = split(line).0;
        let matching = |list: &[String]| list.iter().find(|other| split(other).0 == keyword).cloned();
        let lines: Option<Vec<_>> = others.iter().map(|list| matching(list.as_ref())).collect();
        let lines = lines?;
        if keyword == "SIZE" {
            let limits = lines.iter().chain([line]).filter_map(|line| size_limit(line));
            return Some(
                limits
                    .min()
                    .map_or_else(|| "SIZE".to_owned(), |limit| format!("SIZE {limit}")),
            );
        }
        lines
            .iter()
            .all(|other| other.eq_ignore_ascii_case(line))
            .then(|| line.clone())
    });
    let mut common: Vec<_> = common.collect();
    if !common.iter().any(|line| line == "CHUNKING") {
        // BINARYMIME means nothing without CHUNKING (RFC 3030 §3).
        common.retain(|line| line != "BINARYMIME");
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        text.split(',')
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn only_what_all_offer_is_promised_with_the_smallest_size() {
        let check = |lists: &[&str], expect: &str| {
            let lists: Vec<_> = lists.iter().map(|text| list(text)).collect();
            assert_eq!(common(&lists), list(expect));
        };
        check(&[], "");
        check(&["SIZE 10,DSN"], "SIZE 10,DSN");
        check(&["SIZE 10,DSN,CHUNKING", "CHUNKING,SIZE 5"], "SIZE 5,CHUNKING");
        check(&["SIZE,DSN", "SIZE 0,DSN"], "SIZE,DSN");
        check(&["SIZE 0", "SIZE 7", "SIZE 9"], "SIZE 7");
        check(&["CHUNKING,BINARYMIME", "BINARYMIME"], "");
        check(&["LIMITS RCPTMAX=5", "LIMITS RCPTMAX=6"], "");
        check(&["DSN", ""], "");
    }
}
