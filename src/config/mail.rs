//! `[mail]`: the mail server that takes Postern's own mail, and `manager.origin`: where the links in it lead.
//!
//! Without a host nothing is sent. Mail carries links that let people in, so there is no way to speak in clear to another
//! machine.

use std::net::IpAddr;

use super::file::{self, File, Key};
use super::section::{Section, hours, mins, ms, or, span};
use super::{Secrets, route};
use crate::model::Origin;
use crate::outbox::{Config, Credentials, Security, Sender, Server};

/// Checks both sections.
pub(super) fn outbox(section: &mut Section<'_, '_>, file: &File, hostname: &str, secrets: Secrets) -> Config {
    let origin = origin(section, &file.manager.origin);
    let server = server(section, &file.mail, hostname, secrets);
    if server.is_some() && origin.is_none() && file.manager.origin.is_none() {
        section.warning(
            "mail.host",
            &file.mail.host,
            "mails that have a link cannot be sent without its beginning; add origin = \"https://...\" under [manager]",
        );
    }
    Config {
        server,
        origin,
        hostname: hostname.to_owned(),
    }
}

fn origin(section: &mut Section<'_, '_>, key: &Key<String>) -> Option<Origin> {
    let given = key.as_ref()?.get_ref();
    match Origin::parse(given) {
        Ok(origin) => Some(origin),
        Err(error) => {
            let message =
                format!("`{given}` is not possible: {error}; write one such as \"https://manager.example.org\"");
            section.error("manager.origin", key, message);
            None
        }
    }
}

fn server(section: &mut Section<'_, '_>, raw: &file::Mail, hostname: &str, secrets: Secrets) -> Option<Server> {
    let timeout = section.time("mail.timeout", &raw.timeout, mins(5), ms(100)..=hours(1));
    let first_retry = section.time("mail.first_retry", &raw.first_retry, mins(1), ms(100)..=hours(1));
    let hello = hello(section, &raw.hello, hostname);
    let security = match or(&raw.tls, file::MailTls::Required) {
        file::MailTls::Required => Security::Tls,
        file::MailTls::Starttls => Security::StartTls,
        file::MailTls::None => Security::Cleartext,
    };
    let usual = match security {
        Security::Tls => 465,
        Security::StartTls => 587,
        Security::Cleartext => 25,
    };
    let port = section.number("mail.port", &raw.port, usual, 1..=u16::MAX);
    let Some(host) = &raw.host else {
        for (name, place) in [
            ("from", span(&raw.from)),
            ("username", span(&raw.username)),
            ("password_file", span(&raw.password_file)),
            ("ca", span(&raw.ca)),
        ] {
            if place.is_some() {
                let message = format!("without host no mail is sent; add host, or remove {name}");
                section.error_at(&format!("mail.{name}"), place, message);
            }
        }
        return None;
    };
    let host = host.get_ref();
    if !is_host(host) {
        let message = format!("`{host}` is not a host name or address; write one such as \"smtp.example.org\"");
        section.error("mail.host", &raw.host, message);
    }
    if security == Security::Cleartext {
        in_clear(section, raw, host);
    }
    let credentials = credentials(section, raw, secrets);
    Some(Server {
        host: bare(host).to_owned(),
        port,
        security,
        ca: section.optional_path(&raw.ca),
        credentials,
        from: from(section, raw)?,
        hello,
        timeout,
        first_retry,
    })
}

fn in_clear(section: &mut Section<'_, '_>, raw: &file::Mail, host: &str) {
    if !route::is_loopback(bare(host)) {
        let message = format!(
            "mails have links that let people in, and would travel to {host} in clear; use \"required\" or \"starttls\""
        );
        section.error("mail.tls", &raw.tls, message);
    }
    if raw.ca.is_some() {
        section.error(
            "mail.ca",
            &raw.ca,
            "without TLS ca has no effect; remove it or tls = \"none\"",
        );
    }
}

fn credentials(section: &mut Section<'_, '_>, raw: &file::Mail, secrets: Secrets) -> Option<Credentials> {
    for (name, place, other) in [
        ("username", span(&raw.username), span(&raw.password_file)),
        ("password_file", span(&raw.password_file), span(&raw.username)),
    ] {
        if place.is_none() && other.is_some() {
            let message = format!("to log in takes a user name and a password file; add {name}");
            section.error_at(&format!("mail.{name}"), other, message);
        }
    }
    let username = raw.username.as_ref()?.get_ref().clone();
    if username.is_empty() || username.chars().any(char::is_control) {
        section.error(
            "mail.username",
            &raw.username,
            "this is no user name; write it on one line",
        );
    }
    let password = route::password(section, "mail.password_file", &raw.password_file, secrets)?;
    Some(Credentials { username, password })
}

fn from(section: &mut Section<'_, '_>, raw: &file::Mail) -> Option<Sender> {
    let Some(from) = &raw.from else {
        let message = "it is not said who mails are from; add from = \"Postern <postern@example.org>\"";
        section.error_at("mail.from", span(&raw.host), message);
        return None;
    };
    match Sender::parse(from.get_ref()) {
        Ok(sender) => Some(sender),
        Err(error) => {
            section.error("mail.from", &raw.from, error.to_string());
            None
        }
    }
}

fn hello(section: &mut Section<'_, '_>, key: &Key<String>, hostname: &str) -> String {
    let Some(given) = key else {
        return hostname.to_owned();
    };
    let given = given.get_ref();
    let literal = given.strip_prefix('[').and_then(|address| address.strip_suffix(']'));
    let fits = literal.map_or_else(
        || is_host(given),
        |address| address.trim_start_matches("IPv6:").parse::<IpAddr>().is_ok(),
    );
    if !fits {
        let message =
            format!("`{given}` is not a name that servers take; write a host name such as \"mail.example.org\"");
        section.error("mail.hello", key, message);
    }
    given.clone()
}

fn is_host(host: &str) -> bool {
    let is_name = host
        .bytes()
        .all(|octet| octet.is_ascii_alphanumeric() || b".-_".contains(&octet));
    bare(host).parse::<IpAddr>().is_ok() || (!host.is_empty() && is_name)
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}
