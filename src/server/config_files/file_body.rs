//! A part of a firmware file as the body of an HTTP answer, read piece by piece.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use hyper::body::Frame;
use hyper::body::SizeHint;

use super::content::FirmwareFile;

type Reading = Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>;

/// The body. At most one piece of the file is in memory.
pub(super) struct FileBody {
    file: FirmwareFile,
    range: Range<u64>,
    reading: Option<Reading>,
}

impl FileBody {
    /// The bytes of `range`, which lies within the file.
    pub(super) fn new(file: FirmwareFile, range: Range<u64>) -> Self {
        Self {
            file,
            range,
            reading: None,
        }
    }

    fn read(&self) -> Reading {
        let (file, offset) = (self.file.clone(), self.range.start);
        Box::pin(async move { file.piece(offset).await })
    }
}

impl hyper::body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.range.is_empty() {
            return Poll::Ready(None);
        }
        let mut reading = match self.reading.take() {
            Some(reading) => reading,
            None => self.read(),
        };
        match reading.as_mut().poll(context) {
            Poll::Pending => {
                self.reading = Some(reading);
                Poll::Pending
            }
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
            Poll::Ready(Ok(mut piece)) => {
                let left = self.range.end - self.range.start;
                piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                if piece.is_empty() {
                    return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                }
                self.range.start += piece.len() as u64;
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.range.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.range.end - self.range.start)
    }
}
