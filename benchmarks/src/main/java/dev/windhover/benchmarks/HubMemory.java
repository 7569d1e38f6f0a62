package dev.windhover.benchmarks;

import dev.windhover.benchmarks.HubServers.Kind;
import dev.windhover.benchmarks.MemoryCompare.Memory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Measures how much of a server's memory idle connections of a hub take: clients that have made
 * their handshake, in JSON over WebSockets, and then say nothing.
 *
 * <ul>
 *   <li><em>heap and native</em>: as {@link MemoryCompare} measures it, live objects after a full
 *       collection and resident memory outside of the heap, when a tenth of the connections had
 *       come and gone ten times.
 *   <li><em>resident</em>: the growth of the resident memory ({@code VmRSS} of {@code
 *       /proc/PID/status}) of a process that has just started and has {@value #FIRST} connections.
 *       It contains code that is compiled meanwhile and, in a JVM, the part of the heap that is
 *       used for the first time, whatever is still alive there; so it depends on the heap's size.
 * </ul>
 */
final class HubMemory {
  private static final int WARM_UP_ROUNDS = 10;
  private static final int FIRST = 10;
  private static final int TIMEOUT_MILLIS = 10_000;
  private static final Duration REST = Duration.ofSeconds(3);
  private static final double KIB = 1024;
  private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");

  private final HubServers servers;
  private final int count;
  private final List<SocketChannel> connections = new ArrayList<>();

  HubMemory(HubServers servers, int count) {
    this.servers = servers;
    this.count = count;
  }

  void measure() throws IOException, InterruptedException {
    var rows = new ArrayList<String>();
    if (servers.kinds().contains(Kind.THREADS)) {
      rows.add("| sum (heap + native) | " + live() + " | |");
      for (String flag : List.of("", "-Xmx128m", "-Xmx64m")) {
        rows.add(resident(Kind.THREADS, flag.isEmpty() ? List.of() : List.of(flag)));
      }
    }
    if (servers.kinds().contains(Kind.REFERENCE)) {
      rows.add(resident(Kind.REFERENCE, List.of()));
    }
    System.out.printf(
        Locale.ROOT, "%n| %,d idle connections | KiB for each | MiB for all |%n", count);
    System.out.println("|---|---|---|");
    rows.forEach(System.out::println);
  }

  /** Returns the growth of live objects, and of memory outside of the heap, for each. */
  Memory live() throws IOException, InterruptedException {
    try (var server = servers.start(Kind.THREADS, MemoryCompare.FLAGS)) {
      long pid = server.process().pid();
      warmUp(Kind.THREADS, server.port());
      Memory _ = MemoryCompare.read(pid); // warms up, too
      Memory before = MemoryCompare.read(pid);
      open(Kind.THREADS, server.port(), count);
      return MemoryCompare.read(pid).growth(before, count);
    } finally {
      close();
    }
  }

  private String resident(Kind kind, List<String> flags) throws IOException, InterruptedException {
    try (var server = servers.start(kind, flags)) {
      long pid = server.process().pid();
      open(kind, server.port(), FIRST);
      double before = resident(pid);
      open(kind, server.port(), count);
      double after = resident(pid);
      String title = "resident, " + (kind == Kind.REFERENCE ? kind : String.join(" ", flags));
      return String.format(
          Locale.ROOT, "| %s | %.1f | %.0f |", title, (after - before) / count, after / KIB);
    } finally {
      close();
    }
  }

  /** In KiB. */
  private static double resident(long pid) throws IOException, InterruptedException {
    Thread.sleep(REST);
    return MemoryCompare.last(RESIDENT, Files.readString(Path.of("/proc/" + pid + "/status")));
  }

  private void warmUp(Kind kind, int port) throws IOException {
    for (int i = 0; i < WARM_UP_ROUNDS; i++) {
      open(kind, port, Math.ceilDiv(count, 10));
      close();
    }
  }

  private void open(Kind kind, int port, int many) throws IOException {
    var opening = HubLoad.opening(kind.path());
    for (int i = 0; i < many; i++) {
      SocketChannel channel = SocketChannel.open(); // takes less memory than a socket's streams
      connections.add(channel);
      Socket socket = channel.socket();
      socket.setSoTimeout(TIMEOUT_MILLIS);
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
      opening.perform(socket);
      for (int b; (b = socket.getInputStream().read()) != HubCalls.SEPARATOR; ) {
        if (b < 0) {
          throw new IOException("connection " + i + " was closed");
        }
      }
    }
  }

  private void close() throws IOException {
    for (SocketChannel channel : connections) {
      channel.close();
    }
    connections.clear();
  }
}
