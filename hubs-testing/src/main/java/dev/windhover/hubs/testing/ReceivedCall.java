package dev.windhover.hubs.testing;

import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.InvalidDataException;
import dev.windhover.hubs.protocol.RecordFormat;
import dev.windhover.hubs.protocol.RecordReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
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
      byte[] bytes = new byte[java.util.Objects.requireNonNull(content).remaining()];
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
