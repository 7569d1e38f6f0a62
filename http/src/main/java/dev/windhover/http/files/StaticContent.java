package dev.windhover.http.files;

import dev.windhover.http.Headers;
import dev.windhover.http.HttpResponse;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The content for a path, as it was when it was found.
 *
 * @param coding its {@code Content-Encoding}, or null
 * @param length the number of bytes
 * @param lastModified in whole seconds, not in the future
 */
record StaticContent(
    @Nullable String coding, long length, Instant lastModified, EntityTag tag, Body body) {
  /** Where the bytes come from. */
  interface Body {
    /**
     * Writes {@code count} bytes, beginning at {@code position}, to the body of {@code response}.
     */
    void write(HttpResponse response, long position, long count) throws IOException;
  }

  /** The codings of a file's variants, in order of preference. */
  enum Coding {
    BROTLI("br", ".br"),
    GZIP("gzip", ".gz");

    final String token;
    final String suffix;

    Coding(String token, String suffix) {
      this.token = token;
      this.suffix = suffix;
    }
  }

  /**
   * A file and its variants in other codings.
   *
   * @param plain without a coding
   * @param coded the variants, preferred ones first; often none
   */
  record Variants(StaticContent plain, List<StaticContent> coded) {
    /** Returns the content that {@code headers} accept and prefer (RFC 9110 12.5.3). */
    StaticContent select(Headers headers) {
      StaticContent best = plain;
      if (!coded.isEmpty()) {
        // The plain file is better than nothing, so a q of 0 for it is disregarded.
        int most = Math.max(0, weight(headers, "identity", false));
        for (StaticContent each : coded) {
          int weight = weight(headers, each.coding, true);
          if (weight > 0 && (weight > most || (weight == most && best.coding == null))) {
            best = each;
            most = weight;
          }
        }
      }
      return best;
    }

    /** Returns the weight of {@code coding} in thousandths; -1 if it is not mentioned. */
    private static int weight(Headers headers, @Nullable String coding, boolean orAny) {
      int any = -1;
      for (String element : headers.list("Accept-Encoding")) {
        int semicolon = element.indexOf(';');
        String name = semicolon < 0 ? element : element.substring(0, semicolon).strip();
        int weight = semicolon < 0 ? 1000 : thousandths(element.substring(semicolon + 1).strip());
        boolean isAlias = name.equalsIgnoreCase("x-gzip") && "gzip".equals(coding);
        if (name.equalsIgnoreCase(coding) || isAlias) { // RFC 9110 8.4.1.3
          return weight;
        }
        if (orAny && name.equals("*")) {
          any = weight;
        }
      }
      return any;
    }

    /** Returns {@code q=0.123} as 123; 0 if it is malformed. */
    private static int thousandths(String weight) {
      if (!weight.matches("[qQ]=(0(\\.[0-9]{0,3})?|1(\\.0{0,3})?)")) {
        return 0;
      }
      return (int) Math.round(Double.parseDouble(weight.substring(2)) * 1000);
    }
  }
}
