//! Every cell of the table of rights, through the operations themselves: what the table allows works, and what it does not
//! is refused, changes nothing, and says who can.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::directory::TokenSpec;
use crate::directory::rights::may;
use crate::model::{DeviceId, Networks, Scopes, SenderRule, TokenScope};
use crate::peer::Protocol;
use crate::revoke::{LiveSession, SessionInfo};
use crate::store::{DeviceEdit, InvitationQuery, MemberQuery};

/// What an operation is tried on, made by the machine before every try.
struct Stage<'a> {
    world: &'a World,
    number: u32,
    mailbox: Mailbox,
    /// A member who is nobody in particular, with access to the mailbox.
    spare: User,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl<'a> Stage<'a> {
    async fn set(world: &'a World, acting: &User, rights: Rights) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mailbox = world.mailbox(&format!("box{number}")).await;
        let spare = world.member(&format!("spare{number}"), Role::Member).await;
        world.grant(&mailbox, &spare, right(Right::SeeDevices)).await;
        if !rights.is_empty() {
            world.grant(&mailbox, acting, rights).await;
        }
        Self {
            world,
            number,
            mailbox,
            spare,
        }
    }

    fn desk(&self) -> &Desk {
        &self.world.desk
    }

    fn name(&self) -> String {
        format!("Name {}", self.number)
    }

    async fn device(&self, user: Option<UserId>) -> DeviceId {
        let label = format!("Device {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.world.device(&self.mailbox, &label, user).await.id
    }

    fn live(&self, device: DeviceId) -> LiveSession {
        self.world.registry.register(SessionInfo {
            device,
            label: "Device".into(),
            mailbox: self.mailbox.id,
            address: self.mailbox.address.clone(),
            protocol: Protocol::Imap,
            peer: visitor().ip,
            since: START,
            expires_at: None,
            client: None,
            route: "default".into(),
            is_trial: false,
        })
    }

    fn spec(&self, user: Option<UserId>) -> DeviceSpec {
        DeviceSpec {
            label: self.name(),
            user,
            ..DeviceSpec::default()
        }
    }
}

/// Whether a device of this person can be made on the stage at all: it needs a role or a right that reaches the mailbox.
fn may_own(role: Role, rights: Rights) -> bool {
    role.manages_mailboxes() || !rights.is_empty()
}

/// Tries one operation. What has to be there is made by the machine.
async fn attempt(stage: &Stage<'_>, acting: &Acting, operation: Operation) -> Result<(), Error> {
    use Operation as Op;
    match operation {
        Op::OrgRead
        | Op::OrgEdit
        | Op::NoticeRead
        | Op::NoticeChange
        | Op::DomainCreate
        | Op::DomainDelete
        | Op::MailboxRead
        | Op::MailboxActivity
        | Op::MailboxCreate
        | Op::MailboxSuspend
        | Op::MailboxResume
        | Op::MailboxDelete
        | Op::AliasCreate
        | Op::AliasDelete => on_mailboxes(stage, acting, operation).await,
        Op::DeviceRead
        | Op::DeviceAdd
        | Op::DeviceAssign
        | Op::DeviceEdit
        | Op::DeviceSenders
        | Op::DevicePause
        | Op::DeviceResume
        | Op::DeviceReplace
        | Op::DeviceRevoke
        | Op::SessionRead
        | Op::SessionEnd => on_devices(stage, acting, operation).await,
        Op::OwnDeviceRead
        | Op::OwnDeviceAdd
        | Op::OwnDeviceEdit
        | Op::OwnDeviceResume
        | Op::OwnDeviceReplace
        | Op::OwnDeviceEnd => on_own_devices(stage, acting, operation).await,
        _ => on_people(stage, acting, operation).await,
    }
}

async fn on_mailboxes(stage: &Stage<'_>, acting: &Acting, operation: Operation) -> Result<(), Error> {
    use Operation as Op;
    let (desk, directory, machine) = (stage.desk(), stage.world.directory(), &stage.world.machine);
    let (id, number) = (stage.mailbox.id, stage.number);
    match operation {
        Op::OrgRead => desk.domains(acting).await.map(drop),
        Op::NoticeRead => desk.notices_off(acting).await.map(drop),
        Op::NoticeChange => {
            let seen = directory.notices_off(acting.org.id).await?;
            let kind = crate::model::NoticeKind::DeviceUnused;
            desk.set_notices_off(acting, seen, seen.set(kind, !seen.has(kind)))
                .await
        }
        Op::OrgEdit => {
            let org = directory.find_org(&acting.org.id.to_string()).await?;
            desk.rename_org(acting, &org.name, &format!("Acme {number}"))
                .await
                .map(drop)
        }
        Op::DomainCreate => desk
            .create_domain(acting, &format!("new{number}.example"))
            .await
            .map(drop),
        Op::DomainDelete => {
            let domain = directory
                .create_domain(machine, &acting.org, &format!("old{number}.example"))
                .await?;
            desk.delete_domain(acting, domain.id).await
        }
        Op::MailboxRead => desk.mailbox(acting, id).await.map(drop),
        Op::MailboxActivity => desk.mailbox_activity(acting, id, None, 10).await.map(drop),
        Op::MailboxCreate => desk
            .create_mailbox(acting, &format!("fresh{number}@example.org"))
            .await
            .map(drop),
        Op::MailboxSuspend => desk.suspend_mailbox(acting, id).await.map(drop),
        Op::MailboxResume => desk.resume_mailbox(acting, id).await.map(drop),
        Op::MailboxDelete => desk.delete_mailbox(acting, id).await.map(drop),
        Op::AliasCreate => desk
            .create_alias(acting, id, &format!("alias{number}@example.org"))
            .await
            .map(drop),
        _ => {
            let alias = format!("gone{number}@example.org");
            let alias = directory
                .create_alias(machine, &alias, stage.mailbox.address.as_str())
                .await?;
            desk.delete_alias(acting, id, alias.id).await.map(drop)
        }
    }
}

async fn on_devices(stage: &Stage<'_>, acting: &Acting, operation: Operation) -> Result<(), Error> {
    use Operation as Op;
    let desk = stage.desk();
    match operation {
        Op::DeviceAdd => desk
            .add_device(acting, stage.mailbox.id, stage.spec(None))
            .await
            .map(drop),
        Op::DeviceAssign => {
            let spec = stage.spec(Some(stage.spare.id));
            desk.add_device(acting, stage.mailbox.id, spec).await.map(drop)
        }
        Op::SessionRead => {
            let live = stage.live(stage.device(None).await);
            let seen = desk.live_sessions(acting, Some(stage.mailbox.id)).await?;
            if seen.iter().any(|session| session.id == live.id()) {
                Ok(())
            } else {
                Err(Error::Unknown { what: "session" })
            }
        }
        Op::SessionEnd => {
            let live = stage.live(stage.device(None).await);
            desk.end_live_session(acting, live.id()).await.map(drop)
        }
        _ => {
            let id = stage.device(None).await;
            let edit = |edit: DeviceEdit| async { desk.edit_device(acting, id, edit).await.map(drop) };
            match operation {
                Op::DeviceRead => desk.device(acting, id).await.map(drop),
                Op::DeviceEdit => {
                    edit(DeviceEdit {
                        label: Some(stage.name()),
                        scopes: Some(Scopes::ALL),
                        networks: Some(Networks::default()),
                        senders: Some(SenderRule::Mailbox),
                        ..DeviceEdit::default()
                    })
                    .await
                }
                Op::DeviceSenders => {
                    edit(DeviceEdit {
                        senders: Some(SenderRule::Off),
                        ..DeviceEdit::default()
                    })
                    .await
                }
                Op::DevicePause => desk.change_device(acting, id, DeviceChange::Pause).await.map(drop),
                Op::DeviceResume => desk.change_device(acting, id, DeviceChange::Resume).await.map(drop),
                Op::DeviceReplace => desk.replace_device(acting, id).await.map(drop),
                _ => desk.revoke_devices(acting, stage.mailbox.id, &[id]).await.map(drop),
            }
        }
    }
}

async fn on_own_devices(stage: &Stage<'_>, acting: &Acting, operation: Operation) -> Result<(), Error> {
    use Operation as Op;
    let desk = stage.desk();
    if operation == Op::OwnDeviceAdd {
        return desk
            .add_device(acting, stage.mailbox.id, stage.spec(Some(acting.user.id)))
            .await
            .map(drop);
    }
    let id = stage.device(Some(acting.user.id)).await;
    match operation {
        Op::OwnDeviceRead => desk.device(acting, id).await.map(drop),
        Op::OwnDeviceEdit => {
            let edit = DeviceEdit {
                label: Some(stage.name()),
                ..DeviceEdit::default()
            };
            desk.edit_device(acting, id, edit).await.map(drop)
        }
        Op::OwnDeviceResume => desk.change_device(acting, id, DeviceChange::Resume).await.map(drop),
        Op::OwnDeviceReplace => desk.replace_device(acting, id).await.map(drop),
        _ => {
            desk.change_device(acting, id, DeviceChange::Pause).await?;
            desk.change_device(acting, id, DeviceChange::Revoke).await.map(drop)
        }
    }
}

async fn on_people(stage: &Stage<'_>, acting: &Acting, operation: Operation) -> Result<(), Error> {
    use Operation as Op;
    let (desk, directory, machine) = (stage.desk(), stage.world.directory(), &stage.world.machine);
    let (org, spare, mailbox) = (acting.org.id, stage.spare.id, stage.mailbox.id);
    match operation {
        Op::GrantRead => desk.grants_on(acting, mailbox).await.map(drop),
        Op::GrantGive => {
            let other = stage
                .world
                .member(&format!("other{}", stage.number), Role::Member)
                .await;
            desk.give_grant(acting, mailbox, other.id, &terms(right(Right::SendAs)))
                .await
                .map(drop)
        }
        Op::GrantWithdraw => desk.withdraw_grant(acting, mailbox, spare).await.map(drop),
        Op::MemberRead => desk
            .members(
                acting,
                &MemberQuery {
                    limit: 1,
                    ..MemberQuery::default()
                },
            )
            .await
            .map(drop),
        Op::MemberRole => desk
            .set_role(acting, spare, Role::Member, Role::Auditor)
            .await
            .map(drop),
        Op::MemberRemove => desk.remove_member(acting, spare, Role::Member).await.map(drop),
        Op::OwnerChange => {
            desk.set_role(acting, spare, Role::Member, Role::Owner).await?;
            desk.remove_member(acting, spare, Role::Owner).await.map(drop)
        }
        Op::InvitationRead | Op::InvitationCreate | Op::InvitationSend | Op::InvitationWithdraw => {
            on_invitations(stage, acting, operation).await
        }
        Op::AuditRead => desk
            .activity(
                acting,
                AuditFilter {
                    limit: 1,
                    ..AuditFilter::default()
                },
            )
            .await
            .map(drop),
        Op::OwnToken => desk.create_token(acting, token_spec(Role::Member)).await.map(drop),
        Op::TokenRead => desk.tokens(acting).await.map(drop),
        Op::TokenRevoke => {
            let (token, _) = directory
                .create_token(machine, org, spare, token_spec(Role::Member))
                .await?;
            desk.revoke_token(acting, token.id).await
        }
        other => panic!("{} is not tried", other.word()),
    }
}

async fn on_invitations(stage: &Stage<'_>, acting: &Acting, operation: Operation) -> Result<(), Error> {
    use Operation as Op;
    let desk = stage.desk();
    let query = InvitationQuery {
        limit: 1,
        ..InvitationQuery::default()
    };
    let invite = crate::directory::Invite {
        address: format!("invited{}@private.example", stage.number),
        role: Role::Member,
        grants: Vec::new(),
        language: Language::French,
        invited_by: "root".to_owned(),
    };
    let world = stage.world;
    let made = world.directory().invite(&world.machine, acting.org.id, invite).await;
    let (invitation, _) = made?;
    match operation {
        Op::InvitationRead => desk.invitations(acting, &query).await.map(drop),
        Op::InvitationCreate => desk.invite(acting, spec(stage.number)).await.map(drop),
        Op::InvitationSend => desk.renew_invitation(acting, invitation.id, true).await.map(drop),
        _ => desk.withdraw_invitation(acting, invitation.id).await.map(drop),
    }
}

fn spec(number: u32) -> InviteSpec {
    InviteSpec {
        address: format!("somebody{number}@private.example"),
        role: Role::Member,
        grants: Vec::new(),
        language: Language::English,
        by_mail: true,
    }
}

fn token_spec(role: Role) -> TokenSpec {
    TokenSpec {
        name: "a token".to_owned(),
        role,
        scope: TokenScope::Write,
        expires_at: START.plus(Duration::from_secs(3600)),
    }
}

/// What each operation does has more than one part in two cases.
fn allowed(may: impl Fn(Operation) -> bool, operation: Operation) -> bool {
    match operation {
        // Letting a device use other senders is a change of the device as well.
        Operation::DeviceSenders => may(operation) && may(Operation::DeviceEdit),
        // The try removes the owner that it made.
        Operation::OwnerChange => may(operation) && may(Operation::MemberRemove),
        _ => may(operation),
    }
}

/// Tries an operation and holds the outcome against what the table says.
async fn check(world: &World, acting: &Acting, rights: Rights, operation: Operation, expected: bool) {
    let cell = format!("{} by {} with {rights}", operation.word(), acting.role);
    let stage = Stage::set(world, &acting.user, rights).await;
    let needs_own = operation.word().starts_with("own-device.") && operation != Operation::OwnDeviceAdd;
    if needs_own && !may_own(acting.role, rights) {
        // Nothing to try it on: somebody whom the mailbox is closed to has no device there.
        let spec = stage.spec(Some(acting.user.id));
        let address = stage.mailbox.address.as_str();
        assert!(
            world
                .directory()
                .add_device(&world.machine, address, spec)
                .await
                .is_err(),
            "{cell}"
        );
        return;
    }
    let outcome = attempt(&stage, acting, operation).await;
    assert_eq!(outcome.is_ok(), expected, "{cell}: {outcome:?}");
    let Err(error) = outcome else { return };
    let sees = rights.iter().next().is_some() || Operation::MailboxRead.allows_role(acting.role);
    match &error {
        Error::Forbidden(forbidden) => assert!(!forbidden.who_can.is_empty(), "{cell}: nobody is named"),
        Error::Unknown { .. } => assert!(
            operation == Operation::SessionRead
                || operation == Operation::SessionEnd
                || operation == Operation::DeviceRead
                || operation.word().starts_with("device.")
                || !sees,
            "{cell}: {error}"
        ),
        other => panic!("{cell}: {other:?}"),
    }
    // The rows that the machine wrote to set the stage stand between; whoever was refused wrote none.
    let who = format!("user:{}", acting.user.address);
    let rows = world.rows_since(0).await;
    let last = rows
        .iter()
        .rev()
        .find(|(actor, _)| *actor == who)
        .map(|(_, action)| action.as_str());
    assert!(
        matches!(last, None | Some("user.signin")) || expected,
        "{cell}: left {last:?}"
    );
}

#[tokio::test]
async fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let world = world().await;
    for role in Role::ALL {
        let user = world.member(role.name(), *role).await;
        for operation in Operation::ALL {
            let expected = allowed(|operation| may(*role, Rights::NONE, operation), *operation);
            // Each refusal is checked with somebody who has not done anything yet.
            let acting = if expected {
                world.acting(&user).await
            } else {
                world.acting(&fresh(&world, *role).await).await
            };
            check(&world, &acting, Rights::NONE, *operation, expected).await;
        }
    }
}

