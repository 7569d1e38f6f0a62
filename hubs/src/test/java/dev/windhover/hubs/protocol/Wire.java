package dev.windhover.hubs.protocol;

import dev.windhover.hubs.protocol.HubMessage.StreamBindingFailure;
import dev.windhover.hubs.protocol.HubMessage.StreamItem;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Values on the wire: each is the item of a stream. */
final class Wire {
  private static final HexFormat HEX = HexFormat.of();

  private final JsonHubProtocol json;
  private final MessagePackHubProtocol messagePack;

  Wire(ValueOptions options) {
    json = new JsonHubProtocol(options);
    messagePack = new MessagePackHubProtocol(options);
  }

  /** A value does not fit its type. */
  static final class Misfit extends RuntimeException {
    private static final long serialVersionUID = 1;

    Misfit(Throwable cause) {
      super(cause);
    }
  }

  String toJson(@Nullable Object value) {
    String record = utf8(json.write(new StreamItem("1", value)));
    return record.substring(
        "{\"type\":2,\"invocationId\":\"1\",\"item\":".length(), record.length() - 2);
  }

  String toHex(@Nullable Object value) {
    ByteBuffer record = record(messagePack.write(new StreamItem("1", value)));
    return HEX.formatHex(bytes(record)).substring("940280a131".length());
  }

  @SuppressWarnings("TypeParameterUnusedInFormals") // the test knows
  <T> @Nullable T fromJson(Type type, String value) {
    return item(json, type, utf8("{\"type\":2,\"invocationId\":\"1\",\"item\":" + value + "}"));
  }

  @SuppressWarnings("TypeParameterUnusedInFormals") // the test knows
  <T> @Nullable T fromHex(Type type, String value) {
    return item(messagePack, type, hex("940280a131" + value));
  }

  @SuppressWarnings({"TypeParameterUnusedInFormals", "unchecked"})
  private static <T> @Nullable T item(HubProtocol protocol, Type type, ByteBuffer record) {
    try {
      return switch (protocol.read(record, new Binder(type))) {
        case StreamItem item -> (T) item.item();
        case StreamBindingFailure failure -> throw new Misfit(failure.error());
        case null, default -> throw new AssertionError("no item");
      };
    } catch (InvalidDataException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Knows one type for everything. */
  record Binder(Type type) implements InvocationBinder {
    @Override
    public List<Type> parameterTypes(String target) {
      return List.of(type);
    }

    @Override
    public Type streamItemType(String streamId) {
      return type;
    }

    @Override
    public Type resultType(String invocationId) {
      return type;
    }
  }

  static ByteBuffer utf8(String text) {
    return StandardCharsets.UTF_8.encode(text);
  }

  static String utf8(ByteBuffer text) {
    return StandardCharsets.UTF_8.decode(text.duplicate()).toString();
  }

  /** Returns the bytes of hex, which may have blanks in it. */
  static ByteBuffer hex(String hex) {
    return ByteBuffer.wrap(HEX.parseHex(hex.replace(" ", "")));
  }

  static String hex(ByteBuffer bytes) {
    return HEX.formatHex(bytes(bytes));
  }

  /** Returns a record of MessagePack without its length. */
  static ByteBuffer record(ByteBuffer written) {
    try {
      ByteBuffer record = new RecordReader(RecordFormat.LENGTH_PREFIXED, 0).next(written);
      if (record == null || written.hasRemaining()) {
        throw new AssertionError("not exactly one record");
      }
      return record;
    } catch (InvalidDataException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(buffer.position(), bytes);
    return bytes;
  }
}
