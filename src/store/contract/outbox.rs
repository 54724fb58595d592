//! Mails that wait, are sent, or were.

use std::time::Duration;

use super::*;
use crate::model::{InvitationId, MailId, MailKind, MailState};
use crate::store::outbox::MAIL_ERROR_MAX;
use crate::store::{Accepting, AfterFailure, DueMail, MailBacklog, MailFilter, NewInvitation, NewMail};

const LEASE: Duration = Duration::from_secs(60);
const MINUTE: Duration = Duration::from_secs(60);

fn new_mail(recipient: &str) -> NewMail {
    NewMail {
        kind: MailKind::Invitation,
        org: Some(OrgId::from_raw(5)),
        invitation: None,
        link: None,
        recipient: address(recipient),
        language: Language::French,
        sealed: b"sealed".to_vec(),
        useful_until: Some(START.plus(Duration::from_secs(3600))),
    }
}

async fn put(store: &dyn Store, recipient: &str) -> MailId {
    store.put_mail(&new_mail(recipient)).await.unwrap()
}

/// A mail that brings an invitation.
async fn put_with(store: &dyn Store, invitation: InvitationId, recipient: &str) -> MailId {
    let mail = NewMail {
        invitation: Some(invitation),
        ..new_mail(recipient)
    };
    store.put_mail(&mail).await.unwrap()
}

async fn take(store: &dyn Store) -> Vec<DueMail> {
    store.take_due_mails(LEASE, 10).await.unwrap()
}

async fn state(store: &dyn Store, id: MailId) -> MailState {
    store.mail(id).await.unwrap().unwrap().state
}

pub(in crate::store) async fn a_mail_is_taken_with_all_that_was_put_and_is_over_when_sent(backend: &Backend) {
    let store = &*backend.store;
    let id = put_with(store, InvitationId::from_raw(7), "lucie@private.test").await;
    let shown = store.mail(id).await.unwrap().unwrap();
    assert_eq!(shown.state, MailState::Queued { next_at: START });
    assert_eq!((shown.kind, shown.language), (MailKind::Invitation, Language::French));
    assert_eq!(
        (shown.org, shown.invitation),
        (Some(OrgId::from_raw(5)), Some(InvitationId::from_raw(7)))
    );
    assert_eq!((shown.attempts, shown.last_error), (0, None));

    backend.clock.advance(MINUTE);
    let taken = take(store).await;
    let [mail] = &taken[..] else { panic!("{taken:?}") };
    let put = new_mail("lucie@private.test");
    assert_eq!((mail.id, mail.attempt, mail.created_at), (id, 1, START));
    assert_eq!((mail.kind, mail.org, mail.language), (put.kind, put.org, put.language));
    assert_eq!(
        (&mail.recipient, &mail.sealed, mail.useful_until),
        (&put.recipient, &put.sealed, put.useful_until)
    );

    store.mail_sent(id).await.unwrap();
    assert_eq!(state(store, id).await, MailState::Sent(START.plus(MINUTE)));
    assert_eq!(store.mail_backlog().await.unwrap(), MailBacklog::default());
    backend.clock.advance(LEASE);
    assert!(take(store).await.is_empty());
}

pub(in crate::store) async fn the_longest_due_mail_is_taken_first_and_no_more_than_asked(backend: &Backend) {
    let store = &*backend.store;
    let mut put_first = Vec::new();
    for name in ["a", "b", "c"] {
        put_first.push(put(store, &format!("{name}@private.test")).await);
        backend.clock.advance(Duration::from_secs(1));
    }
    // The first one is due again later than the others.
    let [first] = &store.take_due_mails(LEASE, 1).await.unwrap()[..] else {
        panic!("nothing was due")
    };
    assert_eq!(first.id, put_first[0]);
    let later = AfterFailure::RetryAt(START.plus(Duration::from_secs(5)));
    assert!(store.mail_failed(first.id, 1, "not now", later).await.unwrap());
    backend.clock.advance(MINUTE);
    let taken = take(store).await;
    let order: Vec<_> = taken.iter().map(|mail| mail.id).collect();
    assert_eq!(order, [put_first[1], put_first[2], put_first[0]]);
}

