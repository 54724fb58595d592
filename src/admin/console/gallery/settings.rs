//! The organisation's settings, and API tokens.

use super::sample::{DAY, HOSTILE, LONG, Sample, ago, ahead};
use super::{Shot, shot};
use crate::admin::console::view::confirm::Confirm;
use crate::admin::console::view::form::problem;
use crate::admin::console::view::settings::{NewToken, Settings, TokenRow, TokenShown};
use crate::admin::console::view::{Field, Place, Ticks};
use crate::model::{Role, TokenId};
use crate::secret::Secret;

pub(super) fn shots(sample: &Sample) -> Vec<Shot> {
    let token = |name: &str, role, last_used| TokenRow {
        id: TokenId::from_raw(i64::try_from(name.len()).unwrap()),
        name: name.to_owned(),
        owner: "Sophie Laurent".to_owned(),
        role,
        is_read_only: role == Role::Auditor,
        last_used,
        expires_at: (role == Role::Auditor).then(|| ahead(30 * DAY)),
        may_revoke: role != Role::Owner,
    };
    let tokens = vec![
        token(
            "CRM sync",
            Role::MailboxManager,
            Some((ago(40), "198.51.100.20".to_owned())),
        ),
        token(HOSTILE, Role::Auditor, None),
        token(LONG, Role::Owner, None),
    ];
    let page = |tokens, may_change| Settings {
        frame: sample.frame(Place::Settings),
        name: Field::of("Acme"),
        revision: "1".to_owned(),
        may_change,
        tokens,
        notices: Ticks::of(["device-added", "device-network"]),
        notices_revision: "device-unused".to_owned(),
        may_choose_notices: may_change,
        may_make_token: may_change,
    };
    let new = |frame, name| NewToken {
        frame,
        name,
        role: Field::of("auditor"),
        offered: Role::ALL.to_vec(),
        access: Field::of("read"),
        expires: Field::of("90"),
        once: "2".to_owned(),
    };
    let shown = TokenShown {
        frame: sample.frame(Place::Settings),
        name: "CRM sync".to_owned(),
        token: Secret::new("pst_7hq2m4x9k3v8d5t6w1b0c7n2p4r6s8f3g5j1z9y7a2e4h6k8m0q2".to_owned()),
        api: "https://manager.acme.example/api/v1".to_owned(),
    };
    let revoke = Confirm::revoke_token(
        sample.frame(Place::Settings),
        HOSTILE,
        "/do".to_owned(),
        "/back".to_owned(),
    );
    vec![
        shot("settings", &page(tokens.clone(), true)),
        shot("settings-empty", &page(Vec::new(), true)),
        shot("settings-auditor", &page(tokens, false)),
        shot("token-new", &new(sample.frame(Place::Settings), Field::default())),
        shot(
            "token-new-missing",
            &new(
                sample.refused(Place::Settings),
                Field::default().wrong(problem::missing()),
            ),
        ),
        shot("token-shown", &shown),
        shot("token-revoke", &revoke),
    ]
}
