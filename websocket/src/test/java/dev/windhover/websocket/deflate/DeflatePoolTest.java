package dev.windhover.websocket.deflate;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.windhover.http.host.Encodings;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.protocol.Extension.PayloadException;
import dev.windhover.protocol.deflate.DeflateAgreement;
import dev.windhover.protocol.deflate.DeflateAgreement.Terms;
import dev.windhover.protocol.deflate.DeflateCodecs;
import dev.windhover.protocol.deflate.MessageDeflater.End;
import dev.windhover.protocol.spi.DeflateCodec;
import dev.windhover.protocol.spi.DeflateStream;
import dev.windhover.protocol.spi.InflateStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** With contexts of 100 bytes to compress and 40 to decompress, by their own account. */
class DeflatePoolTest {
  private static final Terms TAKEOVER = Terms.DEFAULT;
  private static final Terms LEAN = new Terms(false, 15, false, 15);

  /** The JDK's, counted. */
  private static final class CountingCodec implements DeflateCodec {
    final AtomicInteger alive = new AtomicInteger();
    final AtomicInteger made = new AtomicInteger();
    final AtomicInteger calls = new AtomicInteger();
    boolean fails;

    @Override
    public DeflateStream deflate(int windowBits, int level) {
      count();
      DeflateStream of = DeflateCodecs.jdk().deflate(windowBits, level);
      return new DeflateStream() {
        @Override
        public void deflate(ByteBuffer in, ByteBuffer out, boolean flush) {
          if (fails) {
            throw new IllegalStateException("broken");
          }
          calls.incrementAndGet();
          of.deflate(in, out, flush);
        }

        @Override
        public void reset() {
          of.reset();
        }

        @Override
        public void end() {
          of.end();
          alive.decrementAndGet();
        }
      };
    }

    @Override
    public InflateStream inflate(int windowBits) {
      count();
      InflateStream of = DeflateCodecs.jdk().inflate(windowBits);
      return new InflateStream() {
        @Override
        public void inflate(ByteBuffer in, ByteBuffer out) throws PayloadException {
          of.inflate(in, out);
        }

        @Override
        public void endMessage() throws PayloadException {
          of.endMessage();
        }

        @Override
        public byte[] window() {
          return of.window();
        }

        @Override
        public void reset(byte... window) {
          of.reset(window);
        }

        @Override
        public void end() {
          of.end();
          alive.decrementAndGet();
        }
      };
    }

    private void count() {
      if (fails) {
        throw new IllegalStateException("none to be made");
      }
      alive.incrementAndGet();
      made.incrementAndGet();
    }

    @Override
    public int deflateBytes(int windowBits) {
      return 100;
    }

    @Override
    public int inflateBytes(int windowBits) {
      return 40;
    }
  }

  private final CountingCodec codec = new CountingCodec();
  private final HandLoop loop = new HandLoop(0);
  private final List<DeflatePool.Lease> leases = new ArrayList<>();
  private DeflatePool pool = new DeflatePool(codec, 1000);

  private DeflatePool.Lease lease(Terms terms) {
    DeflateAgreement agreement =
        DeflateAgreement.negotiate(
            List.of("permessage-deflate; client_max_window_bits; server_max_window_bits=15"),
            terms);
    assertThat(agreement).isNotNull();
    DeflatePool.Lease lease = pool.lease(agreement, 6);
    leases.add(lease);
    return lease;
  }

  private static byte[] deflate(DeflatePool.Lease with, String text, End end) {
    ByteBuffer out = ByteBuffer.allocate(1000);
    assertThat(with.deflater().deflate(ByteBuffer.wrap(text.getBytes(UTF_8)), out, end)).isTrue();
    byte[] wire = new byte[out.flip().remaining()];
    out.get(wire);
    return wire;
  }

  private static String inflate(DeflatePool.Lease with, byte[] wire, boolean end) {
    ByteBuffer out = ByteBuffer.allocate(1000);
    try {
      assertThat(with.inflater().apply(ByteBuffer.wrap(wire), out, end)).isTrue();
    } catch (PayloadException e) {
      throw new AssertionError(e);
    }
    return UTF_8.decode(out.flip()).toString();
  }

  private static void echo(DeflatePool.Lease with) {
    for (String text : List.of("Hello", "Hello again")) {
      assertThat(inflate(with, deflate(with, text, End.MESSAGE), true)).isEqualTo(text);
    }
  }

  private static void close(DeflatePool.Lease lease) {
    lease.closeDeflater();
    lease.closeInflater();
  }

