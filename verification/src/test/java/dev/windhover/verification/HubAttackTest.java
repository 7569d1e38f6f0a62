package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubMessage.CancelInvocation;
import dev.windhover.hubs.protocol.HubMessage.Completion;
import dev.windhover.hubs.protocol.HubMessage.Invocation;
import dev.windhover.hubs.protocol.HubMessage.StreamInvocation;
import dev.windhover.hubs.protocol.HubMessage.StreamItem;
import dev.windhover.verification.HubWire.Way;
import dev.windhover.verification.SmallHeap.Bystander;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Wire;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Clients of a hub that do their worst to a server with a heap of 128 MiB, while others call it
 * twice a second, over a socket and over long polling, and never notice.
 */
@Tag("full")
@Timeout(240)
@ExtendWith(StrictLogs.class)
class HubAttackTest {
  private static final int CLIENTS = 20;

  /** How often each of them attacks, at most. */
  private static final int TIMES = 4;

  /** How long an attack goes on. */
  private static final Duration TIME = Duration.ofSeconds(2);

  private static final byte[] SEPARATOR = {0x1E};

  private static @Nullable SmallHeap started;

  @BeforeAll
  static void start() throws Exception {
    started = SmallHeap.start();
    for (Attack each : Attack.values()) { // what is loaded and pooled once is no leak
      SmallHeap.attack(each.client, 2, 1, Duration.ofMillis(100));
    }
  }

  @AfterAll
  static void stop() {
    if (started != null) {
      started.close();
    }
  }

  private static SmallHeap server() {
    return Objects.requireNonNull(started);
  }

  enum Attack {
    NEVER_FINISH_THE_HANDSHAKE(HubAttackTest::unfinishedHandshake),
    NEVER_FINISH_A_MESSAGE(HubAttackTest::unfinishedMessage),
    NEVER_POLL_AGAIN(HubAttackTest::neverPollsAgain),
    POLL_TWICE(HubAttackTest::pollsTwice),
    POST_WHILE_THEY_POLL(HubAttackTest::postsWhileItPolls),
    POST_AND_NEVER_CONNECT(HubAttackTest::postsAndNeverConnects),
    ANSWER_FOR_OTHERS(HubAttackTest::answersForOthers),
    CALL_WITHOUT_READING(HubAttackTest::callsWithoutReading),
    ASK_FOR_ENDLESS_STREAMS(HubAttackTest::endlessStreams),
    UPLOAD_WITHOUT_END(HubAttackTest::uploadsWithoutEnd),
    CANCEL_WHAT_IS_NOT_THERE(HubAttackTest::cancelsWhatIsNotThere),
    SAY_ENORMOUS_LENGTHS(HubAttackTest::enormousLengths),
    NEST_DEEPLY(HubAttackTest::nestsDeeply),
    NEGOTIATE_ONLY(HubAttackTest::negotiatesOnly);

    @SuppressWarnings("ImmutableEnumChecker") // a method
    private final SmallHeap.Client client;

    Attack(SmallHeap.Client client) {
      this.client = client;
    }
  }

  @ParameterizedTest
  @EnumSource
  void nobodyElseNotices(Attack attack) throws Exception {
    long heap = server().settledHeap();
    besideOthers(attack);
    if (!server().isBackAt(heap)) { // a queue that has grown stays large, but grows once
      long grown = server().settledHeap();
      besideOthers(attack);
      server().requireBackAt(grown, attack);
    }
  }

  private static void besideOthers(Attack attack) throws Exception {
    try (Bystander one = bystander(Way.SOCKET_JSON);
        Bystander other = bystander(Way.POLLS_MESSAGE_PACK)) {
      SmallHeap.attack(attack.client, CLIENTS, TIMES, TIME, List.of(one, other));
      one.requireServed();
      other.requireServed();
    }
  }

  /** The figures above mean nothing if the clients do not reach the limit. */
  @Test
  void theBudgetIsReached() throws Exception {
    long before = server().evicted();
    for (int i = 0; i < 5 && server().evicted() == before; i++) { // when busy, more than once
      SmallHeap.attack(Attack.UPLOAD_WITHOUT_END.client, CLIENTS, TIMES, TIME);
    }
    assertThat(server().evicted()).isGreaterThan(before);
  }

  // ---- The attacks

