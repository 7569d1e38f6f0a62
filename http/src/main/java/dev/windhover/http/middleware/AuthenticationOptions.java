package dev.windhover.http.middleware;

import dev.windhover.http.host.Origins;
import dev.windhover.http.host.Tokens;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The settings of {@link Authentication}: which credentials are accepted. None is by default, and
 * at least one kind must be set. Each method sets a value and returns this.
 */
public final class AuthenticationOptions {
  private String realm = "application";
  private @Nullable PasswordCheck basic;
  private @Nullable CredentialCheck bearer;
  private boolean bearerInQuery;
  private @Nullable String bearerSubprotocol;
  private @Nullable CredentialCheck apiKey;
  private String apiKeyHeader = "X-API-Key";
  private @Nullable CredentialCheck cookie;
  private String cookieName = "";
  private Set<String> cookieOrigins = Set.of();

  /** Creates options that accept no credentials. */
  public AuthenticationOptions() {}

  /** Creates a copy. */
  AuthenticationOptions(AuthenticationOptions other) {
    realm = other.realm;
    basic = other.basic;
    bearer = other.bearer;
    bearerInQuery = other.bearerInQuery;
    bearerSubprotocol = other.bearerSubprotocol;
    apiKey = other.apiKey;
    apiKeyHeader = other.apiKeyHeader;
    cookie = other.cookie;
    cookieName = other.cookieName;
    cookieOrigins = other.cookieOrigins;
  }

  /**
   * Names what the credentials are for (RFC 9110 11.5); browsers show it when they ask for a
   * password. {@code application} by default.
   *
   * @throws IllegalArgumentException if it contains other characters than printable ASCII
   */
  public AuthenticationOptions realm(String realm) {
    if (!realm.chars().allMatch(c -> c >= ' ' && c <= '~')) {
      throw new IllegalArgumentException("realm \"" + realm + "\" is not printable ASCII");
    }
    this.realm = realm;
    return this;
  }

  String realm() {
    return realm;
  }

  /** Accepts names and passwords: {@code Authorization: Basic …} in UTF-8 (RFC 7617). */
  public AuthenticationOptions basic(PasswordCheck check) {
    basic = Objects.requireNonNull(check, "check");
    return this;
  }

  @Nullable PasswordCheck basic() {
    return basic;
  }

  /** Accepts tokens: {@code Authorization: Bearer …} (RFC 6750). */
  public AuthenticationOptions bearer(CredentialCheck check) {
    bearer = Objects.requireNonNull(check, "check");
    return this;
  }

  @Nullable CredentialCheck bearer() {
    return bearer;
  }

  /**
   * Also accepts tokens as the query's parameter {@code access_token} (RFC 6750 2.3), for opening
   * handshakes of WebSockets and for event streams only: browsers let a page set no header there.
   * Off by default, because URLs are kept in more places than headers: Windhover writes no query to
   * its logs, but a proxy may. Tokens that are used like this should be valid for a minute only.
   */
  public AuthenticationOptions bearerInQuery() {
    bearerInQuery = true;
    return this;
  }

  boolean isBearerInQuery() {
    return bearerInQuery;
  }

  /**
   * Also accepts tokens as a subprotocol that a page offers, {@code new WebSocket(url, ["chat",
   * prefix + token])}. This offer is removed from the request, so the token is neither chosen nor
   * logged. The page must offer another subprotocol, and the application must accept that one: a
   * browser fails a socket for which it has offered subprotocols and got none. Off by default.
   *
   * @param prefix such as {@code "bearer."}
   * @throws IllegalArgumentException if it contains characters that a subprotocol cannot have
   */
  public AuthenticationOptions bearerInSubprotocol(String prefix) {
    if (!Tokens.isToken(prefix)) {
      throw new IllegalArgumentException("prefix \"" + prefix + "\" is not a token");
    }
    bearerSubprotocol = prefix;
    return this;
  }

  @Nullable String bearerSubprotocol() {
    return bearerSubprotocol;
  }

  /** Accepts keys in the header {@code X-API-Key}. */
  public AuthenticationOptions apiKey(CredentialCheck check) {
    return apiKey("X-API-Key", check);
  }

  /**
   * Accepts keys in a header of this name.
   *
   * @throws IllegalArgumentException if that is not the name of a header
   */
  public AuthenticationOptions apiKey(String header, CredentialCheck check) {
    Objects.requireNonNull(check, "check");
    if (!Tokens.isToken(header)) {
      throw new IllegalArgumentException("header \"" + header + "\" is not a token");
    }
    apiKeyHeader = header;
    apiKey = check;
    return this;
  }

  @Nullable CredentialCheck apiKey() {
    return apiKey;
  }

  String apiKeyHeader() {
    return apiKeyHeader;
  }

  /**
   * Accepts a cookie, which browsers send by themselves, also for pages of other sites. So it
   * counts only if the request has no {@code Origin}, or the origin is the application's own or one
   * of {@link #cookieOrigins}. Browsers send {@code Origin} with every opening handshake and every
   * POST.
   *
   * @throws IllegalArgumentException if that is not the name of a cookie
   */
  public AuthenticationOptions cookie(String name, CredentialCheck check) {
    Objects.requireNonNull(check, "check");
    if (!Tokens.isToken(name)) {
      throw new IllegalArgumentException("cookie \"" + name + "\" is not a token");
    }
    cookieName = name;
    cookie = check;
    return this;
  }

  @Nullable CredentialCheck cookie() {
    return cookie;
  }

  String cookieName() {
    return cookieName;
  }

  /**
   * Lets pages of other origins use the cookie; none by default.
   *
   * @param origins of the form {@code https://client.com}, with the port if it is not the scheme's
   * @throws IllegalArgumentException if one is malformed
   */
  public AuthenticationOptions cookieOrigins(String... origins) {
    Set<String> normal = new HashSet<>();
    for (String origin : Objects.requireNonNull(origins, "origins")) {
      if (!Origins.isWellFormed(origin) || origin.indexOf('*') >= 0) {
        throw new IllegalArgumentException(
            "origin \"" + origin + "\" is not of the form scheme://host[:port]");
      }
      normal.add(Origins.normalize(origin));
    }
    cookieOrigins = Set.copyOf(normal);
    return this;
  }

  Set<String> cookieOrigins() {
    return cookieOrigins;
  }
}
