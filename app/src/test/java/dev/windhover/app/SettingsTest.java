package dev.windhover.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.server.Http2Limits;
import dev.windhover.server.ServerLimits;
import dev.windhover.server.ServerOptions;
import dev.windhover.server.TlsOptions;
import dev.windhover.websocket.WebSocketLimits;
import dev.windhover.websocket.WebSocketOptions;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class SettingsTest {
  private static final Pattern LEAST = Pattern.compile("^(?:(\\w+) (?:or more|to)|more than 0)");

  /** What text cannot say: functions, and the options of one address. */
  private static final Set<String> ONLY_IN_CODE =
      Set.of(
          "ServerOptions.url",
          "ServerLimits.exemptAddresses",
          "WebSocketOptions.limits",
          "WebSocketOptions.sameOrigin");

  @TempDir Path folder;

  private Settings of(String... arguments) {
    return new Settings(List.of(arguments), Map.of(), folder);
  }

  private Settings ofFile(String... lines) throws IOException {
    Files.write(folder.resolve("windhover.properties"), List.of(lines));
    return of();
  }

  private static ServerOptions applied(Settings settings) {
    ServerOptions options = new ServerOptions();
    settings.apply(Setting.OF_SERVER, options);
    assertThat(settings.problem()).isNull();
    return options;
  }

  private static String problemOf(Settings settings) {
    settings.apply(Setting.OF_SERVER, new ServerOptions());
    settings.apply(Setting.OF_SOCKETS, new WebSocketOptions());
    return String.valueOf(settings.problem());
  }

  // ---- Places

  @Test
  void argumentsComeBeforeTheEnvironmentAndThatBeforeTheFile() throws IOException {
    Files.writeString(
        folder.resolve("windhover.properties"), "loops=1\nstop-timeout=1s\nsend-buffer=1KiB");
    Settings settings =
        new Settings(
            List.of("--loops=3"),
            Map.of("WINDHOVER_LOOPS", "2", "WINDHOVER_STOP_TIMEOUT", "2s"),
            folder);
    ServerOptions options = new ServerOptions().loops(4).sendBuffer(4).stopTimeout(Duration.ZERO);
    settings.apply(Setting.OF_SERVER, options);
    assertThat(options.loops()).isEqualTo(3);
    assertThat(options.stopTimeout()).isEqualTo(Duration.ofSeconds(2));
    assertThat(options.sendBuffer()).isEqualTo(1024);
  }

  @Test
  void anArgumentHasItsValueInItselfOrInTheNext() {
    assertThat(applied(of("--urls", "http://localhost:1;http://localhost:2")).urls())
        .containsExactly("http://localhost:1", "http://localhost:2");
    assertThat(applied(of("--urls=http://localhost:1", "--https")).urls())
        .containsExactly("http://localhost:1", "https://localhost:5001");
    assertThat(applied(of("--https=false")).urls()).containsExactly("http://localhost:5000");
  }

  @Test
  void aNamedFileIsReadInsteadOfTheUsualOne() throws IOException {
    Files.writeString(folder.resolve("windhover.properties"), "no option");
    Files.writeString(folder.resolve("other.conf"), "loops = 7");
    assertThat(applied(of("--config=other.conf")).loops()).isEqualTo(7);
  }

  @Test
  void aFileHasCommentsAndEmptyLinesAndTakesValuesAsTheyAre() throws IOException {
    Settings settings =
        ofFile("# a comment", "", "! another", "  certificate = C:\\keys\\a=b.pem ");
    assertThat(settings.value(Setting.OF_SERVER.get(2))).isEqualTo("C:\\keys\\a=b.pem");
    assertThat(settings.problem()).isNull();
  }

  @Test
  void whatIsNotOursIsLeftToTheProgram() {
    assertThat(problemOf(of("echo", "--rounds", "3", "-p", "--verbose=yes", "--", "--port=1")))
        .isEqualTo("null");
  }

  // ---- Every option

  static List<Setting<?>> everyOptionHasItsNameInAllPlaces() {
    return Setting.all();
  }

  @ParameterizedTest
  @MethodSource
  void everyOptionHasItsNameInAllPlaces(Setting<?> setting) {
    String value = setting.isSwitch() ? "true" : "7";
    assertThat(of(setting.argument() + "=" + value).value(setting)).isEqualTo(value);
    assertThat(new Settings(List.of(), Map.of(setting.variable(), value), folder).value(setting))
        .isEqualTo(setting.equals(Setting.HELP) ? null : value);
    assertThat(Settings.help()).contains("  " + setting.argument());
  }

  @Test
  void limitsAreOptionsToo() {
    ServerOptions options =
        applied(
            of(
                "--limits.max-body-size=64KiB",
                "--limits.min-body-rate=0",
                "--limits.min-body-rate-grace=2m",
                "--http2.settings-timeout=PT3S"));
    assertThat(options.limits().maxBodySize()).isEqualTo(65_536);
    assertThat(options.limits().minBodyRate().isOff()).isTrue();
    assertThat(options.limits().minBodyRate().grace()).isEqualTo(Duration.ofMinutes(2));
    assertThat(options.limits().http2().settingsTimeout()).isEqualTo(Duration.ofSeconds(3));
    assertThat(applied(of("--limits.max-body-size=unlimited")).limits().maxBodySize())
        .isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void socketsHaveOptionsToo() {
    WebSocketOptions options = new WebSocketOptions().allowedOrigins("https://code.example");
    of(
            "--websocket.keep-alive-interval=500ms",
            "--websocket.allowed-origins=https://a.example;https://b.example",
            "--websocket.send-queue-high=64KiB",
            "--websocket.control-frame-burst=7")
        .apply(Setting.OF_SOCKETS, options);
    assertThat(options.keepAliveInterval()).isEqualTo(Duration.ofMillis(500));
    assertThat(options.allowedOrigins()).containsExactly("https://a.example", "https://b.example");
    assertThat(options.limits().sendQueueHigh()).isEqualTo(65_536);
    assertThat(options.limits().sendQueueLow()).isEqualTo(16_384);
    assertThat(options.limits().controlFrameBurst()).isEqualTo(7);
    assertThat(options.limits().controlFramesPerSecond()).isEqualTo(20);
  }

  // ---- What the table says

  static Stream<Setting<?>> aRangeIsWhatTheProgramAccepts() {
    return Setting.all().stream().filter(each -> LEAST.matcher(each.range()).find());
  }

  @ParameterizedTest
  @MethodSource
  void aRangeIsWhatTheProgramAccepts(Setting<?> setting) {
    Matcher range = LEAST.matcher(setting.range());
    assertThat(range.find()).isTrue();
    String least = range.group(1);
    if (least == null) { // more than 0
      assertThat(problemOf(of(setting.argument() + "=0"))).contains(" positive");
      assertThat(problemOf(of(setting.argument() + "=1ms"))).isEqualTo("null");
      return;
    }
    assertThat(problemOf(of(setting.argument() + "=" + least))).isEqualTo("null");
    String below =
        switch (least) {
          case "1s" -> "999ms";
          case "1KiB" -> "1023";
          default -> String.valueOf(Integer.parseInt(least) - 1);
        };
    assertThat(problemOf(of(setting.argument() + "=" + below))).isNotEqualTo("null");
    if (setting.range().endsWith("; 0 is off")) {
      assertThat(problemOf(of(setting.argument() + "=0"))).isEqualTo("null");
    }
    if (setting.range().startsWith("1 to 9")) {
      assertThat(problemOf(of(setting.argument() + "=9"))).isEqualTo("null");
      assertThat(problemOf(of(setting.argument() + "=10"))).isNotEqualTo("null");
    }
  }

  @Test
  void everyMethodThatSetsAnOptionHasItsSetting() {
    Set<String> named = new TreeSet<>();
    Setting.all().stream().map(Setting::code).filter(code -> !code.isEmpty()).forEach(named::add);
    Set<String> methods = new TreeSet<>(List.of("WebApplication.environment"));
    for (Class<?> type :
        List.of(
            ServerOptions.class,
            ServerLimits.class,
            Http2Limits.class,
            TlsOptions.class,
            WebSocketOptions.class,
            WebSocketLimits.class)) {
      for (Method each : type.getMethods()) {
        if (each.getReturnType() == type && each.getParameterCount() > 0) {
          methods.add(type.getSimpleName() + "." + each.getName());
        }
      }
    }
    methods.removeAll(ONLY_IN_CODE);
    assertThat(named).isEqualTo(methods);
  }

  @Test
  void sizesOf2GiBAndMoreAreForThoseThatTheDocumentationNames() throws IOException {
    String page = Files.readString(ConfigurationPage.FILE).replaceAll("\\s+", " ");
    int from = page.indexOf("Less than 2 GiB, except");
    String exceptions = page.substring(from, page.indexOf(". ", from));
    assertThat(
            Setting.all().stream()
                .filter(each -> each.value().name().equals("size"))
                .filter(each -> problemOf(of(each.argument() + "=2GiB")).equals("null"))
                .map(Setting::name))
        .containsExactlyInAnyOrder(
            Pattern.compile("`(.*?)`")
                .matcher(exceptions)
                .results()
                .map(each -> each.group(1))
                .toArray(String[]::new));
  }

  @Test
  void theDocumentationIsTheTable() throws IOException {
    assertThat(Files.readString(ConfigurationPage.FILE))
        .as("run ConfigurationPage to write the tables")
        .isEqualTo(ConfigurationPage.withTables());
  }

  // ---- Mistakes

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--url=http://localhost:1   | unknown option --url; did you mean --urls?",
        "--url                      | unknown option --url; did you mean --urls?",
        "--port=5019                | unknown option --port; did you mean"
            + " --urls=http://localhost:5019?",
        "--limits.max-conections=1  | unknown option --limits.max-conections; did you mean"
            + " --limits.max-connections?",
        "--urls                     | --urls needs a value: --urls=<addresses>",
        "--loops=                   | --loops needs a value: --loops=<number>",
        "--loops=many               | --loops: \"many\" is not a whole number such as 100",
        "--loops=0                  | --loops: loops 0 is less than 1",
        "--stop-timeout=30          | --stop-timeout: \"30\" is not a time such as 500ms, 30s, 2m,"
            + " 1h or PT30S",
        "--stop-timeout=PT          | --stop-timeout: \"PT\" is not a time such as 500ms, 30s, 2m,"
            + " 1h or PT30S",
        "--limits.memory=1MB        | --limits.memory: \"1MB\" is not a size such as 65536, 64KiB,"
            + " 1MiB or 2GiB",
        "--limits.max-headers=2GiB  | --limits.max-headers: \"2GiB\" is not less than 2GiB",
        "--transport=fast           | --transport: \"fast\" is not one of auto, epoll, io_uring,"
            + " nio",
        "--https=maybe              | --https: \"maybe\" is not true or false",
        "--urls=http://localhost:70000 | --urls: cannot listen on \"http://localhost:70000\": port"
            + " 70000 is not within 0-65535",
        "--config=missing.conf      | --config: missing.conf does not exist",
      })
  void aWrongArgumentIsNamed(String argument, String problem) {
    assertThat(problemOf(of(argument))).isEqualTo(problem);
  }

  @Test
  void aPortInTwoWordsIsNamedToo() {
    assertThat(of("--port", "5019").problem())
        .isEqualTo("unknown option --port; did you mean --urls=http://localhost:5019?");
  }

  @Test
  void anOptionThatIsGivenTwiceIsAMistake() {
    assertThat(of("--loops=1", "--loops", "2").problem()).isEqualTo("--loops is given twice");
  }

  @Test
  void anOptionWithoutEffectIsAMistake() throws IOException {
    Settings settings = ofFile("websocket.inbound-bytes=1MiB");
    settings.requireNone(Setting.OF_SOCKETS, "why");
    assertThat(settings.problem())
        .isEqualTo("windhover.properties line 1: websocket.inbound-bytes has no effect: why");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "limits.max-conections=1 | windhover.properties line 2: unknown option"
            + " limits.max-conections; did you mean limits.max-connections?",
        "nothing=1               | windhover.properties line 2: unknown option nothing",
        "loops                   | windhover.properties line 2: expected name=value",
        "=1                      | windhover.properties line 2: expected name=value",
        "loops=                  | windhover.properties line 2: loops needs a value",
        "port=5019               | windhover.properties line 2: unknown option port; did you mean"
            + " urls=http://localhost:5019?",
        "config=other            | windhover.properties line 2: config cannot be set in a file",
        "stop-timeout=soon       | windhover.properties line 2: stop-timeout: \"soon\" is not a"
            + " time such as 500ms, 30s, 2m, 1h or PT30S",
        "loops=0                 | windhover.properties line 2: loops: loops 0 is less than 1",
      })
  void aWrongLineOfAFileIsNamedByItsNumber(String line, String problem) throws IOException {
    assertThat(problemOf(ofFile("# comment", line))).isEqualTo(problem);
  }

  @Test
  void anOptionThatAFileSetsTwiceIsAMistake() throws IOException {
    assertThat(ofFile("loops=1", "", "loops=2").problem())
        .isEqualTo("windhover.properties line 3: loops was set in line 1");
  }

  @Test
  void aVariableIsNamed() {
    assertThat(problemOf(new Settings(List.of(), Map.of("WINDHOVER_LOOPS", "x"), folder)))
        .isEqualTo("WINDHOVER_LOOPS: \"x\" is not a whole number such as 100");
    assertThat(new Settings(List.of(), Map.of("WINDHOVER_URL", "x"), folder).problem())
        .isEqualTo("unknown environment variable WINDHOVER_URL; did you mean WINDHOVER_URLS?");
  }
}
