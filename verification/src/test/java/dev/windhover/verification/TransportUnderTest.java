package dev.windhover.verification;

import dev.windhover.app.WebApplication;
import dev.windhover.verification.wire.Peer;
import java.io.IOException;
import java.util.function.Consumer;

/** A transport that the contract runs over. */
interface TransportUnderTest {
  /** Returns what makes an application listen on it. */
  Consumer<WebApplication> host();

  /** Opens a socket. */
  Peer open(int port, String path) throws IOException;

  /** Returns whether the server is told of a reset that comes right behind data. */
  boolean tellsResets();

  /** Returns whether one side goes on when the other has ended, as it does in TCP. */
  default boolean endsSidesApart() {
    return true;
  }

  /** Opens a socket whose client takes little while it does not read. */
  Peer openNarrow(int port, String path) throws IOException;
}
