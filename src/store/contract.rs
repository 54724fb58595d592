//! What every backend of the store must do: one list of tests, run against each.
//!
//! A backend calls `contract_tests!` with a function that makes a fresh [`Backend`]. SQLite does so in its own tests;
//! PostgreSQL will do the same with its own maker.

pub(super) mod addresses;
pub(super) mod chain;
pub(super) mod device_link_ends;
pub(super) mod device_links;
pub(super) mod devices;
pub(super) mod directory;
pub(super) mod endings;
pub(super) mod grants;
pub(super) mod import;
pub(super) mod invitations;
pub(super) mod knocks;
pub(super) mod login;
pub(super) mod logs;
pub(super) mod notices;
pub(super) mod outbox;
pub(super) mod pages;
pub(super) mod people;
pub(super) mod sign_in;
pub(super) mod tokens;

use std::any::Any;
use std::sync::Arc;

use super::{
    Actor, AuditFilter, Change, DeviceUse, Error, GrantTerms, Hash, LoginDevice, LoginMailbox, NewCredential,
    NewDevice, NewUser, Resolved, Seq, Store, TokenHash, UserPassword,
};
use crate::clock::{Clock, Timestamp};
use crate::model::device::Use;
use crate::model::{
    Address, Device, DeviceKind, DomainName, Language, Mailbox, Networks, Org, OrgId, Role, Scopes, SenderRule, User,
};
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
            addresses: another_address_waits_for_the_link_that_was_sent_to_it,
            addresses: what_was_asked_for_ends_with_time_and_with_the_password,
            addresses: a_link_for_a_password_and_one_for_an_address_end_each_other,
            chain: the_chain_of_all_rows_fits_and_has_a_head,
            chain: the_log_is_read_in_pages,
            chain: a_row_says_on_whose_behalf_and_has_a_place_of_its_own,
            chain: a_page_looks_at_a_bounded_number_of_rows,
            device_link_ends: a_link_knows_whether_the_token_is_there_that_made_it,
            device_link_ends: a_link_takes_its_waiting_mail_along,
            device_link_ends: a_device_whose_link_nobody_opened_is_revoked_later,
            device_links: a_device_with_a_link_has_no_password_until_it_is_opened,
            device_links: two_browsers_open_a_link_once,
            device_links: whoever_opened_a_link_starts_again_and_nobody_else,
            device_links: a_link_is_opened_in_time_or_never,
            device_links: a_link_waits_while_its_device_is_off_and_not_for_ever,
            device_links: a_file_is_read_once_and_in_time,
            device_links: a_password_whose_tag_is_taken_opens_nothing,
            device_links: a_mailbox_has_a_bounded_number_of_links_that_wait,
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
            endings: withdrawing_a_grant_revokes_exactly_the_devices_of_that_person,
            endings: a_lower_role_ends_devices_that_only_the_old_one_reached,
            endings: removing_a_member_ends_what_is_theirs_here,
            endings: ids_of_another_organisation_are_unknown,
            endings: what_ended_is_tidied_away_and_due_grants_are_withdrawn,
            grants: a_grant_counts_until_its_end,
            grants: what_breaks_a_rule_of_grants_is_refused,
            grants: a_grant_is_changed_only_from_what_it_says,
            grants: a_device_belongs_only_to_somebody_with_access,
            grants: a_withdrawn_grant_and_an_added_device_do_not_meet,
            grants: send_as_is_for_the_devices_of_that_person,
            grants: taking_send_as_away_ends_the_sessions_that_may_use_it,
            grants: what_another_organisation_granted_is_no_matter_of_a_device_here,
            grants: send_as_goes_with_the_mailbox_and_with_the_device,
            grants: a_user_may_send_as_a_bounded_number_of_mailboxes,
            grants: an_edit_of_what_was_changed_meanwhile_is_refused,
            import: rows_become_devices_and_missing_mailboxes_are_created,
            import: one_bad_row_leaves_nothing_behind,
            invitations: an_invitation_is_read_back_by_its_link,
            invitations: accepting_makes_user_membership_and_grants_together,
            invitations: an_invitation_is_for_one_address,
            invitations: two_browsers_accept_an_invitation_once,
            invitations: a_member_who_accepts_keeps_role_and_grants,
            invitations: what_is_withdrawn_or_ran_out_is_not_accepted,
            invitations: an_invitation_ends_with_the_right_to_write_it,
            invitations: links_that_ran_out_or_are_somebody_elses_do_not_come_back,
            invitations: an_invitation_that_is_declined_is_over,
            invitations: the_links_of_an_invitation_are_bounded,
            invitations: what_breaks_a_rule_of_invitations_is_refused,
            invitations: invitations_are_listed_newest_first_and_tidied_away,
            knocks: tries_with_retired_passwords_add_up,
            knocks: a_device_shows_what_is_tried_with_all_its_old_passwords,
            knocks: devices_that_knock_are_listed_by_the_latest_try,
            knocks: devices_that_ended_lately_stay_in_sight,
            knocks: tries_are_forgotten_with_the_password_and_after_a_while,
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
            notices: the_first_network_is_learned_silently_and_another_one_is_told,
            notices: one_mail_an_hour_and_the_rest_together,
            notices: what_waits_and_what_is_known_of_a_device_is_bounded,
            notices: those_are_told_who_may_see_the_device,
            notices: what_is_switched_off_is_not_told,
            notices: an_unused_device_is_told_of_once_until_it_is_used_again,
            notices: networks_hide_no_new_password,
            notices: a_held_password_is_told_to_all_who_would_have_been_told,
            notices: passwords_of_many_devices_wait_as_a_few,
            notices: a_device_that_nobody_may_see_any_more_hides_no_other_that_is_unused,
            notices: unused_devices_are_read_in_parts,
            outbox: a_mail_is_taken_with_all_that_was_put_and_is_over_when_sent,
            outbox: the_longest_due_mail_is_taken_first_and_no_more_than_asked,
            outbox: a_mail_with_a_link_goes_before_all_that_tell_of_changes,
            outbox: a_taken_mail_is_nobody_elses_until_its_lease_is_over,
            outbox: two_processes_never_take_the_same_mail,
            outbox: a_failed_mail_waits_for_its_next_attempt_and_is_given_up_for_good,
            outbox: a_failure_that_is_told_late_changes_nothing,
            outbox: waiting_mails_can_be_hurried_but_not_those_under_way,
            outbox: a_withdrawn_mail_is_not_sent_unless_it_was_under_way,
            outbox: an_invitation_takes_its_waiting_mails_along,
            outbox: an_invitation_is_sent_when_its_mail_is,
            outbox: mails_are_listed_newest_first,
            outbox: what_is_over_is_purged_and_what_waits_is_not,
            outbox: a_mail_that_was_put_ends_the_wait_at_once,
            outbox: the_reason_of_a_failure_is_kept_harmless_and_short,
            pages: devices_are_listed_by_state_each_in_its_order,
            pages: devices_are_filtered,
            pages: mailboxes_are_listed_with_numbers,
            pages: mailboxes_are_filtered,
            pages: a_search_finds_what_begins_with_the_text_first,
            pages: an_organisation_is_counted,
            people: a_user_is_read_back_as_they_were_made,
            people: whoever_signs_in_with_an_address_of_a_mailbox_is_found_by_it,
            people: a_user_is_edited_and_listed_by_the_new_name,
            people: a_user_has_one_role_in_each_organisation,
            people: members_are_listed_by_name_in_pages,
            people: a_role_is_changed_only_from_what_it_is,
            people: the_last_owner_stays,
            people: two_owners_who_remove_each_other_leave_one,
            people: a_deleted_user_is_gone_everywhere,
            people: the_set_up_link_works_for_a_while_and_stands_alone,
            people: two_browsers_make_one_first_owner,
            people: an_organisation_is_renamed_only_from_its_name,
            sign_in: a_session_is_opened_only_by_what_still_holds,
            sign_in: a_sign_in_is_judged_by_what_is_stored,
            sign_in: a_new_password_ends_what_the_old_one_opened,
            sign_in: a_code_is_taken_once_however_many_send_it,
            sign_in: a_recovery_code_is_used_once,
            sign_in: a_session_is_known_by_its_hash_until_it_ends,
            sign_in: a_session_gets_another_id_when_more_is_proved,
            sign_in: sessions_are_listed_and_ended_by_their_owner,
            sign_in: a_user_has_a_bounded_number_of_sessions,
            sign_in: a_reset_link_works_once_and_ends_all_sessions,
            tokens: a_token_is_known_by_its_hash_until_it_ends,
            tokens: what_breaks_a_rule_of_tokens_is_refused,
            tokens: a_request_with_a_key_is_done_once,
            tokens: a_request_that_was_lost_is_done_again_by_one,
            tokens: two_processes_claim_a_request_once,
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
        kind: DeviceKind::Other,
        user: None,
        scopes: Scopes::ALL,
        expires_at: None,
        networks: Networks::default(),
        senders: SenderRule::Mailbox,
        credential: Some(credential(tag)),
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

