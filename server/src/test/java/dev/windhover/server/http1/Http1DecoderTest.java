package dev.windhover.server.http1;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.server.ServerOptions;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class Http1DecoderTest {
  private static final byte[] HANDSHAKE =
      """
      GET /ws HTTP/1.1\r
      Host: localhost\r
      Connection: Upgrade\r
      Upgrade: websocket\r
      Sec-WebSocket-Version: 13\r
      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
      \r
      """
          .getBytes(ISO_8859_1);

  /** A masked text frame, "Hello" (RFC 6455 5.7). */
  private static final byte[] FRAME = {
    (byte) 0x81, (byte) 0x85, 0x37, (byte) 0xfa, 0x21, 0x3d, 0x7f, (byte) 0x9f, 0x4d, 0x51, 0x58
  };

  private final Http1Decoder decoder = new Http1Decoder(new ServerOptions().limits());
  private final EmbeddedChannel channel = new EmbeddedChannel(decoder);

  private void read(byte[] bytes, int from, int to) {
    channel.writeInbound(Unpooled.copiedBuffer(bytes, from, to - from));
  }

  private void expectHandshake() {
    HttpRequest request = channel.readInbound();
    assertThat(request.decoderResult().isSuccess()).isTrue();
    assertThat(request.method().name()).isEqualTo("GET");
    assertThat(request.uri()).isEqualTo("/ws");
    assertThat(request.headers()).hasSize(5);
    assertThat(request.headers().get("Sec-WebSocket-Key")).isEqualTo("dGhlIHNhbXBsZSBub25jZQ==");
    LastHttpContent end = channel.readInbound();
    assertThat(end.content().isReadable()).isFalse();
    end.release();
    assertThat(channel.inboundMessages()).isEmpty();
  }

  /** Takes the decoder away, as an upgrade does, and requires that it held {@code bytes}. */
  private void expectHeld(byte... bytes) {
    channel.pipeline().remove(decoder);
    ByteBuf held = channel.readInbound();
    assertThat(held == null ? new byte[0] : bytesOf(held)).isEqualTo(bytes);
    ReferenceCountUtil.release(held);
    assertThat(channel.finish()).isFalse();
  }

  private static byte[] bytesOf(ByteBuf buffer) {
    byte[] bytes = new byte[buffer.readableBytes()];
    buffer.readBytes(bytes);
    return bytes;
  }

  @Test
  void aHandshakeAndItsFirstFrameMayBeCutAtEveryByte() {
    byte[] all = Arrays.copyOf(HANDSHAKE, HANDSHAKE.length + FRAME.length);
    System.arraycopy(FRAME, 0, all, HANDSHAKE.length, FRAME.length);
    for (int cut = 0; cut <= all.length; cut++) {
      Http1DecoderTest each = new Http1DecoderTest();
      each.read(all, 0, cut);
      assertThat(each.channel.inboundMessages().isEmpty()).isEqualTo(cut < HANDSHAKE.length);
      assertThat(each.decoder.isHolding()).isEqualTo(cut > HANDSHAKE.length);
      each.read(all, cut, all.length);
      each.expectHandshake();
      assertThat(each.decoder.isHolding()).isTrue();
      each.expectHeld(FRAME);
    }
  }

  @Test
  void aHandshakeMayComeByteByByte() {
    for (int i = 0; i < HANDSHAKE.length; i++) {
      assertThat(channel.inboundMessages()).isEmpty();
      read(HANDSHAKE, i, i + 1);
    }
    expectHandshake();
    expectHeld();
  }

  @Test
  void aHandshakeThatStopsIsNone() {
    for (int cut = 0; cut < HANDSHAKE.length; cut++) {
      Http1DecoderTest each = new Http1DecoderTest();
      each.read(HANDSHAKE, 0, cut);
      each.channel.finish();
      for (Object read; (read = each.channel.readInbound()) != null; ) {
        assertThat(read).isInstanceOf(HttpRequest.class);
        assertThat(((HttpRequest) read).decoderResult().isFailure()).isTrue();
        ReferenceCountUtil.release(read);
      }
    }
  }

  @Test
  void theNextRequestIsHeldUntilTheFirstIsAnswered() throws Exception {
    byte[] two = Arrays.copyOf(HANDSHAKE, 2 * HANDSHAKE.length);
    System.arraycopy(HANDSHAKE, 0, two, HANDSHAKE.length, HANDSHAKE.length);
    read(two, 0, two.length);
    expectHandshake();
    decoder.release(channel.pipeline().context(decoder));
    assertThat(decoder.isHolding()).isFalse();
    expectHandshake();
    expectHeld();
  }

  @Test
  void aChunkThatEndsInLfAloneIsMalformedThoughItComesLater() {
    byte[] all =
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n"
            .getBytes(ISO_8859_1);
    int cut = all.length - 6; // behind the chunk's data
    read(all, 0, cut);
    read(all, cut, all.length);
    HttpRequest request = channel.readInbound();
    assertThat(request.decoderResult().isSuccess()).isTrue();
    HttpContent piece = channel.readInbound();
    assertThat(piece.content().toString(ISO_8859_1)).isEqualTo("a");
    piece.release();
    HttpContent broken = channel.readInbound();
    assertThat(broken.decoderResult().isFailure()).isTrue();
    broken.release();
  }
}
