//! The clients of an echo server: each sends a message, and the next when it has it back.

use std::fmt::{self, Display, Formatter};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::calls;

const REQUEST: [u8; 64] = [b'x'; 64];

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
    pub fn connect(server: SocketAddr, number: usize) -> io::Result<Self> {
        let clients: Vec<Client> = (0..number).map(|_| Client::connect(server)).collect::<io::Result<_>>()?;
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
    asked: Instant,
    left: usize,
}

impl Client {
    fn connect(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, asked: Instant::now(), left: 0 })
    }

    fn ask(&mut self) -> io::Result<()> {
        self.left = REQUEST.len();
        self.asked = Instant::now();
        self.stream.write_all(&REQUEST)
    }

    /// Receives what is there; once the answer is whole, says how long it took.
    fn hear(&mut self) -> io::Result<Option<Duration>> {
        let received = self.stream.read(&mut [0; REQUEST.len()][..self.left])?;
        if received == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= received;
        Ok((self.left == 0).then(|| self.asked.elapsed()))
    }
}
