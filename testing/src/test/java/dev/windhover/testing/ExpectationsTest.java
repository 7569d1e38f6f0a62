package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.Application;
import dev.windhover.http.websocket.Message;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a test expects of messages and answers, and what it is told if it gets another one. */
class ExpectationsTest {
  private final Application application =
      new Application()
          .use(new WebSockets(new WebSocketOptions().allowedOrigins("*")))
          .mapWebSocket(
              "/echo",
              socket -> {
                for (Message message : socket) {
                  socket.send(message);
                }
              })
          .map(
              "/body",
              context -> {
                byte[] body = context.request().body().readAllBytes();
                context
                    .response()
                    .headers()
                    .set("X-Type", context.request().headers().list("Content-Type").toString());
                context.response().write(ByteBuffer.wrap(body));
              });
  private final TestHost host = TestHost.start(application);
  private final TestWebSocket client = host.webSocket("/echo").connect();

  @BeforeEach
  void allow() {
    host.allowLeftOvers();
  }

  @AfterEach
  void close() {
    host.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"a\": 1, \"b\": [true, null]} | {\"b\":[true,null],\"a\":1.0}",
        "\"h\\u00e9\\n\\/\" | \"h\u00e9\\n/\"",
        "1e2 | 100",
        "[] | [ ]",
        "{} | {}",
        "-0.5 | -5E-1",
      })
  void jsonIsComparedByWhatItMeans(String expected, String sent) {
    client.sendText(sent);
    client.expectJson(expected);
    host.request("POST", "/body").body(sent).expectStatus(200).expectJson(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"a\":[{\"b\":1}]} | {\"a\":[{\"b\":2}]} | they differ at $.a[0].b: expected 1 but got 2",
        "{\"a\":\"x\"} | {\"a\":1} | they differ at $.a: expected \"x\" but got 1",
        "{\"a\":null} | {} | $.a is missing",
        "{} | {\"a\":null} | $.a was not expected",
        "[1,2] | [1] | $ has 1 elements instead of 2",
        "{} | [] | they differ at $: expected {} but got []",
        "1 | {\"a\":1,\"a\":1} | it is not JSON: it has the member \"a\" twice",
        "1 | 01 | it is not JSON: expected end at character 1, but there is '1'",
        "1 | {a:1} | it is not JSON: expected a name at character 1, but there is 'a'",
        "1 | [1,] | it is not JSON: expected a value at character 3, but there is ']'",
        "1 | \"a | it is not JSON: expected more of a string at character 2, but there is the end"
            + " of the text",
        "1 | \"\\x\" | it is not JSON: expected an escape at character 2, but there is 'x'",
        "1 | nul | it is not JSON: expected a value at character 0, but there is 'n'",
      })
  void aDifferenceIsNamed(String expected, String sent, String difference) {
    client.sendText(sent);
    assertThatThrownBy(() -> client.expectJson(expected))
        .isInstanceOf(AssertionError.class)
        .hasMessageStartingWith("expected JSON " + expected + "\n but got TEXT \"" + sent + "\"")
        .hasMessageContaining("\n" + difference);
    TestResponse response = host.request("POST", "/body").body(sent).send();
    assertThatThrownBy(() -> response.expectJson(expected)).hasMessageEndingWith(difference);
  }

  @Test
  void whatIsExpectedIsJson() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> client.expectJson("{"))
        .withMessage(
            "the expected text is not JSON: expected a name at character 1, but there is the end of"
                + " the text");
  }

  @Test
  void messagesAreReceivedByTheirType() {
    client.sendText("hello");
    assertThat(client.receiveText()).isEqualTo("hello");
    client.sendBinary(new byte[] {1, 2});
    assertThat(client.receiveBinary()).containsExactly(1, 2);
    client.sendBinary(new byte[] {1, 2});
    assertThatThrownBy(client::receiveText)
        .hasMessageStartingWith("expected text\n but got BINARY 0102 [2 bytes]");
    client.sendText("hello");
    assertThatThrownBy(client::receiveBinary)
        .hasMessageStartingWith("expected a binary message\n but got TEXT \"hello\" [5 bytes]");
    client.sendBinary(new byte[] {'{', '}'});
    assertThatThrownBy(() -> client.expectJson("{}")).hasMessageContaining("it is not text");
  }

  @Test
  void bodiesMayBeBinary() {
    byte[] bytes = HexFormat.of().parseHex("00ff80c3");
    assertThat(host.request("POST", "/body").body(bytes).expectStatus(200).body()).isEqualTo(bytes);
    TestResponse json = host.request("POST", "/body").json("{}").expectStatus(200);
    assertThat(json.headers().get("X-Type")).isEqualTo("[application/json]");
  }

  @Test
  void anotherStatusOrTextShowsTheAnswer() {
    assertThatThrownBy(() -> host.get("/nowhere").expectStatus(200))
        .isInstanceOf(AssertionError.class)
        .hasMessageStartingWith("expected status 200\n but got 404 ")
        .hasMessageContaining("not found");
    assertThatThrownBy(() -> host.get("/nowhere").expectStatus(404).expectText("nothing"))
        .hasMessageStartingWith("expected \"nothing\"\n but got 404 ");
  }
}