pub(in crate::store) async fn a_mail_with_a_link_goes_before_all_that_tell_of_changes(backend: &Backend) {
    let store = &*backend.store;
    let notice = NewMail {
        useful_until: None,
        ..new_mail("told@private.test")
    };
    let told = [
        store.put_mail(&notice).await.unwrap(),
        store.put_mail(&notice).await.unwrap(),
    ];
    backend.clock.advance(MINUTE);
    let link = put(store, "lucie@private.test").await;
    let [first] = &store.take_due_mails(LEASE, 1).await.unwrap()[..] else {
        panic!("nothing was due")
    };
    assert_eq!(first.id, link);
    let rest: Vec<_> = take(store).await.iter().map(|mail| mail.id).collect();
    assert_eq!(rest, told);
}

pub(in crate::store) async fn a_taken_mail_is_nobody_elses_until_its_lease_is_over(backend: &Backend) {
    let (store, other) = (&*backend.store, &*backend.other);
    let id = put(store, "lucie@private.test").await;
    assert_eq!(take(store).await.len(), 1);
    assert!(take(other).await.is_empty());
    let backlog = MailBacklog {
        queued: 1,
        due_at: Some(START.plus(LEASE)),
    };
    assert_eq!(other.mail_backlog().await.unwrap(), backlog);
    // Its taker died: the next one has another number.
    backend.clock.advance(LEASE);
    let taken = take(other).await;
    assert_eq!((taken[0].id, taken[0].attempt), (id, 2));
}

pub(in crate::store) async fn two_processes_never_take_the_same_mail(backend: &Backend) {
    let (store, other) = (&*backend.store, &*backend.other);
    for number in 0..20 {
        put(store, &format!("p{number}@private.test")).await;
    }
    let one_by_one = async |store: &dyn Store| {
        let mut taken = Vec::new();
        while let Some(mail) = store.take_due_mails(LEASE, 1).await.unwrap().pop() {
            taken.push(mail.id);
        }
        taken
    };
    let (ours, theirs) = tokio::join!(one_by_one(store), one_by_one(other));
    let mut all: Vec<_> = ours.iter().chain(&theirs).collect();
    all.sort();
    all.dedup();
    assert_eq!((all.len(), ours.len() + theirs.len()), (20, 20));
}

pub(in crate::store) async fn a_failed_mail_waits_for_its_next_attempt_and_is_given_up_for_good(backend: &Backend) {
    let store = &*backend.store;
    let id = put(store, "lucie@private.test").await;
    take(store).await;
    let next_at = START.plus(MINUTE);
    let later = AfterFailure::RetryAt(next_at);
    assert!(store.mail_failed(id, 1, "450 4.2.0 busy", later).await.unwrap());
    let shown = store.mail(id).await.unwrap().unwrap();
    assert_eq!(shown.state, MailState::Queued { next_at });
    assert_eq!(
        (shown.attempts, shown.last_error.as_deref()),
        (1, Some("450 4.2.0 busy"))
    );
    // Before its time it is nobody's, lease or not.
    backend.clock.advance(MINUTE - Duration::from_millis(1));
    assert!(take(store).await.is_empty());
    backend.clock.advance(Duration::from_millis(1));
    assert_eq!(take(store).await[0].attempt, 2);
    let given_up = store.mail_failed(id, 2, "550 5.1.1 nobody", AfterFailure::GiveUp);
    assert!(given_up.await.unwrap());
    let shown = store.mail(id).await.unwrap().unwrap();
    assert_eq!(shown.state, MailState::Failed(next_at));
    assert_eq!(shown.last_error.as_deref(), Some("550 5.1.1 nobody"));
    backend.clock.advance(LEASE * 100);
    assert!(take(store).await.is_empty());
}

pub(in crate::store) async fn a_failure_that_is_told_late_changes_nothing(backend: &Backend) {
    let (store, other) = (&*backend.store, &*backend.other);
    let id = put(store, "lucie@private.test").await;
    take(store).await;
    backend.clock.advance(LEASE);
    take(other).await;
    for then in [AfterFailure::GiveUp, AfterFailure::RetryAt(START)] {
        assert!(!store.mail_failed(id, 1, "too late", then).await.unwrap());
    }
    assert!(take(store).await.is_empty(), "it is the other's");
    // But that it was sent is true whoever says so.
    store.mail_sent(id).await.unwrap();
    assert!(!other.mail_failed(id, 2, "timeout", AfterFailure::GiveUp).await.unwrap());
    assert!(matches!(state(store, id).await, MailState::Sent(_)));
}

