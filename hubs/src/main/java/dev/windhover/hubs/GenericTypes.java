package dev.windhover.hubs;

import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What the type variables of a class's superclasses and interfaces stand for. */
final class GenericTypes {
  private final Map<TypeVariable<?>, Type> known = new HashMap<>();

  /** Creates what is known in {@code type}. */
  GenericTypes(Class<?> type) {
    learn(type);
  }

  private void learn(@Nullable Class<?> type) {
    if (type == null) {
      return;
    }
    learn(type.getGenericSuperclass());
    for (Type each : type.getGenericInterfaces()) {
      learn(each);
    }
    learn(type.getSuperclass());
    for (Class<?> each : type.getInterfaces()) {
      learn(each);
    }
  }

  private void learn(@Nullable Type supertype) {
    if (supertype instanceof ParameterizedType generic
        && generic.getRawType() instanceof Class<?> raw) {
      TypeVariable<?>[] variables = raw.getTypeParameters();
      Type[] arguments = generic.getActualTypeArguments();
      for (int i = 0; i < variables.length; i++) {
        known.putIfAbsent(variables[i], arguments[i]);
      }
    }
  }

  /** Returns {@code type} without variables; one that stands for nothing becomes its bound. */
  Type resolve(Type type) {
    return switch (type) {
      case ParameterizedType generic ->
          new Parameterized(
              generic.getRawType(),
              Arrays.stream(generic.getActualTypeArguments()).map(this::resolve).toList(),
              generic.getOwnerType());
      case TypeVariable<?> variable -> {
        Type meant = known.get(variable);
        yield meant != null && !meant.equals(variable)
            ? resolve(meant)
            : raw(variable.getBounds()[0]); // not resolved: a bound may name its own variable
      }
      case WildcardType wildcard -> resolve(wildcard.getUpperBounds()[0]);
      case GenericArrayType array -> {
        Type component = resolve(array.getGenericComponentType());
        yield component instanceof Class<?> type1
            ? Array.newInstance(type1, 0).getClass()
            : new ArrayOf(component);
      }
      default -> type;
    };
  }

  /** Returns the class of {@code type}, without its arguments. */
  static Class<?> raw(Type type) {
    return switch (type) {
      case Class<?> plain -> plain;
      case ParameterizedType generic -> raw(generic.getRawType());
      case GenericArrayType array ->
          Array.newInstance(raw(array.getGenericComponentType()), 0).getClass();
      case WildcardType wildcard -> raw(wildcard.getUpperBounds()[0]);
      case TypeVariable<?> variable -> raw(variable.getBounds()[0]);
      default -> Object.class;
    };
  }

  /** Returns what a generic type with one parameter is of; {@code Object} if it does not say. */
  static Type onlyArgument(Type type) {
    return type instanceof ParameterizedType generic && generic.getActualTypeArguments().length == 1
        ? generic.getActualTypeArguments()[0]
        : Object.class;
  }

  private record Parameterized(Type getRawType, List<Type> arguments, @Nullable Type getOwnerType)
      implements ParameterizedType {
    @Override
    public Type[] getActualTypeArguments() {
      return arguments.toArray(Type[]::new);
    }

    /** As the JDK's own. */
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof ParameterizedType that
          && getRawType.equals(that.getRawType())
          && Objects.equals(getOwnerType, that.getOwnerType())
          && Arrays.equals(getActualTypeArguments(), that.getActualTypeArguments());
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(getActualTypeArguments())
          ^ Objects.hashCode(getOwnerType)
          ^ getRawType.hashCode();
    }

    @Override
    public String toString() {
      return getRawType.getTypeName()
          + arguments.stream()
              .map(Type::getTypeName)
              .collect(java.util.stream.Collectors.joining(", ", "<", ">"));
    }
  }

  private record ArrayOf(Type getGenericComponentType) implements GenericArrayType {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof GenericArrayType that
          && getGenericComponentType.equals(that.getGenericComponentType());
    }

    @Override
    public int hashCode() {
      return getGenericComponentType.hashCode();
    }

    @Override
    public String toString() {
      return getGenericComponentType.getTypeName() + "[]";
    }
  }
}
