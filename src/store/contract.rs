//! What every backend of the store must do: one list of tests, run against each.
//!
//! A backend calls `contract_tests!` with a function that makes a fresh [`Backend`]. SQLite does so in its own tests;
//! PostgreSQL will do the same with its own maker.

pub(super) mod devices;
pub(super) mod directory;
pub(super) mod import;
pub(super) mod login;
pub(super) mod logs;
pub(super) mod outbox;

use std::any::Any;
use std::sync::Arc;

use super::{
    Actor, AuditFilter, Change, DeviceUse, Error, Hash, LoginDevice, LoginMailbox, NewCredential, NewDevice, Resolved,
    Seq, Store,
};
use crate::clock::{Clock, Timestamp};
use crate::model::device::Use;
use crate::model::{Address, Device, DomainName, Mailbox, Networks, Org, Scopes, SenderRule};
use crate::peer::Protocol;

/// The moment at which the clocks of all contract tests start.
pub(super) const START: Timestamp = Timestamp(1_795_000_000_000);

/// A fresh, empty store as two processes see it.
pub(super) struct Backend {
    pub(super) store: Arc<dyn Store>,
    /// The same database through connections of its own.
    pub(super) other: Arc<dyn Store>,
    pub(super) clock: Clock,
    /// Removed after the test.
    pub(super) _place: Box<dyn Any + Send + Sync>,
}

/// Makes a `#[tokio::test]` of each test of the contract; `$backend` makes a [`Backend`].
macro_rules! contract_tests {
    ($backend:path) => {
        $crate::store::contract::contract_tests! { $backend;
            devices: a_device_is_read_back_as_it_was_added,
            devices: labels_are_unique_among_live_devices_whatever_the_case,
            devices: what_breaks_a_rule_of_devices_is_refused,
            devices: a_tag_is_unique_in_its_mailbox_retired_ones_included,
            devices: a_mailbox_has_a_bounded_number_of_live_devices,
            devices: an_edit_that_takes_something_away_is_a_change_and_bumps_the_epoch,
            devices: an_edit_that_only_gives_is_no_change,
            devices: replacing_retires_the_old_credential,
            devices: pausing_and_resuming,
            devices: revoking_is_idempotent_and_for_good,
            devices: several_devices_end_together_or_not_at_all,
            devices: devices_are_listed_by_mailbox_and_organisation,
            directory: organisations_have_unique_names,
            directory: an_organisation_with_domains_stays,
            directory: mail_domains_are_unique_and_stay_while_they_are_used,
            directory: mailboxes_live_in_known_domains,
            directory: an_address_is_a_mailbox_or_an_alias_never_both,
            directory: mailboxes_are_listed_in_pages,
            directory: suspending_ends_and_resuming_does_not,
            directory: deleting_a_mailbox_takes_devices_and_aliases_along,
            directory: aliases_belong_to_one_mailbox_of_the_same_organisation,
            directory: an_upstream_secret_is_set_and_removed,
            import: rows_become_devices_and_missing_mailboxes_are_created,
            import: one_bad_row_leaves_nothing_behind,
            login: an_address_means_a_mailbox_an_alias_or_nothing,
            login: a_login_sees_live_and_retired_credentials_newest_first,
            login: retired_credentials_are_forgotten_after_their_time,
            login: retired_credentials_are_bounded_and_live_ones_always_there,
            login: epochs_are_gone_with_the_right_to_log_in,
            login: senders_are_the_mailbox_and_its_aliases,
            login: a_hash_is_upgraded_only_in_place_of_the_verified_one,
            login: last_use_only_moves_forward,
            logs: changes_are_read_in_order_and_in_parts,
            logs: a_change_is_seen_through_another_store,
            logs: an_own_change_ends_the_wait_at_once,
            logs: each_write_leaves_one_audit_row,
            logs: a_refused_write_leaves_no_trace,
            logs: audit_rows_are_filtered,
            logs: free_text_is_stored_harmlessly,
            logs: concurrent_writers_lose_nothing,
            outbox: a_mail_is_taken_with_all_that_was_put_and_is_over_when_sent,
            outbox: the_longest_due_mail_is_taken_first_and_no_more_than_asked,
            outbox: a_taken_mail_is_nobody_elses_until_its_lease_is_over,
            outbox: two_processes_never_take_the_same_mail,
            outbox: a_failed_mail_waits_for_its_next_attempt_and_is_given_up_for_good,
            outbox: a_failure_that_is_told_late_changes_nothing,
            outbox: waiting_mails_can_be_hurried_but_not_those_under_way,
            outbox: a_withdrawn_mail_is_not_sent_unless_it_was_under_way,
            outbox: an_invitation_takes_its_waiting_mails_along,
            outbox: mails_are_listed_newest_first,
            outbox: what_is_over_is_purged_and_what_waits_is_not,
            outbox: a_mail_that_was_put_ends_the_wait_at_once,
            outbox: the_reason_of_a_failure_is_kept_harmless_and_short,
        }
    };
    ($backend:path; $($area:ident: $test:ident,)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                let backend = $backend();
                $crate::store::contract::$area::$test(&backend).await;
            }
        )*
    };
}
pub(super) use contract_tests;

