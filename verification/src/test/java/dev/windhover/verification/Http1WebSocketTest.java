package dev.windhover.verification;

import dev.windhover.app.WebApplication;
import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.wire.Peer;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;

/** The contract over HTTP/1.1 on Netty's default transport. */
class Http1WebSocketTest {
  /** Plain TCP. */
  record Http1(Consumer<WebApplication> host, boolean tellsResets) implements TransportUnderTest {
    @Override
    public Peer open(int port, String path) throws IOException {
      return Wire.open(port, path);
    }

    @Override
    public Peer openNarrow(int port, String path) throws IOException {
      return Wire.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 8 * 1024)
          .upgrade(path);
    }
  }

  @Nested
  class Blocking extends WebSocketContract {
    Blocking() {
      super(new Http1(app -> {}, true), Form.BLOCKING);
    }
  }

  @Nested
  class Listener extends WebSocketContract {
    Listener() {
      super(new Http1(app -> {}, true), Form.LISTENER);
    }
  }
}
