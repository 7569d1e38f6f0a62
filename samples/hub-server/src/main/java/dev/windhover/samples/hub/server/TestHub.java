package dev.windhover.samples.hub.server;

import dev.windhover.hubs.Cancellation;
import dev.windhover.hubs.Hub;
import dev.windhover.hubs.HubException;
import dev.windhover.hubs.HubMethodName;
import java.time.DayOfWeek;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A hub with a method for each thing that a client can do. */
public final class TestHub extends Hub<TestHub.Client> {
  private static final HubLog log = new HubLog();

  /** What the hub calls on clients. */
  public interface Client {
    /** Shows {@code text}. */
    void message(@Nullable String text);

    /** Has no arguments. */
    void bare();

    /** Has one argument of each kind. */
    void many(
        int number,
        String text,
        double half,
        @Nullable Object nothing,
        boolean flag,
        int[] numbers,
        Custom custom);

    /** Answers with a number. */
    int result();
  }

  @Override
  public void onConnected() {
    log.add("connected");
  }

  @Override
  public void onDisconnected(@Nullable Throwable error) {
    log.add("disconnected " + HubLog.describe(error));
  }

  public List<String> takeLog() {
    return log.take();
  }

  // ---- Values

  public @Nullable String echo(@Nullable String text) {
    return text;
  }

  public int add(int a, int b) {
    return a + b;
  }

  public void nothing() {}

  @HubMethodName("Null")
  public @Nullable String nullText() {
    return null;
  }

  public boolean not(boolean flag) {
    return !flag;
  }

  public double half(double number) {
    return number / 2;
  }

  public Complex echoComplex(Complex value) {
    return value;
  }

  public Complex makeComplex() {
    return Complex.full();
  }

  public Kinds echoKinds(Kinds value) {
    return value;
  }

  public Kinds makeKinds() {
    return Kinds.full();
  }

  public @Nullable Custom echoCustom(@Nullable Custom value) {
    return value;
  }

  public Custom[] echoList(List<Custom> values) {
    return values.toArray(Custom[]::new);
  }

  public Instant echoDate(Instant date) {
    return date;
  }

  public DayOfWeek echoEnum(DayOfWeek day) {
    return day;
  }

  public @Nullable Object polymorphic(@Nullable Object any) {
    return any;
  }

  public String optional(String a, String b) {
    return a + b;
  }

  public String params(String... texts) {
    return String.join(",", texts);
  }

  @HubMethodName("renamed")
  public String methodOfAnotherName(String text) {
    return "renamed " + text;
  }

  // ---- Failures

  @HubMethodName("Throw")
  public void throwIt(String text) {
    throw new InvalidOperationException(text);
  }

  public void throwHub(String text) {
    throw new HubException(text);
  }

  public CompletionStage<String> throwLater(String text) {
    return CompletableFuture.supplyAsync(
        () -> {
          throw new InvalidOperationException(text);
        },
        CompletableFuture.delayedExecutor(10, TimeUnit.MILLISECONDS));
  }

  // ---- Who is calling

  public String connectionId() {
    return context().connectionId();
  }

  public @Nullable String user() {
    return context().userIdentifier();
  }

  public String transport() {
    return context().transport().wireName();
  }

  public @Nullable String query(String name) {
    return context().query().get(name);
  }

  public @Nullable String header(String name) {
    return context().headers().get(name);
  }

  public void abort() {
    context().abort();
  }

  // ---- Calls of clients

  public void caller(String text) {
    clients().caller().message(text);
  }

  public void all(String text) {
    clients().all().message(text);
  }

  public void others(String text) {
    clients().others().message(text);
  }

  public void toClient(String id, String text) {
    clients().client(id).message(text);
  }

  public void join(String group) {
    boolean _ = groups().add(group);
  }

  public void leave(String group) {
    boolean _ = groups().remove(group);
  }

  public void toGroup(String group, String text) {
    clients().group(group).message(text);
  }

  public void othersInGroup(String group, String text) {
    clients().othersInGroup(group).message(text);
  }

  public void joinOther(String id, String group) {
    boolean _ = groups().add(id, group);
  }

  public void leaveOther(String id, String group) {
    boolean _ = groups().remove(id, group);
  }

  public void toUser(String user, String text) {
    clients().user(user).message(text);
  }

  public void noArguments() {
    clients().caller().bare();
  }

  public void manyArguments() {
    clients().caller().many(1, "two", 3.5, null, true, new int[] {1, 2}, new Custom("n", 1));
  }

  // ---- Clients' results

  public String askCaller() {
    return "got " + clients().caller().result();
  }

  public String askFails() {
    return failureOf(() -> clients().caller().result());
  }

  public String askUnknown() {
    return failureOf(() -> clients().client("nobody").result());
  }

  private static String failureOf(Callable<?> asking) {
    try {
      Object _ = asking.call();
      return "no error";
    } catch (Exception e) {
      return HubLog.describe(e);
    }
  }

  // ---- Time and streams

  public String slow(int millis) {
    sleep(millis);
    return "slow " + millis;
  }

  public Stream<Integer> count(int n, int delay, Cancellation cancellation) {
    return IntStream.range(0, n)
        .takeWhile(i -> !cancellation.isCancelled())
        .boxed()
        .peek(i -> sleep(delay));
  }

  public Stream<String> letters() {
    return Stream.of("a", "b", "c");
  }

  public Stream<Integer> countThenThrow(String text) {
    return Stream.<Supplier<Integer>>of(
            () -> 1,
            () -> {
              throw new InvalidOperationException(text);
            })
        .map(Supplier::get);
  }

  public Stream<Integer> throwBeforeStream(String text) {
    throw new InvalidOperationException(text);
  }

  @SuppressWarnings("NullAway") // on purpose
  public Stream<Integer> nullStream() {
    return null;
  }

  public int sum(Stream<Integer> numbers) {
    return numbers.mapToInt(Objects::requireNonNull).sum();
  }

  public String concat(Stream<String> first, String separator, Stream<String> second) {
    return Stream.concat(first, second).collect(Collectors.joining(separator));
  }

  public Stream<String> upper(Stream<String> texts) {
    return texts.map(text -> text.toUpperCase(Locale.ROOT));
  }

  public String uploadFails(Stream<Integer> numbers) {
    return failureOf(() -> Arrays.stream(numbers.toArray()).count());
  }

  private static void sleep(long millis) {
    if (millis > 0) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }
  }
}
