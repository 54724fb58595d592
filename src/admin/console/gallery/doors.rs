//! Sign-in, set-up, invitations, step-up.

use super::sample::{DAY, HEBREW, HOSTILE, LONG_ADDRESS, PASSWORD, Sample, ago, ahead};
use super::{Shot, shot};
use crate::admin::console::view::devices::Server;
use crate::admin::console::view::door::{
    Closed, Decline, Forgot, InvitationClosed, Invited, InvitedMailbox, Offer, Reset, SecondFactor, SetUp, SignIn,
    StepUp, Way,
};
use crate::admin::console::view::error::{ErrorDoor, Fault};
use crate::admin::console::view::form::problem;
use crate::admin::console::view::qr::Qr;
use crate::admin::console::view::set_up_device::{
    Platform, SetUpClosed, SetUpDevice, SetUpDeviceClosed, SetUpOffer, SetUpPassword, SetUpWay,
};
use crate::admin::console::view::{Field, Frame, Place, done};
use crate::model::{Right, Role};
use crate::secret::Secret;

pub(super) fn shots(sample: &Sample) -> Vec<Shot> {
    let mut shots = sign_in(sample);
    shots.extend(links(sample));
    shots.extend(step_up(sample));
    shots.extend(invitations(sample));
    shots.extend(closed(sample));
    shots.extend(set_up_links(sample));
    shots
}

fn sign_in(sample: &Sample) -> Vec<Shot> {
    let sign_in = |address: &str, problem, flash| SignIn {
        frame: Frame { flash, ..sample.door() },
        address: Field::of(address),
        problem,
        next: "/o/x?q=a&b=c".to_owned(),
    };
    let code = |is_recovery, code| SecondFactor {
        frame: sample.door(),
        code,
        is_recovery,
        next: String::new(),
    };
    let throttled = done::sign_in_throttled(ahead(300));
    vec![
        shot("sign-in", &sign_in("", None, None)),
        shot(
            "sign-in-refused",
            &sign_in("anna@example.org", Some(done::sign_in_refused()), None),
        ),
        shot("sign-in-throttled", &sign_in(HOSTILE, Some(throttled), None)),
        shot("sign-in-over", &sign_in("", None, Some(done::session_over()))),
        shot("sign-in-nobody", &sign_in("", None, Some(done::nobody_yet()))),
        shot("sign-in-out", &sign_in("", None, Some(done::signed_out_here()))),
        shot("sign-in-reset", &sign_in("", None, Some(done::password_reset()))),
        shot("code", &code(false, Field::default())),
        shot("code-wrong", &code(false, Field::of("123456").wrong(problem::code()))),
        shot("code-recovery", &code(true, Field::default())),
    ]
}

fn links(sample: &Sample) -> Vec<Shot> {
    let forgot = |address, is_sent| Forgot {
        frame: sample.door(),
        address,
        sends_mail: true,
        is_sent,
    };
    let reset = |address: Option<&str>, password| Reset {
        frame: sample.door(),
        address: address.map(str::to_owned),
        password,
    };
    let set_up = |is_open| SetUp {
        frame: sample.door(),
        is_open,
        organisation: Field::default(),
        name: Field::default(),
        address: Field::default(),
        password: Field::default(),
        language: Field::of("en"),
    };
    let wrong = SetUp {
        organisation: Field::of("x".repeat(101)).wrong(problem::too_long(100)),
        name: Field::of("").wrong(problem::missing()),
        address: Field::of("anna").wrong(problem::address()),
        password: Field::default().wrong(problem::password_common()),
        ..set_up(true)
    };
    let short = Field::default().wrong(problem::password_short(12));
    let long = Field::default().wrong(problem::password_long(128));
    vec![
        shot("forgot", &forgot(Field::default(), false)),
        shot("forgot-sent", &forgot(Field::of(LONG_ADDRESS), true)),
        shot(
            "forgot-no-mail",
            &Forgot {
                sends_mail: false,
                ..forgot(Field::default(), false)
            },
        ),
        shot("reset", &reset(Some("anna@example.org"), Field::default())),
        shot("reset-short", &reset(Some("anna@example.org"), short)),
        shot("reset-long", &reset(Some(LONG_ADDRESS), long)),
        shot("reset-gone", &reset(None, Field::default())),
        shot("set-up", &set_up(true)),
        shot("set-up-wrong", &wrong),
        shot("set-up-gone", &set_up(false)),
    ]
}

fn step_up(sample: &Sample) -> Vec<Shot> {
    let step_up = |purpose, password, has_code| StepUp {
        frame: Frame {
            org: None,
            ..sample.own(Place::Elsewhere)
        },
        purpose,
        has_code,
        password,
        code: Field::default(),
        next: "/me".to_owned(),
        back: "/me".to_owned(),
    };
    vec![
        shot(
            "step-up",
            &step_up(done::purpose::add_device("info@acme.ch"), Field::default(), true),
        ),
        shot(
            "step-up-wrong",
            &step_up(
                done::purpose::replace_device(HOSTILE),
                Field::default().wrong(problem::password_wrong()),
                false,
            ),
        ),
        shot(
            "step-up-method",
            &step_up(done::purpose::sign_in_method(), Field::default(), false),
        ),
        shot(
            "step-up-role",
            &step_up(done::purpose::give_role(), Field::default(), true),
        ),
        shot(
            "step-up-token",
            &step_up(done::purpose::make_token(), Field::default(), true),
        ),
    ]
}

fn offer(mailboxes: Vec<InvitedMailbox>) -> Offer {
    Offer {
        inviter: "Sophie Laurent".to_owned(),
        org: "Acme".to_owned(),
        address: "lucie@private.example".to_owned(),
        role: Role::Member,
        mailboxes,
        expires_at: ahead(6 * DAY),
    }
}

