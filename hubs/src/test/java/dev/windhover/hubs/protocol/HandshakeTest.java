package dev.windhover.hubs.protocol;

import static dev.windhover.hubs.protocol.Wire.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.windhover.hubs.protocol.Handshake.Request;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Requests and answers as the reference was asked, and answered. */
class HandshakeTest {
  private static void reads(String record, String protocol, int version) throws Exception {
    assertThat(Handshake.read(utf8(record))).isEqualTo(new Request(protocol, version));
  }

  private static void refuses(String record, String details) {
    assertThatExceptionOfType(InvalidDataException.class)
        .isThrownBy(() -> Handshake.read(utf8(record)))
        .satisfies(e -> assertThat(e.details()).isEqualTo(details));
  }

  private static void refusesAsNoJson(String record) {
    assertThatExceptionOfType(InvalidDataException.class)
        .isThrownBy(() -> Handshake.read(utf8(record)))
        .satisfies(e -> assertThat(e.details()).startsWith("JsonReaderException: "));
  }

  @Test
  void aRequestNamesAProtocolAndItsVersion() throws Exception {
    reads("{\"protocol\":\"json\",\"version\":1}", "json", 1);
    reads("{\"version\":-1,\"protocol\":\"MessagePack\"}", "MessagePack", -1);
  }

  @Test
  void unknownPropertiesAreSkipped() throws Exception {
    reads("{\"a\":[1,{\"b\":2}],\"protocol\":\"json\",\"version\":1,\"c\":null}", "json", 1);
  }

  @Test
  void missingPropertiesAreNamed() {
    refuses(
        "{\"protocol\":\"json\"}",
        "InvalidDataException: Missing required property 'version'. Message content:"
            + " {\"protocol\":\"json\"}");
    refuses(
        "{\"version\":1}",
        "InvalidDataException: Missing required property 'protocol'. Message content:"
            + " {\"version\":1}");
    refuses(
        "{\"Protocol\":\"json\",\"Version\":1}",
        "InvalidDataException: Missing required property 'protocol'. Message content:"
            + " {\"Protocol\":\"json\",\"Version\":1}");
  }

  @Test
  void mistypedPropertiesAreNamed() {
    refuses(
        "{\"protocol\":\"json\",\"version\":\"1\"}",
        "InvalidDataException: Expected 'version' to be of type Number.");
    refuses(
        "{\"protocol\":null}", "InvalidDataException: Expected 'protocol' to be of type String.");
  }

  @Test
  void aRequestIsAnObject() {
    refuses(
        "[]", "InvalidDataException: Unexpected JSON Token Type 'Array'. Expected a JSON Object.");
  }

  @Test
  void malformedTextIsNamedAsTheReferenceDoes() {
    refusesAsNoJson("hello");
    refusesAsNoJson("");
    refusesAsNoJson("\ufeff{\"protocol\":\"json\",\"version\":1}");
    refusesAsNoJson("{\"protocol\":\"json\",\"version\":1");
    refusesAsNoJson("{\"protocol\":\"json\",\"version\":3000000000}");
    assertThatExceptionOfType(InvalidDataException.class)
        .isThrownBy(() -> Handshake.read(StandardCharsets.UTF_16LE.encode("{\"version\":1}")));
  }

  @Test
  void anAnswerIsARecord() {
    assertThat(utf8(Handshake.answer(null))).isEqualTo("{}\u001e");
    assertThat(utf8(Handshake.answer("The protocol '\"é' is not supported.")))
        .isEqualTo("{\"error\":\"The protocol '\\\"é' is not supported.\"}\u001e");
  }
}
