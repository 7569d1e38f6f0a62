package dev.windhover.hubs;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.windhover.hubs.HubFixture.Client;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Values are written as what they are declared as, which a list does not know by itself. */
class GenericValuesTest {
  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
  @JsonSubTypes({
    @JsonSubTypes.Type(value = Circle.class, name = "circle"),
    @JsonSubTypes.Type(value = Square.class, name = "square")
  })
  public sealed interface Shape {}

  public record Circle(int radius) implements Shape {}

  public record Square(int side) implements Shape {}

  public interface Board<T> {
    void drawn(List<T> shapes, String by);

    Map<String, T> better(List<T> shapes);
  }

  public interface ShapeBoard extends Board<Shape> {}

  public static final class ShapeHub extends Hub<ShapeBoard> {
    public List<Shape> all() {
      return List.of(new Circle(1), new Square(2));
    }

    @NonBlocking
    public List<Shape> allOnLoop() {
      return all();
    }

    public CompletionStage<Map<String, Shape>> byName() {
      return CompletableFuture.completedFuture(Map.of("one", new Circle(1)));
    }

    public Shape first() {
      return new Circle(1);
    }

    public Stream<List<Shape>> each() {
      return Stream.of(List.of(new Circle(1)));
    }

    public void draw(List<Shape> shapes) {
      clients().caller().drawn(shapes, "me");
    }

    public int ask() {
      return clients().caller().better(all()).size();
    }
  }

  private static final String CIRCLE = "{'kind':'circle','radius':1}";
  private static final String ALL = "[" + CIRCLE + ",{'kind':'square','side':2}]";

  private final HubFixture hub = HubFixture.of(ShapeHub.class, ShapeHub::new);

  @AfterEach
  void end() {
    hub.close();
  }

  @Test
  void resultsAre() {
    Client client = hub.connect();
    client.call("1", "all").expectResult("1", ALL);
    client.call("2", "allOnLoop").expectResult("2", ALL);
    client.call("3", "byName").expectResult("3", "{'one':" + CIRCLE + "}");
    client.call("4", "first").expectResult("4", CIRCLE);
  }

  @Test
  void itemsOfStreamsAre() {
    hub.connect().stream("1", "each")
        .expect(
            "{'type':2,'invocationId':'1','item':[" + CIRCLE + "]}",
            "{'type':3,'invocationId':'1'}");
  }

  @Test
  void argumentsOfClientsAre() {
    Client client = hub.connect();
    client.call("1", "draw", ALL);
    client.expect("{'type':1,'target':'drawn','arguments':[" + ALL + ",'me']}");
    client.expectResult("1", "null");
    client.call("2", "ask");
    client.expect("{'type':1,'invocationId':'s1','target':'better','arguments':[" + ALL + "]}");
    client.send("{'type':3,'invocationId':'s1','result':{'a':" + CIRCLE + "}}");
    client.expectResult("2", "1");
  }

  /** A filter may put something else in its place. */
  @Test
  void whatAFilterReturnsInsteadIsWrittenAsItIs() {
    HubFilter other =
        new HubFilter() {
          @Override
          public Object invokeMethod(HubInvocationContext call, Invocation next) {
            return "something else";
          }
        };
    try (HubFixture filtered =
        HubFixture.of(ShapeHub.class, ShapeHub::new, options -> options.filter(other))) {
      filtered.connect().call("1", "all").expectResult("1", "'something else'");
    }
  }
}
