//! The clients: sessions of the load generator from many source addresses, in closed loops.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::future::try_join_all;
use postern::clock::Clock;
use postern::load::{Account, ClientTls, Failure, Mechanism, Offer, Security, Session, Target, Trust};
use postern::peer::Protocol;
use postern::secret::Secret;

use crate::kit::certificates::SERVER_NAME;
use crate::proxies::Proxy;
use crate::stage::Stage;

/// The longest that one step of a session may take: a hash queue, or a refusal that waits.
pub(crate) const STEP_TIME: Duration = Duration::from_secs(60);

/// Who connects: each group has its own loopback networks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum From {
    /// People who may.
    Users,
    /// People who guess.
    Attackers,
}

/// The source address of a client; a different network for each of 60,000.
pub(crate) fn source(from: From, number: usize) -> IpAddr {
    let group = match from {
        From::Users => 10,
        From::Attackers => 200,
    };
    let octet = |value: usize| u8::try_from(value % 250 + 1).unwrap_or(1);
    Ipv4Addr::new(
        127,
        group + octet(number / 62_500) - 1,
        octet(number / 250),
        octet(number),
    )
    .into()
}

/// TLS as every client speaks it.
pub(crate) fn tls(stage: &Stage, resume: bool) -> anyhow::Result<ClientTls> {
    let trust = Trust::File(stage.certificates.authority.clone());
    Ok(ClientTls::new(&trust, Offer::Aes128X25519, resume)?)
}

/// One protocol of one proxy.
pub(crate) fn target(proxy: &Proxy, protocol: Protocol, tls: ClientTls) -> Target {
    let port = match protocol {
        Protocol::Imap => proxy.imap,
        Protocol::Smtp => proxy.smtp,
    };
    Target {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        server_name: SERVER_NAME.to_owned(),
        protocol,
        security: Security::ImplicitTls,
        tls,
    }
}

/// An account with this password.
pub(crate) fn account(username: String, password: &str) -> Account {
    Account {
        username,
        password: Secret::new(password.as_bytes().to_vec()),
    }
}

/// Opens a session and logs in: by the command LOGIN over IMAP, because not every proxy takes an initial response, and
/// by AUTH PLAIN over SMTP.
pub(crate) async fn log_in(target: &Target, account: &Account, from: IpAddr) -> Result<Session, Failure> {
    let mut session = Session::open(target, Some(from), STEP_TIME).await?;
    session.login(account, mechanism(target.protocol)).await?;
    Ok(session)
}

/// How passwords are said.
pub(crate) const fn mechanism(protocol: Protocol) -> Mechanism {
    match protocol {
        Protocol::Imap => Mechanism::Login,
        Protocol::Smtp => Mechanism::Plain,
    }
}

/// So many clients, each with the next number until `count` are done; the first error ends all. Gives the times that
/// the operations say, sorted.
pub(crate) async fn closed_loop<F>(
    clients: usize,
    count: usize,
    operation: impl Fn(usize, usize) -> F,
) -> anyhow::Result<Vec<Duration>>
where
    F: Future<Output = anyhow::Result<Duration>>,
{
    let next = std::cell::Cell::new(0);
    let client = |client| {
        let (next, operation) = (&next, &operation);
        async move {
            let mut times = Vec::new();
            loop {
                let number = next.get();
                if number >= count {
                    return anyhow::Ok(times);
                }
                next.set(number + 1);
                times.push(operation(client, number).await?);
            }
        }
    };
    let mut times = try_join_all((0..clients).map(client)).await?.concat();
    times.sort_unstable();
    Ok(times)
}

/// The value of which this share of all (sorted) are at most as large, in milliseconds.
pub(crate) fn quantile_ms(sorted: &[Duration], share: f64) -> anyhow::Result<f64> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index of a list"
    )]
    let index = ((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1);
    let value = sorted.get(index).context("nothing was measured")?;
    Ok(value.as_secs_f64() * 1000.0)
}

/// Runs something with its time.
pub(crate) async fn timed<T, E>(future: impl Future<Output = Result<T, E>>) -> Result<(T, Duration), E> {
    let clock = Clock::system();
    let begin = clock.now();
    let value = future.await?;
    Ok((value, clock.now().duration_since(begin)))
}

/// Lets every one of the first `accounts` mailboxes log in once, so that nothing in the proxy is cold.
pub(crate) async fn warm_up(stage: &Stage, proxy: &Proxy, protocol: Protocol, accounts: usize) -> anyhow::Result<()> {
    /// At once: fewer than any queue.
    const CLIENTS: usize = 16;
    let target = target(proxy, protocol, tls(stage, false)?);
    // Who hashes each time is as cold afterwards; and who keeps nothing of a login needs a few only.
    let accounts = match proxy.peer {
        peer if peer.hashes_each_login() => accounts.min(4),
        peer if peer.hashes_first_login() => accounts,
        _ => accounts.min(64),
    };
    let log_in = |_, number: usize| {
        let target = &target;
        async move {
            let session = log_in(target, stage.account(number), source(From::Users, number)).await?;
            session.logout().await?;
            anyhow::Ok(Duration::ZERO)
        }
    };
    closed_loop(CLIENTS.min(accounts), accounts, log_in)
        .await
        .context("warm-up")?;
    Ok(())
}

/// Fails where the store saw other octets than the clients sent.
pub(crate) fn expect_messages(seen: u64, wrong: u64, expected: u64) -> anyhow::Result<()> {
    if (seen, wrong) != (expected, 0) {
        bail!("the store got {seen} messages for {expected}, {wrong} of them with wrong octets");
    }
    Ok(())
}
