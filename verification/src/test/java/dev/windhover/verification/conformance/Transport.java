package dev.windhover.verification.conformance;

import dev.windhover.verification.wire.Peer;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.util.Map;

/** How the suite's client reaches a server: where TCP, TLS and HTTP/2 plug in. */
interface Transport {
  /** Returns the name of its column in the table of results. */
  String name();

  /**
   * Asks for a WebSocket: one whole opening handshake with further headers.
   *
   * @return the answer, and the socket behind it if it was accepted
   */
  Opened open(int port, String target, Map<String, String> headers) throws IOException;

  /**
   * A server's answer to an opening handshake.
   *
   * @param response status and headers
   * @param peer the client's end
   */
  record Opened(Response response, Peer peer) {}

  /** HTTP/1.1 on a stream of bytes. */
  interface Http1 extends Transport {
    /** Connects, and sends nothing. */
    Wire connect(int port) throws IOException;

    @Override
    default Opened open(int port, String target, Map<String, String> headers) throws IOException {
      Wire wire = connect(port);
      String[] lines =
          headers.entrySet().stream()
              .map(header -> header.getKey() + ": " + header.getValue())
              .toArray(String[]::new);
      Response response = wire.send(Wire.handshake(target, lines)).response();
      if (response.status() == 101 && !isUpgrade(response)) {
        wire.close();
        throw new AssertionError("not the answer to an opening handshake: " + response);
      }
      return new Opened(response, wire);
    }

    /** What RFC 6455 4.1 requires of any server; ours is held to its bytes by the rows 20. */
    private static boolean isUpgrade(Response response) {
      return "websocket".equalsIgnoreCase(response.header("Upgrade"))
          && "upgrade".equalsIgnoreCase(response.header("Connection"))
          && Wire.ACCEPT.equals(response.header("Sec-WebSocket-Accept"));
    }
  }

  /** HTTP/1.1 on plain TCP. */
  Transport PLAIN =
      new Http1() {
        @Override
        public String name() {
          return "HTTP/1.1";
        }

        @Override
        public Wire connect(int port) throws IOException {
          return Wire.connect(port);
        }
      };
}
