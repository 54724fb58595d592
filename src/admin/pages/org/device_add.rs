//! A new device, a new password for one, and the one answer that shows it.
//!
//! First what it is, by a tile; then a form that is filled in already; then the password, in the answer to the form and
//! nowhere else. A form that is sent twice makes one device: the second answer says that the password was shown.

use std::time::Duration;

use super::super::once::Coming;
use super::device_link::{self, How};
use super::device_name::{free_name, labels, usual_name};
use super::first::Seen;
use super::mailbox::place;
use super::mailbox_end::path;
use super::scope::*;
use crate::admin::console::view::confirm::Confirm;
use crate::admin::console::view::device::{MailboxLink, Standing};
use crate::admin::console::view::devices::{DeviceForm, DevicePassword, NewDevice, PasswordGone, Server};
use crate::admin::console::view::qr::Qr;
use crate::admin::console::view::setting_up::MakerForm;
use crate::admin::console::view::{Choice, Flash, Ticks};
use crate::directory::DeviceSpec;
use crate::directory::desk::{DeviceAdded, DeviceDeed, Linked};
use crate::model::name::device_label;
use crate::model::password::PlainPassword;
use crate::model::{Address, DeviceId, DeviceKind, MailboxId, Networks, Rights, Scopes, UserId};
use crate::onboard::sheet::Maker;
use crate::onboard::{Service, android};
use crate::secret::Secret;
use crate::store::MailboxRow;

/// What adding a device may need: any of them opens the form, and what is chosen in it is judged then.
const ADDING: [Operation; 2] = [Operation::OwnDeviceAdd, Operation::DeviceAdd];

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/mailboxes/{mailbox}/devices/new", get(new).post(add))
        .route("/o/{org}/devices/{device}/replace", get(ask_replace).post(replace))
        .route("/o/{org}/devices/{device}/password", get(gone))
}

/// A new device, as its form sends it.
pub(super) struct NewForm {
    kind: String,
    person: Option<String>,
    once: String,
    alias: String,
    how: How,
    pub(super) settings: Settings,
}

/// What can be set about a device.
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) scope: Vec<String>,
    pub(super) expires: String,
    pub(super) expires_on: String,
    pub(super) networks: String,
}

impl Form for Settings {
    fn read(sent: &mut Sent) -> Self {
        Self {
            name: sent.text("name"),
            scope: sent.all("scope"),
            expires: sent.text("expires"),
            expires_on: sent.text("expires_on"),
            networks: sent.text("networks"),
        }
    }
}

impl Form for NewForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            kind: sent.text("kind"),
            person: sent.all("person").into_iter().next(),
            once: sent.text("once"),
            alias: sent.text("alias"),
            how: How::read(sent),
            settings: Settings::read(sent),
        }
    }
}

impl Settings {
    /// As fields of a query, to be filled in again.
    pub(super) fn fields(&self) -> Vec<(&'static str, &str)> {
        let mut fields = vec![
            ("name", self.name.as_str()),
            ("expires", &self.expires),
            ("expires_on", &self.expires_on),
            ("networks", &self.networks),
        ];
        fields.extend(self.scope.iter().map(|scope| ("scope", scope.as_str())));
        fields
    }

    /// As fields of a page.
    pub(super) fn shown(&self) -> DeviceForm {
        DeviceForm {
            name: Field::of(&self.name),
            scopes: Ticks::of(&self.scope),
            expires: Field::of(&self.expires),
            expires_on: Field::of(&self.expires_on),
            networks: Field::of(&self.networks),
            ..DeviceForm::default()
        }
    }
}

/// Who a new device may belong to, from where whoever acts stands.
struct Owners {
    mine: bool,
    nobodys: bool,
    anybodys: bool,
}

impl Owners {
    fn of(inside: &Inside, rights: Rights) -> Self {
        let may = |operation| inside.acting.may_on(rights, operation);
        Self {
            mine: may(Operation::OwnDeviceAdd),
            nobodys: may(Operation::DeviceAdd),
            anybodys: may(Operation::DeviceAssign),
        }
    }

