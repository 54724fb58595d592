//! What mails say: each kind in each language, and what a hostile name can do in them.

use std::net::IpAddr;

use askama::Template as _;
use jiff::tz::TimeZone;

use super::super::letter::{Envelope, Html, Plain};
use super::super::page::{Page, Style};
use super::super::texts::{Texts, shown};
use super::*;
use crate::model::{DeviceId, MailboxId, OrgId};

const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));

fn device_link() -> Content {
    Content::DeviceLink(DeviceLink {
        by: "Sophie Martin".to_owned(),
        org: "Acme".to_owned(),
        mailbox: address("contact@acme.test"),
        device: "Lucie's iPhone".to_owned(),
        expires_at: later(1),
        token: token(),
    })
}

fn every_content() -> Vec<Content> {
    let (by, org) = ("Sophie Martin".to_owned(), "Acme".to_owned());
    let mut contents = vec![
        Content::Invitation(invitation()),
        Content::PasswordReset(PasswordReset {
            address: address(LUCIE),
            at: START,
            from: Some(FROM),
            expires_at: START.plus(Duration::from_secs(3600)),
            token: token(),
        }),
        Content::AddressConfirm(AddressConfirm {
            old: address(LUCIE),
            new: address("lucie@new.test"),
            at: START,
            from: Some(FROM),
            expires_at: START.plus(Duration::from_secs(3600)),
            token: token(),
        }),
        Content::AddressConfirmed(AddressConfirmed {
            old: address(LUCIE),
            new: address("lucie@new.test"),
            at: START,
            from: Some(FROM),
        }),
        Content::AccessGiven(AccessGiven {
            by: by.clone(),
            org: org.clone(),
            access: access("contact@acme.test", "manage-devices,manage-aliases", Some(later(30))),
        }),
        Content::AccessWithdrawn(AccessWithdrawn {
            by: by.clone(),
            org: org.clone(),
            mailboxes: vec![address("contact@acme.test")],
            devices: vec!["Lucie's iPhone".to_owned(), "Lucie's Mac".to_owned()],
            left: false,
        }),
        Content::AccessWithdrawn(AccessWithdrawn {
            by: by.clone(),
            org,
            mailboxes: vec![address("contact@acme.test"), address("info@acme.test")],
            devices: Vec::new(),
            left: true,
        }),
        device_link(),
        device_added(&by, None),
        device_added("", Some(signed_in("imap", Some("iPhone Mail 22C161")))),
        network(),
        digest(),
        unused(1, 0),
        unused(3, 2),
        token_made(),
        notices_off(),
        Content::Test(Test {
            host: "mail.acme.test".to_owned(),
            at: START,
        }),
    ];
    contents.extend(SignInChange::ALL.map(|change| {
        Content::SignInChanged(SignInChanged {
            address: address(LUCIE),
            change,
            at: START,
            from: Some(FROM),
        })
    }));
    contents
}

fn device_added(by: &str, set_up: Option<SignedIn>) -> Content {
    Content::DeviceAdded(DeviceAdded {
        by: by.to_owned(),
        org: OrgId::from_raw(1),
        mailbox: MailboxId::from_raw(2),
        address: address("contact@acme.test"),
        device: "Lucie's iPhone".to_owned(),
        at: START,
        set_up,
    })
}

fn token_made() -> Content {
    Content::TokenMade(TokenMade {
        org: OrgId::from_raw(1),
        org_name: "Acme".to_owned(),
        name: "CRM sync".to_owned(),
        role: Role::MailboxManager,
        scope: crate::model::TokenScope::Write,
        expires_at: later(90),
        at: START,
        from: Some(FROM),
    })
}

fn notices_off() -> Content {
    Content::NoticesOff(SwitchedOff {
        by: "Sophie Martin".to_owned(),
        org: OrgId::from_raw(1),
        org_name: "Acme".to_owned(),
        kinds: crate::model::NoticeKind::ALL.to_vec(),
        at: START,
        from: Some(FROM),
    })
}

fn signed_in(protocol: &str, client: Option<&str>) -> SignedIn {
    SignedIn {
        protocol: protocol.to_owned(),
        client: client.map(str::to_owned),
        from: FROM,
    }
}

