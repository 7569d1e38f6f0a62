package dev.windhover.hubs.protocol;

import dev.windhover.hubs.protocol.HubMessage.Ack;
import dev.windhover.hubs.protocol.HubMessage.BindingFailure;
import dev.windhover.hubs.protocol.HubMessage.CancelInvocation;
import dev.windhover.hubs.protocol.HubMessage.Close;
import dev.windhover.hubs.protocol.HubMessage.Completion;
import dev.windhover.hubs.protocol.HubMessage.Invocation;
import dev.windhover.hubs.protocol.HubMessage.Ping;
import dev.windhover.hubs.protocol.HubMessage.ResultBindingFailure;
import dev.windhover.hubs.protocol.HubMessage.Sequence;
import dev.windhover.hubs.protocol.HubMessage.StreamBindingFailure;
import dev.windhover.hubs.protocol.HubMessage.StreamInvocation;
import dev.windhover.hubs.protocol.HubMessage.StreamItem;
import dev.windhover.hubs.protocol.MessagePackReader.Kind;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * Reads one message of MessagePack: an array whose first item is its type. Items beyond those that
 * are known are ignored, as are the messages of an unknown type.
 */
final class MessagePackMessageReader {
  // The kinds of Completions.
  static final int ERROR = 1;
  static final int VOID = 2;
  static final int RESULT = 3;

  // How deep values are in the message.
  private static final int ARGUMENT = 2;
  private static final int ITEM = 1;

  private final Values values;
  private final MessagePackReader in;
  private final InvocationBinder binder;
  private @Nullable MessagePackParser parser;

  MessagePackMessageReader(Values values, ByteBuffer record, InvocationBinder binder) {
    this.values = values;
    this.in = new MessagePackReader(record);
    this.binder = binder;
  }

  @Nullable HubMessage read() throws InvalidDataException {
    int items = in.readArrayHeader();
    return switch (integer("messageType")) {
      case 1 -> invocation(items);
      case 2 -> streamItem();
      case 3 -> completion();
      case 4 -> streamInvocation(items);
      case 5 -> cancelInvocation();
      case 6 -> Ping.INSTANCE;
      case 7 -> close(items);
      case 8 -> new Ack(sequenceId());
      case 9 -> new Sequence(sequenceId());
      default -> null;
    };
  }

  private HubMessage invocation(int items) throws InvalidDataException {
    Map<String, String> headers = headers();
    String given = nullable("invocationId");
    String id = given == null || given.isEmpty() ? null : given;
    Call call = call("Invocation", items);
    return call.failure() == null
        ? new Invocation(headers, id, call.target(), call.arguments(), call.streamIds())
        : new BindingFailure(id, call.target(), false, call.failure());
  }

  private HubMessage streamInvocation(int items) throws InvalidDataException {
    Map<String, String> headers = headers();
    String id = invocationId("StreamInvocation");
    Call call = call("StreamInvocation", items);
    return call.failure() == null
        ? new StreamInvocation(headers, id, call.target(), call.arguments(), call.streamIds())
        : new BindingFailure(id, call.target(), true, call.failure());
  }

  private HubMessage streamItem() throws InvalidDataException {
    headers();
    String id = invocationId("StreamItem");
    try {
      return new StreamItem(id, value(binder.streamItemType(id), ITEM));
    } catch (MisfitException e) {
      return new StreamBindingFailure(id, InvalidDataException.notMessagePack(e));
    }
  }

  private HubMessage completion() throws InvalidDataException {
    headers();
    String id = invocationId("Completion");
    return switch (integer("resultKind")) {
      case ERROR -> Completion.failed(id, string("error"));
      case VOID -> Completion.empty(id);
      case RESULT -> result(id);
      default -> throw new InvalidDataException("Invalid invocation result kind.");
    };
  }

  private HubMessage result(String id) {
    Type expected = binder.resultType(id);
    try {
      return Completion.of(id, value(expected, ITEM));
    } catch (MisfitException e) {
      return new ResultBindingFailure(id, e.ofResult(expected));
    }
  }

  private HubMessage cancelInvocation() throws InvalidDataException {
    headers();
    return new CancelInvocation(invocationId("CancelInvocation"));
  }