  private static HubWire open(int number, Way way) throws IOException {
    return HubWire.open(server().port(), Ports.addressOf(number), "/hub", way);
  }

  private static HubWire connect(int number, Way way) throws IOException {
    return HubWire.connect(server().port(), Ports.addressOf(number), "/hub", way);
  }

  private static byte[] json(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] frame(byte[] payload) {
    return Frame.binary(payload).masked();
  }

  private static Closeable unfinishedHandshake(int number) throws IOException {
    HubWire client = open(number, Way.SOCKET_JSON);
    client.sendRaw(json("{\"protocol\":\"" + "x".repeat(32_000)));
    return client::close;
  }

  private static Closeable unfinishedMessage(int number) throws IOException {
    Way way = Way.of(number);
    HubWire client = connect(number, way);
    byte[] whole =
        HubWire.written(way, List.of(new Invocation("1", "echo", List.of("x".repeat(32_000)))));
    client.sendRaw(Arrays.copyOf(whole, whole.length - 5));
    return client::close;
  }

  private static Closeable neverPollsAgain(int number) throws IOException {
    HubWire client = connect(number, Way.POLLS_JSON);
    for (int i = 0; i < 15; i++) {
      client.send(new Invocation("1", "echo", List.of("x".repeat(3_000))));
    }
    return client::close;
  }

  private static Closeable pollsTwice(int number) throws IOException {
    HubWire client = connect(number, Way.POLLS_JSON);
    for (int i = 0; i < 100; i++) { // on two connections, or the second would wait for the first
      try (Wire second = Wire.connect(server().port(), Ports.addressOf(number))) {
        client.sendPoll(client.wire());
        client.sendPoll(second);
        client.send(new Invocation("1", "echo", List.of("x")));
        assertThat(client.wire().response().status()).isIn(200, 204);
      }
    }
    return client::close;
  }

  private static Closeable postsWhileItPolls(int number) throws IOException {
    HubWire client = connect(number, Way.POLLS_JSON);
    client.sendPoll(client.wire());
    byte[] calls =
        HubWire.written(
            Way.POLLS_JSON, List.of(new Invocation("1", "echo", List.of("x".repeat(30_000)))));
    List<Wire> posts = new ArrayList<>();
    for (int i = 0; i < 10; i++) { // all at once, and nobody reads an answer
      Wire wire = Wire.connect(server().port(), Ports.addressOf(number));
      posts.add(wire);
      client.beginPost(wire, 10L * calls.length);
      wire.sendUntilBlocked(calls, 10L * calls.length);
    }
    return () -> {
      for (Wire each : posts) {
        each.close();
      }
      client.close();
    };
  }

  private static Closeable postsAndNeverConnects(int number) throws IOException {
    Wire wire = Wire.connect(server().port(), Ports.addressOf(number));
    for (int i = 0; i < 20; i++) {
      String token = HubWire.negotiate(wire, "/hub");
      wire.send(
          "POST /hub?id="
              + token
              + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n"
              + "x".repeat(60_000));
      assertThat(wire.response().status()).isEqualTo(200);
    }
    return wire::close;
  }

