package dev.windhover.hubs.connections;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Application;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestResponse;
import dev.windhover.websocket.WebSockets;
import java.time.Duration;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;

class NegotiationTest {
  private static final String ID = "[\\w-]{22}";

  @Test
  void answersWithIdTokenAndTransports() {
    try (TestHost host = Recorder.echoing().start()) {
      TestResponse answer =
          host.request("POST", "/c/negotiate?negotiateVersion=1").expectStatus(200);
      assertThat(answer.headers().get("Content-Type")).isEqualTo("application/json");
      assertThat(answer.text())
          .matches(
              "\\{\"negotiateVersion\":1,\"connectionId\":\""
                  + ID
                  + "\",\"connectionToken\":\""
                  + ID
                  + "\",\"availableTransports\":\\["
                  + "\\{\"transport\":\"WebSockets\",\"transferFormats\":\\[\"Text\",\"Binary\"]},"
                  + "\\{\"transport\":\"ServerSentEvents\",\"transferFormats\":\\[\"Text\"]},"
                  + "\\{\"transport\":\"LongPolling\",\"transferFormats\":\\[\"Text\",\"Binary\"]}]}");
    }
  }

  @Test
  void inVersion0TheIdIsTheToken() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = recorder.start()) {
      String answer = host.request("POST", "/c/negotiate").expectStatus(200).text();
      assertThat(answer).startsWith("{\"negotiateVersion\":0,\"connectionId\":\"");
      assertThat(answer).doesNotContain("connectionToken");
      String id = answer.substring(38, 38 + 22);
      host.get("/c?id=" + id).expectStatus(200);
      assertThat(recorder.connection().connectionId()).isEqualTo(id);
    }
  }

  @Test
  void aHigherVersionGetsOurs() {
    try (TestHost host = Recorder.echoing().start()) {
      assertThat(host.request("POST", "/c/negotiate?negotiateVersion=7").expectStatus(200).text())
          .startsWith("{\"negotiateVersion\":1,");
    }
  }

  @Test
  void aVersionThatIsNoIntegerIsAnError() {
    try (TestHost host = Recorder.echoing().start()) {
      for (String query :
          new String[] {
            "negotiateVersion=x", "negotiateVersion=", "negotiateVersion=1&negotiateVersion=0"
          }) {
        host.request("POST", "/c/negotiate?" + query)
            .expectStatus(200)
            .expectText("{\"error\":\"The client requested a non-integer protocol version.\"}");
      }
    }
  }

  @Test
  void aVersionThatIsTooLowIsAnError() {
    try (TestHost host = Recorder.echoing().start(options -> options.minimumProtocolVersion(1))) {
      host.request("POST", "/c/negotiate")
          .expectStatus(200)
          .expectText(
              "{\"error\":\"The client requested version '0', but the server does not support this"
                  + " version.\"}");
    }
  }

  @Test
  void caseAndASlashDoNotMatter() {
    try (TestHost host = Recorder.echoing().start()) {
      for (String path :
          new String[] {"/C/Negotiate?NEGOTIATEVERSION=1", "/c/negotiate/?negotiateversion=1"}) {
        assertThat(host.request("POST", path).expectStatus(200).text()).contains("connectionToken");
      }
    }
  }

  @Test
  void onlyPostNegotiates() {
    try (TestHost host = Recorder.echoing().start()) {
      for (String method : new String[] {"GET", "PUT", "DELETE", "OPTIONS"}) {
        TestResponse answer = host.request(method, "/c/negotiate").expectStatus(405);
        assertThat(answer.headers().get("Content-Type")).isEqualTo("text/plain");
        answer.expectText("");
      }
    }
  }

  @Test
  void offersTheTransportsOfTheEndpoint() {
    try (TestHost host =
        Recorder.echoing()
            .start(options -> options.transports(EnumSet.of(TransportType.LONG_POLLING)))) {
      assertThat(host.request("POST", "/c/negotiate").expectStatus(200).text())
          .endsWith("[{\"transport\":\"LongPolling\",\"transferFormats\":[\"Text\",\"Binary\"]}]}");
    }
  }

  @Test
  void offersNoWebSocketsWhereThereAreNone() {
    Application application = new Application();
    ConnectionEndpoint.map(application, "/c", Recorder.echoing());
    try (TestHost host = TestHost.start(application)) {
      assertThat(host.request("POST", "/c/negotiate").expectStatus(200).text())
          .contains("[{\"transport\":\"ServerSentEvents\"")
          .doesNotContain("WebSockets");
    }
  }

  @Test
  void promisesToTakeAClientBackOnlyIfItAsks() {
    try (TestHost host =
        Recorder.echoing().start(options -> options.allowStatefulReconnects(true))) {
      String asked = "/c/negotiate?negotiateVersion=1&useStatefulReconnect=true";
      assertThat(host.request("POST", asked).expectStatus(200).text())
          .startsWith("{\"useStatefulReconnect\":true,");
      assertThat(host.request("POST", "/c/negotiate?negotiateVersion=1").expectStatus(200).text())
          .doesNotContain("useStatefulReconnect");
    }
    try (TestHost host = Recorder.echoing().start()) {
      assertThat(host.request("POST", "/c/negotiate?useStatefulReconnect=true").send().text())
          .doesNotContain("useStatefulReconnect");
    }
  }

  @Test
  void tooManyUnfinishedNegotiationsAreRefused() {
    try (TestHost host =
        Recorder.echoing().start(options -> options.maxUnfinishedNegotiations(2))) {
      String used = Recorder.negotiate(host);
      Recorder.negotiate(host);
      TestResponse refused = host.request("POST", "/c/negotiate").expectStatus(429);
      assertThat(refused.headers().get("Retry-After")).isEqualTo("5");

      host.get("/c?id=" + used).expectStatus(200); // its client has come
      Recorder.negotiate(host);
      host.request("POST", "/c/negotiate").expectStatus(429);
    }
  }

  @Test
  void aNegotiationWhoseClientDoesNotComeIsForgotten() {
    try (TestHost host =
        Recorder.echoing().start(options -> options.maxUnfinishedNegotiations(1))) {
      String token = Recorder.negotiate(host);
      host.clock().advance(Duration.ofSeconds(14));
      host.request("POST", "/c/negotiate").expectStatus(429);
      host.clock().advance(Duration.ofSeconds(2));
      host.request("POST", "/c?id=" + token).expectStatus(404);
      Recorder.negotiate(host);
    }
  }

  @Test
  void whoPostsWithoutATransportIsUnfinishedToo() {
    try (TestHost host =
        Recorder.echoing().start(options -> options.maxUnfinishedNegotiations(1))) {
      Recorder.post(host, Recorder.negotiate(host), "x");
      host.request("POST", "/c/negotiate").expectStatus(429);
      host.awaitIdle();
      host.clock().advance(Duration.ofSeconds(17));
      host.awaitIdle();
      Recorder.post(host, Recorder.negotiate(host), "x");
      host.request("POST", "/c/negotiate").expectStatus(429);
    }
  }

  @Test
  void aHandlerMaySendClientsElsewhere() {
    try (TestHost host =
        Recorder.echoing()
            .start(options ->
                options.onNegotiate(context ->
                    context.request().query().get("blue") == null
                        ? null
                        : new NegotiationRedirect("https://blue/\"c", "secret")))) {
      host.request("POST", "/c/negotiate?blue&negotiateVersion=1")
          .expectStatus(200)
          .expectJson(
              """
              {"negotiateVersion": 1, "url": "https://blue/\\"c", "accessToken": "secret",
               "availableTransports": []}
              """);
      Recorder.negotiate(host);
    }
  }

  @Test
  void whoHasNoUserIsRefusedWithoutABody() {
    try (TestHost host = Recorder.echoing().start(ConnectionOptions::requireUser)) {
      host.request("POST", "/c/negotiate").expectStatus(401).expectText("");
      host.request("POST", "/c/negotiate").user("ann").expectStatus(200);
      for (String method : new String[] {"GET", "POST", "DELETE"}) {
        host.request(method, "/c?id=nobody").expectStatus(401).expectText("");
      }
      host.webSocket("/c").expectStatus(401).expectText("");
    }
  }

  @Test
  void whoLacksTheRoleIsRefused() {
    try (TestHost host = Recorder.echoing().start(options -> options.requireRole("admin"))) {
      host.request("POST", "/c/negotiate").user("ann").expectStatus(403).expectText("");
      host.request("POST", "/c/negotiate").user("ann", "admin").expectStatus(200);
    }
  }

  @Test
  void theOriginRuleHoldsForEveryRequest() {
    Application application =
        new Application().use(WebSockets.with(o -> o.allowedOrigins("https://good.example")));
    ConnectionEndpoint.map(application, "/c", Recorder.echoing());
    try (TestHost host = TestHost.start(application)) {
      String token = Recorder.negotiate(host); // no browser
      for (String method : new String[] {"GET", "POST", "DELETE"}) {
        host.request(method, "/c?id=" + token).header("Origin", "https://evil").expectStatus(403);
      }
      host.request("POST", "/c/negotiate").header("Origin", "https://evil").expectStatus(403);
      host.webSocket("/c?id=" + token).header("Origin", "https://evil").expectStatus(403);
      host.get("/c?id=" + token).header("Origin", "https://good.example").expectStatus(200);
    }
  }

  @Test
  void aGroupsStepsRunForEveryRequest() {
    Application application = new Application().use(WebSockets.with(o -> o.allowedOrigins("*")));
    application.mapGroup(
        "/api",
        api -> {
          api.use((context, next) -> {
            context.response().headers().set("X-Seen", "yes");
            next.handle(context);
          });
          ConnectionEndpoint.map(api, "/c", new ConnectionOptions(), Recorder.echoing());
        });
    try (TestHost host = TestHost.start(application)) {
      TestResponse answer = host.request("POST", "/API/c/negotiate").expectStatus(200);
      assertThat(answer.headers().get("X-Seen")).isEqualTo("yes");
    }
  }
}
