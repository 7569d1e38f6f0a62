package dev.windhover.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Headers;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Upgrade;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameTypes;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Nothing leaves before the answer: a receiver has nothing to write to until that is written. */
class UpgradeOrderTest {
  private static final String HANDSHAKE =
      "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

  private final List<Upgrade> asked = new ArrayList<>();
  private final Server server =
      new Server(
          new ServerOptions(), exchange -> asked.add(Objects.requireNonNull(exchange.upgrade())));
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final Eager receiver = new Eager();

  /** Writes as soon as it can. */
  private static final class Eager implements Duplex.Receiver {
    final List<String> told = new ArrayList<>();

    @Override
    public void onOpen(Duplex duplex) {
      told.add("open");
      duplex.write(ByteBuffer.wrap("first".getBytes(ISO_8859_1)));
    }

    @Override
    public void onBytes(ByteBuffer bytes) {
      bytes.position(bytes.limit());
    }

    @Override
    public void onBatchEnd() {}

    @Override
    public void onEnd() {
      told.add("end");
    }

    @Override
    public void onLost(String why) {
      told.add("lost");
    }
  }

  @AfterEach
  void end() {
    channel.finishAndReleaseAll();
  }

  private void ask(ByteBuf bytes) {
    server
        .negotiation(ListenAddress.parse("http://localhost"), new AddressOptions())
        .initChannel(channel);
    channel.pipeline().fireChannelActive();
    channel.writeInbound(bytes);
    channel.runPendingTasks();
    assertThat(asked).hasSize(1);
    taken();
  }

  private void accept(int status) {
    asked.getFirst().accept(status, new Headers(), receiver);
    channel.runPendingTasks();
  }

  private ByteBuf taken() {
    ByteBuf all = Unpooled.buffer();
    for (ByteBuf each; (each = channel.readOutbound()) != null; ) {
      all.writeBytes(each);
      each.release();
    }
    return all;
  }

  @Test
  void a101PrecedesWhatTheReceiverWrites() {
    ask(Unpooled.copiedBuffer(HANDSHAKE, ISO_8859_1));
    accept(101);
    assertThat(taken().toString(ISO_8859_1)).startsWith("HTTP/1.1 101 ").endsWith("\r\n\r\nfirst");
  }

  @Test
  void aConnectionThatIsGoneIsLostWithoutHavingBeenOpen() {
    ask(Unpooled.copiedBuffer(HANDSHAKE, ISO_8859_1));
    channel.close();
    accept(101);
    assertThat(receiver.told).containsExactly("lost");
    assertThat(taken().isReadable()).isFalse();
  }

  @Test
  void headersPrecedeWhatTheReceiverWrites() throws Http2Exception {
    ask(connect());
    accept(200);
    ByteBuf frames = taken();
    List<Integer> types = new ArrayList<>();
    while (frames.isReadable()) {
      int size = frames.readUnsignedMedium();
      types.add((int) frames.readByte());
      frames.skipBytes(5 + size);
    }
    assertThat(types).containsExactly((int) Http2FrameTypes.HEADERS, (int) Http2FrameTypes.DATA);
  }

  @Test
  void aStreamThatIsGoneIsLostWithoutHavingBeenOpen() throws Http2Exception {
    ask(connect());
    channel.close();
    accept(200);
    assertThat(receiver.told).containsExactly("lost");
    assertThat(taken().isReadable()).isFalse();
  }

  /** A connection's first bytes, and an extended CONNECT as its first stream. */
  private static ByteBuf connect() throws Http2Exception {
    ByteBuf head = Unpooled.buffer();
    new DefaultHttp2HeadersEncoder()
        .encodeHeaders(
            1,
            new DefaultHttp2Headers()
                .method("CONNECT")
                .scheme("http")
                .authority("x")
                .path("/ws")
                .add(":protocol", "websocket"),
            head);
    ByteBuf bytes = Http2CodecUtil.connectionPrefaceBuf().copy();
    bytes.writeMedium(0).writeByte(Http2FrameTypes.SETTINGS).writeByte(0).writeInt(0);
    bytes.writeMedium(head.readableBytes()).writeByte(Http2FrameTypes.HEADERS);
    return bytes.writeByte(4 /* END_HEADERS */).writeInt(1).writeBytes(head);
  }
}
