package dev.windhover.http.files;

import dev.windhover.http.Headers;
import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The conditions of a conditional request (RFC 9110 13). */
final class Preconditions {
  /** The result of the conditions. */
  enum Outcome {
    /** The request is answered as if it had no conditions. */
    MET,
    /** The client already has the content: 304. */
    NOT_MODIFIED,
    /** The content is no longer what the client expects: 412. */
    FAILED
  }

  private Preconditions() {}

  /**
   * Evaluates the conditions of a GET or HEAD of existing content, in the order of RFC 9110 13.2.2:
   * tags before dates, and 412 before 304. A malformed date is not a condition.
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
   * Returns whether {@code Range} applies: {@code If-Range} is missing, or identifies exactly these
   * bytes, with a strong tag, or with the exact date if that is as strong (RFC 9110 13.1.5).
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