    /// Whose a device of this kind usually is.
    fn usual(&self, inside: &Inside, kind: DeviceKind) -> String {
        let is_machine = matches!(kind, DeviceKind::Printer | DeviceKind::App);
        if self.nobodys && (is_machine || !self.mine) {
            String::new()
        } else {
            inside.acting.user.id.to_string()
        }
    }
}

async fn new(State(pages): Here, There { inside, id }: There<MailboxId>, Asked(typed): Asked<NewForm>) -> Reply {
    let failed = |error| inside.failed(error);
    let row = pages.desk.check_on(&inside.acting, &ADDING, id).await.map_err(failed)?;
    if let Some(answer) = prove_first(&pages, &inside) {
        return Ok(answer);
    }
    let page = new_page(&pages, &inside, &row, typed).await.map_err(failed)?;
    Ok(reply::page(&page))
}

/// The tiles, or the form of the chosen kind, where nothing was typed yet with what is usual.
async fn new_page(pages: &Pages, inside: &Inside, row: &MailboxRow, typed: NewForm) -> Result<NewDevice, Error> {
    let id = row.mailbox.id;
    let kind: Option<DeviceKind> = typed.kind.parse().ok();
    let owners = Owners::of(inside, pages.desk.rights_on(&inside.acting, id).await?);
    let frame = inside.frame(place(inside));
    let mut form = typed.settings.shown();
    let mut person = typed.person;
    if let Some(kind) = kind {
        if form.name.value.is_empty() {
            form.name = Field::of(usual_name(pages, inside, &frame, (id, kind)).await?);
        }
        if form.scopes.values.is_empty() {
            form.scopes = Ticks::of(if kind == DeviceKind::Printer {
                &["smtp"][..]
            } else {
                &["imap", "smtp"]
            });
        }
        if form.expires.value.is_empty() {
            form.expires = Field::of("never");
        }
        person.get_or_insert_with(|| owners.usual(inside, kind));
    }
    typed.how.fill(&mut form, kind, inside.person.signed_in.user.language);
    form.person = Field::of(person.unwrap_or_default());
    Ok(NewDevice {
        frame,
        mailbox: MailboxLink {
            id,
            address: row.mailbox.address.to_string(),
        },
        alias: alias(pages, inside, id, &typed.alias).await?,
        kind,
        form,
        people: people(pages, inside, id, &owners).await?,
        may_be_nobodys: owners.nobodys,
        once: pages.once.mark(pages.clock.utc()),
        can_mail: pages.desk.sends_mail(),
    })
}

/// The alias that somebody came here from: only one of this mailbox is named.
async fn alias(pages: &Pages, inside: &Inside, id: MailboxId, given: &str) -> Result<Option<String>, Error> {
    let Ok(given) = Address::parse(given) else {
        return Ok(None);
    };
    let aliases = pages.desk.aliases(&inside.acting, id).await?;
    Ok(aliases
        .iter()
        .find(|alias| alias.address == given)
        .map(|alias| alias.address.to_string()))
}

/// Whose it can be, besides nobody's; nobody to choose from where it can only be one's own.
async fn people(pages: &Pages, inside: &Inside, id: MailboxId, owners: &Owners) -> Result<Vec<Choice>, Error> {
    let me = Choice {
        value: inside.acting.user.id.to_string(),
        name: inside.acting.user.name.clone(),
    };
    let mut people = Vec::new();
    if owners.mine && (owners.nobodys || owners.anybodys) {
        people.push(me);
    }
    if owners.anybodys {
        let grants = pages.desk.grants_on(&inside.acting, id).await?;
        let others = grants.into_iter().filter(|row| row.grant.user != inside.acting.user.id);
        people.extend(others.map(|row| Choice {
            value: row.grant.user.to_string(),
            name: row.name,
        }));
    }
    Ok(people)
}