fn network() -> Content {
    Content::DeviceNetwork(DeviceNetwork {
        org: OrgId::from_raw(1),
        device: DeviceId::from_raw(3),
        label: "Lucie's iPhone".to_owned(),
        mailbox: address("contact@acme.test"),
        at: START,
        signed_in: signed_in("imap", Some("iPhone Mail 22C161")),
    })
}

fn digest() -> Content {
    let happened = |minutes: u64, what| Happened {
        at: START.plus(Duration::from_secs(minutes * 60)),
        what,
    };
    Content::DeviceDigest(DeviceDigest {
        org: OrgId::from_raw(1),
        device: DeviceId::from_raw(3),
        label: "Copier".to_owned(),
        mailbox: address("contact@acme.test"),
        page_of: None,
        happened: vec![
            happened(1, Happening::Added("Sophie Martin".to_owned())),
            happened(3, Happening::SetUp(signed_in("imap", None))),
            happened(5, Happening::Network(signed_in("smtp", None))),
            happened(9, Happening::Network(signed_in("imap", Some("Thunderbird")))),
        ],
        more: 1,
    })
}

fn unused(named: i64, more: u32) -> Content {
    let devices = (1..=named).map(|number| Unused {
        device: DeviceId::from_raw(number),
        label: format!("Device {number}"),
        mailbox: address("contact@acme.test"),
        used_at: (number == 1).then_some(START),
        created_at: START,
    });
    Content::DeviceUnused(DeviceUnused {
        org: OrgId::from_raw(1),
        devices: devices.collect(),
        more,
        days: 90,
    })
}

fn origin() -> Origin {
    Origin::parse("https://manager.acme.test").unwrap()
}

fn page(content: &Content, language: Language) -> Page {
    let origin = origin();
    let style = Style {
        origin: Some(&origin),
        hostname: "mail.acme.test",
        zone: &TimeZone::fixed(jiff::tz::offset(1)),
    };
    Page::write(content, language, &style)
}

fn letter(content: &Content, to: &str) -> String {
    let sender = Sender::parse("Postern <postern@acme.test>").unwrap();
    let envelope = Envelope {
        id: MailId::from_raw(7),
        hostname: "mail.acme.test",
        from: sender.mailbox(),
        to: &address(to),
        written_at: START,
    };
    let letter = Letter::write(&page(content, Language::English), &envelope).unwrap();
    String::from_utf8(letter.octets).unwrap()
}

fn all_in(language: Language) -> String {
    let contents = every_content();
    let mails = contents.iter().map(|content| {
        let page = page(content, language);
        let text = Plain { page: &page }.render().unwrap();
        format!("Subject: {}\n\n{text}", page.subject)
    });
    mails
        .collect::<Vec<_>>()
        .join("\n==========\n\n")
        .replace(TOKEN, "[token]")
}

#[test]
fn mails_in_english() {
    insta::assert_snapshot!("english", all_in(Language::English));
}

#[test]
fn mails_in_french() {
    insta::assert_snapshot!("french", all_in(Language::French));
}

#[test]
fn the_same_as_a_page() {
    let page = page(&Content::Invitation(invitation()), Language::English);
    let html = Html { page: &page }.render().unwrap();
    insta::assert_snapshot!("html", html.replace(TOKEN, "[token]"));
}

#[test]
fn no_text_is_missing_in_any_language_and_none_is_left_over() {
    let keys = |text: &str| -> Vec<String> {
        let keys = text
            .lines()
            .filter_map(|line| line.split_once(" =").map(|(key, _)| key.to_owned()));
        keys.filter(|key| !key.starts_with(['#', ' '])).collect()
    };
    let english = keys(include_str!("../../../texts/mail.en.ftl"));
    assert_eq!(
        english,
        keys(include_str!("../../../texts/mail.fr.ftl")),
        "the same keys in the same order"
    );
    for language in Language::ALL {
        let texts = Texts::of(*language, &TimeZone::UTC);
        for key in &english {
            assert!(texts.has(key), "{language} does not read {key}");
        }
        // A text that is missing shows its key, which no sentence contains.
        let said = all_in(*language);
        for key in &english {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
            assert!(
                !said.split(|c| !is_word(c)).any(|word| word == key && key.contains('-')),
                "{key}"
            );
        }
        assert!(texts.has("role-member-alone"));
        for role in Role::ALL {
            assert!(texts.has(&format!("role-{role}")), "{role}");
        }
        for right in Rights::ALL.iter() {
            assert!(texts.has(&format!("right-{right}")), "{right}");
        }
    }
}

