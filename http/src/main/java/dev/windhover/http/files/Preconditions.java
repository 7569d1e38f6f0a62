package dev.windhover.http.files;

import dev.windhover.http.Headers;
import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The conditions under which a client wants what it asks for (RFC 9110 13). */
final class Preconditions {
  /** What they come to. */
  enum Outcome {
    /** It is answered as if there were none. */
    MET,
    /** The client has it already: 304. */
    NOT_MODIFIED,
    /** It is not what the client means any more: 412. */
    FAILED
  }

  private Preconditions() {}

  /**
   * Decides on a GET or HEAD of what exists, in the order of RFC 9110 13.2.2: a tag goes before a
   * date, and what fails before what is spared. A date that is none is no condition.
   */
  static Outcome evaluate(Headers headers, EntityTag tag, Instant lastModified) {
    if (headers.contains("If-Match")) {
      if (!anyTag(headers, "If-Match", tag::isSameBytes)) {
        return Outcome.FAILED;
      }
    } else {
      Instant unmodifiedSince = date(headers, "If-Unmodified-Since");
      if (unmodifiedSince != null && lastModified.isAfter(unmodifiedSince)) {
        return Outcome.FAILED;
      }
    }
    if (headers.contains("If-None-Match")) {
      return anyTag(headers, "If-None-Match", tag::isEquivalent)
          ? Outcome.NOT_MODIFIED
          : Outcome.MET;
    }
    Instant modifiedSince = date(headers, "If-Modified-Since");
    return modifiedSince != null && !lastModified.isAfter(modifiedSince)
        ? Outcome.NOT_MODIFIED
        : Outcome.MET;
  }

  /**
   * Returns whether {@code Range} counts: {@code If-Range} is not there, or names these very bytes,
   * by a strong tag, or by the date exactly where that is as strong (RFC 9110 13.1.5).
   */
  static boolean allowRange(Headers headers, EntityTag tag, Instant lastModified) {
    List<String> values = headers.all("If-Range");
    if (values.isEmpty()) {
      return true;
    }
    if (values.size() > 1) {
      return false;
    }
    EntityTag asked = EntityTag.parse(values.getFirst());
    return asked != null
        ? tag.isSameBytes(asked)
        : !tag.weak() && lastModified.equals(HttpDate.parse(values.getFirst()));
  }

  private static boolean anyTag(Headers headers, String name, Predicate<EntityTag> condition) {
    String value = String.join(",", headers.all(name));
    List<EntityTag> tags = EntityTag.parseList(value);
    return value.strip().equals("*") || (tags != null && tags.stream().anyMatch(condition));
  }

  private static @Nullable Instant date(Headers headers, String name) {
    List<String> values = headers.all(name);
    return values.size() == 1 ? HttpDate.parse(values.getFirst().strip()) : null;
  }
}
