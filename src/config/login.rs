//! `[before_login]`, `[passwords]`, `[throttle]`, `[sessions]` and `[submission]`: how a login is judged, and what
//! holds before and after it.

use std::time::Duration;

use super::file::{self, File};
use super::section::{Section, hours, kib, mins, ms, or, secs};
use super::units::{Letter, Time};
use crate::model::DomainName;
use crate::peer::NetworkPrefixes;
use crate::preauth::Limits;
use crate::session::BareNewline;
use crate::{session, throttle, verify};

/// Mail programs give up waiting for the answer to a login after 8 s (Zammad), so it is given within 5 s, penalties
/// included.
const LATEST_ANSWER: Time = secs(5);
/// Thunderbird keeps a second connection open while its password dialog waits.
const PASSWORD_DIALOG: Duration = Duration::from_secs(120);
/// RFC 4954 §4.
const SASL_LINE: usize = 12_288;
/// Memory and passes of OWASP's equal choices for Argon2id, in KiB.
const ARGON2_FLOOR: [(usize, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9216, 4), (7168, 5)];

/// Checks `[before_login]`.
pub(super) fn before_login(section: &mut Section<'_, '_>, raw: &file::BeforeLogin) -> (Limits, Duration, usize) {
    let default = Limits::default();
    let limits = Limits {
        line_bytes: section.size("line_bytes", &raw.line_bytes, default.line_bytes, 1000..=kib(64)),
        sasl_line_bytes: section.size(
            "sasl_line_bytes",
            &raw.sasl_line_bytes,
            default.sasl_line_bytes,
            SASL_LINE..=kib(64),
        ),
        literal_bytes: section.size(
            "literal_bytes",
            &raw.literal_bytes,
            default.literal_bytes,
            512..=kib(64),
        ),
        command_bytes: section.size(
            "command_bytes",
            &raw.command_bytes,
            default.command_bytes,
            kib(32)..=kib(1024),
        ),
        commands: section.number("commands", &raw.commands, default.commands, 10..=1_000_000),
        bad_commands: section.number("bad_commands", &raw.bad_commands, default.bad_commands, 1..=1000),
    };
    let time = section.time("time", &raw.time, mins(3), ms(100)..=mins(30));
    if time < PASSWORD_DIALOG {
        section.warning(
            "time",
            &raw.time,
            "Thunderbird waits silently for its owner's password longer than this; use \"120 s\" or more",
        );
    }
    let bytes = section.size(
        "bytes",
        &raw.bytes,
        kib(128).max(limits.command_bytes),
        kib(32)..=kib(4096),
    );
    for (name, key, value) in [
        ("line_bytes", &raw.line_bytes, limits.line_bytes),
        ("literal_bytes", &raw.literal_bytes, limits.literal_bytes),
    ] {
        if value > limits.command_bytes {
            section.error(name, key, format!("{value} B is more than command_bytes = {} B, which counts lines and literals together; raise command_bytes", limits.command_bytes));
        }
    }
    if limits.command_bytes > bytes {
        section.error(
            "bytes",
            &raw.bytes,
            format!(
                "{bytes} B is less than command_bytes = {} B; no client could send such a command, raise bytes",
                limits.command_bytes
            ),
        );
    }
    (limits, time, bytes)
}

