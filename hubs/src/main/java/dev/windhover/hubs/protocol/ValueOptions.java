package dev.windhover.hubs.protocol;

/**
 * How values are written where there is a choice. Reading accepts both forms of names and enums
 * anyway.
 *
 * @param enumsAsStrings whether JSON has constants of enums by name, as MessagePack always does;
 *     default: false, by number, which is what .NET clients expect
 * @param longsAsStrings whether JSON has {@code long} as a string, and reads both; default: false.
 *     JavaScript rounds numbers beyond 2^53; .NET clients refuse strings for them
 * @param messagePackNames how MessagePack names properties
 */
public record ValueOptions(
    boolean enumsAsStrings, boolean longsAsStrings, PropertyNames messagePackNames) {
  /** How MessagePack names the properties of objects; JSON has them as declared. */
  public enum PropertyNames {
    /** With a capital at the beginning, as .NET's clients and servers have them; the default. */
    PASCAL_CASE,

    /** As in Java. .NET reads such objects as empty ones, without a word. */
    AS_DECLARED
  }

  /** What .NET's clients and servers expect. */
  public static final ValueOptions DEFAULT =
      new ValueOptions(false, false, PropertyNames.PASCAL_CASE);

  /** Returns these, but for enums in JSON. */
  public ValueOptions withEnumsAsStrings(boolean yes) {
    return new ValueOptions(yes, longsAsStrings, messagePackNames);
  }

  /** Returns these, but for {@code long} in JSON. */
  public ValueOptions withLongsAsStrings(boolean yes) {
    return new ValueOptions(enumsAsStrings, yes, messagePackNames);
  }

  /** Returns these, but for names in MessagePack. */
  public ValueOptions withMessagePackNames(PropertyNames names) {
    return new ValueOptions(enumsAsStrings, longsAsStrings, names);
  }
}
