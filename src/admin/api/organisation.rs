//! `/organisation`: the token's own one.

use super::scope::*;
use crate::admin::lists::SILENT;
use crate::model::name::org_name;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(read, rename))
}

/// The organisation that the token belongs to.
#[derive(Debug, Serialize, ToSchema)]
struct Organisation {
    id: words::OrgId,
    name: String,
    created_at: words::Moment,
    /// What it has, in numbers.
    overview: shown::Overview,
    /// To be given back with a change of the name.
    revision: String,
}

/// A change of the organisation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrganisationEdit {
    /// Its name from now on: 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The revision that was seen.
    revision: String,
}

fn revision(name: &str) -> String {
    shown::revision(&name)
}

async fn organisation(api: &Api, caller: &Caller) -> Result<Organisation, Problem> {
    let overview = api.desk.overview(&caller.acting, api.clock.utc().minus(SILENT)).await?;
    let org = &caller.acting.org;
    Ok(Organisation {
        id: words::OrgId(org.id),
        name: org.name.clone(),
        created_at: words::Moment(org.created_at),
        overview: overview.into(),
        revision: revision(&org.name),
    })
}

/// The organisation
#[utoipa::path(get, path = "/organisation", operation_id = "organisation.read", tag = "organisation",
    responses((status = 200, description = "The organisation", body = Organisation)))]
async fn read(State(api): Here, caller: Caller) -> Reply<Organisation> {
    Ok(Json(organisation(&api, &caller).await?))
}

/// Give the organisation another name
#[utoipa::path(patch, path = "/organisation", operation_id = "organisation.rename", tag = "organisation",
    request_body = OrganisationEdit,
    responses((status = 200, description = "The organisation, renamed", body = Organisation)))]
async fn rename(
    State(api): Here,
    mut caller: Caller,
    Sent { body, .. }: Sent<OrganisationEdit>,
) -> Reply<Organisation> {
    // Before anything is told of the present name.
    api.desk.check(&caller.acting, Operation::OrgEdit).await?;
    let name = org_name(&body.name)?;
    let seen = &caller.acting.org.name;
    let renamed = if body.revision == revision(seen) {
        api.desk.rename_org(&caller.acting, seen, &name).await
    } else {
        // What was seen is not known, only that it was something else: the store says who changed it.
        api.desk.rename_org(&caller.acting, "", &name).await
    };
    match renamed {
        Ok(org) => {
            caller.acting.org = org;
            Ok(Json(organisation(&api, &caller).await?))
        }
        Err(error @ Error::Store(store::Error::Stale { .. })) => {
            caller.look_again(&api).await?;
            let now = organisation(&api, &caller).await?;
            Err(Problem::from(error).with_now(&now))
        }
        Err(error) => Err(error.into()),
    }
}
