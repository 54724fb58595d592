//! What a reload cannot change: settings that the daemon reads once, when it starts.
//!
//! Whatever is not compared here is taken over by a reload, or is read by the command line only.

use super::Config;
use crate::{listen, throttle, verify};

impl Config {
    /// One sentence for each section or key that differs from `fresh` and stays as it is until a restart.
    pub fn needing_restart(&self, fresh: &Self) -> Vec<String> {
        let limits = listen::Config {
            listeners: self.listen.listeners.clone(),
            drain_time: self.listen.drain_time,
            close_time: self.listen.close_time,
            ..fresh.listen.clone()
        };
        // What one network is stands in [limits], and is told there only.
        let passwords = verify::Config {
            network: self.verify.network,
            help_url: self.verify.help_url.clone(),
            ..fresh.verify.clone()
        };
        let throttle = throttle::Config {
            network: self.throttle.network,
            ..fresh.throttle.clone()
        };
        let store = (&self.store, self.change_poll) != (&fresh.store, fresh.change_poll);
        let (ours, theirs) = (&self.session, &fresh.session);
        [
            ("key_file", self.key_file != fresh.key_file),
            ("log.format", self.log.format != fresh.log.format),
            ("[runtime]", self.workers != fresh.workers),
            ("[store]", store),
            ("tls.min_version", self.tls.min_version != fresh.tls.min_version),
            ("[[listener]]", self.listen.listeners != fresh.listen.listeners),
            ("[limits]", self.listen != limits),
            ("[passwords]", self.verify != passwords),
            ("[throttle]", self.throttle != throttle),
            ("sessions.drain_time", self.listen.drain_time != fresh.listen.drain_time),
            ("sessions.close_time", self.listen.close_time != fresh.listen.close_time),
            ("sessions.help_url", self.verify.help_url != fresh.verify.help_url),
            (
                "sessions.usage_write_interval",
                ours.usage_write_interval != theirs.usage_write_interval,
            ),
            ("[admin]", self.admin != fresh.admin),
            ("[manager]", self.manager != fresh.manager),
            // The command line reads these anew each time.
            (
                "[dns], as the Manager uses it,",
                self.manager.is_some() && self.dns != fresh.dns,
            ),
            (
                "[client_settings], as the Manager shows them,",
                self.manager.is_some() && self.client_settings != fresh.client_settings,
            ),
        ]
        .into_iter()
        .filter(|(_, changed)| *changed)
        .map(|(what, _)| format!("{what} changed: restart to apply it"))
        .collect()
    }
}
