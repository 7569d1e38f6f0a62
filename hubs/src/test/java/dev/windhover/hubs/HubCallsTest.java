package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.HubFixture.Client;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class HubCallsTest {
  public static class Calls extends Hub<Void> {
    public String echo(String text) {
      return text;
    }

    public int add(int a, int b) {
      return a + b;
    }

    public void nothing() {}

    @NonBlocking
    public String echoOnLoop(String text) {
      assertThat(context().connection().connection().loop().inLoop()).isTrue();
      return text;
    }

    public String thread() {
      return String.valueOf(Thread.currentThread().isVirtual());
    }

    public CompletionStage<String> later(String text) {
      return CompletableFuture.supplyAsync(() -> text);
    }

    @NonBlocking
    public CompletionStage<String> laterOnLoop(String text) {
      return CompletableFuture.supplyAsync(() -> text);
    }

    public void fail(String text) {
      throw new HubException(text);
    }

    public CompletionStage<Void> failLater(String text) {
      return CompletableFuture.failedFuture(new HubException(text));
    }

    public String join(String... words) {
      return String.join(",", words);
    }

    public void ask() {
      throw new UncheckedIOException(new IOException("Connection 'x' does not exist."));
    }

    @HubMethodName("renamed")
    public String original() {
      return "renamed";
    }
  }

  private final HubFixture hub = HubFixture.of(Calls.class, Calls::new);
  private final Client client = hub.connect();

  @org.junit.jupiter.api.AfterEach
  void end() {
    hub.close();
  }

  @Test
  void aCallIsAnswered() {
    client.call("1", "echo", "'hi'").expectResult("1", "'hi'");
  }

  @Test
  void namesAreFoundInAnyCase() {
    client.call("1", "eCHO", "'hi'").expectResult("1", "'hi'");
    client.call("2", "Add", "1", "2").expectResult("2", "3");
  }

  @Test
  void aMethodWithoutAResultIsAnsweredWithNull() {
    client.call("1", "nothing").expectResult("1", "null");
  }

  @Test
  void aNonBlockingMethodRunsOnTheLoop() {
    client.call("1", "echoOnLoop", "'x'").expectResult("1", "'x'");
    client.call("2", "thread").expectResult("2", "'true'");
  }

  @Test
  void aStageIsAwaited() {
    client.call("1", "later", "'x'").expectResult("1", "'x'");
    client.call("2", "laterOnLoop", "'y'").expectResult("2", "'y'");
    client
        .call("3", "failLater", "'boom'")
        .expectError(
            "3",
            "An unexpected error occurred invoking 'failLater' on the server. HubException: boom");
  }

  @Test
  void aMethodIsCalledByTheNameThatItIsGiven() {
    client.call("1", "Renamed").expectResult("1", "'renamed'");
    client
        .call("2", "original")
        .expectError(
            "2",
            "Failed to invoke 'original' due to an error on the server. HubException: Method does"
                + " not exist.");
  }

  @Test
  void aVariadicListIsOneArray() {
    client.call("1", "join", "['a','b']").expectResult("1", "'a,b'");
  }

  @Test
  void whatWantsNoAnswerGetsNone() {
    client.send(
        "{'type':1,'target':'echo','arguments':['x']}",
        "{'type':1,'target':'fail','arguments':['x']}",
        "{'type':1,'target':'noSuch','arguments':[]}",
        "{'type':1,'target':'add','arguments':['x']}");
    client.call("1", "echo", "'still here'").expectResult("1", "'still here'");
  }

  /** As the proxies of dependency injection: the methods of another instance, its target. */
  public static class Proxy extends Calls {
    private final Calls target = new Calls();

    @Override
    public void bind(HubCallerContext context) {
      target.bind(context);
    }

    @Override
    public String echo(String text) {
      return target.echo(text);
    }

    @Override
    public String echoOnLoop(String text) {
      return target.echoOnLoop(text);
    }
  }

  @Test
  void aProxysTargetServesTheCall() {
    try (HubFixture proxied = HubFixture.of(Calls.class, Proxy::new)) {
      proxied.connect().call("1", "echoOnLoop", "'x'").expectResult("1", "'x'");
    }
  }

  @Nested
  class Errors {
    @Test
    void ofAHubExceptionTheClientIsToldAlways() {
      client
          .call("1", "fail", "'boom'")
          .expectError(
              "1",
              "An unexpected error occurred invoking 'fail' on the server. HubException: boom");
    }

    @Test
    void ofAnUncheckedIOExceptionTheClientIsToldTheCause() {
      try (HubFixture detailed =
          HubFixture.of(Calls.class, Calls::new, options -> options.enableDetailedErrors(true))) {
        detailed
            .connect()
            .call("1", "ask")
            .expectError(
                "1",
                "An unexpected error occurred invoking 'ask' on the server. IOException: Connection"
                    + " 'x' does not exist.");
      }
    }

    @Test
    void ofArgumentsTheClientIsToldNoDetails() {
      client
          .call("1", "add", "1")
          .expectError("1", "Failed to invoke 'add' due to an error on the server.");
    }
  }
}
