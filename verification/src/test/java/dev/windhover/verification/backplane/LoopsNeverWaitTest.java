package dev.windhover.verification.backplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Application;
import dev.windhover.http.Handler;
import dev.windhover.hubs.Hub;
import dev.windhover.hubs.HubContext;
import dev.windhover.hubs.Hubs;
import dev.windhover.hubs.backplane.Backplane;
import dev.windhover.hubs.backplane.Form;
import dev.windhover.hubs.backplane.HubLink;
import dev.windhover.hubs.backplane.LocalHub;
import dev.windhover.hubs.backplane.Target;
import dev.windhover.testing.TestHost;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Wire;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A loop that has no connection of a hub does not wait for the hub's backplane either. */
@ExtendWith(StrictLogs.class)
class LoopsNeverWaitTest {
  /** Has clients that answer. */
  public static final class Answers extends Hub<Answers.Client> {
    /** What clients do. */
    public interface Client {
      /** Answers with a number. */
      int number();
    }
  }

  /** Other servers that never answer. */
  private static final class Silent implements Backplane, HubLink {
    @Override
    public HubLink join(Class<?> hub, LocalHub here) {
      return this;
    }

    @Override
    public @Nullable String connectionIdPrefix() {
      return null;
    }

    @Override
    public void send(Target to, Set<String> except, List<Form> forms, Runnable here) {
      here.run();
    }

    @Override
    public void ask(String connectionId, String invocationId, List<Form> forms, Duration limit) {}

    @Override
    public void forget(String invocationId) {}

    @Override
    public CompletionStage<Boolean> addToGroup(String connectionId, String group) {
      return new CompletableFuture<>();
    }

    @Override
    public CompletionStage<Boolean> removeFromGroup(String connectionId, String group) {
      return new CompletableFuture<>();
    }

    @Override
    public CompletionStage<Boolean> changed(Target target) {
      return new CompletableFuture<>();
    }
  }

  /** Maps what calls the hub on a loop, for a connection that is not here. */
  private static void map(Application application) {
    HubContext<Answers.Client> hub =
        Hubs.on(application).backplane(new Silent()).context(Answers.class);
    application.map(
        "/add",
        Handler.nonBlocking(context ->
            context.response().write("added: " + hub.groups().add("elsewhere", "room"))));
    application.map(
        "/ask",
        Handler.nonBlocking(context -> {
          try {
            context.response().write("number: " + hub.clients().client("elsewhere").number());
          } catch (IllegalStateException e) {
            context.response().write(String.valueOf(e.getMessage()));
          }
        }));
  }

  private static final String REFUSED =
      "an event loop cannot wait for the result of 'number': call it from a method that may block";

  @Test
  void ofTheTestHost() {
    Application application = new Application();
    map(application);
    try (TestHost host = TestHost.start(application)) {
      assertThat(host.get("/add").send().text()).isEqualTo("added: false");
      assertThat(host.get("/ask").send().text()).isEqualTo(REFUSED);
    }
  }

  @Test
  void ofAServer() throws Exception {
    WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
    map(app);
    app.start();
    try (Wire wire = Wire.connect(URI.create(app.urls().getFirst()).getPort())) {
      wire.send("GET /add HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(wire.response().body()).isEqualTo("added: false");
      wire.send("GET /ask HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(wire.response().body()).isEqualTo(REFUSED);
    } finally {
      app.stop();
    }
  }
}
