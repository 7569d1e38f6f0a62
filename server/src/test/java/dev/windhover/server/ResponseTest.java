package dev.windhover.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Headers;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Sink;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a response of HTTP/1.1 looks like on its way out. */
class ResponseTest {
  private static final String REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

  private final EmbeddedChannel channel = new EmbeddedChannel();

  @AfterEach
  void end() {
    channel.finishAndReleaseAll();
  }

  /** Returns what was written, as often as it was. */
  private List<String> answersTo(String requests, Consumer<Exchange> handler) {
    Server server = new Server(new ServerOptions(), handler::accept);
    server
        .negotiation(ListenAddress.parse("http://localhost"), new AddressOptions())
        .initChannel(channel);
    channel.pipeline().fireChannelActive();
    channel.writeInbound(Unpooled.copiedBuffer(requests, US_ASCII));
    channel.runPendingTasks();
    List<String> written = new ArrayList<>();
    for (ByteBuf each; (each = channel.readOutbound()) != null; each.release()) {
      written.add(each.toString(US_ASCII));
    }
    return written;
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(US_ASCII));
  }

  private static void hello(Exchange exchange) {
    Sink sink = exchange.respond(200, new Headers().add("Content-Type", "text/plain"), 5);
    sink.write(bytes("hello"));
    sink.end();
  }

  @Test
  void headAndBodyAreGatheredInOneWrite() {
    assertThat(answersTo(REQUEST, ResponseTest::hello))
        .singleElement()
        .asString()
        .matches(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: [^\r]+\r\n"
                + "Content-Length: 5\r\n\r\nhello");
  }

  @Test
  void eachWriteIsAChunk() {
    List<String> written =
        answersTo(
            REQUEST,
            exchange -> {
              Sink sink = exchange.respond(200, new Headers(), -1);
              sink.write(bytes("one"));
              sink.write(bytes(""));
              sink.write(bytes("x".repeat(0x123)));
              sink.reserve(100).put(bytes("reserved"));
              sink.commit();
              sink.reserve(100);
              sink.commit();
              sink.write(bytes("beside"), () -> {});
              sink.end();
            });
    assertThat(String.join("", written))
        .endsWith(
            "\r\n\r\n3\r\none\r\n123\r\n"
                + "x".repeat(0x123)
                + "\r\n00000008\r\nreserved\r\n6\r\nbeside\r\n0\r\n\r\n");
  }

  @Test
  void abortedResponseHasNoLastChunk() {
    List<String> written =
        answersTo(
            REQUEST,
            exchange -> {
              Sink sink = exchange.respond(200, new Headers(), -1);
              sink.write(bytes("one"));
              sink.flush();
              sink.abort();
              sink.end();
              sink.flush();
            });
    assertThat(String.join("", written)).endsWith("\r\n\r\n3\r\none\r\n");
  }

  @Test
  void bytesBesideAreReleasedWhenTheyHaveLeft() {
    List<String> told = new ArrayList<>();
    answersTo(
        REQUEST,
        exchange -> {
          Sink sink = exchange.respond(200, new Headers(), 6);
          sink.write(bytes("beside"), () -> told.add("released"));
          told.add("written");
          sink.end();
        });
    assertThat(told).containsExactly("written", "released");
  }

  @Test
  void whatIsWrittenToAClientThatIsGoneIsDroppedAndReleased() {
    List<String> told = new ArrayList<>();
    answersTo(
        REQUEST,
        exchange -> {
          Sink sink = exchange.respond(200, new Headers(), -1);
          sink.mark(10, () -> told.add("marked"));
          channel.close();
          channel.runPendingTasks();
          assertThat(sink.isOpen()).isFalse();
          sink.write(bytes("nobody"));
          sink.write(bytes("beside"), () -> told.add("released"));
          sink.flush();
          sink.end();
        });
    assertThat(told).containsExactly("marked", "released");
  }
}