pub(in crate::store) async fn waiting_mails_can_be_hurried_but_not_those_under_way(backend: &Backend) {
    let store = &*backend.store;
    let (waiting, under_way) = (put(store, "a@private.test").await, put(store, "b@private.test").await);
    take(store).await;
    let later = AfterFailure::RetryAt(START.plus(MINUTE * 30));
    store.mail_failed(waiting, 1, "not now", later).await.unwrap();
    assert_eq!(store.hurry_mails().await.unwrap(), 1);
    let taken: Vec<_> = take(store).await.iter().map(|mail| mail.id).collect();
    assert_eq!(taken, [waiting]);
    assert!(store.mail_failed(under_way, 1, "not now", later).await.unwrap());
}

pub(in crate::store) async fn a_withdrawn_mail_is_not_sent_unless_it_was_under_way(backend: &Backend) {
    let store = &*backend.store;
    let (waiting, under_way) = (put(store, "a@private.test").await, put(store, "b@private.test").await);
    let by = actor();
    store.withdraw_mail(&by, waiting).await.unwrap();
    refused(
        store.withdraw_mail(&by, waiting).await,
        "does not wait any more: it is withdrawn",
    );
    not_found(store.withdraw_mail(&by, MailId::from_raw(1)).await, "there is no mail");
    assert_eq!(actions(store).await, ["mail.withdraw"]);
    assert_eq!(state(store, waiting).await, MailState::Withdrawn(START));
    let taken = take(store).await;
    assert_eq!(taken.len(), 1);
    store.withdraw_mail(&by, under_way).await.unwrap();
    // Withdrawn stays withdrawn when the attempt fails, and what was sent was sent.
    let again = AfterFailure::RetryAt(START);
    assert!(!store.mail_failed(under_way, 1, "not now", again).await.unwrap());
    assert_eq!(state(store, under_way).await, MailState::Withdrawn(START));
    store.mail_sent(under_way).await.unwrap();
    assert_eq!(state(store, under_way).await, MailState::Sent(START));
    refused(store.withdraw_mail(&by, under_way).await, "it is sent");
}

pub(in crate::store) async fn an_invitation_takes_its_waiting_mails_along(backend: &Backend) {
    let store = &*backend.store;
    let (ours, theirs) = (InvitationId::from_raw(7), InvitationId::from_raw(8));
    let first = put_with(store, ours, "a@private.test").await;
    store.mail_sent(first).await.unwrap();
    let second = put_with(store, ours, "a@private.test").await;
    let third = put_with(store, ours, "a@private.test").await;
    let other = put_with(store, theirs, "b@private.test").await;
    assert_eq!(
        state(store, second).await,
        MailState::Withdrawn(START),
        "sent again before it was sent"
    );
    assert_eq!(store.withdraw_mails_of(ours).await.unwrap(), 1);
    assert_eq!(state(store, first).await, MailState::Sent(START));
    assert_eq!(state(store, third).await, MailState::Withdrawn(START));
    assert_eq!(state(store, other).await, MailState::Queued { next_at: START });
}

pub(in crate::store) async fn an_invitation_is_sent_when_its_mail_is(backend: &Backend) {
    let store = &*backend.store;
    let acme = org(store, "Acme", "example.org").await;
    let invite = async |number: u8| {
        let new = NewInvitation {
            address: address(&format!("p{number}@private.test")),
            role: Role::Auditor,
            grants: Vec::new(),
            language: Language::French,
            invited_by: "Sophie".to_owned(),
            link: token(number),
            expires_at: START.plus(MINUTE),
        };
        store.create_invitation(&actor(), acme.id, &new).await.unwrap()
    };
    let sent_at = async |id| store.invitation(acme.id, id).await.unwrap().unwrap().sent_at;
    let (sent, withdrawn, accepted) = (invite(1).await, invite(2).await, invite(3).await);
    let mails = [
        put_with(store, sent.id, "p1@private.test").await,
        put_with(store, withdrawn.id, "p2@private.test").await,
        put_with(store, accepted.id, "p3@private.test").await,
    ];
    backend.clock.advance(Duration::from_secs(1));
    store.mail_sent(mails[0]).await.unwrap();
    assert_eq!(sent_at(sent.id).await, Some(START.plus(Duration::from_secs(1))));
    // What leads nowhere any more is not sent.
    store
        .withdraw_invitation(&actor(), acme.id, withdrawn.id)
        .await
        .unwrap();
    let who = Accepting::New {
        name: "Lucie".to_owned(),
        language: Language::French,
        password: password("x"),
    };
    store.accept_invitation(&actor(), &token(3), &who).await.unwrap();
    for mail in &mails[1..] {
        assert!(matches!(state(store, *mail).await, MailState::Withdrawn(_)));
    }
    assert_eq!(sent_at(withdrawn.id).await, None);
}

