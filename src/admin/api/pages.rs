//! Lists in pages: so many entries, and where to go on. The place is a text that says nothing to others, because what it
//! is made of may change.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::asked::bad_parameter;
use super::problem::Problem;

/// Entries of a page where nobody says how many.
const USUAL: u32 = 50;
/// The most entries of a page.
pub(super) const MOST: u32 = 200;

/// The parameters of a list without filters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Pages {
    /// Entries of the page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    pub(super) limit: Option<u32>,
    /// `next` of the page before.
    #[param(nullable = false, pattern = "^[A-Za-z0-9_-]*$")]
    pub(super) after: Option<String>,
}

impl Pages {
    /// Where the page begins and how long it is.
    pub(super) fn read(&self) -> Result<Paging, Problem> {
        Paging::read(self.limit, self.after.as_deref())
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct List<T> {
    /// The entries, in the order of the list.
    pub(super) items: Vec<T>,
    /// What to give as `after` for the next page; null where this is the last.
    #[schema(required = true)]
    pub(super) next: Option<String>,
}

impl<T> List<T> {
    /// The same page, of what is shown of its entries.
    pub(super) fn map<U>(self, show: impl FnMut(T) -> U) -> List<U> {
        List {
            items: self.items.into_iter().map(show).collect(),
            next: self.next,
        }
    }
}

/// Where a page begins and how long it is.
#[derive(Debug, Clone)]
pub(super) struct Paging {
    pub(super) limit: u32,
    after: Option<String>,
}

impl Paging {
    /// As the query says it.
    pub(super) fn read(limit: Option<u32>, after: Option<&str>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(bad_parameter("limit", format!("write a number from 1 to {MOST}")));
        }
        let after = after.filter(|after| !after.is_empty());
        let after = after.map(|after| {
            let octets = URL_SAFE_NO_PAD.decode(after).ok();
            octets
                .and_then(|octets| String::from_utf8(octets).ok())
                .ok_or_else(no_place)
        });
        Ok(Self {
            limit,
            after: after.transpose()?,
        })
    }

    /// After which entry it begins.
    pub(super) fn after<C: FromStr>(&self) -> Result<Option<C>, Problem> {
        let after = self.after.as_deref();
        after.map(|after| after.parse().map_err(|_| no_place())).transpose()
    }

    /// A page that the store has cut.
    pub(super) fn page<T, C: fmt::Display>(items: Vec<T>, next: Option<&C>) -> List<T> {
        List {
            items,
            next: next.map(|next| URL_SAFE_NO_PAD.encode(next.to_string())),
        }
    }

    /// A page of a list that is all there, in the order of `key`.
    pub(super) fn cut<T, K: Ord + FromStr + fmt::Display>(
        &self,
        mut all: Vec<T>,
        key: impl Fn(&T) -> K,
    ) -> Result<List<T>, Problem> {
        let after: Option<K> = self.after()?;
        if let Some(after) = after {
            all.retain(|one| key(one) > after);
        }
        all.sort_by_key(&key);
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let is_cut = all.len() > most;
        all.truncate(most);
        let next = all.last().filter(|_| is_cut).map(&key);
        Ok(Self::page(all, next.as_ref()))
    }
}

fn no_place() -> Problem {
    bad_parameter(
        "after",
        "this is no place in a list: take `next` of the page before, or leave it out",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_on_to_its_end_and_nothing_twice() {
        let all = vec![5_u32, 1, 4, 2, 3];
        let mut seen = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let paging = Paging::read(Some(2), after.as_deref()).unwrap();
            let page = paging.cut(all.clone(), |one| *one).unwrap();
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5]);
        let whole = Paging::read(Some(5), None).unwrap().cut(all, |one| *one).unwrap();
        assert_eq!((whole.items.len(), whole.next), (5, None));
    }

    #[test]
    fn what_is_no_place_and_no_number_is_refused() {
        for limit in [0, MOST + 1, u32::MAX] {
            Paging::read(Some(limit), None).unwrap_err();
        }
        Paging::read(None, Some("*")).unwrap_err();
        let elsewhere = URL_SAFE_NO_PAD.encode("x");
        let paging = Paging::read(None, Some(&elsewhere)).unwrap();
        paging.after::<u32>().unwrap_err();
    }
}
