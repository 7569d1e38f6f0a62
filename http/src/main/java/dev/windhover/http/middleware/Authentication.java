package dev.windhover.http.middleware;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.windhover.http.Handler;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpException;
import dev.windhover.http.HttpRequest;
import dev.windhover.http.Middleware;
import dev.windhover.http.User;
import dev.windhover.http.host.HostContext;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Origins;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Finds out who is asking: sets {@link HttpContext#user()} from a password, a token, a key or a
 * cookie. It refuses nobody: a request without credentials, or with wrong ones, goes on without a
 * user, and {@link HttpContext#requireUser()} answers it with 401 where a user is needed. Only
 * requests that break RFC 6750 are answered with 400. A user that an earlier step has set stays.
 *
 * <p>Credentials never get into a log line. The step may block, because its checks may, so handlers
 * after it run on virtual threads; if the checks never block, wrap it in {@link
 * Middleware#nonBlocking}.
 */
public final class Authentication implements Middleware {
  private static final Logger log = Loggers.get(Authentication.class);

  /** RFC 6750 2.1: b64token. */
  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9._~+/-]+=*");

  private static final String PROTOCOL = "Sec-WebSocket-Protocol";

  private final AuthenticationOptions options;

  /** The parameter of every challenge. */
  private final String realm;

  /**
   * Creates the middleware with a copy of {@code options}.
   *
   * @throws IllegalArgumentException if they accept no kind of credentials, or say where a token
   *     may be although none is accepted
   */
  public Authentication(AuthenticationOptions options) {
    this.options = new AuthenticationOptions(options);
    this.realm = "realm=\"" + options.realm().replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    if (options.basic() == null
        && options.bearer() == null
        && options.apiKey() == null
        && options.cookie() == null) {
      throw new IllegalArgumentException(
          "no credentials are accepted: call basic(…), bearer(…), apiKey(…) or cookie(…)");
    }
    if (options.bearer() == null
        && (options.isBearerInQuery() || options.bearerSubprotocol() != null)) {
      throw new IllegalArgumentException("no tokens are accepted: call bearer(…)");
    }
  }

  /** Creates the middleware with the default options, changed by {@code change}. */
  public static Authentication with(Consumer<AuthenticationOptions> change) {
    AuthenticationOptions options = new AuthenticationOptions();
    change.accept(options);
    return new Authentication(options);
  }

  /**
   * Returns whether a credential is the same as a secret, in a time that does not depend on where
   * they differ: an attacker who measures it cannot guess the secret piece by piece.
   */
  public static boolean isSame(String credential, String secret) {
    return MessageDigest.isEqual(digest(credential), digest(secret));
  }

  private static byte[] digest(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // every Java platform has it
    }
  }

  @Override
  public void handle(HttpContext context, Handler next) throws Exception {
    List<String> tokens = options.bearer() == null ? List.of() : tokens(context);
    if (context.user() == null) {
      User user = userOfToken(tokens);
      if (user == null) {
        user = userOfPassword(context.request());
      }
      if (user == null) {
        user = userOfKey(context.request());
      }
      if (user == null) {
        user = userOfCookie(context);
      }
      context.user(user);
      if (user == null) {
        challenge(context, !tokens.isEmpty());
      }
    }
    next.handle(context);
  }

  /** RFC 9110 11.6.1: one challenge for each scheme. */
  private void challenge(HttpContext context, boolean hasToken) {
    if (options.bearer() != null) { // RFC 6750 3: no error if there was no token
      context.challenge("Bearer " + realm + (hasToken ? ", error=\"invalid_token\"" : ""));
    }
    if (options.basic() != null) {
      context.challenge("Basic " + realm + ", charset=\"UTF-8\"");
    }
    if (options.apiKey() != null) {
      context.challenge("ApiKey " + realm + ", header=\"" + options.apiKeyHeader() + "\"");
    }
    if (options.cookie() != null) {
      context.challenge("Cookie " + realm + ", cookie-name=\"" + options.cookieName() + "\"");
    }
  }

  // ---- Tokens

  /** Returns the tokens of the request, and removes one that was offered as a subprotocol. */
  private List<String> tokens(HttpContext context) {
    List<String> tokens = new ArrayList<>(1);
    Headers headers = context.request().headers();
    for (String credentials : headers.all("Authorization")) {
      String token = afterScheme("Bearer", credentials);
      if (token != null) {
        tokens.add(token);
      }
    }
    boolean isHandshake = HostContext.of(context).upgrade() != null;
    if (options.isBearerInQuery() && (isHandshake || asksForEvents(headers))) {
      tokens.addAll(context.request().query().all("access_token"));
    }
    String prefix = options.bearerSubprotocol();
    if (prefix != null && isHandshake) {
      takeFromSubprotocols(headers, prefix, tokens);
    }
    if (tokens.size() > 1) {
      throw malformed("more than one access token"); // RFC 6750 2
    }
    if (!tokens.isEmpty() && !TOKEN.matcher(tokens.getFirst()).matches()) {
      throw malformed("malformed access token");
    }
    return tokens;
  }

  private static boolean asksForEvents(Headers headers) {
    return headers.list("Accept").stream()
        .anyMatch(range -> range.regionMatches(true, 0, "text/event-stream", 0, 17));
  }

  private static void takeFromSubprotocols(Headers headers, String prefix, List<String> tokens) {
    List<String> offered = headers.list(PROTOCOL);
    List<String> others = offered.stream().filter(one -> !one.startsWith(prefix)).toList();
    if (others.size() == offered.size()) {
      return;
    }
    offered.stream()
        .filter(one -> one.startsWith(prefix))
        .forEach(one -> tokens.add(one.substring(prefix.length())));
    headers.remove(PROTOCOL);
    if (!others.isEmpty()) {
      headers.set(PROTOCOL, String.join(", ", others));
    }
  }

  /** RFC 6750 3.1. */
  private HttpException malformed(String fact) {
    Headers headers = new Headers();
    headers.add("WWW-Authenticate", "Bearer " + realm + ", error=\"invalid_request\"");
    return new HttpException(400, fact, headers);
  }

  private @Nullable User userOfToken(List<String> tokens) throws Exception {
    CredentialCheck check = options.bearer();
    return check == null || tokens.isEmpty() ? null : check.userOf(tokens.getFirst());
  }

  // ---- Passwords

  private @Nullable User userOfPassword(HttpRequest request) throws Exception {
    PasswordCheck check = options.basic();
    List<String> all = request.headers().all("Authorization");
    String encoded = check == null || all.size() != 1 ? null : afterScheme("Basic", all.getFirst());
    String pair = encoded == null ? null : decoded(encoded);
    int colon = pair == null ? -1 : pair.indexOf(':');
    if (check == null
        || pair == null
        || colon < 0
        || pair.chars().anyMatch(Character::isISOControl)) {
      return null; // none, or malformed (RFC 7617 2): 401 where a user is needed
    }
    return check.userOf(pair.substring(0, colon), pair.substring(colon + 1));
  }

  private static @Nullable String decoded(String encoded) {
    try {
      byte[] bytes = Base64.getDecoder().decode(encoded);
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (IllegalArgumentException | CharacterCodingException e) {
      return null;
    }
  }

  /** Returns what follows the name of the scheme, which ignores case (RFC 9110 11.1), or null. */
  private static @Nullable String afterScheme(String scheme, String credentials) {
    int end = scheme.length();
    boolean isIts =
        credentials.length() > end
            && credentials.regionMatches(true, 0, scheme, 0, end)
            && credentials.charAt(end) == ' ';
    return isIts ? credentials.substring(end).strip() : null;
  }

  // ---- Keys and cookies

  private @Nullable User userOfKey(HttpRequest request) throws Exception {
    CredentialCheck check = options.apiKey();
    List<String> keys = check == null ? List.of() : request.headers().all(options.apiKeyHeader());
    return check == null || keys.size() != 1 ? null : check.userOf(keys.getFirst());
  }

  private @Nullable User userOfCookie(HttpContext context) throws Exception {
    CredentialCheck check = options.cookie();
    String value = check == null ? null : cookie(context.request().headers());
    if (check == null || value == null) {
      return null;
    }
    String origin = String.join(",", context.request().headers().all("Origin"));
    if (!origin.isEmpty() && !mayUseCookie(origin, context.request())) {
      log.debug(
          "request {}: the cookie does not count, because pages of {} may not use it",
          context.id(),
          origin);
      return null;
    }
    return check.userOf(value);
  }

  private boolean mayUseCookie(String origin, HttpRequest request) {
    String normal = Origins.normalize(origin);
    return normal.equals(Origins.normalize(request.scheme() + "://" + request.host()))
        || options.cookieOrigins().contains(normal);
  }

  private @Nullable String cookie(Headers headers) {
    for (String line : headers.all("Cookie")) {
      for (String pair : line.split(";", -1)) {
        int equals = pair.indexOf('=');
        if (equals > 0 && pair.substring(0, equals).strip().equals(options.cookieName())) {
          return pair.substring(equals + 1).strip();
        }
      }
    }
    return null;
  }
}
