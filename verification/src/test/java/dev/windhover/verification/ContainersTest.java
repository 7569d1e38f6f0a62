package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.inject.AbstractModule;
import com.google.inject.Guice;
import com.google.inject.Injector;
import com.google.inject.matcher.Matchers;
import dev.windhover.http.Application;
import dev.windhover.hubs.Hub;
import dev.windhover.hubs.Hubs;
import dev.windhover.hubs.testing.TestHubClient;
import dev.windhover.testing.TestHost;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.websocket.WebSockets;
import jakarta.inject.Inject;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.aop.framework.autoproxy.DefaultAdvisorAutoProxyCreator;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.annotation.AnnotationMatchingPointcut;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/** Hubs that Spring or Guice makes: what is injected, an instance for each call, and proxies. */
@ExtendWith(StrictLogs.class)
class ContainersTest {
  /** What is injected, and hears what happens. */
  static final class Journal {
    private final List<String> lines = new CopyOnWriteArrayList<>();

    void add(String line) {
      lines.add(line);
    }
  }

  /** Around methods with this runs an interceptor, as around those with {@code @Transactional}. */
  @Retention(RetentionPolicy.RUNTIME)
  @interface Watched {}

  private static final class Watch implements MethodInterceptor {
    private final Journal journal;

    Watch(Journal journal) {
      this.journal = journal;
    }

    @Override
    public Object invoke(MethodInvocation call) throws Throwable {
      journal.add("before " + call.getMethod().getName());
      try {
        return call.proceed();
      } finally {
        journal.add("after " + call.getMethod().getName());
      }
    }
  }

  /** A hub that containers can subclass. */
  public static class GreetingHub extends Hub<GreetingHub.Client> implements AutoCloseable {
    public interface Client {
      void greeted(String name);
    }

    private final Journal journal;

    @Inject
    public GreetingHub(Journal journal) {
      this.journal = journal;
    }

    @Override
    public void onConnected() {
      groups().add("all");
      journal.add("connected");
    }

    @Watched
    public String greet(String name) {
      clients().group("all").greeted(name);
      journal.add("greets in " + context().request().path());
      return "Hello " + name;
    }

    @Override
    public void close() {
      journal.add("closed");
    }
  }

  /** What makes a supplier of hubs. */
  enum Container {
    SPRING(journal -> {
      AnnotationConfigApplicationContext context = spring(journal);
      context.registerBean(GreetingHub.class, bean -> bean.setScope("prototype"));
      context.refresh();
      return () -> context.getBean(GreetingHub.class);
    }),
    GUICE(journal -> guice(journal).getProvider(GreetingHub.class)::get);

    @SuppressWarnings("ImmutableEnumChecker") // they capture nothing
    private final Function<Journal, Supplier<GreetingHub>> hubs;

    Container(Function<Journal, Supplier<GreetingHub>> hubs) {
      this.hubs = hubs;
    }
  }

  /** Its proxies are other objects than the hubs behind them. */
  private static AnnotationConfigApplicationContext spring(Journal journal) {
    var context = new AnnotationConfigApplicationContext();
    context.registerBean(Journal.class, () -> journal);
    context.registerBean(
        DefaultAdvisorAutoProxyCreator.class,
        () -> {
          var creator = new DefaultAdvisorAutoProxyCreator();
          creator.setProxyTargetClass(true);
          return creator;
        });
    context.registerBean(
        DefaultPointcutAdvisor.class,
        () ->
            new DefaultPointcutAdvisor(
                AnnotationMatchingPointcut.forMethodAnnotation(Watched.class), new Watch(journal)));
    return context;
  }

  /** Its proxies are subclasses whose instances are the hubs themselves. */
  private static Injector guice(Journal journal) {
    return Guice.createInjector(
        new AbstractModule() {
          @Override
          protected void configure() {
            bind(Journal.class).toInstance(journal);
            bindInterceptor(
                Matchers.any(), Matchers.annotatedWith(Watched.class), new Watch(journal));
          }
        });
  }

  private static TestHost start(Supplier<GreetingHub> hubs) {
    var application = new Application().use(WebSockets.with(o -> o.allowedOrigins("*")));
    Hubs.on(application).map("/hub", GreetingHub.class, hubs);
    return TestHost.start(application);
  }

  @ParameterizedTest
  @EnumSource
  void aHubMayComeFromAContainerAndBeProxied(Container container) {
    var journal = new Journal();
    Supplier<GreetingHub> hubs = container.hubs.apply(journal);
    assertThat(hubs.get()).isNotExactlyInstanceOf(GreetingHub.class);
    try (TestHost host = start(hubs);
        TestHubClient client = TestHubClient.connect(host, "/hub")) {
      for (String name : List.of("Ada", "Bob")) {
        assertThat(client.invoke(String.class, "greet", name)).isEqualTo("Hello " + name);
        client.expectCall("greeted", name);
      }
      host.awaitIdle();
      List<String> call = List.of("before greet", "greets in /hub", "after greet", "closed");
      assertThat(journal.lines.subList(0, 2)).containsExactly("connected", "closed");
      assertThat(journal.lines.subList(2, 6)).isEqualTo(call);
      assertThat(journal.lines.subList(6, 10)).isEqualTo(call);
    }
  }

  /** Spring's proxies have many public methods of their own. */
  @Test
  void whatAProxyAddsIsNotForClients() throws Exception {
    Supplier<GreetingHub> hubs = Container.SPRING.hubs.apply(new Journal());
    assertThat(hubs.get().getClass().getMethod("getTargetSource")).isNotNull();
    try (TestHost host = start(hubs);
        TestHubClient client = TestHubClient.connect(host, "/hub")) {
      client
          .call(Object.class, "getTargetSource")
          .expectError(
              "Failed to invoke 'getTargetSource' due to an error on the server."
                  + " HubException: Method does not exist.");
    }
  }

  /** Otherwise one user could call as another. */
  @Test
  void aSingletonIsRefusedByName() {
    AnnotationConfigApplicationContext context = spring(new Journal());
    context.registerBean(GreetingHub.class);
    context.refresh();
    try (var log = Logs.record(line -> line.logger().startsWith("dev.windhover.hubs"));
        TestHost host = start(() -> context.getBean(GreetingHub.class));
        TestHubClient client = TestHubClient.connect(host, "/hub")) {
      client
          .call(String.class, "greet", "Ada")
          .expectError("An unexpected error occurred invoking 'greet' on the server.");
      assertThat(log.lines())
          .anySatisfy(line ->
              assertThat(line.failure())
                  .hasMessage(
                      "this instance of %s has served a call before: its supplier must return a new"
                              .formatted(GreetingHub.class.getName())
                          + " one for each"));
    }
  }
}