/// Checks `[passwords]`; what one network is comes from `[limits]`.
pub(super) fn passwords(
    section: &mut Section<'_, '_>,
    raw: &file::Passwords,
    network: NetworkPrefixes,
) -> verify::Config {
    let default = verify::Config::default();
    let (memory_kib, passes) = argon2(section, raw, &default);
    let deadline = section.time(
        "deadline",
        &raw.deadline,
        Time(default.hash_deadline),
        ms(100)..=secs(60),
    );
    if deadline > LATEST_ANSWER.0 {
        section.warning(
            "deadline",
            &raw.deadline,
            format!("mail programs give up waiting; use {LATEST_ANSWER} or less"),
        );
    }
    let default_domain = raw.default_domain.as_ref().and_then(|name| {
        DomainName::parse(name.get_ref())
            .map_err(|_| {
                section.error(
                    "default_domain",
                    &raw.default_domain,
                    format!(
                        "`{}` is not a mail domain; write one such as \"example.org\"",
                        name.get_ref()
                    ),
                )
            })
            .ok()
    });
    let queue = section.number("queue", &raw.queue, default.queue, 1..=1_000_000);
    let queue_per_network = section.number(
        "queue_per_network",
        &raw.queue_per_network,
        queue.min(default.queue_per_network),
        1..=1_000_000,
    );
    if queue_per_network > queue {
        section.error(
            "queue_per_network",
            &raw.queue_per_network,
            format!("{queue_per_network} is more than queue = {queue}; lower this or raise queue"),
        );
    }
    verify::Config {
        lanes: section.number("lanes", &raw.lanes, default.lanes, 0..=1024),
        queue,
        queue_per_network,
        network,
        hash_deadline: deadline,
        argon2_memory_kib: memory_kib,
        argon2_passes: passes,
        entry_bytes: section.size(
            "entry_cache",
            &raw.entry_cache,
            default.entry_bytes,
            kib(64)..=kib(16 << 20),
        ),
        default_domain,
        help_url: None,
    }
}

/// Argon2id's memory in KiB, and its passes.
fn argon2(section: &mut Section<'_, '_>, raw: &file::Passwords, default: &verify::Config) -> (u32, u32) {
    let memory_kib = section.size(
        "argon2_memory",
        &raw.argon2_memory,
        kib(default.argon2_memory_kib as usize),
        kib(7168)..=kib(4 << 20),
    ) >> 10;
    let passes = section.number("argon2_passes", &raw.argon2_passes, default.argon2_passes, 1..=100);
    if !ARGON2_FLOOR
        .iter()
        .any(|(memory, least)| memory_kib >= *memory && passes >= *least)
    {
        let least = ARGON2_FLOOR
            .iter()
            .find(|(memory, _)| memory_kib >= *memory)
            .map_or(5, |(_, least)| *least);
        section.error("argon2_passes", &raw.argon2_passes, format!("{memory_kib} KiB with {passes} passes is weaker than OWASP's least; use {least} passes or \"19456 KiB\" with 2"));
    }
    (u32::try_from(memory_kib).unwrap_or(u32::MAX), passes)
}

/// Checks `[throttle]`; what one network is comes from `[limits]`.
pub(super) fn throttle(
    section: &mut Section<'_, '_>,
    raw: &file::Throttle,
    network: NetworkPrefixes,
) -> throttle::Config {
    let default = throttle::Config::default();
    let max_delay = section.time(
        "max_delay",
        &raw.max_delay,
        Time(default.max_delay),
        ms(1)..=LATEST_ANSWER,
    );
    let config = throttle::Config {
        network,
        base_delay: section.time(
            "base_delay",
            &raw.base_delay,
            Time(max_delay.min(default.base_delay)),
            ms(1)..=LATEST_ANSWER,
        ),
        max_delay,
        free_failures: section.number("free_failures", &raw.free_failures, default.free_failures, 0..=10_000),
        half_life: section.time(
            "half_life",
            &raw.half_life,
            Time(default.half_life),
            secs(1)..=hours(24 * 7),
        ),
        table_entries: section.number(
            "table_entries",
            &raw.table_entries,
            default.table_entries,
            1024..=16_777_216,
        ),
        hash_stop: section.number("hash_stop", &raw.hash_stop, default.hash_stop, 1..=100_000),
    };
    if config.base_delay > config.max_delay {
        section.error(
            "base_delay",
            &raw.base_delay,
            "the first delay is longer than max_delay; lower this or raise max_delay",
        );
    }
    config
}

