//! Setting a device up: the page of a password for each kind of device, and how test messages fare.

use super::devices::password;
use super::sample::{HOSTILE, LONG_ADDRESS, Sample};
use super::{Shot, shot};
use crate::admin::console::view::Place;
use crate::admin::console::view::device::{DeviceRow, FirstSignIn};
use crate::admin::console::view::devices::DevicePassword;
use crate::admin::console::view::qr::Qr;
use crate::admin::console::view::setting_up::{MakerForm, Trial};
use crate::model::{DeviceKind, Scopes};
use crate::onboard::Service;
use crate::onboard::sheet::Maker;
use crate::trial::{Failed, Report, Stage};

pub(super) fn shots(sample: &Sample) -> Vec<Shot> {
    let mut shots: Vec<_> = DeviceKind::ALL
        .iter()
        .map(|kind| shot(&format!("device-set-up-{}", kind.name()), &page(sample, *kind)))
        .collect();
    shots.extend(trials().into_iter().map(|(name, trial)| {
        let page = DevicePassword {
            has_networks: true,
            trial: Some(trial),
            ..page(sample, DeviceKind::App)
        };
        shot(&format!("device-test-{name}"), &page)
    }));
    shots
}

fn page(sample: &Sample, kind: DeviceKind) -> DevicePassword {
    let page = password(sample.frame(Place::Mailboxes), FirstSignIn::Waiting, false, false);
    let device = DeviceRow {
        kind,
        scopes: Scopes {
            imap: kind != DeviceKind::Printer,
            smtp: true,
        },
        ..page.device
    };
    let code = "x".repeat(205);
    DevicePassword {
        qr: (kind == DeviceKind::Android).then(|| Qr::of(&code)).flatten(),
        forms: if kind == DeviceKind::Printer {
            forms(&device.mailbox.address)
        } else {
            Vec::new()
        },
        imap: page.imap.filter(|_| device.scopes.imap),
        device,
        ..page
    }
}

fn forms(address: &str) -> Vec<MakerForm> {
    let smtp = Service {
        host: "mail.acme.example".to_owned(),
        port: 465,
        implicit_tls: true,
    };
    let form = |maker: Maker| MakerForm {
        maker,
        entries: maker.form(&smtp, address),
    };
    Maker::ALL.into_iter().map(form).collect()
}

fn trials() -> Vec<(&'static str, Trial)> {
    let ran = |steps: usize, failed: Option<(u16, &str)>| {
        let said = [
            "127.0.0.1:465",
            "TLSv1.3, 2026-12-24",
            "2.7.0 Authentication successful",
            "2.1.0 Ok",
            "2.1.5 Ok",
            "2.0.0 Ok: queued as 4Xq1",
        ];
        let report = Report {
            done: Stage::ALL
                .into_iter()
                .zip(said.map(str::to_owned))
                .take(steps)
                .collect(),
            failed: failed.map(|(code, words)| Failed {
                stage: Stage::ALL[steps],
                code: (code > 0).then_some(code),
                words: words.to_owned(),
            }),
            is_untrusted: steps == 6,
        };
        Trial::of(report, ("mail.acme.example", "info@acme.ch", LONG_ADDRESS), steps == 2)
    };
    vec![
        ("sent", ran(6, None)),
        ("too-soon", Trial::TooSoon),
        ("other-password", Trial::OtherPassword),
        ("connection", ran(0, Some((0, "Connection refused (os error 111)")))),
        (
            "tls",
            ran(1, Some((0, "invalid peer certificate: certificate not valid for name"))),
        ),
        ("sign-in", ran(2, Some((535, "5.7.8 Authentication failed")))),
        (
            "sender",
            ran(3, Some((553, "5.7.1 This device may not send as this address"))),
        ),
        ("recipient", ran(4, Some((550, HOSTILE)))),
        ("message", ran(5, Some((451, "4.3.0 try again later")))),
    ]
}
