package dev.windhover.hubs;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What clients can call on a hub. {@link HubClass} finds it by reflection; code that is generated
 * could supply it as well.
 */
final class HubDescriptor {
  private final Class<?> hub;

  /** By lower-case name. */
  private final Map<String, HubMethodDescriptor> methods = new LinkedHashMap<>();

  /** By the names that clients use most, which spares a conversion. */
  private final Map<String, HubMethodDescriptor> usual = new HashMap<>();

  /**
   * Creates one.
   *
   * @throws IllegalArgumentException if two methods have the same name, whatever its case
   */
  HubDescriptor(Class<?> hub, List<HubMethodDescriptor> all) {
    this.hub = hub;
    for (HubMethodDescriptor method : all) {
      String name = method.name();
      HubMethodDescriptor other = methods.putIfAbsent(name.toLowerCase(Locale.ROOT), method);
      if (other != null) {
        throw new IllegalArgumentException(
            "hub %s: clients cannot tell %s from %s, because names are compared without case and"
                    .formatted(hub.getName(), method.description(), other.description())
                + " nothing else counts; @HubMethodName gives one another name, @NotHubMethod"
                + " excludes it");
      }
      usual.put(name, method);
      usual.put(name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1), method);
      usual.put(name.substring(0, 1).toLowerCase(Locale.ROOT) + name.substring(1), method);
    }
  }

  /** Returns the class of the hub. */
  Class<?> hub() {
    return hub;
  }

  /** Returns the method of that name, in any case; null if there is none. */
  @Nullable HubMethodDescriptor method(String name) {
    HubMethodDescriptor method = usual.get(name);
    return method != null ? method : methods.get(name.toLowerCase(Locale.ROOT));
  }

  /** Returns all methods. */
  Collection<HubMethodDescriptor> methods() {
    return methods.values();
  }
}
