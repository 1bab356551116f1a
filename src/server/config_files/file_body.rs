//! The bodies of HTTP answers: bytes in memory, or parts of a firmware file, read piece by piece.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use bytes::Bytes;
use hyper::body::Frame;
use hyper::body::SizeHint;

use super::byte_ranges::Segment;
use super::content::FirmwareFile;

/// The body of an answer with a file, or with a word why there is none.
pub enum AnswerBody {
    /// Bytes in memory.
    Whole(Bytes),
    /// Parts of a firmware file.
    File(FileBody),
}

impl AnswerBody {
    pub(super) const fn empty() -> Self {
        Self::Whole(Bytes::new())
    }

    pub(super) fn of_text(text: String) -> Self {
        Self::Whole(text.into())
    }
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::File(file) => Pin::new(file).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::File(file) => file.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::File(file) => file.size_hint(),
        }
    }
}

type Reading = Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>;

/// The body. At most one piece of the file is in memory.
pub struct FileBody {
    file: FirmwareFile,
    segments: VecDeque<Segment>,
    reading: Option<Reading>,
}

impl FileBody {
    /// These segments, whose ranges lie within the file.
    pub(super) fn new(file: FirmwareFile, segments: VecDeque<Segment>) -> Self {
        Self {
            file,
            segments,
            reading: None,
        }
    }

    fn read(&self, offset: u64) -> Reading {
        let file = self.file.clone();
        Box::pin(async move { file.piece(offset).await })
    }

    /// The next bytes of `range`, which stays at the front until it is empty.
    fn poll_piece(
        &mut self,
        mut range: Range<u64>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Bytes>> {
        let mut reading = match self.reading.take() {
            Some(reading) => reading,
            None => self.read(range.start),
        };
        let Poll::Ready(read) = reading.as_mut().poll(context) else {
            self.reading = Some(reading);
            self.segments.push_front(Segment::File(range));
            return Poll::Pending;
        };
        let mut piece = read?;
        let left = range.end.saturating_sub(range.start);
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        if piece.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        range.start += piece.len() as u64;
        if !range.is_empty() {
            self.segments.push_front(Segment::File(range));
        }
        Poll::Ready(Ok(piece))
    }
}

impl hyper::body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = match self.segments.pop_front() {
            None => return Poll::Ready(None),
            Some(Segment::Text(text)) => Ok(text),
            Some(Segment::File(range)) if range.is_empty() => return self.poll_frame(context),
            Some(Segment::File(range)) => ready!(self.poll_piece(range, context)),
        };
        Poll::Ready(Some(piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.segments.iter().all(|segment| segment.length() == 0)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.segments.iter().map(Segment::length).sum())
    }
}