async fn add(State(pages): Here, There { inside, id }: There<MailboxId>, Typed(typed): Typed<NewForm>) -> Reply {
    add_or_ask(&pages, &inside, id, typed)
        .await
        .map_err(|error| inside.failed(error))
}

async fn add_or_ask(pages: &Pages, inside: &Inside, id: MailboxId, typed: NewForm) -> Result<Response, Error> {
    let row = pages.desk.check_on(&inside.acting, &ADDING, id).await?;
    if !pages.desk.is_fresh(&inside.person.signed_in) {
        return Ok(prove_again(&form_path(inside, id, &typed)));
    }
    let owners = Owners::of(inside, pages.desk.rights_on(&inside.acting, id).await?);
    let wrong = match spec(inside, &owners, &typed) {
        Ok(spec) => match make(pages, inside, id, spec, &typed).await? {
            Ok(answer) => return Ok(answer),
            Err(wrong) => wrong,
        },
        Err(wrong) => wrong,
    };
    // The form as it was typed, and nothing of what is usual.
    let mut page = new_page(pages, inside, &row, typed).await?;
    let person = Field {
        value: page.form.person.value,
        error: wrong.person.error,
    };
    page.form = DeviceForm {
        person,
        how: page.form.how,
        language: page.form.language,
        to: Field {
            value: page.form.to.value,
            error: wrong.to.error,
        },
        ..*wrong
    };
    page.frame.is_refused = true;
    Ok(refused(&page))
}

fn form_path(inside: &Inside, id: MailboxId, typed: &NewForm) -> String {
    let mut fields = vec![("kind", typed.kind.as_str()), ("alias", &typed.alias)];
    if let Some(person) = &typed.person {
        fields.push(("person", person));
    }
    fields.extend(typed.how.fields());
    fields.extend(typed.settings.fields());
    with_query(&path(inside, id, "/devices/new"), &fields)
}

/// What was typed as what is to be made, or the form with what is wrong.
fn spec(inside: &Inside, owners: &Owners, typed: &NewForm) -> Result<DeviceSpec, Box<DeviceForm>> {
    let mut page = typed.settings.shown();
    let read = read(inside, &typed.settings, None, &mut page);
    let kind = typed.kind.parse::<DeviceKind>().unwrap_or_default();
    let person = match typed.person.as_deref() {
        None => owners.usual(inside, kind),
        Some(person) => person.to_owned(),
    };
    let user: Option<UserId> = person.parse().ok();
    if user.is_none() && !person.is_empty() {
        page.person.error = Some(problem::choose());
    }
    match read {
        Some(read) if page.person.error.is_none() => Ok(DeviceSpec {
            label: read.label,
            kind,
            user,
            scopes: Some(read.scopes),
            expires_at: read.expires_at,
            networks: read.networks,
            ..DeviceSpec::default()
        }),
        _ => Err(Box::new(page)),
    }
}

/// Settings that were understood.
pub(super) struct Read {
    pub(super) label: String,
    pub(super) scopes: Scopes,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) networks: Networks,
}

/// Reads settings; what is wrong is noted on the page. `present` is the end that is set now.
pub(super) fn read(
    inside: &Inside,
    typed: &Settings,
    present: Option<Timestamp>,
    page: &mut DeviceForm,
) -> Option<Read> {
    let text = &inside.person.guest.text;
    let label = device_label(&typed.name).map_err(|bad| page.name.error = Some(shown::name_problem(&bad)));
    let scopes = form::scopes(&typed.scope).map_err(|why| page.scopes.error = Some(why));
    let networks = form::networks(&typed.networks).map_err(|why| page.networks.error = Some(why));
    let in_days = |days: u64| text.now.plus(Duration::from_secs(days * 24 * 60 * 60));
    let expires_at = match typed.expires.as_str() {
        "7" => Ok(Some(in_days(7))),
        "90" => Ok(Some(in_days(90))),
        "on" if typed.expires_on.is_empty() => Err(problem::day_to_come()),
        "on" => form::end(text, &typed.expires_on, present),
        _ => Ok(None),
    };
    let expires_at = expires_at.map_err(|why| page.expires_on.error = Some(why));
    Some(Read {
        label: label.ok()?,
        scopes: scopes.ok()?,
        expires_at: expires_at.ok()?,
        networks: networks.ok()?,
    })
}

