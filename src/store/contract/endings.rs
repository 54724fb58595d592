//! What ends with a grant, with a membership, and by itself.

use std::time::Duration;

use super::*;
use crate::model::{DeviceState, UserId};
use crate::store::{ChangeKind, EndReason, Ending, Keep, NewConsoleSession, NewToken, Proof, SessionEnds, Tidied};

fn console(user: &User, number: u8, proof: Proof, ends: Timestamp) -> NewConsoleSession {
    NewConsoleSession {
        user: user.id,
        hash: token(number),
        proof,
        ends: SessionEnds {
            idle_at: ends,
            at: ends,
        },
        origin: "192.0.2.7".into(),
        browser: "Firefox".into(),
        verified: None,
    }
}

/// Lucie may add devices of her own to info@ and sales@ and send as info@. She has a phone on each, sales@ has a CRM that
/// belongs to nobody and a phone of Sophie.
struct Office {
    world: World,
    on_info: Device,
    on_sales: Device,
    crm: Device,
    sophies: Device,
}

async fn office(store: &dyn Store) -> Office {
    let world = world(store).await;
    for (mailbox, rights) in [
        (&world.info, "add-own-devices,send-as"),
        (&world.sales, "add-own-devices"),
    ] {
        store
            .give_grant(&actor(), world.acme, mailbox.id, world.lucie.id, &terms(rights))
            .await
            .unwrap();
    }
    Office {
        on_info: add_for(store, &world.info, &world.lucie, "iPhone", 1).await,
        on_sales: add_for(store, &world.sales, &world.lucie, "iPhone", 1).await,
        crm: add(store, &world.info, "CRM", 2).await,
        sophies: add_for(store, &world.info, &world.sophie, "Sophie's iPhone", 3).await,
        world,
    }
}

fn ids(ending: &Ending) -> (Vec<String>, Vec<String>) {
    let shown = |rows: &[crate::store::DeviceRow]| {
        rows.iter()
            .map(|row| format!("{}/{}", row.address, row.device.label))
            .collect()
    };
    (shown(&ending.devices), shown(&ending.narrowed))
}

/// Accesses, tokens, console sessions that end, and those that stay.
fn tally(ending: &Ending) -> (usize, u32, u32, u32) {
    let sessions = (ending.sessions_ending, ending.sessions_staying);
    (ending.grants.len(), ending.tokens, sessions.0, sessions.1)
}

fn ended(device: &Device, reason: EndReason) -> ChangeKind {
    ChangeKind::DeviceEnded {
        device: device.id,
        mailbox: device.mailbox,
        reason,
    }
}

async fn kinds(store: &dyn Store) -> Vec<ChangeKind> {
    changes(store).await.into_iter().map(|change| change.kind).collect()
}

pub(in crate::store) async fn withdrawing_a_grant_revokes_exactly_the_devices_of_that_person(backend: &Backend) {
    let store = &*backend.store;
    let office = office(store).await;
    let (acme, info, lucie) = (office.world.acme, office.world.info.id, office.world.lucie.id);
    let later = START.plus(Duration::from_secs(60));
    store
        .open_session(&actor(), &console(&office.world.lucie, 1, Proof::Code, later))
        .await
        .unwrap();
    let preview = store.ending_with(acme, lucie, Some(info)).await.unwrap();
    let told = (
        vec!["info@example.org/iPhone".to_owned()],
        vec!["sales@example.org/iPhone".to_owned()],
    );
    assert_eq!(ids(&preview), told);
    assert_eq!(preview.grants.len(), 1);
    assert_eq!(
        (preview.tokens, preview.sessions_ending, preview.sessions_staying),
        (0, 0, 1)
    );
    assert_eq!(changes(store).await, [], "looking changes nothing");

    let done = store.withdraw_grant(&actor(), acme, info, lucie).await.unwrap();
    assert_eq!(done.what, preview, "what was shown is what happened");
    assert_eq!(
        kinds(store).await,
        [
            ended(&office.on_info, EndReason::Revoked),
            ended(&office.on_sales, EndReason::Narrowed)
        ]
    );
    assert_eq!(store.latest_change().await.unwrap(), done.seq);
    let read = async |device: &Device| store.device(device.id).await.unwrap().unwrap();
    assert_eq!(read(&office.on_info).await.state, DeviceState::Revoked(START));
    assert_eq!(read(&office.on_sales).await.state, DeviceState::Active);
    for device in [&office.crm, &office.sophies] {
        assert_eq!(read(device).await, *device, "nobody else's device is touched");
    }
    assert!(store.session(&token(1)).await.unwrap().is_some());
    let log = store
        .audit_rows(&AuditFilter {
            mailbox: Some(info),
            limit: 2,
            ..AuditFilter::default()
        })
        .await
        .unwrap();
    let told: Vec<_> = log
        .iter()
        .map(|row| (row.action.as_str(), row.subject.as_str()))
        .collect();
    let phone = office.on_info.id.to_string();
    assert_eq!(
        told,
        [
            ("device.revoke", phone.as_str()),
            ("grant.withdraw", "lucie@private.example")
        ]
    );
    not_found(store.withdraw_grant(&actor(), acme, info, lucie).await, "has no access");
    not_found(store.ending_with(acme, lucie, Some(info)).await, "has no access");
    not_found(
        store
            .ending_with(office.world.other, lucie, Some(office.world.sales.id))
            .await,
        "has no access",
    );
}