fn mailboxes() -> Vec<InvitedMailbox> {
    vec![
        InvitedMailbox {
            address: "contact@acme.ch".to_owned(),
            rights: vec![Right::SeeDevices, Right::AddOwnDevices, Right::SendAs],
            ends_at: None,
        },
        InvitedMailbox {
            address: LONG_ADDRESS.to_owned(),
            rights: Right::ALL.to_vec(),
            ends_at: Some(ahead(90 * DAY)),
        },
    ]
}

fn invitations(sample: &Sample) -> Vec<Shot> {
    let invited = |offer, way| Invited {
        frame: sample.door(),
        path: "/invitation/abc".to_owned(),
        offer,
        way,
    };
    let stranger = |name, password| Way::Stranger {
        name,
        password,
        language: Field::of("fr"),
    };
    let new = stranger(Field::default(), Field::default());
    let wrong = stranger(
        Field::of("\u{fffd}").wrong(problem::unshowable()),
        Field::default().wrong(problem::password_short(12)),
    );
    let signed_in = Way::SignedIn {
        name: "Lucie Müller".to_owned(),
        address: "lucie@private.example".to_owned(),
    };
    let another = Way::Another {
        address: "marc@acme.ch".to_owned(),
    };
    let hostile = Offer {
        inviter: HOSTILE.to_owned(),
        org: HEBREW.to_owned(),
        ..offer(Vec::new())
    };
    vec![
        shot("invitation-new-user", &invited(offer(mailboxes()), new)),
        shot("invitation-wrong", &invited(offer(mailboxes()), wrong)),
        shot("invitation-signed-in", &invited(offer(mailboxes()), signed_in)),
        shot("invitation-another", &invited(offer(mailboxes()), another.clone())),
        shot("invitation-hostile", &invited(hostile, another)),
        shot(
            "invitation-decline",
            &Decline {
                frame: sample.door(),
                path: "/invitation/abc".to_owned(),
                offer: offer(Vec::new()),
            },
        ),
    ]
}

fn closed(sample: &Sample) -> Vec<Shot> {
    let closed = |name, reason| {
        shot(
            name,
            &InvitationClosed {
                frame: sample.door(),
                reason,
            },
        )
    };
    let inviter = || "Sophie Laurent".to_owned();
    let used = Closed::Used {
        at: ago(19 * DAY),
        by: "anna@…".to_owned(),
        inviter: inviter(),
    };
    let expired = Closed::Expired {
        at: ago(2 * DAY),
        inviter: inviter(),
    };
    let error = |name, fault| {
        shot(
            name,
            &ErrorDoor {
                frame: sample.door(),
                fault,
            },
        )
    };
    vec![
        closed("invitation-used", used),
        closed("invitation-expired", expired),
        closed("invitation-withdrawn", Closed::Withdrawn { inviter: inviter() }),
        closed("invitation-unknown", Closed::Unknown),
        closed("invitation-declined", Closed::Declined),
        error("door-410", Fault::Gone),
        error("door-429", Fault::TooMany { again_at: ahead(900) }),
        error("door-503", Fault::Unavailable),
    ]
}

fn set_up_links(sample: &Sample) -> Vec<Shot> {
    let offer = || SetUpOffer {
        org: "Acme Sàrl".to_owned(),
        address: LONG_ADDRESS.to_owned(),
        device: HEBREW.to_owned(),
        by: HOSTILE.to_owned(),
        expires_at: ahead(DAY),
    };
    let page = |platform, has_profile, way| SetUpDevice {
        frame: sample.door(),
        path: "/s/psd_x".to_owned(),
        offer: offer(),
        platform,
        has_profile,
        way,
    };
    let again = |fetched| SetUpWay::Again { fetched };
    let server = |port| Server {
        host: "mail.acme.example".to_owned(),
        port,
        is_implicit_tls: true,
    };
    let password = |qr: bool| SetUpPassword {
        frame: sample.door(),
        path: "/s/psd_x".to_owned(),
        offer: offer(),
        password: Secret::new(PASSWORD.to_owned()),
        imap: Some(server(993)),
        smtp: Some(server(465)),
        qr: qr.then(|| Qr::of("the settings of an account")).flatten(),
    };
    let closed = |reason| SetUpDeviceClosed {
        frame: sample.door(),
        path: "/s/psd_x".to_owned(),
        reason,
    };
    let by = || HOSTILE.to_owned();
    vec![
        shot("setup-iphone", &page(Platform::Iphone, true, SetUpWay::Ready)),
        shot("setup-mac", &page(Platform::Mac, true, SetUpWay::Ready)),
        shot("setup-android", &page(Platform::Android, false, SetUpWay::Ready)),
        shot("setup-other", &page(Platform::Other, false, SetUpWay::Ready)),
        shot("setup-again-profile", &page(Platform::Iphone, true, again(true))),
        shot("setup-again", &page(Platform::Other, false, again(false))),
        shot("setup-over", &page(Platform::Other, false, SetUpWay::Over)),
        shot("setup-done", &page(Platform::Iphone, true, SetUpWay::Done)),
        shot("setup-password", &password(false)),
        shot("setup-password-android", &password(true)),
        shot("setup-taken", &closed(SetUpClosed::Taken { at: ago(DAY), by: by() })),
        shot(
            "setup-expired",
            &closed(SetUpClosed::Expired { at: ago(DAY), by: by() }),
        ),
        shot("setup-withdrawn", &closed(SetUpClosed::Withdrawn { by: by() })),
        shot("setup-off", &closed(SetUpClosed::Off { by: by() })),
        shot("setup-unknown", &closed(SetUpClosed::Unknown)),
    ]
}
