//! Every cell of the table of rights, for tokens that may write and tokens that may only read: what the table allows works,
//! and what it does not is refused.

use axum::http::Method;
use serde_json::json;

use super::*;
use crate::directory::Invite;
use crate::directory::rights::Operation;
use crate::model::{DomainId, InvitationId, Language, UserId};

/// One request of a try.
struct Try {
    method: Method,
    path: String,
    body: Option<Value>,
}

fn get(path: String) -> Try {
    Try {
        method: Method::GET,
        path,
        body: None,
    }
}

fn send(method: Method, path: String, body: Value) -> Try {
    Try {
        method,
        path,
        body: Some(body),
    }
}

fn act(path: String) -> Try {
    Try {
        method: Method::POST,
        path,
        body: None,
    }
}

fn delete(path: String) -> Try {
    Try {
        method: Method::DELETE,
        path,
        body: None,
    }
}

/// What an operation is tried on, made by the machine before every try.
struct Stage<'s> {
    site: &'s Site,
    number: u32,
    mailbox: Mailbox,
    /// A member with access to the mailbox.
    spare: User,
    me: UserId,
    token: &'s ApiToken,
    sessions: Vec<LiveSession>,
}

impl<'s> Stage<'s> {
    async fn set(site: &'s Site, number: u32, me: UserId, token: &'s ApiToken, rights: Rights) -> Self {
        let mailbox = site.mailbox(&format!("box{number}")).await;
        let spare = site.member(&format!("spare{number}"), Role::Member).await;
        site.grant(&mailbox, &spare, right(Right::SeeDevices)).await;
        if !rights.is_empty() {
            let user = site.store.user(me).await.unwrap().unwrap();
            site.grant(&mailbox, &user, rights).await;
        }
        Self {
            site,
            number,
            mailbox,
            spare,
            me,
            token,
            sessions: Vec::new(),
        }
    }

    fn of_mailbox(&self, rest: &str) -> String {
        format!("/mailboxes/{}{rest}", self.mailbox.id)
    }

    async fn device(&self, name: &str, user: Option<UserId>) -> Device {
        self.site
            .device(&self.mailbox, &format!("{name} {}", self.number), user)
            .await
    }

    /// A device of whoever acts; of somebody who may not hold one (any more), one that was theirs.
    async fn mine(&self) -> Device {
        let (directory, machine, org) = (self.site.directory(), &self.site.machine, self.site.acme.id);
        let role = directory.member(org, self.me).await.unwrap().member.role;
        let raised = directory
            .set_role(machine, org, self.me, role, Role::Administrator)
            .await;
        let device = self.device("Phone", Some(self.me)).await;
        if raised.is_ok() {
            directory
                .set_role(machine, org, self.me, Role::Administrator, role)
                .await
                .unwrap();
        }
        directory.find_device(&device.id.to_string()).await.unwrap()
    }

    fn new_device(&self, user: Option<UserId>, senders: &str) -> Try {
        let body = json!({
            "name": format!("New {} {senders}", self.number),
            "user": user.map(|user| user.to_string()),
            "senders": senders,
        });
        send(Method::POST, self.of_mailbox("/devices"), body)
    }

    fn edit(&self, device: &Device, mut change: Value) -> Try {
        change["revision"] = json!(device.revision.to_string());
        send(Method::PATCH, of_device(device, ""), change)
    }

    async fn domain(&self) -> DomainId {
        let (directory, machine) = (self.site.directory(), &self.site.machine);
        let name = format!("old{}.example", self.number);
        let domain = directory.create_domain(machine, &self.site.acme, &name).await;
        domain.unwrap().id
    }

    async fn invitation(&self) -> InvitationId {
        let invite = Invite {
            address: format!("invited{}@private.example", self.number),
            role: Role::Member,
            grants: Vec::new(),
            language: Language::English,
            invited_by: "Sophie".to_owned(),
        };
        let (directory, machine) = (self.site.directory(), &self.site.machine);
        directory.invite(machine, self.site.acme.id, invite).await.unwrap().0.id
    }

    async fn owner(&self, name: &str) -> User {
        self.site.member(&format!("{name}{}", self.number), Role::Owner).await
    }
}

fn of_device(device: &Device, rest: &str) -> String {
    format!("/devices/{}{rest}", device.id)
}

