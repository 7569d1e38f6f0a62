package dev.windhover.verification.backplane;

import static dev.windhover.verification.backplane.RecordedHub.FORMS;
import static dev.windhover.verification.backplane.RecordedHub.idOf;
import static dev.windhover.verification.backplane.RecordedHub.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.testing.TestHubClient;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Hex;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.event.Level;

/** Whatever is published, it is refused, counted and logged once, and no client is hurt. */
@ExtendWith(StrictLogs.class)
class RedisBadInputTest {
  private static RedisServer redis;
  private RecordedHub server;
  private TestHubClient ann;
  private TestHubClient ben;
  private String name;
  private Logs.Recording refusals;

  @BeforeAll
  static void startRedis() throws IOException {
    redis = RedisServer.start();
  }

  @BeforeEach
  void start() throws Exception {
    refusals = Logs.record(line -> line.logger().startsWith("dev.windhover.hubs.redis."));
    server = new RecordedHub(redis.url(), options -> options.maximumMessageSize(10_000));
    ann = server.connectAs("ann");
    ben = server.connectMessagePackAs("ben");
    name = RecordedHub.nameOn(redis);
  }

  @AfterEach
  void stop() {
    if (server != null) {
      ann.close();
      ben.close();
      server.close();
      refusals.close();
    }
  }

  @AfterAll
  static void stopRedis() {
    if (redis != null) {
      redis.close();
    }
  }

  private void publish(String channel, String hex) throws IOException {
    assertThat(redis.publish(channel, Hex.bytes(hex))).isPositive();
  }

  /** After what was published before, another server's message reaches both clients. */
  private void nobodyIsHurt() throws IOException {
    publish("TestHub:all", "9290" + FORMS);
    ann.expectCall("Message", "x");
    ben.expectCall("Message", "x");
  }

  private void refuses(int payloads) throws IOException {
    nobodyIsHurt();
    assertThat(server.backplane().counts().refused()).isEqualTo(payloads);
  }

  @ParameterizedTest
  @CsvSource({
    "nothing at all                          , ''",
    "no array                                , c0",
    "one item                                , 9190",
    "cut after its exclusions                , 9290",
    "no form                                 , 929080",
    "more forms than there are bytes         , 9290dfffffffff",
    "more exclusions than there are bytes    , 92ddffffffff",
    "a name that is longer than the payload  , 9290 81 dbffffffff 6a",
    "a name that is a number                 , 9290 81 07 c400",
    "a form that is text                     , 9290 81 a46a736f6e a17b",
    "a form that is cut                      , 9290 81 a46a736f6e c430 7b22",
    "a form of 4 GiB                         , 9290 81 a46a736f6e c6ffffffff 7b",
    "an excluded id that is not UTF-8        , 9291 a2c328 80",
    "an invocation id without return channel , 9390 81 a46a736f6e c4027b7d a17a",
  })
  void aPayloadOfAnotherShapeIsRefused(String what, String hex) throws IOException {
    publish("TestHub:all", hex);
    publish("TestHub:connection:" + idOf(ann), hex);
    refuses(2);
  }

  @ParameterizedTest
  @CsvSource({
    "half a record          , 7b2274797065223a312c",
    "a record and a half    , 7b2274797065223a367d1e7b22",
    "two records            , 7b2274797065223a367d1e7b2274797065223a367d1e",
    "no JSON                , 7b7b1e",
    "an empty record        , 1e",
    "a Ping                 , 7b2274797065223a367d1e",
    "a Close                , 7b2274797065223a377d1e",
  })
  void aFormThatIsNotOneCallIsRefused(String what, String record) throws IOException {
    publish("TestHub:all", "9290 81 a46a736f6e" + RecordedHub.binary(Hex.bytes(record)));
    refuses(1);
  }

  @Test
  void thoseWhoseProtocolIsMissingGetNothing() throws IOException {
    String json = FORMS.substring(2, FORMS.indexOf("ab6d65"));
    publish("TestHub:all", "9290 81" + json);
    ann.expectCall("Message", "x"); // and ben does not
    refuses(1);
  }

