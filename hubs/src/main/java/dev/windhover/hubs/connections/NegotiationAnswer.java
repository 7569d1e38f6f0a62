package dev.windhover.hubs.connections;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Collection;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** What a negotiation is answered with, as JSON. */
final class NegotiationAnswer {
  /** The highest version that we speak. Clients that ask for a higher one get this. */
  static final int VERSION = 1;

  private static final JsonFactory JSON = new JsonFactory();

  private NegotiationAnswer() {}

  static ByteBuffer error(String text) {
    return json(json -> json.writeStringProperty("error", text));
  }

  static ByteBuffer redirect(NegotiationRedirect redirect, int version) {
    return json(json -> {
      json.writeNumberProperty("negotiateVersion", version);
      json.writeStringProperty("url", redirect.url());
      String token = redirect.accessToken();
      if (token != null) {
        json.writeStringProperty("accessToken", token);
      }
      json.writeArrayPropertyStart("availableTransports").writeEndArray();
    });
  }

  /**
   * Says how to connect.
   *
   * @param token null in version 0, in which the id is the token
   */
  static ByteBuffer of(
      int version,
      String id,
      @Nullable String token,
      boolean isStateful,
      Collection<TransportType> transports) {
    return json(json -> {
      if (isStateful) { // a client that has not asked must not read the property at all
        json.writeBooleanProperty("useStatefulReconnect", true);
      }
      json.writeNumberProperty("negotiateVersion", version);
      json.writeStringProperty("connectionId", id);
      if (token != null) {
        json.writeStringProperty("connectionToken", token);
      }
      json.writeArrayPropertyStart("availableTransports");
      for (TransportType transport : transports) {
        json.writeStartObject();
        json.writeStringProperty("transport", transport.wireName());
        json.writeArrayPropertyStart("transferFormats");
        for (TransferFormat format : TransferFormat.values()) {
          if (transport.carries(format)) {
            json.writeString(format.wireName());
          }
        }
        json.writeEndArray().writeEndObject();
      }
      json.writeEndArray();
    });
  }

  private interface Properties {
    void write(JsonGenerator json);
  }

  private static ByteBuffer json(Properties properties) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
      json.writeStartObject();
      properties.write(json);
      json.writeEndObject();
    }
    return ByteBuffer.wrap(bytes.toByteArray());
  }
}
