package dev.windhover.hubs.protocol;

import dev.windhover.hubs.connections.TransferFormat;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * The protocol {@code messagepack}: each message is an array.
 *
 * <p>What it writes has all the items that the protocol has, even those that are empty: some
 * clients count them.
 */
public final class MessagePackHubProtocol implements HubProtocol {
  private final Values values;

  /** Creates one that writes values as {@code options} say. */
  public MessagePackHubProtocol(ValueOptions options) {
    this.values = new Values(ValueMappers.messagePack(options));
  }

  @Override
  public String name() {
    return "messagepack";
  }

  @Override
  public int version() {
    return 2;
  }

  @Override
  public TransferFormat transferFormat() {
    return TransferFormat.BINARY;
  }

  @Override
  public RecordFormat recordFormat() {
    return RecordFormat.LENGTH_PREFIXED;
  }

  @Override
  public @Nullable HubMessage read(ByteBuffer record, InvocationBinder binder)
      throws InvalidDataException {
    try {
      return new MessagePackMessageReader(values, record, binder).read();
    } catch (JacksonException e) {
      throw InvalidDataException.notMessagePack(e);
    }
  }

  @Override
  public ByteBuffer write(HubMessage message) {
    MessagePackWriter out = new MessagePackWriter();
    try {
      write(out, message);
    } catch (JacksonException e) {
      throw new IllegalArgumentException("value cannot be written: " + e.getOriginalMessage(), e);
    }
    return out.record();
  }

  private void write(MessagePackWriter out, HubMessage message) {
    switch (message) {
      case HubMessage.Invocation call -> {
        begin(out, 6, 1, call.headers());
        writeNullable(out, call.invocationId());
        writeCall(out, call.target(), call.arguments(), call.streamIds());
      }
      case HubMessage.StreamItem item -> {
        begin(out, 4, 2, Map.of());
        out.string(item.invocationId());
        values.write(out, item.item());
      }
      case HubMessage.Completion completion -> writeCompletion(out, completion);
      case HubMessage.StreamInvocation call -> {
        begin(out, 6, 4, call.headers());
        out.string(call.invocationId());
        writeCall(out, call.target(), call.arguments(), call.streamIds());
      }
      case HubMessage.CancelInvocation cancel -> {
        begin(out, 3, 5, Map.of());
        out.string(cancel.invocationId());
      }
      case HubMessage.Ping _ -> begin(out, 1, 6);
      case HubMessage.Close close -> {
        begin(out, 3, 7);
        writeNullable(out, close.error());
        out.bool(close.allowReconnect());
      }
      case HubMessage.Ack ack -> {
        begin(out, 2, 8);
        out.integer(ack.sequenceId());
      }
      case HubMessage.Sequence sequence -> {
        begin(out, 2, 9);
        out.integer(sequence.sequenceId());
      }
      case HubMessage.BindingFailure _,
          HubMessage.StreamBindingFailure _,
          HubMessage.ResultBindingFailure _ ->
          throw new IllegalArgumentException("failure of binding is no message on the wire");
    }
  }

  private void writeCompletion(MessagePackWriter out, HubMessage.Completion completion) {
    int kind =
        completion.error() != null
            ? MessagePackMessageReader.ERROR
            : completion.hasResult()
                ? MessagePackMessageReader.RESULT
                : MessagePackMessageReader.VOID;
    begin(out, kind == MessagePackMessageReader.VOID ? 4 : 5, 3, Map.of());
    out.string(completion.invocationId());
    out.integer(kind);
    if (completion.error() != null) {
      out.string(completion.error());
    } else if (completion.hasResult()) {
      values.write(out, completion.result());
    }
  }

  private void writeCall(
      MessagePackWriter out, String target, List<?> arguments, List<String> streamIds) {
    out.string(target);
    out.arrayHeader(arguments.size());
    for (Object argument : arguments) {
      values.write(out, argument);
    }
    out.arrayHeader(streamIds.size());
    streamIds.forEach(out::string);
  }

  private static void begin(MessagePackWriter out, int items, int type) {
    out.arrayHeader(items);
    out.integer(type);
  }

  private static void begin(
      MessagePackWriter out, int items, int type, Map<String, String> headers) {
    begin(out, items, type);
    out.mapHeader(headers.size());
    headers.forEach((name, value) -> {
      out.string(name);
      out.string(value);
    });
  }

  private static void writeNullable(MessagePackWriter out, @Nullable String text) {
    if (text == null) {
      out.nil();
    } else {
      out.string(text);
    }
  }
}
