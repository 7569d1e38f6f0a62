package dev.windhover.server.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.AsciiString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FieldNamesTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"Host", "host", "HOST", "Sec-WebSocket-Key", "sec-websocket-key", "X-Own"})
  void aNameKeepsItsSpelling(String name) {
    assertThat(FieldNames.text(new AsciiString(name))).isEqualTo(name);
  }

  @Test
  void aKnownNameIsNotMadeAnew() {
    String first = FieldNames.text(new AsciiString("Sec-WebSocket-Version"));
    assertThat(FieldNames.text(new AsciiString("Sec-WebSocket-Version"))).isSameAs(first);
  }
}
