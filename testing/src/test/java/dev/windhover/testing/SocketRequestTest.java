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
