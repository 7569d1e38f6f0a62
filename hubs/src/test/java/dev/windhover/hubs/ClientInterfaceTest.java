package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.hubs.BareHub.Connection;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a client interface may be, and what its methods are on the wire. */
class ClientInterfaceTest {
  private @Nullable BareHub<?> hub;

  private <C> C client(Class<? extends Hub<C>> type, HubOptions options, Connection[] connected)
      throws InterruptedException {
    var bare = new BareHub<>(type, options);
    hub = bare;
    connected[0] = bare.connect();
    return bare.hub().context().clients().all();
  }

  @AfterEach
  void close() {
    if (hub != null) {
      hub.close();
    }
  }

  private static void refuses(Class<?> hub, String fact) {
    assertThatThrownBy(() -> new HubConnections<>(hub, new HubOptions()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("hub " + hub.getName() + ": client interface " + fact);
  }

  // ---- What is sent

  interface Inherited<T> {
    void inherited(T value);
  }

  interface Full extends Inherited<String> {
    void plain(int number, @Nullable String text);

    @HubMethodName("other.name")
    void renamed();

    void many(String... all);

    default void twice(String text) {
      inherited(text);
      inherited(text);
    }

    /** Overloads what is sent, but is not sent itself. */
    default void plain(int number) {
      plain(number, null);
    }

    static int none() {
      return 0;
    }
  }

  abstract static class FullHub extends Hub<Full> {}

  @Test
  void methodsAreSentByTheirNames() throws InterruptedException {
    var ann = new Connection[1];
    Full all = client(FullHub.class, new HubOptions(), ann);
    all.plain(1, "a");
    all.renamed();
    all.many("a", "b");
    all.inherited("c");
    ann[0]
        .hears("plain", "1", "\"a\"")
        .hears("other.name")
        .hears("many", "[\"a\",\"b\"]")
        .hears("inherited", "\"c\"");
  }

  @Test
  void defaultMethodsRunHere() throws InterruptedException {
    var ann = new Connection[1];
    Full all = client(FullHub.class, new HubOptions(), ann);
    all.twice("a");
    all.plain(1);
    ann[0].hears("inherited", "\"a\"").hears("inherited", "\"a\"").hears("plain", "1", "null");
  }

  @Test
  void aHubMayNameItsClientsMethodsInPascalCase() throws InterruptedException {
    var ann = new Connection[1];
    Full all = client(FullHub.class, new HubOptions().clientNames(ClientNames.PASCAL_CASE), ann);
    all.inherited("a");
    all.renamed();
    ann[0].hears("Inherited", "\"a\"").hears("other.name");
  }

  @Test
  void aProxyIsAnObject() throws InterruptedException {
    Full all = client(FullHub.class, new HubOptions(), new Connection[1]);
    Object same = all;
    assertThat(all).isEqualTo(same).isNotEqualTo("all").hasToString("Full of all");
    assertThat(all).hasSameHashCodeAs(same);
  }

  // ---- Whose interface it is

  abstract static class Between<A, B> extends Hub<B> {
    abstract A unused();
  }

  abstract static class IndirectHub extends Between<String, Full> {}

  @Test
  void theInterfaceIsFoundAcrossSuperclasses() throws InterruptedException {
    var ann = new Connection[1];
    client(IndirectHub.class, new HubOptions(), ann).inherited("a");
    ann[0].hears("inherited", "\"a\"");
  }

  abstract static class NamesHub extends Hub<ClientProxy> {}

  @Test
  void aHubWithoutAnInterfaceCallsByName() throws InterruptedException {
    var ann = new Connection[1];
    client(NamesHub.class, new HubOptions(), ann).send("any name", 1);
    ann[0].hears("any name", "1");
  }

  abstract static class SilentHub extends Hub<Void> {}

  @Test
  void aHubThatCallsNothingSaysHowItCould() {
    var connections = new HubConnections<Void>(SilentHub.class, new HubOptions());
    HubClients<Void> clients = connections.context().clients();
    assertThatThrownBy(clients::all)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "hub %s has no client interface: use clients().untyped()"
                .formatted(SilentHub.class.getName()));
    clients.untyped().all().send("said to nobody");
  }

  // ---- What is refused

  abstract static class ClassHub extends Hub<String> {}

  @Test
  void aClassIsRefused() {
    refuses(ClassHub.class, "java.lang.String is no interface");
  }

  interface Overloaded {
    void say(String text);

    void say(String text, int volume);
  }

  abstract static class OverloadedHub extends Hub<Overloaded> {}

  @Test
  void overloadsAreRefused() {
    assertThatThrownBy(() -> new HubConnections<>(OverloadedHub.class, new HubOptions()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("has two methods that are 'say' on the wire, in any case: ")
        .hasMessageContaining("Overloaded.say(String)")
        .hasMessageContaining("Overloaded.say(String, int)");
  }

  interface InAnyCase {
    void say();

    @HubMethodName("SAY")
    void shout();
  }

  abstract static class InAnyCaseHub extends Hub<InAnyCase> {}

  @Test
  void namesThatDifferOnlyInCaseAreRefused() {
    assertThatThrownBy(() -> new HubConnections<>(InAnyCaseHub.class, new HubOptions()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("InAnyCase.say()")
        .hasMessageContaining("InAnyCase.shout()");
  }

  interface GenericMethod {
    <T> void say(T what);
  }

  abstract static class GenericMethodHub extends Hub<GenericMethod> {}

  abstract static class GenericHub extends Hub<List<String>> {}

  @Test
  void genericsAreRefused() {
    refuses(
        GenericMethodHub.class,
        GenericMethod.class.getName() + " has a generic method: GenericMethod.say(Object)");
    refuses(GenericHub.class, "java.util.List<java.lang.String> is generic");
  }

  sealed interface Sealed permits Permitted {
    void say();
  }

  record Permitted() implements Sealed {
    @Override
    public void say() {}
  }

  abstract static class SealedHub extends Hub<Sealed> {}

  @Test
  void sealedInterfacesAreRefused() {
    refuses(SealedHub.class, Sealed.class.getName() + " is sealed");
  }

  interface Streaming {
    Stream<String> words();
  }

  abstract static class StreamingHub extends Hub<Streaming> {}

  interface Uploading {
    void take(Stream<String> words);
  }

  abstract static class UploadingHub extends Hub<Uploading> {}

  @Test
  void streamsAreRefused() {
    refuses(
        StreamingHub.class,
        Streaming.class.getName()
            + " asks for a stream, which clients do not return: Streaming.words()");
    refuses(
        UploadingHub.class,
        Uploading.class.getName()
            + " sends a stream, which clients do not take: Uploading.take(Stream)");
  }

  interface EarlyCancellation {
    void say(Cancellation cancellation, String text);
  }

  abstract static class EarlyCancellationHub extends Hub<EarlyCancellation> {}

  @Test
  void aCancellationStandsLast() {
    refuses(
        EarlyCancellationHub.class,
        EarlyCancellation.class.getName()
            + " has a Cancellation that is not last: EarlyCancellation.say(Cancellation, String)");
  }
}
