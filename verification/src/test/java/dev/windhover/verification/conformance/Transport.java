package dev.windhover.verification.conformance;

import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Peer;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
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

  /** HTTP/2, on a connection for each socket (RFC 8441). */
  interface Http2 extends Transport {
    /** So much of a server's may be on its way. */
    int WINDOW = 1 << 20;

    /** Connects, and begins no stream. */
    Http2Wire connect(int port) throws IOException;

    @Override
    default Opened open(int port, String target, Map<String, String> headers) throws IOException {
      Http2Wire wire = connect(port);
      String[] fields =
          headers.entrySet().stream()
              .map(header ->
                  header.getKey().toLowerCase(Locale.ROOT)
                      + ": "
                      + header.getValue().strip()) // no space around it: RFC 9113 8.2.1
              .toArray(String[]::new);
      Http2Wire.Stream stream = wire.connectWebSocket(target, fields).owningConnection();
      Response response = response(stream);
      if (response.status() == 200 && isUpgrade(response)) {
        wire.close();
        throw new AssertionError("the answer of HTTP/1.1: " + response);
      }
      return new Opened(response, stream);
    }

    /** Waits for the head of a stream's response. */
    static Response response(Http2Wire.Stream stream) throws IOException {
      List<String> headers =
          stream.responseHeaders().entrySet().stream()
              .filter(field -> !field.getKey().startsWith(":"))
              .map(field -> field.getKey() + ": " + field.getValue())
              .toList();
      return new Response(stream.status(), headers, new byte[0]);
    }

    private static boolean isUpgrade(Response response) {
      return response.header("Upgrade") != null
          || response.header("Connection") != null
          || response.header("Sec-WebSocket-Accept") != null;
    }
  }

  /** Whether it is spoken over TLS. */
  boolean isSecure();

  /** Returns HTTP/1.1 on connections of this kind. */
  static Http1 http1(String name, boolean secure, Connect<Wire> connect) {
    return new Http1() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public boolean isSecure() {
        return secure;
      }

      @Override
      public Wire connect(int port) throws IOException {
        return connect.to(port);
      }
    };
  }

  /** Returns HTTP/2 on connections of this kind. */
  static Http2 http2(String name, boolean secure, Connect<Http2Wire> connect) {
    return new Http2() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public boolean isSecure() {
        return secure;
      }

      @Override
      public Http2Wire connect(int port) throws IOException {
        return connect.to(port);
      }
    };
  }

  /** Connects to a port of this machine. */
  interface Connect<T> {
    T to(int port) throws IOException;
  }

  /** HTTP/1.1 on plain TCP. */
  Transport PLAIN = http1("HTTP/1.1", false, Wire::connect);

  /** HTTP/1.1 over TLS 1.3. */
  Transport TLS = http1("TLS", true, port -> Wire.connect(port).secure());

  /** HTTP/2 in clear text, known by its preface. */
  Transport HTTP_2 = http2("HTTP/2", false, port -> Http2Wire.connect(port, Http2.WINDOW));

  /** HTTP/2 over TLS, chosen by ALPN. */
  Transport HTTP_2_TLS =
      http2("HTTP/2 over TLS", true, port -> Http2Wire.connectSecure(port, Http2.WINDOW));
}
