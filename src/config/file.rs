//! The configuration file as it is written: every key, optional, with the place where it stands.
//!
//! No defaults and no meaning here: both are in the files that check a section. `config/postern.toml` lists exactly
//! these keys; a test compares the two. `#[serde(flatten)]` would lose the places of unknown keys, so sections that
//! share keys share a struct.

use std::path::PathBuf;

use serde::Deserialize;
use serde_spanned::Spanned;

use super::units::{Letter, NameServer, Network, Size, Socket, Time};

/// A key that may be absent, and where it stands.
pub(crate) type Key<T> = Option<Spanned<T>>;

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident { $($key:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Default, Deserialize)]
            #[cfg_attr(test, derive(serde::Serialize))]
            #[serde(default, deny_unknown_fields)]
            pub(crate) struct $name { $(pub(crate) $key: $type,)* }
        )*
    };
}

tables! {
    /// The whole file.
    File {
        hostname: Key<String>,
        data_dir: Key<PathBuf>,
        key_file: Key<PathBuf>,
        log: Log,
        runtime: Runtime,
        store: Store,
        tls: Tls,
        listener: Vec<Spanned<Listener>>,
        limits: Limits,
        before_login: BeforeLogin,
        passwords: Passwords,
        throttle: Throttle,
        sessions: Sessions,
        submission: Submission,
        route: Vec<Spanned<Route>>,
        manager: Manager,
        mail: Mail,
        admin: Admin,
        dns: Dns,
        client_settings: ClientSettings,
    }
    /// What is logged, and how.
    Log {
        format: Key<LogFormat>,
        level: Key<String>,
    }
    /// The asynchronous runtime.
    Runtime {
        workers: Key<usize>,
    }
    /// The embedded store.
    Store {
        path: Key<PathBuf>,
        readers: Key<usize>,
        busy_timeout: Key<Time>,
        change_poll: Key<Time>,
    }
    /// TLS towards clients.
    Tls {
        min_version: Key<TlsVersion>,
        development: Key<bool>,
        certificate: Vec<Spanned<Certificate>>,
    }
    /// One certificate chain and its key.
    Certificate {
        chain: Key<PathBuf>,
        key: Key<PathBuf>,
    }
    /// One listening socket.
    Listener {
        name: Key<String>,
        address: Key<Socket>,
        protocol: Key<Protocol>,
        security: Key<ListenerSecurity>,
        proxy_from: Key<Vec<Spanned<Network>>>,
    }
    /// Connections.
    Limits {
        connections: Key<usize>,
        connections_per_network: Key<usize>,
        before_login: Key<usize>,
        before_login_per_network: Key<usize>,
        ipv4_prefix: Key<u8>,
        ipv6_prefix: Key<u8>,
        proxy_header_time: Key<Time>,
    }
    /// What a client may do before it has logged in.
    BeforeLogin {
        time: Key<Time>,
        bytes: Key<Size>,
        max_failures: Key<u32>,
        line_bytes: Key<Size>,
        sasl_line_bytes: Key<Size>,
        literal_bytes: Key<Size>,
        command_bytes: Key<Size>,
        commands: Key<u32>,
        bad_commands: Key<u32>,
        tls_first_time: Key<Time>,
        handshake_time: Key<Time>,
        stress_time: Key<Time>,
    }
    /// How passwords are hashed and remembered.
    Passwords {
        argon2_memory: Key<Size>,
        argon2_passes: Key<u32>,
        lanes: Key<usize>,
        queue: Key<usize>,
        queue_per_network: Key<usize>,
        deadline: Key<Time>,
        entry_cache: Key<Size>,
        default_domain: Key<String>,
    }
    /// How wrong passwords are slowed.
    Throttle {
        base_delay: Key<Time>,
        max_delay: Key<Time>,
        free_failures: Key<u32>,
        half_life: Key<Time>,
        table_entries: Key<usize>,
        hash_stop: Key<u32>,
    }
    /// Sessions after login.
    Sessions {
        max_per_device: Key<usize>,
        max_per_mailbox: Key<usize>,
        imap_idle_time: Key<Time>,
        smtp_idle_time: Key<Time>,
        usage_write_interval: Key<Time>,
        drain_time: Key<Time>,
        close_time: Key<Time>,
        help_url: Key<String>,
    }
    /// The rules of submission.
    Submission {
        check_sender: Key<bool>,
        allow_null_sender: Key<bool>,
        subaddress_delimiter: Key<Letter>,
        bare_newline: Key<BareNewline>,
    }
    /// Which mail store serves which domains.
    Route {
        name: Key<String>,
        domains: Key<Vec<Spanned<String>>>,
        imap: Key<Service>,
        smtp: Key<Service>,
    }
    /// One protocol of one route.
    Service {
        address: Key<String>,
        security: Key<UpstreamSecurity>,
        tls_name: Key<String>,
        ca: Key<PathBuf>,
        client_certificate: Key<PathBuf>,
        client_key: Key<PathBuf>,
        login: Key<Login>,
        user: Key<String>,
        password_file: Key<PathBuf>,
        separator: Key<Letter>,
        send_client_address: Key<bool>,
        warm: Key<usize>,
        warm_age: Key<Time>,
        connect_timeout: Key<Time>,
        login_timeout: Key<Time>,
    }
    /// The mail server that takes our own mail.
    Mail {
        host: Key<String>,
        port: Key<u16>,
        tls: Key<MailTls>,
        ca: Key<PathBuf>,
        username: Key<String>,
        password_file: Key<PathBuf>,
        from: Key<String>,
        hello: Key<String>,
        timeout: Key<Time>,
        first_retry: Key<Time>,
    }
    /// What operators and the command line connect to.
    Admin {
        operations_address: Key<Socket>,
        control_socket: Key<PathBuf>,
    }
    /// Where people open the Manager.
    Manager {
        address: Key<Socket>,
        unix_socket: Key<PathBuf>,
        origin: Key<String>,
        tls: Key<bool>,
        proxies: Key<Vec<Spanned<Network>>>,
        connections: Key<usize>,
        connections_per_network: Key<usize>,
    }
    /// Whom we ask about the records of mail domains.
    Dns {
        resolver: Key<Vec<Spanned<NameServer>>>,
        timeout: Key<Time>,
    }
    /// What people are told to type into their mail programs.
    ClientSettings {
        provider: Key<String>,
        imap_host: Key<String>,
        imap_port: Key<u16>,
        imap_security: Key<ListenerSecurity>,
        smtp_host: Key<String>,
        smtp_port: Key<u16>,
        smtp_security: Key<ListenerSecurity>,
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($word:ident,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
            #[cfg_attr(test, derive(serde::Serialize))]
            #[serde(rename_all = "kebab-case")]
            pub(crate) enum $name { $($word,)* }
        )*
    };
}

words! {
    /// How log lines look.
    LogFormat { Auto, Human, Json, }
    /// The protocol of a listener.
    Protocol { Imap, Smtp, }
    /// How a listener speaks TLS.
    ListenerSecurity { Tls, Starttls, }
    /// How a mail store is spoken to.
    UpstreamSecurity { Tls, Starttls, Cleartext, }
    /// How the mail server is spoken to.
    MailTls { Required, Starttls, None, }
    /// A bare CR or LF in a message.
    BareNewline { Refuse, Normalise, }
    /// How a route logs in.
    Login { MasterUser, Authzid, Stored, Xclient, TrustedNetwork, Plain, }
}

/// The oldest TLS version that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(crate) enum TlsVersion {
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}