  @Test
  void aFormOfAnUnknownProtocolIsPassedOver() throws IOException {
    publish("TestHub:all", "9290 83 a178 c40101" + FORMS.substring(2));
    ann.expectCall("Message", "x");
    ben.expectCall("Message", "x");
    refuses(0);
  }

  @Test
  void itemsOfVersionsToComeArePassedOver() throws IOException {
    publish("TestHub:all", "9790" + FORMS + "c0c0" + text("2:x:y:z") + "01a178");
    ann.expectCall("Message", "x");
    ben.expectCall("Message", "x");
    publish("TestHub:all", "9690" + FORMS + "c0c0" + "81a17801" + "02");
    ann.expectCall("Message", "x");
    ben.expectCall("Message", "x");
    refuses(0);
  }

  @Test
  void aPayloadThatIsTooLongIsRefused() throws IOException {
    publish("TestHub:all", "9290 81 a46a736f6e" + RecordedHub.binary(new byte[10_000]));
    refuses(1);
    assertThat(refusals.lines()).anyMatch(line -> line.text().contains("exceeds limit of 10000"));
  }

  @Test
  void whatIsRefusedIsLoggedOnce() throws IOException {
    for (int i = 0; i < 10; i++) {
      publish("TestHub:all", "c0");
    }
    refuses(10);
    assertThat(refusals.lines())
        .filteredOn(line -> line.level() == Level.WARN)
        .singleElement()
        .extracting(Logs.Line::text)
        .isEqualTo(
            "another server has published what is refused: unexpected byte 0xc0 at 0 (logged once;"
                + " later ones are counted)");
  }

  @Test
  void aClientThatIsGoneIsNobody() throws IOException {
    String id = server.backplane().connectionIdPrefix() + "gone";
    publish("TestHub:connection:" + id, "9290" + FORMS);
    publish("TestHub:internal:groups", "9507" + text("s") + "01a178" + text(id)); // no answer
    refuses(0);
    assertThat(server.hub().groups().names()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "another action, 9507a17303a178a178",
    "cut           , 9507a17301a178",
    "no id         , 95c0a17301a178a178",
    "a large id    , 95cf00000001ffffffff a17301a178a178",
  })
  void aGroupCommandOfAnotherShapeIsRefused(String what, String hex) throws IOException {
    publish("TestHub:internal:groups", hex);
    refuses(1);
  }

  @Test
  void anAcknowledgementOfNothingIsIgnored() throws IOException {
    publish("TestHub:internal:ack:" + name, "9107");
    publish("TestHub:internal:ack:" + name, "90");
    refuses(2);
  }

  @Test
  void aResultThatNobodyAwaitsIsIgnored() throws IOException {
    String json = "{\"type\":3,\"invocationId\":\"s1\",\"result\":7}\u001e";
    publish(
        "TestHub:internal:return:" + name,
        "92a46a736f6e" + RecordedHub.binary(json.getBytes(UTF_8)));
    publish("TestHub:internal:return:" + name, "92a46a736f6e" + RecordedHub.binary(new byte[9]));
    publish("TestHub:internal:return:" + name, "92a178c40101");
    refuses(3);
  }

  @Test
  void aResultGoesOnlyWhereServersOfTheHubTakeIt() throws IOException {
    publish("TestHub:connection:" + idOf(ann), "9490" + FORMS + text("1") + text("Other:secret"));
    publish("TestHub:all", "9490" + FORMS + text("1") + text("TestHub:internal:return:x"));
    refuses(2);
  }

  @Test
  void anotherClientsAnswerIsRefused() throws IOException {
    publish(
        "TestHub:connection:" + idOf(ann),
        "9490" + FORMS + text("1") + text("TestHub:internal:return:x"));
    var asked = ann.nextCall();
    assertThat(asked.method()).isEqualTo("Message");
    TestHubClient eve = server.connectAs("eve");
    eve.socket().sendText("{\"type\":3,\"invocationId\":\"1\",\"result\":7}\u001e");
    eve.expectClose("Connection closed with an error.", true);
    nobodyIsHurt();
  }
}