  /** Whatever a test did: once all sockets are gone, nothing is left. */
  @AfterEach
  void nothingIsLeft() {
    leases.forEach(DeflatePoolTest::close);
    assertThat(pool.used()).isZero();
    assertThat(codec.alive).hasValue(0);
  }

  @Nested
  class WithoutTakeover {
    @Test
    void anIdleSocketHoldsNothing() {
      echo(lease(LEAN));
      pool.clean(loop);
      loop.advance(DeflatePool.IDLE_NANOS);
      assertThat(codec.alive).hasValue(0);
      assertThat(pool.used()).isZero();
    }

    @Test
    void contextsGoFromSocketToSocket() {
      for (int i = 0; i < 50; i++) {
        echo(lease(LEAN));
      }
      assertThat(codec.made).hasValue(2);
      assertThat(pool.used()).isEqualTo(140);
    }

    @Test
    void messagesUnderWayHoldTheirOwn() {
      deflate(lease(LEAN), "Hel", End.NONE);
      deflate(lease(LEAN), "Hel", End.FRAGMENT);
      assertThat(codec.made).hasValue(2);
      assertThat(pool.used()).isEqualTo(200);
    }

    @Test
    void aSpentBudgetLetsMessagesOutPlain() {
      for (int i = 0; i < 10; i++) {
        assertThat(lease(LEAN).deflater().begin()).isTrue();
      }
      DeflatePool.Lease next = lease(LEAN);
      assertThat(next.deflater().begin()).isFalse();
      deflate(leases.getFirst(), "end", End.MESSAGE);
      assertThat(next.deflater().begin()).isTrue();
    }

    @Test
    void aPeersMessageIsReadWithASpentBudgetToo() {
      for (int i = 0; i < 30; i++) {
        inflate(lease(LEAN), new byte[] {0}, false);
      }
      assertThat(pool.used()).isEqualTo(1200);
      leases.forEach(lease -> inflate(lease, new byte[0], true));
      assertThat(pool.used()).isLessThanOrEqualTo(1000);
    }

    @Test
    void whatWaitsMakesRoomForAnotherKind() {
      pool = new DeflatePool(codec, 130);
      DeflatePool.Lease lease = lease(LEAN);
      inflate(lease, new byte[] {0}, true);
      assertThat(pool.used()).isEqualTo(40);
      deflate(lease, "Hello", End.MESSAGE);
      assertThat(pool.used()).isEqualTo(100);
    }
  }

  @Nested
  class WithTakeover {
    @Test
    void aSocketReservesBeforeItHasAny() {
      lease(TAKEOVER);
      assertThat(pool.used()).isEqualTo(140);
      assertThat(codec.made).hasValue(0);
    }

    @Test
    void contextsStayWithTheirSocket() {
      DeflatePool.Lease lease = lease(TAKEOVER);
      echo(lease);
      assertThat(lease.deflater().holdsStream()).isTrue();
      assertThat(lease.inflater().holdsStream()).isTrue();
      assertThat(pool.used()).isEqualTo(140);
      assertThat(codec.alive).hasValue(2);
    }

    @Test
    void theNextSocketTakesThoseOfOneThatEnded() {
      lease(LEAN); // so that the pool lives on
      echo(lease(TAKEOVER));
      close(leases.getLast());
      assertThat(pool.used()).isEqualTo(140);
      echo(lease(TAKEOVER));
      assertThat(codec.made).hasValue(2);
      assertThat(pool.used()).isEqualTo(140);
    }

    @Test
    void aSocketThatRestsGoesOnWhereItWas() {
      DeflatePool.Lease lease = lease(TAKEOVER);
      echo(lease);
      lease.restDeflater();
      lease.restInflater();
      pool.clean(loop);
      loop.advance(DeflatePool.IDLE_NANOS);
      assertThat(codec.alive).hasValue(0);
      echo(lease);
    }

    @Test
    void aSocketThatRestsWithASpentBudgetLeavesNothingBehind() {
      for (int i = 0; i < 8; i++) {
        lease(TAKEOVER);
      }
      DeflatePool.Lease lease = leases.getFirst();
      echo(lease);
      lease.restDeflater();
      assertThat(codec.alive).hasValue(1);
      echo(lease);
    }

    @Test
    void oneDirectionReservesForItself() {
      lease(new Terms(true, 15, false, 15));
      assertThat(pool.used()).isEqualTo(100);
      lease(new Terms(false, 15, true, 15));
      assertThat(pool.used()).isEqualTo(140);
    }
  }

