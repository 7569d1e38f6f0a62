package dev.windhover.http;

import java.util.Objects;
import java.util.Set;

/** A user of whom no more is known. */
record NamedUser(String name, Set<String> roles) implements User {
  NamedUser {
    Objects.requireNonNull(name, "name");
  }
}
