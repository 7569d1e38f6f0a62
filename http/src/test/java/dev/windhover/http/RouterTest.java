package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RouterTest {
  private final Router<String> router = new Router<>();

  private void add(String... paths) {
    for (String path : paths) {
      router.add(Set.of(), path, path);
    }
  }

  private Router.Match<String> get(String path) {
    return router.match("GET", path);
  }

  @Nested
  class WithoutRegardToCase {
    @Test
    void literalsMatchInAnyCaseAndValuesKeepTheirs() {
      router.add(Set.of("GET"), "/api/{Room}/Chat", true, "chat");
      Router.Match<String> match = get("/API/Blue/cHAT");
      assertThat(match.target()).isEqualTo("chat");
      assertThat(match.route()).isEqualTo("/api/{Room}/Chat");
      assertThat(match.parameters()).isEqualTo(Map.of("Room", "Blue"));
      assertThat(get("/api/blue/chat/").target()).isNull();
      assertThat(router.match("POST", "/API/blue/chat").allowed()).containsExactly("GET", "HEAD");
    }

    @Test
    void theExactRouteWins() {
      router.add(Set.of(), "/CHAT", true, "any case");
      add("/Chat", "/{other}");
      assertThat(get("/Chat").target()).isEqualTo("/Chat");
      assertThat(get("/chat").target()).isEqualTo("any case");
      assertThat(get("/cats").target()).isEqualTo("/{other}");
    }

    @Test
    void theSamePathTwiceIsRefused() {
      router.add(Set.of(), "/chat", true, "one");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> router.add(Set.of(), "/Chat", true, "two"))
          .withMessage("route /Chat is already mapped");
    }
  }

  @Nested
  class Paths {
    @ParameterizedTest
    @CsvSource({
      "/, /",
      "/chat, /chat",
      "/chat/, /chat/",
      "/chat/rooms, /chat/rooms",
      "/chat/7, /chat/{room}",
      "/chat/7/log, /chat/{room}/log",
      "/chat/rooms/log, /chat/rooms/{id}",
      "/chat/rooms/7, /chat/rooms/{id}",
      "/chat/7/8, /chat/{*rest}",
      "/chat/7/, /chat/{*rest}",
      "/other, /{*rest}",
      "/Chat, /{*rest}",
      "//, /{*rest}",
    })
    void theMostSpecificRouteWins(String path, String route) {
      add("/", "/{*rest}", "/chat", "/chat/", "/chat/{*rest}", "/chat/{room}");
      add("/chat/rooms", "/chat/rooms/{id}", "/chat/{room}/log");
      assertThat(get(path).target()).isEqualTo(route);
      assertThat(get(path).route()).isEqualTo(route);
    }

    @Test
    void anEncodedSlashIsPartOfItsSegment() {
      add("/a%2fb", "/a%252Fb", "/100%25", "/files/{name}", "/{*rest}");
      assertThat(get("/a%2Fb").target()).isEqualTo("/a%2fb");
      assertThat(get("/a%252Fb").target()).isEqualTo("/a%252Fb");
      assertThat(get("/100%").target()).isEqualTo("/100%25");
      assertThat(get("/a/b").parameters()).isEqualTo(Map.of("rest", "a/b"));
      assertThat(get("/files/a%2Fb").parameters()).isEqualTo(Map.of("name", "a/b"));
      assertThat(get("/files/a%252Fb").parameters()).isEqualTo(Map.of("name", "a%2Fb"));
      assertThat(get("/x/a%2Fb").parameters()).isEqualTo(Map.of("rest", "x/a%2Fb"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/chat/", "/Chat", "/chat/7/8", "/cha", "*"})
    void noRouteIsNoMatch(String path) {
      add("/chat", "/chat/{room}");
      assertThat(get(path).target()).isNull();
      assertThat(get(path).allowed()).isEmpty();
    }

    @Test
    void theServerAsAWholeIsNoPath() {
      add("/", "/{*rest}");
      assertThat(router.match("OPTIONS", "*").target()).isNull();
    }

    @Test
    void parametersHaveTheSegmentsTheyStandFor() {
      add("/chat/{room}/{user}");
      assertThat(get("/chat/7/zoë").parameters()).isEqualTo(Map.of("room", "7", "user", "zoë"));
    }

    @Test
    void anAbandonedBranchLeavesNoParametersBehind() {
      add("/{a}/{b}/y", "/{*rest}");
      assertThat(get("/1/2/z").parameters()).isEqualTo(Map.of("rest", "1/2/z"));
    }

    @ParameterizedTest
    @CsvSource({"/files/, ''", "/files/a, a", "/files/a/b/, a/b/"})
    void aCatchAllHasTheRest(String path, String rest) {
      add("/files/{*rest}");
      assertThat(get(path).parameters()).isEqualTo(Map.of("rest", rest));
    }

    @Test
    void aCatchAllNeedsItsSlash() {
      add("/files/{*rest}");
      assertThat(get("/files").target()).isNull();
    }
  }

  @Nested
  class Methods {
    @Test
    void anotherMethodTellsTheAllowedOnes() {
      router.add(Set.of("POST", "GET"), "/a", "target");
      Router.Match<String> match = router.match("PUT", "/a");
      assertThat(match.target()).isNull();
      assertThat(match.allowed()).containsExactly("GET", "HEAD", "POST");
    }

    @Test
    void aRouteForGetAnswersHead() {
      router.add(Set.of("GET"), "/a", "get");
      assertThat(router.match("HEAD", "/a").target()).isEqualTo("get");
    }

    @Test
    void aRouteForHeadGoesBeforeTheOneForGet() {
      router.add(Set.of("GET"), "/a", "get");
      router.add(Set.of("HEAD"), "/a", "head");
      assertThat(router.match("HEAD", "/a").target()).isEqualTo("head");
    }

    @Test
    void aRouteForTheMethodGoesBeforeOneForAll() {
      router.add(Set.of(), "/a", "any");
      router.add(Set.of("POST"), "/a", "post");
      assertThat(router.match("POST", "/a").target()).isEqualTo("post");
      assertThat(router.match("CONNECT", "/a").target()).isEqualTo("any");
    }

    @Test
    void aLessSpecificRouteAnswersTheMethodThatTheOtherLacks() {
      router.add(Set.of("GET"), "/a", "literal");
      router.add(Set.of("POST"), "/{name}", "parameter");
      assertThat(router.match("POST", "/a").target()).isEqualTo("parameter");
      assertThat(router.match("PUT", "/a").allowed()).containsExactly("GET", "HEAD", "POST");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "get", "GE T", "GET,POST"})
    void aMethodIsATokenInUpperCase(String method) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> router.add(Set.of(method), "/a", "target"))
          .withMessage("method \"" + method + "\" of route /a is not a token in upper case");
    }
  }

  @Nested
  class Malformed {
    @ParameterizedTest
    @ValueSource(
        strings = {
          "/{",
          "/}",
          "/a{b}",
          "/{a}b",
          "/{}",
          "/{*}",
          "/{a}{b}",
          "/{**a}",
          "/{a:int}",
          "/{a?}",
          "/{a=1}",
          "/{ a}",
          "/{{a}}",
          "/{1}",
        })
    void aSegmentIsALiteralOrAWholeParameter(String path) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> add(path))
          .withMessage(
              "segment \""
                  + path.substring(1)
                  + "\" of route "
                  + path
                  + " is neither {name} nor {*name}");
    }

    @ParameterizedTest
    @CsvSource({
      "/u/:id, :id, /u/{id}",
      "/u/:id/posts/:post, :id, /u/{id}/posts/{post}",
      "/u/:id?, :id?, /u/{name}",
      "/a/*, *, /a/{*rest}",
      "/a/**, **, /a/{*rest}",
      "/a/*path, *path, /a/{*path}",
      "/a/*/b, *, /a/{name}/b",
      "/a/*.js, *.js, /a/{*rest}",
    })
    void aSegmentOfAnotherRouterIsShownInOurForm(String path, String segment, String meant) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> add(path))
          .withMessage(
              "segment \"%s\" of route %s matches only itself; write %s"
                  .formatted(segment, path, meant));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/batch:run", "/:", "/a/:8080"})
    void aColonMayBeInALiteral(String path) {
      add(path);
      assertThat(router.match("GET", path).route()).isEqualTo(path);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "chat", "{a}"})
    void aPathBeginsWithASlash(String path) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> add(path))
          .withMessage("route \"" + path + "\" does not begin with /");
    }

    @Test
    void aNameComesOnce() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> add("/{a}/{*a}"))
          .withMessage("route /{a}/{*a} has {a} twice");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/{*a}/", "/{*a}/b", "/{*a}/{*b}"})
    void aCatchAllIsTheEnd(String path) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> add(path))
          .withMessage("route " + path + " continues after its catch-all");
    }

    @Test
    void aPathIsMappedOnce() {
      add("/a/{b}");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> add("/a/{b}"))
          .withMessage("route /a/{b} is already mapped");
    }

    @Test
    void aMethodOfAPathIsMappedOnce() {
      router.add(Set.of("GET"), "/a", "first");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> router.add(Set.of("GET"), "/a", "second"))
          .withMessage("route GET /a is already mapped");
    }

    @Test
    void routesDifferInMoreThanNames() {
      add("/a/{b}");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> add("/a/{c}"))
          .withMessage("routes /a/{b} and /a/{c} differ only in the names of their parameters");
    }
  }
}
