package dev.windhover.hubs.testing;

import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.InvalidDataException;
import dev.windhover.hubs.protocol.InvocationBinder;
import dev.windhover.hubs.protocol.RecordFormat;
import dev.windhover.hubs.protocol.RecordReader;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A call that a {@link TestHubClient} has received. */
public final class ReceivedCall {
  private final TestHubClient client;
  private final @Nullable String id;
  private final String method;
  private final byte[] record;

  ReceivedCall(TestHubClient client, @Nullable String id, String method, byte[] record) {
    this.client = client;
    this.id = id;
    this.method = method;
    this.record = record;
  }

  /** Returns the name of the method. */
  public String method() {
    return method;
  }

  /**
   * Returns the arguments, each read as one of these types.
   *
   * @throws AssertionError if there are more or fewer, or one is of another type
   */
  public List<? extends @Nullable Object> arguments(Class<?>... types) {
    List<Type> wanted = List.of(types);
    return switch (read(wanted)) {
      case HubMessage.Invocation call -> call.arguments();
      case HubMessage.BindingFailure failure ->
          throw new AssertionError("other arguments than " + wanted + ": " + this, failure.error());
      case null, default -> throw new AssertionError("no call: " + this);
    };
  }

  /**
   * Returns the only argument, read as {@code type}.
   *
   * @throws AssertionError if there are more or none, or it is of another type
   */
  public <T> @Nullable T argument(Class<T> type) {
    return type.cast(arguments(type).getFirst());
  }

  private @Nullable HubMessage read(List<Type> types) {
    try {
      return client.protocol().read(ByteBuffer.wrap(record), new Binder(types));
    } catch (InvalidDataException e) {
      throw new AssertionError(e);
    }
  }

  /** Says what the arguments of this call are read as. */
  private record Binder(List<Type> types) implements InvocationBinder {
    @Override
    public List<Type> parameterTypes(String target) {
      return types;
    }

    @Override
    public @Nullable Type streamItemType(String streamId) {
      return null;
    }

    @Override
    public @Nullable Type resultType(String invocationId) {
      return null;
    }
  }

  /** Returns whether the hub waits for a result. */
  public boolean wantsResult() {
    return id != null;
  }

  /** Answers with a result. */
  public void answer(@Nullable Object result) {
    client.write(HubMessage.Completion.of(requireId(), result));
  }

  /** Answers with an error. */
  public void fail(String error) {
    client.write(HubMessage.Completion.failed(requireId(), error));
  }

  private String requireId() {
    if (id == null) {
      throw new IllegalStateException("the hub does not wait for a result of " + this);
    }
    return id;
  }

  /** It is this call, as it would be written. */
  void require(String expected, List<? extends @Nullable Object> arguments) {
    HubProtocol protocol = client.protocol();
    byte[] written =
        content(protocol, protocol.write(new HubMessage.Invocation(id, expected, arguments)));
    if (!Arrays.equals(written, record)) {
      throw new AssertionError(
          "expected " + text(protocol, written) + "\n but got " + text(protocol, record));
    }
  }

  private static byte[] content(HubProtocol protocol, ByteBuffer message) {
    try {
      ByteBuffer content = new RecordReader(protocol.recordFormat(), 0).next(message);
      byte[] bytes = new byte[Objects.requireNonNull(content).remaining()];
      content.get(bytes);
      return bytes;
    } catch (InvalidDataException e) {
      throw new AssertionError(e);
    }
  }

  private static String text(HubProtocol protocol, byte[] record) {
    return protocol.recordFormat() == RecordFormat.SEPARATED
        ? new String(record, StandardCharsets.UTF_8)
        : HexFormat.ofDelimiter(" ").formatHex(record);
  }

  @Override
  public String toString() {
    return text(client.protocol(), record);
  }
}
