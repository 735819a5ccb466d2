//! The clients of an echo server: each sends a message, and the next when it has it back.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use crate::calls;
use crate::case::Case;

const MESSAGE: [u8; 64] = [b'x'; 64];

/// A round is one message there and back, of whichever client.
pub fn clients(server: SocketAddr, number: usize) -> io::Result<Case> {
    let mut clients = Vec::new();
    for _ in 0..number {
        let client = TcpStream::connect(server)?;
        client.set_nodelay(true)?;
        clients.push(client);
    }
    let mut ready: Vec<libc::pollfd> = clients.iter().map(calls::readable).collect();
    Ok(Box::new(move |count| {
        let started = Instant::now();
        let mut unsent = count;
        for client in clients.iter_mut().take(count as usize) {
            client.write_all(&MESSAGE)?;
            unsent -= 1;
        }
        let mut unanswered = count;
        while unanswered > 0 {
            calls::poll(&mut ready)?;
            for (client, _) in clients.iter_mut().zip(&ready).filter(|(_, poll)| poll.revents != 0) {
                client.read_exact(&mut [0; MESSAGE.len()])?;
                unanswered -= 1;
                if unsent > 0 {
                    client.write_all(&MESSAGE)?;
                    unsent -= 1;
                }
            }
        }
        Ok(started.elapsed())
    }))
}
