//! Near misses: which known name somebody may have meant who wrote another one.

/// Letters that may differ between what was written and what was meant.
const DISTANCE_MAX: usize = 2;

/// The known name that is nearest to `given`, if one is near enough to be worth naming.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given: Vec<char> = given.to_lowercase().chars().collect();
    // A short name is near to everything: at least half of it must be right.
    let most = DISTANCE_MAX.min(given.len() / 2);
    let measured = known.into_iter().map(|name| (distance(&given, name), name));
    measured
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

/// The letters to insert, delete or exchange to get from one name to the other.
fn distance(given: &[char], known: &str) -> usize {
    let mut row: Vec<usize> = (0..=given.len()).collect();
    for (line, letter) in known.to_lowercase().chars().enumerate() {
        let mut diagonal = line;
        let next = line.saturating_add(1);
        let mut left = next;
        for (above, other) in row.iter_mut().skip(1).zip(given) {
            let exchanged = diagonal.saturating_add(usize::from(letter != *other));
            diagonal = *above;
            left = exchanged.min(left.saturating_add(1)).min(above.saturating_add(1));
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = next;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_named_and_a_far_one_is_not() {
        let known = ["example.org", "example.com", "beispiel.de"];
        for (given, expected) in [
            ("exmaple.org", Some("example.org")),
            ("EXAMPLE.ORG", Some("example.org")),
            ("example.co", Some("example.com")),
            ("beispel.de", Some("beispiel.de")),
            ("unknown.net", None),
            ("x", None),
        ] {
            assert_eq!(nearest(given, known), expected, "{given}");
        }
    }

    #[test]
    fn the_distance_counts_letters() {
        let between = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), b);
        assert_eq!(between("", "abc"), 3);
        assert_eq!(between("abc", ""), 3);
        assert_eq!(between("kitten", "sitting"), 3);
        assert_eq!(between("same", "same"), 0);
    }
}
