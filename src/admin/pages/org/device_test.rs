//! A test message: through our own submission listener, as the device, with the password that its page still shows.
//!
//! The page sends the password back, because nobody else has it; it is used for this one attempt, and the answer is the page
//! again, with the password and with how the message fared. A script puts only the latter into the page that is open.

use super::device_add::shown_once;
use super::mailbox::place;
use super::scope::*;
use crate::admin::console::view::setting_up::Trial;
use crate::directory::desk::DeviceDeed;
use crate::model::DeviceId;
use crate::model::password::{PlainPassword, Typed as TypedPassword};
use crate::secret::Secret;
use crate::store::DeviceRow;
use crate::trial::{self, Errand, Message};

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new().route("/o/{org}/devices/{device}/test", post(test))
}

/// A test, as its form sends it. It holds a password, so it has no `Debug`.
struct TestForm {
    password: Secret<String>,
    replaced: bool,
}

impl Form for TestForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            password: sent.secret("password"),
            replaced: !sent.text("replaced").is_empty(),
        }
    }
}

async fn test(State(pages): Here, There { inside, id }: There<DeviceId>, Typed(typed): Typed<TestForm>) -> Reply {
    let failed = |error| inside.failed(error);
    // Whoever may make its password may try it.
    let row = pages.desk.check_device(&inside.acting, id, DeviceDeed::Replace).await;
    let row = row.map_err(failed)?;
    let gone = || reply::to(&inside.at(&format!("devices/{id}/password")));
    let TypedPassword::Generated(password) = PlainPassword::read(typed.password.expose().as_bytes()) else {
        return Ok(gone());
    };
    let Some(way) = &pages.trial else {
        return Ok(gone());
    };
    let frame = inside.frame(place(&inside));
    let user = inside.person.signed_in.user.id;
    let place = pages.trials.take((id, user, inside.acting.org.id), pages.clock.now());
    let trial = if place.is_none() {
        Trial::TooSoon
    } else if pages
        .desk
        .has_password(&inside.acting, id, &password)
        .await
        .map_err(failed)?
    {
        send(&pages, &inside, way, (&row, &password)).await
    } else {
        // It never gets to the gateway: there a wrong one would count for our own address, and another device's would do.
        Trial::OtherPassword
    };
    drop(place);
    // It may have taken a while: what was withdrawn or changed meanwhile counts.
    let row = pages.desk.check_device(&inside.acting, id, DeviceDeed::Replace).await;
    let row = row.map_err(failed)?;
    let mut page = shown_once(&pages, &inside, &row, (&password, typed.replaced), frame);
    page.trial = Some(trial);
    Ok(reply::page(&page))
}

async fn send(
    pages: &Pages,
    inside: &Inside,
    way: &trial::Way,
    (row, password): (&DeviceRow, &PlainPassword),
) -> Trial {
    let (user, text) = (&inside.person.signed_in.user, &inside.person.guest.text);
    let now = pages.clock.utc();
    let subject = Line::new("trial-mail-subject").with("device", &row.device.label);
    let body = Line::new("trial-mail-text")
        .with("address", row.address.as_str())
        .with("device", &row.device.label)
        .with("person", &user.name);
    let message = Message {
        subject: text.show(&subject).plain(),
        text: text.show(&body).plain(),
    };
    let errand = Errand {
        from: &row.address,
        password: &password.shown(),
        to: &user.address,
        unique: random(),
        message: &message,
        at: now,
    };
    let report = trial::run(way, &errand, |own| pages.tries.begin_trial(own, row.device.id)).await;
    let names = (way.host.as_str(), row.address.as_str(), user.address.as_str());
    Trial::of(report, names, !row.device.networks.0.is_empty())
}

/// For an id that no other message has. Without the system's random generator nothing else of the daemon works either.
fn random() -> u128 {
    let mut octets = [0; 16];
    match getrandom::fill(&mut octets) {
        Ok(()) => u128::from_le_bytes(octets),
        Err(_) => 0,
    }
}
