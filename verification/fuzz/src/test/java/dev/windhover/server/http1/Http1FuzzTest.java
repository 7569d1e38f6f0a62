package dev.windhover.server.http1;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.windhover.server.ServerLimits;
import dev.windhover.server.ServerOptions;
import dev.windhover.verification.fuzz.Input;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Any bytes to the decoder of HTTP/1.1: the same requests, however they are cut; no leak. */
class Http1FuzzTest {
  @FuzzTest
  void fuzz(byte[] bytes) throws Exception {
    Input input = new Input(bytes);
    int seed = input.choice();
    byte[] wire = input.rest();
    List<String> whole = decoded(List.of(wire));
    assertThat(decoded(Input.bytewise(wire))).as("bytewise").isEqualTo(whole);
    assertThat(decoded(Input.pieces(wire, 1 + seed, seed))).as("in pieces").isEqualTo(whole);
  }

  /** Returns requests, what is wrong, and what is held at the end. */
  private static List<String> decoded(List<byte[]> pieces) throws Exception {
    UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);
    ServerLimits limits = new ServerOptions().limits().maxRequestLine(512).maxHeaders(1024);
    Http1Decoder decoder = new Http1Decoder(limits);
    EmbeddedChannel channel = new EmbeddedChannel();
    channel.config().setAllocator(allocator);
    Log log = new Log(decoder, limits);
    channel.pipeline().addLast(decoder, log);
    for (byte[] piece : pieces) {
      channel.writeInbound(allocator.buffer(Math.max(1, piece.length)).writeBytes(piece));
      while (log.complete) {
        log.complete = false;
        decoder.release(channel.pipeline().context(decoder));
      }
    }
    channel.finish();
    channel.checkException();
    assertThat(allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory())
        .as("bytes of buffers that were not released")
        .isZero();
    return log.lines;
  }

  /** What came out; the pieces of a body are one. Like the connection, drops what is malformed. */
  private static final class Log extends ChannelInboundHandlerAdapter {
    final List<String> lines = new ArrayList<>();
    boolean complete;
    private final Http1Decoder decoder;
    private final ServerLimits limits;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private boolean broken;

    Log(Http1Decoder decoder, ServerLimits limits) {
      this.decoder = decoder;
      this.limits = limits;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      try {
        if (!broken) {
          take((HttpObject) message);
        }
      } finally {
        ReferenceCountUtil.release(message);
      }
    }

    private void take(HttpObject part) {
      if (part.decoderResult().isFailure()) {
        lines.add("malformed " + (part instanceof HttpRequest ? "head" : "body"));
        broken = true;
        decoder.drop();
        return;
      }
      if (part instanceof HttpRequest request) {
        String line = request.method() + " " + request.uri() + " " + request.protocolVersion();
        String fields = request.headers().entries().toString();
        lines.add(line + " " + fields + " " + Http1Rules.check(request, limits));
      }
      if (part instanceof HttpContent piece) {
        body.writeBytes(ByteBufUtil.getBytes(piece.content()));
      }
      if (part instanceof LastHttpContent last) {
        lines.add(
            HexFormat.of().formatHex(body.toByteArray()) + " " + last.trailingHeaders().entries());
        body.reset();
        complete = true;
      }
    }
  }
}
