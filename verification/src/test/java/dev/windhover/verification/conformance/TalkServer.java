package dev.windhover.verification.conformance;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Events;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Limit;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.MessageWriter;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.verification.Certificate;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * The server of {@link RandomConversation}: returns every message, sends others on threads of their
 * own, closes when it is told to, and keeps a record of all that.
 */
final class TalkServer implements Events, AutoCloseable {
  /** So small that it is often full. */
  static final int QUEUE = 128 * 1024;

  /** What is sent without being asked for begins with it. */
  static final byte UNASKED = (byte) 0xFE;

  /** The largest message that is sent, either way. */
  static final int LARGEST = 300_000;

  private static final int FRAME_OVERHEAD = 256;

  /**
   * Stands for every time limit that would drop a connection. They count real time: where a machine
   * is so busy that server and client are the slow ones, a conversation that is in order meets
   * them. Out of reach, they cannot end one that hangs either. The 5 s after which a Close that
   * nobody took is answered are not an option; no claim depends on that.
   */
  private static final Duration NEVER = Duration.ofHours(1);

  private final WebApplication app;
  private final Map<String, Talk> talks = new ConcurrentHashMap<>();

  /** Listens with and without TLS. */
  TalkServer(Path pkcs12) {
    app =
        WebApplication.create(
            "--urls=http://127.0.0.1:0;https://127.0.0.1:0",
            "--certificate=" + pkcs12,
            "--certificate-password=" + Certificate.PASSWORD);
    app.server(options -> {
      options.limits().tlsHandshakeTimeout(NEVER).headersTimeout(NEVER);
      options.limits().http2().settingsTimeout(NEVER);
    });
    app.events(this);
    app.useWebSockets(options ->
        options
            .allowedOrigins("*")
            .keepAliveTimeout(NEVER)
            .limits(limits ->
                limits
                    .sendQueue(QUEUE, QUEUE / 4)
                    .closeTimeout(NEVER)
                    .writeStallTimeout(NEVER)
                    .unfinishedSendTimeout(NEVER)
                    .minMessageRate(0, NEVER)));
    WebSocketAcceptContext settings = new WebSocketAcceptContext().dangerousEnableCompression(true);
    app.map(
        "/blocking/{id}", context -> talk(context).handle(context.webSockets().accept(settings)));
    app.map(
        "/listener/{id}",
        Handler.nonBlocking(context -> {
          WebSocket _ = context.webSockets().accept(settings, talk(context).new Listener());
        }));
    try {
      app.start();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  int port(Transport transport) {
    return URI.create(app.urls().get(transport.isSecure() ? 1 : 0)).getPort();
  }

  /** Expects a socket with this name. */
  Talk expect(String id, Plan plan) {
    Talk talk = new Talk(plan);
    talks.put(id, talk);
    return talk;
  }

  private Talk talk(HttpContext context) {
    return Objects.requireNonNull(talks.get(context.request().pathParameter("id")));
  }

  @Override
  public void socketEnded(HttpContext context, WebSocket socket, Ending ending) {
    talk(context).end(ending);
  }

  @Override
  public void limitReached(HttpContext context, Limit limit) {
    talk(context).limits.add(limit.toString());
  }

  @Override
  public void close() {
    app.stop();
  }

  /**
   * What the server does.
   *
   * @param listens in which form its application is
   * @param senders so many threads send what nobody asked for
   * @param sends so many messages each
   * @param closeAfter it closes when it has so many messages
   * @param hears whether it goes on receiving behind its Close
   * @param answersLate whether a handler sends on behind the peer's Close
   */
  record Plan(
      long seed,
      boolean listens,
      int senders,
      int sends,
      int closeAfter,
      boolean hears,
      boolean answersLate) {}

  /** One socket, and what was said. */
  static final class Talk {
    private final Plan plan;
    private final CompletableFuture<Ending> ending = new CompletableFuture<>();
    private final CompletableFuture<Void> over = new CompletableFuture<>();
    private volatile @Nullable WebSocket socket;
    final Queue<Message> heard = new ConcurrentLinkedQueue<>();
    final Queue<Message> echoed = new ConcurrentLinkedQueue<>();
    final List<Queue<Message>> unasked = new ArrayList<>();
    final Queue<String> overfull = new ConcurrentLinkedQueue<>();
    private final Queue<String> limits = new ConcurrentLinkedQueue<>();
    // How often there was room again.
    private int writable;

    Talk(Plan plan) {
      this.plan = plan;
      for (int i = 0; i < plan.senders; i++) {
        unasked.add(new ConcurrentLinkedQueue<>());
      }
    }

    /** Completed with the socket. */
    CompletableFuture<Ending> ending() {
      return ending;
    }

    /** Completed when handler and senders have returned too. */
    CompletableFuture<Void> over() {
      return over;
    }

    private synchronized void end(Ending how) {
      ending.complete(how);
      notifyAll();
    }

    // ---- With a handler

    private void handle(WebSocket opened) throws Exception {
      socket = opened;
      List<Thread> senders = startSenders(opened);
      try {
        if (plan.answersLate) {
          for (Message message; (message = opened.receiveMessage()) != null; ) {
            handle(opened, message);
          }
          join(senders);
        } else {
          for (Message message : opened) {
            handle(opened, message);
          }
        }
      } finally {
        join(senders);
        over.complete(null);
      }
    }

    private void handle(WebSocket opened, Message message) throws Exception {
      heard.add(message);
      try {
        opened.send(message);
        echoed.add(message);
        look(opened);
      } catch (IOException e) {
        // closed; what comes is heard all the same
      }
      if (heard.size() == plan.closeAfter) {
        close(opened);
      }
    }

    private void close(WebSocket opened) throws InterruptedException {
      if (plan.hears) {
        opened.closeOutput(4001, "enough");
      } else {
        opened.close(4001, "enough");
      }
    }

    private static void join(List<Thread> threads) throws InterruptedException {
      for (Thread thread : threads) {
        thread.join();
      }
    }

    // ---- What nobody asked for

    private List<Thread> startSenders(WebSocket opened) {
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < plan.senders; i++) {
        int sender = i;
        threads.add(Thread.ofVirtual().start(() -> sendAll(opened, sender)));
      }
      return threads;
    }

    private void sendAll(WebSocket opened, int sender) {
      SplittableRandom random = new SplittableRandom(plan.seed + sender);
      try {
        for (int i = 0; i < plan.sends; i++) {
          byte[] payload = new byte[random.nextInt(10) == 0 ? 40_000 : random.nextInt(6, 500)];
          random.nextBytes(payload);
          ByteBuffer.wrap(payload).put(UNASKED).put((byte) sender).putInt(i);
          send(opened, random, payload);
          unasked.get(sender).add(new Message.Binary(ByteBuffer.wrap(payload)));
        }
      } catch (IOException e) {
        // closed; no more of them
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    private void send(WebSocket opened, SplittableRandom random, byte[] payload)
        throws IOException, InterruptedException {
      if (plan.listens) {
        offer(opened, payload);
        return;
      }
      if (random.nextInt(4) == 0) {
        MessageWriter writer = opened.startMessage(MessageType.BINARY); // not closed: no 1011
        for (int from = 0; from < payload.length; from += 1_000) {
          writer.write(ByteBuffer.wrap(payload, from, Math.min(1_000, payload.length - from)));
        }
        writer.finish();
      } else {
        opened.sendBinary(payload);
      }
      look(opened);
    }

    private void offer(WebSocket opened, byte[] payload) throws IOException, InterruptedException {
      while (true) {
        int before;
        synchronized (this) {
          before = writable;
        }
        try {
          boolean below = opened.sendBinary(payload);
          look(opened);
          if (!below) {
            awaitWritable(before);
          }
          return;
        } catch (IllegalStateException e) { // it is full
          awaitWritable(before);
        }
      }
    }

    private synchronized void awaitWritable(int before) throws InterruptedException {
      while (writable == before && !ending.isDone()) {
        wait();
      }
    }

    /** Looks how much waits: up to the high mark, and in the listener form a message on top. */
    private void look(WebSocket opened) {
      long waits = opened.bufferedAmount();
      long most = (long) QUEUE + FRAME_OVERHEAD + (plan.listens ? LARGEST : 0);
      if (waits > most) {
        overfull.add("%d bytes wait where %d may".formatted(waits, most));
      }
    }

    // ---- With a listener

    private final class Listener implements WebSocketListener {
      private final Deque<Message> waiting = new ArrayDeque<>();
      private List<Thread> senders = List.of();
      private boolean isDue; // that the next is asked for

      @Override
      public void onOpen(WebSocket opened) {
        socket = opened;
        senders = startSenders(opened);
        opened.demand(1);
      }

      @Override
      public void onMessage(WebSocket opened, MessageType type, ByteBuffer payload)
          throws Exception {
        ByteBuffer copy = ByteBuffer.allocate(payload.remaining()).put(payload).flip();
        Message message =
            type == MessageType.TEXT
                ? new Message.Text(StandardCharsets.UTF_8.decode(copy).toString())
                : new Message.Binary(copy);
        heard.add(message);
        waiting.add(message);
        isDue = true;
        pump(opened);
        if (heard.size() == plan.closeAfter) {
          close(opened);
        }
      }

      private void pump(WebSocket opened) {
        boolean below = true;
        while (!waiting.isEmpty() && below) {
          Message first = waiting.getFirst();
          try {
            below = opened.send(first);
            echoed.add(first);
            look(opened);
          } catch (IllegalStateException e) { // it is full
            return;
          } catch (IOException e) {
            below = true; // closed; what comes is heard all the same
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
          waiting.removeFirst();
        }
        if (isDue && below) {
          isDue = false;
          opened.demand(1);
        }
      }

      @Override
      public void onWritable(WebSocket opened) {
        synchronized (Talk.this) {
          writable++;
          Talk.this.notifyAll();
        }
        pump(opened);
      }

      @Override
      public void onEnded(WebSocket opened, Ending how) {
        Thread.ofVirtual()
            .start(() -> {
              try {
                join(senders);
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
              over.complete(null);
            });
      }
    }

    @Override
    public String toString() {
      WebSocket known = socket;
      String where =
          known == null
              ? "not open"
              : known.state() + ", " + known.bufferedAmount() + " bytes to send";
      return "%s, %s, heard %d, echoed %d, sent %s unasked, reached %s, %s"
          .formatted(
              plan,
              where,
              heard.size(),
              echoed.size(),
              unasked.stream().map(Queue::size).toList(),
              Set.copyOf(limits),
              ending.isDone() ? ending.join() : "not ended");
    }
  }
}
