package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.host.HostContext;
import dev.windhover.http.host.Takeover;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApplicationTest {
  @RegisterExtension final CapturedLog log = new CapturedLog();

  private final Application application = new Application();
  private final List<String> events = new CopyOnWriteArrayList<>();

  private Middleware noting(String name) {
    return (context, next) -> {
      events.add(name);
      next.handle(context);
      events.add(name + " " + context.response().status());
    };
  }

  @Nested
  class Routing {
    @Test
    void aHandlerSeesItsRouteParametersAndQuery() {
      application.mapGet(
          "/chat/{room}",
          context -> {
            HttpRequest request = context.request();
            assertThat(context.route()).isEqualTo("/chat/{room}");
            assertThat(request.path()).isEqualTo("/chat/a b");
            assertThat(request.target()).isEqualTo("/chat/./a%20b?x=%2F");
            assertThat(request.pathParameter("room")).isEqualTo("a b");
            assertThat(request.query().get("x")).isEqualTo("/");
            assertThat(context.application()).isSameAs(application);
            assertThatIllegalArgumentException()
                .isThrownBy(() -> request.pathParameter("other"))
                .withMessage("the route has no path parameter {other}");
          });
      assertThat(TestExchange.get("/chat/./a%20b?x=%2F").through(application).status())
          .isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({
      "/, example.com, example.com",
      "http://example.org:80/, example.com, example.org:80",
    })
    void theTargetsHostGoesBeforeTheHeaders(String target, String header, String host) {
      application.map("/", context -> context.response().write(context.request().host()));
      TestExchange sent = TestExchange.get(target).header("Host", header).through(application);
      assertThat(sent.sentText()).isEqualTo(host);
    }

    @ParameterizedTest
    @CsvSource({"GET, get", "HEAD, ''", "POST, post", "PUT, put", "DELETE, delete", "CONNECT, any"})
    void theMethodChoosesTheHandler(String method, String handler) {
      application
          .mapGet("/", context -> context.response().write("get"))
          .mapPost("/", context -> context.response().write("post"))
          .mapPut("/", context -> context.response().write("put"))
          .mapDelete("/", context -> context.response().write("delete"))
          .map("/", context -> context.response().write("any"));
      TestExchange sent = TestExchange.of(method, "/").through(application);
      assertThat(sent.status()).isEqualTo(200);
      assertThat(sent.sentText()).isEqualTo(handler);
    }

    @Test
    void noRouteIs404() {
      TestExchange sent = TestExchange.get("/other").through(application.map("/", context -> {}));
      assertThat(sent.status()).isEqualTo(404);
      assertThat(sent.sentText()).isEqualTo("not found\n");
      assertThat(sent.sentHeader("Allow")).isNull();
    }

    @Test
    void anotherMethodIs405WithAllow() {
      application.mapPost("/", context -> {}).mapGet("/", context -> {});
      TestExchange sent = TestExchange.of("PUT", "/").through(application);
      assertThat(sent.status()).isEqualTo(405);
      assertThat(sent.sentHeader("Allow")).isEqualTo("GET, HEAD, POST");
      assertThat(sent.sentText()).isEqualTo("method not allowed\n");
    }

    @Test
    void aMalformedTargetIs400() {
      TestExchange sent = TestExchange.get("/%zz").through(application.map("/{*a}", context -> {}));
      assertThat(sent.status()).isEqualTo(400);
      assertThat(sent.sentText()).isEqualTo("malformed percent-encoding in the path\n");
    }

    @Test
    void anAmbiguousPathReachesItsRouteUnlessThatIsRefused() {
      application.map("/admin", context -> {});
      assertThat(TestExchange.get("/x/../%61dmin").through(application).status()).isEqualTo(200);

      Application strict = new Application().refuseAmbiguousPaths().map("/admin", context -> {});
      TestExchange sent = TestExchange.get("/x/../admin").through(strict);
      assertThat(sent.status()).isEqualTo(400);
      assertThat(sent.sentText()).isEqualTo("ambiguous path: dot segment\n");
      assertThat(TestExchange.get("/%61dmin").through(strict).status()).isEqualTo(400);
      assertThat(TestExchange.get("/admin?a=/../").through(strict).status()).isEqualTo(200);
    }

    @Test
    void aMalformedQueryIs400OnceItIsAskedFor() {
      application.map("/", context -> {});
      application.map("/query", context -> context.request().query());
      assertThat(TestExchange.get("/?a=%").through(application).status()).isEqualTo(200);
      assertThat(TestExchange.get("/query?a=%").through(application).status()).isEqualTo(400);
    }

    @Test
    void aRouteThatCannotBeFailsWhereItIsMapped() {
      application.map("/a", context -> {});
      assertThatIllegalArgumentException()
          .isThrownBy(() -> application.map("/a", context -> {}))
          .withMessage("route /a is already mapped");
      assertThatIllegalArgumentException().isThrownBy(() -> application.map("a", context -> {}));
    }

    @Test
    void nothingIsAddedOnceItIsBuilt() {
      application.build();
      String message = "the application is already built";
      assertThatIllegalStateException()
          .isThrownBy(() -> application.map("/", context -> {}))
          .withMessage(message);
      assertThatIllegalStateException()
          .isThrownBy(() -> application.use((context, next) -> {}))
          .withMessage(message);
    }
  }

  @Nested
  class Pipeline {
    @Test
    void middlewareRunsInTheOrderInWhichItWasAdded() {
      application.use(noting("first")).use(noting("second"));
      application.map("/", context -> context.response().status(202));
      TestExchange.get("/").through(application);
      assertThat(events).containsExactly("first", "second", "second 202", "first 202");
    }

    @Test
    void middlewareSeesWhatNoRouteAnswers() {
      application.use(noting("it")).mapGet("/", context -> {});
      TestExchange.get("/other").through(application);
      TestExchange.of("PUT", "/").through(application);
      assertThat(events).containsExactly("it", "it 404", "it", "it 405");
    }

    @Test
    void middlewareMayAnswerByItself() {
      application.use((context, next) -> context.response().status(403));
      application.use(noting("behind")).map("/", context -> {});
      assertThat(TestExchange.get("/").through(application).status()).isEqualTo(403);
      assertThat(events).isEmpty();
    }

    @Test
    void middlewareMayAnswerForAFailedHandler() {
      application.use((context, next) -> {
        try {
          next.handle(context);
        } catch (IllegalStateException e) {
          context.response().status(409);
        }
      });
      application.map(
          "/",
          context -> {
            throw new IllegalStateException("conflict");
          });
      assertThat(TestExchange.get("/").through(application).status()).isEqualTo(409);
    }

    @Test
    void itemsAndUserGoDownThePipeline() {
      application.use((context, next) -> {
        context.items().put("tenant", "a");
        context.user(() -> "zoë");
        next.handle(context);
      });
      application.map(
          "/",
          context -> {
            assertThat(context.items()).containsEntry("tenant", "a");
            assertThat(context.user()).isNotNull();
          });
      assertThat(TestExchange.get("/").through(application).status()).isEqualTo(200);
    }

    @Test
    void aHandlerHasAVirtualThreadOfItsOwn() {
      application.map(
          "/", context -> context.response().write("" + Thread.currentThread().isVirtual()));
      TestExchange sent = TestExchange.get("/").through(application);
      assertThat(sent.sentText()).isEqualTo("true");
      assertThat(sent.hadThread()).isTrue();
    }

    @Test
    void aNonBlockingPipelineRunsOnTheLoop() {
      application.use(Middleware.nonBlocking(noting("it")));
      application.map("/", Handler.nonBlocking(context -> {}));
      assertThat(TestExchange.get("/").through(application).hadThread()).isFalse();
      assertThat(TestExchange.get("/other").through(application).hadThread()).isFalse();
      assertThat(events).containsExactly("it", "it 200", "it", "it 404");
    }

    @Test
    void oneStepThatMayBlockTakesThePipelineOffTheLoop() {
      application.use(Middleware.nonBlocking(noting("first"))).use(noting("second"));
      application.map("/", Handler.nonBlocking(context -> {}));
      assertThat(TestExchange.get("/").through(application).hadThread()).isTrue();
    }

    @Test
    void webSocketsAreMissedInClearWords() {
      application.map(
          "/",
          context -> {
            assertThat(context.webSockets().isWebSocketRequest()).isFalse();
            assertThat(HostContext.of(context).hasWebSockets()).isFalse();
          });
      application.mapWebSocket("/ws", socket -> {});
      assertThat(TestExchange.get("/").through(application).status()).isEqualTo(200);
      assertThat(TestExchange.get("/ws").through(application).status()).isEqualTo(500);
      assertThat(log.take()).contains("WebSockets are not enabled: call useWebSockets()");
    }
  }

  @Nested
  class Failures {
    private void mapFailing(Exception failure) {
      application.map(
          "/",
          context -> {
            context.response().status(201).headers().set("X-Secret", "1");
            context.response().write("half an answer");
            throw failure;
          });
    }

    @Test
    void aFailedHandlerIs500WithoutDetails() {
      mapFailing(new IOException("the password is 1234"));
      TestExchange sent = TestExchange.get("/").through(application);
      assertThat(sent.status()).isEqualTo(500);
      assertThat(sent.sentText()).isEqualTo("internal server error\n");
      assertThat(sent.sentHeader("X-Secret")).isNull();
      assertThat(log.take())
          .contains("ERROR", "request request-7 failed", "the password is 1234", "ApplicationTest");
    }

    @Test
    void theErrorLineNamesTheRequestWithoutItsQuery() {
      application.map(
          "/orders/{id}",
          context -> {
            throw new IOException("no luck");
          });
      TestExchange.of("POST", "/orders/7?access_token=secret")
          .from(new InetSocketAddress("192.0.2.1", 4711))
          .through(application);
      assertThat(log.take())
          .contains(
              "request request-7 failed: POST /orders/7 (route /orders/{id}) from 192.0.2.1\n")
          .doesNotContain("secret");
    }

    @Test
    void theErrorLineSaysIfNoRouteMatched() {
      application.use((context, next) -> {
        throw new IOException("no luck");
      });
      InetSocketAddress client = new InetSocketAddress(InetAddress.ofLiteral("::1"), 4711);
      TestExchange.get("/nothing?x").from(client).through(application);
      assertThat(log.take())
          .contains("request request-7 failed: GET /nothing (no route) from 0:0:0:0:0:0:0:1\n");
    }

    @Test
    void developmentShowsTheStackTrace() {
      mapFailing(new IOException("the password is 1234"));
      TestExchange sent =
          TestExchange.get("/")
              .through(application.environment("Development").useDeveloperExceptionPage());
      assertThat(sent.status()).isEqualTo(500);
      assertThat(sent.sentText()).contains("java.io.IOException: the password is 1234", "\tat ");
      assertThat(sent.sentHeader("Content-Type")).isEqualTo("text/plain; charset=utf-8");
      assertThat(log.take()).contains("request request-7 failed");
    }

    @Test
    void anErrorIsAnsweredToo() {
      application.map(
          "/",
          Handler.nonBlocking(context -> {
            throw new AssertionError("broken");
          }));
      assertThat(TestExchange.get("/").through(application).status()).isEqualTo(500);
      assertThat(log.take()).contains("request request-7 failed", "broken");
    }

    @Test
    void anHttpExceptionIsItsAnswerAndNoErrorInTheLog() {
      Headers headers = new Headers().add("Retry-After", "7");
      mapFailing(new HttpException(503, "10 of 10 seats taken", headers));
      TestExchange sent = TestExchange.get("/").through(application);
      assertThat(sent.status()).isEqualTo(503);
      assertThat(sent.sentText()).isEqualTo("10 of 10 seats taken\n");
      assertThat(sent.sentHeader("Retry-After")).isEqualTo("7");
      assertThat(sent.sentHeader("X-Secret")).isNull();
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 302, 600})
    void anHttpExceptionIsAFailure(int status) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new HttpException(status, "no"))
          .withMessage("status " + status + " is not within 400-599");
    }

    @Test
    void aFailureAfterTheStartAborts() {
      application.map(
          "/",
          context -> {
            context.response().write("half an ");
            context.response().flush();
            throw new HttpException(400, "too late");
          });
      TestExchange sent = TestExchange.get("/").through(application);
      assertThat(sent.wasAborted()).isTrue();
      assertThat(sent.sentText()).isEqualTo("half an ");
    }

    @Test
    void aHandlerThatAbortsIsNotAnswered() {
      application.map("/", HttpContext::abort);
      TestExchange sent = TestExchange.get("/").through(application);
      assertThat(sent.wasAborted()).isTrue();
      assertThat(sent.hasResponded()).isFalse();
    }

    @Test
    void anInterruptIsForTheHandlerNotForItsAnswer() {
      List<Boolean> interrupted = new ArrayList<>();
      application.map(
          "/",
          context -> {
            context
                .response()
                .onStarting(() -> interrupted.add(Thread.currentThread().isInterrupted()));
            Thread.currentThread().interrupt();
          });
      assertThat(TestExchange.get("/").through(application).status()).isEqualTo(200);
      assertThat(interrupted).containsExactly(false);
    }

    @Test
    void anAnswerToFailureThatFailsAborts() {
      application.map(
          "/",
          context -> {
            for (int i = 0; i < 2; i++) {
              context
                  .response()
                  .onStarting(() -> {
                    throw new IllegalStateException("no luck");
                  });
            }
          });
      assertThat(TestExchange.get("/").through(application).wasAborted()).isTrue();
      assertThat(log.take()).containsOnlyOnce("request request-7 failed");
    }
  }

  @Nested
  class ClientGone {
    @Test
    void theHandlersFailureIsThenNoError() {
      TestExchange exchange = TestExchange.get("/");
      application.map(
          "/",
          Handler.nonBlocking(context -> {
            exchange.clientGoes();
            throw new IOException("connection reset");
          }));
      assertThat(exchange.through(application).wasAborted()).isTrue();
    }

    @Test
    void anApplicationCannotSayThatItIs() {
      application.map(
          "/",
          context -> {
            assertThatThrownBy(() -> context.aborted().complete(null))
                .isInstanceOf(UnsupportedOperationException.class);
            assertThatThrownBy(() -> context.aborted().cancel(true))
                .isInstanceOf(UnsupportedOperationException.class);
            assertThatThrownBy(() -> context.aborted().orTimeout(1, TimeUnit.NANOSECONDS))
                .isInstanceOf(UnsupportedOperationException.class);
            context.aborted().copy().complete(null); // is its own
            throw new IOException("on purpose");
          });
      TestExchange sent = TestExchange.get("/").through(application);
      assertThat(sent.wasAborted()).isFalse();
      assertThat(sent.status()).isEqualTo(500);
      assertThat(log.take()).contains("request request-7 failed", "on purpose");
    }

    @Test
    void aFailedWriteIsNoError() {
      TestExchange exchange = TestExchange.get("/");
      application.map(
          "/",
          Handler.nonBlocking(context -> {
            context.response().flush();
            exchange.loseWrites(); // the host notices a little later
            context.response().write("anybody?");
          }));
      assertThat(exchange.through(application).wasAborted()).isTrue();
    }

    @Test
    void aFileThatIsNotThereIsAnErrorAllTheSame(@TempDir Path folder) {
      application.map(
          "/", context -> context.response().writeFile(folder.resolve("film.mp4"), 0, 1));
      assertThat(TestExchange.get("/").through(application).wasAborted()).isTrue();
      assertThat(log.take()).contains("request request-7 failed", "film.mp4");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFileThatCannotBeSentIsNoError(boolean known, @TempDir Path folder) throws IOException {
      Path file = Files.writeString(folder.resolve("film.mp4"), "film");
      TestExchange exchange = TestExchange.get("/");
      application.map(
          "/",
          Handler.nonBlocking(context -> {
            exchange.loseWrites();
            if (known) {
              exchange.clientGoes();
            }
            context.response().writeFile(file, 0, 4);
          }));
      assertThat(exchange.through(application).wasAborted()).isTrue();
    }

    @Test
    void aHandlerThatAskedForItIsInterrupted() throws InterruptedException {
      CountDownLatch waiting = new CountDownLatch(1);
      application.map(
          "/",
          context -> {
            context.interruptWhenAborted();
            waiting.countDown();
            try {
              new CountDownLatch(1).await();
            } finally {
              events.add("interrupted");
            }
          });
      TestExchange exchange = TestExchange.get("/").begin(application);
      waiting.await();
      exchange.clientGoes();
      exchange.finish();
      assertThat(events).containsExactly("interrupted");
    }

    @Test
    void theLoopIsNeverInterrupted() {
      application.map(
          "/",
          Handler.nonBlocking(context ->
              assertThatIllegalStateException()
                  .isThrownBy(context::interruptWhenAborted)
                  .withMessage("a non-blocking handler cannot be interrupted")));
      assertThat(TestExchange.get("/").through(application).status()).isEqualTo(200);
    }
  }

  @Nested
  class OnCompleted {
    @Test
    void runsBehindTheResponseTheLastAddedFirst() {
      TestExchange exchange = TestExchange.get("/");
      application.map(
          "/",
          context -> {
            context.response().onCompleted(() -> events.add("outer " + exchange.status()));
            context.response().onCompleted(() -> events.add("inner " + exchange.status()));
          });
      exchange.through(application);
      assertThat(events).containsExactly("inner 200", "outer 200");
    }

    @Test
    void runsAfterAFailure() {
      application.map(
          "/",
          context -> {
            context.response().onCompleted(() -> events.add("completed"));
            throw new HttpException(400, "no");
          });
      TestExchange.get("/").through(application);
      assertThat(events).containsExactly("completed");
    }

    @Test
    void oneThatFailsDoesNotKeepTheOthers() {
      application.map(
          "/",
          context -> {
            context.response().onCompleted(() -> events.add("completed"));
            context
                .response()
                .onCompleted(() -> {
                  throw new IllegalStateException("no luck");
                });
          });
      assertThat(TestExchange.get("/").through(application).status()).isEqualTo(200);
      assertThat(events).containsExactly("completed");
      assertThat(log.take())
          .contains("a task on completion of request request-7 failed", "no luck");
    }
  }

  @Nested
  class TakenOver {
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    private final Takeover takeover =
        new Takeover() {
          @Override
          public void handlerEnded(@Nullable Throwable failure) {
            events.add("handler ended with " + failure);
          }

          @Override
          public CompletableFuture<Void> ended() {
            return ended;
          }
        };

    @Test
    void theRequestEndsWithTheTakeover() {
      application.map(
          "/",
          context -> {
            context.response().onStarting(() -> events.add("starting"));
            context.response().onCompleted(() -> events.add("completed"));
            HostContext.of(context).takeOver(takeover);
            assertThat(context.response().hasStarted()).isTrue();
          });
      TestExchange sent = TestExchange.get("/").through(application);
      assertThat(sent.hasResponded()).isFalse();
      assertThat(events).containsExactly("starting", "handler ended with null");
      ended.complete(null);
      sent.finish();
      assertThat(events).endsWith("completed");
    }

    @Test
    void aTaskThatIsAddedBehindTheHandlerWaitsForTheTakeoverToo() {
      AtomicReference<HttpContext> seen = new AtomicReference<>();
      application.map(
          "/",
          context -> {
            seen.set(context);
            HostContext.of(context).takeOver(takeover);
          });
      TestExchange sent = TestExchange.get("/").through(application);
      HttpResponse response = seen.get().response();
      response.onCompleted(() -> events.add("second"));
      response.onCompleted(() -> events.add("first"));
      assertThat(events).containsExactly("handler ended with null");
      ended.complete(null);
      sent.finish();
      assertThat(events).containsExactly("handler ended with null", "first", "second");
    }

    @Test
    void aFailureIsToldAndNotAnswered() {
      application.map(
          "/",
          context -> {
            HostContext.of(context).takeOver(takeover);
            throw new IOException("broken");
          });
      TestExchange sent = TestExchange.get("/").through(application);
      assertThat(sent.hasResponded()).isFalse();
      assertThat(events).containsExactly("handler ended with java.io.IOException: broken");
    }

    @Test
    void thereIsNoBody() {
      application.map(
          "/",
          context -> {
            HostContext.of(context).takeOver(takeover);
            assertThatIllegalStateException()
                .isThrownBy(() -> context.response().write("hello"))
                .withMessage("the request was upgraded and has no response body");
            assertThatIllegalStateException()
                .isThrownBy(() -> context.response().status(400))
                .withMessage("the response has started");
          });
      TestExchange.get("/").through(application);
      assertThat(events).containsExactly("handler ended with null");
    }

    @Test
    void comesBeforeAnyBody() {
      application.map(
          "/",
          context -> {
            context.response().write("hello");
            HostContext.of(context).takeOver(takeover);
          });
      assertThat(TestExchange.get("/").through(application).status()).isEqualTo(500);
      assertThat(log.take()).contains("a body was written, so the request cannot be upgraded");
    }
  }

  @Nested
  class Stopping {
    @Test
    void isToldAndWaitsForItsTasks() {
      CompletableFuture<Void> drained = new CompletableFuture<>();
      application.endOnStop(() -> drained);
      assertThat(application.stopping()).isNotDone();
      CompletableFuture<Void> stopped = application.beginStop();
      assertThat(application.stopping()).isCompleted();
      assertThat(stopped).isNotDone();
      drained.complete(null);
      assertThat(stopped).isCompleted();
    }

    @Test
    void isNotBegunByWhoeverIsTold() {
      assertThatThrownBy(() -> application.stopping().complete(null))
          .isInstanceOf(UnsupportedOperationException.class);
      assertThat(application.stopping()).isNotDone();
      application.beginStop();
      assertThat(application.stopping()).isCompleted();
    }

    @Test
    void eachTaskRunsOnceAndAFailureKeepsNoOther() {
      application.endOnStop(() -> {
        throw new IllegalStateException("no luck");
      });
      application.endOnStop(() -> {
        events.add("stopping");
        return CompletableFuture.completedFuture(null);
      });
      assertThat(application.beginStop()).isCompletedExceptionally();
      assertThat(application.beginStop()).isCompleted();
      assertThat(events).containsExactly("stopping");
    }
  }
}
