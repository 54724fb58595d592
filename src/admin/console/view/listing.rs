//! Lists: search, filters, order and pages; all of it in the URL, so that a list can be linked to.

use crate::admin::console::text::Line;

/// One value of a filter, as a link.
#[derive(Debug, Clone)]
pub struct FilterLink {
    /// What it is called.
    pub label: Line,
    /// The list with this filter set, or without it where it is set now.
    pub href: String,
    /// Whether it is set now.
    pub is_set: bool,
}

/// In which direction a column is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// A column that one can sort by.
#[derive(Debug, Clone)]
pub struct SortLink {
    /// The column's name in the template: the last word of its text's key.
    pub column: &'static str,
    /// The list in this order, or in the reverse one where it is sorted so now.
    pub href: String,
    /// How it is sorted now.
    pub direction: Option<Direction>,
}

/// Everything about a list but its rows.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Where the list lives, without a query: forms send `q` there.
    pub path: String,
    /// What was searched for.
    pub query: String,
    /// Filters, set or not.
    pub filters: Vec<FilterLink>,
    /// Columns to sort by.
    pub sorts: Vec<SortLink>,
    /// How many there are altogether, where that is known.
    pub total: Option<u64>,
    /// Back to the first page; none on the first page.
    pub first: Option<String>,
    /// On to the next page; none on the last.
    pub next: Option<String>,
    /// The same list as a file; none where there is none.
    pub export: Option<String>,
}

impl Listing {
    /// A search or a filter is in force: an empty list then does not mean that there is nothing.
    pub fn is_filtered(&self) -> bool {
        !self.query.is_empty() || self.filters.iter().any(|filter| filter.is_set)
    }

    /// How to sort by this column.
    pub fn sort(&self, column: &str) -> Option<&SortLink> {
        self.sorts.iter().find(|sort| sort.column == column)
    }

    /// The value of `aria-sort` for this column.
    pub fn sorted(&self, column: &str) -> &'static str {
        match self.sort(column).and_then(|sort| sort.direction) {
            Some(Direction::Ascending) => "ascending",
            Some(Direction::Descending) => "descending",
            None => "none",
        }
    }

    /// More pages than this one.
    pub fn has_pages(&self) -> bool {
        self.first.is_some() || self.next.is_some()
    }
}
