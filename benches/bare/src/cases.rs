//! The cases: each makes its sockets once, and gives the loop over them.

use std::env;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use libc::{c_int, sockaddr_in};

use crate::calls;
use crate::case::Case;

const MESSAGE: [u8; 64] = [b'x'; 64];
const BULK: usize = 256 << 20;
const CHUNK: usize = 256 << 10;
/// As many messages as every system's queue holds.
const BATCH: u64 = 64;

pub fn named(words: &[&str]) -> io::Result<Case> {
    match words {
        ["pair"] => transfers(UnixStream::pair()?),
        ["pair", "nonblocking"] => transfers(nonblocking(UnixStream::pair()?)?),
        ["tcp"] => transfers(tcp_pair()?),
        ["tcp", "nonblocking"] => {
            let (left, right) = tcp_pair()?;
            left.set_nonblocking(true)?;
            right.set_nonblocking(true)?;
            transfers((left, right))
        }
        ["receive", size] => receipts(size.parse().map_err(io::Error::other)?),
        ["datagrams"] => datagrams(),
        ["connections"] => connections(),
        ["sockets"] => Ok(timed(|| calls::close(calls::socket(libc::AF_INET, libc::SOCK_STREAM)?))),
        ["lookups"] => Ok(timed(|| calls::getaddrinfo(c"127.0.0.1", c"80"))),
        ["exchange"] => exchange(),
        ["bulk"] => bulk(),
        _ => Err(io::Error::other(format!("no such case: {words:?}"))),
    }
}

/// The address of a server on this machine.
pub fn server(port: &str) -> io::Result<SocketAddr> {
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().map_err(io::Error::other)?)))
}

/// The other process of `exchange`: sends back what it gets on standard input, which is a socket.
pub fn echo() -> io::Result<()> {
    let mut buffer = [0; MESSAGE.len()];
    loop {
        match calls::recv(0, &mut buffer)? {
            0 => return Ok(()),
            received => calls::send(0, &buffer[..received])?,
        };
    }
}

fn timed(mut round: impl FnMut() -> io::Result<()> + 'static) -> Case {
    Box::new(move |count| {
        let started = Instant::now();
        for _ in 0..count {
            round()?;
        }
        Ok(started.elapsed())
    })
}

fn transfers<End: AsRawFd + 'static>((left, right): (End, End)) -> io::Result<Case> {
    let mut buffer = MESSAGE;
    Ok(timed(move || {
        calls::send(left.as_raw_fd(), &MESSAGE)?;
        calls::recv(right.as_raw_fd(), &mut buffer).map(drop)
    }))
}

fn nonblocking((left, right): (UnixStream, UnixStream)) -> io::Result<(UnixStream, UnixStream)> {
    left.set_nonblocking(true)?;
    right.set_nonblocking(true)?;
    Ok((left, right))
}

fn tcp_pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let left = TcpStream::connect(listener.local_addr()?)?;
    let (right, _) = listener.accept()?;
    left.set_nodelay(true)?;
    right.set_nodelay(true)?;
    Ok((left, right))
}

/// Receiving alone: the messages are sent before the clock runs.
fn receipts(size: usize) -> io::Result<Case> {
    let mut ends = [0; 2];
    // SAFETY: there is room for the two descriptors.
    if unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0, ends.as_mut_ptr()) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let [left, right] = ends;
    let mut buffer = vec![0; size];
    Ok(Box::new(move |count| {
        let mut took = Duration::ZERO;
        for done in (0..count).step_by(BATCH as usize) {
            let batch = BATCH.min(count - done);
            for _ in 0..batch {
                calls::send(left, &MESSAGE)?;
            }
            let started = Instant::now();
            for _ in 0..batch {
                calls::recv(right, &mut buffer)?;
            }
            took += started.elapsed();
        }
        Ok(took)
    }))
}

fn datagrams() -> io::Result<Case> {
    let left = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let right = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = on_loopback(right.local_addr()?.port());
    let mut buffer = MESSAGE;
    Ok(timed(move || {
        calls::sendto(left.as_raw_fd(), &MESSAGE, &address)?;
        calls::recvfrom(right.as_raw_fd(), &mut buffer).map(drop)
    }))
}

fn connections() -> io::Result<Case> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    calls::linger_not(listener.as_raw_fd())?;
    let address = on_loopback(listener.local_addr()?.port());
    Ok(timed(move || {
        let client: c_int = calls::socket(libc::AF_INET, libc::SOCK_STREAM)?;
        calls::connect(client, &address)?;
        let accepted = calls::accept(listener.as_raw_fd())?;
        calls::close(accepted)?;
        calls::close(client)
    }))
}

fn on_loopback(port: u16) -> sockaddr_in {
    sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(Ipv4Addr::LOCALHOST).to_be() },
        sin_zero: [0; 8],
    }
}

fn exchange() -> io::Result<Case> {
    let (left, right) = UnixStream::pair()?;
    // It ends when it reads that this end was closed.
    Command::new(env::current_exe()?).arg("echo").stdin(Stdio::from(OwnedFd::from(right))).spawn()?;
    let mut buffer = MESSAGE;
    Ok(timed(move || {
        calls::send(left.as_raw_fd(), &MESSAGE)?;
        calls::recv(left.as_raw_fd(), &mut buffer).map(drop)
    }))
}

/// A round is 256 MiB from this thread to another.
fn bulk() -> io::Result<Case> {
    let (mut left, mut right) = tcp_pair()?;
    let data = vec![b'x'; BULK];
    Ok(Box::new(move |count| {
        let started = Instant::now();
        thread::scope(|scope| {
            let receiver = scope.spawn(|| {
                let mut buffer = vec![0; CHUNK];
                let mut rest = count * BULK as u64;
                while rest > 0 {
                    rest -= right.read(&mut buffer)? as u64;
                }
                io::Result::Ok(())
            });
            for _ in 0..count {
                left.write_all(&data)?;
            }
            receiver.join().expect("the receiver does not panic")
        })?;
        Ok(started.elapsed())
    }))
}