/// What came of a form.
enum Added {
    Shown(Box<DeviceAdded>),
    Linked(Box<Linked>),
}

async fn add_or_link(
    pages: &Pages,
    inside: &Inside,
    id: MailboxId,
    spec: DeviceSpec,
    how: &How,
) -> Result<Added, Error> {
    let language = inside.person.signed_in.user.language;
    Ok(match how.link(language) {
        None => Added::Shown(Box::new(pages.desk.add_device(&inside.acting, id, spec).await?)),
        Some(by) => Added::Linked(Box::new(
            pages.desk.add_linked_device(&inside.acting, id, spec, &by).await?,
        )),
    })
}

/// Makes the device and shows its password, or gives back the form with what is wrong.
async fn make(
    pages: &Pages,
    inside: &Inside,
    id: MailboxId,
    spec: DeviceSpec,
    typed: &NewForm,
) -> Result<Result<Response, Box<DeviceForm>>, Error> {
    let session = inside.person.signed_in.session.id;
    match pages.once.come(session, &typed.once, pages.clock.now()) {
        Coming::First => {}
        Coming::Again(made) => {
            return Ok(Ok(reply::to(&made.unwrap_or_else(|| path(inside, id, "/devices")))));
        }
    }
    let label = spec.label.clone();
    match add_or_link(pages, inside, id, spec, &typed.how).await {
        Ok(Added::Shown(added)) => {
            let gone = inside.at(&format!("devices/{}/password", added.row.device.id));
            pages.once.made(session, &typed.once, gone);
            Ok(Ok(password_page(pages, inside, *added, inside.frame(place(inside)))))
        }
        Ok(Added::Linked(linked)) => {
            let gone = inside.at(&format!("devices/{}/link", linked.row.device.id));
            pages.once.made(session, &typed.once, gone);
            Ok(Ok(
                device_link::made(pages, inside, *linked, typed.how.is_scanned()).await?
            ))
        }
        Err(error) => {
            pages.once.refused(session, &typed.once);
            let mut page = typed.settings.shown();
            match error {
                Error::StepUp => return Ok(Ok(prove_again(&form_path(inside, id, typed)))),
                Error::Store(store::Error::Conflict(_)) => {
                    let free = free_name(&label, &labels(pages, inside, id).await?);
                    page.name.error = Some(problem::name_taken(&free));
                }
                Error::BadAddress { .. } => page.to.error = Some(problem::address()),
                Error::Ends { .. } => page.expires_on.error = Some(problem::day_to_come()),
                Error::Store(store::Error::Refused(why)) => page.name.error = Some(Line::name(&why)),
                error => return Err(error),
            }
            Ok(Err(Box::new(page)))
        }
    }
}

/// The answer that holds the password. From now on its first sign-in is waited for.
fn password_page(pages: &Pages, inside: &Inside, added: DeviceAdded, frame: Frame) -> Response {
    let DeviceAdded { row, password, seq } = added;
    pages
        .tries
        .expect(row.device.id, &row.address, &password, pages.clock.utc());
    reply::page(&shown_once(pages, inside, &row, (&password, seq.is_some()), frame))
}

