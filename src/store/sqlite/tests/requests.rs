//! Requests with a key are many, and of each token a bounded number is known.

use super::*;
use crate::model::{OrgId, TokenId, UserId};
use crate::store::token::REQUESTS_MAX;
use crate::store::{Claim, RequestKey, TokenStore};

#[tokio::test]
async fn the_newest_requests_of_a_token_are_known() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let (org, user) = (OrgId::from_raw(1), UserId::from_raw(2));
    let conn = Connection::open(&config.path).unwrap();
    let people = format!(
        "INSERT INTO org VALUES ({org}, 'Acme', 'acme', 0);
         INSERT INTO user (id, address, name, name_key, language, created_at) VALUES ({user}, 'a@b.example', 'A', 'a', 'en', 0);
         INSERT INTO membership (org_id, user_id, name_key, role, since) VALUES ({org}, {user}, 'a', 'owner', 0);",
        org = org.raw(),
        user = user.raw(),
    );
    conn.execute_batch(&people).unwrap();
    for token in [3, 4] {
        let token = format!(
            "INSERT INTO api_token (id, hash, org_id, user_id, name, role, scope, created_at)
             VALUES ({token}, x'0{token}', 1, 2, 'x', 'owner', 'write', 0)"
        );
        conn.execute_batch(&token).unwrap();
    }
    // As many as there may be; the key of each is its number.
    let many = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {REQUESTS_MAX})
         INSERT INTO api_request (id, token_id, key, request, made, begun_at)
         SELECT i, 3, CAST(printf('%032d', i) AS BLOB), CAST(printf('%032d', i) AS BLOB), 'x', {} + i FROM n",
        START.0 - i64::from(REQUESTS_MAX) - 1,
    );
    conn.execute_batch(&many).unwrap();
    let count = |token: u8| {
        let count = "SELECT count(*) FROM api_request WHERE token_id = ?1";
        conn.query_row(count, [token], |row| row.get::<_, u32>(0)).unwrap()
    };
    assert_eq!(count(3), REQUESTS_MAX);
    let of = |number: u32| {
        let key: [u8; 32] = format!("{number:032}").into_bytes().try_into().unwrap();
        RequestKey { key, request: key }
    };
    let claim = async |token, number| {
        store
            .claim_request(TokenId::from_raw(token), &of(number))
            .await
            .unwrap()
    };
    assert_eq!(claim(3, 1).await, Claim::Done("x".to_owned()));
    assert!(matches!(claim(4, 1).await, Claim::New(_)));
    assert_eq!(count(3), REQUESTS_MAX, "another token takes no place of this one's");
    assert!(matches!(claim(3, REQUESTS_MAX + 1).await, Claim::New(_)));
    assert_eq!(count(3), REQUESTS_MAX);
    assert_eq!(claim(3, 2).await, Claim::Done("x".to_owned()));
    assert!(matches!(claim(3, 1).await, Claim::New(_)), "the oldest is forgotten");
}
