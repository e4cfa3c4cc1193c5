//! A receiver on loopback that behaves as badly as it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What a receiver does with a connection. All but the first two read the whole request before they act.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Behaviour {
    /// Writes this at once, and then reads.
    Blurt(&'static [u8]),
    /// Closes without having read what was sent, which resets the connection.
    Reset,
    /// Answers with the request's body, byte for byte: the request says what it wants to hear.
    Recite,
    /// Answers 200, with the whole request as the body.
    Echo,
    /// Answers with these bytes.
    Answer(&'static [u8]),
    /// Answers with the first bytes and then with the second, again and again.
    Endless(&'static [u8], &'static [u8]),
    /// Answers with the first bytes, and then with one more byte each second.
    Drip(&'static [u8]),
    /// Answers with these bytes and then stays silent.
    Hang(&'static [u8]),
}

pub(crate) struct Receiver {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    events: UnboundedReceiver<Event>,
}

enum Event {
    Connected,
    Request(String),
    Closed,
}

impl Receiver {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (sender, events) = unbounded_channel();
        tokio::spawn(accept(listener, behaviour, Arc::clone(&connections), sender));
        Self { address, connections, events }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) async fn connected(&mut self) {
        while !matches!(self.events.recv().await.unwrap(), Event::Connected) {}
    }

    /// The next request, as it came.
    pub(crate) async fn request(&mut self) -> String {
        loop {
            if let Event::Request(text) = self.events.recv().await.unwrap() {
                return text;
            }
        }
    }

    /// Waits until the sender is seen to have closed a connection.
    pub(crate) async fn closed(&mut self) {
        while !matches!(self.events.recv().await.unwrap(), Event::Closed) {}
    }
}

async fn accept(
    listener: TcpListener,
    behaviour: Behaviour,
    connections: Arc<AtomicUsize>,
    events: UnboundedSender<Event>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::SeqCst);
        let _ = events.send(Event::Connected);
        tokio::spawn(serve(stream, behaviour, events.clone()));
    }
}

async fn serve(mut stream: TcpStream, behaviour: Behaviour, events: UnboundedSender<Event>) {
    if matches!(behaviour, Behaviour::Reset) {
        stream.readable().await.unwrap();
        return;
    }
    if let Behaviour::Blurt(bytes) = behaviour {
        let _ = stream.write_all(bytes).await;
    }
    if let Some(request) = read_request(&mut stream).await {
        let _ = events.send(Event::Request(request.clone()));
        act(&mut stream, behaviour, &request).await;
    }
    let _ = events.send(Event::Closed);
}

async fn act(stream: &mut TcpStream, behaviour: Behaviour, request: &str) {
    let _ = match behaviour {
        Behaviour::Blurt(_) | Behaviour::Reset => Ok(()),
        Behaviour::Recite => {
            let body = request.split_once("\r\n\r\n").unwrap().1;
            stream.write_all(body.as_bytes()).await
        }
        Behaviour::Echo => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", request.len());
            stream.write_all((head + request).as_bytes()).await
        }
        Behaviour::Answer(bytes) => stream.write_all(bytes).await,
        Behaviour::Endless(first, again) => repeat(stream, first, again, Duration::ZERO).await,
        Behaviour::Drip(first) => repeat(stream, first, b".", Duration::from_secs(1)).await,
        Behaviour::Hang(bytes) => {
            let _ = stream.write_all(bytes).await;
            stream.read_u8().await.map(drop)
        }
    };
}

async fn repeat(stream: &mut TcpStream, first: &[u8], again: &[u8], pause: Duration) -> std::io::Result<()> {
    stream.write_all(first).await?;
    loop {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        stream.write_all(again).await?;
    }
}

/// Reads a head and as much body as it announces; `None` if the sender closes before.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= announced_length(head)
        {
            return Some(text.into_owned());
        }
    }
}

fn announced_length(head: &str) -> usize {
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.map_or(0, |length| length.parse().unwrap())
}
