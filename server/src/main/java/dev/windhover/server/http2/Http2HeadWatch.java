package dev.windhover.server.http2;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2FrameTypes;

/**
 * Tells whether a head is incomplete: from the begin of a HEADERS frame to the end of the frame
 * with END_HEADERS (RFC 9113 4.3). Nothing else may come in between, and Netty does not report a
 * head before its end. So this class looks at the header of each frame that a client sends. Loop
 * only.
 */
final class Http2HeadWatch {
  private static final int PREFACE = 24;
  private static final int FRAME_HEADER = 9;
  private static final int END_HEADERS = 0x4;

  private final StreamHistory history;

  /** How much of the preface, or of the payload of the current frame, is still to come. */
  private int skip = PREFACE;

  /** What has come of the length, type and flags in a header that comes in pieces. */
  private long start;

  /** The same of the stream's number. */
  private int stream;

  private int headerBytes;
  private int heads;
  private boolean isUnderWay;
  private boolean endsWithFrame;

  Http2HeadWatch(StreamHistory history) {
    this.history = history;
  }

  /** Looks at what came, and returns the number of the incomplete head, from 1; 0 without one. */
  int read(ByteBuf bytes) {
    int at = bytes.readerIndex();
    int end = bytes.writerIndex();
    while (at < end) {
      if (skip > 0) {
        int n = Math.min(skip, end - at);
        skip -= n;
        at += n;
      } else if (headerBytes == 0 && end - at >= FRAME_HEADER) {
        long start = (bytes.getUnsignedInt(at) << 8) | bytes.getUnsignedByte(at + 4);
        begin(start, bytes.getInt(at + 5));
        at += FRAME_HEADER;
      } else {
        beginByte(bytes.getUnsignedByte(at++));
      }
      if (skip == 0 && endsWithFrame) {
        isUnderWay = false;
      }
    }
    return isUnderWay ? heads : 0;
  }

  private void beginByte(int next) {
    if (headerBytes++ < 5) {
      start = (start << 8) | next;
    } else {
      stream = (stream << 8) | next;
    }
    if (headerBytes == FRAME_HEADER) {
      begin(start, stream);
      start = 0;
      stream = 0;
      headerBytes = 0;
    }
  }

  /** A frame begins; {@code start} is its length, type and flags. */
  private void begin(long start, int stream) {
    skip = (int) (start >>> 16);
    int type = (int) (start >>> 8) & 0xFF;
    if (type == Http2FrameTypes.HEADERS) {
      heads++;
      history.headComes(stream & Integer.MAX_VALUE); // without the reserved bit
    }
    isUnderWay = type == Http2FrameTypes.HEADERS || type == Http2FrameTypes.CONTINUATION;
    endsWithFrame = isUnderWay && (start & END_HEADERS) != 0;
  }
}
