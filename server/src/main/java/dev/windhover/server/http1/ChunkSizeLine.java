package dev.windhover.server.http1;

import dev.windhover.http.host.Tokens;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * The line before the data of a chunk: its size, and extensions. Netty looks only at the semicolon
 * before them. They are ignored, but they have to be well-formed (RFC 9112 7.1.1): a reader that
 * finds the end of the line elsewhere sees other chunks.
 */
final class ChunkSizeLine {
  private final String line;
  private int at;

  /**
   * @param to the end of the line, before its CRLF
   */
  ChunkSizeLine(ByteBuf bytes, int from, int to) {
    line = bytes.toString(from, to - from, StandardCharsets.ISO_8859_1);
  }

  /** Returns whether the line is a size and extensions, each with a name. */
  boolean isWellFormed() {
    at = 0;
    passSize();
    while (at < line.length()) {
      passWhiteSpace();
      if (!pass(';')) {
        return false;
      }
      passWhiteSpace();
      if (!passToken()) {
        return false;
      }
      int end = at;
      passWhiteSpace();
      if (!pass('=')) {
        at = end; // white space is before ';' only
        continue;
      }
      passWhiteSpace();
      if (!(pass('"') ? passQuoted() : passToken())) {
        return false;
      }
    }
    return true;
  }

  /** Returns whether it is the line of the last chunk, after which trailers come. */
  boolean isLast() {
    at = 0;
    passSize();
    return line.chars().limit(at).allMatch(c -> c == '0');
  }

  /** Netty has checked it. */
  private void passSize() {
    while (at < line.length() && Character.digit(line.charAt(at), 16) >= 0) {
      at++;
    }
  }

  private void passWhiteSpace() {
    while (at < line.length() && (line.charAt(at) == ' ' || line.charAt(at) == '\t')) {
      at++;
    }
  }

  private boolean pass(char expected) {
    boolean passed = at < line.length() && line.charAt(at) == expected;
    at += passed ? 1 : 0;
    return passed;
  }

  private boolean passToken() {
    int from = at;
    while (at < line.length() && " \t;=".indexOf(line.charAt(at)) < 0) {
      at++;
    }
    return Tokens.isToken(line.substring(from, at));
  }

  /** Passes the rest of a quoted string (RFC 9110 5.6.4). */
  private boolean passQuoted() {
    while (at < line.length()) {
      char c = line.charAt(at++);
      if (c == '"') {
        return true;
      }
      if (c == '\\' && at < line.length()) {
        c = line.charAt(at++);
      }
      if (c != '\t' && (c < ' ' || c == 0x7F)) {
        return false;
      }
    }
    return false;
  }
}
