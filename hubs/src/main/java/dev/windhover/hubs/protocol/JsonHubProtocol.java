package dev.windhover.hubs.protocol;

import dev.windhover.hubs.connections.TransferFormat;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.util.BufferRecycler;
import tools.jackson.core.util.ByteArrayBuilder;

/**
 * The protocol {@code json}: each message is an object.
 *
 * <p>What it writes has no property that is not needed: shipped clients throw at a null where they
 * want a string, and at headers.
 */
public final class JsonHubProtocol implements HubProtocol {
  private final Values values;

  /** Creates one that writes values as {@code options} say. */
  public JsonHubProtocol(ValueOptions options) {
    this.values = new Values(ValueMappers.json(options));
  }

  @Override
  public String name() {
    return "json";
  }

  @Override
  public int version() {
    return 2;
  }

  @Override
  public TransferFormat transferFormat() {
    return TransferFormat.TEXT;
  }

  @Override
  public RecordFormat recordFormat() {
    return RecordFormat.SEPARATED;
  }

  @Override
  public @Nullable HubMessage read(ByteBuffer record, InvocationBinder binder)
      throws InvalidDataException {
    return new JsonMessageReader(values, record, binder).read();
  }

  @Override
  public ByteBuffer write(HubMessage message) {
    BufferRecycler recycler = values.reader().parserFactory()._getBufferRecycler();
    try (ByteArrayBuilder bytes = new ByteArrayBuilder(recycler)) {
      try (JsonGenerator out = values.writer().createGenerator(bytes)) {
        write(out, message);
      }
      bytes.append(RecordReader.SEPARATOR);
      return ByteBuffer.wrap(bytes.toByteArray());
    } catch (JacksonException e) {
      throw new IllegalArgumentException("value cannot be written: " + e.getOriginalMessage(), e);
    } finally {
      recycler.releaseToPool();
    }
  }

  private void write(JsonGenerator out, HubMessage message) {
    out.writeStartObject();
    switch (message) {
      case HubMessage.Invocation call -> {
        out.writeNumberProperty("type", 1);
        if (call.invocationId() != null) {
          out.writeStringProperty("invocationId", call.invocationId());
        }
        writeCall(out, call.target(), call.arguments(), call.streamIds());
      }
      case HubMessage.StreamItem item -> {
        out.writeNumberProperty("type", 2);
        out.writeStringProperty("invocationId", item.invocationId());
        out.writeName("item");
        values.write(out, item.item());
      }
      case HubMessage.Completion completion -> {
        out.writeNumberProperty("type", 3);
        out.writeStringProperty("invocationId", completion.invocationId());
        if (completion.error() != null) {
          out.writeStringProperty("error", completion.error());
        } else if (completion.hasResult()) {
          out.writeName("result");
          values.write(out, completion.result());
        }
      }
      case HubMessage.StreamInvocation call -> {
        out.writeNumberProperty("type", 4);
        out.writeStringProperty("invocationId", call.invocationId());
        writeCall(out, call.target(), call.arguments(), call.streamIds());
      }
      case HubMessage.CancelInvocation cancel -> {
        out.writeNumberProperty("type", 5);
        out.writeStringProperty("invocationId", cancel.invocationId());
      }
      case HubMessage.Ping _ -> out.writeNumberProperty("type", 6);
      case HubMessage.Close close -> {
        out.writeNumberProperty("type", 7);
        if (close.error() != null) {
          out.writeStringProperty("error", close.error());
        }
        if (close.allowReconnect()) {
          out.writeBooleanProperty("allowReconnect", true);
        }
      }
      case HubMessage.Ack ack -> {
        out.writeNumberProperty("type", 8);
        out.writeNumberProperty("sequenceId", ack.sequenceId());
      }
      case HubMessage.Sequence sequence -> {
        out.writeNumberProperty("type", 9);
        out.writeNumberProperty("sequenceId", sequence.sequenceId());
      }
      case HubMessage.BindingFailure _,
          HubMessage.StreamBindingFailure _,
          HubMessage.ResultBindingFailure _ ->
          throw new IllegalArgumentException("failure of binding is no message on the wire");
    }
    out.writeEndObject();
  }

  private void writeCall(
      JsonGenerator out, String target, List<?> arguments, List<String> streamIds) {
    out.writeStringProperty("target", target);
    out.writeArrayPropertyStart("arguments");
    for (Object argument : arguments) {
      values.write(out, argument);
    }
    out.writeEndArray();
    if (!streamIds.isEmpty()) {
      out.writeArrayPropertyStart("streamIds");
      for (String id : streamIds) {
        out.writeString(id);
      }
      out.writeEndArray();
    }
  }
}