#[tokio::test]
async fn every_right_allows_what_the_table_says_and_nothing_else() {
    let world = world().await;
    for right in Right::ALL {
        for operation in Operation::ALL {
            let rights = Rights::NONE.with(*right);
            let user = fresh(&world, Role::Member).await;
            let expected = allowed(|operation| may(Role::Member, rights, operation), *operation);
            let acting = world.acting(&user).await;
            check(&world, &acting, rights, *operation, expected).await;
        }
    }
}

async fn fresh(world: &World, role: Role) -> User {
    world
        .member(&format!("fresh{}", NUMBER.fetch_add(1, Ordering::Relaxed)), role)
        .await
}

async fn by_token(world: &World, user: &User, role: Role, scope: TokenScope) -> Acting {
    let spec = TokenSpec {
        scope,
        ..token_spec(role)
    };
    let (_, token) = world
        .directory()
        .create_token(&world.machine, world.acme.id, user.id, spec)
        .await
        .unwrap();
    world
        .desk
        .acting_by_token(&visitor(), token.shown().expose())
        .await
        .unwrap()
}

/// What a token never does, whatever its role: these want a person.
fn in_person(operation: Operation) -> bool {
    matches!(operation, Operation::OwnToken | Operation::OwnerChange)
}

#[tokio::test]
async fn a_token_may_do_what_its_role_may_and_never_more_than_its_user() {
    let world = world().await;
    for (own, cap) in [
        (Role::Owner, Role::Owner),
        (Role::Owner, Role::MailboxManager),
        (Role::Owner, Role::Auditor),
        (Role::Owner, Role::Member),
        (Role::Auditor, Role::Owner),
        (Role::MailboxManager, Role::Administrator),
    ] {
        let user = fresh(&world, own).await;
        let acting = by_token(&world, &user, cap, TokenScope::Write).await;
        for operation in Operation::ALL {
            let both = |operation: Operation| operation.allows_role(own) && operation.allows_role(cap);
            let expected = allowed(both, *operation) && !in_person(*operation);
            let stage = Stage::set(&world, &user, Rights::NONE).await;
            if operation.word().starts_with("own-device.") && !may_own(own, Rights::NONE) {
                continue;
            }
            let outcome = attempt(&stage, &acting, *operation).await;
            assert_eq!(
                outcome.is_ok(),
                expected,
                "{own} capped at {cap}, {}: {outcome:?}",
                operation.word()
            );
        }
    }
}