fn actor() -> Actor {
    Actor::cli("root")
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn domain(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

async fn org(store: &dyn Store, name: &str, of: &str) -> Org {
    let org = store.create_org(&actor(), name).await.unwrap();
    store.create_domain(&actor(), org.id, &domain(of)).await.unwrap();
    org
}

/// The mailbox `anna@example.org` in an organisation of its own.
async fn anna(store: &dyn Store) -> Mailbox {
    org(store, "Acme", "example.org").await;
    store
        .create_mailbox(&actor(), &address("anna@example.org"))
        .await
        .unwrap()
}

fn credential(tag: u16) -> NewCredential {
    NewCredential {
        tag: Some(tag),
        key_id: 1,
        hash: Hash(format!("$argon2id${tag}")),
    }
}

fn new_device(mailbox: &Mailbox, label: &str, tag: u16) -> NewDevice {
    NewDevice {
        mailbox: mailbox.id,
        label: label.to_owned(),
        scopes: Scopes::ALL,
        expires_at: None,
        networks: Networks::default(),
        senders: SenderRule::Mailbox,
        credential: credential(tag),
        imported: false,
    }
}

async fn add(store: &dyn Store, mailbox: &Mailbox, label: &str, tag: u16) -> Device {
    store
        .create_device(&actor(), &new_device(mailbox, label, tag))
        .await
        .unwrap()
}

async fn login(store: &dyn Store, text: &str) -> LoginMailbox {
    match store.resolve_login(&address(text)).await.unwrap() {
        Resolved::Mailbox(mailbox) => mailbox,
        other => panic!("{text} resolves to {other:?}"),
    }
}

/// What a login reads of a device.
fn judged(device: Device) -> LoginDevice {
    LoginDevice {
        id: device.id,
        label: device.label,
        state: device.state,
        scopes: device.scopes,
        expires_at: device.expires_at,
        networks: device.networks,
        senders: device.senders,
        epoch: device.epoch,
    }
}

async fn changes(store: &dyn Store) -> Vec<Change> {
    store.changes_after(Seq(0), 1000).await.unwrap()
}

/// The actions of all audit rows, oldest first.
async fn actions(store: &dyn Store) -> Vec<String> {
    let rows = store
        .audit_rows(&AuditFilter {
            limit: 10_000,
            ..AuditFilter::default()
        })
        .await
        .unwrap();
    rows.into_iter().rev().map(|row| row.action).collect()
}

fn used(device: &Device, at: Timestamp, client: &str) -> DeviceUse {
    let usage = Use {
        at,
        ip: "192.0.2.7".parse().unwrap(),
        protocol: Protocol::Imap,
        client: Some(client.to_owned()),
    };
    DeviceUse {
        device: device.id,
        usage,
    }
}

fn conflict<T: std::fmt::Debug>(outcome: Result<T, Error>, text: &str) {
    assert!(
        matches!(&outcome, Err(Error::Conflict(told)) if told == text),
        "{outcome:?}"
    );
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, part: &str) {
    assert!(
        matches!(&outcome, Err(Error::Refused(told)) if told.contains(part)),
        "{outcome:?}"
    );
}

fn not_found<T: std::fmt::Debug>(outcome: Result<T, Error>, part: &str) {
    assert!(
        matches!(&outcome, Err(Error::NotFound(told)) if told.contains(part)),
        "{outcome:?}"
    );
}