fn token(number: u8) -> TokenHash {
    TokenHash([number; 32])
}

fn password(text: &str) -> UserPassword {
    UserPassword {
        hash: Hash(format!("$argon2id${text}")),
        key_id: 1,
    }
}

/// Somebody called as their address begins: `lucie@private.example` is Lucie.
fn new_user(text: &str) -> NewUser {
    let address = address(text);
    let mut name = address.local().to_owned();
    name[..1].make_ascii_uppercase();
    NewUser {
        address,
        name,
        language: Language::English,
        password: Some(password(text)),
    }
}

async fn user(store: &dyn Store, text: &str) -> User {
    store.create_user(&actor(), &new_user(text)).await.unwrap()
}

async fn member(store: &dyn Store, org: OrgId, text: &str, role: Role) -> User {
    let user = user(store, text).await;
    store.add_member(&actor(), org, user.id, role).await.unwrap();
    user
}

fn terms(rights: &str) -> GrantTerms {
    GrantTerms {
        rights: rights.parse().unwrap(),
        ends_at: None,
    }
}

/// Two organisations with people.
struct World {
    acme: OrgId,
    /// `info@example.org`
    info: Mailbox,
    /// `sales@example.org`
    sales: Mailbox,
    /// The owner of Acme.
    sophie: User,
    /// A member of Acme who was granted nothing.
    lucie: User,
    other: OrgId,
    /// `bob@b.example`, of the other organisation.
    foreign: Mailbox,
    /// The owner of the other organisation.
    bob: User,
}

