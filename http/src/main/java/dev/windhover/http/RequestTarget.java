package dev.windhover.http;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A request's target (RFC 9112 3.2), taken apart.
 *
 * @param path decoded once and without dot segments (RFC 3986 5.2.4); begins with {@code /}, or is
 *     {@code *}
 * @param query what stands behind the {@code ?}, encoded; empty if there is none
 */
record RequestTarget(String path, String query) {
  /**
   * Takes {@code target} apart: origin-form, absolute-form or {@code *}.
   *
   * @throws HttpException 400 if it is malformed
   */
  static RequestTarget parse(String target) {
    if (target.equals("*")) {
      return new RequestTarget("*", "");
    }
    String origin = target;
    if (!target.startsWith("/")) {
      int scheme = target.indexOf("://");
      if (scheme <= 0) {
        throw new HttpException(400, "malformed request target");
      }
      int path = target.indexOf('/', scheme + 3);
      int question = target.indexOf('?', scheme + 3);
      if (path >= 0 && (question < 0 || path < question)) {
        origin = target.substring(path);
      } else {
        origin = question < 0 ? "/" : "/" + target.substring(question);
      }
    }
    int question = origin.indexOf('?');
    String path = question < 0 ? origin : origin.substring(0, question);
    String query = question < 0 ? "" : origin.substring(question + 1);
    return new RequestTarget(withoutDotSegments(decode(path)), query);
  }

  private static String decode(String path) {
    boolean plain = true;
    for (int i = 0; i < path.length(); i++) {
      char c = path.charAt(i);
      if (c < 0x21 || c > 0x7E) {
        throw new HttpException(400, "malformed request target");
      }
      plain &= c != '%';
    }
    if (plain) {
      return path;
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(path.length());
    for (int i = 0; i < path.length(); i++) {
      char c = path.charAt(i);
      if (c == '%') {
        int high = i + 2 < path.length() ? Character.digit(path.charAt(i + 1), 16) : -1;
        int low = i + 2 < path.length() ? Character.digit(path.charAt(i + 2), 16) : -1;
        if (high < 0 || low < 0 || (high | low) == 0) {
          throw new HttpException(400, "malformed percent-encoding in the path");
        }
        bytes.write(high << 4 | low);
        i += 2;
      } else {
        bytes.write(c);
      }
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes.toByteArray()))
          .toString();
    } catch (CharacterCodingException e) {
      throw new HttpException(400, "percent-encoded path is not valid UTF-8");
    }
  }

  private static String withoutDotSegments(String path) {
    if (!path.contains("/.")) {
      return path;
    }
    Deque<String> kept = new ArrayDeque<>();
    String last = "";
    for (String segment : path.substring(1).split("/", -1)) {
      last = segment;
      if (segment.equals("..")) {
        kept.pollLast();
      } else if (!segment.equals(".")) {
        kept.addLast(segment);
      }
    }
    String joined = "/" + String.join("/", kept);
    boolean endsInDots = last.equals(".") || last.equals("..");
    return endsInDots && !joined.endsWith("/") ? joined + "/" : joined;
  }
}
