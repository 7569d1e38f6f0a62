package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.HotSpotDiagnosticMXBean.ThreadDumpFormat;
import dev.windhover.app.WebApplication;
import dev.windhover.http.websocket.Ending;
import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Hex;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Peer;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two thousand sockets at a time come, echo, idle, misbehave and go, half of them over HTTP/1.1 and
 * half over HTTP/2, some with a handler and some with a listener. Nothing is lost, every end is
 * reported correctly, and nothing is left over. {@link LeakTest} tests each stage of a connection
 * by itself; here they are mixed, and much happens at once.
 */
@ExtendWith(StrictLogs.class)
class SoakTest {
  private static final int SOCKETS = 2_000;
  private static final int STREAMS = 10;
  private static final Duration WARM_UP = Duration.ofSeconds(2);

  /** For each of the two servers, including sockets whose end it has not seen yet. */
  private static final int MOST_SOCKETS = SOCKETS / 2 + 200;

  /**
   * What the heap has more or less each time, whoever came: in the quick run about 75 bytes for
   * each socket, less than a connection of any kind; in the full one nearly nothing.
   */
  private static final long HEAP_NOISE = 300_000;

  /** An object that is left behind has 16 at least, and who leads to it a reference of 4. */
  private static final int MOST_HEAP_PER_SOCKET = 8;

  private static final long MOST_DIRECT = 16 << 20;
  private static final int MOST_TIMES = 4;
  private static final int NARROW = 16 * 1024;
  private static final Pattern HANDLER = Pattern.compile("#\\d+ \"request-[^\"]*\"");

  @Test
  void fourSecondsLeaveNothing(@TempDir Path folder) throws Exception {
    soak(Duration.ofSeconds(2), folder);
  }

  @Tag("full")
  @Timeout(150)
  @Test
  void halfAMinuteLeavesNothing(@TempDir Path folder) throws Exception {
    soak(Duration.ofSeconds(30), folder);
  }

  private static void soak(Duration time, Path folder) throws Exception {
    Set<String> others = handlers(folder.resolve("before")).keySet();
    try (Soak soak = new Soak()) {
      soak.visit(WARM_UP);
      soak.awaitEmpty();
      long files = LeakTest.settled(Http1ChurnTest::openFiles);
      long direct = Memory.direct();
      long heap = LeakTest.settledHeap();
      long before = soak.visits.sum();
      int times = 0;
      do { // on a busy machine, it takes longer until so many are there at once
        soak.visit(time);
      } while (soak.mostAtOnce <= SOCKETS / 2 && ++times < MOST_TIMES);
      long visits = soak.visits.sum() - before;
      soak.awaitEmpty();
      assertThat(soak.mostAtOnce).isGreaterThan(SOCKETS / 2);
      LeakTest.awaitAtMost("files", Http1ChurnTest::openFiles, files + 2);
      LeakTest.awaitAtMost("heap", Memory::heap, heap + HEAP_NOISE + visits * MOST_HEAP_PER_SOCKET);
      LeakTest.awaitAtMost("direct memory", Memory::direct, direct + MOST_DIRECT);
      Map<String, String> left = handlers(folder.resolve("after"));
      left.keySet().removeAll(others); // of tests before this one, which wait for ever
      assertThat(left).isEmpty();
      soak.requireRoomForAll();
    }
  }

  /**
   * Returns the threads of handlers by their names, with their stacks: virtual, so that only a dump
   * has them all.
   */
  private static Map<String, String> handlers(Path dump) throws IOException {
    ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
        .dumpThreads(dump.toString(), ThreadDumpFormat.TEXT_PLAIN);
    Map<String, String> handlers = new TreeMap<>();
    for (String thread : Files.readString(dump).split("\n\n", -1)) {
      Matcher name = HANDLER.matcher(thread);
      if (name.find()) {
        handlers.put(name.group(), thread);
      }
    }
    return handlers;
  }

  /** The servers, and all who visit them. */
  private static final class Soak implements AutoCloseable {
    private final EchoApplication[] servers = {
      new EchoApplication(Form.BLOCKING, Soak::limit),
      new EchoApplication(Form.LISTENER, Soak::limit)
    };
    private final LongAdder visits = new LongAdder();
    private volatile long mostAtOnce;

    private static void limit(WebApplication app) {
      app.server(options -> options.limits().maxUpgradedConnections(MOST_SOCKETS));
    }

    /** Lets all visitors come and go repeatedly for this long. */
    void visit(Duration time) throws Exception {
      long end = System.nanoTime() + time.toNanos();
      List<FutureTask<Void>> visitors = new ArrayList<>();
      for (int i = 0; i < SOCKETS / 2; i++) {
        visitors.add(new Visitor(this, i, end).start());
      }
      for (int i = SOCKETS / 2; i < SOCKETS; i += STREAMS) {
        visitors.add(new Http2Visitor(this, i, end).start());
      }
      while (System.nanoTime() < end) {
        mostAtOnce = Math.max(mostAtOnce, running());
        LockSupport.parkNanos(10_000_000);
      }
      for (FutureTask<Void> visitor : visitors) {
        try {
          visitor.get();
        } catch (ExecutionException e) {
          throw new AssertionError(e.getCause());
        }
      }
    }