pub(in crate::store) async fn removing_a_member_ends_what_is_theirs_here(backend: &Backend) {
    let store = &*backend.store;
    let office = office(store).await;
    let world = &office.world;
    let (acme, lucie) = (world.acme, world.lucie.id);
    let later = START.plus(Duration::from_secs(60));
    store
        .add_member(&actor(), world.other, lucie, Role::Administrator)
        .await
        .unwrap();
    let elsewhere = add_for(store, &world.foreign, &world.lucie, "iPhone", 1).await;
    store
        .open_session(&actor(), &console(&world.lucie, 1, Proof::Password, later))
        .await
        .unwrap();
    let new = NewToken {
        user: lucie,
        name: "Script".into(),
        hash: token(9),
        role: Role::Member,
        scope: crate::model::TokenScope::Read,
        expires_at: None,
    };
    store.create_token(&actor(), acme, &new).await.unwrap();

    let preview = store.ending_with(acme, lucie, None).await.unwrap();
    let told = (
        vec![
            "info@example.org/iPhone".to_owned(),
            "sales@example.org/iPhone".to_owned(),
        ],
        Vec::new(),
    );
    assert_eq!(ids(&preview), told, "nothing of the other organisation");
    assert_eq!(tally(&preview), (2, 1, 0, 1));
    let done = store.remove_member(&actor(), acme, lucie, Role::Member).await.unwrap();
    assert_eq!(done.what, preview);
    assert_eq!(
        kinds(store).await,
        [
            ended(&office.on_info, EndReason::Revoked),
            ended(&office.on_sales, EndReason::Revoked),
        ]
    );
    assert!(store.epoch(elsewhere.id, elsewhere.mailbox).await.unwrap().is_some());
    assert_eq!(store.standing(acme, lucie, None).await.unwrap(), None);
    assert_eq!(store.grants_of(None, lucie, None, 9).await.unwrap(), []);
    assert_eq!(store.token(&token(9)).await.unwrap(), None);
    assert!(
        store.session(&token(1)).await.unwrap().is_some(),
        "she is still somewhere"
    );
    for device in [&office.crm, &office.sophies] {
        assert_eq!(store.device(device.id).await.unwrap().unwrap(), *device);
    }
    not_found(
        store.remove_member(&actor(), acme, lucie, Role::Member).await,
        "there is no member",
    );
    not_found(store.ending_with(acme, lucie, None).await, "there is no member");

    let preview = store.ending_with(world.other, lucie, None).await.unwrap();
    assert_eq!((preview.sessions_ending, preview.sessions_staying), (1, 0));
    store
        .remove_member(&actor(), world.other, lucie, Role::Administrator)
        .await
        .unwrap();
    assert_eq!(store.session(&token(1)).await.unwrap(), None, "her last organisation");
    assert!(store.user(lucie).await.unwrap().is_some(), "she is still a user");
}

