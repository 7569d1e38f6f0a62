package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class DeferredResponseTest {
  @RegisterExtension final CapturedLog log = new CapturedLog();

  /** A request whose handler has returned. */
  private record Open(TestExchange exchange, DeferredResponse response) {}

  private static Open open(Handler before) {
    CompletableFuture<DeferredResponse> deferred = new CompletableFuture<>();
    Handler handler =
        context -> {
          before.handle(context);
          deferred.complete(context.response().defer());
        };
    TestExchange exchange =
        TestExchange.get("/").through(new Application().map("/", Handler.nonBlocking(handler)));
    return new Open(exchange, deferred.join());
  }

  @Test
  void isGivenAfterTheHandlerHasReturned() {
    Open open = open(context -> context.response().headers().set("X-Before", "yes"));
    assertThat(open.exchange.hasResponded()).isFalse();
    assertThat(open.response.isPending()).isTrue();
    assertThat(open.response.complete(context -> context.response().status(201).write("late")))
        .isTrue();
    TestExchange answered = open.exchange.finish();
    assertThat(answered.status()).isEqualTo(201);
    assertThat(answered.sentHeader("X-Before")).isEqualTo("yes");
    assertThat(answered.sentText()).isEqualTo("late");
    assertThat(answered.sentContentLength()).isEqualTo(4);
    assertThat(open.response.isPending()).isFalse();
  }

  @Test
  void theFirstAnswerCounts() {
    Open open = open(_ -> {});
    assertThat(open.response.complete(context -> context.response().write("first"))).isTrue();
    assertThat(open.response.complete(context -> context.response().write("second"))).isFalse();
    assertThat(open.exchange.finish().sentText()).isEqualTo("first");
  }

  @Test
  void anAnswerWaitsForTheHandlerToReturn() {
    List<String> order = new CopyOnWriteArrayList<>();
    Handler handler =
        context -> {
          context
              .response()
              .defer()
              .complete(answering -> {
                order.add("answer");
                answering.response().write("x");
              });
          order.add("handler returns");
        };
    TestExchange exchange = TestExchange.get("/").through(new Application().map("/", handler));
    assertThat(exchange.finish().sentText()).isEqualTo("x");
    assertThat(order).containsExactly("handler returns", "answer");
  }

  @Test
  void anAnswerThatFailsIsAnsweredAsAHandlers() {
    Open open = open(_ -> {});
    open.response.complete(_ -> {
      throw new HttpException(409, "no");
    });
    assertThat(open.exchange.finish().status()).isEqualTo(409);
    assertThat(open.exchange.sentText()).isEqualTo("no\n");
  }

  @Test
  void aHandlerThatFailsIsAnsweredInstead() {
    List<DeferredResponse> deferred = new ArrayList<>();
    Handler handler =
        context -> {
          deferred.add(context.response().defer());
          throw new HttpException(409, "no");
        };
    TestExchange exchange = TestExchange.get("/").through(new Application().map("/", handler));
    assertThat(exchange.finish().status()).isEqualTo(409);
    assertThat(deferred.getFirst().complete(context -> context.response().write("x"))).isFalse();
  }

  @Test
  void aClientThatIsGoneGetsNoAnswer() {
    Open open = open(_ -> {});
    List<String> ended = new ArrayList<>();
    open.response.ended().thenRun(() -> ended.add("ended"));
    open.exchange.clientGoes();
    assertThat(ended).containsExactly("ended");
    assertThat(open.response.isPending()).isFalse();
    assertThat(open.response.complete(context -> context.response().write("x"))).isFalse();
    assertThat(open.exchange.wasAborted()).as("whether the connection ends").isTrue();
  }

  @Test
  void theRequestIsOverWhenItIsAnswered() {
    CompletableFuture<String> over = new CompletableFuture<>();
    Open open = open(context -> context.response().onCompleted(() -> over.complete("over")));
    assertThat(over).isNotDone();
    open.response.complete(_ -> {});
    assertThat(open.exchange.finish().status()).isEqualTo(200);
    assertThat(over.join()).isEqualTo("over");
  }

  @Test
  void isDeferredOnce() {
    Open open = open(_ -> {});
    open.response.complete(context ->
        assertThatIllegalStateException()
            .isThrownBy(() -> context.response().defer())
            .withMessage("the response is deferred already"));
    assertThat(open.exchange.finish().status()).isEqualTo(200);
  }
}