async fn world(store: &dyn Store) -> World {
    let acme = org(store, "Acme", "example.org").await.id;
    let other = org(store, "Other", "b.example").await.id;
    let mailbox = async |text: &str| store.create_mailbox(&actor(), &address(text)).await.unwrap();
    World {
        acme,
        info: mailbox("info@example.org").await,
        sales: mailbox("sales@example.org").await,
        sophie: member(store, acme, "sophie@private.example", Role::Owner).await,
        lucie: member(store, acme, "lucie@private.example", Role::Member).await,
        other,
        foreign: mailbox("bob@b.example").await,
        bob: member(store, other, "bob@private.example", Role::Owner).await,
    }
}

/// Adds a device that belongs to somebody.
async fn add_for(store: &dyn Store, mailbox: &Mailbox, owner: &User, label: &str, tag: u16) -> Device {
    let new = NewDevice {
        user: Some(owner.id),
        ..new_device(mailbox, label, tag)
    };
    store.create_device(&actor(), &new).await.unwrap()
}

fn stale<T: std::fmt::Debug>(outcome: Result<T, Error>, who: &str, when: Timestamp) {
    assert!(
        matches!(&outcome, Err(Error::Stale { by, at }) if by == who && *at == when),
        "{outcome:?}"
    );
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
        network: usage.ip.into(),
        since: at,
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
