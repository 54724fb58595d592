//! `/devices`: lists, single ones, new ones, and new passwords. A password stands in the answer to the request that made
//! it, and nowhere else.

use super::device_links::{DeviceLinkNew, DeviceSetUp};
use super::once::{Key, KeyHeader, Made};
use super::scope::*;
use crate::admin::lists::{self, SILENT, SOON};
use crate::directory::DeviceSpec;
use crate::directory::desk::{DeviceAdded, Linked};
use crate::model::name::device_label;
use crate::model::{DeviceId, MailboxId};
use crate::onboard::Service;
use crate::secret::Secret;
use crate::store::{DeviceOwner, DeviceQuery, DeviceStatus, RETIRED_KEPT};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(of_mailbox, add))
        .routes(routes!(read))
        .routes(routes!(replace))
        .routes(routes!(activity))
}

/// Which devices, by their state. It decides the order as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Status {
    /// Not revoked, by mailbox.
    #[default]
    Live,
    /// Revoked or not, by mailbox.
    All,
    /// Connected at this moment.
    Connected,
    /// Never used, the oldest first.
    NeverUsed,
    /// Not used for ninety days, the longest unused first.
    Unused,
    /// Ending within fourteen days, the earliest first.
    EndingSoon,
    /// Paused, the latest first.
    Paused,
    /// Revoked, the latest first.
    Revoked,
    /// Not revoked, or revoked within the last ninety days, by mailbox.
    Recent,
    /// An old password is still tried, the latest try first.
    Knocking,
}

/// The parameters of a list of devices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// In which state; `live` where it is left out. It decides the order as well.
    #[param(inline, nullable = false)]
    status: Option<Status>,
    /// Only those whose name or mailbox contains this.
    #[param(nullable = false)]
    q: Option<String>,
    /// Only those of this kind.
    #[param(inline, nullable = false)]
    kind: Option<words::DeviceKind>,
    /// Only those that belong to this user.
    #[param(inline, nullable = false)]
    user: Option<words::UserId>,
    /// Only those that belong to nobody.
    #[param(nullable = false)]
    nobodys: Option<bool>,
    /// Only those that were last used from this address.
    #[param(value_type = Option<String>, nullable = false)]
    ip: Option<std::net::IpAddr>,
    /// Entries of the page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(nullable = false, pattern = "^[A-Za-z0-9_-]*$")]
    after: Option<String>,
}

/// A device to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceNew {
    /// What people call it: 1 to 64 characters, unique among the mailbox's devices that are not revoked.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// What it is.
    #[serde(default)]
    #[schema(nullable = false)]
    kind: Option<words::DeviceKind>,
    /// The person it belongs to: it ends with their access to the mailbox. Nobody where it is null or left out.
    #[serde(default)]
    user: Option<words::UserId>,
    /// What it may do; both where it is left out.
    #[serde(default)]
    #[schema(nullable = false, min_items = 1)]
    scopes: Option<Vec<words::Protocol>>,
    /// Its end; none where it is null or left out.
    #[serde(default)]
    expires_at: Option<words::Moment>,
    #[serde(default)]
    networks: words::Networks,
    #[serde(default)]
    senders: words::Senders,
    /// A set-up link instead of a password: whoever opens it on the device gets the password, once, within a day.
    #[serde(default)]
    #[schema(value_type = Option<DeviceLinkNew>, nullable = false)]
    link: Option<words::Object<DeviceLinkNew>>,
}

/// How a mail program reaches one protocol.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Server {
    host: String,
    port: u16,
    /// TLS from the first octet; otherwise STARTTLS.
    implicit_tls: bool,
}

/// A device and its password.
#[derive(Debug, Serialize, ToSchema)]
struct DevicePassword {
    device: shown::Device,
    /// Shown this once; null in the answer to a repeated request, and where a set-up link gives it.
    #[schema(value_type = Option<String>, required = true)]
    password: Option<Shown>,
    /// The set-up link that gives the password; null where there is none.
    #[schema(required = true)]
    set_up: Option<DeviceSetUp>,
    /// Where mail programs receive, as far as the device may.
    #[schema(required = true)]
    imap: Option<Server>,
    /// Where they send, as far as the device may.
    #[schema(required = true)]
    smtp: Option<Server>,
    /// What ended with the old password; null where there was none, or where that is still to come.
    #[schema(required = true)]
    ended: Option<Ended>,
}

/// A secret on its way into an answer.
#[derive(Debug)]
pub(super) struct Shown(pub(super) Secret<String>);

impl Serialize for Shown {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

/// The devices
///
/// Whoever may not see them all gets their own.
#[utoipa::path(get, path = "/devices", operation_id = "devices.list", tag = "devices", params(Asked),
    responses((status = 200, description = "The devices", body = List<shown::Device>)))]
async fn list(State(api): Here, caller: Caller, Query(asked): Query<Asked>) -> Reply<List<shown::Device>> {
    Ok(Json(page(&api, &caller, asked, None).await?))
}