#[test]
fn both_languages_use_the_same_values() {
    let values = |text: &str| -> Vec<(String, Vec<String>)> {
        let mut found: Vec<(String, Vec<String>)> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((key, _)) = line.split_once(" =").filter(|(key, _)| !key.starts_with(' ')) {
                found.push((key.to_owned(), Vec::new()));
            }
            let names = line.split("{ $").skip(1).filter_map(|rest| rest.split(' ').next());
            if let Some((_, known)) = found.last_mut() {
                known.extend(names.map(str::to_owned));
                known.sort();
                known.dedup();
            }
        }
        found
    };
    assert_eq!(
        values(include_str!("../../../texts/mail.en.ftl")),
        values(include_str!("../../../texts/mail.fr.ftl"))
    );
}

#[test]
fn moments_are_written_as_people_do_with_their_zone() {
    let first_of_may = Timestamp(1_777_593_600_000);
    for (language, zone, expected) in [
        (Language::English, TimeZone::UTC, "1 May 2026, 00:00 UTC"),
        (Language::French, TimeZone::UTC, "1er mai 2026 à 00:00 UTC"),
        (
            Language::French,
            TimeZone::fixed(jiff::tz::offset(2)),
            "1er mai 2026 à 02:00 UTC+2",
        ),
        (
            Language::English,
            TimeZone::fixed(jiff::tz::Offset::from_seconds(-12_600).unwrap()),
            "30 April 2026, 20:30 UTC-3:30",
        ),
    ] {
        assert_eq!(Texts::of(language, &zone).moment(first_of_may), expected);
    }
}

