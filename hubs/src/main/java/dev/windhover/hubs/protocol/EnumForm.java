package dev.windhover.hubs.protocol;

import java.time.DayOfWeek;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.BeanDescription;
import tools.jackson.databind.cfg.MapperConfig;

/** The names and numbers of an enum's constants on the wire. */
final class EnumForm {
  private final Class<?> type;
  private final Map<Enum<?>, String> names = new HashMap<>();
  private final Map<String, Enum<?>> byName = new HashMap<>();
  private final Map<Long, Enum<?>> byNumber = new HashMap<>();

  private EnumForm(Class<?> type, Enum<?>[] constants, @Nullable String[] names) {
    this.type = type;
    for (int i = 0; i < constants.length; i++) {
      Enum<?> constant = constants[i];
      String name = names[i] == null ? pascalCase(constant.name()) : names[i];
      this.names.put(constant, name);
      byName.put(plain(name), constant);
      byNumber.put((long) number(constant), constant);
    }
  }

  /** Returns the form of a type; null if the type has one of its own, by Jackson's annotations. */
  static @Nullable EnumForm of(MapperConfig<?> config, BeanDescription bean) {
    Class<?> type = bean.getBeanClass();
    if (!type.isEnum()) {
      type = type.getSuperclass(); // of a constant with a body
    }
    if (!(type.getEnumConstants() instanceof Enum<?>[] constants)
        || bean.findJsonValueAccessor() != null
        || hasFactory(config, bean)) {
      return null;
    }
    @Nullable String[] names = new String[constants.length];
    config
        .getAnnotationIntrospector()
        .findEnumValues(config, bean.getClassInfo(), constants, names);
    return new EnumForm(type, constants, names);
  }

  private static boolean hasFactory(MapperConfig<?> config, BeanDescription bean) {
    return bean.getFactoryMethods().stream()
        .anyMatch(method ->
            config.getAnnotationIntrospector().findCreatorAnnotation(config, method) != null);
  }

  /** Returns the name as .NET has it: {@code NOT_FOUND} is {@code NotFound}. */
  private static String pascalCase(String name) {
    boolean screams = name.equals(name.toUpperCase(Locale.ROOT));
    StringBuilder pascal = new StringBuilder(name.length());
    for (String word : name.split("_", -1)) {
      if (!word.isEmpty()) {
        String rest = word.substring(1);
        pascal
            .append(Character.toUpperCase(word.charAt(0)))
            .append(screams ? rest.toLowerCase(Locale.ROOT) : rest);
      }
    }
    return pascal.isEmpty() ? name : pascal.toString();
  }

  private static String plain(String name) {
    return name.replace("_", "").toLowerCase(Locale.ROOT);
  }

  String name(Enum<?> constant) {
    return Objects.requireNonNull(names.get(constant));
  }

  /** Returns the ordinal; but the week begins with Sunday, as it does in .NET. */
  @SuppressWarnings("EnumOrdinal") // it is the number on the wire
  static int number(Enum<?> constant) {
    return constant instanceof DayOfWeek day ? day.getValue() % 7 : constant.ordinal();
  }

  /** Reads a name, in any case and with any underscores, or a number. */
  Enum<?> read(JsonParser in) {
    return switch (in.currentToken()) {
      case VALUE_STRING -> require(byName.get(plain(in.getString())), in.getString());
      case VALUE_NUMBER_INT -> require(byNumber.get(in.getLongValue()), in.getString());
      default -> throw ValueForm.misfit(in, type);
    };
  }

  /** Reads the key of a map: a name, or a number. */
  Enum<?> readKey(String key) {
    Enum<?> named = byName.get(plain(key));
    if (named == null && key.matches("\\d{1,9}")) {
      named = byNumber.get(Long.valueOf(key));
    }
    return require(named, key);
  }

  private Enum<?> require(@Nullable Enum<?> constant, String given) {
    if (constant == null) {
      throw new IllegalArgumentException(type.getSimpleName() + " has no constant " + given);
    }
    return constant;
  }
}
