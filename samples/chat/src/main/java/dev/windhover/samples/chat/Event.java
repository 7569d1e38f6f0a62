package dev.windhover.samples.chat;

import java.time.Instant;
import java.util.Collection;
import java.util.stream.Collectors;

/** What happens in a room, as the page is told. */
sealed interface Event {
  /** Somebody has come. */
  record Joined(String name) implements Event {}

  /** Somebody has gone. */
  record Left(String name) implements Event {}

  /** Somebody has said something. */
  record Said(String name, String text, Instant at) implements Event {}

  /** These are here now. */
  record Here(Collection<String> names) implements Event {}

  /** Returns the event as JSON. */
  default String toJson() {
    return switch (this) {
      case Joined(String name) -> "{\"event\":\"joined\",\"name\":" + quoted(name) + "}";
      case Left(String name) -> "{\"event\":\"left\",\"name\":" + quoted(name) + "}";
      case Said(String name, String text, Instant at) ->
          "{\"event\":\"said\",\"name\":"
              + quoted(name)
              + ",\"text\":"
              + quoted(text)
              + ",\"at\":\""
              + at
              + "\"}";
      case Here(Collection<String> names) ->
          names.stream()
              .map(Event::quoted)
              .collect(Collectors.joining(",", "{\"event\":\"here\",\"names\":[", "]}"));
    };
  }

  /** Returns a JSON string (RFC 8259, section 7). */
  private static String quoted(String text) {
    StringBuilder json = new StringBuilder(text.length() + 2).append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ') {
        json.append(String.format("\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }
}
