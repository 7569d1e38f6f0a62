package dev.windhover.http.websocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.windhover.http.host.Encodings;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What engines keep in a prepared message. */
class SharedMessageTest {
  private static final Object SETTING = "a";

  private final Encodings encodings = Encodings.of(PreparedMessage.text("hello"));
  private final AtomicInteger times = new AtomicInteger();

  private Function<ByteBuffer, @Nullable ByteBuffer> to(String text) {
    return payload -> {
      assertThat(StandardCharsets.UTF_8.decode(payload).toString()).isEqualTo("hello");
      times.incrementAndGet();
      return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    };
  }

  private static String text(@Nullable ByteBuffer bytes) {
    assertThat(bytes).isNotNull();
    return StandardCharsets.UTF_8.decode(bytes).toString();
  }

  @Test
  void eachSettingIsEncodedOnce() {
    for (int i = 0; i < 3; i++) {
      assertThat(text(encodings.encoded(SETTING, to("1")))).isEqualTo("1");
      assertThat(text(encodings.encodedAtOnce("b", to("2")))).isEqualTo("2");
    }
    assertThat(text(encodings.encoded("b", to("3")))).isEqualTo("2");
    assertThat(times).hasValue(2);
  }

  @Test
  void aLoopDoesNotWaitForTheThreadThatEncodes() throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    CompletableFuture<String> slow =
        CompletableFuture.supplyAsync(() ->
            text(
                encodings.encoded(
                    SETTING,
                    payload -> {
                      begun.countDown();
                      await(released);
                      return to("slow").apply(payload);
                    })));
    begun.await();
    assertThat(encodings.encodedAtOnce(SETTING, _ -> null)).isNull();
    assertThat(text(encodings.encodedAtOnce(SETTING, to("fast")))).isEqualTo("fast");
    assertThat(text(encodings.encoded(SETTING, to("never")))).isEqualTo("fast");
    released.countDown();
    assertThat(slow.join()).isEqualTo("fast"); // the first result is kept
    assertThat(times).hasValue(2);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whatFailsIsTriedAgain() {
    assertThat(encodings.encoded(SETTING, _ -> null)).isNull();
    assertThatIllegalStateException()
        .isThrownBy(() ->
            encodings.encoded(
                SETTING,
                _ -> {
                  throw new IllegalStateException("broken");
                }));
    assertThat(text(encodings.encoded(SETTING, to("1")))).isEqualTo("1");
  }
}
