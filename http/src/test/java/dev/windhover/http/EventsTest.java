package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class EventsTest {
  @RegisterExtension final CapturedLog log = new CapturedLog();

  private final Application application = new Application();
  private final List<String> told = new CopyOnWriteArrayList<>();

  private Events failures(String name) {
    return new Events() {
      @Override
      public void handlerFailed(HttpContext context, Throwable failure) {
        told.add(name + ": " + failure.getMessage());
      }
    };
  }

  private int statusOfAFailure() {
    application.map(
        "/",
        context -> {
          throw new IllegalStateException("no luck");
        });
    int status = TestExchange.get("/").through(application).status();
    assertThat(log.take()).contains("request request-7 failed");
    return status;
  }

  @Test
  void areToldInTheOrderOfTheirRegistration() {
    application.events(failures("first")).events(failures("second")).events(failures("third"));
    assertThat(statusOfAFailure()).isEqualTo(500);
    assertThat(told).containsExactly("first: no luck", "second: no luck", "third: no luck");
  }

  @Test
  void thatThrowHurtNeitherTheOthersNorTheCaller() {
    application
        .events(failures("first"))
        .events(
            new Events() {
              @Override
              public void limitReached(HttpContext context, Limit limit) {
                throw new AssertionError("badly written");
              }
            })
        .events(
            new Events() {
              @Override
              public void limitReached(HttpContext context, Limit limit) {
                told.add("the " + limit);
              }
            });
    application.map(
        "/", context -> context.application().events().limitReached(context, Limit.SEND_QUEUE));
    assertThat(TestExchange.get("/").through(application).status()).isEqualTo(200);
    assertThat(told).containsExactly("the send queue");
    assertThat(log.take()).containsOnlyOnce("failed").contains("EventsTest$", "badly written");
  }

  @Test
  void areNoneUnlessSomeAreRegistered() {
    assertThat(application.events()).isSameAs(Events.NONE);
  }
}
