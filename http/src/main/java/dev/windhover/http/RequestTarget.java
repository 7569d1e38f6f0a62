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
 *     is {@code *}. An encoded slash stays {@code %2F}, because it does not separate segments; so
 *     that nothing else looks like one, a percent sign before {@code 2F} or {@code 25} stays {@code
 *     %25}. {@link #decodedSegment} decodes both
 * @param query the part after the {@code ?}, still encoded; empty if there is none
 */
record RequestTarget(@Nullable String authority, String path, String query) {
  /** Stands for an encoded slash while a path is decoded, which cannot contain this itself. */
  private static final char SLASH = '\0';

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
      int end = originStart(target);
      authority = target.substring(authorityStart(target), end);
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

  /** Returns where the path of an absolute-form begins, or else its query or its end. */
  private static int originStart(String target) {
    int end = authorityStart(target);
    while (end < target.length() && "/?".indexOf(target.charAt(end)) < 0) {
      end++;
    }
    return end;
  }

  /**
   * Returns why a proxy that does not normalise may read the path of a well-formed target as
   * another one than we do (RFC 3986 6.2.2); null if it reads the same.
   */
  static @Nullable String ambiguityOf(String target) {
    if (target.equals("*")) {
      return null;
    }
    int start = target.startsWith("/") ? 0 : originStart(target);
    int question = target.indexOf('?', start);
    String path = target.substring(start, question < 0 ? target.length() : question);
    for (int percent = path.indexOf('%'); percent >= 0; percent = path.indexOf('%', percent + 1)) {
      char encoded = (char) Integer.parseInt(path, percent + 1, percent + 3, 16);
      if (encoded == '/') {
        return "percent-encoded slash";
      }
      if (encoded == '\\') {
        return "backslash";
      }
      if (isUnreserved(encoded)) {
        return "percent-encoding of '" + encoded + "'";
      }
    }
    if (path.indexOf('\\') >= 0) {
      return "backslash";
    }
    return withoutDotSegments(path).equals(path) ? null : "dot segment";
  }

  /** RFC 3986 2.3. */
  private static boolean isUnreserved(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || "-._~".indexOf(c) >= 0;
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
      bytes.write(decoded == '/' ? SLASH : decoded);
      i += 2;
    }
    try {
      ByteBuffer decoded = ByteBuffer.wrap(bytes.toByteArray());
      return withEscapes(StandardCharsets.UTF_8.newDecoder().decode(decoded));
    } catch (CharacterCodingException e) {
      throw new HttpException(400, "percent-encoded path is not valid UTF-8");
    }
  }

  /** Encodes slashes of segments, and each percent sign that would look like part of an escape. */
  private static String withEscapes(CharSequence decoded) {
    StringBuilder path = new StringBuilder(decoded.length() + 2);
    for (int i = 0; i < decoded.length(); i++) {
      char c = decoded.charAt(i);
      if (c == SLASH) {
        path.append("%2F");
      } else {
        path.append(c == '%' && isEscape(decoded, i) ? "%25" : c);
      }
    }
    return path.toString();
  }

  private static boolean isEscape(CharSequence text, int percent) {
    if (percent + 2 >= text.length() || text.charAt(percent + 1) != '2') {
      return false;
    }
    char c = text.charAt(percent + 2);
    return c == 'F' || c == 'f' || c == '5';
  }

  /** Returns the characters of a segment of a path: a slash for {@code %2F}. */
  static String decodedSegment(String segment) {
    return segment.indexOf('%') < 0
        ? segment
        : segment.replace("%2F", "/").replace("%2f", "/").replace("%25", "%");
  }

  /** Returns a segment as it is in a path, from one in which more may be encoded than needed. */
  static String canonicalSegment(String segment) {
    return segment.indexOf('%') < 0
        ? segment
        : withEscapes(decodedSegment(segment).replace('/', SLASH));
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
