//! `postern org notices`: which notices of devices an organisation sends by mail.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde_json::json;

use super::failure::Failure;
use super::local::Local;
use super::output::{Output, table};
use crate::model::{NoticeKind, NoticesOff};

#[derive(Debug, Args)]
pub(super) struct Notices {
    /// Name or id; may be left out where there is one organisation.
    org: Option<String>,
    /// Send notices of this kind from now on.
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    on: Vec<NoticeKind>,
    /// Send no more notices of this kind.
    #[arg(long, value_name = "KIND", value_parser = kinds(), conflicts_with = "on")]
    off: Vec<NoticeKind>,
}

fn kinds() -> impl clap::builder::TypedValueParser<Value = NoticeKind> {
    PossibleValuesParser::new(NoticeKind::ALL.map(NoticeKind::name)).try_map(|word| word.parse::<NoticeKind>())
}

/// What a notice tells, for the list.
const fn about(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::DeviceAdded => "a mailbox has a new device, or a device a new password",
        NoticeKind::DeviceNetwork => "a device signed in from a network that it was not known from",
        NoticeKind::DeviceUnused => "a device was not used for 90 days",
    }
}

pub(super) async fn run(args: Notices, local: &Local, output: &Output) -> Result<(), Failure> {
    let org = local.one_org(args.org.as_deref(), None).await?;
    let from = local.directory.notices_off(org.id).await?;
    let switched = [(args.off, true), (args.on, false)];
    let to = switched.iter().fold(from, |off, (kinds, is_off)| {
        kinds.iter().fold(off, |off: NoticesOff, kind| off.set(*kind, *is_off))
    });
    local.directory.set_notices_off(&local.actor, org.id, from, to).await?;
    let facts = NoticeKind::ALL.map(|kind| json!({ "kind": kind.name(), "on": !to.has(kind) }));
    output.show(
        &json!({ "org": org.id, "org_name": org.name, "notices": facts }),
        || {
            let rows = NoticeKind::ALL.map(|kind| {
                let state = if to.has(kind) { "off" } else { "on" };
                [kind.to_string(), state.to_owned(), about(kind).to_owned()]
            });
            table(["NOTICE", "SENT", "TELLS THAT"], rows.into(), "")
        },
    )
}
