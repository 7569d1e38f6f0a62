package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.Repository;
import dev.windhover.verification.logs.StrictLogs;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Hubs behind nginx, set up as {@code docs/hubs.md} says. */
@Tag("full")
@ExtendWith(StrictLogs.class)
class NginxHubsTest {
  /** Each transport, in each protocol; and coming back, through a proxy before nginx. */
  private static final List<String> CELLS =
      List.of(
          "webSockets messagepack",
          "webSockets json automatic",
          "webSockets json stateful",
          "serverSentEvents json automatic",
          "longPolling json",
          "longPolling messagepack automatic");

  @TempDir private Path folder = Path.of("");

  @Test
  void eachTransportGoesThrough() throws Exception {
    try (HubStage stage = new HubStage(folder);
        Nginx nginx = Nginx.start(folder, configuration(URI.create(stage.url("http")).getPort()))) {
      stage.openProxiesBefore(nginx.port());
      stage.requireHoldInNode("http://127.0.0.1:" + nginx.port(), folder, CELLS);
    }
  }

  /** The page's own, with ports of ours, without TLS, and for the hub server's paths. */
  private static String configuration(int ours) throws IOException {
    String page = Files.readString(Repository.root().resolve("docs/hubs.md"));
    String chapter = page.substring(page.indexOf("## Behind nginx"));
    String begin = "```\n";
    int start = chapter.indexOf(begin) + begin.length();
    String documented = chapter.substring(start, chapter.indexOf("```", start));
    for (String each :
        List.of("listen 443 ssl;", "127.0.0.1:5000", "  server 127.0.0.1:5001;", "/chat")) {
      assertThat(documented).containsOnlyOnce(each);
    }
    return documented
        .replace("listen 443 ssl;", "listen 127.0.0.1:ITS;")
        .replace("127.0.0.1:5000", "127.0.0.1:" + ours)
        .replace("  server 127.0.0.1:5001;", "")
        .replace("/chat", "/");
  }
}