/// Sophie, who owns everything with Lucie, has a phone on each mailbox; on sales@ she has an access as well, and on info@ one
/// that ends at this moment. Gives the phone on sales@.
async fn sophie_has_phones_everywhere(store: &dyn Store, world: &World, end: Timestamp) -> Device {
    let sophie = &world.sophie;
    for (mailbox, ends_at) in [(&world.sales, None), (&world.info, Some(end))] {
        let terms = GrantTerms {
            ends_at,
            ..terms("see-devices")
        };
        store
            .give_grant(&actor(), world.acme, mailbox.id, sophie.id, &terms)
            .await
            .unwrap();
    }
    let later = end.plus(Duration::from_secs(60));
    store
        .open_session(&actor(), &console(sophie, 1, Proof::Code, later))
        .await
        .unwrap();
    store
        .set_role(&actor(), world.acme, world.lucie.id, Role::Member, Role::Owner)
        .await
        .unwrap();
    add_for(store, &world.sales, sophie, "Sophie's iPhone", 4).await
}

pub(in crate::store) async fn a_lower_role_ends_devices_that_only_the_old_one_reached(backend: &Backend) {
    let store = &*backend.store;
    let office = office(store).await;
    let world = &office.world;
    let (acme, info, sophie) = (world.acme, world.info.id, world.sophie.id);
    let later = START.plus(Duration::from_secs(60));
    let granted = sophie_has_phones_everywhere(store, world, later).await;
    backend.clock.advance(Duration::from_secs(60));

    for to in [Role::Administrator, Role::MailboxManager] {
        let preview = store.ending_with_role(acme, sophie, to).await.unwrap();
        assert_eq!(preview.devices, [], "{to} reaches every mailbox");
    }
    let preview = store.ending_with_role(acme, sophie, Role::Auditor).await.unwrap();
    let told = (vec!["info@example.org/Sophie's iPhone".to_owned()], vec![]);
    assert_eq!(ids(&preview), told);
    assert_eq!(tally(&preview), (0, 0, 0, 1));
    assert_eq!(changes(store).await, [], "looking changes nothing");

    let set = async |from, to| store.set_role(&actor(), acme, sophie, from, to).await.unwrap();
    let higher = set(Role::Owner, Role::MailboxManager).await;
    assert_eq!((higher.ended.what.devices, changes(store).await), (vec![], vec![]));
    let changed = set(Role::MailboxManager, Role::Auditor).await;
    assert_eq!(changed.member.role, Role::Auditor);
    assert_eq!(changed.ended.what, preview, "what was shown is what happened");
    assert_eq!(kinds(store).await, [ended(&office.sophies, EndReason::Revoked)]);
    assert_eq!(store.latest_change().await.unwrap(), changed.ended.seq);
    let read = async |device: &Device| store.device(device.id).await.unwrap().unwrap();
    assert_eq!(read(&office.sophies).await.state, DeviceState::Revoked(later));
    for device in [&granted, &office.crm, &office.on_info, &office.on_sales] {
        assert_eq!(read(device).await, *device, "nothing else is touched");
    }
    assert!(store.session(&token(1)).await.unwrap().is_some());
    let log = store
        .audit_rows(&AuditFilter {
            limit: 2,
            ..AuditFilter::default()
        })
        .await
        .unwrap();
    let told: Vec<_> = log.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(told, ["device.revoke", "member.role"]);
    assert_eq!((log[0].mailbox, &log[1].detail["devices"]), (Some(info), &1.into()));
    // From auditor to member nothing more is lost.
    let changed = set(Role::Auditor, Role::Member).await;
    assert_eq!(changed.ended.what.devices, []);
}

