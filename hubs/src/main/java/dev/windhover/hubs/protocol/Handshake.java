package dev.windhover.hubs.protocol;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.json.JsonMapper;

/**
 * What both sides say first, in JSON and with a separator whatever the protocol: the client names
 * its protocol, the server agrees or says why not.
 */
public final class Handshake {
  private static final JsonMapper MAPPER = new JsonMapper(Json.factory());

  private Handshake() {}

  /**
   * What the client asks for.
   *
   * @param protocol the name of a protocol, in any case
   * @param version its version; any number
   */
  public record Request(String protocol, int version) {}

  /**
   * Reads the client's record.
   *
   * @param record without its separator
   * @throws InvalidDataException if it is malformed
   */
  public static Request read(ByteBuffer record) throws InvalidDataException {
    try (JsonParser in = Json.parser(MAPPER.reader(), record)) {
      return read(in, record);
    } catch (JacksonException e) {
      throw InvalidDataException.notJson(e);
    }
  }

  private static Request read(JsonParser in, ByteBuffer record) throws InvalidDataException {
    String protocol = null;
    Integer version = null;
    Json.requireObject(in);
    while (in.nextToken() != JsonToken.END_OBJECT) {
      switch (in.currentName()) {
        case "protocol" -> protocol = Json.string(in, "protocol");
        case "version" -> version = Json.integer(in, "version");
        default -> {
          in.nextToken();
          in.skipChildren();
        }
      }
    }
    Json.requireEnd(in);
    if (protocol == null) {
      throw missing("protocol", record);
    }
    if (version == null) {
      throw missing("version", record);
    }
    return new Request(protocol, version);
  }

  private static InvalidDataException missing(String property, ByteBuffer record) {
    String content = StandardCharsets.UTF_8.decode(record.duplicate()).toString();
    return new InvalidDataException(
        Json.missing(property).getMessage() + " Message content: " + content);
  }

  /**
   * Writes the server's answer as a whole record, with its separator.
   *
   * @param error why the client is refused; null if it is not
   * @return a buffer that is the caller's
   */
  public static ByteBuffer answer(@Nullable String error) {
    String json = error == null ? "{}" : "{\"error\":" + MAPPER.writeValueAsString(error) + "}";
    byte[] text = json.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(text.length + 1).put(text).put(RecordReader.SEPARATOR).flip();
  }
}
