package dev.windhover.verification.backplane;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.windhover.verification.witness.Program;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A Redis of this machine, on a free port and without files. Where there is none, tests skip. */
final class RedisServer implements AutoCloseable {
  private static final Path FOLDER = Path.of("target", "redis");

  /** Linux gives connections ports from 32768 on, unless it is told otherwise. */
  private static final int LOWEST_PORT = 20_000;

  private static final int HIGHEST_PORT = 32_000;

  /** Somebody else may take a port that was free just now. */
  private static final int TRIES = 3;

  private static final int START_SECONDS = 30;

  private final Program program = Program.require("redis-server");
  private final List<String> more;
  private int port;
  private @Nullable Path configuration;
  private @Nullable Process process;

  private RedisServer(String... more) {
    this.more = List.of(more);
  }

  /** Starts one, with more arguments than it needs. */
  static RedisServer start(String... more) throws IOException {
    RedisServer server = new RedisServer(more);
    server.startSomewhere();
    return server;
  }

  /**
   * Starts a Sentinel that watches {@code primary}, by the name {@code main}.
   *
   * @param folder where it keeps what it knows
   */
  static RedisServer startSentinel(RedisServer primary, Path folder) throws IOException {
    Path file = folder.resolve("sentinel.conf");
    Files.writeString(
        file,
        """
        sentinel monitor main 127.0.0.1 %d 1
        sentinel down-after-milliseconds main 300
        sentinel failover-timeout main 1000
        """
            .formatted(primary.port()));
    RedisServer server = new RedisServer("--sentinel");
    server.configuration = file;
    server.startSomewhere();
    return server;
  }

  /** Returns a port that was free just now. Connections do not get it, only servers ask for it. */
  static int freePort() throws IOException {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(LOWEST_PORT, HIGHEST_PORT);
      try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return free.getLocalPort();
      } catch (BindException e) {
        // another one
      }
    }
  }

  private void startSomewhere() throws IOException {
    for (int tries = 1; true; tries++) {
      port = freePort();
      try {
        restart();
        return;
      } catch (IOException e) {
        if (tries == TRIES) {
          throw e;
        }
      }
    }
  }

  int port() {
    return port;
  }

  String url() {
    return "redis://127.0.0.1:" + port;
  }

  /** Starts it, again on the same port. */
  void restart() throws IOException {
    List<String> command = new ArrayList<>(List.of(program.path().toString()));
    if (configuration != null) {
      command.add(configuration.toString());
    }
    command.addAll(
        List.of(
            "--port",
            String.valueOf(port),
            "--bind",
            "127.0.0.1",
            "--dir", // a replica writes there what it gets from its primary
            Files.createDirectories(FOLDER).toAbsolutePath().toString(),
            "--save",
            "",
            "--appendonly",
            "no"));
    command.addAll(more);
    Process started = new ProcessBuilder(command).redirectErrorStream(true).start();
    process = started;
    BufferedReader output =
        new BufferedReader(new InputStreamReader(started.getInputStream(), UTF_8));
    CompletableFuture<Boolean> isReady = new CompletableFuture<>();
    Queue<String> all = new ConcurrentLinkedQueue<>();
    Thread _ = Thread.ofVirtual().start(() -> read(output, all, isReady));
    if (!isReady.completeOnTimeout(false, START_SECONDS, TimeUnit.SECONDS).join()) {
      kill();
      throw new IOException("redis-server has not started: " + String.join("\n", all));
    }
  }

  private static void read(
      BufferedReader output, Queue<String> all, CompletableFuture<Boolean> isReady) {
    try {
      for (String line; (line = output.readLine()) != null; ) {
        if (line.contains("Ready to accept connections") || line.contains("Sentinel ID is")) {
          isReady.complete(true);
        } else if (!isReady.isDone()) {
          all.add(line);
        }
      }
    } catch (IOException e) {
      all.add(e.toString());
    } finally {
      isReady.complete(false); // it has ended
    }
  }

  /** Kills it, with all that it knows. */
  void kill() {
    Process running = process;
    if (running != null) {
      running.destroyForcibly().onExit().join();
    }
  }

  /** Lets it do nothing until {@link #resume}, with its connections open. */
  void pause() throws IOException, InterruptedException {
    signal("STOP");
  }

  void resume() throws IOException, InterruptedException {
    signal("CONT");
  }

  private void signal(String name) throws IOException, InterruptedException {
    Process running = Objects.requireNonNull(process);
    new ProcessBuilder("kill", "-" + name, String.valueOf(running.pid())).start().waitFor();
  }

  /** Sends a command, and returns the answer: text, bytes, or an array of these. */
  Object command(String... words) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      StringBuilder request = new StringBuilder("*" + words.length + "\r\n");
      for (String word : words) {
        request.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
      }
      socket.getOutputStream().write(request.toString().getBytes(ISO_8859_1));
      return read(socket.getInputStream());
    }
  }

  /** Publishes bytes, as some other server would; returns how many subscribers have heard them. */
  int publish(String channel, byte[] payload) throws IOException {
    return Integer.parseInt((String) command("PUBLISH", channel, new String(payload, ISO_8859_1)));
  }

  /**
   * Returns the channels that somebody has subscribed to, but for what servers say to themselves.
   */
  Set<String> channels() throws IOException {
    Set<String> channels = new TreeSet<>();
    for (Object each : (Object[]) command("PUBSUB", "CHANNELS")) {
      String channel = new String((byte[]) each, UTF_8);
      if (!channel.contains("windhover:beat:")) {
        channels.add(channel);
      }
    }
    return channels;
  }

  private static Object read(InputStream in) throws IOException {
    String line = line(in);
    String rest = line.substring(1);
    return switch (line.charAt(0)) {
      case '*' -> {
        Object[] items = new Object[Integer.parseInt(rest)];
        for (int i = 0; i < items.length; i++) {
          items[i] = read(in);
        }
        yield items;
      }
      case '$' -> {
        byte[] bytes = in.readNBytes(Integer.parseInt(rest) + 2);
        yield Arrays.copyOf(bytes, bytes.length - 2);
      }
      case '-' -> throw new IOException(rest);
      default -> rest;
    };
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next; (next = in.read()) != '\n'; ) {
      if (next < 0) {
        throw new IOException("Redis has ended the connection");
      }
      line.append((char) next);
    }
    return line.substring(0, line.length() - 1);
  }

  /** Listens to all channels. */
  Monitor monitor() throws IOException {
    return new Monitor();
  }

  /** Everything that is published. */
  final class Monitor implements AutoCloseable {
    private final Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);

    Monitor() throws IOException {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write("*2\r\n$10\r\nPSUBSCRIBE\r\n$1\r\n*\r\n".getBytes(ISO_8859_1));
      Object _ = read(socket.getInputStream());
    }

    /** Returns what is published next, but for what servers say to themselves. */
    Published next() throws IOException {
      while (true) {
        if (read(socket.getInputStream()) instanceof Object[] items && items.length == 4) {
          Published published =
              new Published(new String((byte[]) items[2], UTF_8), (byte[]) items[3]);
          if (!published.channel().contains("windhover:beat:")) {
            return published;
          }
        }
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  /** What was published. */
  static final class Published {
    private final String channel;
    private final byte[] payload;

    Published(String channel, byte[] payload) {
      this.channel = channel;
      this.payload = payload;
    }

    String channel() {
      return channel;
    }

    byte[] payload() {
      return payload;
    }
  }

  @Override
  public void close() {
    kill();
  }
}
