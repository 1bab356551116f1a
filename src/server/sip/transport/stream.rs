//! One connection, whatever carries it: TCP, or TLS by the same function.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use crate::domain::registration::Flow;
use crate::server::sip::message;

use super::dispatch::Verdict;
use super::{Frame, Framer, RequestHandler, Stack};

/// Room to read into once a message has begun: the rest of a REGISTER with its body.
const READ_BYTES: usize = 2 * 1024;

/// Room to read into between messages. Every idle connection holds it, so it is small: the price
/// is a second read for each message.
const IDLE_READ_BYTES: usize = 256;

/// The answer to a ping. Source: RFC 5626 clause 4.4.1.
const PONG: &[u8] = b"\r\n";

/// Serves one connection that a phone or a peer opened until it ends, breaks the rules or stays
/// silent too long.
///
/// `flow.connection` comes from the same [`super::Outbound`] as the stack's, so that requests can
/// be sent on it: they can from the moment this is called. Cancelling the future closes the
/// connection.
pub fn serve_stream<S, H>(stream: S, flow: Flow, stack: Stack<H>) -> impl Future<Output = ()> + Send
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    H: RequestHandler,
{
    let idle_timeout = stack.0.limits.idle_timeout;
    serve(stream, flow, stack, idle_timeout)
}

/// The same for a connection that we opened.
pub(super) fn serve_peer<S, H>(
    stream: S,
    flow: Flow,
    stack: Stack<H>,
) -> impl Future<Output = ()> + Send
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    H: RequestHandler,
{
    let idle_timeout = stack.0.limits.peer_idle_timeout;
    serve(stream, flow, stack, idle_timeout)
}

fn serve<S, H>(
    stream: S,
    flow: Flow,
    stack: Stack<H>,
    idle_timeout: Duration,
) -> impl Future<Output = ()> + Send
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    H: RequestHandler,
{
    let (writer, queue) = mpsc::channel(stack.0.limits.write_queue_max);
    let registered = Registered::new(stack.clone(), flow, writer.clone());
    let mut connection = Connection {
        stream,
        flow,
        silent_until: Instant::now() + stack.0.limits.message_timeout,
        idle_timeout,
        stack,
        framer: Framer::default(),
        writer,
        is_proven: false,
    };
    async move {
        let ended = connection.run(queue).await;
        drop(registered);
        if let Err(error) = ended {
            tracing::debug!(remote = %flow.remote, connection = flow.connection, %error, "SIP connection closed");
        }
    }
}

/// Keeps a connection in the table of flows while it lives, however it ends.
struct Registered<H: RequestHandler> {
    stack: Stack<H>,
    flow: Flow,
}

impl<H: RequestHandler> Registered<H> {
    fn new(stack: Stack<H>, flow: Flow, writer: mpsc::Sender<Bytes>) -> Self {
        stack.0.outbound.add_stream(flow.connection, writer);
        Self { stack, flow }
    }
}

impl<H: RequestHandler> Drop for Registered<H> {
    fn drop(&mut self) {
        self.stack.0.outbound.remove_stream(self.flow.connection);
        self.stack.0.handler.flow_closed(&self.flow);
    }
}

struct Connection<S, H> {
    stream: S,
    flow: Flow,
    stack: Stack<H>,
    framer: Framer,
    /// Where work that answers later puts its answer.
    writer: mpsc::Sender<Bytes>,
    /// When the connection is given up unless something comes.
    silent_until: Instant,
    /// How long it may be silent between two messages.
    idle_timeout: Duration,
    /// Whether anything that makes sense has come yet.
    is_proven: bool,
}

impl<S, H> Connection<S, H>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    H: RequestHandler,
{
    /// Reads and writes until the connection ends. While a write waits for the peer nothing is
    /// read, so a peer that does not take its answers cannot ask for more.
    async fn run(&mut self, mut queue: mpsc::Receiver<Bytes>) -> io::Result<()> {
        loop {
            let was_inside = self.framer.is_inside_message();
            self.framer.make_room(if was_inside {
                READ_BYTES
            } else {
                IDLE_READ_BYTES
            });
            let read = tokio::select! {
                read = self.stream.read_buf(self.framer.buffer()) => read?,
                Some(bytes) = queue.recv() => {
                    self.write(&bytes).await?;
                    continue;
                }
                () = sleep_until(self.silent_until) => return Err(io::ErrorKind::TimedOut.into()),
            };
            if read == 0 {
                return Ok(());
            }
            let mut had_frame = false;
            while let Some(frame) = self.framer.next_frame() {
                had_frame = true;
                if !self.handle(frame).await? {
                    return Ok(());
                }
            }
            self.set_deadline(was_inside, had_frame);
        }
    }

    /// Handles one frame; `false` when the connection must end.
    async fn handle(&mut self, frame: Frame) -> io::Result<bool> {
        match frame {
            Frame::Ping => self.write(PONG).await?,
            Frame::Message(bytes) => {
                let verdict = self.stack.receive(&bytes, self.flow, None);
                self.carry_out(verdict).await?;
            }
            Frame::Broken { head, error } => {
                let rejected = message::reject(&head, error);
                let verdict = self.stack.refuse(&rejected, &self.flow);
                self.carry_out(verdict).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A message that has begun must end soon: its first byte sets its deadline, further ones do
    /// not move it. Between messages there is the idle time, but only after the first one.
    fn set_deadline(&mut self, was_inside: bool, had_frame: bool) {
        let (now, limits) = (Instant::now(), self.stack.0.limits);
        self.is_proven |= had_frame;
        if self.framer.is_inside_message() {
            if had_frame || !was_inside {
                self.silent_until = now + limits.message_timeout;
            }
        } else if self.is_proven {
            self.silent_until = now + self.idle_timeout;
        }
    }

    async fn carry_out(&mut self, verdict: Verdict<H::Later>) -> io::Result<()> {
        match verdict {
            Verdict::Nothing => Ok(()),
            Verdict::Send(answer, _) => self.write(&answer).await,
            Verdict::Work(work) => {
                let (stack, writer) = (self.stack.clone(), self.writer.clone());
                tokio::spawn(async move {
                    if let Some(answer) = stack.run(work).await {
                        // The connection may have ended meanwhile.
                        let _ = writer.send(answer.into()).await;
                    }
                });
                Ok(())
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(self.stack.0.limits.write_timeout, async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        })
        .await?
    }
}
