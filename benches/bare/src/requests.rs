//! The clients of a server: each sends a request, and the next when it has the whole answer.

use std::fmt::{self, Display, Formatter};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::calls;

/// What the clients send, and what they take for a whole answer.
#[derive(Clone, Copy)]
pub struct Protocol {
    request: &'static [u8],
    is_whole: fn(&[u8]) -> bool,
}

impl Protocol {
    pub fn named(name: &str) -> io::Result<Self> {
        match name {
            "http" => Ok(Protocol { request: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", is_whole: is_whole_page }),
            "echo" => Ok(Protocol { request: &[b'x'; 64], is_whole: |answer| answer.len() >= 64 }),
            _ => Err(io::Error::other(format!("no such protocol: {name}"))),
        }
    }
}

fn is_whole_page(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}

/// How long some requests took together, and in which time half of them and 99 of 100 were answered.
pub struct Answered {
    together: Duration,
    half: Duration,
    tail: Duration,
}

impl Display for Answered {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.together.as_nanos(), self.half.as_nanos(), self.tail.as_nanos())
    }
}

pub struct Clients {
    clients: Vec<Client>,
    ready: Vec<libc::pollfd>,
}

impl Clients {
    pub fn connect(server: SocketAddr, number: usize, protocol: Protocol) -> io::Result<Self> {
        let connect = |_| Client::connect(server, protocol);
        let clients: Vec<Client> = (0..number).map(connect).collect::<io::Result<_>>()?;
        let ready = clients.iter().map(|client| calls::readable(&client.stream)).collect();
        Ok(Self { clients, ready })
    }

    pub fn requests(&mut self, count: u64) -> io::Result<Answered> {
        let started = Instant::now();
        let mut unsent = count;
        for client in self.clients.iter_mut().take(count as usize) {
            client.ask()?;
            unsent -= 1;
        }
        let mut times = Vec::with_capacity(count as usize);
        while times.len() < count as usize {
            calls::poll(&mut self.ready)?;
            for (client, _) in self.clients.iter_mut().zip(&self.ready).filter(|(_, poll)| poll.revents != 0) {
                let Some(time) = client.hear()? else { continue };
                times.push(time);
                if unsent > 0 {
                    client.ask()?;
                    unsent -= 1;
                }
            }
        }
        let together = started.elapsed();
        times.sort_unstable();
        Ok(Answered { together, half: of_hundred(&times, 50), tail: of_hundred(&times, 99) })
    }
}

/// The time in which so many of a hundred were answered.
fn of_hundred(times: &[Duration], part: usize) -> Duration {
    times[(times.len() * part).div_ceil(100) - 1]
}

struct Client {
    stream: TcpStream,
    protocol: Protocol,
    asked: Instant,
    answer: Vec<u8>,
}

impl Client {
    fn connect(server: SocketAddr, protocol: Protocol) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, protocol, asked: Instant::now(), answer: Vec::new() })
    }

    fn ask(&mut self) -> io::Result<()> {
        self.answer.clear();
        self.asked = Instant::now();
        self.stream.write_all(self.protocol.request)
    }

    /// Receives what is there; once the answer is whole, says how long it took.
    fn hear(&mut self) -> io::Result<Option<Duration>> {
        let mut buffer = [0; 4096];
        let received = self.stream.read(&mut buffer)?;
        if received == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.answer.extend_from_slice(&buffer[..received]);
        Ok((self.protocol.is_whole)(&self.answer).then(|| self.asked.elapsed()))
    }
}
