//! Whatever belongs to another organisation answers exactly as what does not exist.

use super::*;
use crate::directory::{Invite, TokenSpec};
use crate::model::{AliasId, ConsoleSessionId, DeviceId, DomainId, InvitationId, TokenId, TokenScope};
use crate::peer::Protocol;
use crate::revoke::{SessionId, SessionInfo};
use crate::store::{DeviceEdit, DeviceQuery};

/// An id that nothing has.
const NOTHING: i64 = 7;

/// What an operation answers, in all that the one who asks can see of it.
fn answer<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (String, &'static str) {
    match outcome {
        Ok(done) => panic!("it was done: {done:?}"),
        Err(error) => (error.to_string(), error.key()),
    }
}

macro_rules! alike {
    ($foreign:expr, $nothing:expr, |$id:ident| $call:expr) => {
        let foreign = {
            let $id = $foreign;
            answer($call)
        };
        let nothing = {
            let $id = $nothing;
            answer($call)
        };
        assert_eq!(foreign, nothing, "{}", stringify!($call));
    };
}

/// Sophie as the owner of Acme, and what Otto's organisation has.
struct Beside {
    world: World,
    acting: Acting,
    signed_in: SignedIn,
    contact: Mailbox,
    other: Org,
    otto: User,
    mailbox: Mailbox,
    device: Device,
}

async fn beside() -> Beside {
    let world = world().await;
    let (other, otto, mailbox, device) = world.other_org().await;
    Beside {
        acting: world.acting(&world.sophie).await,
        signed_in: world.signed_in(&world.sophie).await,
        contact: world.mailbox("contact").await,
        world,
        other,
        otto,
        mailbox,
        device,
    }
}

#[tokio::test]
async fn a_foreign_organisation_or_mailbox_is_an_unknown_one() {
    let Beside {
        world,
        acting,
        signed_in,
        other,
        mailbox,
        ..
    } = &beside().await;
    let (desk, sophie) = (&world.desk, world.sophie.id);
    alike!(other.id, OrgId::from_raw(NOTHING), |id| desk
        .acting(signed_in, id)
        .await);

    let (foreign, nothing) = (mailbox.id, MailboxId::from_raw(NOTHING));
    let all = terms(Rights::ALL);
    alike!(foreign, nothing, |id| desk.mailbox(acting, id).await);
    alike!(foreign, nothing, |id| desk.mailbox_activity(acting, id, None, 10).await);
    alike!(foreign, nothing, |id| desk.suspend_mailbox(acting, id).await);
    alike!(foreign, nothing, |id| desk.resume_mailbox(acting, id).await);
    alike!(foreign, nothing, |id| desk.delete_mailbox(acting, id).await);
    alike!(foreign, nothing, |id| desk.aliases(acting, id).await);
    alike!(foreign, nothing, |id| desk
        .create_alias(acting, id, "a@example.org")
        .await);
    alike!(foreign, nothing, |id| desk.grants_on(acting, id).await);
    alike!(foreign, nothing, |id| desk.grant(acting, id, sophie).await);
    alike!(foreign, nothing, |id| desk.give_grant(acting, id, sophie, &all).await);
    alike!(foreign, nothing, |id| desk.withdraw_grant(acting, id, sophie).await);
    alike!(foreign, nothing, |id| desk.ending_with_grant(acting, id, sophie).await);
    alike!(foreign, nothing, |id| desk.live_sessions(acting, Some(id)).await);
    alike!(foreign, nothing, |id| desk.revoke_devices(acting, id, &[]).await);
    alike!(foreign, nothing, |id| desk
        .add_device(acting, id, DeviceSpec::default())
        .await);
    alike!(foreign, nothing, |id| {
        let query = DeviceQuery {
            mailbox: Some(id),
            limit: 1,
            ..DeviceQuery::default()
        };
        desk.devices(acting, &query).await
    });
    alike!(foreign, nothing, |id| {
        let spec = InviteSpec {
            address: "a@private.example".to_owned(),
            role: Role::Member,
            grants: vec![(id, all)],
            language: Language::English,
            by_mail: false,
        };
        desk.invite(acting, spec).await
    });
}

