//! `[dns]`: which name servers are asked about the records of mail domains.

use super::file;
use super::section::{Section, ms, or, secs};
use crate::dns::{Config, SERVERS_MAX};

/// Completes the section; without name servers the system's are asked.
pub(super) fn check(section: &mut Section<'_, '_>, raw: &file::Dns) -> Config {
    let servers: Vec<_> = or(&raw.resolver, Vec::new())
        .into_iter()
        .map(|server| server.into_inner().0)
        .collect();
    if servers.len() > SERVERS_MAX {
        section.error(
            "resolver",
            &raw.resolver,
            format!(
                "{} name servers are named; write at most {SERVERS_MAX}, each is asked only where the one before fails",
                servers.len()
            ),
        );
    }
    if raw.resolver.as_ref().is_some_and(|list| list.get_ref().is_empty()) {
        section.error(
            "resolver",
            &raw.resolver,
            "the list is empty; name a name server such as \"127.0.0.1:53\", or remove this to ask the system's",
        );
    }
    Config {
        servers,
        timeout: section.time("timeout", &raw.timeout, secs(3), ms(100)..=secs(10)),
    }
}
