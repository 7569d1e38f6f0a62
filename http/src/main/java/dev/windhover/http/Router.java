package dev.windhover.http;

import static dev.windhover.http.RequestTarget.canonicalSegment;
import static dev.windhover.http.RequestTarget.decodedSegment;

import dev.windhover.http.host.Tokens;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The routes of an application. A path is literal segments, {@code {name}} for one segment, and
 * {@code {*name}} at its end for all that follow. If several routes match, a literal segment takes
 * precedence over a parameter, and a parameter over a catch-all, from left to right. Paths are
 * case-sensitive unless a route is mapped without regard to case, and a trailing slash counts:
 * {@code /chat} is neither {@code /Chat} nor {@code /chat/}. An exact literal takes precedence over
 * one without regard to case. Paths are in the form of {@link RequestTarget#path}: a literal
 * segment may contain {@code %2F} for an encoded slash, which separates nothing, and {@code %25}
 * for a percent sign.
 */
final class Router<T> {
  /**
   * The result of routing a request.
   *
   * @param route the path of the route, or null if no route matches
   * @param target what was mapped, or null if no path or none of its methods matches
   * @param parameters the values of the path's parameters
   * @param allowed the sorted methods of the path, if none of them matches; empty otherwise
   */
  record Match<T>(
      @Nullable String route,
      @Nullable T target,
      Map<String, String> parameters,
      Set<String> allowed) {}

  private static final Pattern PARAMETER = Pattern.compile("\\{\\*?(?<name>[A-Za-z_][\\w-]*)}");

  /** A parameter in the form of Express, Sinatra and others. */
  private static final Pattern FOREIGN_PARAMETER = Pattern.compile(":[A-Za-z_].*");

  private static final class Node<T> {
    final boolean isCatchAll;
    final Map<String, Node<T>> literals = new HashMap<>();

    /** Those without regard to case, by their form in lower case. */
    final Map<String, Node<T>> anyCase = new HashMap<>(0);

    @Nullable Node<T> parameter;
    @Nullable Node<T> catchAll;
    @Nullable Leaf<T> leaf;

    Node(boolean isCatchAll) {
      this.isCatchAll = isCatchAll;
    }

    Node<T> parameter() {
      Node<T> node = parameter != null ? parameter : new Node<>(false);
      parameter = node;
      return node;
    }

    Node<T> catchAll() {
      Node<T> node = catchAll != null ? catchAll : new Node<>(true);
      catchAll = node;
      return node;
    }
  }

  private static final class Leaf<T> {
    final String path;
    final List<String> names;
    final Map<String, T> byMethod = new HashMap<>();
    @Nullable T anyMethod;

    Leaf(String path, List<String> names) {
      this.path = path;
      this.names = names;
    }
  }

  private final Node<T> root = new Node<>(false);

  /** Adds a route whose case matters. */
  void add(Set<String> methods, String path, T target) {
    add(methods, path, false, target);
  }

  /**
   * Adds a route.
   *
   * @param methods the methods it answers; empty for all
   * @param ignoresCase whether the literal segments match in any case
   * @throws IllegalArgumentException if a method or the path is malformed, or the combination is
   *     already mapped
   */
  void add(Set<String> methods, String path, boolean ignoresCase, T target) {
    for (String method : methods) {
      if (!Tokens.isToken(method) || !method.equals(method.toUpperCase(Locale.ROOT))) {
        throw new IllegalArgumentException(
            "method \"" + method + "\" of route " + path + " is not a token in upper case");
      }
    }
    Leaf<T> leaf = leafFor(path, ignoresCase);
    if (methods.isEmpty()) {
      if (leaf.anyMethod != null) {
        throw new IllegalArgumentException("route " + path + " is already mapped");
      }
      leaf.anyMethod = target;
    }
    for (String method : methods) {
      if (leaf.byMethod.putIfAbsent(method, target) != null) {
        throw new IllegalArgumentException("route " + method + " " + path + " is already mapped");
      }
    }
  }

  private Leaf<T> leafFor(String path, boolean ignoresCase) {
    if (!path.startsWith("/")) {
      throw new IllegalArgumentException("route \"" + path + "\" does not begin with /");
    }
    Node<T> node = root;
    List<String> names = new ArrayList<>();
    for (String segment : path.substring(1).split("/", -1)) {
      if (node.isCatchAll) {
        throw new IllegalArgumentException("route " + path + " continues after its catch-all");
      }
      Matcher parameter = PARAMETER.matcher(segment);
      if (!parameter.matches()) {
        if (segment.indexOf('{') >= 0 || segment.indexOf('}') >= 0) {
          throw new IllegalArgumentException(
              "segment \"" + segment + "\" of route " + path + " is neither {name} nor {*name}");
        }
        if (isForeign(segment)) {
          throw new IllegalArgumentException(
              "segment \""
                  + segment
                  + "\" of route "
                  + path
                  + " matches only itself; write "
                  + inBraces(path));
        }
        String literal = canonicalSegment(segment);
        node =
            ignoresCase
                ? node.anyCase.computeIfAbsent(lower(literal), _ -> new Node<>(false))
                : node.literals.computeIfAbsent(literal, _ -> new Node<>(false));
        continue;
      }
      String name = parameter.group("name");
      if (names.contains(name)) {
        throw new IllegalArgumentException("route " + path + " has {" + name + "} twice");
      }
      names.add(name);
      node = segment.startsWith("{*") ? node.catchAll() : node.parameter();
    }
    Leaf<T> leaf = node.leaf;
    if (leaf == null) {
      leaf = new Leaf<>(path, names);
      node.leaf = leaf;
    } else if (!leaf.names.equals(names)) {
      throw new IllegalArgumentException(
          "routes " + leaf.path + " and " + path + " differ only in the names of their parameters");
    }
    return leaf;
  }

  private static String lower(String segment) {
    return segment.toLowerCase(Locale.ROOT);
  }

  /** Returns whether other routers would take a segment for a parameter or a wildcard. */
  private static boolean isForeign(String segment) {
    return segment.indexOf('*') >= 0 || FOREIGN_PARAMETER.matcher(segment).matches();
  }

  /** Returns a path of another router as it was probably meant. */
  private static String inBraces(String path) {
    String[] segments = path.substring(1).split("/", -1);
    StringBuilder meant = new StringBuilder();
    for (int i = 0; i < segments.length; i++) {
      String name = segments[i].replaceAll("[:*]", "");
      boolean isLast = i == segments.length - 1;
      if (!isForeign(segments[i])) {
        meant.append('/').append(segments[i]);
      } else if (segments[i].startsWith(":") || !isLast) {
        meant.append("/{").append(isName(name) ? name : "name").append('}');
      } else {
        meant.append("/{*").append(isName(name) ? name : "rest").append('}');
      }
    }
    return meant.toString();
  }

  private static boolean isName(String name) {
    return PARAMETER.matcher("{" + name + "}").matches();
  }

  /** Finds the route for a request; a route for GET also answers HEAD. */
  Match<T> match(String method, String path) {
    Set<String> allowed = new TreeSet<>();
    Match<T> found = null;
    if (path.startsWith("/")) { // * means the server, not a path
      String[] segments = path.substring(1).split("/", -1);
      found = find(root, segments, 0, new ArrayList<>(2), method, allowed);
    }
    return found != null ? found : new Match<>(null, null, Map.of(), allowed);
  }

  private @Nullable Match<T> find(
      Node<T> node,
      String[] segments,
      int depth,
      List<String> values,
      String method,
      Set<String> allowed) {
    if (depth == segments.length) {
      return node.leaf == null ? null : accept(node.leaf, values, method, allowed);
    }
    String segment = segments[depth];
    Node<T> literal = node.literals.get(segment);
    if (literal != null) {
      Match<T> found = find(literal, segments, depth + 1, values, method, allowed);
      if (found != null) {
        return found;
      }
    }
    Node<T> anyCase = node.anyCase.isEmpty() ? null : node.anyCase.get(lower(segment));
    if (anyCase != null) {
      Match<T> found = find(anyCase, segments, depth + 1, values, method, allowed);
      if (found != null) {
        return found;
      }
    }
    if (node.parameter != null && !segment.isEmpty()) {
      values.addLast(decodedSegment(segment));
      Match<T> found = find(node.parameter, segments, depth + 1, values, method, allowed);
      if (found != null) {
        return found;
      }
      values.removeLast();
    }
    if (node.catchAll != null && node.catchAll.leaf != null) {
      values.addLast(String.join("/", Arrays.asList(segments).subList(depth, segments.length)));
      Match<T> found = accept(node.catchAll.leaf, values, method, allowed);
      if (found != null) {
        return found;
      }
      values.removeLast();
    }
    return null;
  }

  private @Nullable Match<T> accept(
      Leaf<T> leaf, List<String> values, String method, Set<String> allowed) {
    T target = leaf.byMethod.get(method);
    if (target == null && method.equals("HEAD")) {
      target = leaf.byMethod.get("GET");
    }
    if (target == null) {
      target = leaf.anyMethod;
    }
    if (target == null) {
      allowed.addAll(leaf.byMethod.keySet());
      if (leaf.byMethod.containsKey("GET")) {
        allowed.add("HEAD");
      }
      return null;
    }
    if (values.isEmpty()) {
      return new Match<>(leaf.path, target, Map.of(), Set.of());
    }
    Map<String, String> parameters = new HashMap<>();
    for (int i = 0; i < values.size(); i++) {
      parameters.put(leaf.names.get(i), values.get(i));
    }
    return new Match<>(leaf.path, target, parameters, Set.of());
  }
}
