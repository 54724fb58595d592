//! Signing in and out, a new password by mail, the step-up.

use std::time::Duration;

use super::kit::*;
use crate::directory::desk::testing::SignInConfig;
use crate::directory::letter::Letter;

const STEP_UP_ENDED: Duration = Duration::from_secs(11 * 60);

/// Gives Sophie one-time codes and returns the key and the recovery codes.
pub(super) async fn use_codes(browser: &mut Browser<'_>, site: &Site) -> (String, Vec<String>) {
    let offer = browser.get("/me/account/code").await;
    let key = offer
        .body
        .split("<code>")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    let sealed = offer.field("offer").unwrap();
    let code = site.code(&key);
    let answer = browser
        .post("/me/account/code", &[("offer", &sealed), ("code", &code)])
        .await;
    answer.says(200, "You will not see them again");
    let codes = answer
        .body
        .split("<code>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned());
    (key, codes.collect())
}

#[tokio::test]
async fn somebody_signs_in_and_out() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.get("/").await.leads_to("/sign-in");
    browser.get("/sign-in").await.says(200, "Sign in");
    let mut browser = site.sophie().await;
    browser.get("/").await.leads_to(&site.at(""));
    let before = browser.cookies.clone();
    browser.get("/sign-in").await.leads_to("/");
    browser
        .post("/sign-out", &[])
        .await
        .leads_to("/sign-in?done=signed-out");
    assert_eq!(browser.session(), None, "the browser forgot its session");
    browser
        .get("/sign-in?done=signed-out")
        .await
        .says(200, "You are signed out.");
    // The cookie that somebody kept is worth nothing.
    browser.cookies = before;
    browser.get("/me").await.leads_to("/sign-in?next=%2Fme&done=over");
    browser
        .get("/sign-in?next=%2Fme&done=over")
        .await
        .says(200, "Your session has ended");
}

#[tokio::test]
async fn a_wrong_sign_in_comes_back_with_the_address_and_tells_not_what_was_wrong() {
    let site = Site::new().await;
    let mut told = Vec::new();
    for (address, password) in [
        ("sophie@private.example", "not her password"),
        ("nobody@private.example", PASSWORD),
        ("no address", PASSWORD),
    ] {
        let mut browser = site.browser();
        let answer = browser
            .post(
                "/sign-in",
                &[("address", address), ("password", password), ("next", "/me")],
            )
            .await;
        answer.says(422, "That did not work");
        assert_eq!(
            answer.field("address").as_deref(),
            Some(address),
            "what was typed is kept"
        );
        assert_eq!(answer.field("next").as_deref(), Some("/me"));
        assert_eq!(answer.field("password").as_deref(), Some(""), "but for the password");
        assert!(!answer.body.contains(password) && browser.session().is_none());
        told.push(answer.body.replace(address, ""));
    }
    assert!(told.iter().all(|one| *one == told[0]), "the pages differ");
}

#[tokio::test]
async fn every_sign_in_and_every_step_up_gives_the_session_another_id() {
    let site = Site::new().await;
    let mut browser = site.browser();
    // A stranger's id, laid into the browser before.
    browser
        .cookies
        .insert("__Host-postern".to_owned(), format!("pss_{}", "a".repeat(52)));
    let fixed = browser.session().map(str::to_owned);
    let fields = [("address", "sophie@private.example"), ("password", PASSWORD)];
    browser.post("/sign-in", &fields).await.leads_to("/");
    let first = browser.session().map(str::to_owned);
    assert_ne!(first, fixed);
    site.clock.advance(STEP_UP_ENDED);
    let stale = browser.clone();
    browser
        .get("/me/account/password")
        .await
        .leads_to("/step-up?next=%2Fme%2Faccount%2Fpassword");
    browser
        .get("/step-up?next=%2Fme%2Faccount%2Fpassword")
        .await
        .says(200, "To change how you sign in");
    let fields = [("password", PASSWORD), ("next", "/me/account/password")];
    browser.post("/step-up", &fields).await.leads_to("/me/account/password");
    assert_ne!(browser.session().map(str::to_owned), first);
    browser
        .get("/me/account/password")
        .await
        .says(200, "Change your password");
    assert_eq!(stale.clone().get("/me").await.status, 303, "the old id is dead");
    // Whoever signs in again in a browser leaves no session behind.
    let old = browser.clone();
    let fields = [("address", "sophie@private.example"), ("password", PASSWORD)];
    browser.post("/sign-in", &fields).await.leads_to("/");
    assert_eq!(old.clone().get("/me").await.status, 303);
}

#[tokio::test]
async fn a_wrong_step_up_is_told_at_its_field() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    browser.get("/step-up?next=%2Fme").await.leads_to("/me");
    site.clock.advance(STEP_UP_ENDED);
    let answer = browser
        .post("/step-up", &[("password", "wrong"), ("next", "/me/account/password")])
        .await;
    answer.says(422, "That is not your present password.");
    assert_eq!(answer.field("next").as_deref(), Some("/me/account/password"));
    browser
        .get("/me/account/password")
        .await
        .leads_to("/step-up?next=%2Fme%2Faccount%2Fpassword");
}

