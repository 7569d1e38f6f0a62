package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Application;
import dev.windhover.http.HttpException;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sockets that are mapped together with their request. */
class SocketRequestTest {
  private final Application application =
      new Application().use(new WebSockets(new WebSocketOptions().allowedOrigins("*")));

  private TestHost start(Form form) {
    var settings =
        new WebSocketAcceptContext()
            .subprotocolSelector(offered -> offered.contains("chat") ? "chat" : null);
    if (form == Form.BLOCKING) {
      application.mapWebSocket(
          "/chat/{room}",
          settings,
          (context, socket) -> {
            String room = context.request().pathParameter("room");
            for (Message message : socket) {
              socket.sendText(room + ": " + ((Message.Text) message).text());
            }
          });
    } else {
      application.mapWebSocketListener(
          "/chat/{room}",
          settings,
          context -> {
            String room = context.request().pathParameter("room");
            if (room.equals("forgotten")) {
              return forgotten();
            }
            if (room.equals("closed")) {
              throw new HttpException(403, "the room is closed");
            }
            return new WebSocketListener() {
              @Override
              public void onText(WebSocket socket, String text) throws IOException {
                socket.trySend(new Message.Text(room + ": " + text));
              }
            };
          });
    }
    return TestHost.start(application);
  }

  @SuppressWarnings("NullAway") // the application's mistake
  private static WebSocketListener forgotten() {
    return null;
  }

  @ParameterizedTest
  @EnumSource
  void knowTheirRequest(Form form) {
    try (TestHost host = start(form)) {
      TestWebSocket client = host.webSocket("/chat/attic").connect();
      client.sendText("hello");
      client.expectText("attic: hello").close();
      TestWebSocket over2 = host.webSocket("/chat/cellar").http2().connect();
      over2.sendText("hello");
      over2.expectText("cellar: hello").close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void haveTheSettingsOfTheirRoute(Form form) {
    try (TestHost host = start(form)) {
      TestWebSocket client = host.webSocket("/chat/attic").subprotocols("x", "chat").connect();
      assertThat(client.subprotocol()).isEqualTo("chat");
      client.close();
    }
  }

  /** Each call of a group does what the application's does. */
  @Test
  void mayBeMappedInAGroup() {
    WebSocketAcceptContext chat = new WebSocketAcceptContext().subprotocol("chat");
    WebSocketListener greeter =
        new WebSocketListener() {
          @Override
          public void onOpen(WebSocket socket) throws Exception {
            WebSocketListener.super.onOpen(socket);
            socket.sendText("hello");
          }
        };
    application.mapGroup(
        "/a",
        a ->
            a.mapWebSocket("/1", socket -> socket.sendText("hello"))
                .mapWebSocket("/2", (context, socket) -> socket.sendText("hello"))
                .mapWebSocket("/3", chat, socket -> socket.sendText("hello"))
                .mapWebSocket("/4", chat, (context, socket) -> socket.sendText("hello"))
                .mapWebSocketListener("/5", context -> greeter)
                .mapWebSocketListener("/6", chat, context -> greeter));
    try (TestHost host = TestHost.start(application)) {
      for (String path : List.of("/a/1", "/a/2", "/a/5")) {
        TestWebSocket client = host.webSocket(path).subprotocols("chat").connect();
        client.expectText("hello").close();
        assertThat(client.subprotocol()).as(path).isNull();
      }
      for (String path : List.of("/a/3", "/a/4", "/a/6")) {
        TestWebSocket client = host.webSocket(path).subprotocols("chat").connect();
        client.expectText("hello").close();
        assertThat(client.subprotocol()).as(path).isEqualTo("chat");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatIsNoHandshakeIsAnsweredAsEver(Form form) {
    try (TestHost host = start(form)) {
      assertThat(host.get("/chat/closed").send().status()).isEqualTo(400);
      TestRequest old = host.webSocket("/chat/closed").header("Sec-WebSocket-Version", "12");
      assertThat(old.send().status()).isEqualTo(426);
    }
  }

  @ParameterizedTest
  @EnumSource(names = "LISTENER")
  void aListenerThatIsNotMadeRefusesTheSocket(Form form) {
    try (TestHost host = start(form)) {
      TestResponse refused = host.webSocket("/chat/closed").send();
      assertThat(refused.status()).isEqualTo(403);
      assertThat(refused.text()).isEqualTo("the room is closed\n");
    }
  }

  @ParameterizedTest
  @EnumSource(names = "LISTENER")
  void aFactoryThatForgetsItsListenerIsNamed(Form form) {
    try (TestHost host = start(form)) {
      host.webSocket("/chat/forgotten").expectStatus(500);
      assertThat(host.expectFailure())
          .isInstanceOf(NullPointerException.class)
          .hasMessage("the factory's listener");
    }
  }
}