  @Nested
  class AHandshake {
    @Test
    void isOfferedAllWhileThereIsRoom() {
      assertThat(pool.affordable(TAKEOVER)).isEqualTo(TAKEOVER);
      assertThat(pool.affordable(LEAN)).isEqualTo(LEAN);
    }

    @Test
    void isOfferedNoTakeoverInTheLastQuarterAndThenNothing() {
      pool = new DeflatePool(codec, 600);
      Terms wanted = new Terms(true, 12, true, 13);
      for (int i = 0; i < 3; i++) {
        assertThat(pool.affordable(wanted)).isEqualTo(wanted);
        lease(TAKEOVER);
      }
      assertThat(pool.affordable(wanted)).isEqualTo(new Terms(false, 12, false, 13));
      deflate(lease(LEAN), "Hel", End.NONE);
      assertThat(pool.affordable(wanted)).isNull();
    }

    @Test
    void hasTheRoomOfContextsThatWait() {
      pool = new DeflatePool(codec, 200);
      echo(lease(LEAN));
      assertThat(pool.affordable(TAKEOVER)).isEqualTo(TAKEOVER);
      assertThat(pool.used()).isEqualTo(140);
      lease(TAKEOVER);
      assertThat(pool.used()).isBetween(140L, 200L);
    }
  }

  @Nested
  class Cleaning {
    @Test
    void endsWhatNobodyNeededForALookToTheNext() {
      HandLoop late = new HandLoop(Long.MAX_VALUE - 5); // time overflows on the way
      echo(lease(LEAN));
      pool.clean(late);
      late.advance(DeflatePool.IDLE_NANOS - 1);
      assertThat(pool.used()).isEqualTo(140);
      late.advance(1);
      assertThat(pool.used()).isZero();
    }

    @Test
    void keepsAsManyAsWereNeededAtOnce() {
      DeflatePool.Lease one = lease(LEAN);
      DeflatePool.Lease two = lease(LEAN);
      deflate(one, "Hel", End.NONE);
      deflate(two, "Hello", End.MESSAGE);
      deflate(one, "lo", End.MESSAGE);
      pool.clean(loop);
      deflate(one, "Hello", End.MESSAGE);
      loop.advance(DeflatePool.IDLE_NANOS);
      assertThat(codec.alive).hasValue(1);
    }

    @Test
    void isOneTimersForAllSocketsAndEndsWhenNothingWaits() {
      for (int i = 0; i < 5; i++) {
        echo(lease(LEAN));
        pool.clean(loop);
      }
      assertThat(loop.waiting()).isEqualTo(1);
      loop.advance(2 * DeflatePool.IDLE_NANOS);
      assertThat(loop.waiting()).isZero();
      echo(lease(LEAN));
      pool.clean(loop);
      loop.advance(DeflatePool.IDLE_NANOS);
      assertThat(codec.alive).hasValue(0);
    }

    @Test
    void goesOnWhenItsLoopHasEnded() {
      echo(lease(LEAN));
      pool.clean(new HandLoop(0)); // which never comes to it
      HandLoop other = new HandLoop(2 * DeflatePool.IDLE_NANOS);
      pool.clean(other);
      assertThat(codec.alive).hasValue(0);
    }

    @Test
    void isNotNeededWhenTheLastSocketHasEnded() {
      echo(lease(LEAN));
      echo(lease(TAKEOVER));
      close(leases.get(0));
      close(leases.get(1));
      assertThat(codec.alive).hasValue(0);
    }
  }

  @Nested
  class AnEndedSocket {
    @Test
    void givesBackWhatItHeldInsideAMessage() {
      DeflatePool.Lease lease = lease(TAKEOVER);
      deflate(lease, "Hel", End.NONE);
      inflate(lease, new byte[] {0}, false);
      close(lease);
      close(lease);
      assertThat(pool.used()).isZero();
    }

    @Test
    void getsNoContextAnyMore() {
      DeflatePool.Lease lease = lease(LEAN);
      lease(LEAN);
      close(lease);
      assertThat(lease.deflater().begin()).isFalse();
      assertThatIllegalStateException().isThrownBy(() -> inflate(lease, new byte[] {0}, true));
    }
  }

  @Nested
  class AFailure {
    @Test
    void toMakeAContextIsNotCounted() {
      DeflatePool.Lease lease = lease(LEAN);
      codec.fails = true;
      assertThatIllegalStateException().isThrownBy(() -> deflate(lease, "Hello", End.MESSAGE));
      assertThatIllegalStateException().isThrownBy(() -> inflate(lease, new byte[] {0}, true));
      assertThat(pool.used()).isZero();
    }

