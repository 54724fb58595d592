//! Nothing that is secret is written down or shown: not in audit rows, errors, debug output or the database file.

use super::*;
use crate::directory::TokenSpec;
use crate::identity::TotpSecret;
use crate::model::TokenScope;

/// Secrets that were used, and everything that was shown meanwhile.
#[derive(Default)]
struct Gathered {
    secrets: Vec<String>,
    shown: String,
}

impl Gathered {
    fn show(&mut self, what: &impl std::fmt::Debug) {
        self.shown.push_str(&format!("{what:?}\n"));
    }

    fn keep(&mut self, secret: &Secret<String>) {
        self.secrets.push(secret.expose().clone());
    }

    fn refused<T: std::fmt::Debug>(&mut self, outcome: Result<T, Error>, typed: &[&str]) {
        let error = outcome.unwrap_err();
        self.shown.push_str(&format!("{error} {error:?}\n"));
        self.secrets.extend(typed.iter().map(|typed| (*typed).to_owned()));
    }

    fn check(&self, stored: &[Vec<u8>]) {
        for secret in &self.secrets {
            assert!(!self.shown.contains(secret.as_str()), "shown: {secret}");
            // Also without its prefix, and without the dashes between groups.
            let bare = secret.split_once('_').map_or(secret.as_str(), |(_, bare)| bare);
            for text in [secret.as_str(), bare, &bare.replace('-', "")] {
                let octets = text.as_bytes();
                let holds = |file: &Vec<u8>| file.windows(octets.len()).any(|part| part == octets);
                assert!(!stored.iter().any(holds), "stored: {secret}");
            }
        }
    }
}

async fn sign_in(world: &World, gathered: &mut Gathered) -> SignedIn {
    let typed = secret(PASSWORD);
    let opened = world
        .desk
        .sign_in(&visitor(), None, "sophie@private.example", &typed)
        .await;
    let opened = opened.unwrap();
    gathered.keep(&typed);
    gathered.keep(&opened.session.shown());
    gathered.keep(opened.mark.as_ref().unwrap());
    gathered.show(&opened);
    let signed_in = world.visit(&opened).await;
    gathered.show(&signed_in);

    let offer = world.desk.offer_code(&signed_in).unwrap();
    gathered.keep(&offer.shown);
    gathered.keep(&secret(&offer.shown.expose().replace(' ', "").to_uppercase()));
    let totp = TotpSecret::of_offer(&world.keys, world.sophie.id, signed_in.session.id, &offer.sealed);
    let totp = totp.unwrap();
    let code = totp.code_at(START);
    let codes = world.desk.accept_code(&signed_in, &offer.sealed, &code).await.unwrap();
    codes.iter().for_each(|code| gathered.keep(&code.shown()));
    gathered.show(&(offer, totp, codes));
    signed_in
}

async fn hand_out(world: &World, acting: &Acting, gathered: &mut Gathered) {
    gathered.show(acting);
    let spec = InviteSpec {
        address: "lucie@private.example".to_owned(),
        role: Role::Member,
        grants: Vec::new(),
        language: Language::English,
        by_mail: false,
    };
    let invited = world.desk.invite(acting, spec).await.unwrap();
    gathered.keep(invited.link.as_ref().unwrap());
    gathered.show(&invited);
    let spec = TokenSpec {
        name: "CRM".to_owned(),
        role: Role::Member,
        scope: TokenScope::Read,
        expires_at: START.plus(Duration::from_secs(3600)),
    };
    let token = world.desk.create_token(acting, spec).await.unwrap();
    gathered.keep(&token.1);
    gathered.show(&token);
    let contact = world.mailbox("contact").await;
    let device = DeviceSpec {
        label: "iPhone".to_owned(),
        ..DeviceSpec::default()
    };
    let added = world.desk.add_device(acting, contact.id, device).await.unwrap();
    gathered.keep(&added.password.shown());
    gathered.show(&added);
    world
        .desk
        .forgot_password(&visitor(), "sophie@private.example")
        .await
        .unwrap();
    for (_, letter) in world.letters.take() {
        if let Letter::PasswordReset { link, .. } = &letter {
            gathered.keep(&link.shown());
        }
        gathered.show(&letter);
    }
}

#[tokio::test]
async fn no_secret_is_in_audit_rows_debug_output_or_the_database() {
    let world = world().await;
    let mut gathered = Gathered::default();
    let signed_in = sign_in(&world, &mut gathered).await;
    let acting = world.desk.acting(&signed_in, world.acme.id).await.unwrap();
    hand_out(&world, &acting, &mut gathered).await;
    gathered.show(&world.desk);

    let short = world.desk.change_password(&signed_in, &secret("otter1")).await;
    gathered.refused(short, &["otter1"]);
    let typed = ["swordfish is my password", "swordfish 12345"];
    let mixed_up = world.desk.sign_in(&visitor(), None, typed[0], &secret(typed[1])).await;
    gathered.refused(mixed_up, &typed);

    let filter = AuditFilter {
        limit: 1000,
        ..AuditFilter::default()
    };
    let rows = world.directory().audit(&filter).await.unwrap();
    assert!(rows.len() > 10);
    gathered.show(&rows);
    // Three of the sign-in, two of the codes and ten for recovery, four that were handed out, three that were typed.
    assert_eq!(gathered.secrets.len(), 22);
    let files = std::fs::read_dir(world.place.path()).unwrap();
    let stored: Vec<Vec<u8>> = files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(
        stored.iter().any(|file| file.windows(6).any(|part| part == b"iPhone")),
        "the files are the store's"
    );
    gathered.check(&stored);
}
