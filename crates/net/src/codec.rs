//! Framing on a request-response stream: four bytes of length (big-endian), then the message.

use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::Codec;
use std::io;
use vigil_primitives::Bytes;

/// Buffer given to a message before its bytes arrive.
const FIRST_BUFFER_BYTES: usize = 16 * 1024;

/// A message, or the fact that the peer announced one over the limit (which is then not read).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Message(Bytes),
    Oversize(u32),
}

/// Reads and writes frames up to a limit for each direction.
#[derive(Clone, Debug)]
pub(crate) struct FrameCodec {
    pub(crate) request_bytes_max: usize,
    pub(crate) response_bytes_max: usize,
}

impl Codec for FrameCodec {
    type Protocol = StreamProtocol;
    type Request = Frame;
    type Response = Frame;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Frame>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.request_bytes_max).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Frame>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.response_bytes_max).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Frame) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, request).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, response: Frame) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, response).await
    }
}

async fn read<T: AsyncRead + Unpin + Send>(io: &mut T, bytes_max: usize) -> io::Result<Frame> {
    let mut prefix = [0; 4];
    io.read_exact(&mut prefix).await?;
    let announced = u32::from_be_bytes(prefix);
    let length = announced as usize;
    if length > bytes_max {
        return Ok(Frame::Oversize(announced));
    }
    let mut bytes = Vec::with_capacity(length.min(FIRST_BUFFER_BYTES));
    io.take(u64::from(announced)).read_to_end(&mut bytes).await?;
    if bytes.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Frame::Message(bytes.into()))
}

async fn write<T: AsyncWrite + Unpin + Send>(io: &mut T, frame: Frame) -> io::Result<()> {
    let Frame::Message(bytes) = frame else {
        return Err(io::Error::other("only messages are written"));
    };
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    if bytes.len() <= FIRST_BUFFER_BYTES {
        let mut whole = Vec::with_capacity(4 + bytes.len());
        whole.extend_from_slice(&length.to_be_bytes());
        whole.extend_from_slice(&bytes);
        io.write_all(&whole).await?;
    } else {
        io.write_all(&length.to_be_bytes()).await?;
        io.write_all(&bytes).await?;
    }
    io.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::io::Cursor;

    fn read_bytes(bytes: &[u8], bytes_max: usize) -> io::Result<Frame> {
        block_on(read(&mut Cursor::new(bytes), bytes_max))
    }

    #[test]
    fn frames_come_back() {
        for length in [0, 1, FIRST_BUFFER_BYTES, FIRST_BUFFER_BYTES + 1, 100_000] {
            let frame = Frame::Message(vec![7; length].into());
            let mut wire = Cursor::new(Vec::new());
            block_on(write(&mut wire, frame.clone())).unwrap();
            assert_eq!(read_bytes(wire.get_ref(), 100_000).unwrap(), frame);
        }
    }

    #[test]
    fn length_is_checked_before_reading() {
        assert_eq!(read_bytes(&[0, 0, 0, 4, 1, 2, 3, 4], 4).unwrap(), Frame::Message(vec![1, 2, 3, 4].into()));
        assert_eq!(read_bytes(&[0, 0, 0, 5], 4).unwrap(), Frame::Oversize(5));
        assert_eq!(read_bytes(&[0xff; 4], 1 << 20).unwrap(), Frame::Oversize(u32::MAX));
    }

    #[test]
    fn a_cut_message_is_an_error() {
        assert_eq!(read_bytes(&[0, 0], 9).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(read_bytes(&[0, 0, 0, 3, 1], 9).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
