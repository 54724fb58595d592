//! Names of devices that are proposed: usual ones, and ones that are free.

use super::scope::*;
use crate::model::name::{LABEL_MAX, name_key};
use crate::model::{DeviceKind, MailboxId};
use crate::store::{DeviceQuery, DeviceStatus, LIVE_DEVICES_MAX};

/// `Anna's iPhone`: a name that is free, so that there is nothing to type.
pub(super) async fn usual_name(
    pages: &Pages,
    inside: &Inside,
    frame: &Frame,
    (mailbox, kind): (MailboxId, DeviceKind),
) -> Result<String, Error> {
    let key = match kind {
        DeviceKind::Iphone => "usual-iphone",
        DeviceKind::Android => "usual-android",
        DeviceKind::Outlook => "usual-outlook",
        DeviceKind::AppleMail => "usual-apple-mail",
        DeviceKind::Thunderbird => "usual-thunderbird",
        DeviceKind::Printer => "usual-printer",
        DeviceKind::App => "usual-app",
        DeviceKind::Other => return Ok(String::new()),
    };
    let name = &inside.acting.user.name;
    let first_name = name.split_whitespace().next().unwrap_or(name).to_owned();
    let usual: String = frame
        .say(key)
        .with("name", first_name)
        .plain()
        .chars()
        .take(LABEL_MAX)
        .collect();
    let used = labels(pages, inside, mailbox).await?;
    Ok(if used.contains(&name_key(&usual)) {
        free_name(&usual, &used)
    } else {
        usual
    })
}

/// The names in use, as far as whoever acts may see them.
pub(super) async fn labels(pages: &Pages, inside: &Inside, mailbox: MailboxId) -> Result<Vec<String>, Error> {
    let query = DeviceQuery {
        status: DeviceStatus::Live,
        mailbox: Some(mailbox),
        limit: LIVE_DEVICES_MAX,
        ..DeviceQuery::default()
    };
    let devices = pages.desk.devices(&inside.acting, &query).await?;
    Ok(devices.rows.iter().map(|row| name_key(&row.device.label)).collect())
}

/// A name like this one that is not among those in use: `iPhone 2`.
pub(super) fn free_name(taken: &str, used: &[String]) -> String {
    let numbered = taken
        .rsplit_once(' ')
        .and_then(|(stem, number)| Some((stem, number.parse::<u32>().ok()?)));
    let (stem, from) = numbered.unwrap_or((taken, 1));
    let candidates = (from.saturating_add(1)..).map(|number| {
        let number = format!(" {number}");
        let stem: String = stem.chars().take(LABEL_MAX.saturating_sub(number.len())).collect();
        format!("{}{number}", stem.trim_end())
    });
    // One more than are in use: one of them is free.
    let mut candidates = candidates.take(used.len().saturating_add(1));
    candidates
        .find(|name| !used.contains(&name_key(name)))
        .unwrap_or_else(|| taken.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_name_counts_on_from_the_one_that_is_taken() {
        let used = |names: &[&str]| names.iter().map(|name| name_key(name)).collect::<Vec<_>>();
        assert_eq!(free_name("iPhone", &used(&["iphone"])), "iPhone 2");
        assert_eq!(
            free_name("iPhone", &used(&["iphone", "IPHONE 2", "iPhone 3"])),
            "iPhone 4"
        );
        assert_eq!(free_name("iPhone 2", &used(&["iPhone 2"])), "iPhone 3");
        assert_eq!(
            free_name("iPhone", &used(&[])),
            "iPhone 2",
            "it is taken by one that cannot be seen"
        );
        let long = "x".repeat(LABEL_MAX);
        let free = free_name(&long, &used(&[&long]));
        assert!(free.ends_with(" 2") && free.chars().count() == LABEL_MAX, "{free}");
    }
}
