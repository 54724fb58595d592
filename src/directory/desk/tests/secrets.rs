//! Nothing that is secret is written down or shown: not in audit rows, errors, debug output or the database file.

use super::*;
use crate::directory::TokenSpec;
use crate::identity::TotpSecret;
use crate::model::TokenScope;

#[tokio::test]
async fn no_secret_is_in_audit_rows_debug_output_or_the_database() {
    let world = world().await;
    let mut secrets = vec![PASSWORD.to_owned()];
    let mut shown = String::new();

    let opened = world
        .desk
        .sign_in(&visitor(), None, "sophie@private.example", &secret(PASSWORD))
        .await
        .unwrap();
    secrets.push(opened.session.shown().expose().clone());
    secrets.push(opened.mark.as_ref().unwrap().expose().clone());
    shown.push_str(&format!("{opened:?}"));
    let signed_in = world.visit(&opened).await;
    shown.push_str(&format!("{signed_in:?} {:?}", world.desk));

    let offer = world.desk.offer_code(&signed_in).unwrap();
    secrets.extend([
        offer.shown.expose().clone(),
        offer.shown.expose().replace(' ', "").to_uppercase(),
    ]);
    let totp = TotpSecret::of_offer(&world.keys, world.sophie.id, signed_in.session.id, &offer.sealed).unwrap();
    let all = (0..1_000_000_u32).map(|number| secret(&format!("{number:06}")));
    let code = { all }
        .find(|code| totp.step_of(code.expose(), START).is_some())
        .unwrap();
    let codes = world.desk.accept_code(&signed_in, &offer.sealed, &code).await.unwrap();
    secrets.extend(codes.iter().map(|code| code.shown().expose().clone()));
    shown.push_str(&format!("{offer:?} {totp:?} {codes:?}").replace(&offer.sealed, ""));

    let acting = world.desk.acting(&signed_in, world.acme.id).await.unwrap();
    let spec = InviteSpec {
        address: "lucie@private.example".to_owned(),
        role: Role::Member,
        grants: Vec::new(),
        language: Language::English,
        by_mail: false,
    };
    let invited = world.desk.invite(&acting, spec).await.unwrap();
    secrets.push(invited.link.as_ref().unwrap().expose().clone());
    shown.push_str(&format!("{acting:?} {invited:?}"));
    let spec = TokenSpec {
        name: "CRM".to_owned(),
        role: Role::Member,
        scope: TokenScope::Read,
        expires_at: START.plus(Duration::from_secs(3600)),
    };
    let token = world.desk.create_token(&acting, spec).await.unwrap();
    secrets.push(token.1.expose().clone());
    shown.push_str(&format!("{token:?}"));
    let contact = world.mailbox("contact").await;
    let device = DeviceSpec {
        label: "iPhone".to_owned(),
        ..DeviceSpec::default()
    };
    let added = world.desk.add_device(&acting, contact.id, device).await.unwrap();
    secrets.push(added.password.shown().expose().clone());
    shown.push_str(&format!("{added:?}"));

    world
        .desk
        .forgot_password(&visitor(), "sophie@private.example")
        .await
        .unwrap();
    for (_, letter) in world.letters.take() {
        shown.push_str(&format!("{letter:?}"));
        if let Letter::PasswordReset { link, .. } = &letter {
            secrets.push(link.shown().expose().clone());
        }
    }
    let refused = world
        .desk
        .change_password(&signed_in, &secret("otter1"))
        .await
        .unwrap_err();
    shown.push_str(&format!("{refused} {refused:?}"));
    secrets.push("otter1".to_owned());
    let wrong = world
        .desk
        .sign_in(&visitor(), None, "swordfish is my password", &secret("swordfish 12345"))
        .await;
    let wrong = wrong.unwrap_err();
    shown.push_str(&format!("{wrong} {wrong:?}"));
    secrets.extend(["swordfish is my password".to_owned(), "swordfish 12345".to_owned()]);

    let rows = world
        .directory()
        .audit(&AuditFilter {
            limit: 1000,
            ..AuditFilter::default()
        })
        .await
        .unwrap();
    assert!(rows.len() > 10);
    shown.push_str(&format!("{rows:?}"));
    assert!(secrets.len() > 17);
    let files = std::fs::read_dir(world.place.path()).unwrap();
    let stored: Vec<Vec<u8>> = files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    for secret in &secrets {
        assert!(!shown.contains(secret.as_str()), "shown: {secret}");
        // Also without its prefix, and without the dashes between groups.
        let bare = secret.split_once('_').map_or(secret.as_str(), |(_, bare)| bare);
        for text in [secret.as_str(), bare, &bare.replace('-', "")] {
            let octets = text.as_bytes();
            let found = stored
                .iter()
                .any(|file| file.windows(octets.len()).any(|part| part == octets));
            assert!(!found, "stored: {secret}");
        }
    }
}