    @Test
    void ofAContextEndsIt() {
      for (Terms terms : List.of(LEAN, TAKEOVER)) {
        DeflatePool.Lease lease = lease(terms);
        codec.fails = false;
        deflate(lease, "Hel", End.NONE);
        codec.fails = true;
        assertThatIllegalStateException()
            .isThrownBy(() -> deflate(lease, "Hello", End.MESSAGE))
            .withMessage("broken");
        assertThat(codec.alive).hasValue(0);
        close(lease);
      }
    }
  }

  @Nested
  class AMessageForManySockets {
    private ByteBuffer encoded(DeflatePool.Lease by, PreparedMessage message) {
      ByteBuffer coded = Encodings.of(message).encoded(by.sendSetting(), by::deflateAlone);
      assertThat(coded).isNotNull();
      return coded;
    }

    @Test
    void isCompressedOnceForEachSetting() throws InterruptedException, ExecutionException {
      List<DeflatePool.Lease> sockets = List.of(lease(LEAN), lease(LEAN), lease(TAKEOVER));
      DeflatePool.Lease narrow = lease(new Terms(false, 9, false, 15));
      PreparedMessage message = PreparedMessage.text("Hello".repeat(1000));
      try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
        List<Future<ByteBuffer>> all = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
          DeflatePool.Lease socket = sockets.get(i % 3);
          all.add(threads.submit(() -> encoded(socket, message)));
        }
        for (Future<ByteBuffer> one : all) {
          assertThat(one.get()).isEqualTo(encoded(sockets.getFirst(), message));
        }
      }
      assertThat(codec.calls).hasValue(1);
      assertThat(encoded(narrow, message).remaining()).isBetween(30, 1000);
      assertThat(codec.calls).hasValue(2);
    }

    @Test
    void refersToNothingBeforeIt() {
      DeflatePool.Lease sender = lease(TAKEOVER);
      DeflatePool.Lease fresh = lease(LEAN);
      PreparedMessage message = PreparedMessage.text("Hello, hello, hello, hello");
      String first =
          inflate(sender, deflate(sender, "Hello, hello, hello, hello", End.MESSAGE), true);
      ByteBuffer coded = encoded(sender, message);
      byte[] wire = new byte[coded.remaining()];
      coded.get(wire);
      assertThat(inflate(fresh, wire, true)).isEqualTo(first);
    }

    @Test
    void staysAsItIsIfItDoesNotShrink() {
      byte[] noise = new byte[500];
      new Random(1).nextBytes(noise);
      PreparedMessage message = PreparedMessage.binary(noise);
      assertThat(encoded(lease(LEAN), message)).isEqualTo(ByteBuffer.wrap(noise));
    }

    @Test
    void isTriedAgainWhenThereWasNoContext() {
      pool = new DeflatePool(codec, 100);
      DeflatePool.Lease lease = lease(LEAN);
      PreparedMessage message = PreparedMessage.text("Hello".repeat(100));
      deflate(lease, "H", End.FRAGMENT);
      assertThat(Encodings.of(message).encoded(lease.sendSetting(), lease::deflateAlone)).isNull();
      deflate(lease, "ello", End.MESSAGE);
      assertThat(encoded(lease, message).remaining()).isLessThan(100);
    }

    @Test
    void leavesNothingBehindASocketThatHasEnded() {
      DeflatePool.Lease lease = lease(LEAN);
      close(lease);
      assertThat(encoded(lease, PreparedMessage.text("Hello".repeat(100)))).isNotNull();
      assertThat(pool.used()).isZero();
    }
  }

  @Test
  void manyThreadsShareIt() throws InterruptedException, ExecutionException {
    pool = new DeflatePool(codec, 500);
    for (int i = 0; i < 40; i++) {
      lease(i % 10 == 0 ? TAKEOVER : LEAN);
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Future<?>> ends = new ArrayList<>();
      for (DeflatePool.Lease lease : leases) {
        ends.add(
            threads.submit(() -> {
              HandLoop own = new HandLoop(0);
              for (int i = 0; i < 200; i++) {
                if (lease.deflater().begin()) {
                  assertThat(inflate(lease, deflate(lease, "Hello", End.MESSAGE), true))
                      .isEqualTo("Hello");
                }
                pool.clean(own);
                own.advance(DeflatePool.IDLE_NANOS);
              }
              close(lease);
            }));
      }
      for (Future<?> end : ends) {
        end.get();
      }
    }
  }

  @Test
  void aBudgetIsNotNegative() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DeflatePool(codec, -1))
        .withMessage("budget of -1 bytes is negative");
  }
}
