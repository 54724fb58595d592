//! What lies in the store is sealed, bound to its recipient, and never shown.

use super::*;

fn to(address: &Address) -> Recipient<'_> {
    Recipient {
        address,
        language: Language::French,
    }
}

#[test]
fn a_content_is_opened_as_it_was_sealed() {
    let (keys, lucie) = (Keyring::for_tests(), address(LUCIE));
    let mail = Content::Invitation(invitation())
        .sealed(to(&lucie), None, &keys)
        .unwrap();
    assert_eq!((mail.kind, mail.language), (MailKind::Invitation, Language::French));
    assert_eq!((&mail.recipient, mail.useful_until), (&lucie, Some(later(7))));
    let opened = Content::open(mail.kind, &lucie, &mail.sealed, &keys).unwrap();
    let Content::Invitation(opened) = opened else {
        panic!("{opened:?}")
    };
    let written = invitation();
    assert_eq!(
        (opened.by, opened.org, opened.role),
        (written.by, written.org, written.role)
    );
    assert_eq!(opened.token.expose(), TOKEN);
    assert_eq!(format!("{:?}", opened.accesses), format!("{:?}", written.accesses));
}

#[test]
fn what_is_sealed_for_one_opens_for_nobody_else_and_for_nothing_else() {
    let (keys, lucie) = (Keyring::for_tests(), address(LUCIE));
    let mail = Content::Invitation(invitation())
        .sealed(to(&lucie), None, &keys)
        .unwrap();
    let evil = address("eve@evil.test");
    let opened = Content::open(mail.kind, &evil, &mail.sealed, &keys);
    assert!(matches!(opened, Err(Error::Sealed(keys::Error::Sealed))), "{opened:?}");
    let opened = Content::open(MailKind::PasswordReset, &lucie, &mail.sealed, &keys);
    assert!(matches!(opened, Err(Error::Sealed(keys::Error::Sealed))), "{opened:?}");
    let garbage = Content::open(mail.kind, &lucie, &mail.sealed[..9], &keys);
    assert!(matches!(garbage, Err(Error::Sealed(_))), "{garbage:?}");
    assert!(memchr::memmem::find(&mail.sealed, &TOKEN.as_bytes()[..8]).is_none());
}

#[test]
fn a_link_is_never_shown() {
    let shown = format!("{:?} {:?}", Content::Invitation(invitation()), token());
    assert!(shown.contains("[secret]") && !shown.contains(&TOKEN[..12]), "{shown}");
}

#[test]
fn a_secret_that_could_change_its_link_is_refused() {
    for text in [
        "",
        "short",
        "a/b/c/d/e/f/g/h/i/j/k/l",
        "abcdefghijklmnopqrst\r\n",
        "abcdefghij klmnopqrst",
        &"x".repeat(129),
    ] {
        assert!(
            matches!(Token::new(Secret::new(text.to_owned())), Err(Error::Token)),
            "{text:?}"
        );
    }
}