pub(in crate::store) async fn mails_are_listed_newest_first(backend: &Backend) {
    let store = &*backend.store;
    let ours = put_with(store, InvitationId::from_raw(7), "a@private.test").await;
    store.mail_sent(ours).await.unwrap();
    let others = NewMail {
        org: None,
        ..new_mail("b@private.test")
    };
    let theirs = store.put_mail(&others).await.unwrap();
    let newest = put_with(store, InvitationId::from_raw(7), "c@private.test").await;
    let found = async |filter: MailFilter| -> Vec<MailId> {
        let filter = MailFilter {
            limit: filter.limit.max(1) + 1,
            ..filter
        };
        let mails = store.mails(&filter).await.unwrap();
        mails.into_iter().map(|mail| mail.id).collect()
    };
    let any = MailFilter {
        limit: 9,
        ..MailFilter::default()
    };
    assert_eq!(found(any.clone()).await, [newest, theirs, ours]);
    assert_eq!(
        found(MailFilter::default()).await,
        [newest, theirs],
        "two are asked for"
    );
    let org = Some(OrgId::from_raw(5));
    assert_eq!(found(MailFilter { org, ..any.clone() }).await, [newest, ours]);
    let invitation = Some(InvitationId::from_raw(7));
    assert_eq!(
        found(MailFilter {
            invitation,
            ..any.clone()
        })
        .await,
        [newest, ours]
    );
    let elsewhere = Some(OrgId::from_raw(6));
    let of_another = MailFilter {
        org: elsewhere,
        invitation,
        ..any.clone()
    };
    assert_eq!(found(of_another).await, []);
    for (state, expected) in [
        ("sent", vec![ours]),
        ("queued", vec![newest, theirs]),
        ("failed", vec![]),
    ] {
        let state = Some(state);
        assert_eq!(found(MailFilter { state, ..any.clone() }).await, expected);
    }
}

pub(in crate::store) async fn what_is_over_is_purged_and_what_waits_is_not(backend: &Backend) {
    let store = &*backend.store;
    let (sent, waiting) = (put(store, "a@private.test").await, put(store, "b@private.test").await);
    store.mail_sent(sent).await.unwrap();
    assert_eq!(store.purge_mails(START).await.unwrap(), 0);
    assert_eq!(store.purge_mails(START.plus(MINUTE)).await.unwrap(), 1);
    assert_eq!(store.mail(sent).await.unwrap(), None);
    assert!(store.mail(waiting).await.unwrap().is_some());
}

pub(in crate::store) async fn a_mail_that_was_put_ends_the_wait_at_once(backend: &Backend) {
    let store = &*backend.store;
    let day = Duration::from_secs(86_400);
    // While waiting.
    let mail = new_mail("a@private.test");
    let (waited, put) = tokio::join!(store.wait_for_mail(day), store.put_mail(&mail));
    waited.unwrap();
    put.unwrap();
    // Between two waits; a permit may be left over from above, so this one clears it.
    store.wait_for_mail(Duration::from_millis(1)).await.unwrap();
    store.put_mail(&mail).await.unwrap();
    store.wait_for_mail(day).await.unwrap();
    assert_eq!(store.mail_backlog().await.unwrap().queued, 2);
}

pub(in crate::store) async fn the_reason_of_a_failure_is_kept_harmless_and_short(backend: &Backend) {
    let store = &*backend.store;
    let id = put(store, "a@private.test").await;
    take(store).await;
    let reason = format!("550 \u{1b}[2J\u{202e}{}", "x".repeat(1000));
    let given_up = store.mail_failed(id, 1, &reason, AfterFailure::GiveUp);
    assert!(given_up.await.unwrap());
    let kept = store.mail(id).await.unwrap().unwrap().last_error.unwrap();
    assert!(kept.starts_with("550 \\u{1b}[2J\\u{202e}xx"), "{kept}");
    assert_eq!(kept.chars().count(), MAIL_ERROR_MAX);
}
