//! `/devices/{device}/link`: the set-up link of a device. It stands in the answer to the request that made it, where it was
//! not mailed, and nowhere else.

use super::devices::Shown;
use super::once::{Key, KeyHeader, Made};
use super::scope::*;
use crate::directory::desk::{LinkSpec, Linked};
use crate::model::{DeviceId, DeviceLink};
use crate::secret::Secret;

const NO_LINK: Error = Error::Unknown { what: "set-up link" };

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(read, withdraw))
        .routes(routes!(send))
}

/// How a set-up link is handed over.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceLinkNew {
    /// Where it is mailed to; the answer has the link where it is null or left out.
    #[serde(default)]
    #[schema(max_length = 254)]
    to: Option<String>,
    /// The language of the mail; that of the token's user where it is left out.
    #[serde(default)]
    #[schema(nullable = false)]
    language: Option<words::Language>,
}

impl DeviceLinkNew {
    pub(super) fn spec(self, caller: &Caller) -> LinkSpec {
        LinkSpec {
            to: self.to,
            language: self.language.map_or(caller.acting.user.language, |language| language.0),
        }
    }
}

/// A set-up link that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceSetUp {
    link: shown::DeviceLink,
    /// The link itself, shown this once; null where it was mailed, and in the answer to a repeated request.
    #[schema(value_type = Option<String>, required = true)]
    url: Option<Shown>,
    /// A mail was wanted and could not be written, so the link is here.
    not_mailed: bool,
}

/// A device with its new set-up link.
#[derive(Debug, Serialize, ToSchema)]
struct DeviceLinkMade {
    device: shown::Device,
    set_up: DeviceSetUp,
}

impl DeviceSetUp {
    /// What was made, with the link where it was not mailed.
    pub(super) async fn made(api: &Api, caller: &Caller, linked: Linked) -> Result<Self, Problem> {
        let Linked {
            link,
            secret,
            not_mailed,
            ..
        } = linked;
        let url = |secret: Secret<String>| Shown(Secret::new(api.origin.link(&format!("/s/{}", secret.expose()))));
        Ok(match secret {
            // No further look, which could fail and take the link along.
            Some(secret) => Self {
                link: shown::DeviceLink::new(&link, None),
                url: Some(url(secret)),
                not_mailed,
            },
            None => Self {
                link: show(api, caller, &link).await?,
                url: None,
                not_mailed,
            },
        })
    }

    /// The same for a repeated request: everything but the link. Nothing where the device has none.
    pub(super) async fn again(api: &Api, caller: &Caller, id: DeviceId) -> Result<Option<Self>, Problem> {
        let (_, link) = api.desk.device_link(&caller.acting, id).await?;
        Ok(match link {
            None => None,
            Some(link) => Some(Self {
                link: show(api, caller, &link).await?,
                url: None,
                not_mailed: false,
            }),
        })
    }
}

/// A link with what became of its mail.
async fn show(api: &Api, caller: &Caller, link: &DeviceLink) -> Result<shown::DeviceLink, Problem> {
    let mail = api.desk.mail_of_link(&caller.acting, link).await?;
    Ok(shown::DeviceLink::new(link, mail.as_ref()))
}

/// What has become of a device's set-up link
///
/// The newest one. The link itself is not among it.
#[utoipa::path(get, path = "/devices/{device}/link", operation_id = "device-links.read", tag = "devices",
    params(("device" = inline(words::DeviceId), Path)),
    responses((status = 200, description = "The link", body = shown::DeviceLink)))]
async fn read(State(api): Here, caller: Caller, At(id): At<DeviceId>) -> Reply<shown::DeviceLink> {
    let (_, link) = api.desk.device_link(&caller.acting, id).await?;
    Ok(Json(show(&api, &caller, &link.ok_or(NO_LINK)?).await?))
}

/// Make a further set-up link of a device
///
/// The one before is dead at once. A password in use works until the new link is opened.
#[utoipa::path(post, path = "/devices/{device}/link/send", operation_id = "device-links.send", tag = "devices",
    params(("device" = inline(words::DeviceId), Path), KeyHeader), request_body = DeviceLinkNew,
    responses((status = 200, description = "Made", body = DeviceLinkMade)))]
async fn send(
    State(api): Here,
    caller: Caller,
    At(id): At<DeviceId>,
    key: Key,
    Sent { body, octets }: Sent<DeviceLinkNew>,
) -> Result<Made<DeviceLinkMade>, Problem> {
    let by = body.spec(&caller);
    let (desk, acting) = (Arc::clone(&api.desk), caller.acting.clone());
    let make = async move { Ok((id, desk.send_device_link(&acting, id, &by).await?)) };
    let (_, linked) = api.once(&caller, key.of(&octets), make).await?.split();
    let is_replay = linked.is_none();
    let answer = match linked {
        Some(linked) => DeviceLinkMade {
            device: shown::Device::of(&api, &linked.row),
            set_up: DeviceSetUp::made(&api, &caller, linked).await?,
        },
        None => DeviceLinkMade {
            device: shown::Device::of(&api, &api.desk.device(&caller.acting, id).await?),
            set_up: DeviceSetUp::again(&api, &caller, id).await?.ok_or(NO_LINK)?,
        },
    };
    Ok(Made::again(is_replay, answer))
}

/// Withdraw the set-up link of a device
///
/// It gives nothing any more. A password that it gave goes on working; to end that, revoke the device.
#[utoipa::path(delete, path = "/devices/{device}/link", operation_id = "device-links.withdraw", tag = "devices",
    params(("device" = inline(words::DeviceId), Path)),
    responses((status = 200, description = "Withdrawn", body = shown::DeviceLink)))]
async fn withdraw(State(api): Here, caller: Caller, At(id): At<DeviceId>) -> Reply<shown::DeviceLink> {
    let (_, link) = api.desk.withdraw_device_link(&caller.acting, id).await?;
    Ok(Json(show(&api, &caller, &link).await?))
}
