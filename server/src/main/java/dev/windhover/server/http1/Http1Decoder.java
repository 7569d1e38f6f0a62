package dev.windhover.server.http1;

import dev.windhover.server.ServerLimits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Netty's decoder, but stricter, and for one request at a time. Bytes that follow a request are
 * held unparsed until the request has been answered. If it turns out to be an upgrade, the bytes
 * are still available as they came; and a client cannot make the server parse ahead.
 */
final class Http1Decoder extends HttpRequestDecoder {
  /**
   * This much is read ahead, to notice the end of a client in time. After that, the connection is
   * not read.
   */
  private static final int MOST_HELD = 64 * 1024;

  /**
   * How far the framing of a chunked body may exceed {@link #FRAMING_PER_PIECE} and twice the bytes
   * that it frames. This is Go's number, and protects against extensions that outweigh the data.
   */
  private static final int MOST_FRAMING = 16 * 1024;

  private static final int FRAMING_PER_PIECE = 16;

  private static final int LINE_BREAK = 2;

  /** Line breaks before the request line: a client may send empty lines (RFC 9112 2.2). */
  private enum LineBreaks {
    NONE,
    CR,
    PASSED
  }

  private enum State {
    HEAD,
    BODY,
    HELD,
    /** Everything that comes is ignored. */
    DROPPED
  }

  private final int mostFraming;
  private State state = State.HEAD;
  private boolean midHead;

  /** A fault of the head that Netty accepts. */
  private @Nullable String fault;

  private LineBreaks before = LineBreaks.NONE;

  /** Whether bytes have come after the current request; written only by the loop. */
  private volatile boolean holding;

  private int framing;

  /** Whether the line of the last chunk has come, so that trailers follow. */
  private boolean inTrailers;

  /** The position after the last parsed word of the request line. */
  private int wordEnd;

  Http1Decoder(ServerLimits limits) {
    super(
        new HttpDecoderConfig()
            .setMaxInitialLineLength(limits.maxRequestLine())
            .setMaxHeaderSize(limits.maxHeaders())
            .setValidateHeaders(true)
            .setStrictLineParsing(true)
            .setUseRfc9112TransferEncoding(true)
            .setAllowDuplicateContentLengths(false));
    mostFraming = MOST_FRAMING + limits.maxHeaders(); // trailers count as framing
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf bytes, List<Object> out)
      throws Exception {
    switch (state) {
      case HEAD -> decodeHead(ctx, bytes, out);
      case BODY -> decodeBody(ctx, bytes, out);
      case HELD -> {
        holding = bytes.isReadable();
        if (bytes.readableBytes() > MOST_HELD) {
          ctx.channel().config().setAutoRead(false);
        }
      }
      case DROPPED -> bytes.skipBytes(bytes.readableBytes());
    }
  }

  private void decodeHead(ChannelHandlerContext ctx, ByteBuf bytes, List<Object> out)
      throws Exception {
    int from = bytes.readerIndex();
    int size = out.size();
    midHead |= bytes.isReadable();
    decodeLines(ctx, bytes, out);
    boolean complete = out.size() > size;
    if (isFolded(bytes, from, bytes.readerIndex())) {
      fault = "a header is folded";
    }
    if (!complete) {
      return;
    }
    midHead = false;
    state = State.BODY;
    if (fault != null && out.get(size) instanceof HttpRequest request) {
      request.setDecoderResult(DecoderResult.failure(new IllegalArgumentException(fault)));
    }
    holdAfterLast(bytes, out, size);
  }

  /**
   * Decodes bytes that consist only of lines. If the LF after a CR has not come yet, Netty counts
   * the CR as part of the line, which may then be too long by one byte. This method avoids that;
   * for chunk lines, which are between data, Netty still does it.
   */
  private void decodeLines(ChannelHandlerContext ctx, ByteBuf bytes, List<Object> out)
      throws Exception {
    int end = bytes.writerIndex();
    if (bytes.isReadable() && bytes.getByte(end - 1) == '\r') {
      bytes.writerIndex(end - 1);
    }
    try {
      if (state == State.HEAD) {
        passLineBreaks(bytes); // which also looks at each byte only once
      }
      super.decode(ctx, bytes, out);
    } finally {
      bytes.writerIndex(end);
    }
  }

  /** Netty skips every single CR and LF before the request line; we skip only pairs of both. */
  private void passLineBreaks(ByteBuf bytes) {
    for (int i = bytes.readerIndex(); i < bytes.writerIndex() && before != LineBreaks.PASSED; i++) {
      byte next = bytes.getByte(i);
      boolean wasCr = before == LineBreaks.CR;
      before =
          switch (next) {
            case '\r' -> LineBreaks.CR;
            case '\n' -> LineBreaks.NONE;
            default -> LineBreaks.PASSED;
          };
      if (wasCr != (next == '\n')) {
        fault = "CR and LF before the request line do not stand together";
      }
    }
  }

  /**
   * Returns whether one of the parsed lines in this range begins with white space. Netty would join
   * it to the line before; we refuse it (RFC 9112 5.2).
   */
  private static boolean isFolded(ByteBuf bytes, int from, int to) {
    for (int line = from; line < to; ) {
      byte first = bytes.getByte(line);
      if (first == ' ' || first == '\t') {
        return true;
      }
      int end = bytes.indexOf(line, to, (byte) '\n');
      if (end < 0) {
        return false;
      }
      line = end + 1;
    }
    return false;
  }

