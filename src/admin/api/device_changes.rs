//! Changing a device's record, pausing, resuming and revoking it. A change says which revision was seen: nothing is
//! overwritten unseen.

use super::devices::no_scope;
use super::scope::*;
use crate::directory::desk::{DeviceChange, DeviceDeed};
use crate::model::name::device_label;
use crate::model::{DeviceId, MailboxId};
use crate::store::{DeviceEdit as Edit, DeviceRow, LIVE_DEVICES_MAX, Seq};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(edit))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(revoke))
        .routes(routes!(revoke_several))
}

/// A change of a device's record; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceEdit {
    /// The revision that was seen.
    revision: String,
    /// What people call it: 1 to 64 characters.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 64)]
    name: Option<String>,
    #[serde(default)]
    #[schema(nullable = false)]
    kind: Option<words::DeviceKind>,
    /// The person it belongs to; null for nobody.
    #[serde(default, deserialize_with = "words::given")]
    #[schema(value_type = Option<words::UserId>)]
    user: Option<Option<words::UserId>>,
    /// What it may do. Taking something away ends its sessions.
    #[serde(default)]
    #[schema(nullable = false, min_items = 1)]
    scopes: Option<Vec<words::Protocol>>,
    /// Its end; null for none.
    #[serde(default, deserialize_with = "words::given")]
    #[schema(value_type = Option<words::Moment>)]
    expires_at: Option<Option<words::Moment>>,
    #[serde(default)]
    #[schema(nullable = false)]
    networks: Option<words::Networks>,
    #[serde(default)]
    #[schema(nullable = false)]
    senders: Option<words::Senders>,
}

/// A device, and what a change of it ended.
#[derive(Debug, Serialize, ToSchema)]
struct DeviceChanged {
    device: shown::Device,
    /// What ended; null where that is still to come.
    #[schema(required = true)]
    ended: Option<Ended>,
}

/// Devices to be revoked together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DevicesRevoke {
    /// Which: exactly these, all of one mailbox.
    #[schema(min_items = 1, max_items = 256)]
    devices: Vec<words::DeviceId>,
}

/// Devices that were revoked together.
#[derive(Debug, Serialize, ToSchema)]
struct DevicesRevoked {
    /// Those that were not revoked before.
    revoked: Vec<words::DeviceId>,
    /// What ended; null where that is still to come.
    #[schema(required = true)]
    ended: Option<Ended>,
}

/// Change a device
///
/// Its name, kind, person, protocols, networks, senders or end. What takes something away ends its sessions.
#[utoipa::path(patch, path = "/devices/{device}", operation_id = "devices.edit", tag = "devices",
    params(("device" = inline(words::DeviceId), Path)), request_body = DeviceEdit,
    responses((status = 200, description = "The device, changed", body = DeviceChanged)))]
async fn edit(
    State(api): Here,
    caller: Caller,
    At(id): At<DeviceId>,
    Sent { body, .. }: Sent<DeviceEdit>,
) -> Reply<DeviceChanged> {
    let acting = &caller.acting;
    // Whoever may not change it is told so, whatever is wrong with the body.
    api.desk.check_device(acting, id, DeviceDeed::Edit).await?;
    let scopes = body.scopes.as_deref().map(words::scopes);
    if scopes.is_some_and(|scopes| !scopes.imap && !scopes.smtp) {
        return Err(no_scope());
    }
    // What is no number is the revision of no device.
    let edit = Edit {
        revision: Some(body.revision.parse().unwrap_or(-1)),
        label: body.name.as_deref().map(device_label).transpose()?,
        kind: body.kind.map(|kind| kind.0),
        user: body.user.map(|user| user.map(|user| user.0)),
        scopes,
        expires_at: body.expires_at.map(|at| at.map(|at| at.0)),
        networks: body.networks.map(|networks| networks.0),
        senders: body.senders.map(|senders| senders.0),
    };
    let before = api.before_change();
    match api.desk.edit_device(acting, id, edit).await {
        Ok(changed) => Ok(Json(done(&api, before, changed).await)),
        Err(error @ Error::Store(store::Error::Stale { .. })) => {
            let now = api.desk.device(acting, id).await?;
            Err(Problem::from(error).with_now(&shown::Device::of(&api, &now)))
        }
        Err(error) => Err(error.into()),
    }
}