#[tokio::test]
async fn one_is_led_on_to_paths_of_ours_only() {
    let site = Site::new().await;
    let fields = |next| {
        [
            ("address", "sophie@private.example"),
            ("password", PASSWORD),
            ("next", next),
        ]
    };
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "evil.example",
    ] {
        let mut browser = site.browser();
        let page = browser
            .get(&super::super::query::with_query("/sign-in", &[("next", next)]))
            .await;
        assert_eq!(page.field("next").as_deref(), Some(""), "{next}");
        browser.post("/sign-in", &fields(next)).await.leads_to("/");
        browser
            .post("/sign-out", &[("next", next)])
            .await
            .leads_to("/sign-in?done=signed-out");
        let mut browser = site.sophie().await;
        let page = browser
            .get(&super::super::query::with_query("/sign-in", &[("next", next)]))
            .await;
        page.leads_to("/");
        site.clock.advance(STEP_UP_ENDED);
        browser
            .post("/step-up", &[("password", PASSWORD), ("next", next)])
            .await
            .leads_to("/");
    }
    let mut browser = site.browser();
    browser
        .post("/sign-in", &fields("/me/activity?before=7"))
        .await
        .leads_to("/me/activity?before=7");
}

#[tokio::test]
async fn somebody_with_codes_signs_in_in_two_steps_and_half_a_sign_in_can_do_nothing() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    let (key, _) = use_codes(&mut browser, &site).await;
    let mut half = site.browser();
    let fields = [
        ("address", "sophie@private.example"),
        ("password", PASSWORD),
        ("next", "/me/activity"),
    ];
    half.post("/sign-in", &fields)
        .await
        .leads_to("/sign-in/code?next=%2Fme%2Factivity");
    let half_id = half.session().map(str::to_owned);
    for path in [
        "/",
        "/me",
        "/me/account",
        "/me/account/password",
        &site.at("settings"),
        "/step-up",
    ] {
        let place = half.get(path).await.location().map(str::to_owned);
        assert!(
            place.as_deref().is_some_and(|place| place.starts_with("/sign-in/code")),
            "{path}: {place:?}"
        );
    }
    for (path, fields) in [
        (
            "/me/account",
            vec![("name", "Mallory"), ("language", "en"), ("theme", "dark")],
        ),
        ("/me/account/password", vec![("password", "something else entirely")]),
        ("/step-up", vec![("password", PASSWORD)]),
        ("/me/account/code/off", vec![]),
        ("/me/account/sessions/end-others", vec![]),
    ] {
        half.post(path, &fields).await.leads_to("/sign-in/code");
    }
    half.get("/sign-in/code?next=%2Fme%2Factivity")
        .await
        .says(200, "Enter your code");
    half.get("/sign-in/code?with=recovery")
        .await
        .says(200, "Use a recovery code");
    let wrong = half
        .post("/sign-in/code", &[("code", "000000"), ("next", "/me/activity")])
        .await;
    wrong.says(422, "This code does not fit");
    assert_eq!(wrong.field("code").as_deref(), Some(""));
    site.clock.advance(Duration::from_secs(60));
    let code = site.code(&key);
    half.post("/sign-in/code", &[("code", &code), ("next", "/me/activity")])
        .await
        .leads_to("/me/activity");
    assert_ne!(
        half.session().map(str::to_owned),
        half_id,
        "the id changed with the proof"
    );
    half.get("/me").await.says(200, "My mailboxes");
}

#[tokio::test]
async fn no_code_works_twice_and_a_recovery_code_works_once() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    let (key, recovery) = use_codes(&mut browser, &site).await;
    let fields = [("address", "sophie@private.example"), ("password", PASSWORD)];
    site.clock.advance(Duration::from_secs(60));
    let code = site.code(&key);
    let mut first = site.browser();
    first.post("/sign-in", &fields).await;
    first.post("/sign-in/code", &[("code", &code)]).await.leads_to("/");
    let mut again = site.browser();
    again.post("/sign-in", &fields).await;
    again
        .post("/sign-in/code", &[("code", &code)])
        .await
        .says(422, "This code does not fit");
    again
        .post("/sign-in/code", &[("code", &recovery[0])])
        .await
        .leads_to("/");
    let mut third = site.browser();
    third.post("/sign-in", &fields).await;
    third
        .post("/sign-in/code", &[("code", &recovery[0])])
        .await
        .says(422, "Use a recovery code");
}