/// The devices of a mailbox
///
/// Whoever may not see them all gets their own.
#[utoipa::path(get, path = "/mailboxes/{mailbox}/devices", operation_id = "mailboxes.devices", tag = "devices",
    params(("mailbox" = inline(words::MailboxId), Path), Asked),
    responses((status = 200, description = "The devices", body = List<shown::Device>)))]
async fn of_mailbox(
    State(api): Here,
    caller: Caller,
    At(mailbox): At<MailboxId>,
    Query(asked): Query<Asked>,
) -> Reply<List<shown::Device>> {
    Ok(Json(page(&api, &caller, asked, Some(mailbox)).await?))
}

async fn page(
    api: &Api,
    caller: &Caller,
    asked: Asked,
    mailbox: Option<MailboxId>,
) -> Result<List<shown::Device>, Problem> {
    let paging = Paging::read(asked.limit, asked.after.as_deref())?;
    let text = asked.q.filter(|text| !text.is_empty());
    let now = api.clock.utc();
    let status = match asked.status.unwrap_or_default() {
        Status::Connected => {
            let (text, after) = (text.as_deref(), paging.after()?);
            let page = lists::connected(&api.desk, &caller.acting, mailbox, text, after, paging.limit).await?;
            return Ok(shown_page(api, &page.rows, page.next.as_ref()));
        }
        Status::Live => DeviceStatus::Live,
        Status::All => DeviceStatus::All,
        Status::NeverUsed => DeviceStatus::NeverUsed,
        Status::Unused => DeviceStatus::UnusedSince(now.minus(SILENT)),
        Status::EndingSoon => DeviceStatus::EndingBefore(now.plus(SOON)),
        Status::Paused => DeviceStatus::Paused,
        Status::Revoked => DeviceStatus::Revoked,
        Status::Recent => DeviceStatus::Recent(now.minus(RETIRED_KEPT)),
        Status::Knocking => DeviceStatus::Knocking,
    };
    let owner = match (asked.user, asked.nobodys) {
        (Some(user), _) => Some(DeviceOwner::User(user.0)),
        (None, Some(true)) => Some(DeviceOwner::Nobody),
        (None, _) => None,
    };
    let query = DeviceQuery {
        status,
        mailbox,
        owner,
        kind: asked.kind.map(|kind| kind.0),
        text,
        last_ip: asked.ip.map(|ip| ip.to_canonical()),
        after: paging.after()?,
        limit: paging.limit,
    };
    let page = api.desk.devices(&caller.acting, &query).await?;
    Ok(shown_page(api, &page.rows, page.next.as_ref()))
}

fn shown_page<C: std::fmt::Display>(api: &Api, rows: &[store::DeviceRow], next: Option<&C>) -> List<shown::Device> {
    Paging::page(rows.iter().map(|row| shown::Device::of(api, row)).collect(), next)
}

/// One device
#[utoipa::path(get, path = "/devices/{device}", operation_id = "devices.read", tag = "devices",
    params(("device" = inline(words::DeviceId), Path)),
    responses((status = 200, description = "The device", body = shown::Device)))]
async fn read(State(api): Here, caller: Caller, At(id): At<DeviceId>) -> Reply<shown::Device> {
    let row = api.desk.device(&caller.acting, id).await?;
    Ok(Json(shown::Device::of(&api, &row)))
}

/// Add a device
///
/// Its password is in this answer and nowhere else: a repeated request is answered without it. Who has lost it gives the
/// device a new one (`/devices/{device}/replace`).
#[utoipa::path(post, path = "/mailboxes/{mailbox}/devices", operation_id = "devices.add", tag = "devices",
    params(("mailbox" = inline(words::MailboxId), Path), KeyHeader), request_body = DeviceNew,
    responses((status = 201, description = "Added", body = DevicePassword)))]
async fn add(
    State(api): Here,
    caller: Caller,
    At(mailbox): At<MailboxId>,
    key: Key,
    Sent { body, octets }: Sent<DeviceNew>,
) -> Result<Made<DevicePassword>, Problem> {
    let mut body = body;
    let link = body.link.take().map(|link| link.0.spec(&caller));
    let spec = spec(body)?;
    let (desk, acting) = (Arc::clone(&api.desk), caller.acting.clone());
    let make = async move {
        let added = match link {
            None => Added::Shown(desk.add_device(&acting, mailbox, spec).await?),
            Some(by) => Added::Linked(desk.add_linked_device(&acting, mailbox, spec, &by).await?),
        };
        Ok((added.id(), added))
    };
    let (id, added) = api.once(&caller, key.of(&octets), make).await?.split();
    let is_replay = added.is_none();
    let answer = match added {
        Some(Added::Shown(added)) => with_password(&api, &caller, id, Some(added), None).await?,
        Some(Added::Linked(linked)) => {
            let row = linked.row.clone();
            let set_up = DeviceSetUp::made(&api, &caller, linked).await?;
            of_device(&api, &row, None, Some(set_up), None)
        }
        None => with_password(&api, &caller, id, None, None).await?,
    };
    Ok(Made::of(is_replay, format!("/devices/{id}"), answer))
}

