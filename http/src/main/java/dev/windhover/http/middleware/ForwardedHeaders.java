package dev.windhover.http.middleware;

import static dev.windhover.http.middleware.ForwardedHeader.FORWARDED;
import static dev.windhover.http.middleware.ForwardedHeader.X_FORWARDED_FOR;
import static dev.windhover.http.middleware.ForwardedHeader.X_FORWARDED_HOST;
import static dev.windhover.http.middleware.ForwardedHeader.X_FORWARDED_PROTO;

import dev.windhover.http.Connection;
import dev.windhover.http.Handler;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Middleware;
import dev.windhover.http.host.HostContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes the client's address, scheme and host from the headers of a known proxy: {@link
 * Connection#remote()}, {@link dev.windhover.http.HttpRequest#scheme()} and {@link
 * dev.windhover.http.HttpRequest#host()} are then the client's for all steps after this one, so put
 * it first. The headers themselves do not change. The request counts for its client in the host's
 * limits per address, and is answered with 503 if that client has too many. Never blocks.
 *
 * <p>Anybody can send these headers. They are therefore read from the right, where the nearest
 * proxy wrote, and only as far as the chain of known proxies goes: the last element counts if the
 * connection's peer is known, the element before it counts if the address in the last one is known,
 * and so on, up to the {@linkplain ForwardedHeadersOptions#forwardLimit limit}. If any part of an
 * element is malformed, it is ignored together with all elements before it. An element that hides
 * its address ({@code unknown}, {@code _hidden}) counts and ends the chain.
 */
public final class ForwardedHeaders implements Middleware {
  private final Set<ForwardedHeader> believed;
  private final List<IpNetwork> known;
  private final HostPatterns allowedHosts;
  private final int limit;
  private final boolean symmetric;

  /** Creates the middleware with a copy of {@code options}. */
  public ForwardedHeaders(ForwardedHeadersOptions options) {
    this.believed = options.forwardedHeaders();
    this.known = options.known();
    this.allowedHosts = new HostPatterns(options.allowedHosts());
    this.limit = options.forwardLimit();
    this.symmetric = options.requireHeaderSymmetry();
  }

  /** Creates the middleware with the default options, changed by {@code change}. */
  public static ForwardedHeaders with(Consumer<ForwardedHeadersOptions> change) {
    ForwardedHeadersOptions options = new ForwardedHeadersOptions();
    change.accept(options);
    return new ForwardedHeaders(options);
  }

  @Override
  public boolean isNonBlocking() {
    return true;
  }

  @Override
  public void handle(HttpContext context, Handler next) throws Exception {
    if (isKnown(context.connection().remote())) {
      apply(context);
    }
    next.handle(context);
  }

  /** Returns whether {@code address} is that of a known proxy. */
  public boolean knows(InetAddress address) {
    return known.stream().anyMatch(network -> network.contains(address));
  }

  private boolean isKnown(SocketAddress address) {
    return address instanceof InetSocketAddress internet
        && internet.getAddress() != null
        && knows(internet.getAddress());
  }

  /** Walks from the known peer towards the client. */
  private void apply(HttpContext context) {
    Chain chain = chain(context.request().headers());
    InetSocketAddress client = null;
    for (int i = 0; i < Math.min(limit, chain.length()); i++) {
      Hop hop = chain.hop(i);
      if (hop == null || !isAllowed(hop.host())) {
        break;
      }
      if (hop.scheme() != null) {
        context.request().scheme(hop.scheme());
      }
      if (hop.host() != null) {
        context.request().host(hop.host().toString());
      }
      if (hop.remote() == null) {
        break; // the author of the next element is unknown
      }
      client = hop.remote();
      if (!isKnown(client)) {
        break;
      }
    }
    if (client != null) {
      context.connection(context.connection().withRemote(client));
      HostContext.of(context).onBehalfOf(client.getAddress());
    }
  }

  private boolean isAllowed(@Nullable HostName host) {
    return host == null || allowedHosts.isEmpty() || allowedHosts.matches(host);
  }

  /** What the proxies say, nearest proxy first. */
  private interface Chain {
    int length();

    /** Returns what proxy {@code i} says, or null if it is malformed. */
    @Nullable Hop hop(int i);
  }

  private Chain chain(Headers headers) {
    return believed.contains(FORWARDED)
        ? new Forwarded(ForwardedElement.lastFirst(headers.all("Forwarded")))
        : xForwarded(headers);
  }

  private record Forwarded(List<String> elements) implements Chain {
    @Override
    public int length() {
      return elements.size();
    }

    @Override
    public @Nullable Hop hop(int i) {
      return ForwardedElement.parse(elements.get(i));
    }
  }

  /**
   * The lists of {@code X-Forwarded-*}, each with its last element first. They may differ in
   * length.
   */
  private record XForwarded(List<String> nodes, List<String> protos, List<String> hosts)
      implements Chain {
    @Override
    public int length() {
      return Math.max(nodes.size(), Math.max(protos.size(), hosts.size()));
    }

    @Override
    public @Nullable Hop hop(int i) {
      return Hop.of(at(nodes, i), at(protos, i), at(hosts, i));
    }

    private static @Nullable String at(List<String> elements, int i) {
      return i < elements.size() ? elements.get(i) : null;
    }
  }

  private Chain xForwarded(Headers headers) {
    List<String> nodes = lastFirst(headers, X_FORWARDED_FOR, "X-Forwarded-For");
    List<String> protos = lastFirst(headers, X_FORWARDED_PROTO, "X-Forwarded-Proto");
    List<String> hosts = lastFirst(headers, X_FORWARDED_HOST, "X-Forwarded-Host");
    XForwarded chain = new XForwarded(nodes, protos, hosts);
    int length = chain.length();
    boolean isSymmetric =
        (!believed.contains(X_FORWARDED_FOR) || nodes.size() == length)
            && (!believed.contains(X_FORWARDED_PROTO) || protos.size() == length)
            && (!believed.contains(X_FORWARDED_HOST) || hosts.size() == length);
    return symmetric && !isSymmetric ? new XForwarded(List.of(), List.of(), List.of()) : chain;
  }

  /** Unlike {@link Headers#list}, this keeps empty elements, because they count in the chain. */
  private List<String> lastFirst(Headers headers, ForwardedHeader header, String name) {
    if (!believed.contains(header)) {
      return List.of();
    }
    List<String> elements = new ArrayList<>();
    for (String line : headers.all(name)) {
      for (String element : line.split(",", -1)) {
        elements.add(element.strip());
      }
    }
    return elements.reversed();
  }
}
