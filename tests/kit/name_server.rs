//! A name server on loopback that answers what a test wants: our own, as no other can be made to fail in so many ways.
//!
//! The tests of `src/dns` include this file too, so it names nothing of the kit and of ours.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, SRV, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

/// What is said about a name.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    /// These records, of which those of the asked type are the answer.
    Records(Vec<RData>),
    /// An error.
    Code(ResponseCode),
    /// Nothing at all.
    Silence,
}

/// A name server; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    zone: Arc<Mutex<HashMap<String, Said>>>,
    /// Questions by TCP.
    pub(crate) by_tcp: Arc<Mutex<Vec<String>>>,
}

impl NameServer {
    /// One that knows no name.
    pub(crate) async fn start() -> Self {
        let (udp, tcp) = sockets().await;
        let this = Self {
            address: udp.local_addr().unwrap(),
            zone: Arc::default(),
            by_tcp: Arc::default(),
        };
        tokio::spawn(this.clone().datagrams(udp));
        tokio::spawn(this.clone().connections(tcp));
        this
    }

    /// Says this about a name from now on.
    pub(crate) fn say(&self, name: &str, said: Said) {
        self.zone.lock().unwrap().insert(name.to_owned(), said);
    }

    /// One more record of a name.
    pub(crate) fn put(&self, name: &str, data: RData) {
        let mut zone = self.zone.lock().unwrap();
        match zone.entry(name.to_owned()).or_insert_with(|| Said::Records(Vec::new())) {
            Said::Records(records) => records.push(data),
            other => *other = Said::Records(vec![data]),
        }
    }

    async fn datagrams(self, socket: UdpSocket) {
        let mut buffer = vec![0; 4096];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            let Some(answer) = self.answer(&buffer[..length], true) else {
                continue;
            };
            socket.send_to(&answer, from).await.unwrap();
        }
    }

    async fn connections(self, listener: TcpListener) {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let this = self.clone();
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u16().await {
                    let mut question = vec![0; length.into()];
                    stream.read_exact(&mut question).await.unwrap();
                    let Some(answer) = this.answer(&question, false) else {
                        continue;
                    };
                    stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
                    stream.write_all(&answer).await.unwrap();
                }
            });
        }
    }

    fn answer(&self, question: &[u8], is_datagram: bool) -> Option<Vec<u8>> {
        let question = Message::from_vec(question).unwrap();
        let query = question.queries[0].clone();
        if !is_datagram {
            self.by_tcp.lock().unwrap().push(query.name().to_ascii());
        }
        let mut answer = Message::response(question.metadata.id, OpCode::Query);
        answer.add_query(query.clone());
        answer.metadata.recursion_desired = true;
        answer.metadata.recursion_available = true;
        let (mut name, kind) = (query.name().clone(), query.query_type());
        // As a resolver does: along the aliases, up to the end.
        for _ in 0..8 {
            let key = name.to_ascii().trim_end_matches('.').to_ascii_lowercase();
            let said = self.zone.lock().unwrap().get(&key).cloned();
            let records = match said {
                Some(Said::Records(records)) => records,
                Some(Said::Code(code)) => {
                    answer.metadata.response_code = code;
                    break;
                }
                Some(Said::Silence) => return None,
                None => {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                    break;
                }
            };
            let matching = |data: &&RData| data.record_type() == kind;
            let answers = records.iter().filter(matching);
            answer.add_answers(answers.map(|data| Record::from_rdata(name.clone(), 60, data.clone())));
            let alias = records.iter().find_map(|data| match data {
                RData::CNAME(alias) if kind != RecordType::CNAME => Some(alias.clone()),
                _ => None,
            });
            let Some(alias) = alias else { break };
            answer.add_answers([Record::from_rdata(name, 60, RData::CNAME(alias.clone()))]);
            name = alias.0;
        }
        let octets = answer.to_vec().unwrap();
        if is_datagram && octets.len() > 1232 {
            answer.answers.clear();
            answer.metadata.truncation = true;
            return Some(answer.to_vec().unwrap());
        }
        Some(octets)
    }
}

/// One free port for both kinds.
async fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        // Somebody else may have it there.
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.")).unwrap()
}

pub(crate) fn alias(target: &str) -> RData {
    RData::CNAME(CNAME(name(target)))
}

pub(crate) fn srv(port: u16, target: &str) -> RData {
    RData::SRV(SRV::new(0, 1, port, name(target)))
}

/// A TXT record of these strings.
pub(crate) fn txt(strings: &[&[u8]]) -> RData {
    RData::TXT(TXT::from_bytes(strings.to_vec()))
}

pub(crate) fn address(ip: &str) -> RData {
    match ip.parse().unwrap() {
        IpAddr::V4(ip) => RData::A(A(ip)),
        IpAddr::V6(ip) => RData::AAAA(AAAA(ip)),
    }
}