pub(in crate::store) async fn ids_of_another_organisation_are_unknown(backend: &Backend) {
    let store = &*backend.store;
    let office = office(store).await;
    let world = &office.world;
    let (other, lucie) = (world.other, world.lucie.id);
    let before = actions(store).await;
    let told = async |error: Error, unknown: Error| {
        let plain = |error: Error| match error {
            Error::NotFound(text) => text,
            error => panic!("{error:?}"),
        };
        let nobody = UserId::from_raw(1).to_string();
        let (error, unknown) = (plain(error), plain(unknown));
        assert_eq!(error.replace(&lucie.to_string(), &nobody), unknown);
    };
    let nobody = UserId::from_raw(1);
    let remove = async |user| {
        store
            .remove_member(&actor(), other, user, Role::Member)
            .await
            .unwrap_err()
    };
    told(remove(lucie).await, remove(nobody).await).await;
    let role = async |user| {
        store
            .set_role(&actor(), other, user, Role::Member, Role::Owner)
            .await
            .unwrap_err()
    };
    told(role(lucie).await, role(nobody).await).await;
    let lower = async |user| store.ending_with_role(other, user, Role::Member).await.unwrap_err();
    told(lower(lucie).await, lower(nobody).await).await;
    let preview = async |user| store.ending_with(other, user, None).await.unwrap_err();
    told(preview(lucie).await, preview(nobody).await).await;
    let give = async |user| {
        store
            .give_grant(&actor(), other, world.foreign.id, user, &terms("send-as"))
            .await
            .unwrap_err()
    };
    told(give(lucie).await, give(nobody).await).await;
    let withdraw = async |user| {
        store
            .withdraw_grant(&actor(), other, world.info.id, user)
            .await
            .unwrap_err()
    };
    told(withdraw(lucie).await, withdraw(nobody).await).await;
    assert_eq!(store.member(other, lucie).await.unwrap(), None);
    assert_eq!(store.mailbox_in(other, world.info.id).await.unwrap(), None);
    assert_eq!(store.device_in(other, office.crm.id).await.unwrap(), None);
    assert_eq!(store.grants_of(Some(other), lucie, None, 9).await.unwrap(), []);
    assert_eq!(actions(store).await, before);
    assert_eq!(changes(store).await, []);
}

pub(in crate::store) async fn what_ended_is_tidied_away_and_due_grants_are_withdrawn(backend: &Backend) {
    let store = &*backend.store;
    let office = office(store).await;
    let world = &office.world;
    let (acme, info, lucie) = (world.acme, world.info.id, world.lucie.id);
    let soon = START.plus(Duration::from_secs(60));
    let until = GrantTerms {
        ends_at: Some(soon),
        ..terms("add-own-devices,send-as")
    };
    store
        .change_grant(&actor(), acme, info, lucie, &terms("add-own-devices,send-as"), &until)
        .await
        .unwrap();
    for (number, proof) in [(1, Proof::Code), (2, Proof::Half)] {
        store
            .open_session(&actor(), &console(&world.lucie, number, proof, soon))
            .await
            .unwrap();
    }
    store.create_reset(&actor(), lucie, &token(3), soon).await.unwrap();
    let tidy = async |kept_since, limit| store.tidy_people(&Actor::daemon(), kept_since, limit).await.unwrap();
    backend.clock.advance(Duration::from_millis(59_999));
    assert_eq!(tidy(START, 10).await, Tidied::default());
    backend.clock.advance(Duration::from_millis(1));
    let tidied = Tidied {
        grants: 1,
        sessions: 1,
        resets: 1,
        ..Tidied::default()
    };
    assert_eq!(tidy(START, 1).await, tidied);
    assert_eq!(
        tidy(START, 1).await,
        Tidied {
            sessions: 1,
            ..Tidied::default()
        }
    );
    assert_eq!(tidy(START, 1).await, Tidied::default());
    assert_eq!(
        kinds(store).await,
        [
            ended(&office.on_info, EndReason::Revoked),
            ended(&office.on_sales, EndReason::Narrowed)
        ]
    );
    assert_eq!(store.grant(acme, info, lucie).await.unwrap(), None);
    let rows = store
        .audit_rows(&AuditFilter {
            who: Some("daemon".into()),
            limit: 9,
            ..AuditFilter::default()
        })
        .await
        .unwrap();
    let told: Vec<_> = rows.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(told, ["device.revoke", "grant.withdraw"]);
    assert_eq!(rows[1].detail["ends_at"], soon.rfc3339());
    assert_eq!(store.end_sessions(&actor(), lucie, Keep::None).await.unwrap(), 0);
}
