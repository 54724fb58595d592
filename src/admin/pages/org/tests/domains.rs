//! The DNS records of a mail domain: shown, and asked for when somebody wants to know.

use hickory_resolver::proto::op::ResponseCode;

use super::*;
use crate::dns::name_server::{NameServer, Said, address, alias, srv, txt};
use crate::model::{DomainId, Role};

async fn site(server: &NameServer) -> (Site, DomainId) {
    let site = Site::with(Wish {
        name_servers: vec![server.address],
        ..Wish::default()
    })
    .await;
    let domains = site.store.domains(Some(site.acme.id)).await.unwrap();
    (site, domains[0].id)
}

#[tokio::test]
async fn records_are_shown_unchecked_and_then_with_what_was_found() {
    let server = NameServer::start().await;
    let (site, id) = site(&server).await;
    let mut sophie = site.sophie().await;
    let (page, check) = (site.at("domains"), site.at(&format!("domains/{id}/check")));
    let before = sophie.get(&page).await;
    before.says(200, "The DNS was not asked yet.");
    before.says(200, "autoconfig.example.org");
    before.says(200, "manager.example.org.");
    before.says(200, "_imaps._tcp.example.org. 3600 IN SRV 0 1 993 mail.example.org.");
    assert!(!before.text().contains("Missing"), "{}", before.text());

    server.put("mail.example.org", address("192.0.2.1"));
    server.put("autoconfig.example.org", alias("manager.example.org"));
    server.put("_imaps._tcp.example.org", srv(993, "old.example.net"));
    server.put("_ua-auto-config.example.org", txt(&[b"v=UAAC1; d=<script>"]));
    server.say("autodiscover.example.org", Said::Code(ResponseCode::ServFail));
    let after = sophie.send(&check, &[]).await;
    // Wrong: _imaps and the digest. Missing and needed: _submissions. Without an address: the Manager's host.
    after.says(200, "example.org: 4 things to do.");
    after.says(200, "TXT v=UAAC1; d=<script>");
    for words in ["Found", "Differs", "Missing", "No answer", "No address", "192.0.2.1"] {
        after.says(200, words);
    }
    // What was found stays, also for others of the organisation.
    let auditor = site.member("audrey", Role::Auditor).await;
    site.signed_in(&auditor).await.get(&page).await.says(200, "Differs");
}

#[tokio::test]
async fn without_any_answer_nothing_is_called_missing() {
    let site = Site::new().await;
    let mut sophie = site.sophie().await;
    let domains = site.store.domains(Some(site.acme.id)).await.unwrap();
    let check = site.at(&format!("domains/{}/check", domains[0].id));
    let after = sophie.send(&check, &[]).await;
    after.says(
        200,
        "example.org: the name servers did not answer every question. Try again later.",
    );
    assert!(!after.text().contains("Missing"), "{}", after.text());
}

#[tokio::test]
async fn an_organisation_that_asks_too_often_is_told_when_to_ask_again() {
    let server = NameServer::start().await;
    let (site, id) = site(&server).await;
    let mut sophie = site.sophie().await;
    let check = site.at(&format!("domains/{id}/check"));
    for _ in 0..10 {
        sophie.send(&check, &[]).await.says(200, "things to do");
    }
    sophie.send(&check, &[]).await.says(
        200,
        "The DNS was asked often in the last minute. Try again in 60 seconds.",
    );
    site.clock.advance(std::time::Duration::from_secs(60));
    sophie.send(&check, &[]).await.says(200, "things to do");
}

#[tokio::test]
async fn whoever_may_not_see_domains_cannot_have_them_checked() {
    let server = NameServer::start().await;
    let (site, id) = site(&server).await;
    let member = site.member("marc", Role::Member).await;
    let mut marc = site.signed_in(&member).await;
    let check = site.at(&format!("domains/{id}/check"));
    assert_eq!(marc.post(&check, &[]).await.status, 403);
    let manager = site.member("lucie", Role::MailboxManager).await;
    let mut lucie = site.signed_in(&manager).await;
    lucie.send(&check, &[]).await.says(200, "things to do");
}
