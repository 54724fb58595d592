//! `/search`: mailboxes, aliases, members and devices by name; for an internet address, the devices that use it.

use std::net::IpAddr;

use super::scope::*;
use crate::admin::lists;
use crate::store::Found;
use crate::store::page::FOUND_MAX;

/// Results of each kind where nobody says how many.
const USUAL: u32 = 20;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(search))
}

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// A part of a name or an address, or a whole internet address.
    q: String,
    /// Results of each kind.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u32>,
}

/// An alias that was found.
#[derive(Debug, Serialize, ToSchema)]
struct AliasFound {
    id: words::AliasId,
    address: String,
    mailbox: shown::MailboxRef,
}

/// A member who was found.
#[derive(Debug, Serialize, ToSchema)]
struct MemberFound {
    id: words::UserId,
    name: String,
    address: String,
}

/// What was found, those that begin with the text first.
#[derive(Debug, Serialize, ToSchema)]
struct SearchResult {
    mailboxes: Vec<shown::MailboxRef>,
    aliases: Vec<AliasFound>,
    members: Vec<MemberFound>,
    devices: Vec<shown::Device>,
    /// There may be more than is shown.
    is_cut: bool,
}

/// Search
///
/// As far as the token may see what is found.
#[utoipa::path(get, path = "/search", operation_id = "search", tag = "search", params(Asked),
    responses((status = 200, description = "What was found", body = SearchResult)))]
async fn search(State(api): Here, caller: Caller, Query(asked): Query<Asked>) -> Reply<SearchResult> {
    let limit = asked.limit.unwrap_or(USUAL);
    if !(1..=FOUND_MAX).contains(&limit) {
        return Err(super::asked::bad_parameter(
            "limit",
            format!("write a number from 1 to {FOUND_MAX}"),
        ));
    }
    let mut result = SearchResult {
        mailboxes: Vec::new(),
        aliases: Vec::new(),
        members: Vec::new(),
        devices: Vec::new(),
        is_cut: false,
    };
    if let Ok(ip) = asked.q.trim().parse::<IpAddr>() {
        let rows = lists::devices_at(&api.desk, &caller.acting, ip.to_canonical(), limit).await?;
        result.devices = rows.iter().map(|row| shown::Device::of(&api, row)).collect();
    } else {
        by_name(&api, &caller, &asked.q, limit, &mut result).await?;
    }
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let lengths = [
        result.mailboxes.len(),
        result.aliases.len(),
        result.members.len(),
        result.devices.len(),
    ];
    result.is_cut = lengths.iter().any(|length| *length >= most);
    Ok(Json(result))
}

async fn by_name(api: &Api, caller: &Caller, text: &str, limit: u32, result: &mut SearchResult) -> Result<(), Problem> {
    for found in api.desk.search(&caller.acting, text, limit).await? {
        match found {
            Found::Mailbox { id, address } => result.mailboxes.push(shown::MailboxRef::new(id, &address)),
            Found::Alias {
                id,
                address,
                mailbox,
                target,
            } => result.aliases.push(AliasFound {
                id: words::AliasId(id),
                address: address.to_string(),
                mailbox: shown::MailboxRef::new(mailbox, &target),
            }),
            Found::Person { id, name, address } => result.members.push(MemberFound {
                id: words::UserId(id),
                name,
                address: address.to_string(),
            }),
            Found::Device { id, .. } => {
                let row = lists::still_there(&api.desk, &caller.acting, id).await?;
                result.devices.extend(row.iter().map(|row| shown::Device::of(api, row)));
            }
        }
    }
    Ok(())
}
