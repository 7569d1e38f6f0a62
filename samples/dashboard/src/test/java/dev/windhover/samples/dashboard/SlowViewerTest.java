package dev.windhover.samples.dashboard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The slow viewer that the page can switch on, over a real connection: it needs one. */
class SlowViewerTest {
  private final BlockingQueue<String> ticks = new LinkedBlockingQueue<>();

  private final class Page implements WebSocket.Listener {
    private String text = "";

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
      text += part;
      if (last) {
        ticks.add(text);
        text = "";
      }
      socket.request(1);
      return null;
    }
  }

  private void await(Predicate<String> expected) throws InterruptedException {
    for (String tick = ""; !expected.test(tick); ) {
      tick = ticks.poll(10, TimeUnit.SECONDS);
      assertThat(tick).isNotNull();
    }
  }

  @Test
  void isSwitchedOnAndOff() throws Exception {
    try (WebApplication app = Dashboard.create(new Machine(), "--urls=http://127.0.0.1:0").start();
        HttpClient client = HttpClient.newHttpClient()) {
      URI address = URI.create(app.urls().getFirst().replace("http", "ws") + "/ticks");
      WebSocket page = client.newWebSocketBuilder().buildAsync(address, new Page()).join();
      await(tick -> tick.contains("\"viewers\":1,\"slow\":null"));
      page.sendText("slow on", true).join();
      await(tick ->
          tick.matches("\\{\"tick\":\\d+,\"at\":\\d+,\"viewers\":2,\"slow\":\\{\"tick\":[1-9].*"));
      page.sendText("slow off", true).join();
      await(tick -> tick.contains("\"viewers\":1,\"slow\":null"));
      page.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
    }
  }
}