/// Checks `[sessions]` and `[submission]`, and what holds between them and the sections before.
pub(super) fn session(
    section: &mut Section<'_, '_>,
    file: &File,
    hostname: String,
    before: (Limits, Duration, usize),
    throttle: &throttle::Config,
) -> session::Config {
    let raw = &file.sessions;
    let (limits, login_time, login_bytes) = before;
    let (max_per_device, max_per_mailbox) = session_caps(section, raw);
    let smtp_idle_time = smtp_idle_time(section, raw);
    let config = session::Config {
        hostname,
        limits,
        login_time,
        login_bytes,
        max_failures: section.number("before_login.max_failures", &file.before_login.max_failures, 3, 1..=100),
        max_per_device,
        max_per_mailbox,
        imap_idle_time: section.time(
            "sessions.imap_idle_time",
            &raw.imap_idle_time,
            mins(35),
            mins(30)..=hours(24 * 7),
        ),
        smtp_idle_time,
        check_sender: or(&file.submission.check_sender, true),
        allow_null_sender: or(&file.submission.allow_null_sender, true),
        subaddress_delimiter: subaddress_delimiter(section, &file.submission),
        bare_newline: match or(&file.submission.bare_newline, file::BareNewline::Refuse) {
            file::BareNewline::Refuse => BareNewline::Refuse,
            file::BareNewline::Normalise => BareNewline::Normalise,
        },
        usage_write_interval: section.time(
            "sessions.usage_write_interval",
            &raw.usage_write_interval,
            secs(60),
            secs(1)..=hours(1),
        ),
        close_time: secs(5).0,
        handshake_time: section.time(
            "before_login.handshake_time",
            &file.before_login.handshake_time,
            secs(15),
            ms(100)..=mins(5),
        ),
        stress_time: section.time(
            "before_login.stress_time",
            &file.before_login.stress_time,
            secs(20),
            ms(100)..=mins(30),
        ),
        tls_first_time: section.time(
            "before_login.tls_first_time",
            &file.before_login.tls_first_time,
            ms(50),
            ms(0)..=secs(2),
        ),
    };
    for (name, key, time) in [
        ("before_login.time", &file.before_login.time, config.login_time),
        (
            "before_login.stress_time",
            &file.before_login.stress_time,
            config.stress_time,
        ),
    ] {
        if time < throttle.max_delay {
            section.error(
                name,
                key,
                "this is shorter than throttle.max_delay; a slowed answer would never be given, raise it",
            );
        }
    }
    config
}

fn smtp_idle_time(section: &mut Section<'_, '_>, raw: &file::Sessions) -> Duration {
    let smtp_idle_time = section.time(
        "sessions.smtp_idle_time",
        &raw.smtp_idle_time,
        mins(10),
        secs(10)..=hours(24),
    );
    if smtp_idle_time < mins(5).0 {
        section.warning(
            "sessions.smtp_idle_time",
            &raw.smtp_idle_time,
            "RFC 5321 §4.5.3.2 gives clients 5 min for a command; slow scanners will lose their connection",
        );
    }
    smtp_idle_time
}

/// Live sessions of one device and of one mailbox.
fn session_caps(section: &mut Section<'_, '_>, raw: &file::Sessions) -> (usize, usize) {
    let max_per_mailbox = section.number("sessions.max_per_mailbox", &raw.max_per_mailbox, 60, 1..=100_000);
    let max_per_device = section.number(
        "sessions.max_per_device",
        &raw.max_per_device,
        max_per_mailbox.min(20),
        1..=100_000,
    );
    if max_per_device > max_per_mailbox {
        section.error("sessions.max_per_device", &raw.max_per_device, format!("{max_per_device} is more than max_per_mailbox = {max_per_mailbox}; a single device would use up its mailbox, lower this or raise max_per_mailbox"));
    }
    (max_per_device, max_per_mailbox)
}

pub(super) fn help_url(section: &mut Section<'_, '_>, raw: &file::Sessions) -> Option<String> {
    let url = raw.help_url.as_ref()?.get_ref();
    let usable = url.starts_with("https://") && url.len() <= 100 && url.bytes().all(|octet| octet.is_ascii_graphic());
    if !usable {
        section.error("sessions.help_url", &raw.help_url, "this address is shown in mail programs; write an https:// address of at most 100 printable ASCII characters");
    }
    Some(url.clone())
}

fn subaddress_delimiter(section: &mut Section<'_, '_>, raw: &file::Submission) -> Option<char> {
    let Letter(delimiter) = raw.subaddress_delimiter.as_ref()?.get_ref();
    if !"+-=_#/&".contains(*delimiter) {
        section.error(
            "submission.subaddress_delimiter",
            &raw.subaddress_delimiter,
            format!("`{delimiter}` cannot part a local part; write \"+\" or \"-\" as the mail store has it"),
        );
    }
    Some(*delimiter)
}