#[tokio::test]
async fn a_token_that_may_only_read_changes_nothing() {
    let world = world().await;
    let user = fresh(&world, Role::Owner).await;
    let acting = by_token(&world, &user, Role::Owner, TokenScope::Read).await;
    for operation in Operation::ALL {
        let stage = Stage::set(&world, &user, Rights::NONE).await;
        let outcome = attempt(&stage, &acting, *operation).await;
        assert_eq!(
            outcome.is_ok(),
            !operation.changes(),
            "{}: {outcome:?}",
            operation.word()
        );
        if operation.changes() {
            assert!(
                matches!(outcome, Err(Error::ReadOnly)),
                "{}: {outcome:?}",
                operation.word()
            );
        }
    }
}

#[tokio::test]
async fn what_a_token_does_is_written_down_under_its_name_and_in_whose_name() {
    let world = world().await;
    let acting = by_token(&world, &world.sophie, Role::Owner, TokenScope::Write).await;
    let before = world.last_row().await;
    world.desk.create_mailbox(&acting, "crm@example.org").await.unwrap();
    let filter = AuditFilter {
        limit: 1,
        ..AuditFilter::default()
    };
    let row = world.directory().audit(&filter).await.unwrap().remove(0);
    assert!(row.number > before);
    assert_eq!(row.actor.who, "token:a token");
    assert_eq!(row.actor.behalf.as_deref(), Some("user:sophie@private.example"));
    assert_eq!(row.actor.origin, "192.0.2.1");
}

#[tokio::test]
async fn a_right_on_one_mailbox_is_none_on_another() {
    let world = world().await;
    let lucie = world.member("lucie", Role::Member).await;
    let (hers, other) = (world.mailbox("hers").await, world.mailbox("other").await);
    world.grant(&hers, &lucie, Rights::ALL).await;
    let acting = world.acting(&lucie).await;
    assert!(world.desk.mailbox(&acting, hers.id).await.is_ok());
    assert_eq!(
        told(world.desk.mailbox(&acting, other.id).await),
        "there is no such mailbox"
    );
    let crm = world.device(&other, "CRM", None).await;
    assert_eq!(
        told(world.desk.device(&acting, crm.id).await),
        "there is no such device"
    );
    let spec = DeviceSpec {
        label: "iPhone".to_owned(),
        ..DeviceSpec::default()
    };
    assert_eq!(
        told(world.desk.add_device(&acting, other.id, spec).await),
        "there is no such mailbox"
    );
}
