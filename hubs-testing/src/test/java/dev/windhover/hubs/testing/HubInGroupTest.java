package dev.windhover.hubs.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.Application;
import dev.windhover.hubs.Hub;
import dev.windhover.hubs.Hubs;
import dev.windhover.hubs.connections.TransportType;
import dev.windhover.testing.TestHost;
import dev.windhover.websocket.WebSockets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A hub within a group of routes: its steps and rules hold for each transport. */
class HubInGroupTest {
  public interface Client {
    void said(String text);
  }

  /** Says what it is told. */
  public static final class NewsHub extends Hub<Client> {
    public void say(String text) {
      clients().all().said(text);
    }
  }

  private final Application application =
      new Application().use(WebSockets.with(o -> o.allowedOrigins("*")));
  private final Hubs hubs = Hubs.on(application);
  private final List<String> seen = new CopyOnWriteArrayList<>();
  private final TestHost host = start();

  private TestHost start() {
    application.mapGroup(
        "/staff",
        staff -> {
          staff.requireRole("staff");
          staff.use((context, next) -> {
            seen.add(context.request().method() + " " + context.request().path());
            next.handle(context);
          });
          hubs.map(staff, "/news", NewsHub.class, NewsHub::new);
        });
    hubs.map("/news", NewsHub.class, NewsHub::new);
    return TestHost.start(application);
  }

  @AfterEach
  void close() {
    host.close();
  }

  private TestHubClient connect(TransportType transport, String path, String role) {
    return TestHubClient.connect(host, path, o -> o.transport(transport).user("ann", role));
  }

  @ParameterizedTest
  @EnumSource
  void theStepsOfTheGroupRunForEachRequest(TransportType transport) {
    try (TestHubClient client = connect(transport, "/staff/news", "staff")) {
      client.send("say", "hello");
      client.expectCall("said", "hello");
    }
    assertThat(seen).startsWith("POST /staff/news/negotiate", "GET /staff/news");
    assertThat(seen.contains("POST /staff/news")).isEqualTo(transport != TransportType.WEB_SOCKETS);
    assertThat(seen.contains("DELETE /staff/news"))
        .isEqualTo(transport == TransportType.LONG_POLLING);
  }

  /** The rule holds for each request, whoever has negotiated. */
  @Test
  void whomTheGroupRefusesComesNowhere() {
    try (TestHubClient client = connect(TransportType.LONG_POLLING, "/staff/news", "staff")) {
      seen.clear();
      String there = "/staff/news?id=" + client.connectionId();
      host.request("POST", "/staff/news/negotiate").user("bob", "guest").expectStatus(403);
      host.webSocket("/staff/news").user("bob", "guest").expectStatus(403);
      host.get(there).header("Accept", "text/event-stream").user("bob", "guest").expectStatus(403);
      host.get(there).user("bob", "guest").expectStatus(403);
      host.request("POST", there).body("x").user("bob", "guest").expectStatus(403);
      host.request("DELETE", there).user("bob", "guest").expectStatus(403);
      assertThat(seen).doesNotContain("POST /staff/news/negotiate", "DELETE /staff/news");
    }
  }

  /** It is one hub, wherever its clients connect. */
  @Test
  void clientsWithinAndOutsideHearTheSame() {
    try (TestHubClient inside = connect(TransportType.WEB_SOCKETS, "/staff/news", "staff");
        TestHubClient outside = connect(TransportType.SERVER_SENT_EVENTS, "/news", "guest")) {
      hubs.context(NewsHub.class).clients().all().said("hello");
      inside.expectCall("said", "hello");
      outside.expectCall("said", "hello");
    }
  }

  @Test
  void aGroupOfAnotherApplicationIsRefused() {
    new Application()
        .mapGroup(
            "/other",
            other ->
                assertThatThrownBy(() -> hubs.map(other, "/news", NewsHub.class, NewsHub::new))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("the group of path \"/news\" belongs to another application"));
  }
}
