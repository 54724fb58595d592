//! What somebody is told who proved the secret of a refused device: the one channel to a person inside a mail client.
//!
//! At most 140 printable ASCII characters, because that is what clients show of the text behind a response code.

use crate::clock::Timestamp;
use crate::model::name::printable_ascii;
use crate::store::LoginDevice;

/// Characters of a hint.
const MAX_CHARS: usize = 140;

/// What is wrong with a device whose secret was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Expired(Timestamp),
    Network,
    OldPassword(Timestamp),
    Paused(Timestamp),
    Revoked(Timestamp),
    Scope(&'static str),
    Suspended,
}

/// The text for this device, with the place where help is, if both fit.
pub(super) fn hint(refused: Refused, device: &LoginDevice, help_url: Option<&str>) -> String {
    let label = printable_ascii(&device.label);
    let text = match refused {
        Refused::Expired(at) => format!("Device \"{label}\" expired on {}", at.day()),
        Refused::Network => format!("Device \"{label}\" may not sign in from this network"),
        Refused::OldPassword(at) => format!("Device \"{label}\" has a new password since {}", at.day()),
        Refused::Paused(at) => format!("Device \"{label}\" is paused since {}", at.day()),
        Refused::Revoked(at) => format!("Device \"{label}\" was disconnected on {}", at.day()),
        Refused::Scope("smtp") => format!("Device \"{label}\" may not send mail"),
        Refused::Scope(_) => format!("Device \"{label}\" may not read mail"),
        Refused::Suspended => "This mailbox is suspended".to_owned(),
    };
    match help_url.map(|url| format!("{text}. See {}", printable_ascii(url))) {
        Some(with_help) if with_help.len() <= MAX_CHARS => with_help,
        _ => text.chars().take(MAX_CHARS).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::fake;

    const DAY: Timestamp = Timestamp(1_795_132_800_000);

    fn labelled(label: &str) -> LoginDevice {
        LoginDevice {
            label: label.to_owned(),
            ..fake::device(1)
        }
    }

    #[test]
    fn a_hint_names_device_and_day() {
        let text = hint(Refused::Revoked(DAY), &labelled("Anna\u{2019}s iPhone"), None);
        assert_eq!(text, "Device \"Anna's iPhone\" was disconnected on 2026-11-20");
        let text = hint(
            Refused::Expired(DAY),
            &labelled("B\u{fc}ro \"1\"\r\n"),
            Some("https://m.example/d"),
        );
        assert_eq!(
            text,
            "Device \"B?ro '1'??\" expired on 2026-11-20. See https://m.example/d"
        );
    }

    #[test]
    fn a_hint_is_short_printable_ascii_whatever_label_and_address_are() {
        let url = format!("https://{}.example", "x".repeat(60));
        for refused in [
            Refused::OldPassword(DAY),
            Refused::Paused(Timestamp(i64::MAX)),
            Refused::Scope("imap"),
            Refused::Network,
        ] {
            for label in [
                "\u{1f4f1}".repeat(64),
                "\r\n* BYE".repeat(8),
                String::new(),
                "x".repeat(500),
            ] {
                let text = hint(refused, &labelled(&label), Some(&url));
                assert!(
                    text.len() <= MAX_CHARS && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()),
                    "{text}"
                );
            }
        }
    }
}
