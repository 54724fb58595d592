//! What stands around a list: search, filters and pages, all of them links.

use super::super::form::{Form, Sent};
use super::super::query::with_query;
use crate::admin::console::text::Line;
use crate::admin::console::view::Listing;
use crate::admin::console::view::listing::FilterLink;

/// What a list's query says: the search, the filter, and after which row to go on.
#[derive(Debug, Clone, Default)]
pub(super) struct ListQuery {
    pub(super) q: String,
    pub(super) show: String,
    pub(super) after: String,
}

impl Form for ListQuery {
    fn read(sent: &mut Sent) -> Self {
        Self {
            q: sent.text("q"),
            show: sent.text("show"),
            after: sent.text("after"),
        }
    }
}

impl ListQuery {
    /// What to search for, if for anything.
    pub(super) fn text(&self) -> Option<String> {
        let text = self.q.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The list around these filters, of which each is its value and its label.
    pub(super) fn listing(&self, path: String, filters: &[(&str, Line)], next: Option<String>) -> Listing {
        let filters = filters.iter().map(|(value, label)| {
            let is_set = self.show == *value;
            FilterLink {
                label: label.clone(),
                href: with_query(&path, &[("q", &self.q), ("show", if is_set { "" } else { value })]),
                is_set,
            }
        });
        let here = [("q", self.q.as_str()), ("show", self.show.as_str())];
        let first = (!self.after.is_empty()).then(|| with_query(&path, &here));
        let next = next.map(|after| with_query(&path, &[here[0], here[1], ("after", &after)]));
        Listing {
            filters: filters.collect(),
            query: self.q.clone(),
            first,
            next,
            path,
            ..Listing::default()
        }
    }
}

/// How many there are altogether, where this page shows all of them.
pub(super) fn total(listing: &Listing, shown: usize) -> Option<u64> {
    let is_all = listing.first.is_none() && listing.next.is_none();
    is_all.then(|| u64::try_from(shown).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(q: &str, show: &str, after: &str) -> ListQuery {
        ListQuery {
            q: q.to_owned(),
            show: show.to_owned(),
            after: after.to_owned(),
        }
    }

    #[test]
    fn a_filter_keeps_the_search_and_leaves_the_page() {
        let offered = [
            ("never", Line::new("device-state-never")),
            ("paused", Line::new("device-state-paused")),
        ];
        let listing = query("a&b", "never", "x/y").listing("/o/1/devices".to_owned(), &offered, Some("é/z".to_owned()));
        assert!(listing.filters[0].is_set && !listing.filters[1].is_set);
        assert_eq!(
            listing.filters[0].href, "/o/1/devices?q=a%26b",
            "set, so that it is taken away"
        );
        assert_eq!(listing.filters[1].href, "/o/1/devices?q=a%26b&show=paused");
        assert_eq!(listing.first.as_deref(), Some("/o/1/devices?q=a%26b&show=never"));
        assert_eq!(
            listing.next.as_deref(),
            Some("/o/1/devices?q=a%26b&show=never&after=%C3%A9%2Fz")
        );
        assert_eq!(total(&listing, 3), None);
    }

    #[test]
    fn a_list_of_one_page_knows_how_many_there_are() {
        let listing = query("", "", "").listing("/x".to_owned(), &[], None);
        assert!(!listing.has_pages() && !listing.is_filtered());
        assert_eq!(total(&listing, 3), Some(3));
    }
}
