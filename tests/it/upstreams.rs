//! The ways to a real mail store: TLS from the first octet, STARTTLS, and a Unix socket.

use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

use crate::kit::message::Message;
use crate::site::{ANNA, Site};

/// Sends and reads one message on whatever routes are in force.
fn works(site: &Site, device: &crate::kit::postern::Device) -> anyhow::Result<()> {
    let message = Message::new(ANNA, ANNA, 5)?;
    site.smtp_as(device)?.deliver(&message)?.expect(250)?;
    site.dovecot.wait_for_message(ANNA, &message.marker)?;
    let mut imap = site.imap_as(device)?;
    imap.command("SELECT INBOX")?.ok()?;
    message.check(&imap.newest()?)
}

#[test]
fn a_mail_store_is_reached_over_tls_and_over_starttls() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let authority = site.certificates.authority.display().to_string();
    let (imap, smtp) = (site.dovecot.imap, site.postfix.smtp);
    let secure = |port: u16, security: &str| {
        format!("address = \"localhost:{port}\"\nsecurity = \"{security}\"\nca = \"{authority}\"")
    };
    let clear = |port: u16| format!("address = \"127.0.0.1:{port}\"\nsecurity = \"cleartext\"");
    site.edit_config(|text| {
        text.replace(&clear(imap), &secure(site.dovecot.imaps, "tls"))
            .replace(&clear(smtp), &secure(smtp, "starttls"))
    })?;
    site.postern.cli(&["reload"])?.ok()?;
    works(&site, &phone)?;
    assert!(site.dovecot.log().contains("TLS"), "{}", site.dovecot.log());

    // A certificate of nobody that the route trusts is an outage, never a wrong password.
    let stranger = crate::kit::certificates::Certificates::new()?;
    let other = stranger.authority.display().to_string();
    site.edit_config(|text| text.replace(&authority, &other))?;
    site.postern.cli(&["reload"])?.ok()?;
    let mut imap = site.imap()?;
    if !imap.greeting.starts_with("* BYE [UNAVAILABLE]") {
        let status = imap.login(ANNA, &phone.password)?.status;
        assert!(status.starts_with("NO [UNAVAILABLE]"), "{status}");
    }
    Ok(())
}

#[test]
fn a_mail_store_is_reached_over_a_unix_socket() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let (imap, smtp) = (site.dovecot.imap, site.postfix.smtp);
    let path = |port: u16| site.postern.data().join(format!("{port}.sock"));
    for port in [imap, smtp] {
        let listener = UnixListener::bind(path(port))?;
        // Ends with the test's process; each connection ends with its two sides.
        thread::spawn(move || listener.incoming().flatten().for_each(|client| bridge(client, port)));
    }
    let clear = |port: u16| format!("address = \"127.0.0.1:{port}\"");
    let socket = |port: u16| format!("address = \"unix:{}\"", path(port).display());
    site.edit_config(|text| {
        text.replace(&clear(imap), &socket(imap))
            .replace(&clear(smtp), &socket(smtp))
    })?;
    site.postern.cli(&["reload"])?.ok()?;
    works(&site, &phone)
}

/// Copies between a Unix socket and the real server's port.
fn bridge(client: UnixStream, port: u16) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return;
    };
    let (Ok(mut up), Ok(mut down)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let (mut client, mut server) = (client, server);
    thread::spawn(move || {
        let _ = io::copy(&mut up, &mut server);
        let _ = server.shutdown(std::net::Shutdown::Write);
    });
    thread::spawn(move || {
        let _ = io::copy(&mut down, &mut client);
        let _ = client.shutdown(std::net::Shutdown::Write);
    });
}
