package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.windhover.hubs.HubMethodDescriptor.Parameter;
import java.io.InputStream;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Type;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class HubClassTest {
  private static HubDescriptor describe(Class<?> hub) {
    return HubClass.describe(hub, new HubOptions());
  }

  private static List<String> names(HubDescriptor descriptor) {
    return descriptor.methods().stream().map(HubMethodDescriptor::name).sorted().toList();
  }

  // ---- Which methods

  @Retention(RetentionPolicy.RUNTIME)
  @interface Inject {}

  public abstract static class Base<T> extends Hub<Void> {
    public T inherited(T value, List<T> values) {
      return value;
    }

    public void overridden(T value) {}

    public void fromBase() {}
  }

  static class Hidden extends Base<String> {
    public void madeVisible() {}
  }

  public static class Methods extends Hidden implements AutoCloseable {
    public void mine() {}

    @Override
    public void overridden(String value) {}

    @HubMethodName("other")
    public void renamed() {}

    @NotHubMethod
    public void excluded() {}

    @Inject
    public void injected(String value) {}

    public static void ofTheClass() {}

    void ofThePackage() {}

    @Override
    public void onConnected() {}

    @Override
    public void onDisconnected(@Nullable Throwable error) {}

    @Override
    public String toString() {
      return "methods";
    }

    @Override
    public void close() {}
  }

  @Test
  void publicMethodsBelowHubAreThoseThatClientsCall() {
    assertThat(names(describe(Methods.class)))
        .containsExactly("fromBase", "inherited", "madeVisible", "mine", "other", "overridden");
  }

  @Test
  void typeVariablesAreResolved() {
    HubMethodDescriptor method = describe(Methods.class).method("Inherited");
    assertThat(method).isNotNull();
    assertThat(method.valueTypes())
        .extracting(Type::getTypeName)
        .containsExactly("java.lang.String", "java.util.List<java.lang.String>");
  }

  public static class Annotated extends Hub<Void> {
    @HubMethod
    public void taken() {}

    public void setName(String name) {}
  }

  @Test
  void aHubMayTakeAnnotatedMethodsOnly() {
    assertThat(
            names(HubClass.describe(Annotated.class, new HubOptions().annotatedMethodsOnly(true))))
        .containsExactly("taken");
    assertThat(names(describe(Annotated.class))).containsExactly("setName", "taken");
  }

  public static class Names extends Hub<Void> {
    public void someMethod() {}
  }

  @Test
  void namesAreFoundInAnyCase() {
    HubDescriptor hub = describe(Names.class);
    for (String name : List.of("someMethod", "SomeMethod", "SOMEMETHOD", "somemethod")) {
      assertThat(hub.method(name)).as(name).isNotNull();
    }
    assertThat(hub.method("another")).isNull();
  }

  // ---- What they take and return

  public static class Signatures extends Hub<Void> {
    public void parameters(
        String value, Stream<Integer> stream, Cancellation end, IntStream ints) {}

    public Stream<String> stream() {
      return Stream.of();
    }

    public CompletableFuture<Stream<String>> laterStream() {
      return new CompletableFuture<>();
    }

    public List<String> list() throws InterruptedException {
      return List.of();
    }
  }

  @Test
  void streamsAndCancellationsAreNoValues() {
    HubMethodDescriptor method = describe(Signatures.class).method("parameters");
    assertThat(method).isNotNull();
    assertThat(method.valueTypes()).containsExactly(String.class);
    assertThat(method.parameters())
        .containsExactly(
            new Parameter.Value(),
            new Parameter.Uploaded(StreamForm.STREAM, Integer.class),
            new Parameter.Cancelled(),
            new Parameter.Uploaded(StreamForm.INT_STREAM, int.class));
  }

  @Test
  void theDeclaredTypeSaysWhetherAResultIsAStream() {
    HubDescriptor hub = describe(Signatures.class);
    assertThat(hub.methods())
        .filteredOn(method -> method.result() == StreamForm.STREAM)
        .extracting(HubMethodDescriptor::name)
        .containsExactlyInAnyOrder("stream", "laterStream");
  }

  @Test
  void aMethodThatDeclaresItMayBeInterrupted() {
    HubDescriptor hub = describe(Signatures.class);
    assertThat(hub.methods())
        .filteredOn(HubMethodDescriptor::interruptible)
        .extracting(HubMethodDescriptor::name)
        .containsExactly("list");
  }

  // ---- Mistakes

  @Nested
  class Mistakes {
    private void refuses(Class<?> hub, String... facts) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> describe(hub))
          .satisfies(mistake -> assertThat(mistake).hasMessageContainingAll(facts))
          .withMessageContaining(hub.getName());
    }

    public static class Overloads extends Hub<Void> {
      public void send(String text) {}

      public void send(int number) {}
    }

    @Test
    void overloads() {
      refuses(Overloads.class, "Overloads.send(String)", "Overloads.send(int)");
    }

    public static class Cases extends Hub<Void> {
      public void send() {}

      public void SEND() {}
    }

    @Test
    void namesThatDifferOnlyInCase() {
      refuses(Cases.class, "Cases.send()", "Cases.SEND()");
    }

    public static class Generic extends Hub<Void> {
      public <T> T echo(T value) {
        return value;
      }
    }

    @Test
    void genericMethods() {
      refuses(Generic.class, "Generic.echo(Object) is generic");
    }

    public static class Input extends Hub<Void> {
      public void upload(InputStream bytes) {}
    }

    @Test
    void parametersThatNobodyCanSend() {
      refuses(Input.class, "Input.upload(InputStream)", "java.io.InputStream, which is no value");
    }

    public static class StreamOfStreams extends Hub<Void> {
      public void upload(Stream<Stream<String>> streams) {}
    }

    @Test
    void streamsOfStreams() {
      refuses(StreamOfStreams.class, "StreamOfStreams.upload(Stream)", "which is no value");
    }

    public static class Futures extends Hub<Void> {
      public @Nullable Future<String> later() {
        return null;
      }
    }

    @Test
    void resultsThatNobodyCanReceive() {
      refuses(Futures.class, "Futures.later()", "which is no value");
    }

    public static class Loop extends Hub<Void> {
      @NonBlocking
      public void upload(Stream<String> words) {}
    }

    @Test
    void methodsThatWouldHaveToBlockOnALoop() {
      refuses(Loop.class, "Loop.upload(Stream) is @NonBlocking, but takes a stream");
    }

    public static class NotPublic extends Hub<Void> {
      @HubMethod
      void hidden() {}
    }

    @Test
    void annotatedMethodsThatAreNotPublic() {
      refuses(NotPublic.class, "NotPublic.hidden() has @HubMethod, but is not public");
    }

    public static class NoRole extends Hub<Void> {
      @RequireRole({})
      public void admin() {}
    }

    @Test
    void rolesThatAreMissing() {
      refuses(NoRole.class, "NoRole.admin() has a @RequireRole without a role");
    }

    @SuppressWarnings({"EffectivelyPrivate", "UnusedMethod"}) // that is what it is about
    private static final class Inaccessible extends Hub<Void> {
      public String hello() {
        return "hello";
      }
    }

    @Test
    void aLookupThatMayNot() {
      HubOptions options = new HubOptions().lookup(MethodHandles.publicLookup());
      assertThatIllegalArgumentException()
          .isThrownBy(() -> HubClass.describe(Inaccessible.class, options))
          .withMessageContaining("Inaccessible.hello() cannot be called");
    }

    @Test
    void aLookupThatMay() throws Exception {
      HubOptions options = new HubOptions().lookup(MethodHandles.lookup());
      HubMethodDescriptor method = HubClass.describe(Inaccessible.class, options).method("hello");
      assertThat(method).isNotNull();
      assertThat(method.invoker().invoke(new Inaccessible(), new Object[0])).isEqualTo("hello");
    }
  }
}
