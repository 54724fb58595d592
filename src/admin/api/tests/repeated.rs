//! Requests that come again: with a key they make once what they ask for, and the secret is shown to the first one only.

use serde_json::json;

use super::*;
use crate::store::token::{REQUEST_TIME, REQUESTS_KEPT};
use crate::store::{Claim, RequestKey};

const REPLAYED: &str = "idempotency-replayed";

#[tokio::test]
async fn a_repeated_creation_is_answered_with_what_was_made_and_without_its_secret() {
    let site = Site::new().await;
    let contact = site.mailbox("contact").await;
    let program = sophie(&site).await.with("idempotency-key", "key-1");
    let path = format!("/mailboxes/{}/devices", contact.id);
    let body = json!({ "name": "CRM" });
    let first = program.post(&path, body.clone()).await;
    let made = first.is(201);
    assert!(made["password"].is_string() && first.header(REPLAYED).is_none());
    let second = program.post(&path, body).await;
    let again = second.is(201);
    assert_eq!(second.header(REPLAYED), Some("true"));
    assert_eq!((&again["device"], &again["password"]), (&made["device"], &Value::Null));
    assert_eq!(
        (&again["smtp"], second.header("location")),
        (&made["smtp"], first.header("location"))
    );
    let all = program.get("/devices").await.is(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn every_creation_can_be_repeated() {
    let site = Site::new().await;
    let contact = site.mailbox("contact").await;
    let device = site.device(&contact, "CRM", None).await;
    let program = sophie(&site).await;
    let invited = program
        .post(
            "/invitations",
            json!({ "address": "marc@private.example", "by_mail": false }),
        )
        .await
        .is(201);
    let invited = invited["invitation"]["id"].as_str().unwrap();
    for (number, (path, body, status, secret)) in [
        ("/domains".to_owned(), Some(json!({ "name": "example.com" })), 201, None),
        (
            "/mailboxes".to_owned(),
            Some(json!({ "address": "new@example.org" })),
            201,
            None,
        ),
        (
            format!("/mailboxes/{}/aliases", contact.id),
            Some(json!({ "address": "hello@example.org" })),
            201,
            None,
        ),
        (
            format!("/mailboxes/{}/devices", contact.id),
            Some(json!({ "name": "Phone" })),
            201,
            Some("password"),
        ),
        (format!("/devices/{}/replace", device.id), None, 200, Some("password")),
        (
            "/invitations".to_owned(),
            Some(json!({ "address": "lucie@private.example", "by_mail": false })),
            201,
            Some("link"),
        ),
        (
            format!("/invitations/{invited}/send"),
            Some(json!({ "by_mail": false })),
            200,
            Some("link"),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let keyed = program.with("idempotency-key", format!("key-{number}"));
        let ask = async || keyed.ask(Method::POST, &path, body.clone()).await;
        let mut first = ask().await.is(status);
        let log = program.get("/audit?limit=200").await.is(200);
        let second = ask().await;
        let mut again = second.is(status);
        assert_eq!(second.header(REPLAYED), Some("true"), "{path}");
        if let Some(secret) = secret {
            without_secret((&mut first, &mut again), secret, &path);
        }
        assert_eq!(first, again, "{path}");
        let after = program.get("/audit?limit=200").await.is(200);
        assert_eq!(after, log, "{path}: nothing was done");
    }
}

/// A secret is in the first answer only. Of a password's replacement, what ended is not known any more either.
fn without_secret((first, again): (&mut Value, &mut Value), secret: &str, path: &str) {
    assert!(first[secret].is_string(), "{path}: {first}");
    assert_eq!(again[secret], Value::Null, "{path}");
    for field in [secret, "ended"] {
        first.as_object_mut().unwrap().remove(field);
        again.as_object_mut().unwrap().remove(field);
    }
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_token() {
    let site = Site::new().await;
    let contact = site.mailbox("contact").await;
    let program = sophie(&site).await.with("idempotency-key", "key-1");
    let made = json!({ "address": "one@example.org" });
    program.post("/mailboxes", made.clone()).await.is(201);
    let other = json!({ "address": "two@example.org" });
    program
        .post("/mailboxes", other.clone())
        .await
        .refused(422, "idempotency.mismatch");
    let aliases = format!("/mailboxes/{}/aliases", contact.id);
    program.post(&aliases, made).await.refused(422, "idempotency.mismatch");
    let elsewhere = sophie(&site).await.with("idempotency-key", "key-1");
    elsewhere.post("/mailboxes", other).await.is(201);
}

#[tokio::test]
async fn of_two_requests_at_once_one_makes_it() {
    let site = Site::new().await;
    let program = sophie(&site).await.with("idempotency-key", "key-1");
    let ask = || program.post("/mailboxes", json!({ "address": "new@example.org" }));
    let answers = tokio::join!(ask(), ask(), ask(), ask());
    let answers = [answers.0, answers.1, answers.2, answers.3];
    let made = answers.iter().filter(|answer| answer.status == StatusCode::CREATED);
    let firsts = made.clone().filter(|answer| answer.header(REPLAYED).is_none()).count();
    assert_eq!(firsts, 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        answer.refused(409, "idempotency.running");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    let log = program
        .get("/audit?action=mailbox.create&subject=new@example.org")
        .await
        .is(200);
    assert_eq!(log["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_that_made_nothing_may_be_sent_again() {
    let site = Site::new().await;
    let program = sophie(&site).await.with("idempotency-key", "key-1");
    let body = json!({ "address": "x@example.com" });
    program
        .post("/mailboxes", body.clone())
        .await
        .refused(422, "request.fields");
    program.post("/domains", json!({ "name": "example.com" })).await.is(201);
    let other = sophie(&site).await.with("idempotency-key", "key-2");
    other.post("/mailboxes", body.clone()).await.is(201);
    other.post("/mailboxes", body).await.is(201);
}

/// More waits than a request has.
const WAITS_MAX: u32 = 12;

#[tokio::test]
async fn work_goes_on_when_whoever_asked_has_gone() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    for waits in 1..=WAITS_MAX {
        let program = program.with("idempotency-key", format!("key-{waits}"));
        let address = format!("new{waits}@example.org");
        let body = json!({ "address": address });
        {
            let asked = program.post("/mailboxes", body.clone());
            tokio::pin!(asked);
            // As far as one of its waits for something that is not there yet, and then the connection breaks.
            let mut left = waits;
            std::future::poll_fn(|cx| {
                left -= 1;
                match asked.as_mut().poll(cx) {
                    std::task::Poll::Pending if left > 0 => std::task::Poll::Pending,
                    _ => std::task::Poll::Ready(()),
                }
            })
            .await;
        }
        site.tasks.close();
        site.tasks.wait().await;
        // Whatever it had come to, nothing is in the way of a repetition, and there is one mailbox.
        program.post("/mailboxes", body).await.is(201);
        let log = program
            .get(&format!("/audit?action=mailbox.create&subject={address}"))
            .await
            .is(200);
        assert_eq!(log["items"].as_array().unwrap().len(), 1, "{waits}");
    }
}

#[tokio::test]
async fn a_repetition_reads_with_the_rights_of_its_moment() {
    let site = Site::new().await;
    let marc = site.member("marc", Role::MailboxManager).await;
    let program = client(&site, &marc).await.with("idempotency-key", "key-1");
    let body = json!({ "address": "new@example.org" });
    let made = program.post("/mailboxes", body.clone()).await.is(201);
    let (directory, machine, org) = (site.directory(), &site.machine, site.acme.id);
    directory
        .set_role(machine, org, marc.id, Role::MailboxManager, Role::Member)
        .await
        .unwrap();
    program.post("/mailboxes", body.clone()).await.refused(404, "not_found");
    directory
        .set_role(machine, org, marc.id, Role::Member, Role::MailboxManager)
        .await
        .unwrap();
    let id = made["id"].as_str().unwrap();
    program.delete(&format!("/mailboxes/{id}")).await.is(200);
    program.post("/mailboxes", body).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let body = json!({ "address": "new@example.org" });
    for key in ["", "a b", "\u{e9}", &"x".repeat(256)] {
        let told = program
            .with("idempotency-key", key)
            .post("/mailboxes", body.clone())
            .await
            .refused(400, "request.header");
        assert_eq!(told["fields"][0]["field"], "Idempotency-Key");
    }
    let twice = program.with("idempotency-key", "a").with("idempotency-key", "b");
    twice
        .post("/mailboxes", body.clone())
        .await
        .refused(400, "request.header");
    program
        .with("idempotency-key", "x".repeat(255))
        .post("/mailboxes", body)
        .await
        .is(201);
}

#[tokio::test]
async fn keys_are_forgotten_after_their_time() {
    let site = Site::new().await;
    let program = sophie(&site).await.with("idempotency-key", "key-1");
    let body = json!({ "address": "new@example.org" });
    program.post("/mailboxes", body.clone()).await.is(201);
    site.clock.advance(REQUESTS_KEPT);
    program.post("/mailboxes", body).await.refused(409, "conflict");
}

#[tokio::test]
async fn work_that_was_lost_with_its_process_is_done_again() {
    let site = Site::new().await;
    let (secret, record) = token_in(&site, site.acme.id, &site.sophie, Role::Owner, TokenScope::Write).await;
    let program = Client::new(&site, Some(secret)).with("idempotency-key", "key-1");
    let body = json!({ "address": "new@example.org" });
    // As another process claims it that is killed then.
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"POST\n/mailboxes\n");
    hasher.update(body.to_string().as_bytes());
    let request = RequestKey {
        key: *blake3::hash(b"key-1").as_bytes(),
        request: *hasher.finalize().as_bytes(),
    };
    let claim = site.store.claim_request(record.id, &request).await.unwrap();
    assert!(matches!(claim, Claim::New(_)));
    program
        .post("/mailboxes", body.clone())
        .await
        .refused(409, "idempotency.running");
    site.clock.advance(REQUEST_TIME);
    program.post("/mailboxes", body).await.is(201);
}

#[tokio::test]
async fn a_token_that_may_only_read_leaves_nothing_behind() {
    let site = Site::new().await;
    let (secret, record) = token_in(&site, site.acme.id, &site.sophie, Role::Owner, TokenScope::Read).await;
    let program = Client::new(&site, Some(secret)).with("idempotency-key", "key-1");
    let body = json!({ "address": "new@example.org" });
    program.post("/mailboxes", body).await.refused(403, "token.read_only");
    let request = RequestKey {
        key: *blake3::hash(b"key-1").as_bytes(),
        request: [0; 32],
    };
    let claim = site.store.claim_request(record.id, &request).await.unwrap();
    assert!(matches!(claim, Claim::New(_)));
}