#[tokio::test]
async fn a_foreign_device_or_live_session_is_an_unknown_one() {
    let Beside {
        world,
        acting,
        contact,
        mailbox,
        device,
        ..
    } = &beside().await;
    let desk = &world.desk;
    let own = world.device(contact, "CRM", None).await;
    let (foreign, nothing) = (device.id, DeviceId::from_raw(NOTHING));
    alike!(foreign, nothing, |id| desk.device(acting, id).await);
    alike!(foreign, nothing, |id| desk.replace_device(acting, id).await);
    alike!(foreign, nothing, |id| desk
        .edit_device(acting, id, DeviceEdit::default())
        .await);
    alike!(foreign, nothing, |id| desk
        .change_device(acting, id, DeviceChange::Revoke)
        .await);
    alike!(foreign, nothing, |id| desk
        .revoke_devices(acting, contact.id, &[own.id, id])
        .await);

    let live = world.registry.register(SessionInfo {
        device: device.id,
        label: "CRM".into(),
        mailbox: mailbox.id,
        address: mailbox.address.clone(),
        protocol: Protocol::Smtp,
        peer: visitor().ip,
        since: START,
        expires_at: None,
        client: None,
        route: "default".into(),
        is_trial: false,
    });
    alike!(live.id(), SessionId(u64::MAX), |id| desk
        .end_live_session(acting, id)
        .await);
    assert_eq!(desk.live_sessions(acting, None).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_foreign_person_is_an_unknown_one() {
    let Beside {
        world,
        acting,
        signed_in,
        contact,
        otto,
        ..
    } = &beside().await;
    let desk = &world.desk;
    let (foreign, nothing) = (otto.id, UserId::from_raw(NOTHING));
    let all = terms(Rights::ALL);
    alike!(foreign, nothing, |id| desk.member(acting, id).await);
    alike!(foreign, nothing, |id| desk.grants_of(acting, id).await);
    alike!(foreign, nothing, |id| desk.remove_member(acting, id, Role::Owner).await);
    alike!(foreign, nothing, |id| desk.ending_with_member(acting, id).await);
    alike!(foreign, nothing, |id| desk
        .give_grant(acting, contact.id, id, &all)
        .await);
    alike!(foreign, nothing, |id| desk.withdraw_grant(acting, contact.id, id).await);
    alike!(foreign, nothing, |id| {
        let outcome = desk.set_role(acting, id, Role::Owner, Role::Member).await;
        outcome.map_err(|error| without(error, id))
    });
    alike!(foreign, nothing, |id| {
        let spec = DeviceSpec {
            label: "x".to_owned(),
            user: Some(id),
            ..DeviceSpec::default()
        };
        let outcome = desk.add_device(acting, contact.id, spec).await;
        outcome.map_err(|error| without(error, id))
    });
    let ottos = world.signed_in(otto).await;
    let nothing = ConsoleSessionId::from_raw(NOTHING);
    alike!(ottos.session.id, nothing, |id| desk.end_my_session(signed_in, id).await);
}

#[tokio::test]
async fn whatever_else_is_foreign_is_unknown_too() {
    let Beside {
        world,
        acting,
        contact,
        other,
        otto,
        mailbox,
        ..
    } = &beside().await;
    let (desk, directory) = (&world.desk, world.directory());
    let aliases = directory.aliases(Some(mailbox.id), None).await.unwrap();
    let nothing = AliasId::from_raw(NOTHING);
    alike!(aliases[0].id, nothing, |id| desk
        .delete_alias(acting, contact.id, id)
        .await);
    let domains = directory.domains(Some(other.id)).await.unwrap();
    let nothing = DomainId::from_raw(NOTHING);
    alike!(domains[0].id, nothing, |id| desk.delete_domain(acting, id).await);

    let invite = Invite {
        address: "b@private.example".to_owned(),
        role: Role::Member,
        grants: Vec::new(),
        language: Language::English,
        invited_by: "Otto".to_owned(),
    };
    let (invitation, _) = directory.invite(&world.machine, other.id, invite).await.unwrap();
    let (foreign, nothing) = (invitation.id, InvitationId::from_raw(NOTHING));
    alike!(foreign, nothing, |id| desk.invitation(acting, id).await);
    alike!(foreign, nothing, |id| desk.renew_invitation(acting, id, false).await);
    alike!(foreign, nothing, |id| desk.withdraw_invitation(acting, id).await);

    let spec = TokenSpec {
        name: "CRM".to_owned(),
        role: Role::Owner,
        scope: TokenScope::Write,
        expires_at: START.plus(Duration::from_secs(3600)),
    };
    let made = directory.create_token(&world.machine, other.id, otto.id, spec).await;
    let (token, _) = made.unwrap();
    alike!(token.id, TokenId::from_raw(NOTHING), |id| {
        let outcome = desk.revoke_token(acting, id).await;
        outcome.map_err(|error| without(error, id))
    });

    let last = world.last_row().await;
    let filter = AuditFilter {
        org: Some(other.id),
        limit: 1,
        ..AuditFilter::default()
    };
    let rows = directory.audit(&filter).await.unwrap();
    alike!(rows[0].number, last + 1000, |number| desk
        .activity_entry(acting, number)
        .await);
}

/// An answer may repeat the id that was given, and nothing else about it.
fn without(error: Error, id: impl std::fmt::Display) -> Error {
    match error {
        Error::Store(crate::store::Error::NotFound(text)) => {
            Error::Store(crate::store::Error::NotFound(text.replace(&id.to_string(), "ID")))
        }
        Error::Store(crate::store::Error::Refused(text)) => {
            Error::Store(crate::store::Error::Refused(text.replace(&id.to_string(), "ID")))
        }
        other => other,
    }
}

#[tokio::test]
async fn an_address_in_a_domain_of_another_organisation_is_one_in_an_unknown_domain() {
    let world = world().await;
    world.other_org().await;
    let acting = world.acting(&world.sophie).await;
    let contact = world.mailbox("contact").await;
    let told = |domain: &str| format!("the mail domain {domain} is not known here; add it to an organisation first");
    for domain in ["other.example", "nothing.example"] {
        let address = format!("info@{domain}");
        assert_eq!(
            super::told(world.desk.create_mailbox(&acting, &address).await),
            told(domain)
        );
        assert_eq!(
            super::told(world.desk.create_alias(&acting, contact.id, &address).await),
            told(domain)
        );
    }
    let near = super::told(world.desk.create_mailbox(&acting, "info@exmaple.org").await);
    assert!(near.ends_with("; did you mean example.org?"), "{near}");
    let near = super::told(world.desk.create_mailbox(&acting, "info@othre.example").await);
    assert!(!near.contains("mean"), "{near}");
}

#[tokio::test]
async fn lists_numbers_and_searches_stay_within_the_organisation() {
    let world = world().await;
    world.other_org().await;
    let acting = world.acting(&world.sophie).await;
    let overview = world.desk.overview(&acting, START).await.unwrap();
    assert_eq!((overview.mailboxes, overview.devices, overview.people), (1, 0, 1));
    for text in ["info", "hello", "CRM", "Otto", "other"] {
        assert_eq!(world.desk.search(&acting, text, 10).await.unwrap(), [], "{text}");
    }
    let activity = world
        .desk
        .activity(
            &acting,
            AuditFilter {
                limit: 1000,
                ..AuditFilter::default()
            },
        )
        .await
        .unwrap();
    assert!(activity.rows.iter().all(|row| row.org == Some(world.acme.id)));
    let asked = AuditFilter {
        org: Some(OrgId::from_raw(NOTHING)),
        limit: 10,
        ..AuditFilter::default()
    };
    assert!(
        !world.desk.activity(&acting, asked).await.unwrap().rows.is_empty(),
        "the filter's own is overruled"
    );
}