    EchoApplication server(int slot) {
      return servers[slot % 2];
    }

    private long running() {
      return servers[0].running() + servers[1].running();
    }

    void awaitEmpty() {
      Http1ChurnTest.awaitAtMost(this::running, 0);
    }

    /**
     * The maximum number can come, and one more is refused, so sockets that have ended do not
     * count.
     */
    void requireRoomForAll() throws IOException {
      for (EchoApplication server : servers) {
        List<Wire> wires = new ArrayList<>();
        try (Logs.Recording _ = Logs.record(line -> line.text().startsWith("more than"))) {
          for (int i = 0; i < MOST_SOCKETS; i++) {
            wires.add(Wire.connect(server.port(), Ports.addressOf(i)).upgrade("/silent/" + i));
          }
          Wire tooMany = Wire.connect(server.port()).send(Wire.handshake("/silent/more"));
          wires.add(tooMany);
          Response refused = tooMany.response();
          assertThat(refused.status()).isEqualTo(503);
        } finally {
          for (Wire wire : wires) {
            wire.close();
          }
        }
      }
    }

    @Override
    public void close() {
      for (EchoApplication server : servers) {
        server.close();
      }
    }
  }

  /** What a socket does before it goes. */
  private enum Manner {
    CLOSES(1000, Ending.By.PEER) {
      @Override
      void go(Peer peer) throws IOException {
        peer.send(Frame.close(1000, ""));
        assertThat(peer.frame()).isEqualTo(Frame.close(1000, ""));
        peer.expectEnd();
      }
    },
    BREAKS_A_RULE(1002, Ending.By.SERVER) {
      @Override
      void go(Peer peer) throws IOException {
        peer.send(Hex.bytes("83 80 00000000")); // a reserved opcode
        expectClose(peer, 1002);
      }
    },
    SENDS_NO_UTF_8(1007, Ending.By.SERVER) {
      @Override
      void go(Peer peer) throws IOException {
        peer.send(Hex.bytes("81 81 00000000 ff"));
        expectClose(peer, 1007);
      }
    },
    ENDS_ITS_SIDE(1006, Ending.By.CONNECTION) {
      @Override
      void go(Peer peer) throws IOException {
        peer.endOutput();
        peer.expectEnd();
      }
    },
    RESETS(1006, Ending.By.CONNECTION) {
      @Override
      void go(Peer peer) throws IOException {
        peer.send(Frame.header(0x82, 60_000)); // and leaves inside of a message
        peer.abort();
      }
    },
    DOES_NOT_ANSWER(4000, Ending.By.APPLICATION) {
      @Override
      void go(Peer peer) throws IOException {
        assertThat(peer.frame()).isEqualTo(Frame.text("bye"));
        assertThat(peer.frame()).isEqualTo(Frame.close(4000, "enough"));
        peer.expectAbort();
      }
    };

    private final int code;
    private final Ending.By by;

    Manner(int code, Ending.By by) {
      this.code = code;
      this.by = by;
    }

    abstract void go(Peer peer) throws IOException;

    String path() {
      return this == DOES_NOT_ANSWER ? "/closes/" : "/echo/";
    }

    private static void expectClose(Peer peer, int code) throws IOException {
      Frame close = peer.frame();
      assertThat(close.first()).isEqualTo(0x88);
      assertThat(((close.payload()[0] & 0xFF) << 8) | (close.payload()[1] & 0xFF)).isEqualTo(code);
      peer.expectEnd();
    }

    void requireTold(EchoApplication server, int slot) throws InterruptedException {
      Ending ending = server.ending(Integer.toString(slot));
      assertThat(ending.reason().code()).as("%s: %s", this, ending).isEqualTo(code);
      assertThat(ending.by()).as("%s: %s", this, ending).isEqualTo(by);
    }
  }

  /** A client that comes over HTTP/1.1, one socket after the other. */
  private static class Visitor {
    final Soak soak;
    final int slot;
    final SplittableRandom random;
    private final long end;

    /** However busy the machine: the application keeps something of each who ever came. */
    private boolean cameOnce;

    Visitor(Soak soak, int slot, long end) {
      this.soak = soak;
      this.slot = slot;
      this.end = end;
      this.random = new SplittableRandom(slot);
    }

    FutureTask<Void> start() {
      FutureTask<Void> task =
          new FutureTask<>(() -> {
            while (!cameOnce || System.nanoTime() < end) {
              visit();
            }
            return null;
          });
      Thread.ofVirtual().name("visitor-" + slot).start(task);
      return task;
    }

