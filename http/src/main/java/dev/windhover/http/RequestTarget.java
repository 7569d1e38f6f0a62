package dev.windhover.http;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a request's target (RFC 9112 3.2).
 *
 * @param authority host, and port if any, of the absolute-form; null in the other forms
 * @param path decoded once, then without dot segments (RFC 3986 5.2.4); begins with {@code /}, or
 *     is {@code *}. An encoded slash stays {@code %2F}, because it does not separate segments
 * @param query the part after the {@code ?}, still encoded; empty if there is none
 */
record RequestTarget(@Nullable String authority, String path, String query) {
  /**
   * Parses {@code target}: origin-form, absolute-form or {@code *}.
   *
   * @throws HttpException 400 if it is malformed
   */
  static RequestTarget parse(String target) {
    requireVisibleAscii(target);
    if (target.equals("*")) {
      return new RequestTarget(null, "*", "");
    }
    String authority = null;
    String origin = target;
    if (!target.startsWith("/")) {
      int authorityStart = authorityStart(target);
      int end = authorityStart;
      while (end < target.length() && "/?".indexOf(target.charAt(end)) < 0) {
        end++;
      }
      authority = target.substring(authorityStart, end);
      if (authority.isEmpty() || authority.indexOf('@') >= 0) { // user info: RFC 9110 4.2.4
        throw malformed();
      }
      origin = target.startsWith("/", end) ? target.substring(end) : "/" + target.substring(end);
    }
    int question = origin.indexOf('?');
    String path = question < 0 ? origin : origin.substring(0, question);
    String query = question < 0 ? "" : origin.substring(question + 1);
    return new RequestTarget(authority, withoutDotSegments(decode(path)), query);
  }

  private static int authorityStart(String target) {
    for (String scheme : new String[] {"http://", "https://"}) {
      if (target.regionMatches(true, 0, scheme, 0, scheme.length())) {
        return scheme.length();
      }
    }
    throw malformed();
  }

  private static void requireVisibleAscii(String target) {
    for (int i = 0; i < target.length(); i++) {
      char c = target.charAt(i);
      if (c < 0x21 || c > 0x7E || c == '#') { // a fragment is never sent: RFC 9110 7.1
        throw malformed();
      }
    }
  }

  private static String decode(String path) {
    int percent = path.indexOf('%');
    if (percent < 0) {
      return path;
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(path.length());
    for (int i = 0; i < path.length(); i++) {
      char c = path.charAt(i);
      if (c != '%') {
        bytes.write(c);
        continue;
      }
      boolean complete = i + 2 < path.length();
      int high = complete ? Character.digit(path.charAt(i + 1), 16) : -1;
      int low = complete ? Character.digit(path.charAt(i + 2), 16) : -1;
      int decoded = high << 4 | low;
      if (high < 0 || low < 0 || decoded == 0) {
        throw new HttpException(400, "malformed percent-encoding in the path");
      }
      if (decoded == '/') {
        bytes.writeBytes(new byte[] {'%', '2', 'F'});
      } else {
        bytes.write(decoded);
      }
      i += 2;
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

  private static HttpException malformed() {
    return new HttpException(400, "malformed request target");
  }
}
