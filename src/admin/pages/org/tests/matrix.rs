//! Every cell of the table of rights that has a page: what the table allows works in the browser, what it does not is
//! refused there, form and deed alike.

use axum::http::StatusCode;

use super::*;
use crate::directory::Invite;
use crate::directory::rights::{Operation, may};
use crate::model::{DomainId, InvitationId, Language, Role, User, UserId};

/// One request of a try.
struct Try {
    path: String,
    /// The fields of a form; a GET without.
    form: Option<Vec<(&'static str, String)>>,
}

fn get(path: String) -> Try {
    Try { path, form: None }
}

fn post(path: String, fields: &[(&'static str, &str)]) -> Try {
    let fields = fields
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    Try {
        path,
        form: Some(fields),
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
    sessions: Vec<LiveSession>,
}

impl<'s> Stage<'s> {
    async fn set(site: &'s Site, number: u32, me: &User, rights: Rights) -> Self {
        let mailbox = site.mailbox(&format!("box{number}")).await;
        let spare = site.member(&format!("spare{number}"), Role::Member).await;
        site.grant(&mailbox, &spare, right(Right::SeeDevices)).await;
        if !rights.is_empty() {
            site.grant(&mailbox, me, rights).await;
        }
        Self {
            site,
            number,
            mailbox,
            spare,
            me: me.id,
            sessions: Vec::new(),
        }
    }

    fn of_mailbox(&self, rest: &str) -> String {
        self.site.at(&format!("mailboxes/{}{rest}", self.mailbox.id))
    }

    fn of_device(&self, device: &Device, rest: &str) -> String {
        self.site.at(&format!("devices/{}{rest}", device.id))
    }

    async fn device(&self, name: &str, user: Option<UserId>) -> Device {
        self.site
            .device(&self.mailbox, &format!("{name} {}", self.number), user)
            .await
    }

    /// A device of whoever acts. For somebody who may not hold one any more it was theirs before.
    async fn mine(&self, name: &str, me: &User) -> Option<Device> {
        let (directory, machine, org) = (self.site.directory(), &self.site.machine, self.site.acme.id);
        let role = directory.member(org, me.id).await.unwrap().member.role;
        let raised = directory.set_role(machine, org, me.id, role, Role::Administrator).await;
        let device = self.device(name, Some(me.id)).await;
        if raised.is_ok() {
            directory
                .set_role(machine, org, me.id, Role::Administrator, role)
                .await
                .unwrap();
        }
        let row = now(self.site, device.id).await;
        (row.device.user == Some(me.id)).then_some(device)
    }

    /// The fields of a new device of this person.
    fn new_device(&self, person: &str) -> Try {
        let name = format!("New {}", self.number);
        let fields = [
            ("kind", "other"),
            ("name", &name),
            ("person", person),
            ("scope", "imap"),
            ("expires", "never"),
        ];
        post(self.of_mailbox("/devices/new"), &fields)
    }

    fn edit(&self, device: &Device) -> Try {
        let (name, revision) = (format!("Other {}", self.number), device.revision.to_string());
        let fields = [
            ("name", name.as_str()),
            ("scope", "imap"),
            ("scope", "smtp"),
            ("revision", &revision),
        ];
        post(self.of_device(device, "/edit"), &fields)
    }

    async fn domain(&self) -> DomainId {
        let (directory, machine) = (self.site.directory(), &self.site.machine);
        let name = format!("old{}.example", self.number);
        directory
            .create_domain(machine, &self.site.acme, &name)
            .await
            .unwrap()
            .id
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
}

/// What somebody does in the browser for an operation; nothing where it has no page here, or cannot be set up for them.
async fn tries(stage: &mut Stage<'_>, me: &User, operation: Operation) -> Option<Vec<Try>> {
    let word = operation.word();
    match word.split('.').next().unwrap() {
        "org" | "domain" | "mailbox" | "alias" => on_mailboxes(stage, operation).await,
        "invitation" => on_invitations(stage, operation).await,
        "grant" | "member" | "owner" | "audit" => on_people(stage, operation).await,
        "device" | "session" => on_devices(stage, operation).await,
        "own-device" => on_own_devices(stage, me, operation).await,
        // The settings have tests of their own.
        "own-token" | "token" | "notice" => None,
        _ => panic!("{word} needs its pages here"),
    }
}

async fn on_mailboxes(stage: &Stage<'_>, operation: Operation) -> Option<Vec<Try>> {
    use Operation as Op;
    let (site, number) = (stage.site, stage.number);
    Some(match operation {
        Op::OrgEdit => return None,
        Op::OrgRead => vec![get(site.at("domains")), get(site.at("mailboxes"))],
        Op::DomainCreate => vec![post(site.at("domains"), &[("domain", &format!("new{number}.example"))])],
        Op::DomainDelete => {
            let path = site.at(&format!("domains/{}/remove", stage.domain().await));
            vec![get(path.clone()), post(path, &[])]
        }
        Op::MailboxRead => vec![get(stage.of_mailbox("/aliases")), get(stage.of_mailbox("/devices"))],
        Op::MailboxActivity => vec![get(stage.of_mailbox("/activity"))],
        Op::MailboxCreate => {
            let fields = [
                ("local", format!("fresh{number}")),
                ("domain", "example.org".to_owned()),
            ];
            let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
            vec![get(site.at("mailboxes/new")), post(site.at("mailboxes/new"), &fields)]
        }
        Op::MailboxSuspend => vec![
            get(stage.of_mailbox("/suspend")),
            post(stage.of_mailbox("/suspend"), &[]),
        ],
        Op::MailboxResume => vec![post(stage.of_mailbox("/resume"), &[])],
        Op::MailboxDelete => {
            let confirm = [("confirm", stage.mailbox.address.as_str())];
            vec![
                get(stage.of_mailbox("/delete")),
                post(stage.of_mailbox("/delete"), &confirm),
            ]
        }
        Op::AliasCreate => {
            let fields = [
                ("local", format!("alias{number}")),
                ("domain", "example.org".to_owned()),
            ];
            let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
            let path = stage.of_mailbox("/aliases/new");
            vec![get(path.clone()), post(path, &fields)]
        }
        Op::AliasDelete => {
            let (directory, machine) = (site.directory(), &site.machine);
            let address = format!("old{number}@example.org");
            let alias = directory
                .create_alias(machine, &address, stage.mailbox.address.as_str())
                .await
                .unwrap();
            let path = stage.of_mailbox(&format!("/aliases/{}/delete", alias.id));
            vec![get(path.clone()), post(path, &[])]
        }
        _ => panic!("{} needs its pages here", operation.word()),
    })
}

async fn on_people(stage: &Stage<'_>, operation: Operation) -> Option<Vec<Try>> {
    use Operation as Op;
    let site = stage.site;
    let spare = stage.spare.id.to_string();
    let of_spare = |rest: &str| site.at(&format!("people/{spare}{rest}"));
    let access = |rest: &str| stage.of_mailbox(&format!("/people/{spare}{rest}"));
    Some(match operation {
        Op::GrantRead => vec![get(stage.of_mailbox("/people"))],
        Op::GrantGive => {
            let other = site
                .member(&format!("other{}", stage.number), Role::Member)
                .await
                .id
                .to_string();
            let new = [("person", other.as_str()), ("rights", "send-as")];
            let change = [("rights", "send-as"), ("revision", "see-devices/")];
            vec![
                get(stage.of_mailbox("/people/new")),
                post(stage.of_mailbox("/people/new"), &new),
                get(access("")),
                post(access(""), &change),
            ]
        }
        Op::GrantWithdraw => vec![get(access("/withdraw")), post(access("/withdraw"), &[])],
        Op::MemberRead => vec![get(site.at("people")), get(of_spare(""))],
        Op::MemberRole => {
            let fields = [("role", "auditor"), ("revision", "member")];
            vec![get(of_spare("/role")), post(of_spare("/role"), &fields)]
        }
        Op::MemberRemove => vec![
            get(of_spare("/remove")),
            post(of_spare("/remove"), &[("revision", "member")]),
        ],
        Op::OwnerChange => {
            let fields = [("role", "owner"), ("revision", "member")];
            let back = [("role", "member"), ("revision", "owner")];
            let invite = [
                ("address", format!("owner{}@private.example", stage.number)),
                ("role", "owner".to_owned()),
            ];
            let invite = invite.each_ref().map(|(name, value)| (*name, value.as_str()));
            vec![
                post(of_spare("/role"), &fields),
                post(of_spare("/role"), &back),
                post(site.at("invitations/new"), &invite),
            ]
        }
        Op::AuditRead => vec![
            get(site.at("activity")),
            get(site.at("activity/export.csv")),
            get(site.at("activity/export.jsonl")),
        ],
        _ => panic!("{} needs its pages here", operation.word()),
    })
}

async fn on_invitations(stage: &Stage<'_>, operation: Operation) -> Option<Vec<Try>> {
    use Operation as Op;
    let site = stage.site;
    Some(match operation {
        Op::InvitationRead => {
            let id = stage.invitation().await;
            vec![get(site.at("invitations")), get(site.at(&format!("invitations/{id}")))]
        }
        Op::InvitationCreate => {
            let address = format!("new{}@private.example", stage.number);
            let fields = [("address", address.as_str()), ("role", "member"), ("send", "link")];
            vec![
                get(site.at("invitations/new")),
                post(site.at("invitations/new"), &fields),
            ]
        }
        Op::InvitationSend => {
            let id = stage.invitation().await;
            vec![post(site.at(&format!("invitations/{id}/resend")), &[("send", "link")])]
        }
        Op::InvitationWithdraw => {
            let path = site.at(&format!("invitations/{}/withdraw", stage.invitation().await));
            vec![get(path.clone()), post(path, &[])]
        }
        _ => panic!("{} needs its pages here", operation.word()),
    })
}

async fn on_devices(stage: &mut Stage<'_>, operation: Operation) -> Option<Vec<Try>> {
    use Operation as Op;
    let device = stage.device("CRM", None).await;
    let twice = |rest: &str| {
        vec![
            get(stage.of_device(&device, rest)),
            post(stage.of_device(&device, rest), &[]),
        ]
    };
    Some(match operation {
        // No page sets sender rules.
        Op::DeviceSenders => return None,
        Op::DeviceRead => vec![
            get(stage.of_device(&device, "")),
            get(stage.of_device(&device, "/password")),
        ],
        Op::DeviceAdd => vec![stage.new_device("")],
        Op::DeviceAssign => {
            let theirs = stage.device("Phone", Some(stage.spare.id)).await;
            vec![
                stage.new_device(&stage.spare.id.to_string()),
                get(stage.of_device(&theirs, "/replace")),
                post(stage.of_device(&theirs, "/replace"), &[]),
            ]
        }
        Op::DeviceEdit => vec![get(stage.of_device(&device, "/edit")), stage.edit(&device)],
        Op::DevicePause => twice("/pause"),
        Op::DeviceResume => vec![post(stage.of_device(&device, "/resume"), &[])],
        Op::DeviceReplace => {
            let password = [("password", "kqzm-xwdp-hpdt-vnrc")];
            let mut tries = twice("/replace");
            tries.push(post(stage.of_device(&device, "/test"), &password));
            tries
        }
        Op::DeviceRevoke => {
            let ids = [("device", device.id.to_string())];
            let ids = ids.each_ref().map(|(name, value)| (*name, value.as_str()));
            let mut tries = twice("/disconnect");
            tries.push(get(stage.of_mailbox("/devices/revoke-all")));
            tries.push(post(stage.of_mailbox("/devices/revoke-all"), &ids));
            tries
        }
        // Whoever may not see a session is not told that there is one; the list has a test of its own.
        Op::SessionRead => return None,
        Op::SessionEnd => {
            let sessions = [Protocol::Imap, Protocol::Smtp].map(|by| connect(stage.site, &stage.mailbox, &device, by));
            let [first, second] = sessions.each_ref().map(|session| session.id().0);
            stage.sessions.extend(sessions);
            vec![
                get(stage.site.at(&format!("sessions/{first}/end"))),
                post(stage.of_device(&device, &format!("/sessions/{second}/end")), &[]),
            ]
        }
        _ => panic!("{} needs its pages here", operation.word()),
    })
}

async fn on_own_devices(stage: &Stage<'_>, me: &User, operation: Operation) -> Option<Vec<Try>> {
    use Operation as Op;
    if operation == Op::OwnDeviceAdd {
        return Some(vec![stage.new_device(&stage.me.to_string())]);
    }
    let mine = stage.mine("Phone", me).await?;
    let twice = |rest: &str| {
        vec![
            get(stage.of_device(&mine, rest)),
            post(stage.of_device(&mine, rest), &[]),
        ]
    };
    Some(match operation {
        Op::OwnDeviceRead => vec![get(stage.of_device(&mine, ""))],
        Op::OwnDeviceEdit => vec![get(stage.of_device(&mine, "/edit")), stage.edit(&mine)],
        Op::OwnDeviceResume => vec![post(stage.of_device(&mine, "/resume"), &[])],
        Op::OwnDeviceReplace => {
            let password = [("password", "kqzm-xwdp-hpdt-vnrc")];
            let mut tries = twice("/replace");
            tries.push(post(stage.of_device(&mine, "/test"), &password));
            tries
        }
        Op::OwnDeviceEnd => {
            let mut tries = twice("/pause");
            tries.extend(twice("/disconnect"));
            tries
        }
        _ => panic!("{} needs its pages here", operation.word()),
    })
}

async fn ask(browser: &mut Browser<'_>, one: &Try) -> Answer {
    match &one.form {
        None => browser.get(&one.path).await,
        Some(fields) => {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.post(&one.path, &fields).await
        }
    }
}

async fn check(site: &Site, me: &User, role: Role, rights: Rights, number: &mut u32) -> usize {
    let mut browser = site.signed_in(me).await;
    let mut cells = 0;
    for operation in Operation::ALL {
        *number += 1;
        let mut stage = Stage::set(site, *number, me, rights).await;
        let Some(tries) = tries(&mut stage, me, *operation).await else {
            continue;
        };
        let allowed = may(role, rights, *operation);
        for one in tries {
            let answer = ask(&mut browser, &one).await;
            let what = format!("{role} {rights} {} {}", operation.word(), one.path);
            let was = answer.status;
            if allowed {
                let done = matches!(was, StatusCode::OK | StatusCode::SEE_OTHER);
                assert!(done, "{what}: {was} {}", answer.text());
                let elsewhere = answer
                    .location()
                    .is_some_and(|to| to.starts_with("/step-up") || to.starts_with("/sign"));
                assert!(!elsewhere, "{what}: {:?}", answer.location());
            } else {
                assert!(
                    matches!(was, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND),
                    "{what}: {was} {}",
                    answer.text()
                );
            }
        }
        cells += 1;
    }
    cells
}

#[tokio::test]
async fn every_role_may_do_in_the_browser_exactly_what_the_table_says() {
    let site = Site::new().await;
    let mut number = 0;
    for role in Role::ALL {
        let me = site.member(&format!("me-{role}"), *role).await;
        let cells = check(&site, &me, *role, Rights::NONE, &mut number).await;
        assert!(cells > 30, "{role}: {cells}");
    }
}

#[tokio::test]
async fn every_right_allows_in_the_browser_exactly_what_the_table_says() {
    let site = Site::new().await;
    let mut number = 0;
    for granted in Right::ALL {
        let me = site.member(&format!("me-{granted}"), Role::Member).await;
        let cells = check(&site, &me, Role::Member, right(*granted), &mut number).await;
        assert!(cells > 30, "{granted}: {cells}");
    }
}

#[tokio::test]
async fn each_sees_the_live_sessions_that_the_table_says() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "Copier", None).await;
    let _live = connect(&site, &mailbox, &device, Protocol::Smtp);
    let list = site.at("sessions");
    for role in Role::ALL {
        let me = site.member(&format!("me-{role}"), *role).await;
        let sees = site.signed_in(&me).await.get(&list).await.text().contains("Copier");
        assert_eq!(sees, may(*role, Rights::NONE, Operation::SessionRead), "{role}");
    }
    for granted in Right::ALL {
        let me = site.member(&format!("me-{granted}"), Role::Member).await;
        site.grant(&mailbox, &me, right(*granted)).await;
        let sees = site.signed_in(&me).await.get(&list).await.text().contains("Copier");
        assert_eq!(
            sees,
            may(Role::Member, right(*granted), Operation::SessionRead),
            "{granted}"
        );
    }
}

#[tokio::test]
async fn what_may_not_be_done_is_not_offered() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "Copier", None).await;
    let auditor = site.member("auditor", Role::Auditor).await;
    let mut browser = site.signed_in(&auditor).await;
    for path in ["", "mailboxes", "people", "invitations", "domains"] {
        let answer = browser.get(&site.at(path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        for way in ["/new\"", "/remove\"", "method=\"post\" novalidate"] {
            assert!(!answer.body.contains(way), "{path} offers {way}");
        }
    }
    let paths = [
        format!("mailboxes/{}/people", mailbox.id),
        format!("devices/{}", device.id),
    ];
    for path in paths {
        let answer = browser.get(&site.at(&path)).await;
        for way in [
            "/new\"",
            "/edit\"",
            "/pause\"",
            "/replace\"",
            "/disconnect\"",
            "/suspend\"",
            "/delete\"",
            "/revoke-all\"",
        ] {
            assert!(!answer.body.contains(way), "{path} offers {way}");
        }
    }
}
