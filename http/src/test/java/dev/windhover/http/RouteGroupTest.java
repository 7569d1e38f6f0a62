package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RouteGroupTest {
  private final Application application = new Application();
  private final List<String> events = new CopyOnWriteArrayList<>();

  private Middleware noting(String name) {
    return (context, next) -> {
      events.add(name);
      next.handle(context);
    };
  }

  @Test
  void itsStepsRunAfterThoseOfTheApplicationAndBeforeThoseWithin() {
    application.mapGroup(
        "/a",
        a -> {
          a.mapGet("", context -> events.add("route"));
          a.mapGroup(
              "/{b}", b -> b.mapGet("/c", context -> events.add(context.route())).use(noting("b")));
          a.use(noting("a1")).use(noting("a2")); // later than the routes, and holds for them
        });
    application.mapGet("/other", context -> events.add("other"));
    application.use(noting("application"));
    assertThat(TestExchange.get("/a").through(application).status()).isEqualTo(200);
    assertThat(events).containsExactly("application", "a1", "a2", "route");
    events.clear();
    TestExchange.get("/a/x/c").through(application);
    assertThat(events).containsExactly("application", "a1", "a2", "b", "/a/{b}/c");
    events.clear();
    TestExchange.get("/other").through(application);
    assertThat(events).containsExactly("application", "other");
  }

  @Test
  void aStepLearnsToWhichApplicationItWasAdded() {
    Application[] added = new Application[1];
    Middleware step =
        new Middleware() {
          @Override
          public void addedTo(Application to) {
            added[0] = to;
          }

          @Override
          public void handle(HttpContext context, Handler next) throws Exception {
            next.handle(context);
          }
        };
    application.mapGroup("/a", a -> a.use(step));
    assertThat(added[0]).isSameAs(application);
  }

  @Test
  void itsStepsDoNotRunForOtherRequests() {
    application.mapGroup("/a", a -> a.use(noting("a")).mapPost("/x", context -> {}));
    assertThat(TestExchange.get("/a/y").through(application).status()).isEqualTo(404);
    assertThat(TestExchange.get("/a/x").through(application).status()).isEqualTo(405);
    assertThat(events).isEmpty();
  }

  /** A controller. */
  public static final class Controller {
    @Route("/hello")
    public void hello(HttpContext context) throws Exception {
      context.response().write("hello");
    }
  }

  @Test
  void itMapsControllers() {
    application.mapGroup("/a", a -> a.use(noting("a")).mapControllers(new Controller()));
    assertThat(TestExchange.get("/a/hello").through(application).sentText()).isEqualTo("hello");
    assertThat(events).containsExactly("a");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/", "a", "/a/"})
  void aPrefixBeginsWithASlashAndDoesNotEndWithIt(String prefix) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> application.mapGroup(prefix, group -> {}))
        .withMessage("prefix \"" + prefix + "\" of a group must begin with / and not end with it");
  }

  @Test
  void aPathIsEmptyOrBeginsWithASlash() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> application.mapGroup("/a", a -> a.mapGet("b", context -> {})))
        .withMessage("path \"b\" in group /a is neither empty nor begins with /");
  }

  @Test
  void aRouteThatIsMappedTwiceFailsInTheCallThatMapsIt() {
    application.mapGet("/a/b", context -> {});
    assertThatIllegalArgumentException()
        .isThrownBy(() -> application.mapGroup("/a", a -> a.mapGet("/b", context -> {})))
        .withMessage("route GET /a/b is already mapped");
  }

  @Test
  void itIsFrozenWithItsApplication() {
    RouteGroup[] kept = new RouteGroup[1];
    application.mapGroup("/a", a -> kept[0] = a);
    application.build();
    assertThatIllegalStateException().isThrownBy(() -> kept[0].use(noting("late")));
    assertThatIllegalStateException().isThrownBy(() -> kept[0].mapGet("", context -> {}));
  }
}