  private static Closeable answersForOthers(int number) throws IOException {
    HubWire client = connect(number, Way.SOCKET_MESSAGE_PACK);
    List<Completion> answers = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) { // the ids of calls to clients can be guessed
      answers.add(Completion.of("s" + i, "mine"));
    }
    client
        .wire()
        .sendUntilBlocked(frame(HubWire.written(Way.SOCKET_MESSAGE_PACK, answers)), 200_000);
    return client::close;
  }

  private static Closeable callsWithoutReading(int number) throws IOException {
    HubWire client = connect(number, Way.SOCKET_JSON);
    List<Invocation> calls = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      calls.add(new Invocation("1", i % 2 == 0 ? "echo" : "none", List.of("x".repeat(1_000))));
    }
    client.wire().sendUntilBlocked(frame(HubWire.written(Way.SOCKET_JSON, calls)), 1 << 20);
    return client::close;
  }

  private static Closeable endlessStreams(int number) throws IOException {
    HubWire client = connect(number, number % 2 == 0 ? Way.SOCKET_JSON : Way.EVENTS_JSON);
    for (int i = 0; i < 120; i++) { // more than there may be
      client.send(
          new StreamInvocation(Map.of(), "s" + i, "count", List.of(Integer.MAX_VALUE), List.of()));
    }
    return client::close;
  }

  private static Closeable uploadsWithoutEnd(int number) throws IOException {
    HubWire client = connect(number, Way.SOCKET_MESSAGE_PACK);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int i = 0; i < 20; i++) {
      String id = "s" + i;
      List<HubMessage> messages = new ArrayList<>();
      messages.add(new Invocation(Map.of(), null, "upload", List.of(), List.of(id)));
      for (int item = 0; item < 10; item++) { // as many as may wait
        messages.add(new StreamItem(id, "x".repeat(30_000)));
      }
      all.writeBytes(frame(HubWire.written(Way.SOCKET_MESSAGE_PACK, messages)));
    }
    client.wire().sendUntilBlocked(all.toByteArray(), all.size());
    return client::close;
  }

  private static Closeable cancelsWhatIsNotThere(int number) throws IOException {
    HubWire client = connect(number, Way.SOCKET_JSON);
    List<HubMessage> messages = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      messages.add(new CancelInvocation("c" + i));
      messages.add(new StreamItem("c" + i, "x"));
      messages.add(new HubMessage.Ack(i));
      messages.add(new HubMessage.Sequence(i));
    }
    client.wire().sendUntilBlocked(frame(HubWire.written(Way.SOCKET_JSON, messages)), 100_000);
    return client::close;
  }

  private static Closeable enormousLengths(int number) throws IOException {
    HubWire client = connect(number, Way.SOCKET_MESSAGE_PACK);
    if (number % 2 == 0) { // a message of 2 GiB
      client.sendRaw(new byte[] {-1, -1, -1, -1, 7, (byte) 0x96, 1});
    } else { // an array of 2 GiB items, in the place of the arguments
      client.sendRaw(
          new byte[] {
            14,
            (byte) 0x96,
            1,
            (byte) 0x80,
            (byte) 0xA1,
            'i',
            (byte) 0xA4,
            'e',
            'c',
            'h',
            'o',
            (byte) 0xDD,
            127,
            -1,
            -1
          });
      client.sendRaw(new byte[] {-1});
    }
    return client::close;
  }

  private static Closeable nestsDeeply(int number) throws IOException {
    if (number % 2 == 0) {
      HubWire client = connect(number, Way.SOCKET_JSON);
      String nested = "[".repeat(15_000) + "]".repeat(15_000);
      client.sendRaw(json("{\"type\":1,\"target\":\"echo\",\"arguments\":" + nested + "}"));
      client.sendRaw(SEPARATOR);
      return client::close;
    }
    HubWire client = connect(number, Way.SOCKET_MESSAGE_PACK);
    byte[] nested = new byte[3 + 30_000]; // arrays of one item, each in the one before
    Arrays.fill(nested, (byte) 0x91);
    nested[0] = (byte) (0x80 | (30_000 & 0x7F));
    nested[1] = (byte) (0x80 | ((30_000 >> 7) & 0x7F));
    nested[2] = 30_000 >> 14;
    client.sendRaw(nested);
    return client::close;
  }

  private static Closeable negotiatesOnly(int number) throws IOException {
    Wire wire = Wire.connect(server().port(), Ports.addressOf(number));
    try {
      for (int i = 0; i < 200; i++) {
        String _ = HubWire.negotiate(wire, "/hub");
      }
    } catch (HubWire.RefusedException e) {
      assertThat(e.status()).isEqualTo(429); // sooner or later
    }
    return wire::close;
  }

  // ---- Somebody else

  /** Calls twice a second, and is asked something each time. On a busy machine, it may be late. */
  private static Bystander bystander(Way way) throws IOException {
    HubWire client = HubWire.connect(server().port(), Ports.addressOf(0), "/patient-hub", way);
    Bystander.Call call =
        () -> {
          String text = "hello " + System.nanoTime();
          assertThat(client.invoke("echo", text)).isEqualTo(text);
          client.send(new Invocation("a", "ask", List.of(text)));
          String id = Objects.requireNonNull(((Invocation) client.receive()).invocationId());
          client.send(Completion.of(id, text));
          assertThat(client.expectResult("a")).isEqualTo(text);
        };
    return new Bystander(client::close, call, Duration.ofMillis(500));
  }
}
