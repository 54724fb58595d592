//! `null` and `splice`: our own helpers, on the proxies' processor.

use super::{Peer, Proxy, pinned};
use crate::helpers::Settings;
use crate::stage::Stage;
use crate::stage::helper::{self, Helper};

/// Starts one of them.
pub(super) fn start(peer: Peer, stage: &Stage) -> anyhow::Result<Proxy> {
    let settings = Settings {
        refuse: peer == Peer::NullRefusing,
        ..stage.helper_settings()
    };
    let name = if peer == Peer::Splice { "splice" } else { "null" };
    let program = helper::program()?;
    let Helper { ports, process, dir } = Helper::start_as(name, pinned(stage, &program)?, &settings)?;
    Ok(Proxy {
        peer,
        imap: ports.imap,
        smtp: ports.smtp,
        daemon: None,
        process,
        _dir: dir,
    })
}