fn spec(body: DeviceNew) -> Result<DeviceSpec, Problem> {
    let scopes = body.scopes.map(|chosen| words::scopes(&chosen));
    if scopes.is_some_and(|scopes| !scopes.imap && !scopes.smtp) {
        return Err(no_scope());
    }
    Ok(DeviceSpec {
        label: device_label(&body.name)?,
        kind: body.kind.map(|kind| kind.0).unwrap_or_default(),
        user: body.user.map(|user| user.0),
        scopes,
        expires_at: body.expires_at.map(|at| at.0),
        networks: body.networks.0,
        senders: body.senders.0,
    })
}

pub(super) fn no_scope() -> Problem {
    Problem::field("scopes", "field.bad", "name imap, smtp, or both")
}

/// What came of a request.
enum Added {
    Shown(DeviceAdded),
    Linked(Linked),
}

impl Added {
    const fn id(&self) -> DeviceId {
        match self {
            Self::Shown(added) => added.row.device.id,
            Self::Linked(linked) => linked.row.device.id,
        }
    }
}

/// The answer to a request that made a password. What was made just now needs no further look, which could fail and take
/// the password along.
async fn with_password(
    api: &Api,
    caller: &Caller,
    id: DeviceId,
    added: Option<DeviceAdded>,
    ended: Option<Ended>,
) -> Result<DevicePassword, Problem> {
    Ok(match added {
        Some(added) => of_device(api, &added.row, Some(added.password.shown()), None, ended),
        None => {
            let row = api.desk.device(&caller.acting, id).await?;
            let set_up = DeviceSetUp::again(api, caller, id).await?;
            of_device(api, &row, None, set_up, ended)
        }
    })
}

fn of_device(
    api: &Api,
    row: &store::DeviceRow,
    password: Option<Secret<String>>,
    set_up: Option<DeviceSetUp>,
    ended: Option<Ended>,
) -> DevicePassword {
    let server = |service: &Option<Service>, is_wanted: bool| {
        service.as_ref().filter(|_| is_wanted).map(|service| Server {
            host: service.host.clone(),
            port: service.port,
            implicit_tls: service.implicit_tls,
        })
    };
    let scopes = row.device.scopes;
    DevicePassword {
        device: shown::Device::of(api, row),
        password: password.map(Shown),
        set_up,
        imap: server(&api.settings.imap, scopes.imap),
        smtp: server(&api.settings.smtp, scopes.smtp),
        ended,
    }
}

/// Give a device a new password
///
/// The old one is dead at once, and its sessions end. The new one is in this answer and nowhere else.
#[utoipa::path(post, path = "/devices/{device}/replace", operation_id = "devices.replace", tag = "devices",
    params(("device" = inline(words::DeviceId), Path), KeyHeader),
    responses((status = 200, description = "Replaced", body = DevicePassword)))]
async fn replace(
    State(api): Here,
    caller: Caller,
    At(id): At<DeviceId>,
    key: Key,
) -> Result<Made<DevicePassword>, Problem> {
    let before = api.before_change();
    let (desk, acting) = (Arc::clone(&api.desk), caller.acting.clone());
    let make = async move { Ok((id, desk.replace_device(&acting, id).await?)) };
    let (_, replaced) = api.once(&caller, key.of(&[]), make).await?.split();
    let is_replay = replaced.is_none();
    let ended = match replaced.as_ref().and_then(|replaced| replaced.seq) {
        Some(seq) => api.applied(before, seq).await,
        None => None,
    };
    let answer = with_password(&api, &caller, id, replaced, ended).await?;
    Ok(Made::again(is_replay, answer))
}

/// The parameters of what was done to a device.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AskedActivity {
    /// Entries, the newest.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u32>,
}

/// What was done to a device
///
/// The newest entries of the audit log. There are no further pages: `/audit` with `subject` has them all.
#[utoipa::path(get, path = "/devices/{device}/activity", operation_id = "devices.activity", tag = "devices",
    params(("device" = inline(words::DeviceId), Path), AskedActivity),
    responses((status = 200, description = "Entries of the audit log", body = List<shown::Entry>)))]
async fn activity(
    State(api): Here,
    caller: Caller,
    At(id): At<DeviceId>,
    Query(asked): Query<AskedActivity>,
) -> Reply<List<shown::Entry>> {
    let paging = Paging::read(asked.limit, None)?;
    let page = api.desk.device_activity(&caller.acting, id, None, paging.limit).await?;
    let items = page.rows.into_iter().map(shown::Entry::from).collect();
    Ok(Json(Paging::page(items, None::<&i64>)))
}
