package dev.windhover.samples.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.Message;
import dev.windhover.protocol.CloseCode;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestWebSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The chat without a port. */
class ChatTest {
  private final TestHost host = TestHost.start(Chat.create());

  @AfterEach
  void close() {
    host.close(); // fails if a handler failed, or something came that no test received
  }

  private TestWebSocket enter(String room, String name) {
    return host.webSocket("/rooms/" + room + "?name=" + name).connect();
  }

  private static void expect(String json, TestWebSocket... clients) {
    for (TestWebSocket client : clients) {
      client.expectText(json);
    }
  }

  /** Receives what somebody says, apart from the time. */
  private static void expectSaid(String name, String text, TestWebSocket... clients) {
    String begin =
        "{\"event\":\"said\",\"name\":\"" + name + "\",\"text\":\"" + text + "\",\"at\":\"";
    for (TestWebSocket client : clients) {
      assertThat(client.receiveMessage())
          .isInstanceOfSatisfying(
              Message.Text.class, message -> assertThat(message.text()).startsWith(begin));
    }
  }

  private TestWebSocket enterEmpty(String room, String name) {
    TestWebSocket client = enter(room, name);
    expect("{\"event\":\"joined\",\"name\":\"" + name + "\"}", client);
    expect("{\"event\":\"here\",\"names\":[\"" + name + "\"]}", client);
    return client;
  }

  private TestWebSocket follow(TestWebSocket first, String room, String firstName, String name) {
    TestWebSocket second = enter(room, name);
    expect("{\"event\":\"joined\",\"name\":\"" + name + "\"}", first, second);
    expect(
        "{\"event\":\"here\",\"names\":[\"" + firstName + "\",\"" + name + "\"]}", first, second);
    return second;
  }

  @Test
  void whatOneSaysAllInTheRoomHear() {
    TestWebSocket ada = enterEmpty("tea", "Ada");
    TestWebSocket bob = follow(ada, "tea", "Ada", "Bob");
    TestWebSocket elsewhere = enterEmpty("coffee", "Eve");
    ada.sendText("Hello \"Bob\"\n<b>");
    expectSaid("Ada", "Hello \\\"Bob\\\"\\u000a<b>", ada, bob);
    ada.sendText("  "); // nothing to say
    bob.sendText("Hello Ada");
    expectSaid("Bob", "Hello Ada", ada, bob);
    elsewhere.close();
    bob.close();
    expect("{\"event\":\"left\",\"name\":\"Bob\"}", ada);
    expect("{\"event\":\"here\",\"names\":[\"Ada\"]}", ada);
    ada.close();
  }

  /** Even somebody whose connection is lost. */
  @Test
  void whoIsGoneIsNotInTheList() {
    TestWebSocket ada = enterEmpty("tea", "Ada");
    TestWebSocket bob = follow(ada, "tea", "Ada", "Bob");
    bob.reset();
    expect("{\"event\":\"left\",\"name\":\"Bob\"}", ada);
    expect("{\"event\":\"here\",\"names\":[\"Ada\"]}", ada);
    ada.close();
  }

  @Test
  void whoComesLaterSeesTheLastFiftyMessages() {
    TestWebSocket ada = enterEmpty("tea", "Ada");
    for (int i = 0; i < 60; i++) {
      ada.sendText("message " + i);
      expectSaid("Ada", "message " + i, ada);
    }
    TestWebSocket bob = enter("tea", "Bob");
    for (int i = 10; i < 60; i++) {
      expectSaid("Ada", "message " + i, bob);
    }
    expect("{\"event\":\"joined\",\"name\":\"Bob\"}", ada, bob);
    expect("{\"event\":\"here\",\"names\":[\"Ada\",\"Bob\"]}", ada, bob);
    ada.close();
    expect("{\"event\":\"left\",\"name\":\"Ada\"}", bob);
    expect("{\"event\":\"here\",\"names\":[\"Bob\"]}", bob);
    bob.close();
  }

  @Test
  void aNameIsTakenUntilItsOwnerLeaves() {
    TestWebSocket ada = enterEmpty("tea", "Ada");
    enter("tea", "Ada").expectClose(Chat.NAME_TAKEN, "there is another Ada here");
    ada.close();
    host.awaitIdle();
  }

  @ParameterizedTest
  @CsvSource({"tea, ''", "tea, %20", "tea, 123456789012345678901", "TEA, Ada", "t_a, Ada"})
  void badNamesAreRefused(String room, String name) {
    enter(room, name)
        .expectClose(Chat.BAD_NAME, "a name has 1 to 20 characters, a room a to z, 0 to 9 and -");
  }

  @Test
  void aMessageHasAMaximumSize() {
    TestWebSocket ada = enterEmpty("tea", "Ada");
    ada.sendText("x".repeat(4096));
    expectSaid("Ada", "x".repeat(4096), ada);
    ada.sendText("x".repeat(4097));
    ada.expectClose(CloseCode.MESSAGE_TOO_BIG, "message of 4097 bytes exceeds limit of 4096");
  }

  @Test
  void pagesOfOthersMayNotConnect() {
    assertThat(
            host.webSocket("/rooms/tea?name=Eve")
                .header("Origin", "https://elsewhere.example")
                .send()
                .status())
        .isEqualTo(403);
    TestWebSocket own =
        host.webSocket("/rooms/tea?name=Ada")
            .header("Host", "localhost")
            .header("Origin", "http://localhost")
            .connect();
    expect("{\"event\":\"joined\",\"name\":\"Ada\"}", own);
    expect("{\"event\":\"here\",\"names\":[\"Ada\"]}", own);
    own.close();
  }

  /** 100 rooms with somebody in them are enough. */
  @Test
  void thereAreNotTooManyRooms() {
    TestWebSocket[] all = new TestWebSocket[100];
    for (int i = 0; i < all.length; i++) {
      all[i] = enterEmpty("room-" + i, "Ada");
    }
    enter("one-more", "Ada").expectClose(Chat.NO_ROOM, "there are too many rooms");
    all[7].close();
    host.awaitIdle();
    TestWebSocket next = enterEmpty("one-more", "Ada");
    next.close();
  }

  @Test
  void thePageIsServed() {
    assertThat(host.get("/").send().text()).contains("<title>Windhover");
  }
}