/// What a program sends for an operation.
async fn tries(stage: &mut Stage<'_>, operation: Operation) -> Vec<Try> {
    let word = operation.word();
    match word.split('.').next().unwrap() {
        "org" | "domain" | "mailbox" | "alias" | "notice" => on_mailboxes(stage, operation).await,
        "grant" | "member" | "owner" => on_people(stage, operation).await,
        "invitation" | "audit" | "own-token" | "token" => on_others(stage, operation).await,
        "device" | "session" => on_devices(stage, operation).await,
        "own-device" => on_own_devices(stage, operation).await,
        _ => panic!("{word} needs its paths here"),
    }
}

async fn on_mailboxes(stage: &Stage<'_>, operation: Operation) -> Vec<Try> {
    use Operation as Op;
    let (site, number) = (stage.site, stage.number);
    match operation {
        Op::OrgRead => vec![
            get("/organisation".to_owned()),
            get("/domains".to_owned()),
            get(format!("/domains/{}/records", stage.domain().await)),
            get("/mailboxes".to_owned()),
        ],
        Op::NoticeRead => vec![get("/organisation/notices".to_owned())],
        Op::NoticeChange => {
            let seen = site.directory().notices_off(site.acme.id).await.unwrap();
            let kinds: Vec<_> = seen.iter().map(crate::model::NoticeKind::name).collect();
            let off = if kinds.is_empty() {
                vec!["device-unused"]
            } else {
                Vec::new()
            };
            let body = json!({ "off": off, "revision": super::super::shown::revision(&kinds) });
            vec![send(Method::PUT, "/organisation/notices".to_owned(), body)]
        }
        Op::OrgEdit => {
            let org = site.store.org(site.acme.id).await.unwrap().unwrap();
            let revision = super::super::shown::revision(&org.name);
            let body = json!({ "name": format!("Acme {number}"), "revision": revision });
            vec![send(Method::PATCH, "/organisation".to_owned(), body)]
        }
        Op::DomainCreate => {
            let body = json!({ "name": format!("new{number}.example") });
            vec![send(Method::POST, "/domains".to_owned(), body)]
        }
        Op::DomainDelete => vec![delete(format!("/domains/{}", stage.domain().await))],
        Op::MailboxRead => vec![
            get(stage.of_mailbox("")),
            get(stage.of_mailbox("/aliases")),
            get(stage.of_mailbox("/devices")),
        ],
        Op::MailboxActivity => vec![get(stage.of_mailbox("/activity"))],
        Op::MailboxCreate => {
            let body = json!({ "address": format!("fresh{number}@example.org") });
            vec![send(Method::POST, "/mailboxes".to_owned(), body)]
        }
        Op::MailboxSuspend => vec![act(stage.of_mailbox("/suspend"))],
        Op::MailboxResume => vec![act(stage.of_mailbox("/resume"))],
        Op::MailboxDelete => vec![delete(stage.of_mailbox(""))],
        Op::AliasCreate => {
            let body = json!({ "address": format!("alias{number}@example.org") });
            vec![send(Method::POST, stage.of_mailbox("/aliases"), body)]
        }
        Op::AliasDelete => {
            let address = format!("old{number}@example.org");
            let alias = site
                .directory()
                .create_alias(&site.machine, &address, stage.mailbox.address.as_str())
                .await
                .unwrap();
            vec![delete(stage.of_mailbox(&format!("/aliases/{}", alias.id)))]
        }
        _ => panic!("{} needs its paths here", operation.word()),
    }
}

async fn on_people(stage: &Stage<'_>, operation: Operation) -> Vec<Try> {
    use Operation as Op;
    let access = |user: UserId| stage.of_mailbox(&format!("/grants/{user}"));
    let member = |user: UserId, rest: &str| format!("/members/{user}{rest}");
    let spare = stage.spare.id;
    let role = |of: Role, to: &str| json!({ "role": to, "revision": super::super::shown::Member::revision_of(of) });
    match operation {
        Op::GrantRead => vec![get(stage.of_mailbox("/grants")), get(access(spare))],
        Op::GrantGive => {
            let other = stage.site.member(&format!("other{}", stage.number), Role::Member).await;
            vec![send(Method::PUT, access(other.id), json!({ "rights": ["send-as"] }))]
        }
        Op::GrantWithdraw => vec![get(access(spare) + "/ending"), delete(access(spare))],
        Op::MemberRead => vec![
            get("/members".to_owned()),
            get(member(spare, "")),
            get(member(spare, "/grants")),
        ],
        Op::MemberRole => vec![send(Method::PUT, member(spare, "/role"), role(Role::Member, "auditor"))],
        Op::MemberRemove => vec![get(member(spare, "/ending")), delete(member(spare, ""))],
        Op::OwnerChange => {
            let (first, second) = (stage.owner("first").await.id, stage.owner("second").await.id);
            vec![
                send(Method::PUT, member(first, "/role"), role(Role::Owner, "member")),
                get(member(second, "/ending")),
                delete(member(second, "")),
            ]
        }
        _ => panic!("{} needs its paths here", operation.word()),
    }
}

