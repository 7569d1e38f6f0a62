package dev.windhover.samples.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.testing.TestHost;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The lounge without a port. */
class LoungeTest {
  private final TestHost host = TestHost.start(Lounge.create());

  @AfterEach
  void close() {
    host.close(); // fails if a call failed, or something came that no test received
  }

  /** Enters the room of one other. */
  private Page follow(Page first, String firstName, String name) {
    Page second = Page.open(host);
    second.invoke("enter", "\"tea\",\"%1$s\",\"key of %1$s\"".formatted(name));
    second.expectCall("entered", "[]");
    String both = "[\"%s\",\"%s\"]".formatted(firstName, name);
    for (Page each : new Page[] {first, second}) {
      each.expectCall("joined", "\"" + name + "\"").expectCall("here", both);
    }
    second.expectResult("null");
    return second;
  }

  private static void expectGone(String name, Page other, String otherName) {
    other.expectCall("left", "\"" + name + "\"").expectCall("here", "[\"" + otherName + "\"]");
  }

  @Test
  void whatOneSaysAllInTheRoomHear() {
    Page ada = Page.in(host, "tea", "Ada");
    Page bob = follow(ada, "Ada", "Bob");
    Page elsewhere = Page.in(host, "coffee", "Eve");
    ada.invoke("say", "\"Hello Bob\"");
    String said =
        "{\"type\":1,\"target\":\"said\",\"arguments\":[{\"name\":\"Ada\",\"text\":\"Hello Bob\"";
    ada.receive(said);
    bob.receive(said);
    ada.expectResult("null");
    elsewhere.close();
    bob.close();
    expectGone("Bob", ada, "Ada");
    ada.close();
  }

  @Test
  void whoComesLaterSeesWhatWasSaidLast() {
    Page ada = Page.in(host, "tea", "Ada");
    for (int i = 0; i < 60; i++) {
      ada.invoke("say", "\"message " + i + "\"");
      ada.receive("{\"type\":1,\"target\":\"said\"");
      ada.expectResult("null");
    }
    Page bob = Page.open(host);
    bob.invoke("enter", "\"tea\",\"Bob\",\"key\"");
    assertThat(bob.receive("{\"type\":1,\"target\":\"entered\""))
        .contains("\"message 10\"", "\"message 59\"")
        .doesNotContain("\"message 9\"");
    for (Page each : new Page[] {ada, bob}) {
      each.expectCall("joined", "\"Bob\"").expectCall("here", "[\"Ada\",\"Bob\"]");
    }
    bob.expectResult("null");
    ada.close();
    expectGone("Ada", bob, "Bob");
    bob.close();
  }

  @Test
  void whoIsAskedAnswers() {
    Page ada = Page.in(host, "tea", "Ada");
    Page bob = follow(ada, "Ada", "Bob");
    ada.invoke("ask", "\"Bob\",\"Milk?\"");
    String question = bob.receive("{\"type\":1,\"invocationId\":\"");
    assertThat(question).endsWith("\"target\":\"asked\",\"arguments\":[\"Ada\",\"Milk?\"]}");
    String id = question.replaceFirst(".*\"invocationId\":\"([^\"]+)\".*", "$1");
    bob.send("{\"type\":3,\"invocationId\":\"" + id + "\",\"result\":true}");
    ada.expectResult("true");
    ada.invoke("ask", "\"Nobody\",\"Milk?\"");
    ada.expectRefusal("ask", "Nobody is not here");
    bob.close();
    expectGone("Bob", ada, "Ada");
    ada.close();
  }

  @Test
  void whoIsAskedHasTwentySeconds() {
    Page ada = Page.in(host, "tea", "Ada");
    Page bob = follow(ada, "Ada", "Bob");
    ada.invoke("ask", "\"Bob\",\"Milk?\"");
    bob.receive("{\"type\":1,\"invocationId\":\"");
    host.awaitIdle();
    host.clock().advance(Duration.ofSeconds(20));
    for (Page each : new Page[] {ada, bob}) {
      each.receive("{\"type\":6}");
    }
    ada.expectRefusal("ask", "Bob has not answered");
    bob.close();
    expectGone("Bob", ada, "Ada");
    ada.close();
  }

  /** Its old connection may not be known to be lost. */
  @Test
  void aPageThatReturnsGetsItsNameBack() {
    Page old = Page.in(host, "tea", "Ada");
    Page other = Page.open(host);
    other.invoke("enter", "\"tea\",\"Ada\",\"another key\"");
    other.expectRefusal("enter", "there is another Ada here");
    Page returned = Page.open(host);
    returned.invoke("enter", "\"tea\",\"Ada\",\"key of Ada\"");
    returned.expectCall("entered", "[]").expectCall("here", "[\"Ada\"]").expectResult("null");
    old.expectCall("here", "[\"Ada\"]");
    old.reset(); // takes nobody's name away
    returned.invoke("say", "\"still here\"");
    returned.receive("{\"type\":1,\"target\":\"said\"");
    returned.expectResult("null");
    other.close();
    returned.close();
  }

  @ParameterizedTest
  @CsvSource({"tea, ''", "tea, ' '", "tea, 123456789012345678901", "TEA, Ada", "t_a, Ada"})
  void badNamesAreRefused(String room, String name) {
    Page page = Page.open(host);
    page.invoke("enter", "\"" + room + "\",\"" + name + "\",\"key\"");
    page.expectRefusal("enter", "a name has 1 to 20 characters, a room a to z, 0 to 9 and -");
    page.close();
  }

  @Test
  void whoIsInNoRoomSaysNothing() {
    Page page = Page.open(host);
    page.invoke("say", "\"hello?\"");
    page.expectRefusal("say", "enter a room first");
    page.close();
  }

  @Test
  void theWindBlowsUntilThePageHasHadEnough() {
    Page page = Page.open(host);
    page.send("{\"type\":4,\"invocationId\":\"1\",\"target\":\"wind\",\"arguments\":[]}");
    host.awaitIdle(); // it has subscribed
    for (int i = 0; i < 3; i++) {
      host.clock().advance(Wind.PERIOD);
      assertThat(page.receive("{\"type\":2,\"invocationId\":\"1\",\"item\":"))
          .matches(".*:[0-9.]+}");
    }
    page.send("{\"type\":5,\"invocationId\":\"1\"}");
    page.receive("{\"type\":3,\"invocationId\":\"1\"}");
    host.clock().advance(Wind.PERIOD);
    page.close();
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
  @ValueSource(strings = {"/", "/hubs.js", "/hubs.css", "/favicon.svg"})
  void thePageIsServedAndLoadsNothingForeign(String path) {
    var response = host.get(path).send();
    assertThat(response.status()).isEqualTo(200);
    assertThat(response.headers().get("Content-Security-Policy")).startsWith("default-src 'self'");
    assertThat(response.text()).doesNotContain("//cdn", "https://");
  }
}
