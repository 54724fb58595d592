//! `/tokens`: API tokens. None is made here: a token could otherwise outlive its own end.

use super::scope::*;
use crate::model::TokenId;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(revoke))
}

/// The parameters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Everybody's, for whoever may see them; otherwise those of the token's user.
    #[param(nullable = false)]
    all: Option<bool>,
    /// Entries of the page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(nullable = false, pattern = "^[A-Za-z0-9_-]*$")]
    after: Option<String>,
}

/// The API tokens
///
/// By their ids. Tokens are made by a person, in the Manager.
#[utoipa::path(get, path = "/tokens", operation_id = "tokens.list", tag = "tokens", params(Asked),
    responses((status = 200, description = "The tokens", body = List<shown::Token>)))]
async fn list(State(api): Here, caller: Caller, Query(asked): Query<Asked>) -> Reply<List<shown::Token>> {
    let paging = Paging::read(asked.limit, asked.after.as_deref())?;
    let tokens = if asked.all.unwrap_or_default() {
        api.desk.tokens(&caller.acting).await?
    } else {
        api.desk.my_tokens(&caller.acting).await?
    };
    let page = paging.cut(tokens, |token| token.id)?;
    Ok(Json(page.map(|token| shown::Token::from(&token))))
}

/// Revoke somebody's API token
///
/// It stops working at once. One's own tokens are revoked by a person, in the Manager.
#[utoipa::path(delete, path = "/tokens/{token}", operation_id = "tokens.revoke", tag = "tokens",
    params(("token" = inline(words::TokenId), Path)), responses((status = 204, description = "Revoked")))]
async fn revoke(State(api): Here, caller: Caller, At(id): At<TokenId>) -> Result<NoContent, Problem> {
    api.desk.revoke_token(&caller.acting, id).await?;
    Ok(NoContent)
}