    void visit() throws Exception {
      int choice = random.nextInt(20);
      int port = soak.server(slot).port();
      if (choice == 0) {
        leaveWithinTheHandshake(port);
      } else if (choice == 1) {
        readSlowly(port);
      } else {
        Manner manner = manner();
        try (Wire wire = Wire.connect(port, Ports.addressOf(slot))) {
          wire.upgrade(manner.path() + slot);
          if (manner != Manner.DOES_NOT_ANSWER) {
            echo(wire);
            idle();
            echo(wire);
          }
          manner.go(wire);
        }
        manner.requireTold(soak.server(slot), slot);
        counted();
      }
    }

    final void counted() {
      cameOnce = true;
      soak.visits.increment();
    }

    Manner manner() {
      Manner[] all = Manner.values();
      return random.nextBoolean() ? Manner.CLOSES : all[random.nextInt(all.length)];
    }

    /** Sends some messages, and requires that they come back. */
    private void echo(Peer peer) throws IOException {
      expect(peer, send(peer));
    }

    final Frame[] send(Peer peer) throws IOException {
      Frame[] messages = new Frame[random.nextInt(1, 8)];
      for (int i = 0; i < messages.length; i++) {
        byte[] payload = new byte[random.nextInt(random.nextInt(10) == 0 ? 20_000 : 200)];
        random.nextBytes(payload);
        messages[i] = Frame.binary(payload);
      }
      peer.send(messages);
      return messages;
    }

    static void expect(Peer peer, Frame[] messages) throws IOException {
      for (Frame message : messages) {
        assertThat(peer.frame()).isEqualTo(message);
      }
    }

    final void idle() {
      LockSupport.parkNanos(random.nextLong(500_000_000));
    }

    private void leaveWithinTheHandshake(int port) throws IOException {
      byte[] handshake = Wire.handshake("/echo/none").getBytes(StandardCharsets.US_ASCII);
      try (Wire wire = Wire.connect(port, Ports.addressOf(slot))) {
        wire.send(Arrays.copyOf(handshake, random.nextInt(handshake.length)));
        idle();
        if (random.nextBoolean()) {
          wire.abort();
        }
      }
    }

    private void readSlowly(int port) throws Exception {
      InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
      byte[] payload = new byte[100_000];
      random.nextBytes(payload);
      Frame message = Frame.binary(payload);
      try (Wire wire = Wire.connect(address, NARROW).upgrade("/echo/" + slot)) {
        Thread writer = Thread.ofVirtual().start(() -> sendTwice(wire, message));
        idle();
        assertThat(wire.frame()).isEqualTo(message);
        assertThat(wire.frame()).isEqualTo(message);
        writer.join();
        Manner.CLOSES.go(wire);
      }
      Manner.CLOSES.requireTold(soak.server(slot), slot);
      counted();
    }

    private static void sendTwice(Wire wire, Frame message) {
      try {
        wire.send(message, message);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** A client that comes over HTTP/2, with several sockets on one connection. */
  private static final class Http2Visitor extends Visitor {
    Http2Visitor(Soak soak, int slot, long end) {
      super(soak, slot, end);
    }

    @Override
    void visit() throws Exception {
      EchoApplication server = soak.server(slot / STREAMS);
      Manner[] manners = new Manner[STREAMS];
      Http2Wire.Stream[] streams = new Http2Wire.Stream[STREAMS];
      try (Http2Wire wire = Http2Wire.connect(server.port())) {
        for (int i = 0; i < STREAMS; i++) {
          manners[i] = manner();
          streams[i] = wire.connectWebSocket(manners[i].path() + (slot + i));
        }
        for (Http2Wire.Stream stream : streams) {
          assertThat(stream.status()).isEqualTo(200);
        }
        echo(manners, streams);
        idle();
        echo(manners, streams);
        for (int i = 0; i < STREAMS; i++) {
          manners[i].go(streams[i]);
          if (manners[i] == Manner.CLOSES) {
            end(streams[i]);
          }
        }
        for (int i = 0; i < STREAMS; i++) {
          manners[i].requireTold(server, slot + i);
          counted();
        }
        if (random.nextBoolean()) {
          wire.abort();
        }
      }
    }

    /** Ends its side, unless the server has waited long enough for that, as it may. */
    private static void end(Http2Wire.Stream stream) throws IOException {
      try {
        stream.endOutput();
      } catch (SocketException e) {
        assertThat(stream.resetCode()).isEqualTo(Http2Wire.NO_ERROR);
      }
    }

    private void echo(Manner[] manners, Http2Wire.Stream[] streams) throws IOException {
      Frame[][] messages = new Frame[STREAMS][];
      for (int i = 0; i < STREAMS; i++) {
        messages[i] = manners[i] == Manner.DOES_NOT_ANSWER ? new Frame[0] : send(streams[i]);
      }
      for (int i = 0; i < STREAMS; i++) {
        expect(streams[i], messages[i]);
      }
    }
  }
}
