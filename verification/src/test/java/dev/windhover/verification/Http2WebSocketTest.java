package dev.windhover.verification;

import dev.windhover.app.WebApplication;
import dev.windhover.server.TlsProvider;
import dev.windhover.server.Transport;
import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Peer;
import java.io.IOException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The contract over HTTP/2 (RFC 8441), each socket on a connection of its own. */
class Http2WebSocketTest {
  private static final int WIDE = 1 << 20;
  private static final int NARROW = 8 * 1024;

  /** A stream in clear text. */
  record Http2(Consumer<WebApplication> host) implements TransportUnderTest {
    @Override
    public boolean tellsResets() {
      return true;
    }

    @Override
    public Peer open(int port, String path) throws IOException {
      return Http2Wire.connect(port, WIDE).open(path).owningConnection();
    }

    @Override
    public Peer openNarrow(int port, String path) throws IOException {
      return Http2Wire.connect(port, NARROW).open(path).owningConnection();
    }
  }

  /** A stream over TLS. */
  record Http2OverTls(Consumer<WebApplication> host) implements TransportUnderTest {
    Http2OverTls() {
      this(new TlsWebSocketTest.Tls(TlsProvider.AUTO, "TLSv1.3", Transport.AUTO).host());
    }

    @Override
    public boolean tellsResets() {
      return true;
    }

    @Override
    public Peer open(int port, String path) throws IOException {
      return Http2Wire.connectSecure(port, WIDE).open(path).owningConnection();
    }

    @Override
    public Peer openNarrow(int port, String path) throws IOException {
      return Http2Wire.connectSecure(port, NARROW).open(path).owningConnection();
    }
  }

  @Nested
  class Blocking extends WebSocketContract {
    Blocking() {
      super(new Http2(app -> {}), Form.BLOCKING);
    }
  }

  @Nested
  class Listener extends WebSocketContract {
    Listener() {
      super(new Http2(app -> {}), Form.LISTENER);
    }
  }

  @Nested
  @Tag("full") // the quick run has the contract over HTTP/2, and over TLS
  class BlockingOverTls extends WebSocketContract {
    BlockingOverTls() {
      super(new Http2OverTls(), Form.BLOCKING);
    }
  }

  @Nested
  @Tag("full")
  class ListenerOverTls extends WebSocketContract {
    ListenerOverTls() {
      super(new Http2OverTls(), Form.LISTENER);
    }
  }
}
