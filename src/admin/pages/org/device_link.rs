//! The set-up link of a device: made with the device or later, shown once as a code or to be copied, or mailed; and what has
//! become of it.

use super::super::shown::device_row;
use super::mailbox::place;
use super::scope::*;
use crate::admin::console::view::Flash;
use crate::admin::console::view::device::DeviceRow as ShownDevice;
use crate::admin::console::view::devices::{DeviceForm, DeviceLinkPage, DeviceLinkShown};
use crate::admin::console::view::mail::{MailShown, MailStand};
use crate::admin::console::view::qr::Qr;
use crate::directory::desk::{DeviceDeed, LinkSpec, Linked};
use crate::model::{DeviceId, DeviceKind, DeviceLink, DeviceState, Language, Mail, MailState};
use crate::secret::Secret;
use crate::store::DeviceRow;

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/devices/{device}/link", get(show).post(send))
        .route("/o/{org}/devices/{device}/link/withdraw", post(withdraw))
}

/// How a device gets its password: by a word, with an address and a language where a link is mailed.
pub(super) struct How {
    word: String,
    to: String,
    language: String,
}

impl How {
    pub(super) fn read(sent: &Sent) -> Self {
        Self {
            word: sent.text("how"),
            to: sent.text("to"),
            language: sent.text("language"),
        }
    }

