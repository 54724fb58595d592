//! Every cell of the table, by statements of the rule that do not know how the table is written, and the document.

use Operation as Op;
use Role::{Administrator, Auditor, MailboxManager, Member, Owner};

use super::*;

/// What every member may.
const FOR_ALL: [Operation; 2] = [Op::NoticeRead, Op::OwnToken];

fn alone(role: Role) -> Vec<Operation> {
    Op::ALL
        .iter()
        .copied()
        .filter(|operation| may(role, Rights::NONE, *operation))
        .collect()
}

fn with(right: Right) -> Vec<Operation> {
    let granted = |operation: &Operation| may(Member, Rights::NONE.with(right), *operation);
    Op::ALL
        .iter()
        .copied()
        .filter(granted)
        .filter(|operation| !FOR_ALL.contains(operation))
        .collect()
}

#[test]
fn an_owner_may_do_everything() {
    assert_eq!(alone(Owner), Op::ALL);
}

#[test]
fn an_administrator_may_do_everything_but_what_only_owners_may() {
    let kept = [Op::OrgEdit, Op::DomainCreate, Op::DomainDelete, Op::OwnerChange];
    let expected: Vec<_> = Op::ALL
        .iter()
        .copied()
        .filter(|operation| !kept.contains(operation))
        .collect();
    assert_eq!(alone(Administrator), expected);
}

#[test]
fn a_mailbox_manager_may_do_everything_to_mailboxes_and_reads_whom_to_give_them_to() {
    let expected: Vec<_> = Op::ALL
        .iter()
        .copied()
        .filter(|operation| {
            let of_mailboxes = ["mailbox.", "alias.", "grant.", "device.", "own-device.", "session."];
            of_mailboxes.iter().any(|thing| operation.word().starts_with(thing))
                || matches!(operation, Op::OrgRead | Op::MemberRead)
                || FOR_ALL.contains(operation)
        })
        .collect();
    assert_eq!(alone(MailboxManager), expected);
}

#[test]
fn an_auditor_reads_all_and_changes_nothing_but_the_tokens_that_read_for_them() {
    let expected: Vec<_> = Op::ALL
        .iter()
        .copied()
        .filter(|operation| {
            let word = operation.word();
            word.ends_with(".read") || word == "mailbox.activity" || word == "own-token.change"
        })
        .collect();
    assert_eq!(alone(Auditor), expected);
}

#[test]
fn a_member_may_do_nothing_but_what_was_granted() {
    assert_eq!(alone(Member), FOR_ALL);
}

#[test]
fn each_right_allows_what_its_name_says() {
    let seen_by_all = [
        Op::MailboxRead,
        Op::MailboxActivity,
        Op::OwnDeviceRead,
        Op::OwnDeviceEnd,
    ];
    let own = [
        Op::OwnDeviceAdd,
        Op::OwnDeviceEdit,
        Op::OwnDeviceResume,
        Op::OwnDeviceReplace,
    ];
    let seen = [Op::DeviceRead, Op::SessionRead];
    let managed = [
        Op::DeviceAdd,
        Op::DeviceEdit,
        Op::DevicePause,
        Op::DeviceResume,
        Op::DeviceReplace,
        Op::DeviceRevoke,
        Op::SessionEnd,
    ];
    let aliases = [Op::AliasCreate, Op::AliasDelete];
    let check = |right: Right, further: &[&[Operation]]| {
        let mut expected: Vec<_> = seen_by_all
            .iter()
            .chain(further.iter().copied().flatten())
            .copied()
            .collect();
        expected.sort_unstable();
        assert_eq!(with(right), expected, "{right}");
    };
    check(Right::SeeDevices, &[&seen]);
    check(Right::AddOwnDevices, &[&own]);
    check(Right::ManageDevices, &[&own, &seen, &managed]);
    check(Right::ManageAliases, &[&aliases]);
    check(Right::SendAs, &[]);
}