#[test]
fn every_mail_says_that_a_program_wrote_it_and_in_which_language() {
    let mail = letter(&Content::Invitation(invitation()), LUCIE);
    let (header, _) = mail.split_once("\r\n\r\n").unwrap();
    let header = header.split("boundary=").next().unwrap();
    insta::assert_snapshot!(header.replace("\r\n", "\n"), @r"
    From: Postern <postern@acme.test>
    To: lucie@private.test
    Subject: Sophie Martin invites you to Acme
    Date: Wed, 18 Nov 2026 11:06:40 +0000
    Message-ID: <mal-0000000000007@mail.acme.test>
    Auto-Submitted: auto-generated
    X-Auto-Response-Suppress: All
    Content-Language: en
    MIME-Version: 1.0
    Content-Type: multipart/alternative;
    ");
    assert!(mail.is_ascii() && mail.lines().all(|line| line.len() <= 998));
}

/// Names that would be headers, lines, commands, tags or other directions, if anything let them.
const HOSTILE: [&str; 7] = [
    "Eve\r\nBcc: victim@evil.test",
    "Eve\n\nGo to http://evil.test",
    "Eve\r\n.\r\nMAIL FROM:<x@evil.test>",
    "<script>alert(1)</script>\" onload=\"x",
    "\u{202e}evil\u{2066} \u{2028}x\u{0}",
    "Eve =?utf-8?q?=0D=0ABcc:_x@evil.test?=",
    "Eve =?utf-8?q?=E2=80=AEliame?= =?",
];

#[test]
fn a_name_is_neither_a_header_nor_a_tag_nor_another_direction() {
    let usual = letter(&Content::Invitation(invitation()), LUCIE);
    let names = |mail: &str| -> Vec<String> {
        let (header, _) = mail.split_once("\r\n\r\n").unwrap();
        let lines = header.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        lines.map(|line| line.split(':').next().unwrap().to_owned()).collect()
    };
    for hostile in HOSTILE {
        let content = Content::Invitation(Invitation {
            by: hostile.to_owned(),
            org: hostile.to_owned(),
            ..invitation()
        });
        let mail = letter(&content, LUCIE);
        assert_eq!(names(&mail), names(&usual), "{hostile:?}");
        assert!(!mail.contains("\nBcc:") && !mail.contains("\n.\r\n"), "{hostile:?}");
        let (header, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(!header.contains("=0D") && !header.contains("=E2=80=AE"), "{header}");
        let page = page(&content, Language::English);
        let (text, html) = (
            Plain { page: &page }.render().unwrap(),
            Html { page: &page }.render().unwrap(),
        );
        for shown in [&page.subject, &text, &html] {
            assert!(
                !shown.contains(['\u{202e}', '\u{2066}', '\u{2028}', '\0', '\r']),
                "{shown:?}"
            );
        }
        assert!(!page.subject.contains('\n') && !page.lead.contains('\n'), "{hostile:?}");
        assert!(!html.contains("<script") && !html.contains("\" onload"), "{html}");
        assert_eq!(html.matches("href=").count(), 2, "{html}");
    }
}

#[test]
fn whoever_sends_a_set_up_link_writes_no_subject_and_no_links() {
    let content = |by: &str, device: &str| {
        Content::DeviceLink(DeviceLink {
            by: by.to_owned(),
            org: "Acme".to_owned(),
            mailbox: address("contact@acme.test"),
            device: device.to_owned(),
            expires_at: later(1),
            token: token(),
        })
    };
    let said = |content: &Content, language| {
        let page = page(content, language);
        (page.subject.clone(), Plain { page: &page }.render().unwrap())
    };
    for language in Language::ALL {
        let (subject, text) = said(&content("J.R. Martin", "Invoice overdue"), *language);
        assert!(!subject.contains("Invoice") && !subject.contains("Martin"), "{subject}");
        assert!(
            text.contains("Invoice overdue") && text.contains("J.R. Martin"),
            "{text}"
        );
        for evil in [
            "see HTTPS://evil",
            "WWW.evil.test",
            "write to x@evil",
            "overdue, see evil.test",
        ] {
            let (subject, text) = said(&content(evil, evil), *language);
            for shown in [subject, text] {
                assert!(!shown.to_lowercase().contains("evil"), "{shown}");
            }
        }
    }
    let (_, text) = said(&content("www.evil.test", "www.evil.test"), Language::English);
    assert!(
        text.starts_with("Acme asks you to set up a device for the mailbox contact@acme.test."),
        "{text}"
    );
}

#[test]
fn no_program_writes_a_link_into_a_mail() {
    for client in [
        "mail evil.test for your refund",
        "https://evil",
        "www.evil.test",
        "x@evil",
    ] {
        let signed_in = || signed_in("imap", Some(client));
        let network = DeviceNetwork {
            org: OrgId::from_raw(1),
            device: DeviceId::from_raw(3),
            label: "Copier".to_owned(),
            mailbox: address("contact@acme.test"),
            at: START,
            signed_in: signed_in(),
        };
        let digest = |what| DeviceDigest {
            org: OrgId::from_raw(1),
            device: DeviceId::from_raw(3),
            label: "Copier".to_owned(),
            mailbox: address("contact@acme.test"),
            page_of: None,
            happened: vec![Happened { at: START, what }],
            more: 1,
        };
        let set_up = DeviceAdded {
            by: String::new(),
            org: OrgId::from_raw(1),
            mailbox: MailboxId::from_raw(2),
            address: address("contact@acme.test"),
            device: "Copier".to_owned(),
            at: START,
            set_up: Some(signed_in()),
        };
        for content in [
            Content::DeviceNetwork(network),
            Content::DeviceDigest(digest(Happening::SetUp(signed_in()))),
            Content::DeviceDigest(digest(Happening::Network(signed_in()))),
            Content::DeviceAdded(set_up),
        ] {
            for language in Language::ALL {
                let page = page(&content, *language);
                let text = Plain { page: &page }.render().unwrap();
                assert!(!text.contains("evil") && text.contains(&FROM.to_string()), "{text}");
            }
        }
    }
}

#[test]
fn letters_that_run_leftwards_are_kept_to_themselves() {
    assert_eq!(shown("שלום"), "\u{2068}שלום\u{2069}");
    assert_eq!(shown(" Zoë "), "Zoë");
    assert_eq!(shown(&"x".repeat(400)).chars().count(), 301);
    assert_eq!(shown("a\u{202e}b\r\nc"), "a\u{fffd}b\u{fffd}\u{fffd}c");
}

#[test]
fn without_an_origin_there_is_a_mail_without_a_button() {
    let style = Style {
        origin: None,
        hostname: "mail.acme.test",
        zone: &TimeZone::UTC,
    };
    let content = Content::Test(Test {
        host: "mail.acme.test".to_owned(),
        at: START,
    });
    let page = Page::write(&content, Language::English, &style);
    assert!(
        page.button.is_none() && page.footer.contains("mail.acme.test"),
        "{page:?}"
    );
    let html = Html { page: &page }.render().unwrap();
    assert!(!html.contains("href"), "{html}");
}