/// The page of a password; it may also be a replaced one.
pub(super) fn shown_once(
    pages: &Pages,
    inside: &Inside,
    row: &store::DeviceRow,
    (password, is_replacement): (&PlainPassword, bool),
    frame: Frame,
) -> DevicePassword {
    let device = &row.device;
    let server = |service: &Option<Service>, wanted: bool| {
        service.as_ref().filter(|_| wanted).map(|service| Server {
            host: service.host.clone(),
            port: service.port,
            is_implicit_tls: service.implicit_tls,
        })
    };
    let password = password.shown();
    let mut seen = Seen::default();
    seen.look(pages, device);
    let replace = inside.at(&format!("devices/{}/replace", device.id));
    let user = &inside.person.signed_in.user;
    DevicePassword {
        device: shown::device_row(pages, inside.acting.org.id, row),
        is_replacement,
        imap: server(&pages.settings.imap, device.scopes.imap),
        smtp: server(&pages.settings.smtp, device.scopes.smtp),
        qr: code(pages, row, &password),
        forms: forms(pages, row),
        test_to: (pages.trial.is_some() && device.scopes.smtp).then(|| user.address.to_string()),
        has_networks: !device.networks.0.is_empty(),
        trial: None,
        state: seen.state(pages, row, (inside.person.guest.visitor.ip, user.id, Some(replace))),
        password,
        frame,
    }
}

/// What the Thunderbird app scans; only where the device may do all that the account in it says.
fn code(pages: &Pages, row: &store::DeviceRow, password: &Secret<String>) -> Option<Qr> {
    let device = &row.device;
    if device.kind != DeviceKind::Android || !device.scopes.imap || !device.scopes.smtp {
        return None;
    }
    let address = row.address.as_str();
    let name = row.owner.as_deref().unwrap_or(address);
    let account = android::code(&pages.settings, android::Account { address, name }, password)?;
    Qr::of(account.expose())
}

/// The forms of copiers, filled in, for a printer that may send.
fn forms(pages: &Pages, row: &store::DeviceRow) -> Vec<MakerForm> {
    let device = &row.device;
    let Some(smtp) = pages.settings.smtp.as_ref().filter(|_| device.scopes.smtp) else {
        return Vec::new();
    };
    if device.kind != DeviceKind::Printer {
        return Vec::new();
    }
    let form = |maker: Maker| MakerForm {
        maker,
        entries: maker.form(smtp, row.address.as_str()),
    };
    Maker::ALL.into_iter().map(form).collect()
}

async fn ask_replace(State(pages): Here, There { inside, id }: There<DeviceId>) -> Reply {
    let row = pages.desk.check_device(&inside.acting, id, DeviceDeed::Replace).await;
    let row = row.map_err(|error| inside.failed(error))?;
    if let Some(answer) = prove_first(&pages, &inside) {
        return Ok(answer);
    }
    Ok(reply::page(&Confirm::replace(
        inside.frame(place(&inside)),
        &rows::ending(&pages, &row),
        inside.at(&format!("devices/{id}/replace")),
        inside.at(&format!("devices/{id}")),
    )))
}

async fn replace(State(pages): Here, There { inside, id }: There<DeviceId>) -> Reply {
    let before = pages.before_change();
    let added = match pages.desk.replace_device(&inside.acting, id).await {
        Ok(added) => added,
        // It was revoked meanwhile.
        Err(Error::Store(store::Error::Refused(why))) => {
            let flash = Flash::problem(Line::name(&why));
            return Ok(reply::done(
                &pages,
                &inside.person,
                flash,
                &inside.at(&format!("devices/{id}")),
            ));
        }
        Err(error) => return Err(inside.failed(error)),
    };
    let mut frame = inside.frame(place(&inside));
    if let Some(seq) = added.seq {
        let ended = pages.applied(before, seq).await;
        frame.flash = Some(done::replaced(&added.row.device.label, ended));
    }
    Ok(password_page(&pages, &inside, added, frame))
}

/// What stands where a password was shown once.
async fn gone(State(pages): Here, There { inside, id }: There<DeviceId>) -> Reply {
    let failed = |error| inside.failed(error);
    let row = pages.desk.device(&inside.acting, id).await.map_err(failed)?;
    let may = pages
        .desk
        .device_may(&inside.acting, &row.device)
        .await
        .map_err(failed)?;
    let device = shown::device_row(&pages, inside.acting.org.id, &row);
    let page = PasswordGone {
        frame: inside.frame(place(&inside)),
        may_replace: may.replace && !matches!(device.standing, Standing::Revoked(_)),
        device,
    };
    Ok(reply::page(&page))
}
