//! What holds for every page: cookies, headers, other sites, other organisations, secrets.

use super::doors::use_codes;
use super::kit::*;
use crate::model::{OrgId, Role};

#[tokio::test]
async fn cookies_are_for_this_host_and_for_pages_only() {
    for (origin, prefix, is_secure) in [
        ("https://manager.example.org", "__Host-postern", true),
        ("http://127.0.0.1:8080", "postern", false),
    ] {
        let site = Site::with(Wish {
            origin,
            ..Wish::default()
        })
        .await;
        let mut browser = site.browser();
        let fields = [("address", "sophie@private.example"), ("password", PASSWORD)];
        let answer = browser.post("/sign-in", &fields).await;
        let cookies = answer.cookies();
        assert_eq!(cookies.len(), 2, "{cookies:?}");
        for cookie in cookies {
            assert!(cookie.starts_with(&format!("{prefix}=")) || cookie.starts_with(&format!("{prefix}-browser=")));
            for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age="] {
                assert!(cookie.contains(attribute), "{attribute} is not in {cookie}");
            }
            assert_eq!(cookie.contains("; Secure"), is_secure, "{cookie}");
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
        let out = browser.post("/sign-out", &[]).await;
        let cleared = out.cookies().join("\n");
        assert!(
            cleared.starts_with(&format!("{prefix}=;")) && cleared.contains("Max-Age=0"),
            "{cleared}"
        );
        browser.get("/me").await.leads_to("/sign-in?next=%2Fme");
    }
}

#[tokio::test]
async fn no_page_is_kept_by_a_cache_and_files_are() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    for path in [
        "/sign-in",
        "/me",
        "/me/account",
        "/me/account/code",
        "/nowhere",
        &site.at("settings"),
        "/forgot",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(answer.headers["x-frame-options"], "DENY");
    }
    let page = browser.get("/me").await;
    let style = page
        .body
        .split("rel=\"stylesheet\" href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let file = browser.get(style).await;
    assert_eq!(file.status, 200);
    assert!(file.headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(browser.get("/assets/0/postern.css").await.status, 404);
}

#[tokio::test]
async fn only_what_everybody_gets_alike_is_compressed() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    let page = browser.get("/me/account").await;
    let assets = ["<script src=\"", "rel=\"stylesheet\" href=\""].map(|before| {
        let rest = page.body.split(before).nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    });
    for path in &assets {
        let plain = browser.get(path).await;
        let packed = browser.open_compressed(path).await;
        assert_eq!(packed.headers()["content-encoding"], "gzip", "{path}");
        assert!(packed.headers()["vary"].to_str().unwrap().contains("accept-encoding"));
        assert_eq!(packed.headers()["cache-control"], plain.headers["cache-control"]);
        let body = axum::body::to_bytes(packed.into_body(), 1 << 20).await.unwrap();
        assert!(
            body.len() * 2 < plain.body.len(),
            "{} of {}",
            body.len(),
            plain.body.len()
        );
        assert!(body.len() < 60 * 1024, "{path} has {} octets", body.len());
    }
    // A page may hold a secret beside what somebody else chose: its length must not tell.
    for path in ["/me/account", "/me/activity", "/sign-in"] {
        let answer = browser.open_compressed(path).await;
        assert!(answer.headers().get("content-encoding").is_none(), "{path}");
    }
}

#[tokio::test]
async fn a_strangers_organisation_answers_like_an_unknown_one() {
    let site = Site::new().await;
    let (other, _) = site.other_org().await;
    let unknown = OrgId::from_raw(other.id.raw() + 1);
    let mut browser = site.sophie().await;
    let mut answers = Vec::new();
    for org in [other.id, unknown] {
        let path = format!("/o/{org}/settings");
        let answer = browser.get(&path).await;
        answer.says(404, "There is nothing here");
        assert!(!answer.text().contains("Other"), "{}", answer.text());
        let sent = browser.post(&path, &[("name", "Mine"), ("revision", "Other")]).await;
        sent.says(404, "There is nothing here");
        let token = browser.get(&format!("{path}/tokens/new")).await;
        answers.push((answer.body, sent.body, token.body));
    }
    assert_eq!(answers[0], answers[1]);
    browser
        .get("/o/nonsense/settings")
        .await
        .says(404, "There is nothing here");
    // Whoever has just left is a stranger at the next request.
    let ben = site.member("ben", Role::Administrator).await;
    let mut his = site.signed_in(&ben).await;
    his.get(&site.at("settings")).await.says(200, "Acme");
    site.directory()
        .remove_member(&site.machine, site.acme.id, ben.id, Role::Administrator)
        .await
        .unwrap();
    let mut his = site.signed_in(&ben).await;
    his.get(&site.at("settings")).await.says(404, "There is nothing here");
    his.get("/").await.leads_to("/me");
}

#[tokio::test]
async fn a_path_that_leads_nowhere_has_a_page() {
    let site = Site::new().await;
    let mut browser = site.browser();
    for path in ["/nowhere", "/me/nothing", "/o", "/.well-known/x"] {
        browser.get(path).await.says(404, "There is nothing here");
    }
    browser.post("/sign-in/", &[]).await.says(404, "There is nothing here");
    browser.get("/sign-out").await.says(404, "There is nothing here");
}

#[tokio::test]
async fn names_cannot_bring_markup_or_turn_the_text_around() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    let name = "<script>alert(1)</script> & \"Sophie\"";
    let fields = [("name", name), ("language", "en"), ("theme", "system")];
    browser.send("/me/account", &fields).await.says(200, "Saved.");
    let page = browser.get("/me/account").await;
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
    assert!(page.text().contains(name), "{}", page.text());
    let turned = browser
        .post(
            "/me/account",
            &[("name", "a\u{202e}b"), ("language", "en"), ("theme", "system")],
        )
        .await;
    turned.says(422, "cannot be shown safely");
}

#[tokio::test]
async fn nothing_that_is_secret_is_logged() {
    let (log, guard) = Log::listen();
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    let mut secrets = vec![PASSWORD.to_owned()];
    secrets.extend(browser.cookies.values().cloned());
    let (key, recovery) = use_codes(&mut browser, &site).await;
    secrets.push(key);
    secrets.extend(recovery);
    let mut guest = site.browser();
    let wrong = [("address", "sophie@private.example"), ("password", "wrong but near")];
    guest.post("/sign-in", &wrong).await;
    secrets.push("wrong but near".to_owned());
    guest.post("/forgot", &[("address", "sophie@private.example")]).await;
    for (_, letter) in site.letters.take() {
        if let crate::directory::letter::Letter::PasswordReset { link, .. } = letter {
            let path = format!("/reset/{}", link.shown().expose());
            guest.get(&path).await;
            secrets.push(link.shown().expose().clone());
            guest.post(&path, &[("password", "eight cold teapots")]).await;
            secrets.push("eight cold teapots".to_owned());
        }
    }
    drop(guard);
    let text = log.text();
    assert!(
        text.contains("sign-in to the Manager refused"),
        "the log was not heard: {text}"
    );
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is in the log: {text}");
    }
}