  private void decodeBody(ChannelHandlerContext ctx, ByteBuf bytes, List<Object> out)
      throws Exception {
    int from = bytes.readerIndex();
    int size = out.size();
    if (inTrailers) {
      decodeLines(ctx, bytes, out);
    } else {
      super.decode(ctx, bytes, out);
    }
    int consumed = bytes.readerIndex() - from;
    framing += consumed;
    int data = 0;
    for (int i = size; i < out.size(); i++) {
      if (out.get(i) instanceof HttpContent piece) {
        framing -= FRAMING_PER_PIECE + 3 * piece.content().readableBytes();
        data += piece.content().readableBytes();
      }
    }
    framing = Math.max(0, framing);
    if (framing > mostFraming) {
      breakOff(out, size, "chunks are mostly framing");
    } else if (!inTrailers && consumed - data > LINE_BREAK && !isChunkSize(bytes, from)) {
      breakOff(out, size, "a chunk's extension is malformed");
    } else if (data == 0 && isFolded(bytes, from, bytes.readerIndex())) { // then it is all lines
      breakOff(out, size, "a trailer is folded");
    } else {
      holdAfterLast(bytes, out, size);
    }
  }

  /**
   * Returns whether the parsed bytes begin with a well-formed chunk line. They begin with a chunk
   * line if they contain more than data and the line break after the data.
   */
  private boolean isChunkSize(ByteBuf bytes, int from) {
    int end = bytes.indexOf(from, bytes.readerIndex(), (byte) '\n');
    if (end <= from) {
      return true; // Netty has already refused it
    }
    ChunkSizeLine line = new ChunkSizeLine(bytes, from, end - 1);
    inTrailers = line.isLast();
    return line.isWellFormed();
  }

  private void breakOff(List<Object> out, int size, String why) {
    drop();
    while (out.size() > size) {
      ReferenceCountUtil.release(out.removeLast());
    }
    HttpContent broken = new DefaultLastHttpContent(Unpooled.EMPTY_BUFFER);
    broken.setDecoderResult(DecoderResult.failure(new IllegalArgumentException(why)));
    out.add(broken);
  }

  private void holdAfterLast(ByteBuf bytes, List<Object> out, int size) {
    for (int i = size; i < out.size(); i++) {
      if (out.get(i) instanceof LastHttpContent) {
        state = State.HELD;
        holding = bytes.isReadable();
      }
    }
  }

  // ---- Where Netty is lenient

  @Override
  protected String splitFirstWordInitialLine(byte[] line, int start, int length) {
    if (start != 0) {
      throw new IllegalArgumentException("white space before the method");
    }
    wordEnd = length;
    return super.splitFirstWordInitialLine(line, start, length);
  }

  @Override
  protected String splitSecondWordInitialLine(byte[] line, int start, int length) {
    requireOneSpace(line, start);
    wordEnd = start + length;
    return super.splitSecondWordInitialLine(line, start, length);
  }

  @Override
  protected String splitThirdWordInitialLine(byte[] line, int start, int length) {
    requireOneSpace(line, start);
    String version = super.splitThirdWordInitialLine(line, start, length);
    if (!version.startsWith("HTTP/")) { // 2.3: case-sensitive
      throw new IllegalArgumentException("not a version of HTTP: " + version);
    }
    return version;
  }

  /** RFC 9112 3 also allows a server to accept other white space; we do not. */
  private void requireOneSpace(byte[] line, int start) {
    if (start != wordEnd + 1 || line[wordEnd] != ' ') {
      throw new IllegalArgumentException("not one space between the parts of the request line");
    }
  }

  /**
   * A request without framing headers has no body (RFC 9112 6.3). Netty assumes a body of 8 bytes
   * if it has the headers of a WebSocket draft of 2010, where others see the next request.
   */
  @Override
  protected boolean isContentAlwaysEmpty(HttpMessage message) {
    return !message.headers().contains(HttpHeaderNames.CONTENT_LENGTH)
        && !message.headers().contains(HttpHeaderNames.TRANSFER_ENCODING);
  }

  // ---- From Netty

  /**
   * Does not request more reads while bytes are held. By default the decoder reads on until it has
   * output, which would never end here.
   */
  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
    if (state == State.HELD) {
      ctx.fireChannelReadComplete();
    } else {
      super.channelReadComplete(ctx);
    }
  }

  /** Keeps the held bytes when the client ends its side, because they were sent before that. */
  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
    if (state == State.HELD) {
      ctx.fireUserEventTriggered(event);
    } else {
      super.userEventTriggered(ctx, event);
    }
  }

  // ---- The connection's side

  /** Returns whether bytes have come after the current request. Any thread. */
  boolean isHolding() {
    return holding;
  }

  /** Returns whether a request has begun and its head is incomplete. */
  boolean isMidHead() {
    return midHead;
  }

  /** Drops the held bytes and everything that comes later. */
  void drop() {
    state = State.DROPPED;
    holding = false;
    midHead = false;
  }

  /** Continues with the next request. */
  void release(ChannelHandlerContext own) throws Exception {
    state = State.HEAD;
    holding = false;
    framing = 0;
    inTrailers = false;
    fault = null;
    before = LineBreaks.NONE;
    own.channel().config().setAutoRead(true);
    channelRead(own, Unpooled.EMPTY_BUFFER);
  }
}
