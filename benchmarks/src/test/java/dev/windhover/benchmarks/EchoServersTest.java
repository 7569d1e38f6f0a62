package dev.windhover.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.benchmarks.EchoServer.Api;
import java.io.IOException;
import java.nio.channels.Selector;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every contender that is compared does what it is compared for. */
class EchoServersTest {
  private static final List<String> CONTENDERS =
      List.of("netty", "jetty", "undertow", "windhover:listener", "windhover:blocking");

  record Case(Contender contender, Compression compression) {}

  static Stream<Case> cases() {
    return CONTENDERS.stream()
        .map(Contender::parse)
        .flatMap(contender ->
            Stream.of("takeover", "no-takeover", "takeover:9", "no-takeover:9")
                .map(text -> Compression.parse("mode", text))
                .filter(contender::agreesTo)
                .limit(System.getProperty("full") == null ? 1 : Long.MAX_VALUE)
                .map(compression -> new Case(contender, compression)));
  }

  /** It runs until the JVM ends. */
  private static int start(Contender contender, Compression compression) throws Exception {
    return BenchServer.server(contender.server())
        .start(
            new EchoServer.Options(
                contender.api().equals("blocking") ? Api.BLOCKING : Api.LISTENER,
                0,
                1,
                NettyTransport.NIO,
                compression));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void compressedMessagesComeBackCompressedAsAgreed(Case one) throws Exception {
    int port = start(one.contender(), one.compression());
    for (int size : new int[] {256, 4096, 65536}) {
      for (boolean binary : new boolean[] {false, true}) {
        var ring = MessageRing.compressed(binary, size, 1, one.compression());
        try (var client = new EchoClient(port, ring, one.compression())) {
          client.echo(20);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"jetty, takeover:9", "undertow, takeover:9", "netty-raw, takeover"})
  void whatAServerIsNotAskedForItWouldNotAgreeTo(String name, String text) throws Exception {
    var compression = Compression.parse("mode", text);
    assertThat(Contender.parse(name).agreesTo(compression)).isFalse();
    int port = start(Contender.parse(name), compression);
    var ring = MessageRing.compressed(false, 256, 1, compression);
    assertThatThrownBy(() -> new EchoClient(port, ring, compression).close())
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("not negotiated");
  }

  /** Jetty sends answers of more than 8 KiB in fragments. */
  @Tag("full")
  @ParameterizedTest
  @CsvSource({
    "jetty, takeover, 65536",
    "undertow, no-takeover, 4096",
    "windhover, takeover, 256",
    "jetty, off, 65536",
    "undertow, off, 64"
  })
  void theLoadGeneratorCountsAndVerifiesReplies(String name, String mode, String size)
      throws Exception {
    int port = start(Contender.parse(name), Compression.parse("mode", mode));
    Measurement measurement =
        LoadGenerator.measure(
            new Arguments(
                List.of(
                        "--port " + port + " --compression " + mode + " --size " + size,
                        "--connections 4 --in-flight 2 --warmup 0 --seconds 1")
                    .stream()
                    .flatMap(words -> Stream.of(words.split(" ", -1)))
                    .toList()));
    assertThat(measurement.messagesPerSecond()).isPositive();
    double share = measurement.bytesPerReply() / Integer.parseInt(size);
    if (mode.equals("off")) {
      assertThat(share).isGreaterThan(1); // headers
    } else {
      assertThat(share).isBetween(0.1, 0.5);
    }
    assertThat(Measurement.parse(measurement.report()).p50Micros()).isPositive();
  }

  /** What is larger than a DATA frame may be comes in two. */
  @Tag("full")
  @ParameterizedTest
  @CsvSource({
    "netty-data, 64, 3",
    "netty-data, 20000, 1",
    "netty-mux, 64, 3",
    "jetty, 64, 3",
    "windhover, 64, 3",
    "windhover, 64, 101",
    "windhover, 20000, 1",
    "windhover:blocking, 64, 3"
  })
  void theLoadGeneratorCountsAndVerifiesRepliesOverHttp2(String name, String size, String sockets)
      throws Exception {
    int port = start(Contender.parse(name), Compression.OFF);
    Measurement measurement =
        LoadGenerator.measure(
            new Arguments(
                List.of(
                    ("--port " + port + " --size " + size + " --http2 " + sockets)
                        .concat(" --connections 2 --in-flight 2 --warmup 0 --seconds 1")
                        .split(" ", -1))));
    assertThat(measurement.messagesPerSecond()).isPositive();
    assertThat(measurement.bytesPerReply()).isGreaterThan(Integer.parseInt(size)); // headers
  }

  @Test
  void aServerWithoutHttp2IsNoContenderThere() throws Exception {
    int port = start(Contender.parse("undertow"), Compression.OFF);
    var ring = MessageRing.plain(false, 64, 1);
    try (var selector = Selector.open()) {
      assertThatThrownBy(() -> new Http2EchoClient(port, ring, 1, selector).close())
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void aReplyOverHttp2ThatIsNotWhatWasSentFails() throws Exception {
    int port = start(Contender.parse("windhover"), Compression.OFF);
    var ring = MessageRing.plain(false, 64, 1);
    try (var selector = Selector.open();
        var client = new Http2EchoClient(port, ring, 2, selector)) {
      client.echo(1);
      ring.payload(1)[63]++; // what is expected, and not what is sent
      assertThatThrownBy(() -> client.echo(1)).hasMessageStartingWith("wrong echo");
    }
  }
}
