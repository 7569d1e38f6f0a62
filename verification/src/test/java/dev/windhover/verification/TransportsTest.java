package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.windhover.server.Transport;
import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.Http1WebSocketTest.Http1;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Wire;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.uring.IoUring;
import java.io.IOException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every transport: a little of each in every run, the whole contract in the full run. */
@ExtendWith(StrictLogs.class)
class TransportsTest {
  @ParameterizedTest
  @EnumSource(Transport.class)
  void messageAndCloseAreAnswered(Transport transport) throws IOException {
    for (Form form : Form.values()) {
      try (EchoApplication server = new EchoApplication(form, over(transport).host());
          Wire wire = Wire.open(server.port(), "/echo/x")) {
        for (int size : new int[] {5, 100_000, 1_000_000}) {
          Frame message = Frame.text("x".repeat(size));
          wire.send(message);
          assertThat(wire.frame()).isEqualTo(message);
        }
        wire.send(Frame.text("last"), Frame.close(1000, ""));
        assertThat(wire.frame()).isEqualTo(Frame.text("last"));
        assertThat(wire.frame()).isEqualTo(Frame.close(1000, ""));
        wire.expectEnd();
      }
    }
  }

  private static Http1 over(Transport transport) {
    switch (transport) {
      case EPOLL ->
          assumeTrue(Epoll.isAvailable(), () -> "no epoll here: " + Epoll.unavailabilityCause());
      case IO_URING ->
          assumeTrue(
              IoUring.isAvailable(), () -> "no io_uring here: " + IoUring.unavailabilityCause());
      case AUTO, NIO -> {}
    }
    // Netty 4.2.18 over io_uring: the reset is dropped with the data's last read, in any server.
    boolean tellsResets = transport != Transport.IO_URING;
    return new Http1(app -> app.server(options -> options.transport(transport)), tellsResets);
  }

  @Nested
  @Tag("full")
  class NioBlocking extends WebSocketContract {
    NioBlocking() {
      super(over(Transport.NIO), Form.BLOCKING);
    }
  }

  @Nested
  @Tag("full")
  class NioListener extends WebSocketContract {
    NioListener() {
      super(over(Transport.NIO), Form.LISTENER);
    }
  }

  @Nested
  @Tag("full")
  class IoUringBlocking extends WebSocketContract {
    IoUringBlocking() {
      super(over(Transport.IO_URING), Form.BLOCKING);
    }
  }

  @Nested
  @Tag("full")
  class IoUringListener extends WebSocketContract {
    IoUringListener() {
      super(over(Transport.IO_URING), Form.LISTENER);
    }
  }
}
