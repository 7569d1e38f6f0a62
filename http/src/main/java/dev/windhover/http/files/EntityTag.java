package dev.windhover.http.files;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Identifies one state of a file (RFC 9110 8.8.3).
 *
 * @param weak whether two states may share it
 * @param opaque the text between the quotes
 */
record EntityTag(boolean weak, String opaque) {
  /** Returns {@code text} as a tag, or null if it is not a tag. */
  static @Nullable EntityTag parse(String text) {
    List<EntityTag> tags = parseList(text);
    return tags != null && tags.size() == 1 ? tags.getFirst() : null;
  }

  /**
   * Returns the tags of a list, or null if it is malformed. A comma inside a tag belongs to the
   * tag.
   */
  static @Nullable List<EntityTag> parseList(String text) {
    List<EntityTag> tags = new ArrayList<>();
    int at = 0;
    boolean separated = true;
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == ' ' || c == '\t' || c == ',') {
        separated |= c == ',';
        at++;
        continue;
      }
      boolean weak = text.startsWith("W/", at);
      int start = at + (weak ? 2 : 0);
      int end = text.indexOf('"', start + 1);
      if (!separated || !text.startsWith("\"", start) || end < 0) {
        return null;
      }
      tags.add(new EntityTag(weak, text.substring(start + 1, end)));
      separated = false;
      at = end + 1;
    }
    return tags;
  }

  /** Strong comparison: the same bytes (RFC 9110 8.8.3.2). */
  boolean isSameBytes(EntityTag other) {
    return !weak && equals(other);
  }

  /** Weak comparison: equivalent content. */
  boolean isEquivalent(EntityTag other) {
    return opaque.equals(other.opaque);
  }

  @Override
  public String toString() {
    return (weak ? "W/\"" : "\"") + opaque + "\"";
  }
}