async fn on_others(stage: &Stage<'_>, operation: Operation) -> Vec<Try> {
    use Operation as Op;
    match operation {
        Op::InvitationRead => {
            let id = stage.invitation().await;
            vec![get("/invitations".to_owned()), get(format!("/invitations/{id}"))]
        }
        Op::InvitationCreate => {
            let body = json!({ "address": format!("new{}@private.example", stage.number) });
            vec![send(Method::POST, "/invitations".to_owned(), body)]
        }
        Op::InvitationSend => {
            let path = format!("/invitations/{}/send", stage.invitation().await);
            vec![send(Method::POST, path, json!({ "by_mail": false }))]
        }
        Op::InvitationWithdraw => vec![act(format!("/invitations/{}/withdraw", stage.invitation().await))],
        Op::AuditRead => vec![
            get("/audit".to_owned()),
            get("/audit/export.csv".to_owned()),
            get("/audit/export.jsonl".to_owned()),
        ],
        Op::TokenRead => vec![get("/tokens?all=true".to_owned())],
        Op::TokenRevoke => {
            let site = stage.site;
            let (_, theirs) = token_in(site, site.acme.id, &stage.spare, Role::Member, TokenScope::Read).await;
            vec![delete(format!("/tokens/{}", theirs.id))]
        }
        Op::OwnToken => vec![delete(format!("/tokens/{}", stage.token.id))],
        _ => panic!("{} needs its paths here", operation.word()),
    }
}

async fn on_devices(stage: &mut Stage<'_>, operation: Operation) -> Vec<Try> {
    use Operation as Op;
    let device = stage.device("CRM", None).await;
    match operation {
        Op::DeviceRead => vec![get(of_device(&device, "")), get(of_device(&device, "/activity"))],
        Op::DeviceAdd => vec![stage.new_device(None, "mailbox")],
        Op::DeviceAssign => {
            let theirs = stage.device("Phone", Some(stage.spare.id)).await;
            vec![
                stage.new_device(Some(stage.spare.id), "mailbox"),
                act(of_device(&theirs, "/replace")),
            ]
        }
        Op::DeviceEdit => vec![stage.edit(&device, json!({ "name": format!("Other {}", stage.number) }))],
        Op::DeviceSenders => vec![
            stage.new_device(None, "off"),
            stage.edit(&device, json!({ "senders": "@example.org" })),
        ],
        Op::DevicePause => vec![act(of_device(&device, "/pause"))],
        Op::DeviceResume => vec![act(of_device(&device, "/resume"))],
        Op::DeviceReplace => vec![act(of_device(&device, "/replace"))],
        Op::DeviceRevoke => {
            let body = json!({ "devices": [device.id.to_string()] });
            vec![
                send(Method::POST, stage.of_mailbox("/devices/revoke"), body),
                act(of_device(&device, "/revoke")),
            ]
        }
        Op::SessionRead | Op::SessionEnd => {
            let session = connect(stage.site, &stage.mailbox, &device, Protocol::Imap);
            let path = format!("/sessions/{}", session.id().0);
            stage.sessions.push(session);
            let reads = operation == Op::SessionRead;
            vec![if reads { get(path) } else { delete(path) }]
        }
        _ => panic!("{} needs its paths here", operation.word()),
    }
}

async fn on_own_devices(stage: &Stage<'_>, operation: Operation) -> Vec<Try> {
    use Operation as Op;
    if operation == Op::OwnDeviceAdd {
        return vec![stage.new_device(Some(stage.me), "mailbox")];
    }
    let mine = stage.mine().await;
    match operation {
        Op::OwnDeviceRead => vec![get(of_device(&mine, ""))],
        Op::OwnDeviceEdit => vec![stage.edit(&mine, json!({ "name": format!("Mine {}", stage.number) }))],
        Op::OwnDeviceResume => vec![act(of_device(&mine, "/resume"))],
        Op::OwnDeviceReplace => vec![act(of_device(&mine, "/replace"))],
        Op::OwnDeviceEnd => vec![act(of_device(&mine, "/pause")), act(of_device(&mine, "/revoke"))],
        _ => panic!("{} needs its paths here", operation.word()),
    }
}

