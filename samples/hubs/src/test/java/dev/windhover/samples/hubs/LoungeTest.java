package dev.windhover.samples.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.testing.TestHubCall;
import dev.windhover.hubs.testing.TestHubClient;
import dev.windhover.testing.TestHost;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The lounge without a port. */
class LoungeTest {
  private final TestHost host = TestHost.start(Lounge.create());
  private final List<TestHubClient> pages = new ArrayList<>();

  @AfterEach
  void close() {
    pages.forEach(TestHubClient::expectNoCall); // beyond those that the test has looked at
    host.allowLeftOvers(); // pages that go later hear that others have gone
    host.close(); // fails if a call failed
  }

  private void lose(TestHubClient page) {
    pages.remove(page);
    page.lose();
  }

  private TestHubClient open() {
    TestHubClient page = TestHubClient.connect(host, "/chat");
    pages.add(page);
    return page;
  }

  private TestHubClient enter(String room, String name) {
    TestHubClient page = open();
    page.invoke("enter", room, name, "key of " + name);
    return page;
  }

  /** Opens a page and enters an empty room. */
  private TestHubClient enterEmpty(String room, String name) {
    TestHubClient page = enter(room, name);
    page.expectCall("entered", List.of());
    page.expectCall("joined", name);
    page.expectCall("here", List.of(name));
    return page;
  }

  /** Opens a page and enters the room of one other, where nothing was said. */
  private TestHubClient follow(TestHubClient first, String firstName, String name) {
    TestHubClient second = enter("tea", name);
    second.expectCall("entered", List.of());
    for (TestHubClient page : List.of(first, second)) {
      page.expectCall("joined", name);
      page.expectCall("here", List.of(firstName, name));
    }
    return second;
  }

  private static void refused(TestHubCall<?> call, String method, String why) {
    call.expectError(
        "An unexpected error occurred invoking '%s' on the server. HubException: %s"
            .formatted(method, why));
  }

  @Test
  void whatOneSaysAllInTheRoomHear() {
    TestHubClient ada = enterEmpty("tea", "Ada");
    TestHubClient bob = follow(ada, "Ada", "Bob");
    TestHubClient elsewhere = enterEmpty("coffee", "Eve");
    ada.invoke("say", "Hello Bob");
    ada.invoke("say", "  "); // nothing to say
    assertThat(ada.nextCall().method()).isEqualTo("said");
    assertThat(bob.nextCall().argument(Said.class))
        .returns("Ada", Said::name)
        .returns("Hello Bob", Said::text);
    elsewhere.expectNoCall();
    ada.expectNoCall();
  }

  /** Even somebody whose connection is lost. */
  @Test
  void whoIsGoneIsNotInTheList() {
    TestHubClient ada = enterEmpty("tea", "Ada");
    TestHubClient bob = follow(ada, "Ada", "Bob");
    lose(bob);
    ada.expectCall("left", "Bob");
    ada.expectCall("here", List.of("Ada"));
  }

  @Test
  void whoComesLaterSeesTheLastFiftyMessages() {
    TestHubClient ada = enterEmpty("tea", "Ada");
    for (int i = 0; i < 60; i++) {
      ada.invoke("say", "message " + i + ".");
      assertThat(ada.nextCall().method()).isEqualTo("said");
    }
    TestHubClient bob = enter("tea", "Bob");
    assertThat(bob.nextCall().toString())
        .contains("entered", "message 10.", "message 59.")
        .doesNotContain("message 9.");
    for (TestHubClient page : List.of(ada, bob)) {
      page.expectCall("joined", "Bob");
      page.expectCall("here", List.of("Ada", "Bob"));
    }
  }

  @Test
  void whoIsAskedAnswers() {
    TestHubClient ada = enterEmpty("tea", "Ada");
    TestHubClient bob = follow(ada, "Ada", "Bob");
    TestHubCall<Boolean> call = ada.call(Boolean.class, "ask", "Bob", "Milk?");
    bob.expectCall("asked", "Ada", "Milk?").answer(true);
    assertThat(call.result()).isTrue();
    refused(ada.call(Boolean.class, "ask", "Eve", "Milk?"), "ask", "Eve is not here");
  }

  @Test
  void whoIsAskedHasTwentySeconds() {
    TestHubClient ada = enterEmpty("tea", "Ada");
    TestHubClient bob = follow(ada, "Ada", "Bob");
    TestHubCall<Boolean> call = ada.call(Boolean.class, "ask", "Bob", "Milk?");
    bob.expectCall("asked", "Ada", "Milk?");
    host.awaitIdle();
    host.clock().advance(Duration.ofSeconds(20));
    refused(call, "ask", "Bob has not answered");
    bob.invoke("say", "I was away");
    for (TestHubClient page : List.of(ada, bob)) {
      assertThat(page.nextCall().method()).isEqualTo("said");
    }
  }

  /** Its old connection may not be known to be lost. */
  @Test
  void aPageThatReturnsGetsItsNameBack() {
    TestHubClient old = enterEmpty("tea", "Ada");
    refused(
        open().call(Void.class, "enter", "tea", "Ada", "another key"),
        "enter",
        "there is another Ada here");
    TestHubClient returned = enter("tea", "Ada");
    returned.expectCall("entered", List.of());
    for (TestHubClient page : List.of(returned, old)) {
      page.expectCall("here", List.of("Ada"));
    }
    lose(old); // which takes nobody's name away
    host.awaitIdle();
    returned.expectNoCall();
    returned.invoke("say", "still here");
    assertThat(returned.nextCall().method()).isEqualTo("said");
  }

  @ParameterizedTest
  @CsvSource({"tea, ''", "tea, ' '", "tea, 123456789012345678901", "TEA, Ada", "t_a, Ada"})
  void badNamesAreRefused(String room, String name) {
    refused(
        open().call(Void.class, "enter", room, name, "key"),
        "enter",
        "a name has 1 to 20 characters, a room a to z, 0 to 9 and -");
  }

  @Test
  void whoIsInNoRoomSaysNothing() {
    refused(open().call(Void.class, "say", "hello?"), "say", "enter a room first");
  }

  /** 100 rooms with somebody in them are enough. */
  @Test
  void thereAreNotTooManyRooms() {
    List<TestHubClient> all = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      all.add(enterEmpty("room-" + i, "Ada"));
    }
    refused(
        open().call(Void.class, "enter", "one-more", "Ada", "key"),
        "enter",
        "there are too many rooms");
    all.get(7).invoke("leave");
    enterEmpty("one-more", "Ada");
  }

  @Test
  void theWindBlowsUntilThePageHasHadEnough() {
    TestHubCall<Double> wind = open().stream(Double.class, "wind");
    host.awaitIdle(); // it has subscribed
    for (int i = 0; i < 3; i++) {
      host.clock().advance(Wind.PERIOD);
      assertThat(wind.next()).isBetween(0.0, 20.0);
    }
    wind.cancel();
    wind.expectEnd();
  }

  @Test
  void pagesOfOthersMayNotConnect() {
    assertThat(
            host.request("POST", "/chat/negotiate?negotiateVersion=1")
                .header("Origin", "https://elsewhere.example")
                .send()
                .status())
        .isEqualTo(403);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/hubs.js", "/hubs.css", "/talk.css", "/favicon.svg"})
  void thePageIsServedAndLoadsNothingForeign(String path) {
    var response = host.get(path).send();
    assertThat(response.status()).isEqualTo(200);
    assertThat(response.headers().get("Content-Security-Policy")).startsWith("default-src 'self'");
    assertThat(response.text()).doesNotContain("//cdn", "https://");
  }
}