#[test]
fn roles_and_rights_add_up_and_never_take_away() {
    for role in Role::ALL {
        for bits in 0..32_u8 {
            let chosen = Right::ALL
                .iter()
                .enumerate()
                .filter(|(place, _)| bits & (1 << place) != 0);
            let rights: Rights = chosen.map(|(_, right)| *right).collect();
            for operation in Op::ALL {
                let either = operation.allows_role(*role) || rights.iter().any(|right| operation.allows_right(right));
                assert_eq!(
                    may(*role, rights, *operation),
                    either,
                    "{role} {rights} {}",
                    operation.word()
                );
            }
        }
    }
}

#[test]
fn a_right_never_reaches_beyond_its_mailbox() {
    for operation in Op::ALL.iter().filter(|operation| operation.about() == About::Org) {
        assert!(
            Right::ALL.iter().all(|right| !operation.allows_right(*right)),
            "{}",
            operation.word()
        );
    }
}

#[test]
fn whoever_may_change_something_may_see_it() {
    for role in Role::ALL {
        for (seen, changes) in [
            (Op::MailboxRead, &["mailbox.", "alias."][..]),
            (Op::GrantRead, &["grant."]),
            (Op::DeviceRead, &["device."]),
            (Op::OwnDeviceRead, &["own-device."]),
            (Op::SessionRead, &["session."]),
            (Op::MemberRead, &["member.", "owner."]),
            (Op::InvitationRead, &["invitation."]),
            (Op::TokenRead, &["token."]),
        ] {
            let of_it = |operation: &&Operation| changes.iter().any(|thing| operation.word().starts_with(thing));
            for operation in Op::ALL
                .iter()
                .filter(of_it)
                .filter(|operation| operation.allows_role(*role))
            {
                assert!(
                    seen.allows_role(*role),
                    "{role}: {} without {}",
                    operation.word(),
                    seen.word()
                );
            }
        }
    }
}

#[test]
fn words_are_distinct_and_dotted_and_changes_are_told_from_reads() {
    let mut words: Vec<_> = Op::ALL.iter().map(|operation| operation.word()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Op::ALL.len());
    for operation in Op::ALL {
        let word = operation.word();
        let reads = word.ends_with(".read") || word == "mailbox.activity";
        assert_eq!(operation.changes(), !reads, "{word}");
        assert!(
            word.split_once('.')
                .is_some_and(|(thing, deed)| !thing.is_empty() && !deed.contains('.')),
            "{word}"
        );
    }
}

/// The two tables of the document.
fn tables() -> String {
    let mut text = String::from("| operation | |");
    for role in Role::ALL {
        text.push_str(&format!(" {} |", role.name().replace('-', " ")));
    }
    text.push_str("\n| --- | --- |");
    text.push_str(&" :-: |".repeat(Role::ALL.len()));
    let cell = |allowed: bool| if allowed { " yes |" } else { " - |" };
    for operation in Op::ALL {
        text.push_str(&format!("\n| `{}` | {} |", operation.word(), operation.title()));
        text.extend(Role::ALL.iter().map(|role| cell(operation.allows_role(*role))));
    }
    text.push_str("\n\n## What a right allows on its mailbox\n\n| operation | |");
    for right in Right::ALL {
        text.push_str(&format!(" {} |", right.name().replace('-', " ")));
    }
    text.push_str("\n| --- | --- |");
    text.push_str(&" :-: |".repeat(Right::ALL.len()));
    for operation in Op::ALL.iter().filter(|operation| operation.about() == About::Mailbox) {
        if Right::ALL.iter().any(|right| operation.allows_right(*right)) {
            text.push_str(&format!("\n| `{}` | {} |", operation.word(), operation.title()));
            text.extend(Right::ALL.iter().map(|right| cell(operation.allows_right(*right))));
        }
    }
    text.push('\n');
    text
}

#[test]
fn the_document_says_what_the_code_says() {
    let document = std::fs::read_to_string("docs/rights.md").unwrap();
    let tables = tables();
    assert!(
        document.ends_with(&format!("\n## What a role allows in its organisation\n\n{tables}")),
        "docs/rights.md must end with\n\n## What a role allows in its organisation\n\n{tables}"
    );
}
