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
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.ObjectReader;

/**
 * Reads one message of JSON. Its properties come in any order: a value whose type depends on a
 * property that has not come yet is skipped, and read when the message has ended.
 */
final class JsonMessageReader {
  private final Values values;
  private final ByteBuffer record;
  private final InvocationBinder binder;

  private @Nullable Integer type;
  private @Nullable String invocationId;
  private @Nullable String target;
  private @Nullable String error;
  private boolean allowReconnect;
  private @Nullable Long sequenceId;
  private Map<String, String> headers = Map.of();
  private List<String> streamIds = List.of();

  private boolean hasArguments;
  private boolean inArguments;
  private @Nullable ByteBuffer skippedArguments;
  private List<@Nullable Object> arguments = List.of();

  // An item or a result.
  private boolean hasItem;
  private boolean hasResult;
  private boolean resultIsNull; // as the Swift client has it beside an error
  private @Nullable ByteBuffer skippedValue;
  private @Nullable Object value;

  private @Nullable InvalidDataException bindingFailure;

  JsonMessageReader(Values values, ByteBuffer record, InvocationBinder binder) {
    this.values = values;
    this.record = record;
    this.binder = binder;
  }

  @Nullable HubMessage read() throws InvalidDataException {
    try {
      return read(values.reader());
    } catch (JacksonException e) {
      BindingFailure failure = inArguments ? trailingComma(e) : null;
      if (failure == null) {
        throw new InvalidDataException("Error reading JSON.", e);
      }
      return failure;
    }
  }

  private @Nullable HubMessage read(ObjectReader reader) throws InvalidDataException {
    try (JsonParser in = Json.parser(reader, record)) {
      readProperties(in);
      return message();
    }
  }

  /**
   * Returns the failure of a call whose arguments end with a comma: in the reference it does not
   * end the connection, as all other malformed text does. Null if it is that.
   */
  private @Nullable BindingFailure trailingComma(JacksonException e) throws InvalidDataException {
    try {
      HubMessage message =
          new JsonMessageReader(values, record, binder)
              .read(values.reader().with(JsonReadFeature.ALLOW_TRAILING_COMMA));
      return message instanceof Invocation call
          ? new BindingFailure(
              call.invocationId(), call.target(), false, InvalidDataException.notJson(e))
          : null;
    } catch (JacksonException _) {
      return null;
    }
  }

  private void readProperties(JsonParser in) throws InvalidDataException {
    Json.requireObject(in);
    while (in.nextToken() != JsonToken.END_OBJECT) {
      switch (in.currentName()) {
        case "type" -> type = Json.integer(in, "type");
        case "invocationId" -> invocationId = Json.string(in, "invocationId");
        case "target" -> target = Json.string(in, "target");
        case "arguments" -> arguments(in);
        case "streamIds" -> streamIds = streamIds(in);
        case "headers" -> headers = headers(in);
        case "item" -> item(in);
        case "result" -> result(in);
        case "error" -> error = Json.string(in, "error");
        case "allowReconnect" -> allowReconnect = bool(in, "allowReconnect");
        case "sequenceId" -> sequenceId = Json.longInteger(in, "sequenceId");
        default -> skip(in);
      }
    }
    Json.requireEnd(in);
  }

  private @Nullable HubMessage message() throws InvalidDataException {
    if (type == null) {
      throw Json.missing("type");
    }
    return switch (type) {
      case 1 -> invocation();
      case 2 -> streamItem();
      case 3 -> completion();
      case 4 -> streamInvocation();
      case 5 -> new CancelInvocation(requireId());
      case 6 -> Ping.INSTANCE;
      case 7 -> new Close(error, allowReconnect);
      case 8 -> new Ack(requireSequenceId());
      case 9 -> new Sequence(requireSequenceId());
      default -> null;
    };
  }

  private HubMessage invocation() throws InvalidDataException {
    String method = requireTarget();
    String id = invocationId == null || invocationId.isEmpty() ? null : invocationId;
    return bindingFailure == null
        ? new Invocation(headers, id, method, arguments, streamIds)
        : new BindingFailure(id, method, false, bindingFailure);
  }

  private HubMessage streamInvocation() throws InvalidDataException {
    String method = requireTarget();
    String id = requireId();
    return bindingFailure == null
        ? new StreamInvocation(headers, id, method, arguments, streamIds)
        : new BindingFailure(id, method, true, bindingFailure);
  }

  private HubMessage streamItem() throws InvalidDataException {
    String id = requireId();
    if (!hasItem) {
      throw Json.missing("item");
    }
    if (skippedValue != null) {
      reread(skippedValue, in -> bindItem(in, id));
    }
    return bindingFailure == null
        ? new StreamItem(id, value)
        : new StreamBindingFailure(id, bindingFailure);
  }

  private HubMessage completion() throws InvalidDataException {
    String id = requireId();
    if (skippedValue != null) {
      reread(skippedValue, in -> bindResult(in, id));
    }
    if (error != null) {
      if (hasResult && !resultIsNull) {
        throw new InvalidDataException(
            "The 'error' and 'result' properties are mutually exclusive.");
      }
      return Completion.failed(id, error);
    }
    return bindingFailure == null
        ? new Completion(id, null, value, hasResult)
        : new ResultBindingFailure(id, bindingFailure);
  }

