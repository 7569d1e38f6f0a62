package dev.windhover.websocket;

import dev.windhover.http.Limit;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.websocket.Ending;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Watches over the connection of a {@link Session}: that its peer lives and takes what is sent, and
 * that a quiet one holds no compression contexts. Loop only.
 */
final class Watch {
  /** How long a compressed socket may be quiet before its streams are given back. */
  private static final long REST_NANOS = DeflatePool.IDLE_NANOS;

  private final Session session;

  /** Null if it is off. */
  private final @Nullable KeepAlive keepAlive;

  /** Only while output waits. */
  private @Nullable WriteStall writeStall;

  Watch(Session session) {
    this.session = session;
    KeepAlive.Terms terms = session.settings().keepAlive();
    this.keepAlive = terms.isOn() ? new KeepAlive(terms, now()) : null;
  }

  private long now() {
    return session.loop().nanoTime();
  }

  // ---- That the peer lives

  void begin() {
    if (keepAlive != null) {
      session.await(Deadlines.Kind.KEEP_ALIVE, keepAlive.delay(now()));
    }
  }

  /** Bytes have come. */
  void heard() {
    if (keepAlive != null) {
      keepAlive.heard(now());
    }
  }

  /** Reading begins again after we had stopped it. */
  void readingAgain() {
    if (keepAlive != null) {
      keepAlive.readingAgain(now());
    }
  }

  void lookAlive() {
    SendQueue out = session.out();
    if (keepAlive == null || !out.state().canSend() || session.isDoneReading()) {
      return; // the closing limits watch from here on
    }
    long now = now();
    switch (keepAlive.ask(now, session.isReading(), out.isAllTaken())) {
      case WAIT -> {}
      case PING -> {
        sendPing(keepAlive.pings());
        if (!out.isAllTaken()) {
          keepAlive.pingWaits();
        }
      }
      case PONG -> sendUnasked(Opcode.PONG, ByteBuffer.allocate(0));
      case ABORT -> {
        session.limitReached(Limit.KEEP_ALIVE);
        session.abort(
            Ending.By.SERVER,
            "no sign of life within "
                + Duration.ofNanos(session.settings().keepAlive().timeout())
                + " after a ping");
        return;
      }
    }
    if (session.compression() == null) {
      out.rest(); // nothing else would: its deadline is compression's
    }
    session.await(Deadlines.Kind.KEEP_ALIVE, keepAlive.delay(now));
  }

  private void sendPing(long number) {
    sendUnasked(Opcode.PING, ByteBuffer.allocate(Long.BYTES).putLong(number).flip());
  }

  private void sendUnasked(Opcode opcode, ByteBuffer payload) {
    session.out().control(opcode, payload);
    session.duplex().flush();
    output();
  }

  // ---- That it takes what is sent

  /** Output may wait from now on. */
  void output() {
    Duplex duplex = session.duplex();
    if (duplex.pending() > 0 && !session.awaits(Deadlines.Kind.WRITE)) {
      long now = now();
      WriteStall begun = new WriteStall(timeout().toNanos());
      begun.begin(now, duplex.transmitted());
      writeStall = begun;
      session.await(Deadlines.Kind.WRITE, begun.delay(now));
    }
  }

  void lookAtOutput() {
    Duplex duplex = session.duplex();
    WriteStall stall = writeStall;
    if (stall == null || duplex.pending() == 0) {
      writeStall = null; // watched again when something waits
      return;
    }
    long now = now();
    if (stall.isStalled(now, duplex.transmitted())) {
      session.limitReached(Limit.STALLED_WRITE);
      session.abort(Ending.By.SERVER, "peer took no data for " + timeout());
    } else {
      session.await(Deadlines.Kind.WRITE, stall.delay(now));
    }
  }

  private Duration timeout() {
    return session.settings().limits().writeStallTimeout();
  }

  // ---- That a quiet one holds nothing

  /** Messages may have been compressed or decompressed. */
  void compression() {
    if (session.compression() != null) {
      session.await(Deadlines.Kind.REST, REST_NANOS);
    }
  }

  /** Gives the streams of a quiet socket back; those that are within a message stay. */
  void rest() {
    Compression compression = session.compression();
    if (compression != null) {
      session.out().rest();
      compression.restReading(session.loop());
    }
  }
}