async fn done(api: &Api, before: crate::admin::applied::Before, (row, seq): (DeviceRow, Seq)) -> DeviceChanged {
    let ended = api.applied(before, seq).await;
    DeviceChanged {
        device: shown::Device::of(api, &row),
        ended,
    }
}

async fn change(api: &Api, caller: &Caller, id: DeviceId, change: DeviceChange) -> Reply<DeviceChanged> {
    let before = api.before_change();
    let changed = api.desk.change_device(&caller.acting, id, change).await?;
    Ok(Json(done(api, before, changed).await))
}

/// Pause a device
///
/// Its sessions end, and its password does not work until it is resumed.
#[utoipa::path(post, path = "/devices/{device}/pause", operation_id = "devices.pause", tag = "devices",
    params(("device" = inline(words::DeviceId), Path)),
    responses((status = 200, description = "Paused", body = DeviceChanged)))]
async fn pause(State(api): Here, caller: Caller, At(id): At<DeviceId>) -> Reply<DeviceChanged> {
    change(&api, &caller, id, DeviceChange::Pause).await
}

/// Resume a paused device
#[utoipa::path(post, path = "/devices/{device}/resume", operation_id = "devices.resume", tag = "devices",
    params(("device" = inline(words::DeviceId), Path)),
    responses((status = 200, description = "Resumed", body = DeviceChanged)))]
async fn resume(State(api): Here, caller: Caller, At(id): At<DeviceId>) -> Reply<DeviceChanged> {
    change(&api, &caller, id, DeviceChange::Resume).await
}

/// Revoke a device
///
/// At once and for good: its sessions end. Revoking it again changes nothing.
#[utoipa::path(post, path = "/devices/{device}/revoke", operation_id = "devices.revoke", tag = "devices",
    params(("device" = inline(words::DeviceId), Path)),
    responses((status = 200, description = "Revoked", body = DeviceChanged)))]
async fn revoke(State(api): Here, caller: Caller, At(id): At<DeviceId>) -> Reply<DeviceChanged> {
    change(&api, &caller, id, DeviceChange::Revoke).await
}

/// Revoke devices of a mailbox together
///
/// All of them or none.
#[utoipa::path(post, path = "/mailboxes/{mailbox}/devices/revoke", operation_id = "mailboxes.revoke-devices",
    tag = "devices", params(("mailbox" = inline(words::MailboxId), Path)), request_body = DevicesRevoke,
    responses((status = 200, description = "Revoked", body = DevicesRevoked)))]
async fn revoke_several(
    State(api): Here,
    caller: Caller,
    At(mailbox): At<MailboxId>,
    Sent { body, .. }: Sent<DevicesRevoke>,
) -> Reply<DevicesRevoked> {
    let most = usize::try_from(LIVE_DEVICES_MAX).unwrap_or(usize::MAX);
    api.desk
        .check_on(&caller.acting, &[Operation::DeviceRevoke], mailbox)
        .await?;
    if !(1..=most).contains(&body.devices.len()) {
        return Err(Problem::field(
            "devices",
            "field.bad",
            format!("name 1 to {most} devices"),
        ));
    }
    let ids: Vec<DeviceId> = body.devices.iter().map(|id| id.0).collect();
    let before = api.before_change();
    let (seq, revoked) = api.desk.revoke_devices(&caller.acting, mailbox, &ids).await?;
    let ended = api.applied(before, seq).await;
    Ok(Json(DevicesRevoked {
        revoked: revoked.into_iter().map(words::DeviceId).collect(),
        ended,
    }))
}
