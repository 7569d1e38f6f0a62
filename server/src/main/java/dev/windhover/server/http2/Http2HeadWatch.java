package dev.windhover.server.http2;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2FrameTypes;

/**
 * Tells whether a head is under way: HEADERS that has begun, up to the end of the frame that has
 * END_HEADERS (RFC 9113 4.3). Nothing else may come meanwhile, and Netty says nothing of it before
 * its end. So this looks at the frames' headers in what a client sends from the preface on, and
 * skips the rest. Loop only.
 */
final class Http2HeadWatch {
  private static final int PREFACE = 24;
  private static final int FRAME_HEADER = 9;
  private static final int END_HEADERS = 0x4;

  /** Of the preface, or of the payload of the frame under way, still to come. */
  private int skip = PREFACE;

  /** What is here of a header that comes in pieces: of its length, type and flags. */
  private long start;

  private int headerBytes;
  private int heads;
  private boolean isUnderWay;
  private boolean endsWithFrame;

  /** Looks at what came, and returns which head is under way, counted from 1, or 0 if none is. */
  int read(ByteBuf bytes) {
    int at = bytes.readerIndex();
    int end = bytes.writerIndex();
    while (at < end) {
      if (skip > 0) {
        int n = Math.min(skip, end - at);
        skip -= n;
        at += n;
      } else if (headerBytes == 0 && end - at >= FRAME_HEADER) {
        begin((bytes.getUnsignedInt(at) << 8) | bytes.getUnsignedByte(at + 4));
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
    }
    if (headerBytes == FRAME_HEADER) {
      begin(start);
      start = 0;
      headerBytes = 0;
    }
  }

  /** A frame begins; {@code start} is its length, type and flags. */
  private void begin(long start) {
    skip = (int) (start >>> 16);
    int type = (int) (start >>> 8) & 0xFF;
    if (type == Http2FrameTypes.HEADERS) {
      heads++;
    }
    isUnderWay = type == Http2FrameTypes.HEADERS || type == Http2FrameTypes.CONTINUATION;
    endsWithFrame = isUnderWay && (start & END_HEADERS) != 0;
  }
}
