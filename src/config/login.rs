//! `[before_login]`, `[passwords]`, `[throttle]`, `[sessions]` and `[submission]`: how a login is judged, and what
//! holds before and after it.

use std::time::Duration;

use super::file::{self, File};
use super::section::{Section, hours, kib, mins, ms, or, secs};
use super::units::{Letter, Time};
use crate::model::DomainName;
use crate::preauth::Limits;
use crate::session::BareNewline;
use crate::{listen, session, throttle, verify};

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
    let limits = Limits {
        line_bytes: section.size("line_bytes", &raw.line_bytes, kib(8), 1000..=kib(64)),
        sasl_line_bytes: section.size("sasl_line_bytes", &raw.sasl_line_bytes, kib(13), SASL_LINE..=kib(64)),
        literal_bytes: section.size("literal_bytes", &raw.literal_bytes, kib(4), 512..=kib(64)),
        command_bytes: section.size("command_bytes", &raw.command_bytes, kib(64), kib(32)..=kib(1024)),
        commands: section.number("commands", &raw.commands, 100, 10..=1_000_000),
        bad_commands: section.number("bad_commands", &raw.bad_commands, 10, 1..=1000),
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

/// Checks `[passwords]`.
pub(super) fn passwords(section: &mut Section<'_, '_>, raw: &file::Passwords) -> verify::Config {
    let memory_kib = section.size(
        "argon2_memory",
        &raw.argon2_memory,
        kib(19_456),
        kib(7168)..=kib(4 << 20),
    ) >> 10;
    let passes = section.number("argon2_passes", &raw.argon2_passes, 2, 1..=100);
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
    let deadline = section.time("deadline", &raw.deadline, secs(5), ms(100)..=secs(60));
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
    let queue = section.number("queue", &raw.queue, 1024, 1..=1_000_000);
    let queue_per_network = section.number(
        "queue_per_network",
        &raw.queue_per_network,
        queue.min(128),
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
        lanes: section.number("lanes", &raw.lanes, 0, 0..=1024),
        queue,
        queue_per_network,
        hash_deadline: deadline,
        argon2_memory_kib: u32::try_from(memory_kib).unwrap_or(u32::MAX),
        argon2_passes: passes,
        entry_bytes: section.size("entry_cache", &raw.entry_cache, kib(16 << 10), kib(64)..=kib(16 << 20)),
        default_domain,
        help_url: None,
    }
}

/// Checks `[throttle]`; what one network is comes from `[limits]`.
pub(super) fn throttle(
    section: &mut Section<'_, '_>,
    raw: &file::Throttle,
    limits: &listen::Config,
) -> throttle::Config {
    let max_delay = section.time("max_delay", &raw.max_delay, LATEST_ANSWER, ms(1)..=LATEST_ANSWER);
    let config = throttle::Config {
        ipv4_prefix: limits.ipv4_prefix,
        ipv6_prefix: limits.ipv6_prefix,
        base_delay: section.time(
            "base_delay",
            &raw.base_delay,
            Time(max_delay.min(secs(1).0)),
            ms(1)..=LATEST_ANSWER,
        ),
        max_delay,
        free_failures: section.number("free_failures", &raw.free_failures, 5, 0..=10_000),
        half_life: section.time("half_life", &raw.half_life, mins(15), secs(1)..=hours(24 * 7)),
        table_entries: section.number("table_entries", &raw.table_entries, 65_536, 1024..=16_777_216),
        hash_stop: section.number("hash_stop", &raw.hash_stop, 50, 1..=100_000),
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
) -> session::Config {
    let raw = &file.sessions;
    let (limits, login_time, login_bytes) = before;
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
    let (imap_idle_time, smtp_idle_time) = idle_times(section, raw);
    if login_time < or(&file.throttle.max_delay, LATEST_ANSWER).0 {
        section.error(
            "before_login.time",
            &file.before_login.time,
            "this is shorter than throttle.max_delay; a slowed answer would never be given, raise it",
        );
    }
    session::Config {
        hostname,
        limits,
        login_time,
        login_bytes,
        max_failures: section.number("before_login.max_failures", &file.before_login.max_failures, 3, 1..=100),
        max_per_device,
        max_per_mailbox,
        imap_idle_time,
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
    }
}

/// For IMAP and for SMTP.
fn idle_times(section: &mut Section<'_, '_>, raw: &file::Sessions) -> (Duration, Duration) {
    let imap = section.time(
        "sessions.imap_idle_time",
        &raw.imap_idle_time,
        mins(35),
        mins(30)..=hours(24 * 7),
    );
    let smtp = section.time(
        "sessions.smtp_idle_time",
        &raw.smtp_idle_time,
        mins(10),
        secs(10)..=hours(24),
    );
    if smtp < mins(5).0 {
        section.warning(
            "sessions.smtp_idle_time",
            &raw.smtp_idle_time,
            "RFC 5321 §4.5.3.2 gives clients 5 min for a command; slow scanners will lose their connection",
        );
    }
    (imap, smtp)
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
