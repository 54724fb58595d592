//! The commands and options that all others hang on.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::{
    alias, audit, check, completions, device, dns, doctor, domain, grant, import, init, invite, key, load, mail,
    mailbox, org, role, session, token, user,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, or refused by a rule
  2  wrong usage
  3  not found
  4  conflict with something that exists
  5  the database, the daemon or the DNS cannot be used now
  6  done, but the daemon did not confirm it
  7  the configuration has errors
  8  the audit log does not fit together

First steps:
  postern init
  postern org create Example
  postern domain create example.org --org Example
  postern mailbox create anna@example.org
  postern device add anna@example.org --label \"Anna's iPhone\"";

/// Postern: an authentication gateway in which every device has a password of its own.
#[derive(Debug, Parser)]
#[command(name = "postern", version, after_help = EXIT_CODES, disable_help_subcommand = true, max_term_width = 100)]
pub(super) struct Cli {
    /// The configuration file.
    #[arg(
        long,
        global = true,
        env = "POSTERN_CONFIG",
        default_value = "/etc/postern/postern.toml",
        value_name = "PATH",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    pub(super) config: PathBuf,

    /// Print JSON with stable field names instead of text for people.
    #[arg(long, global = true, help_heading = "Global options")]
    pub(super) json: bool,

    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Prepare this machine: data folder, database, server key, configuration.
    Init(init::Args),
    /// Check the configuration and everything it names.
    Check(check::Args),
    /// Run the gateway until SIGTERM; SIGHUP reloads the configuration.
    Serve,
    /// What the running daemon says about itself.
    Status,
    /// Make the running daemon read its configuration again, without ending a session.
    Reload,
    /// Try the way to the mail stores, the mail server or the DNS for real, and explain an address.
    Doctor(doctor::Args),
    /// Put load on a mail server, this or any other, and measure it.
    #[command(subcommand)]
    Load(load::Command),
    #[command(flatten)]
    Family(Family),
    /// Print a completion script for a shell.
    Completions(completions::Args),
}

/// Commands that work on the store.
#[derive(Debug, Subcommand)]
pub(super) enum Family {
    /// Organisations: they own mail domains and mailboxes.
    #[command(subcommand)]
    Org(org::Command),
    /// Mail domains.
    #[command(subcommand)]
    Domain(domain::Command),
    /// The DNS records by which mail programs find their settings.
    #[command(subcommand)]
    Dns(dns::Command),
    /// Mailboxes. A mailbox has no password: add a device.
    #[command(subcommand)]
    Mailbox(mailbox::Command),
    /// Aliases: further addresses of a mailbox, which cannot log in.
    #[command(subcommand)]
    Alias(alias::Command),
    /// Devices: one named password of one mailbox each.
    #[command(subcommand)]
    Device(Box<device::Command>),
    /// People who sign in to the Manager: passwords, codes, console sessions.
    #[command(subcommand)]
    User(Box<user::Command>),
    /// Roles: what people may do in an organisation as a whole.
    #[command(subcommand)]
    Role(role::Command),
    /// Access of people to single mailboxes.
    #[command(subcommand)]
    Grant(grant::Command),
    /// Invitations to join an organisation, by mail or by link.
    #[command(subcommand)]
    Invite(Box<invite::Command>),
    /// API tokens: programs that act in somebody's name.
    #[command(subcommand)]
    Token(Box<token::Command>),
    /// Mails that Postern sends: what waits, and what became of the others.
    #[command(subcommand)]
    Mail(mail::Command),
    /// Mail sessions that are open now.
    #[command(subcommand)]
    Session(session::Command),
    /// What was done, by whom and when.
    Audit(Box<audit::Args>),
    /// Bring existing password hashes along.
    Import(import::Args),
    /// Server keys: what a thief of the database does not have.
    #[command(subcommand)]
    Key(key::Command),
}