  private String requireId() throws InvalidDataException {
    if (invocationId == null || invocationId.isEmpty()) {
      throw Json.missing("invocationId");
    }
    return invocationId;
  }

  private long requireSequenceId() throws InvalidDataException {
    if (sequenceId == null) {
      throw Json.missing("sequenceId");
    }
    return sequenceId;
  }

  // ---- Values

  private void arguments(JsonParser in) throws InvalidDataException {
    requireArray(in, "arguments");
    hasArguments = true;
    if (target == null) {
      skippedArguments = skipped(in);
    } else {
      skippedArguments = null;
      bindArguments(in, target);
    }
  }

  /** Returns the target, whose arguments are bound now at the latest. */
  private String requireTarget() throws InvalidDataException {
    String method = target;
    if (method == null) {
      throw Json.missing("target");
    }
    if (!hasArguments) {
      throw Json.missing("arguments");
    }
    if (skippedArguments != null) {
      reread(skippedArguments, in -> bindArguments(in, method));
    }
    return method;
  }

  private void bindArguments(JsonParser in, String method) {
    arguments = List.of();
    bindingFailure = null;
    List<Type> types = binder.parameterTypes(method);
    if (types == null) {
      in.skipChildren();
      return;
    }
    inArguments = true;
    List<@Nullable Object> bound = new ArrayList<>(types.size());
    int count = 0;
    for (; in.nextToken() != JsonToken.END_ARRAY; count++) {
      if (count >= types.size() || bindingFailure != null) {
        in.skipChildren();
        continue;
      }
      try {
        bound.add(values.read(in, types.get(count)));
      } catch (MisfitException e) {
        bindingFailure = e.ofArgument();
      }
    }
    if (bindingFailure == null && count != types.size()) {
      bindingFailure = InvalidDataException.wrongCount(count, types.size());
    }
    arguments = bound;
    inArguments = false;
  }

  private void item(JsonParser in) {
    in.nextToken();
    hasItem = true;
    if (invocationId == null || invocationId.isEmpty()) {
      skippedValue = skipped(in);
    } else {
      skippedValue = null;
      bindItem(in, invocationId);
    }
  }

  private void bindItem(JsonParser in, String id) {
    try {
      value = read(in, binder.streamItemType(id));
    } catch (MisfitException e) {
      bindingFailure = e.ofItem();
    }
  }

  private void result(JsonParser in) {
    resultIsNull = in.nextToken() == JsonToken.VALUE_NULL;
    hasResult = true;
    if (invocationId == null || invocationId.isEmpty()) {
      skippedValue = skipped(in);
    } else {
      skippedValue = null;
      bindResult(in, invocationId);
    }
  }

  private void bindResult(JsonParser in, String id) {
    Type expected = binder.resultType(id);
    try {
      value = read(in, expected);
    } catch (MisfitException e) {
      bindingFailure = e.ofResult(expected);
    }
  }

  private @Nullable Object read(JsonParser in, @Nullable Type type) throws MisfitException {
    if (type == null) {
      in.skipChildren();
      return null;
    }
    return values.read(in, type);
  }

  /** Skips the value at the current token, and returns its text. */
  private ByteBuffer skipped(JsonParser in) {
    long from = in.currentTokenLocation().getByteOffset();
    in.skipChildren();
    in.finishToken();
    long to = in.currentLocation().getByteOffset();
    return record.slice(record.position() + (int) from, (int) (to - from));
  }

  private void reread(ByteBuffer text, Consumer<JsonParser> read) {
    try (JsonParser in = Json.parser(values.reader(), text)) {
      in.nextToken();
      read.accept(in);
    }
  }

  // ---- Other properties

  private static List<String> streamIds(JsonParser in) throws InvalidDataException {
    requireArray(in, "streamIds");
    List<String> ids = new ArrayList<>();
    while (in.nextToken() != JsonToken.END_ARRAY) {
      if (in.currentToken() != JsonToken.VALUE_STRING) {
        throw Json.mistyped("streamIds", "Array of String");
      }
      ids.add(Values.text(in));
    }
    return ids;
  }

  private static Map<String, String> headers(JsonParser in) throws InvalidDataException {
    if (in.nextToken() != JsonToken.START_OBJECT) {
      throw Json.mistyped("headers", "StartObject");
    }
    Map<String, String> headers = new LinkedHashMap<>();
    while (in.nextToken() != JsonToken.END_OBJECT) {
      String name = in.currentName();
      if (in.nextToken() != JsonToken.VALUE_STRING) {
        throw new InvalidDataException("Expected header '" + name + "' to be of type String.");
      }
      headers.put(name, Values.text(in));
    }
    return headers;
  }

  private static boolean bool(JsonParser in, String property) throws InvalidDataException {
    return switch (in.nextToken()) {
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      default -> throw new InvalidDataException("Expected '" + property + "' to be true or false.");
    };
  }

  private static void requireArray(JsonParser in, String property) throws InvalidDataException {
    if (in.nextToken() != JsonToken.START_ARRAY) {
      throw Json.mistyped(property, "Array");
    }
  }

  private static void skip(JsonParser in) {
    in.nextToken();
    in.skipChildren();
  }
}
