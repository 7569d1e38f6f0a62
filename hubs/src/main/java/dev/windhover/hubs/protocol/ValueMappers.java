package dev.windhover.hubs.protocol;

import dev.windhover.hubs.protocol.ValueOptions.PropertyNames;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.type.LogicalType;

/** How Jackson binds values: a mapper for each protocol. */
final class ValueMappers {
  private ValueMappers() {}

  static ObjectMapper json(ValueOptions options) {
    return common()
        .addModule(ValueModule.json(options))
        .propertyNamingStrategy(new CamelCase())
        .build();
  }

  static ObjectMapper messagePack(ValueOptions options) {
    JsonMapper.Builder builder = common().addModule(ValueModule.messagePack());
    if (options.messagePackNames() == PropertyNames.PASCAL_CASE) {
      builder.propertyNamingStrategy(PropertyNamingStrategies.UPPER_CAMEL_CASE);
    }
    return builder.build();
  }

  /** What both have in common: names in any case, and no conversion between kinds of values. */
  private static JsonMapper.Builder common() {
    return JsonMapper.builder(Json.factory())
        .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_PROPERTIES)
        .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS) // the rest of the message
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
        .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
        .disable(SerializationFeature.FLUSH_AFTER_WRITE_VALUE)
        .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
        .withCoercionConfigDefaults(config -> {
          for (CoercionInputShape shape : CoercionInputShape.values()) {
            config.setCoercion(shape, CoercionAction.Fail);
          }
        })
        .withCoercionConfig(
            LogicalType.Float, // an integer is a number too
            config -> config.setCoercion(CoercionInputShape.Integer, CoercionAction.TryConvert));
  }
}
