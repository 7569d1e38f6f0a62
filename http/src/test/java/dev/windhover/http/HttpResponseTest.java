package dev.windhover.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpResponseTest {
  private static final String LONG = "windhover ".repeat(1000); // more than the buffer of 8 KiB

  @RegisterExtension final CapturedLog log = new CapturedLog();

  private static TestExchange answer(String method, Handler handler) {
    return TestExchange.of(method, "/").through(new Application().map("/", handler));
  }

  private static TestExchange get(Handler handler) {
    return answer("GET", handler);
  }

  @Nested
  class Body {
    @Test
    void anEmptyResponseIs200() {
      TestExchange sent = get(context -> {});
      assertThat(sent.status()).isEqualTo(200);
      assertThat(sent.sentContentLength()).isZero();
      assertThat(sent.sentHeaders()).isEmpty();
    }

    @Test
    void aShortBodyIsSentWithItsLength() {
      TestExchange sent = get(context -> context.response().write("zoë").write("!"));
      assertThat(sent.sentText()).isEqualTo("zoë!");
      assertThat(sent.sentContentLength()).isEqualTo(5);
      assertThat(sent.sentHeader("Content-Type")).isEqualTo("text/plain; charset=utf-8");
    }

    @Test
    void aContentTypeThatWasSetStays() {
      TestExchange sent = get(context -> context.response().contentType("text/html").write("<p>"));
      assertThat(sent.sentHeader("content-type")).isEqualTo("text/html");
    }

    @Test
    void aLongBodyIsSentAsItComes() {
      TestExchange sent =
          get(context -> {
            context.response().write("> ").write(LONG);
            assertThat(context.response().hasStarted()).isTrue();
            context.response().write(" <");
          });
      assertThat(sent.sentText()).isEqualTo("> " + LONG + " <");
      assertThat(sent.sentContentLength()).isEqualTo(-1);
    }

    @Test
    void aFlushSendsWhatIsThere() {
      TestExchange sent =
          get(context -> {
            context.response().write("a");
            context.response().body().flush();
            assertThat(context.response().hasStarted()).isTrue();
            context.response().body().write("bc".getBytes(UTF_8), 1, 1);
            context.response().body().write('d');
          });
      assertThat(sent.sentText()).isEqualTo("acd");
      assertThat(sent.flushes()).isPositive();
    }

    @Test
    void aFileIsSentAsAFile(@TempDir Path folder) throws IOException {
      Path file = Files.writeString(folder.resolve("file"), "0123456789");
      TestExchange sent =
          get(context -> {
            context.response().contentLength(6).write(": ");
            context.response().writeFile(file, 2, 4);
          });
      assertThat(sent.sentText()).isEqualTo(": 2345");
      assertThat(sent.filesWritten()).isEqualTo(1);
      assertThat(sent.sentContentLength()).isEqualTo(6);
    }
  }

  @Nested
  class WithoutBody {
    @Test
    void headIsAnsweredAsGetWithoutTheBody() {
      TestExchange sent = answer("HEAD", context -> context.response().write("hello"));
      assertThat(sent.status()).isEqualTo(200);
      assertThat(sent.sentContentLength()).isEqualTo(5);
      assertThat(sent.sentBytes()).isEmpty();
    }

    @Test
    void headOfALongBodyHasNoLength() {
      TestExchange sent = answer("HEAD", context -> context.response().write(LONG).write(LONG));
      assertThat(sent.sentContentLength()).isEqualTo(-1);
    }

    @Test
    void headSaysTheLengthThatWasSet() {
      TestExchange sent = answer("HEAD", context -> context.response().contentLength(1_000_000));
      assertThat(sent.sentContentLength()).isEqualTo(1_000_000);
    }

    @Test
    void headThatWritesNothingSaysNothingOfTheLength() {
      assertThat(answer("HEAD", context -> {}).sentContentLength()).isEqualTo(-1);
    }

    @Test
    void status204HasNoLength() {
      TestExchange sent = get(context -> context.response().contentLength(0).status(204));
      assertThat(sent.status()).isEqualTo(204);
      assertThat(sent.sentContentLength()).isEqualTo(-1);
    }

    @Test
    void status205HasTheLengthZero() {
      assertThat(get(context -> context.response().status(205)).sentContentLength()).isZero();
    }

    @Test
    void status304MaySayTheLengthOfWhatItDoesNotSend() {
      assertThat(get(context -> context.response().status(304)).sentContentLength()).isEqualTo(-1);
      TestExchange sent = get(context -> context.response().contentLength(9).status(304));
      assertThat(sent.status()).isEqualTo(304);
      assertThat(sent.sentContentLength()).isEqualTo(9);
    }

    @ParameterizedTest
    @ValueSource(ints = {204, 205, 304})
    void aBodyIsRefused(int status) {
      TestExchange sent = get(context -> context.response().status(status).write("hello"));
      assertThat(sent.status()).isEqualTo(500);
      assertThat(log.take()).contains("a response with status " + status + " has no body");
    }

    @Test
    void aBodyThatCameBeforeTheStatusIsRefused() {
      TestExchange sent = get(context -> context.response().write("hello").status(204));
      assertThat(sent.status()).isEqualTo(500);
      assertThat(log.take()).contains("a response with status 204 has no body");
    }
  }

  @Nested
  class ContentLength {
    @Test
    void isTakenFromTheHeader() {
      TestExchange sent =
          get(context -> {
            context.response().headers().set("Content-Length", "2");
            context.response().write("ab");
          });
      assertThat(sent.sentContentLength()).isEqualTo(2);
    }

    @Test
    void aShortBodyFails() {
      TestExchange sent = get(context -> context.response().contentLength(3).write("ab"));
      assertThat(sent.wasAborted()).isTrue();
      assertThat(log.take()).contains("body of 2 bytes is short of its Content-Length of 3");
    }

    @Test
    void aLongBodyFails() {
      TestExchange sent =
          get(context -> {
            context.response().contentLength(3).flush();
            context.response().write("ab");
            context.response().write("cd");
          });
      assertThat(sent.wasAborted()).isTrue();
      assertThat(sent.sentText()).isEqualTo("ab");
      assertThat(log.take()).contains("body of 4 bytes exceeds its Content-Length of 3");
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "-1", "+1", "1, 1", "99999999999999999999"})
    void isANumber(String length) {
      TestExchange sent =
          get(context -> context.response().headers().set("Content-Length", length));
      assertThat(sent.status()).isEqualTo(500);
      assertThat(log.take()).contains("Content-Length \"" + length + "\" is not a number");
    }

    @Test
    void isNotNegative() {
      get(context ->
          assertThatIllegalArgumentException()
              .isThrownBy(() -> context.response().contentLength(-1))
              .withMessage("content length -1 is negative"));
    }
  }

  @Nested
  class Started {
    @Test
    void nothingChangesAnyMore() {
      TestExchange sent =
          get(context -> {
            HttpResponse response = context.response();
            response.flush();
            String message = "the response has started";
            assertThatIllegalStateException()
                .isThrownBy(() -> response.status(404))
                .withMessage(message);
            assertThatIllegalStateException()
                .isThrownBy(() -> response.contentType("text/html"))
                .withMessage(message);
            assertThatIllegalStateException()
                .isThrownBy(() -> response.onStarting(() -> {}))
                .withMessage(message);
          });
      assertThat(sent.status()).isEqualTo(200);
    }

    @Test
    void nothingIsWrittenBehindTheEnd() {
      List<HttpResponse> kept = new ArrayList<>();
      get(context -> kept.add(context.response()));
      assertThatIllegalStateException()
          .isThrownBy(() -> kept.getFirst().write(ByteBuffer.allocate(1)))
          .withMessage("the response has ended");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 101, 199, 600})
    void aStatusIsAFinalOne(int status) {
      get(context ->
          assertThatIllegalArgumentException()
              .isThrownBy(() -> context.response().status(status))
              .withMessage("status " + status + " is not within 200-599"));
    }

    @Test
    void untouchedIsWhatNobodyAnswered() {
      get(context -> {
        context.response().headers().set("X-Frame-Options", "DENY");
        assertThat(context.response().isUntouched()).isTrue();
        context.response().status(200);
        assertThat(context.response().isUntouched()).isFalse();
      });
      get(context -> {
        context.response().write("");
        assertThat(context.response().isUntouched()).isFalse();
      });
    }

    @Test
    void aRedirectIs302() {
      TestExchange sent = get(context -> context.response().redirect("/there"));
      assertThat(sent.status()).isEqualTo(302);
      assertThat(sent.sentHeader("Location")).isEqualTo("/there");
    }
  }

  @Nested
  class OnStarting {
    @Test
    void theOutermostHasTheLastWord() {
      TestExchange sent =
          get(context -> {
            HttpResponse response = context.response();
            response.onStarting(() -> response.headers().set("A", "outer"));
            response.onStarting(() -> response.status(202).headers().set("A", "inner"));
          });
      assertThat(sent.status()).isEqualTo(202);
      assertThat(sent.sentHeader("A")).isEqualTo("outer");
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD"})
    void runsOnceHoweverTheResponseStarts(String method) {
      List<String> events = new ArrayList<>();
      answer(
          method,
          context -> {
            context.response().onStarting(() -> events.add("starting"));
            context.response().flush();
            events.add("flushed");
            context.response().flush();
            context.response().write(LONG);
          });
      assertThat(events).containsExactly("starting", "flushed");
    }

    @Test
    void mayAddAnother() {
      TestExchange sent =
          get(context -> {
            HttpResponse response = context.response();
            response.onStarting(() -> response.onStarting(() -> response.status(202)));
          });
      assertThat(sent.status()).isEqualTo(202);
    }

    @Test
    void aFailureIsTheHandlers() {
      TestExchange sent =
          get(context ->
              context
                  .response()
                  .onStarting(() -> {
                    throw new IllegalStateException("no luck");
                  }));
      assertThat(sent.status()).isEqualTo(500);
      assertThat(log.take()).contains("request request-7 failed", "no luck");
    }
  }
}