#[tokio::test]
async fn the_time_for_a_code_runs_out_and_half_a_sign_in_can_be_left() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    let (key, _) = use_codes(&mut browser, &site).await;
    let fields = [("address", "sophie@private.example"), ("password", PASSWORD)];
    let mut half = site.browser();
    half.post("/sign-in", &fields).await;
    let kept = half.clone();
    half.post("/sign-out", &[]).await.leads_to("/sign-in?done=signed-out");
    kept.clone().get("/sign-in/code").await.leads_to("/sign-in");
    half.post("/sign-in", &fields).await;
    site.clock.advance(Duration::from_secs(10 * 60));
    let code = site.code(&key);
    half.post("/sign-in/code", &[("code", &code), ("next", "/me")])
        .await
        .leads_to("/sign-in?next=%2Fme");
}

#[tokio::test]
async fn guessing_is_slowed_and_the_owner_gets_in_from_a_browser_that_is_known() {
    let throttle = SignInConfig {
        base_delay: Duration::from_millis(1),
        per_pair: 3,
        per_network: 6,
        ..SignInConfig::default()
    };
    let site = Site::with(Wish {
        throttle,
        ..Wish::default()
    })
    .await;
    let mut known = site.sophie().await;
    known.post("/sign-out", &[]).await;
    let mut guesser = site.browser();
    let wrong = [("address", "sophie@private.example"), ("password", "one more guess")];
    for _ in 0..3 {
        guesser.post("/sign-in", &wrong).await.says(422, "That did not work");
    }
    let held = guesser.post("/sign-in", &wrong).await;
    held.says(429, "Too many tries. You can try again");
    assert_eq!(held.field("address").as_deref(), Some("sophie@private.example"));
    let right = [("address", "sophie@private.example"), ("password", PASSWORD)];
    guesser.post("/sign-in", &right).await.says(429, "Too many tries");
    known.post("/sign-in", &right).await.leads_to("/");
}

#[tokio::test]
async fn a_forgotten_password_is_set_by_a_link_that_works_once() {
    let site = Site::new().await;
    let mut elsewhere = site.sophie().await;
    let mut browser = site.browser();
    browser.get("/forgot").await.says(200, "Send the link");
    let refused = browser.post("/forgot", &[("address", "sophie")]).await;
    refused.says(422, "Write a whole address");
    assert_eq!(refused.field("address").as_deref(), Some("sophie"));
    let unknown = browser.post("/forgot", &[("address", "nobody@private.example")]).await;
    let known = browser.post("/forgot", &[("address", "sophie@private.example")]).await;
    known.says(200, "a link is on its way");
    assert_eq!(
        unknown.body.replace("nobody@", "sophie@"),
        known.body,
        "nobody learns who has a sign-in here"
    );
    let letters = site.letters.take();
    let [(to, Letter::PasswordReset { link, .. })] = letters.as_slice() else {
        panic!("{letters:?}")
    };
    assert_eq!(to.address, site.sophie.address);
    let path = format!("/reset/{}", link.shown().expose());
    browser.get(&path).await.says(200, "For sophie@private.example.");
    browser
        .post(&path, &[("password", "short")])
        .await
        .says(422, "Use at least 12 characters.");
    browser
        .post(&path, &[("password", "sophie@private.example")])
        .await
        .says(422, "your own name or address");
    browser
        .post(&path, &[("password", "six lazy rivers")])
        .await
        .leads_to("/sign-in?done=reset");
    elsewhere.get("/me").await.leads_to("/sign-in?next=%2Fme&done=over");
    browser.get(&path).await.says(410, "This link is used up");
    browser
        .post(&path, &[("password", "six lazy rivers")])
        .await
        .says(410, "This link is used up");
    let old = [("address", "sophie@private.example"), ("password", PASSWORD)];
    browser.post("/sign-in", &old).await.says(422, "That did not work");
    let new = [("address", "sophie@private.example"), ("password", "six lazy rivers")];
    browser.post("/sign-in", &new).await.leads_to("/");
}

#[tokio::test]
async fn without_mail_nobody_is_promised_one() {
    let site = Site::with(Wish {
        sends_mail: false,
        ..Wish::default()
    })
    .await;
    let mut browser = site.browser();
    browser.get("/forgot").await.says(200, "This Postern sends no mail");
    browser
        .post("/forgot", &[("address", "sophie@private.example")])
        .await
        .says(200, "sends no mail");
    browser
        .get("/reset/psr_nothing")
        .await
        .says(410, "This link is used up");
}

#[tokio::test]
async fn a_guest_reads_the_language_that_they_chose() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let page = browser.get("/sign-in?language=fr").await;
    page.says(200, "Se connecter");
    assert!(page.body.contains("<html lang=\"fr\""));
    browser.get("/forgot").await.says(200, "Mot de passe oublié");
    browser
        .get("/forgot?language=en")
        .await
        .says(200, "Forgot your password?");
    let mut french = site.browser();
    french.language = "fr-CH, fr;q=0.9";
    french.get("/sign-in").await.says(200, "Se connecter");
    french
        .post(
            "/sign-in",
            &[("address", "sophie@private.example"), ("password", PASSWORD)],
        )
        .await;
    french.get("/me").await.says(200, "My mailboxes");
}
