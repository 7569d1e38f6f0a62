package dev.windhover.server;

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
 * Netty's decoder, one request at a time and stricter. Bytes behind a request are held unparsed
 * until that is answered. So they are still there, as they came, when the request turns out to be
 * an upgrade; and a client cannot make the server parse ahead.
 */
final class Http1Decoder extends HttpRequestDecoder {
  /** As much is read ahead, to see a client's end in time; then the connection is not read. */
  private static final int MOST_HELD = 64 * 1024;

  /**
   * As much may the framing of a chunked body be beyond {@link #FRAMING_PER_PIECE} and twice the
   * bytes it frames: Go's number, against extensions that outweigh what they extend.
   */
  private static final int MOST_FRAMING = 16 * 1024;

  private static final int FRAMING_PER_PIECE = 16;

  private static final int LINE_BREAK = 2;

  /** What stands before the request line: a client may send empty lines (RFC 9112 2.2). */
  private enum LineBreaks {
    NONE,
    CR,
    PASSED
  }

  private enum State {
    HEAD,
    BODY,
    HELD,
    /** Nothing that comes is looked at any more. */
    DROPPED
  }

  private final int mostFraming;
  private State state = State.HEAD;
  private boolean midHead;

  /** What is wrong with the head and Netty lets pass. */
  private @Nullable String fault;

  private LineBreaks before = LineBreaks.NONE;

  /** Whether bytes have come behind the request at hand; written by the loop only. */
  private volatile boolean holding;

  private int framing;

  /** The last chunk's line was seen: what comes is trailers. */
  private boolean inTrailers;

  /** Behind the last word of the request line that was seen. */
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
    mostFraming = MOST_FRAMING + limits.maxHeaders(); // a trailer is framing
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
    holdBehindLast(bytes, out, size);
  }

  /**
   * Decodes what is all lines. Netty counts a CR whose LF is still to come to its line, which may
   * then be too long by one; of chunks' lines, which stand between data, it still does.
   */
  private void decodeLines(ChannelHandlerContext ctx, ByteBuf bytes, List<Object> out)
      throws Exception {
    int end = bytes.writerIndex();
    if (bytes.isReadable() && bytes.getByte(end - 1) == '\r') {
      bytes.writerIndex(end - 1);
    }
    try {
      if (state == State.HEAD) {
        passLineBreaks(bytes); // it, too, looks at each byte once
      }
      super.decode(ctx, bytes, out);
    } finally {
      bytes.writerIndex(end);
    }
  }

  /** Netty skips each CR and LF before the request line, and we only the two of them. */
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
   * Returns whether a line that was parsed, which all in this range are, begins with white space:
   * Netty joins it to the one before, and we refuse it (RFC 9112 5.2).
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
      holdBehindLast(bytes, out, size);
    }
  }

  /**
   * Returns whether what was parsed begins with the line of a chunk that is well-formed. It begins
   * with one where it has more than data and the line break behind them.
   */
  private boolean isChunkSize(ByteBuf bytes, int from) {
    int end = bytes.indexOf(from, bytes.readerIndex(), (byte) '\n');
    if (end <= from) {
      return true; // Netty has refused it
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

  private void holdBehindLast(ByteBuf bytes, List<Object> out, int size) {
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
    if (!version.startsWith("HTTP/")) { // 2.3: in these letters
      throw new IllegalArgumentException("not a version of HTTP: " + version);
    }
    return version;
  }

  /** RFC 9112 3; its leave to take other white space for a space is not taken. */
  private void requireOneSpace(byte[] line, int start) {
    if (start != wordEnd + 1 || line[wordEnd] != ' ') {
      throw new IllegalArgumentException("not one space between the parts of the request line");
    }
  }

  /**
   * A request that does not say otherwise has no body (RFC 9112 6.3). Netty gives 8 bytes to one
   * with the headers of a WebSocket draft of 2010: bytes that others take for the next request.
   */
  @Override
  protected boolean isContentAlwaysEmpty(HttpMessage message) {
    return !message.headers().contains(HttpHeaderNames.CONTENT_LENGTH)
        && !message.headers().contains(HttpHeaderNames.TRANSFER_ENCODING);
  }

  // ---- From Netty

  /**
   * Does not ask for more while it holds: the decoder's own habit, to read on until something comes
   * out of it, would read without an end here.
   */
  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
    if (state == State.HELD) {
      ctx.fireChannelReadComplete();
    } else {
      super.channelReadComplete(ctx);
    }
  }

  /** Keeps what it holds when the client ends its side: it was sent before that. */
  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
    if (state == State.HELD) {
      ctx.fireUserEventTriggered(event);
    } else {
      super.userEventTriggered(ctx, event);
    }
  }

  // ---- The connection's side

  /** Returns whether bytes have come behind the request at hand; from any thread. */
  boolean isHolding() {
    return holding;
  }

  /** Returns whether a request has begun whose head is not complete. */
  boolean isMidHead() {
    return midHead;
  }

  /** Looks at nothing any more: what is held, and all that will come, is dropped. */
  void drop() {
    state = State.DROPPED;
    holding = false;
    midHead = false;
  }

  /** Goes on with the next request. */
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
