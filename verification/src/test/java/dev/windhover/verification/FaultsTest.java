package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.Ending;
import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.FaultyProxy;
import dev.windhover.verification.wire.FaultyProxy.Fault;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * One conversation in which everything happens once, with a network fault at every byte of its
 * client. The server ends each with the right value and continues to serve.
 */
@ExtendWith(StrictLogs.class)
class FaultsTest {
  private static final int AT_ONCE = 32;
  private static final AtomicInteger ids = new AtomicInteger(10_000_000); // of one length

  /** What a client sends, and how much of it makes the socket. */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  private record Conversation(byte[] bytes, int opening) {}

  /** Versions of HTTP that the conversation is led over. */
  private enum Over {
    HTTP1,
    HTTP2;

    Conversation conversation(String id) {
      return this == HTTP1 ? http1(id) : http2(id);
    }
  }

  private static byte[] frames() {
    return Frame.masked(
        Frame.text("hello"),
        new Frame(0x02, new byte[] {1, 2}),
        Frame.ping("between"),
        new Frame(0x80, new byte[130]),
        Frame.close(1000, "done"));
  }

  private static Conversation http1(String id) {
    byte[] opening = Wire.handshake("/echo/" + id).getBytes(StandardCharsets.US_ASCII);
    return new Conversation(Http2Wire.concat(opening, frames()), opening.length);
  }

  private static Conversation http2(String id) {
    byte[] block =
        Http2Wire.block(
            Http2Wire.head(
                "CONNECT", "/echo/" + id, ":protocol: websocket", "sec-websocket-version: 13"));
    byte[] opening =
        Http2Wire.concat(
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
            Http2Wire.bytes(Http2Wire.SETTINGS, 0, 0),
            Http2Wire.bytes(Http2Wire.HEADERS, Http2Wire.END_HEADERS, 1, block));
    byte[] data = Http2Wire.bytes(Http2Wire.DATA, Http2Wire.END_STREAM, 1, frames());
    return new Conversation(Http2Wire.concat(opening, data), opening.length);
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void conversationEndsAsItShouldWhereverItIsBroken(Fault fault) throws Exception {
    for (Form form : Form.values()) {
      for (Over over : Over.values()) {
        breakEverywhere(form, over, fault, 5);
      }
    }
  }

  @Tag("full")
  @Timeout(300)
  @ParameterizedTest
  @EnumSource(Fault.class)
  void conversationEndsAsItShouldAtEveryByte(Fault fault) throws Exception {
    for (Form form : Form.values()) {
      for (Over over : Over.values()) {
        breakEverywhere(form, over, fault, 1);
      }
    }
  }

  private static void breakEverywhere(Form form, Over over, Fault fault, int step)
      throws Exception {
    int length = over.conversation("00000000").bytes().length;
    try (EchoApplication server = new EchoApplication(form, app -> {});
        ExecutorService clients =
            Executors.newFixedThreadPool(AT_ONCE, Thread.ofVirtual().factory())) {
      List<Future<?>> conversations = new ArrayList<>();
      for (int place = 0; place <= length; place += step) {
        int where = place;
        conversations.add(
            clients.submit(() -> {
              talk(server, over, fault, where);
              return null;
            }));
      }
      conversations.add(
          clients.submit(() -> {
            talk(server, over, fault, length); // where nothing is lost
            return null;
          }));
      for (Future<?> each : conversations) {
        get(each);
      }
      Http1ChurnTest.awaitAtMost(server::running, 0);
      talk(server, over, Fault.DELAY, length); // the next client is served
    }
  }

  private static void get(Future<?> conversation) throws Exception {
    try {
      conversation.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    }
  }

  private static void talk(EchoApplication server, Over over, Fault fault, int place)
      throws Exception {
    String id = Integer.toString(ids.incrementAndGet());
    Conversation conversation = over.conversation(id);
    byte[] bytes = conversation.bytes();
    try (FaultyProxy proxy = new FaultyProxy(server.port(), fault, place);
        Socket client = new Socket()) {
      boolean endedInOrder = send(client, proxy.port(), bytes) && readToEnd(client);
      boolean arrives = fault == Fault.SPLIT || fault == Fault.DELAY || place == bytes.length;
      if (fault == Fault.RESET) {
        return; // may take along what the server had not read: whether there was a socket, is open
      }
      if (arrives) {
        Ending ending = server.ending(id);
        assertThat(ending.reason().code()).as("%s at %d", fault, place).isEqualTo(1000);
        assertThat(ending.by()).isEqualTo(Ending.By.PEER);
        assertThat(endedInOrder || fault == Fault.CUT).isTrue();
      } else if (place >= conversation.opening()) {
        Ending ending = server.ending(id);
        assertThat(ending.reason().code()).as("%s at %d", fault, place).isEqualTo(1006);
        assertThat(ending.by()).isEqualTo(Ending.By.CONNECTION);
      }
    }
  }

  /** Returns whether it was connected: a reset may overtake even that. */
  private static boolean send(Socket client, int port, byte[] bytes) {
    try {
      client.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    } catch (IOException e) {
      return false;
    }
    try {
      client.getOutputStream().write(bytes);
      client.shutdownOutput();
    } catch (IOException e) {
      // it was broken already; what came before can be read
    }
    return true;
  }

  /** Returns whether the end was none by a reset. */
  private static boolean readToEnd(Socket client) {
    try {
      client.setSoTimeout(Wire.MOST_MILLIS);
      InputStream in = client.getInputStream();
      in.skip(Long.MAX_VALUE);
      while (in.read() >= 0) {
        // what it is, other tests look at
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