/// Who asks in a row of cells.
#[derive(Clone, Copy)]
struct Asker {
    /// Their own role.
    role: Role,
    /// The token's.
    token: Role,
    scope: TokenScope,
    /// What was granted to them on the mailbox.
    rights: Rights,
}

impl Asker {
    /// What the table says.
    fn may(self, operation: Operation) -> bool {
        let by_scope = self.scope == TokenScope::Write || !operation.changes();
        let by_role = operation.allows_role(self.role) && operation.allows_role(self.token);
        by_scope && (by_role || self.rights.iter().any(|right| operation.allows_right(right)))
    }
}

/// Tries every operation there is; gives how many were allowed.
async fn check(site: &Site, asker: Asker, number: &mut u32) -> usize {
    let Asker {
        role,
        token,
        scope,
        rights,
    } = asker;
    let me = site.member(&format!("me{number}"), role).await;
    let (secret, record) = token_in(site, site.acme.id, &me, token, scope).await;
    let program = Client::new(site, Some(secret));
    let mut done = 0;
    for operation in Operation::ALL.iter().copied() {
        *number += 1;
        let mut stage = Stage::set(site, *number, me.id, &record, rights).await;
        let tries = tries(&mut stage, operation).await;
        assert!(!tries.is_empty(), "{}", operation.word());
        for one in tries {
            let what = format!(
                "{role} by a token of {token} to {scope}, {rights}: {} by {} {}",
                operation.word(),
                one.method,
                one.path
            );
            let answer = program.ask(one.method, &one.path, one.body).await;
            let status = answer.status;
            if operation == Operation::OwnToken {
                // Whatever the table says: tokens end in person.
                answer.refused(403, "token.only_in_person");
            } else if asker.may(operation) {
                assert!(status.is_success(), "{what}: {answer:?}");
                done += 1;
            } else {
                let key = &answer.json()["key"];
                let refused = match status {
                    StatusCode::FORBIDDEN => key == "ui.forbidden" || (key == "token.read_only" && operation.changes()),
                    StatusCode::NOT_FOUND => key == "not_found",
                    _ => false,
                };
                assert!(refused, "{what}: {answer:?}");
            }
        }
    }
    done
}

#[tokio::test]
async fn every_role_may_do_by_the_api_exactly_what_the_table_says() {
    let site = Site::new().await;
    let mut number = 0;
    for role in Role::ALL.iter().copied() {
        for scope in TokenScope::ALL.iter().copied() {
            let asker = Asker {
                role,
                token: role,
                scope,
                rights: Rights::NONE,
            };
            let done = check(&site, asker, &mut number).await;
            // Everybody may see which notices are sent.
            assert_eq!(done > 1, role != Role::Member, "{role} {scope}");
        }
    }
}

#[tokio::test]
async fn a_token_may_do_no_more_than_its_own_role() {
    let site = Site::new().await;
    let mut number = 0;
    for (role, token) in [
        (Role::Owner, Role::Administrator),
        (Role::Owner, Role::MailboxManager),
        (Role::Owner, Role::Auditor),
        (Role::Owner, Role::Member),
        (Role::MailboxManager, Role::Owner),
        (Role::Auditor, Role::Administrator),
    ] {
        let asker = Asker {
            role,
            token,
            scope: TokenScope::Write,
            rights: Rights::NONE,
        };
        check(&site, asker, &mut number).await;
    }
}

#[tokio::test]
async fn every_right_allows_by_the_api_exactly_what_the_table_says() {
    let site = Site::new().await;
    let mut number = 0;
    for granted in Right::ALL.iter().copied() {
        for scope in TokenScope::ALL.iter().copied() {
            let asker = Asker {
                role: Role::Member,
                token: Role::Member,
                scope,
                rights: right(granted),
            };
            let done = check(&site, asker, &mut number).await;
            assert!(done > 0, "{granted} {scope}");
        }
    }
}

#[tokio::test]
async fn no_token_makes_anybody_powerful() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let lucie = site.member("lucie", Role::Member).await;
    let revision = super::super::shown::Member::revision_of(Role::Member);
    for role in ["owner", "administrator", "mailbox-manager"] {
        let body = json!({ "role": role, "revision": revision });
        let path = format!("/members/{}/role", lucie.id);
        program.put(&path, body).await.refused(403, "token.only_in_person");
        let body = json!({ "address": "new@private.example", "role": role });
        program
            .post("/invitations", body)
            .await
            .refused(403, "token.only_in_person");
    }
    let member = program.get(&format!("/members/{}", lucie.id)).await.is(200);
    assert_eq!(member["role"], "member");
}
