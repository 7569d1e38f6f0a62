package dev.windhover.hubs.protocol;

import dev.windhover.hubs.connections.TransferFormat;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

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
    JsonMessageWriter out = new JsonMessageWriter(values);
    try {
      out.message(message);
    } catch (JacksonException e) {
      throw new IllegalArgumentException("value cannot be written: " + e.getOriginalMessage(), e);
    }
    return out.record();
  }
}