  private HubMessage close(int items) throws InvalidDataException {
    String error = nullable("error");
    boolean reconnect =
        items > 2 && field("'allowReconnect' as Boolean", MessagePackReader::readBoolean);
    return new Close(error, reconnect);
  }

  // ---- Calls

  /** What calls of both kinds have in common. */
  private record Call(
      String target,
      List<@Nullable Object> arguments,
      List<String> streamIds,
      @Nullable InvalidDataException failure) {}

  private Call call(String kind, int items) throws InvalidDataException {
    String target = required("target", "target for " + kind);
    List<Type> types = binder.parameterTypes(target);
    List<@Nullable Object> arguments = new ArrayList<>(types == null ? 0 : types.size());
    InvalidDataException failure = bindArguments(types, arguments);
    return new Call(target, arguments, items > 5 ? streamIds() : List.of(), failure);
  }

  private @Nullable InvalidDataException bindArguments(
      @Nullable List<Type> types, List<@Nullable Object> arguments) {
    if (types == null || in.next() != Kind.ARRAY) {
      in.skip(MessagePackReader.LEVELS - ITEM);
      return types == null ? null : unreadable("array length for 'arguments'", null);
    }
    int count = in.readArrayHeader();
    InvalidDataException failure =
        count == types.size() ? null : InvalidDataException.wrongCount(count, types.size());
    for (int i = 0; i < count; i++) {
      if (failure != null) {
        in.skip(MessagePackReader.LEVELS - ARGUMENT);
        continue;
      }
      try {
        arguments.add(value(types.get(i), ARGUMENT));
      } catch (MisfitException e) {
        failure = e.ofArgument();
      }
    }
    return failure;
  }

  private List<String> streamIds() throws InvalidDataException {
    int count = field("array length for 'streamIds'", MessagePackReader::readArrayHeader);
    if (count == 0) {
      return List.of();
    }
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(string("streamIds[" + i + "]"));
    }
    return ids;
  }

  /** Reads a value, as a whole even if it does not fit. */
  private @Nullable Object value(@Nullable Type type, int outerLevels) throws MisfitException {
    if (type == null) {
      in.skip(MessagePackReader.LEVELS - outerLevels);
      return null;
    }
    Kind kind = in.next();
    if (type == String.class && kind == Kind.STRING) {
      return in.readString();
    }
    if (type == boolean.class && kind == Kind.BOOLEAN) {
      return in.readBoolean();
    }
    if (type == long.class && kind == Kind.INTEGER && !in.nextIsBeyondLong()) {
      return in.readLong();
    }
    if (parser == null) {
      parser = new MessagePackParser(values.readContext(), in, outerLevels);
    }
    parser.nextToken();
    return values.read(parser, type);
  }

  // ---- Fields

  private Map<String, String> headers() throws InvalidDataException {
    int count = field("map length for 'headers'", MessagePackReader::readMapHeader);
    if (count == 0) {
      return Map.of();
    }
    Map<String, String> headers = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      String name = string("headers[" + i + "].Key");
      headers.put(name, string("headers[" + i + "].Value"));
    }
    return headers;
  }

  private String invocationId(String kind) throws InvalidDataException {
    return required("invocationId", "invocation ID for " + kind);
  }

  private String required(String field, String meaning) throws InvalidDataException {
    String value = nullable(field);
    if (value == null || value.isEmpty()) {
      throw new InvalidDataException("Null or empty " + meaning + " message.");
    }
    return value;
  }

  private @Nullable String nullable(String field) throws InvalidDataException {
    return field("'" + field + "' as String", in -> in.tryNil() ? null : in.readString());
  }

  private String string(String field) throws InvalidDataException {
    return field("'" + field + "' as String", MessagePackReader::readString);
  }

  private int integer(String field) throws InvalidDataException {
    return field("'" + field + "' as Int32", in -> Math.toIntExact(in.readLong()));
  }

  private long sequenceId() throws InvalidDataException {
    return field("'sequenceId' as Int64", MessagePackReader::readLong);
  }

  private <T extends @Nullable Object> T field(String what, Function<MessagePackReader, T> read)
      throws InvalidDataException {
    try {
      return read.apply(in);
    } catch (JacksonException | ArithmeticException e) {
      throw unreadable(what, e);
    }
  }

  private static InvalidDataException unreadable(String what, @Nullable Exception cause) {
    return new InvalidDataException("Reading " + what + " failed.", cause);
  }
}
