package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.HubFixture.Client;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HubFilterTest {
  private final List<String> log = new CopyOnWriteArrayList<>();

  public final class Filtered extends Hub<Void> {
    public String echo(String text) {
      log.add("echo");
      return text;
    }

    public String blocked(String text) {
      log.add("blocked");
      return text;
    }

    @NonBlocking
    public boolean onLoop() {
      return context().connection().connection().loop().inLoop();
    }

    public Stream<Integer> count(Stream<Integer> numbers, Cancellation cancellation) {
      return numbers;
    }

    @Override
    public void onConnected() {
      log.add("connected");
    }

    @Override
    public void onDisconnected(@Nullable Throwable error) {
      log.add("disconnected");
    }
  }

  private final class Logged implements HubFilter {
    private final String name;

    Logged(String name) {
      this.name = name;
    }

    @Override
    public @Nullable Object invokeMethod(HubInvocationContext call, Invocation next)
        throws Exception {
      log.add(name + ">" + call.methodName() + call.arguments().size());
      try {
        if (name.equals("B") && call.methodName().equals("blocked")) {
          throw new HubException("blocked");
        }
        Object result = next.invoke(call);
        log.add(name + "<" + (result instanceof Stream ? "stream" : result));
        return result;
      } catch (HubException e) {
        log.add(name + "!" + e.getMessage());
        throw e;
      }
    }

    @Override
    public void onConnected(HubLifetimeContext connection, Connected next) throws Exception {
      log.add(name + ">connected");
      next.invoke(connection);
      log.add(name + "<connected");
    }

    @Override
    public void onDisconnected(
        HubLifetimeContext connection, @Nullable Throwable error, Disconnected next)
        throws Exception {
      log.add(name + ">disconnected");
      next.invoke(connection, error);
      log.add(name + "<disconnected");
    }
  }

  private final HubFixture hub =
      HubFixture.of(hubs ->
          hubs.options(options -> options.filter(new Logged("A")))
              .map(
                  "/hub",
                  Filtered.class,
                  Filtered::new,
                  options -> options.filter(new Logged("B"))));
  private final Client client = hub.connect();

  @AfterEach
  void end() {
    hub.close();
  }

  @Test
  void filtersOfAllHubsAreAroundThoseOfOne() {
    client.call("1", "echo", "'x'").expectResult("1", "'x'");
    client.close();
    hub.host().awaitIdle();
    assertThat(log)
        .containsExactly(
            "A>connected",
            "B>connected",
            "connected",
            "B<connected",
            "A<connected",
            "A>echo1",
            "B>echo1",
            "echo",
            "B<x",
            "A<x",
            "A>disconnected",
            "B>disconnected",
            "disconnected",
            "B<disconnected",
            "A<disconnected");
  }

  @Test
  void aFilterMayRefuseACall() {
    hub.host().awaitIdle();
    log.clear();
    client
        .call("1", "blocked", "'x'")
        .expectError(
            "1",
            "An unexpected error occurred invoking 'blocked' on the server. HubException: blocked");
    assertThat(log).containsExactly("A>blocked1", "B>blocked1", "B!blocked", "A!blocked");
  }

  @Test
  void filtersDoNotSeeWhatCannotBeCalled() {
    hub.host().awaitIdle();
    log.clear();
    client.call("1", "noSuch").call("2", "echo", "1", "2");
    client.socket.receiveText();
    client.socket.receiveText();
    assertThat(log).isEmpty();
  }

  @Test
  void aFilterSeesAllArgumentsAndTheStream() {
    hub.host().awaitIdle();
    log.clear();
    client.send(
        "{'type':4,'invocationId':'s','target':'count','arguments':[],'streamIds':['u']}",
        "{'type':2,'invocationId':'u','item':1}",
        "{'type':3,'invocationId':'u'}");
    client.expect("{'type':2,'invocationId':'s','item':1}", "{'type':3,'invocationId':'s'}");
    assertThat(log).containsExactly("A>count2", "B>count2", "B<stream", "A<stream");
  }

  @Test
  void aFilterThatMayBlockKeepsMethodsOffTheLoop() {
    client.call("1", "onLoop").expectResult("1", "false");
    try (HubFixture plain =
        HubFixture.of(
            Filtered.class,
            Filtered::new,
            options ->
                options.filter(
                    new HubFilter() {
                      @Override
                      public boolean isNonBlocking() {
                        return true;
                      }
                    }))) {
      plain.connect().call("1", "onLoop").expectResult("1", "true");
    }
  }
}