    /// As fields of a query, to be filled in again.
    pub(super) fn fields(&self) -> [(&'static str, &str); 3] {
        [
            ("how", self.word.as_str()),
            ("to", &self.to),
            ("language", &self.language),
        ]
    }

    /// The link that is asked for; none where the password is to be shown here.
    pub(super) fn link(&self, usual: Language) -> Option<LinkSpec> {
        let to = match self.word.as_str() {
            "mail" => Some(self.to.clone()),
            "scan" | "link" => None,
            _ => return None,
        };
        let language = self.language.parse().unwrap_or(usual);
        Some(LinkSpec { to, language })
    }

    /// The link is a code to be scanned.
    pub(super) fn is_scanned(&self) -> bool {
        self.word == "scan"
    }

    /// Fills the form with what was chosen, or with what is usual for a device of this kind.
    pub(super) fn fill(&self, form: &mut DeviceForm, kind: Option<DeviceKind>, language: Language) {
        let usual = match kind {
            Some(DeviceKind::Iphone | DeviceKind::AppleMail) => "scan",
            _ => "show",
        };
        let or = |given: &str, usual: &str| Field::of(if given.is_empty() { usual } else { given });
        form.how = or(&self.word, usual);
        form.to = Field::of(&self.to);
        form.language = or(&self.language, &language.to_string());
    }
}

/// How a further link is handed over.
struct SendForm(How);

impl Form for SendForm {
    fn read(sent: &mut Sent) -> Self {
        Self(How {
            word: sent.text("send"),
            ..How::read(sent)
        })
    }
}

/// A link, as pages show it.
pub(super) async fn shown(pages: &Pages, inside: &Inside, link: &DeviceLink) -> Result<DeviceLinkShown, Error> {
    let mail = pages.desk.mail_of_link(&inside.acting, link).await?;
    Ok(DeviceLinkShown {
        state: link.state,
        mail: link.recipient.as_ref().map(|_| mail_shown(mail)),
        recipient: link.recipient.as_ref().map(ToString::to_string),
        sent_by: link.sent_by.clone(),
        created_at: link.created_at,
        expires_at: link.expires_at,
        opened_from: link.opened_from.map(|from| from.to_string()),
    })
}

fn mail_shown(mail: Option<Mail>) -> MailShown {
    let stand = match mail.as_ref().map(|mail| mail.state) {
        None => MailStand::Unsent,
        Some(MailState::Failed(at)) => MailStand::Failed(at),
        Some(MailState::Queued { .. }) => MailStand::Waiting,
        Some(MailState::Sent(at)) => MailStand::Sent(at),
        Some(MailState::Withdrawn(at)) => MailStand::Withdrawn(at),
    };
    MailShown {
        stand,
        answer: mail.and_then(|mail| mail.last_error),
    }
}

/// The answer to making a link: the only one that holds it, where it was not mailed.
pub(super) async fn made(pages: &Pages, inside: &Inside, linked: Linked, scanned: bool) -> Result<Response, Error> {
    let Linked {
        row,
        link,
        secret,
        not_mailed,
    } = linked;
    let flash = match (&link.recipient, not_mailed) {
        (_, true) => done::link_not_mailed(),
        (Some(to), false) => done::link_mailed(to.as_str()),
        (None, false) => done::link_made(&row.device.label),
    };
    if secret.is_none() {
        let path = inside.at(&format!("devices/{}/link", row.device.id));
        return Ok(reply::done(pages, &inside.person, flash, &path));
    }
    let mut page = page(pages, inside, &row, Some(&link)).await?;
    page.url = secret.map(|secret| Secret::new(pages.origin.link(&format!("/s/{}", secret.expose()))));
    page.qr = page
        .url
        .as_ref()
        .filter(|_| scanned)
        .and_then(|url| Qr::of(url.expose()));
    page.frame.flash = Some(flash);
    Ok(reply::page(&page))
}

async fn page(
    pages: &Pages,
    inside: &Inside,
    row: &DeviceRow,
    link: Option<&DeviceLink>,
) -> Result<DeviceLinkPage, Error> {
    let may = pages.desk.device_may(&inside.acting, &row.device).await?;
    let is_over = matches!(row.device.state, DeviceState::Revoked(_));
    let language = link.map_or(inside.person.signed_in.user.language, |link| link.language);
    let shown = match link {
        None => None,
        Some(link) => Some(shown(pages, inside, link).await?),
    };
    Ok(DeviceLinkPage {
        frame: inside.frame(place(inside)),
        device: ShownDevice {
            link: link.map(|link| link.state),
            ..device_row(pages, inside.acting.org.id, row)
        },
        url: None,
        qr: None,
        may_send: may.replace && !is_over,
        may_withdraw: may.revoke && !is_over,
        can_mail: pages.desk.sends_mail(),
        to: Field::of(
            link.and_then(|link| link.recipient.as_ref())
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        language: Field::of(language),
        link: shown,
    })
}

async fn show(State(pages): Here, There { inside, id }: There<DeviceId>) -> Reply {
    let failed = |error| inside.failed(error);
    let (row, link) = pages.desk.device_link(&inside.acting, id).await.map_err(failed)?;
    let page = page(&pages, &inside, &row, link.as_ref()).await.map_err(failed)?;
    Ok(reply::page(&page))
}

async fn send(
    State(pages): Here,
    There { inside, id }: There<DeviceId>,
    Typed(SendForm(how)): Typed<SendForm>,
) -> Reply {
    send_or_ask(&pages, &inside, id, &how)
        .await
        .map_err(|error| inside.failed(error))
}

async fn send_or_ask(pages: &Pages, inside: &Inside, id: DeviceId, how: &How) -> Result<Response, Error> {
    let path = inside.at(&format!("devices/{id}/link"));
    let row = pages.desk.check_device(&inside.acting, id, DeviceDeed::Replace).await?;
    if !pages.desk.is_fresh(&inside.person.signed_in) {
        return Ok(prove_again(&path));
    }
    let language = inside.person.signed_in.user.language;
    let by = how.link(language).unwrap_or(LinkSpec { to: None, language });
    match pages.desk.send_device_link(&inside.acting, id, &by).await {
        Ok(linked) => made(pages, inside, linked, how.is_scanned()).await,
        Err(Error::BadAddress { .. }) => {
            let (_, link) = pages.desk.device_link(&inside.acting, id).await?;
            let mut page = page(pages, inside, &row, link.as_ref()).await?;
            page.to = Field::of(&how.to).wrong(problem::address());
            page.frame.is_refused = true;
            Ok(refused(&page))
        }
        Err(Error::Store(store::Error::Refused(why))) => {
            let flash = Flash::problem(Line::name(&why));
            Ok(reply::done(pages, &inside.person, flash, &path))
        }
        Err(error) => Err(error),
    }
}

async fn withdraw(State(pages): Here, There { inside, id }: There<DeviceId>) -> Reply {
    let withdrawn = pages.desk.withdraw_device_link(&inside.acting, id).await;
    let (row, _) = withdrawn.map_err(|error| inside.failed(error))?;
    let path = inside.at(&format!("devices/{id}/link"));
    let flash = done::link_withdrawn(&row.device.label);
    Ok(reply::done(&pages, &inside.person, flash, &path))
}
