package dev.windhover.hubs.protocol;

import tools.jackson.databind.PropertyNamingStrategies;

/**
 * Names in JSON, as .NET has them: the capitals at the beginning are small letters, but for the one
 * that begins the next word. {@code URL} is {@code url}, {@code URLPath} is {@code urlPath}.
 */
final class CamelCase extends PropertyNamingStrategies.NamingBase {
  private static final long serialVersionUID = 1;

  @Override
  public String translate(String name) {
    char[] letters = name.toCharArray();
    for (int i = 0; i < letters.length && Character.isUpperCase(letters[i]); i++) {
      boolean beginsWord =
          i > 0 && i + 1 < letters.length && !Character.isUpperCase(letters[i + 1]);
      if (beginsWord) {
        break;
      }
      letters[i] = Character.toLowerCase(letters[i]);
    }
    return new String(letters);
  }
}
